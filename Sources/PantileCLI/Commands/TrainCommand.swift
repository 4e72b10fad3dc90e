import ArgumentParser
import Foundation
import Pantile

/// `pantile train`: epochs of a training step with the reference kernels.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a network by the step that 'grad' makes of it, and says what a step takes.",
    discussion: """
      The model is a float network of one input [batch, …] and one output of logits; the loss is softmax cross-entropy, the \
      optimiser SGD with momentum. The order of images follows from --seed; equal inputs give equal weights, bit by bit. With \
      --pattern forward and backward read masked weights (see 'pantile opt' and its pass grad), which the report sets against \
      the bound of the pattern. --format rounds the operands of contractions, sums stay float32. With --chip the step is compiled \
      and run on the simulated chip, whose array must multiply the format; the report has the cycles and the energy of a step.
      """)

  @Argument(help: "An .onnx or .mlir file, or a shipped workload.") var model: String
  @Option(help: ArgumentHelp("Images [n, …].", valueName: "x.npy")) var images: String
  @Option(help: ArgumentHelp("Their labels [n], integers.", valueName: "y.npy")) var labels: String
  @Option(help: ArgumentHelp("Images to count right answers on.", valueName: "x.npy")) var testImages: String?
  @Option(help: ArgumentHelp("Their labels.", valueName: "y.npy")) var testLabels: String?
  @Option(help: ArgumentHelp("Passes over the images.", valueName: "n")) var epochs = 1
  @Option(help: ArgumentHelp("Images of a step.", valueName: "n")) var batch = 32
  @Option(help: ArgumentHelp("lr of w - lr·v.", valueName: "lr")) var learningRate = 0.01
  @Option(help: ArgumentHelp("mu of v = mu·v + g + wd·w.", valueName: "mu")) var momentum = 0.9
  @Option(help: ArgumentHelp("wd of v = mu·v + g + wd·w.", valueName: "wd")) var weightDecay = 0.0
  @Option(help: ArgumentHelp("Of the order of images and of new weights.", valueName: "n")) var seed: UInt64 = 1
  @Flag(help: "Start from random weights of the seed instead of the model's.") var initialise = false
  @Option(help: ArgumentHelp("Mask weights by a pattern, as in 2:8.", valueName: "N:M")) var pattern: String?
  @Option(help: ArgumentHelp("Which products read masked weights.", valueName: "bdwp|forward|transposable"))
  var masks: String?
  @Option(help: ArgumentHelp("To which operands of contractions are rounded.", valueName: "f32|bf16|f16"))
  var format = "f32"
  @Option(help: ArgumentHelp("Factor of the loss's gradient, taken back before the update.", valueName: "s"))
  var lossScale = 1.0
  @Option(
    help: ArgumentHelp(
      "What is updated: a scheme of a JSON file (see train-memory), or a list of node, node:ratio, node:bias.",
      valueName: "schemes.json|list"))
  var update: String?
  @Option(help: ArgumentHelp("The scheme, when the file has several of this model.", valueName: "name"))
  var scheme: String?
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?
  @OptionGroup var chip: ChipOptions
  @OptionGroup var options: ModelOptions
  @OptionGroup var root: RootOptions

  func run() throws {
    try OutputFiles.check(json)
    guard (testImages == nil) == (testLabels == nil) else {
      throw DiagnosticError("missing-option", "--test-images and --test-labels come together")
    }
    let loaded = try options.load(model, root: root.folder)
    for warning in loaded.warnings { Terminal.writeError(warning.rendered + "\n") }
    var trainerOptions = Trainer.Options()
    trainerOptions.epochs = epochs
    trainerOptions.batch = batch
    trainerOptions.seed = seed
    trainerOptions.startsAnew = initialise
    trainerOptions.grad = try grad(of: loaded)
    guard chip.chip != nil || chip.settings.isEmpty else {
      throw DiagnosticError("option-conflict", "--set changes a chip", hint: "add --chip NAME")
    }
    let trainer = try Trainer(
      loaded.module, options: trainerOptions, chip: chip.chip == nil ? nil : try chip.load(root: root.folder))
    var test: (images: HostTensor, labels: HostTensor)?
    if let testImages, let testLabels { test = (try NPY.read(testImages), try NPY.read(testLabels)) }
    let result = try trainer.run(images: try NPY.read(images), labels: try NPY.read(labels), test: test)
    let report = TrainResult(
      model: loaded.name, seed: seed, batch: batch, grad: trainerOptions.grad, result: result)
    var files = OutputFiles()
    if let json { files.add(report.json.text, to: json) }
    if json != "-" { files.add(report.text, to: "-") }
    try files.write()
  }

  private func grad(of loaded: Model) throws(DiagnosticError) -> GradOptions {
    var grad = GradOptions()
    grad.learningRate = learningRate
    grad.momentum = momentum
    grad.weightDecay = weightDecay
    grad.lossScale = lossScale
    guard let format = GradOptions.Format(rawValue: format) else {
      throw DiagnosticError("unknown-value", "--format is '\(format)'", hint: "valid values: f32, bf16, f16")
    }
    grad.format = format
    if let pattern { grad.pattern = pattern }
    if let masks {
      guard pattern != nil else {
        throw DiagnosticError("option-conflict", "--masks says how a pattern is used", hint: "add --pattern 2:8")
      }
      guard let chosen = GradOptions.Masks(rawValue: masks) else {
        throw DiagnosticError(
          "unknown-value", "--masks is '\(masks)'", hint: "valid values: bdwp, forward, transposable")
      }
      grad.masks = chosen
    }
    guard let update else {
      if scheme != nil { throw DiagnosticError("option-conflict", "--scheme names a scheme of --update FILE") }
      return grad
    }
    guard update.hasSuffix(".json") else {
      grad.update = update.split(separator: ",").map(String.init)
      return grad
    }
    let schemes = try UpdateScheme.load(of: loaded.name, named: scheme, from: update)
    guard schemes.count == 1 else {
      throw DiagnosticError(
        "unknown-scheme", "'\(update)' has \(schemes.count) schemes of '\(loaded.name)'",
        hint: "choose with --scheme: \(schemes.map(\.scheme.name).joined(separator: ", "))")
    }
    grad.update = try schemes[0].scheme.nodes(of: GraphPipeline.cleaned(loaded.module))
    return grad
  }
}
