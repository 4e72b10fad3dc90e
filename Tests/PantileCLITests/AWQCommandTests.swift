import Foundation
import Pantile
import Testing

/// `pantile awq`, and `--awq` of the commands that compile.
struct AWQCommandTests {
  private static let folder = "Workloads/models/digits-cnn"

  @Test func writesTheScaledNetwork() throws {
    try TemporaryFolder.with { folder in
      let result = try Tool.run([
        "awq", "digits-cnn", "--calibrate", "\(Self.folder)/calibration.npy", "--weight-bits", "3", "--grid", "4",
        "--out", "\(folder)/scaled.mlir", "--json", "\(folder)/awq.json",
      ])
      #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
      let object = try jsonObject(AtomicFile.readText("\(folder)/awq.json"))
      #expect(object["schema"] as? String == "pantile.awq/1" && object["grid"] as? Int == 4)
      let layers = try #require(object["layers"] as? [[String: Any]])
      #expect(layers.count == 5 && layers[0]["reason"] as? String == "it reads the network's input")
      #expect(layers[1]["divided"] as? String == "conv1")
      // What was written is the float network still: it runs, and gets the same images right.
      let images = try Inputs.files(["\(Tool.root)/\(Self.folder)/test-images.npy"])
      let labels = try NPY.read("\(Tool.root)/\(Self.folder)/test-labels.npy")
      let scaled = try Model(contentsOf: "\(folder)/scaled.mlir")
      let outputs = try Session.interpret(scaled.module, runs: images.runs(for: scaled.inputs))
      #expect(try outputs[0].correct(labels) == 495)
    }
  }

  /// The pass by name does what the command does.
  @Test func optRunsThePassOnGivenInputs() throws {
    try TemporaryFolder.with { folder in
      let calibrate = ["--calibrate", "\(Self.folder)/calibration.npy"]
      let command = try Tool.run(
        ["awq", "digits-cnn", "--weight-bits", "4", "--grid", "4", "--out", "\(folder)/a.mlir"] + calibrate)
      #expect(command.code == 0, "\(command.errors)")
      let passes =
        "fold-constants{dequantize},canonicalize,fold-batch-norm,canonicalize,fold-constants,cse,dce,awq{grid=4 weight-bits=4}"
      let opt = try Tool.run(
        ["opt", "digits-cnn", "--pass-pipeline", passes, "-o", "\(folder)/b.mlir"] + calibrate)
      #expect(opt.code == 0, "\(opt.errors)")
      #expect(opt.errors.contains("keeps-scales") && !opt.errors.contains("synthetic-calibration"))
      #expect(try AtomicFile.readText("\(folder)/a.mlir") == AtomicFile.readText("\(folder)/b.mlir"))
    }
  }

  @Test func runTakesScales() throws {
    let arguments = [
      "run", "digits-cnn", "--chip", "bitserial-16x16", "--weight-bits", "3", "--calibrate",
      "\(Self.folder)/calibration.npy", "--input", "\(Self.folder)/test-images.npy", "--labels",
      "\(Self.folder)/test-labels.npy",
    ]
    let (plain, scaled) = (try Tool.run(arguments), try Tool.run(arguments + ["--awq"]))
    #expect(plain.code == 0 && scaled.code == 0, "\(scaled.errors)")
    #expect(plain.output != scaled.output)
  }

  @Test(arguments: [
    (["--grid", "0"], "out-of-range"), (["--error", "l1"], "unknown-value"), (["--labels", "x.npy"], "cannot-read"),
    (["--scale-search", "0.5:1:10"], "option-conflict"),
    (["--weight-format", "int4", "--scale-search", "1:0:4"], "wrong-grid"),
    (["--weight-format", "mxfp4"], "option-value"), (["memories.spad.size=1"], "option-conflict"),
    (["--weight-format", "int4", "--weight-bits", "4"], "option-conflict"), (["--out", "/no/x.mlir"], "cannot-write"),
    (["--weight-format", "bitmod-fp4", "--scale-search", "0.5:1:4"], "no-scale-search"),
  ])
  func wrongUseIsRefused(_ arguments: [String], _ code: String) throws {
    let result = try Tool.run(["awq", "digits-cnn"] + arguments)
    #expect(result.code == 2 && result.output.isEmpty && result.errors.contains(code), "\(result.errors)")
  }
}
