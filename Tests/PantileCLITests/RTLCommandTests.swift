import Foundation
import PantileTestSupport
import Testing

@Suite(.serialized) struct RTLCommandTests {
  static let hasVerilator = FileManager.default.isExecutableFile(atPath: "/usr/bin/verilator")
  static let isFull = ProcessInfo.processInfo.environment["PANTILE_COSIM_CORE"] != nil

  static func make(_ target: String, in folder: String) throws -> (code: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/make")
    process.arguments = ["-s", "-C", folder, target]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  @Test func writesTheCoreOfAChip() throws {
    try TemporaryFolder.with { folder in
      let result = try Tool.run(["rtl", "systolic-16x16", "-o", "\(folder)/rtl"])
      #expect(result.code == 0, "\(result.errors)")
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/rtl")
      for name in ["pantile_core.sv", "pantile_chip.sv", "pantile_chip_core.sv", "main.cpp", "Makefile", "README.md"] {
        #expect(names.contains(name))
      }
      let package = try String(contentsOfFile: "\(folder)/rtl/pantile_chip.sv", encoding: .utf8)
      #expect(package.contains("localparam int ROWS = 16;"))
      #expect(package.contains("localparam int BUS_SERVICE = 64;"))
    }
  }

  @Test(.enabled(if: hasVerilator, "verilator is not installed"))
  func sourcesOfAChipAreLintClean() throws {
    try TemporaryFolder.with { folder in
      let settings = [["engines.array0.dataflow=os"], ["engines.array0.variant=serial"], []]
      for (index, set) in settings.enumerated() {
        let path = "\(folder)/\(index)"
        let result = try Tool.run(["rtl", "systolic-16x16", "-o", path] + set.flatMap { ["--set", $0] })
        #expect(result.code == 0, "\(result.errors)")
        let lint = try Self.make("lint", in: path)
        #expect(lint.code == 0, "\(lint.output)")
      }
    }
  }

  @Test(arguments: ["nm-16x16", "bitserial-16x16"])
  func refusesFamiliesWithoutATwin(_ chip: String) throws {
    try TemporaryFolder.with { folder in
      let result = try Tool.run(["rtl", chip, "-o", "\(folder)/rtl"])
      #expect(result.code == 2)
      #expect(result.errors.contains("[twin-unsupported]"), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/rtl"))
    }
  }

  /// What a systolic chip can have that the twin has not, each named with both sides.
  @Test func namesEverythingThatTheTwinHasNot() throws {
    try TemporaryFolder.with { folder in
      let result = try Tool.run(["rtl", "datacenter-128x128", "-o", "\(folder)/rtl"])
      #expect(result.code == 2)
      for text in [
        "the array is 'systolic 128x128 ws skewed', the core's twin has 'systolic 128x128 ws|os serial|overlapped'",
        "memory 'dram' is the device 'hbm2-8ch', the core's twin has one bus",
        "'dma0' has 128 bursts in flight, the core's twin 64",
      ] {
        #expect(result.errors.contains(text), "\(result.errors)")
      }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/rtl"))
    }
  }

  @Test func refusesAProgramOfAnotherChip() throws {
    try TemporaryFolder.with { folder in
      let compiled = try Tool.run(["compile", "digits-cnn", "--chip", "systolic-32x32", "-o", "\(folder)/net.pantile"])
      #expect(compiled.code == 0, "\(compiled.errors)")
      let result = try Tool.run([
        "rtl", "systolic-16x16", "-o", "\(folder)/rtl", "--program", "\(folder)/net.pantile",
      ])
      #expect(result.code == 2)
      #expect(result.errors.contains("[chip-mismatch]"), "\(result.errors)")
    }
  }

  /// The whole way of a user: compile the digits network, write its testbench, build it with Verilator, compare every event.
  @Test(.enabled(if: hasVerilator && isFull, "make cosim-core runs it"), arguments: [nil, 7] as [Int?])
  func digitsNetworkIsEqualToTheCycle(_ latencySeed: Int?) throws {
    try TemporaryFolder.with { folder in
      let compiled = try Tool.run(["compile", "digits-cnn", "--chip", "systolic-16x16", "-o", "\(folder)/net.pantile"])
      #expect(compiled.code == 0, "\(compiled.errors)")
      let result = try Tool.run(
        ["rtl", "systolic-16x16", "-o", "\(folder)/rtl", "--program", "\(folder)/net.pantile"]
          + (latencySeed.map { ["--latency-seed", "\($0)"] } ?? []))
      #expect(result.code == 0, "\(result.errors)")
      let compared = try Self.make("all", in: "\(folder)/rtl")
      #expect(compared.code == 0, "\(compared.output.suffix(2000))")
      print("digits-cnn: \(result.output)")
    }
  }
}
