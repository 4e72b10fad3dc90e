import Pantile

/// The shipped digits network with its images: what `demo` runs.
struct DigitsNetwork {
  private let folder: String
  private let root: String
  private let images: Inputs
  let labels: HostTensor

  /// - Throws: `no-root`, and what reading the files throws.
  init(root: String?) throws(DiagnosticError) {
    guard let root else {
      throw DiagnosticError(
        "no-root", "the shipped network is not found", hint: "run in the repository, or say --root FOLDER")
    }
    self.root = root
    folder = (root == "." ? "" : root + "/") + "Workloads/models/digits-cnn"
    images = try Inputs.files(["\(folder)/test-images.npy"])
    labels = try NPY.read("\(folder)/test-labels.npy")
  }

  /// One compilation and its run on all test images.
  struct Run {
    var report: RunReport
    var timing: TimingResult
    var program: Program
    var title: String
  }

  /// - Parameters:
  ///   - model: `digits-cnn` or its pruned twin.
  ///   - settings: changes of the chip.
  func run(
    _ model: String, on chip: String, settings: [String] = [], pipeline: GraphPipeline.Options = .init()
  ) throws(DiagnosticError) -> Run {
    let chip = try Chip.load(chip, overrides: settings, schemas: Machine.schemas(), root: root)
    let loaded = try Model(contentsOf: "\(folder)/\(model).onnx")
    let calibration = try Inputs.files(["\(folder)/calibration.npy"]).runs(for: loaded.inputs)
    var options = Compiler.Options()
    options.graph = pipeline
    let compilation = try Compiler(chip: chip, options: options).compile(loaded, calibration: calibration)
    let compiled = CompiledModel(compilation, model: loaded.name)
    let session = try Session(chip: chip)
    let runs = try images.runs(for: compiled.inputs)
    let outputs = try session.outputs(of: compiled, runs: runs)
    let float = try Session.interpret(loaded.module, runs: runs)
    let accuracy = RunReport.Accuracy(
      samples: labels.count, correct: try outputs[0].correct(labels),
      floatTop1: Double(try float[0].correct(labels)) / Double(labels.count))
    let timing = try session.simulator.time(compiled.program, trace: true)
    return Run(
      report: try session.report(of: compiled, timing: timing, outputs: outputs, accuracy: accuracy), timing: timing,
      program: compiled.program, title: "\(loaded.name) on \(chip.name)")
  }
}
