import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTarget
import PantileTensor

/// Trains a network on labelled images by the step that `grad` makes: with the reference kernels, or on a simulated chip.
///
/// The same inputs and options give the same weights, bit by bit: the order of images follows from the seed, sums run in index
/// order. A last batch with fewer images is a step of its own size.
///
/// **Example**
/// ```swift
/// let trainer = try Trainer(model.module, options: options)
/// let result = try trainer.run(images: images, labels: labels)
/// print(result.epochs.map(\.loss))
/// ```
public struct Trainer: Sendable {
  public struct Options: Sendable {
    public var epochs = 1
    /// Images of a step.
    public var batch = 32
    /// Of the order of images, and of the first weights.
    public var seed: UInt64 = 1
    /// Start from random weights of the seed instead of the model's own: uniform within ±sqrt(6 / inputs of an output), after He
    /// et al., "Delving deep into rectifiers", ICCV 2015; vectors start at 0, scales of normalisations keep their values.
    public var startsAnew = false
    /// What a step does.
    public var grad = GradOptions()

    public init() {}
  }

  /// Right answers on images.
  public struct Score: Hashable, Sendable {
    public var correct: Int
    public var count: Int
    /// From 0 to 1.
    public var accuracy: Double { Double(correct) / Double(max(1, count)) }
  }

  /// One pass over the images.
  public struct Epoch: Sendable {
    /// Mean over the images, each at the weights of its step.
    public var loss: Double
    /// Largest over the steps.
    public var largestLoss: Double
    /// Nil without test images.
    public var test: Score?
  }

  public struct Result: Sendable {
    /// Of a step of a whole batch.
    public var report: TrainingReport
    /// Before the first step; nil without test images.
    public var start: Score?
    public var epochs: [Epoch]
    public var steps: Int
    /// In the order of the report's parameters.
    public var parameters: [HostTensor]
    /// A step of a whole batch on the chip; nil for the reference kernels.
    public var chip: ChipStep?
  }

  private let module: Module
  private let options: Options
  private let chip: Chip?
  /// Shape of one image.
  private let imageShape: [Int]

  /// - Parameters:
  ///   - module: a float function of one input whose outermost dimension is the batch, and one output of logits.
  ///   - chip: compiles steps and right answers for this chip and runs their values there; nil takes the reference kernels.
  /// - Throws: `attribute-range`, `input-count`, `option-conflict` for a chip without a narrow format; what the passes throw.
  public init(_ module: Module, options: Options, chip: Chip? = nil) throws(DiagnosticError) {
    if let chip, options.grad.format == .f32 {
      throw DiagnosticError(
        "option-conflict", "operands of contractions stay f32, which no array of '\(chip.name)' multiplies",
        hint: "round them: --format bf16 or f16")
    }
    var options = options
    if chip != nil { options.grad.labels = .i32 }
    self.chip = chip
    guard options.epochs >= 0, options.batch >= 1 else {
      throw DiagnosticError(
        "attribute-range", "\(options.epochs) epochs of batches of \(options.batch) images cannot be run",
        hint: "epochs from 0, images from 1")
    }
    self.options = options
    self.module = try GraphPipeline.cleaned(module)
    let main = try self.module.mainFunction()
    let inputs = self.module.inputs(of: main)
    guard inputs.count == 1 else {
      throw DiagnosticError(
        "input-count", "the model has \(inputs.count) inputs, training feeds one", at: self.module.location(of: main))
    }
    imageShape = Array(try self.module.tensor(of: inputs[0]).shape.dropFirst())
  }

  /// Trains.
  ///
  /// **Shape** `images: [count, …]` of the model's image; `labels: [count]`, integers.
  /// - Parameter test: images and labels that are not trained on.
  /// - Throws: `input-shape`, `label-range`, `missing-weights`, `diverged`; what the passes and the interpreter throw.
  public func run(
    images: HostTensor, labels: HostTensor, test: (images: HostTensor, labels: HostTensor)? = nil
  ) throws(DiagnosticError) -> Result {
    let count = try check(images, labels, "training")
    let testCount = try test.map { test throws(DiagnosticError) in try check(test.images, test.labels, "test") }
    let batch = min(options.batch, max(1, count))
    let whole = try StepRunner(module, options.grad, batch: batch, chip: chip)
    let rest = count % batch == 0 ? nil : try StepRunner(module, options.grad, batch: count % batch, chip: chip)
    var state = try firstState(whole.report)
    var scorer: Scorer?
    if let test, let testCount {
      scorer = try Scorer(
        module, options.grad, batch: options.batch, chip: chip, images: test.images.converted(to: .f32),
        labels: test.labels,
        count: testCount)
    }
    let data = images.converted(to: .f32)
    let numbers = labels.converted(to: whole.labelType)
    var result = Result(
      report: whole.report, start: try scorer?.score(weights(state, whole.report)), epochs: [], steps: 0,
      parameters: [], chip: whole.chip)
    for epoch in 0..<options.epochs {
      let order = Self.order(count, seed: options.seed, epoch: epoch)
      var total = 0.0
      var largest = -Double.infinity
      for first in stride(from: 0, to: count, by: batch) {
        let chosen = Array(order[first..<min(first + batch, count)])
        let step = chosen.count == batch ? whole : rest ?? whole
        let outputs = try step.run([rows(data, chosen), rows(numbers, chosen)] + state)
        let loss = outputs[0].double(at: 0)
        guard loss.isFinite else {
          throw DiagnosticError(
            "diverged",
            "the loss is \(loss.isNaN ? "not a number" : "\(loss)") in step \(first / batch) of epoch \(epoch)",
            hint: options.grad.format == .f16
              ? "take a smaller --learning-rate or another --loss-scale" : "take a smaller --learning-rate")
        }
        state = Array(outputs.dropFirst())
        total += loss * Double(chosen.count)
        largest = max(largest, loss)
        result.steps += 1
      }
      result.epochs.append(
        Epoch(
          loss: total / Double(count), largestLoss: largest, test: try scorer?.score(weights(state, whole.report))))
    }
    result.parameters = weights(state, whole.report)
    return result
  }

