import PantileSupport

/// A network as training on the device sees it: its convolutions in order, and the classifier behind them.
public struct TrainingNetwork: Hashable, Sendable {
  /// One convolution; sizes in elements, images are square.
  public struct Convolution: Hashable, Sendable {
    public var inputChannels: Int
    public var outputChannels: Int
    public var kernel: Int
    public var stride: Int
    public var groups: Int
    public var inputSize: Int
    public var outputSize: Int

    public init(
      inputChannels: Int, outputChannels: Int, kernel: Int, stride: Int, groups: Int, inputSize: Int, outputSize: Int
    ) {
      self.inputChannels = inputChannels
      self.outputChannels = outputChannels
      self.kernel = kernel
      self.stride = stride
      self.groups = groups
      self.inputSize = inputSize
      self.outputSize = outputSize
    }

    /// Whether each group has one input channel: a channel's weights are then its own.
    public var isDepthwise: Bool { groups > 1 && groups == inputChannels }
  }

  public var name: String
  public var convolutions: [Convolution]
  /// Inputs of the classifier, which is always updated.
  public var classifierInputs: Int

  public init(name: String, convolutions: [Convolution], classifierInputs: Int) {
    self.name = name
    self.convolutions = convolutions
    self.classifierInputs = classifierInputs
  }
}

/// Which parameters a training step on the device updates.
///
/// **Source** Lin et al., "On-Device Training Under 256KB Memory", NeurIPS 2022: sparse update.
public struct UpdateScheme: Hashable, Sendable {
  /// A convolution and the share of its input channels whose weights are updated, 0 ... 1.
  public struct Weights: Hashable, Sendable {
    public var convolution: Int
    public var ratio: Double

    public init(convolution: Int, ratio: Double) {
      self.convolution = convolution
      self.ratio = ratio
    }
  }

  public var name: String
  /// Convolutions whose bias is updated, counted from the end.
  public var biasesFromTheEnd: Int
  public var weights: [Weights]

  public init(name: String, biasesFromTheEnd: Int, weights: [Weights]) {
    self.name = name
    self.biasesFromTheEnd = biasesFromTheEnd
    self.weights = weights
  }

  /// Weights and biases of the last `count` convolutions.
  public static func last(_ count: Int, of network: TrainingNetwork) -> UpdateScheme {
    let all = network.convolutions.count
    return UpdateScheme(
      name: count == all ? "full" : "last \(count)", biasesFromTheEnd: count,
      weights: (all - count..<all).map { Weights(convolution: $0, ratio: 1) })
  }
}

/// What a training step keeps beyond inference, in bits.
///
/// **Source** the published rule of Tiny Training Engine, 8-bit weights and activations: the classifier's input; for a convolution whose
/// bias is updated a mask bit an output element and 32 bits a bias; for one whose weights are updated the input channels that take
/// part, and as many gradients as weights.
public struct UpdateMemory: Hashable, Sendable {
  /// One convolution's share.
  public struct Layer: Hashable, Sendable {
    public var convolution: Int
    public var maskBits = 0
    public var biasBits = 0
    public var inputBits = 0
    public var weightBits = 0

    public var total: Int { maskBits + biasBits + inputBits + weightBits }
  }

  public var classifierInputBits: Int
  /// Convolutions that are updated, in order.
  public var layers: [Layer]

  public var maskBits: Int { layers.reduce(0) { $0 + $1.maskBits } }
  public var biasBits: Int { layers.reduce(0) { $0 + $1.biasBits } }
  public var inputBits: Int { layers.reduce(0) { $0 + $1.inputBits } }
  public var weightBits: Int { layers.reduce(0) { $0 + $1.weightBits } }
  public var total: Int { classifierInputBits + maskBits + biasBits + inputBits + weightBits }

  /// - Throws: `scheme-mismatch` where the scheme names what the network has not, all at once.
  public init(_ scheme: UpdateScheme, of network: TrainingNetwork) throws(DiagnosticError) {
    let count = network.convolutions.count
    var faults: [Diagnostic] = []
    func fault(_ text: String) {
      faults.append(Diagnostic("scheme-mismatch", "scheme '\(scheme.name)' of '\(network.name)': \(text)"))
    }
    if !(0...count).contains(scheme.biasesFromTheEnd) {
      fault("biases of \(scheme.biasesFromTheEnd) convolutions are updated, the network has \(count)")
    }
    var seen: Set<Int> = []
    for item in scheme.weights {
      if !(0..<count).contains(item.convolution) {
        fault("weights of convolution \(item.convolution) are updated, the network has 0 ... \(count - 1)")
      }
      if !(item.ratio >= 0 && item.ratio <= 1) {
        fault("convolution \(item.convolution) has ratio \(item.ratio), it must be in 0 ... 1")
      }
      if !seen.insert(item.convolution).inserted { fault("convolution \(item.convolution) stands twice") }
    }
    guard faults.isEmpty else { throw DiagnosticError(faults) }
    classifierInputBits = 8 * network.classifierInputs
    layers = []
    for (index, convolution) in network.convolutions.enumerated() {
      var layer = Layer(convolution: index)
      if index >= count - scheme.biasesFromTheEnd {
        layer.maskBits = convolution.outputChannels * convolution.outputSize * convolution.outputSize
        layer.biasBits = 32 * convolution.outputChannels
      }
      if let item = scheme.weights.first(where: { $0.convolution == index }) {
        let channels = Int(item.ratio * Double(convolution.inputChannels))
        let taps = convolution.kernel * convolution.kernel
        layer.inputBits = 8 * channels * convolution.inputSize * convolution.inputSize
        let perGroup = convolution.isDepthwise ? 1 : convolution.outputChannels / convolution.groups
        layer.weightBits = 8 * channels * taps * perGroup
      }
      if layer.total > 0 { layers.append(layer) }
    }
  }
}
