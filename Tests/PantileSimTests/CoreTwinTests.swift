import Foundation
import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import Testing

/// The register-transfer twin of the core against the simulator: every event and every byte.
///
/// `PANTILE_COSIM_CORE=1` (`make cosim-core`) runs all structures, programs and latencies; else a small part of one structure runs.
/// `PANTILE_COSIM_ARRAYS=1,3` and `PANTILE_COSIM_PROGRAMS=20` choose among the structures and their 60 random Programs.
@Suite(.enabled(if: CoreTwin.isAvailable, "verilator is not installed"), .serialized) struct CoreTwinTests {
  static let isFull = ProcessInfo.processInfo.environment["PANTILE_COSIM_CORE"] != nil
  private static let environment = ProcessInfo.processInfo.environment
  static let chosen = (environment["PANTILE_COSIM_ARRAYS"] ?? (isFull ? "0,1,2,3" : "0"))
    .split(separator: ",").compactMap { Int($0) }.filter(arrays.indices.contains)
  static let programs = environment["PANTILE_COSIM_PROGRAMS"].flatMap { Int($0) } ?? (isFull ? 60 : 6)

  static let arrays: [SystolicOptions] = [
    SystolicOptions(rows: 4, columns: 4, variant: .overlapped),
    SystolicOptions(rows: 3, columns: 5, variant: .serial),
    SystolicOptions(rows: 4, columns: 3, dataflow: .outputStationary, variant: .overlapped),
    SystolicOptions(rows: 2, columns: 5, dataflow: .outputStationary, variant: .serial),
  ]

  static func twin(_ array: Int) throws -> CoreTwin { try CoreTwin(try CoreTwin.structure(arrays[array])) }

  /// 60 programs x 5 latency lists for each of four structures, or 6 x 2 for the first.
  @Test(arguments: chosen)
  func randomProgramsAreEqualToTheCycle(_ array: Int) throws {
    let twin = try Self.twin(array)
    var (events, cycles) = (0, 0)
    for seed in 0..<Self.programs {
      let sample = try CoreTwinSample(seed: 100 * array + seed, array: Self.arrays[array])
      let cases = try (0..<(Self.isFull ? 5 : 2)).map { try sample.twinCase(latencySeed: $0) }
      let found = try twin.differences(cases)
      let isEqual = found.allSatisfy { $0.isEmpty }
      #expect(isEqual, "array \(array), \(sample.name): \(found)")
      if !isEqual { try Self.keepShortest(of: sample, on: twin, named: "array\(array)-seed\(seed)") }
      events += cases.reduce(0) { $0 + $1.events }
      cycles += cases.reduce(0) { $0 + $1.cycles }
    }
    print("core twin \(array): \(Self.programs) programs, \(events) events in \(cycles) cycles compared")
  }

  /// The hand-written Programs whose array has a twin built: max-pool, softmax with Float, transposes, two DMAs on one bus.
  @Test func handWrittenProgramsAreEqualToTheCycle() throws {
    let twin = try Self.twin(0)
    var names: [String] = []
    for name in ProgramFile.names where !name.hasPrefix("bad-") {
      let file = try ProgramFile(name)
      guard file.machine.array?.summary == "systolic 4x4 ws overlapped" else { continue }
      let values = file.inputs()
      let one = try CoreTwinCase(file.program, on: file.machine) { run throws(DiagnosticError) in
        for region in file.program.regions where region.kind == .input {
          try run.setInput(region.name, ProgramFile.tensor(values[region.name] ?? [], region))
        }
      }
      let found = try twin.differences([one])
      #expect(found == [[]], "\(name)")
      names.append(name)
    }
    #expect(names.contains("softmax.mlir") && names.contains("convolution-by-addresses.mlir"))
  }

  /// Fault of the twin, by the bit of `faults_t`; the array on which it shows.
  static let faults: [(bit: Int, name: String, array: Int)] = [
    (0, "array: written", 0), (1, "array: last read of A", 0), (2, "array: last read of B", 0),
    (3, "drain: latency", 0), (4, "vector: latency", 0), (5, "vector: instruction slots", 0), (6, "dma: link", 0),
    (7, "memory: latency", 0), (8, "dma: credit", 0), (9, "dma: spacing of the link", 0), (10, "bus: service", 0),
    (11, "sync: token visible in the same cycle", 0), (12, "ports: reads of an array", 0),
    (13, "ports: writes of a copy", 0), (14, "array: reload behind the swap wave", 0),
    (15, "array: slot of an output-stationary fold", 2), (16, "bus: round robin", 0),
  ]

  /// Each modelled interval, shortened by one in the twin, is caught.
  @Test(arguments: faults.filter { isFull || [0, 3, 7].contains($0.bit) }.map(\.bit))
  func plantedFaultIsCaught(_ bit: Int) throws {
    let fault = Self.faults[bit]
    let twin = try Self.twin(fault.array)
    var caughtBy: String?
    for seed in 0..<60 where caughtBy == nil {
      let sample = try CoreTwinSample(seed: seed, array: Self.arrays[fault.array])
      if let found = try twin.differences([try sample.twinCase()], faults: 1 << bit)[0].first {
        caughtBy = "\(sample.name): \(found)"
      }
    }
    #expect(caughtBy != nil, "\(fault.name)")
    print("fault '\(fault.name)': \(caughtBy ?? "not caught")")
  }

  /// A drain that is one cycle short needs one array tile and its drain to show.
  @Test func shrinkerFindsTheShortestProgramThatShowsAFault() throws {
    let twin = try Self.twin(0)
    let sample = try CoreTwinSample(seed: 0, array: Self.arrays[0])
    let shortest = ProgramShrinker { program in
      guard let one = try? sample.twinCase(of: program, latencySeed: 0) else { return false }
      return ((try? twin.differences([one], faults: 1 << 3))?.first?.isEmpty ?? true) == false
    }.shortest(sample.program)
    #expect(shortest.commandCount <= 3, "\(shortest.text)")
    #expect(shortest.commandCount >= 1)
  }

  /// Writes the shortest failing Program's text under `out/cosim`, or where `PANTILE_COSIM_FOLDER` says.
  static func keepShortest(of sample: CoreTwinSample, on twin: CoreTwin, named name: String) throws {
    let folder = ProcessInfo.processInfo.environment["PANTILE_COSIM_FOLDER"] ?? "out/cosim"
    for latencies in 0..<5 {
      let shrinker = ProgramShrinker { program in
        guard let one = try? sample.twinCase(of: program, latencySeed: latencies) else { return false }
        return ((try? twin.differences([one]))?.first?.isEmpty ?? true) == false
      }
      guard shrinker.fails(sample.program) else { continue }
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try AtomicFile.write(
        "// latency list \(latencies), \(sample.name)\n" + shrinker.shortest(sample.program).text,
        to: "\(folder)/\(name).mlir")
      return
    }
  }
}