  /// The images of an epoch in their order: Fisher and Yates from the seed and the epoch.
  public static func order(_ count: Int, seed: UInt64, epoch: Int) -> [Int] {
    var random = SplitMix64(seed: StableHash.fnv1a("order \(seed) \(epoch)"))
    var order = Array(0..<count)
    for index in stride(from: count - 1, to: 0, by: -1) { order.swapAt(index, random.next(below: index + 1)) }
    return order
  }

  private func check(_ images: HostTensor, _ labels: HostTensor, _ what: String) throws(DiagnosticError) -> Int {
    guard Array(images.shape.dropFirst()) == imageShape, !images.shape.isEmpty, images.shape[0] > 0 else {
      throw DiagnosticError(
        "input-shape",
        "\(what) images have shape \(images.shape) but the model takes [n, "
          + imageShape.map(String.init).joined(separator: ", ") + "]")
    }
    guard labels.shape == [images.shape[0]], labels.elementType.isInteger else {
      throw DiagnosticError(
        "input-shape",
        "\(what) labels are \(labels.elementType) of shape \(labels.shape), \(images.shape[0]) images need as many integers"
      )
    }
    let main = try module.mainFunction()
    var classes = 0
    if let output = module.outputs(of: main).first { classes = try module.tensor(of: output).shape.last ?? 0 }
    if let wrong = labels.integers.first(where: { !(0..<classes).contains($0) }) {
      throw DiagnosticError("label-range", "\(what) label \(wrong) is outside of the model's \(classes) classes")
    }
    return images.shape[0]
  }

  /// Weights, each with its velocity when there are velocities.
  private func firstState(_ report: TrainingReport) throws(DiagnosticError) -> [HostTensor] {
    var state: [HostTensor] = []
    for parameter in report.parameters {
      if options.startsAnew {
        state.append(startingValue(parameter))
      } else if let initial = parameter.initial {
        state.append(initial)
      } else {
        throw DiagnosticError(
          "missing-weights", "the weights '\(parameter.name)' are absent",
          hint: "give the file that holds them, or start anew with --initialise")
      }
      if report.hasVelocity { state.append(HostTensor(shape: parameter.updatedShape, elementType: .f32)) }
    }
    return state
  }

  private func startingValue(_ parameter: TrainingReport.Parameter) -> HostTensor {
    guard parameter.shape.count > 1 else {
      let isScale = parameter.initial.map { tensor in (0..<tensor.count).allSatisfy { tensor.double(at: $0) > 0 } }
      if isScale == true, let initial = parameter.initial { return initial }
      return HostTensor(shape: parameter.shape, elementType: .f32)
    }
    let limit = (6 / Double(parameter.shape.dropFirst().reduce(1, *))).squareRoot()
    return SeededValues.tensor(
      name: "\(options.seed) \(parameter.name)", shape: parameter.shape, elementType: .f32, low: -limit, high: limit)
  }

  private func weights(_ state: [HostTensor], _ report: TrainingReport) -> [HostTensor] {
    report.hasVelocity ? stride(from: 0, to: state.count, by: 2).map { state[$0] } : state
  }
}

/// Chosen rows of the outermost dimension.
private func rows(_ tensor: HostTensor, _ chosen: [Int]) -> HostTensor {
  let size = tensor.byteCount / max(1, tensor.shape[0])
  var result = HostTensor(shape: [chosen.count] + tensor.shape.dropFirst(), elementType: tensor.elementType)
  tensor.withUnsafeBytes { source in
    result.withUnsafeMutableBytes { target in
      for (place, row) in chosen.enumerated() {
        target[(place * size)..<((place + 1) * size)].copyBytes(from: source[(row * size)..<((row + 1) * size)])
      }
    }
  }
  return result
}

/// Counts right answers, batch by batch.
private struct Scorer: Sendable {
  let whole: StepRunner
  let rest: StepRunner?
  let batch: Int
  let images: HostTensor
  let labels: HostTensor
  let count: Int

  init(
    _ module: Module, _ options: GradOptions, batch: Int, chip: Chip?, images: HostTensor, labels: HostTensor,
    count: Int
  ) throws(DiagnosticError) {
    var options = options
    options.optimizer = .forward
    self.batch = min(batch, count)
    whole = try StepRunner(module, options, batch: self.batch, chip: chip)
    rest = count % self.batch == 0 ? nil : try StepRunner(module, options, batch: count % self.batch, chip: chip)
    self.images = images
    self.labels = labels.converted(to: whole.labelType)
    self.count = count
  }

  func score(_ weights: [HostTensor]) throws(DiagnosticError) -> Trainer.Score {
    var correct = 0
    for first in stride(from: 0, to: count, by: batch) {
      let chosen = Array(first..<min(first + batch, count))
      let step = chosen.count == batch ? whole : rest ?? whole
      let own = rows(labels, chosen)
      let outputs = try step.run([rows(images, chosen), own] + weights)
      let output = outputs[1]
      let answers = Reference.argument(
        output, axis: output.shape.count - 1, isMaximum: true, keepsDimensions: false, selectsLast: false)
      correct += zip(answers.integers, own.integers).count { $0 == $1 }
    }
    return Trainer.Score(correct: correct, count: count)
  }
}
