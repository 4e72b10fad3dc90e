import PantileSupport

/// The tensors of one training step under an update scheme and when they live, for the memory that the order of updates costs.
///
/// Steps: each convolution forward; the head (classifier and loss); then from the last convolution down to the lowest updated one
/// its input gradient, and its weight gradient with the update. Rules:
/// - An activation (8 bits) lives from the convolution that makes it to the one that reads it. The shapes name no residual
///   connections, so there are none.
/// - Saved are what `UpdateMemory` counts: the input channels of updated weights (8 bits) and a mask bit for each output of a
///   convolution whose bias is updated, from forward to the step that reads them.
/// - A gradient of an activation lives from the step that makes it through the layer's weight gradient. Below the lowest updated
///   convolution there is none.
/// - Weight gradients live in their own step when the update follows at once, else to the end of the step, where all updates are.
/// - Weights and biases themselves are updated in place and not counted, nor is the classifier, whose outputs the shapes do not
///   state.
///
/// **Accuracy** exact for these rules; frameworks add buffers of their own, so published peaks are not met.
/// **Source** Lin et al., "On-Device Training Under 256KB Memory", NeurIPS 2022, section 3.3 (operator reordering).
public struct UpdateGraph: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    case activation, saved, gradient
    case weightGradient = "weight-gradient"
  }

  /// Where updates stand.
  public enum Order: Hashable, Sendable {
    /// Behind their gradients.
    case immediate
    /// At the end, until which gradients of weights live.
    case last
    /// At the end, until which all gradients live, those of activations too.
    case allLast
  }

  public struct Tensor: Hashable, Sendable {
    public var convolution: Int
    public var kind: Kind
    public var bits: Int
    /// The step that makes it, and the last that reads it, with immediate updates.
    public var made: Int
    public var read: Int
  }

  /// The most that lives at once.
  public struct Peak: Hashable, Sendable {
    public var bits: Int
    public var step: String
  }

  public private(set) var tensors: [Tensor] = []
  /// What each step does: `forward 3`, `head`, `input-gradient 3`, `weight-gradient 3`.
  public private(set) var steps: [String] = []
  /// Steps before this one are forward.
  public private(set) var headStep: Int

  /// - Parameter gradientBits: of each element of a gradient; biases' gradients take 32.
  /// - Throws: `scheme-mismatch` as `UpdateMemory`; `out-of-range` for other gradients than of 8, 16 or 32 bits.
  public init(
    _ scheme: UpdateScheme, of network: TrainingNetwork, gradientBits: Int = 32
  ) throws(DiagnosticError) {
    guard [8, 16, 32].contains(gradientBits) else {
      throw DiagnosticError("out-of-range", "gradients of \(gradientBits) bits are not 8, 16 or 32 bits wide")
    }
    let memory = try UpdateMemory(scheme, of: network)
    let count = network.convolutions.count
    headStep = count
    steps = (0..<count).map { "forward \($0)" } + ["head"]
    for (index, convolution) in network.convolutions.enumerated() {
      let size = convolution.inputSize * convolution.inputSize * convolution.inputChannels
      tensors.append(
        Tensor(convolution: index, kind: .activation, bits: 8 * size, made: max(0, index - 1), read: index))
    }
    if let last = network.convolutions.last {
      let size = last.outputSize * last.outputSize * last.outputChannels
      tensors.append(
        Tensor(convolution: count - 1, kind: .activation, bits: 8 * size, made: count - 1, read: count))
    }
    guard let lowest = memory.layers.map(\.convolution).min() else { return }
    // The step that makes the gradient of the layer's output.
    var source = headStep
    for index in (lowest..<count).reversed() {
      let convolution = network.convolutions[index]
      let layer = memory.layers.first { $0.convolution == index } ?? UpdateMemory.Layer(convolution: index)
      let first = steps.count
      if index > lowest { steps.append("input-gradient \(index)") }
      if layer.total > 0 { steps.append("weight-gradient \(index)") }
      let update = steps.count - 1
      let outputs = convolution.outputSize * convolution.outputSize * convolution.outputChannels
      add(index, .gradient, gradientBits * outputs, source, update)
      // The first step masks the gradient; the weight gradient reads the input, which is an activation up to its own step.
      add(index, .saved, layer.maskBits, index, first)
      add(index, .saved, layer.inputBits, index + 1, update)
      add(index, .weightGradient, layer.weightBits / 8 * gradientBits + layer.biasBits, update, update)
      source = first
    }
  }

  private mutating func add(_ convolution: Int, _ kind: Kind, _ bits: Int, _ made: Int, _ read: Int) {
    guard bits > 0 else { return }
    tensors.append(Tensor(convolution: convolution, kind: kind, bits: bits, made: made, read: read))
  }

  /// The peak over all steps, or over the head and those behind it.
  public func peak(_ order: Order, backwardOnly: Bool = false) -> Peak {
    var live = [Int](repeating: 0, count: steps.count)
    for tensor in tensors {
      let isKept: Bool
      switch order {
      case .immediate: isKept = false
      case .last: isKept = tensor.kind == .weightGradient
      case .allLast: isKept = tensor.kind == .weightGradient || tensor.kind == .gradient
      }
      let end = isKept ? steps.count - 1 : tensor.read
      for step in tensor.made...end { live[step] += tensor.bits }
    }
    let first = backwardOnly ? headStep : 0
    var best = first
    for step in first..<steps.count where live[step] > live[best] { best = step }
    return Peak(bits: live[best], step: steps[best])
  }
}
