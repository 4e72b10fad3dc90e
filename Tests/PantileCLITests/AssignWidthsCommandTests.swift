import Foundation
import Testing

struct AssignWidthsCommandTests {
  static let digits = "Workloads/models/digits-cnn"
  static let study = [
    "assign-widths", "digits-cnn", "--chip", "bitserial-16x16", "--calibrate", "\(digits)/calibration.npy",
  ]

  private static func check(_ path: String) throws -> (code: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "\(Tool.root)/Scripts/check-certificate.py", path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  /// The bound holds for a checker that shares no code with us; `run --layer-bits` has the cycles that were reported.
  @Test func assignmentIsProvenAndRunsElsewhere() throws {
    try TemporaryFolder.with { folder in
      let path = "\(folder)/widths.json"
      let result = try Tool.run(Self.study + ["--size-limit", "16KiB", "--widths", "2,4,8", "--json", path])
      #expect(result.code == 0, "\(result.errors)")
      let json = try jsonObject(try Tool.text(path))
      #expect(json["status"] as? String == "optimal" && json["gap"] as? Int == 0)
      let bits = try #require(json["stored_bits"] as? Int)
      #expect(bits <= 16 * 1024 * 8)
      let proof = try Self.check(path)
      #expect(proof.code == 0 && proof.text.contains("objective >="), "\(proof.text)")
      let layers = try #require(json["layer_bits"] as? [String])
      let run = try Tool.run(
        [
          "run", "digits-cnn", "--chip", "bitserial-16x16", "--calibrate", "\(Self.digits)/calibration.npy", "--json",
          "-",
        ]
          + layers.flatMap { ["--layer-bits", $0] })
      #expect(run.code == 0, "\(run.errors)")
      #expect(try jsonObject(run.output)["cycles"] as? Int == json["compiled_cycles"] as? Int)
    }
  }

  @Test func saysByHowMuchLimitsCannotBeKept() throws {
    try TemporaryFolder.with { folder in
      let path = "\(folder)/widths.json"
      let result = try Tool.run(Self.study + ["--size-limit", "100", "--widths", "2,8", "--json", path])
      #expect(result.code == 1 && result.output.contains("infeasible"), "\(result.output)\(result.errors)")
      let json = try jsonObject(try Tool.text(path))
      let shortfall = try #require(json["shortfall"] as? [String: Any])
      #expect(shortfall["limit"] as? String == "stored_bits" && shortfall["allowed"] as? Int == 800)
      #expect(json["cost"] is NSNull && json["status"] as? String == "infeasible")
      let proof = try Self.check(path)
      #expect(proof.code == 0 && proof.text.contains("infeasible"), "\(proof.text)")
    }
  }

  @Test(arguments: [
    (["--widths", "1,4"], "out-of-range"), (["--widths", "4,4"], "out-of-range"), (["--widths", ""], "out-of-range"),
    (["--size-limit", "much"], "wrong-size"), (["--size-limit", "0"], "wrong-size"),
    (["--latency-limit", "0"], "out-of-range"), (["--budget", "0"], "out-of-range"),
    (["--candidates", "0"], "out-of-range"),
    (["--error", "max"], "unknown-value"),
    (["--labels", "\(digits)/test-labels.npy"], "missing-input"),
  ])
  func refusesWrongOptions(_ options: [String], _ code: String) throws {
    let result = try Tool.run(Self.study + options)
    #expect(result.code == 2 && result.errors.contains("[\(code)]"), "\(result.errors)")
  }

  @Test(arguments: [
    ("conv1", "wrong-layer-bits"), (":4", "wrong-layer-bits"), ("conv1:9", "out-of-range"), ("no:4", "unknown-node"),
  ])
  func layerBitsAreChecked(_ text: String, _ code: String) throws {
    let result = try Tool.run(["run", "digits-cnn", "--chip", "bitserial-16x16", "--layer-bits", text])
    #expect(result.code == 2 && result.errors.contains("[\(code)]"), "\(result.errors)")
  }
}
