import Foundation
import Pantile
import Testing

/// `pantile compile` and `pantile run`.
struct RunCommandTests {
  private static let digits = "Workloads/models/digits-cnn"

  @Test func reportsWhatScriptsRead() throws {
    try TemporaryFolder.with { folder in
      let result = try Tool.run([
        "run", "digits-cnn", "--chip", "systolic-16x16", "--seed", "1", "--json", "-", "--output-dir", "\(folder)/out",
      ])
      #expect(result.code == 0, "\(result.errors)")
      let report = try jsonObject(result.output)
      for key in [
        "cycles", "seconds", "energy", "stalls", "peak_scratchpad_bytes", "offchip_bytes", "layers", "plan", "outputs",
        "chip_hash", "model_hash", "version",
      ] {
        #expect(report[key] != nil, "no '\(key)'")
      }
      let plan = try #require(report["plan"] as? [String: Any])
      #expect(plan["status"] is String && plan["gaps"] is [String: Any])
      let outputs = try #require(report["outputs"] as? [[String: Any]])
      #expect(outputs.first?["file"] as? String == "out0.npy")
      #expect(try NPY.read("\(folder)/out/out0.npy").shape == [1, 10])
    }
  }

  /// A compiled file gives the run that the model gives.
  @Test(arguments: ["systolic-16x16", "bitserial-16x16", "nm-16x16"])
  func programFilesRunAlike(_ chip: String) throws {
    try TemporaryFolder.with { folder in
      let calibrate = ["--calibrate", "\(RunCommandTests.digits)/calibration.npy"]
      let compiled = try Tool.run(
        ["compile", "digits-cnn", "--chip", chip, "-o", "\(folder)/net.pantile"] + calibrate)
      #expect(compiled.code == 0, "\(compiled.errors)")
      let inputs = ["--chip", chip, "--seed", "3", "--json", "-"]
      let fromFile = try Tool.run(["run", "\(folder)/net.pantile"] + inputs)
      let fromModel = try Tool.run(["run", "digits-cnn"] + calibrate + inputs)
      #expect(fromFile.code == 0, "\(fromFile.errors)")
      #expect(fromFile.output == fromModel.output)
      let elsewhere = try Tool.run([
        "run", "\(folder)/net.pantile", "--chip", chip, "--set", "memories.dram.latency=7 cycles",
      ])
      #expect(elsewhere.code == 2 && elsewhere.errors.contains("chip-mismatch"))
    }
  }

  /// The chip's outputs are those of the integer reference.
  @Test(arguments: ["systolic-16x16", "bitserial-16x16", "nm-16x16"])
  func chipEqualsIntegerReference(_ chip: String) throws {
    try TemporaryFolder.with { folder in
      let inputs = [
        "--calibrate", "\(RunCommandTests.digits)/calibration.npy", "--input",
        "\(RunCommandTests.digits)/calibration.npy",
      ]
      let onChip = try Tool.run(
        ["run", "digits-cnn", "--chip", chip, "--output-dir", "\(folder)/chip"] + inputs)
      let reference = try Tool.run(
        ["run", "digits-cnn", "--interpret", "--integer-form", "--output-dir", "\(folder)/reference"] + inputs)
      #expect(onChip.code == 0 && reference.code == 0, "\(onChip.errors)\(reference.errors)")
      let found = try NPY.read("\(folder)/chip/out0.npy")
      #expect(found.shape == [100, 10])
      #expect(try NPY.read("\(folder)/reference/out0.npy") == found)
    }
  }

  @Test func inputsFollowTheOption() throws {
    let file = "\(RunCommandTests.digits)/calibration.npy"
    let named = try Tool.run(["run", "digits-cnn", "--interpret", "--input", "image=\(file)", "--json", "-"])
    let positional = try Tool.run(["run", "--interpret", "--json", "-", "--input", file, "digits-cnn"])
    #expect(named.code == 0 && named.output == positional.output)
  }

  @Test func settingsChangeTheChip() throws {
    func cycles(_ more: [String]) throws -> Int {
      let result = try Tool.run(["run", "resnet8", "--chip", "systolic-16x16", "--json", "-"] + more)
      #expect(result.code == 0, "\(result.errors)")
      return try #require(try jsonObject(result.output)["cycles"] as? Int)
    }
    #expect(try cycles(["--set", "memories.dram.bandwidth=1 B/cycle"]) > cycles([]))
  }
}

/// `pantile demo`.
struct DemoCommandTests {
  @Test func showsThreeChips() throws {
    try TemporaryFolder.with { folder in
      let start = ContinuousClock.now
      let result = try Tool.run(["demo", "--output-dir", "\(folder)/demo"])
      #expect(result.code == 0, "\(result.errors)")
      #if !DEBUG
        #expect(start.duration(to: .now) < .seconds(60), "the demo takes under 5 s on an idle machine")
      #endif
      for chip in ["systolic-16x16", "bitserial-16x16", "nm-16x16"] {
        #expect(result.output.contains(chip))
        for suffix in ["json", "html", "csv", "trace.json"] {
          #expect(FileManager.default.fileExists(atPath: "\(folder)/demo/\(chip).\(suffix)"))
        }
        let report = try jsonObject(try Tool.text("\(folder)/demo/\(chip).json"))
        let accuracy = try #require(report["accuracy"] as? [String: Any])
        let onChip = try #require(accuracy["top1"] as? Double)
        let float = try #require(accuracy["float_top1"] as? Double)
        #expect(accuracy["samples"] as? Int == 500)
        #expect(onChip >= float - 0.005, "\(chip): \(onChip) against \(float)")
        // The sparse array multiplies by kept weights alone.
        let actions = try #require(report["actions"] as? [String: Any])
        if chip == "nm-16x16" { #expect(actions["array.select"] as? Int ?? 0 > 0) }
      }
    }
  }
}
