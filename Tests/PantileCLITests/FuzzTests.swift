import Foundation
import Pantile
import Testing

/// Damaged files of every kind: an answer or a diagnostic, never a crash, a hang or half a file.
///
/// `PANTILE_FUZZ_RUNS` says how many, `PANTILE_FUZZ_SEED` where the random numbers start; each failure prints its number, and
/// the seed with the number makes it again.
struct FuzzTests {
  private static let runs = number("PANTILE_FUZZ_RUNS") ?? 60
  private static let seed = number("PANTILE_FUZZ_SEED") ?? 1

  private static func number(_ variable: String) -> Int? {
    ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
  }

  /// A file to damage, the name under which the copy is read, and what reads it; `@` stands for the folder.
  private static let targets: [(source: String, name: String, arguments: [String])] = {
    let digits = "Workloads/models/digits-cnn"
    let chip = ["--chip", "systolic-16x16"]
    let plan = ["--capacity", "56KiB", "--budget", "2000", "--json", "@/o.json", "--picture", "@/o.svg"]
    let scaleSim = ["--timing-model", "scalesim", "--json", "@/o.json"]
    return [
      ("\(digits)/digits-cnn.onnx", "n.onnx", ["compile", "@/n.onnx", "-o", "@/o.pantile"] + chip),
      ("\(digits)/digits-cnn.onnx", "n.onnx", ["import", "@/n.onnx", "-o", "@/o.mlir"]),
      ("Workloads/models/lenet5/lenet5.mlir", "n.mlir", ["compile", "@/n.mlir", "-o", "@/o.pantile"] + chip),
      ("Workloads/models/resnet8/resnet8.mlir", "n.mlir", ["opt", "@/n.mlir", "-o", "@/o.mlir"]),
      (
        "Targets/chips/systolic-16x16.yaml", "c.yaml", ["compile", "lenet5", "--chip", "@/c.yaml", "-o", "@/o.pantile"]
      ),
      (
        "\(digits)/calibration.npy", "x.npy",
        ["run", "digits-cnn", "--input", "@/x.npy", "--json", "@/o.json"] + chip
      ),
      ("Workloads/suites/smoke.yaml", "s.yaml", ["check", "@/s.yaml"]),
      ("Workloads/graphs/diamond.json", "g.json", ["plan", "@/g.json"] + plan),
      ("buffers.csv", "b.csv", ["plan", "@/b.csv"] + plan),
      ("problem.mlir", "p.mlir", ["plan", "@/p.mlir"] + plan),
      (
        "Workloads/topologies/resnet18.csv", "t.csv",
        ["run", "@/t.csv", "--chip", "Workloads/topologies/os-32x32.cfg"] + scaleSim
      ),
      (
        "Workloads/topologies/os-32x32.cfg", "c.cfg",
        ["run", "Workloads/topologies/resnet18.csv", "--chip", "@/c.cfg"] + scaleSim
      ),
      ("net.pantile", "n.pantile", ["run", "@/n.pantile", "--json", "@/o.json"] + chip),
    ]
  }()

  private static let buffers =
    "id,lower,upper,size,alignment\n" + (0..<20).map { "b\($0),\($0),\($0 + 3),\(64 * ($0 % 5 + 1)),16\n" }.joined()

  @Test func damagedFilesNeverCrash() throws {
    try TemporaryFolder.with { folder in
      let compiled = try Tool.run(["compile", "lenet5", "--chip", "systolic-16x16", "-o", "\(folder)/net.pantile"])
      #expect(compiled.code == 0, "\(compiled.errors)")
      try Data(FuzzTests.buffers.utf8).write(to: URL(fileURLWithPath: "\(folder)/buffers.csv"))
      let graph = try Data(contentsOf: URL(fileURLWithPath: "\(Tool.root)/Workloads/graphs/diamond.json"))
      let problem = try ScheduleProblem.read(graphJSON: graph, path: "diamond", capacity: 56 << 10).problem
      try Data(problem.text.utf8).write(to: URL(fileURLWithPath: "\(folder)/problem.mlir"))
      for run in 0..<FuzzTests.runs {
        var random = SplitMix64(seed: UInt64(FuzzTests.seed) &* 1_000_003 &+ UInt64(run))
        let target = FuzzTests.targets[run % FuzzTests.targets.count]
        let source = target.source.contains("/") ? "\(Tool.root)/\(target.source)" : "\(folder)/\(target.source)"
        let damaged = FuzzTests.damage(try Data(contentsOf: URL(fileURLWithPath: source)), &random)
        try TemporaryFolder.with { place in
          try damaged.write(to: URL(fileURLWithPath: "\(place)/\(target.name)"))
          let result = try Tool.run(target.arguments.map { $0.replacing("@", with: place) })
          let isAnswer = !result.isCrash && [0, 1, 2].contains(result.code)
          let files = TemporaryFolder.files(place)
          // A plan that does not exist is said in its JSON.
          let isNo = result.code == 1 && target.arguments.first == "plan" && files == [target.name, "o.json"]
          #expect(
            isAnswer && (result.code == 0 || isNo || files == [target.name]),
            "seed \(FuzzTests.seed) run \(run): exit \(result.code), files \(files): \(target.arguments) \(result.errors.prefix(500))"
          )
        }
      }
    }
  }

  /// Flips, cuts, repeats or exchanges some bytes.
  private static func damage(_ data: Data, _ random: inout SplitMix64) -> Data {
    var bytes = [UInt8](data)
    for _ in 0...random.next(below: 6) where !bytes.isEmpty {
      let place = random.next(below: bytes.count)
      switch random.next(below: 6) {
      case 0: bytes[place] ^= 1 << UInt8(random.next(below: 8))
      case 1: bytes[place] = UInt8(random.next(below: 256))
      case 2: bytes.removeSubrange(place...)
      case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.next(below: 20)))
      case 4:
        let piece = bytes[place..<min(bytes.count, place + 1 + random.next(below: 40))]
        bytes.insert(contentsOf: piece, at: random.next(below: bytes.count))
      default:
        let digits = Array("0123456789-.x".utf8)
        bytes[place] = digits[random.next(below: digits.count)]
      }
    }
    return Data(bytes)
  }
}
