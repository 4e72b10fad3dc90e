import PantileTensor

extension TrainingStudy {
  /// A network as its training step sees it: matrix products in the order of the forward pass, and the vector work behind each.
  public struct Network: Hashable, Sendable {
    public var name: String
    /// Samples of one step.
    public var batch: Int
    public var layers: [Layer]

    public init(name: String, batch: Int, layers: [Layer]) {
      self.name = name
      self.batch = batch
      self.layers = layers
    }

    public struct Layer: Hashable, Sendable {
      public var name: String
      public var shape: Shape
      /// Vector work on each element of the result, by name.
      public var follows: [String]
      /// So many alike, one behind the other.
      public var count: Int
      /// Why its weights stay dense whatever the pattern; nil when they are pruned.
      public var denseReason: String?
      /// The first layer has no gradient to its input.
      public var isFirst: Bool

      public init(
        name: String, shape: Shape, follows: [String] = [], count: Int = 1, denseReason: String? = nil,
        isFirst: Bool = false
      ) {
        self.name = name
        self.shape = shape
        self.follows = follows
        self.count = count
        self.denseReason = denseReason
        self.isFirst = isFirst
      }
    }

    /// What one sample is to a layer.
    public enum Shape: Hashable, Sendable {
      /// A square filter over a square picture, padded so that the output has ceil(size/stride) rows.
      case convolution(inputs: Int, outputs: Int, kernel: Int, stride: Int, size: Int)
      /// `tokens` rows by a [inputs, outputs] matrix.
      case linear(inputs: Int, outputs: Int, tokens: Int)
      /// `heads` products [m, k]·[k, n] of two activations.
      case product(m: Int, k: Int, n: Int, heads: Int)
    }
  }
}

extension TrainingStudy.Network.Shape {
  /// Rows of the result that one sample gives.
  public var rows: Int {
    switch self {
    case .convolution(_, _, _, let stride, let size):
      let side = (size + stride - 1) / stride
      return side * side
    case .linear(_, _, let tokens): return tokens
    case .product(let m, _, _, let heads): return m * heads
    }
  }

  /// Elements of the result of one sample.
  public var outputElements: Int { rows * outputChannels }

  /// Elements that one sample brings, the second operand of a product included.
  public var inputElements: Int {
    switch self {
    case .convolution(let inputs, _, _, _, let size): return size * size * inputs
    case .linear(let inputs, _, let tokens): return tokens * inputs
    case .product(let m, let k, let n, let heads): return heads * (m * k + k * n)
    }
  }

  public var inputChannels: Int {
    switch self {
    case .convolution(let inputs, _, _, _, _): return inputs
    case .linear(let inputs, _, _): return inputs
    case .product(_, let k, _, _): return k
    }
  }

  public var outputChannels: Int {
    switch self {
    case .convolution(_, let outputs, _, _, _): return outputs
    case .linear(_, let outputs, _): return outputs
    case .product(_, _, let n, _): return n
    }
  }

  /// Places of the filter.
  public var taps: Int {
    if case .convolution(_, _, let kernel, _, _) = self { return kernel * kernel }
    return 1
  }

  /// Weights; 0 for a product of two activations.
  public var weights: Int {
    if case .product = self { return 0 }
    return taps * inputChannels * outputChannels
  }

  /// Multiply-accumulates of the forward pass of one sample, dense.
  public var forwardMACs: Int { rows * outputChannels * taps * inputChannels }
}

/// The multiply-accumulates of one training step of one sample, and how far a pattern can take it.
///
/// **Source** a step is forward (FF), gradient of the input (BP) and gradient of the weights (WU), each as large as the forward
/// pass; the first layer has no BP. N:M weights shorten FF and BP of the pruned layers to N/M and never WU, so a network's
/// step is at most 3/(1+2N/M) times as fast.
public struct TrainingMACs: Hashable, Sendable {
  public var forward = 0
  public var step = 0
  /// Of the step with the pattern, padding of channels to whole groups included.
  public var kept = 0

  /// - Parameter pattern: nil for dense weights.
  public init(_ network: TrainingStudy.Network, pattern: NMPattern?) {
    for layer in network.layers {
      let shape = layer.shape
      let dense = shape.forwardMACs * layer.count
      forward += dense
      let backward = layer.isFirst ? 0 : dense
      step += 2 * dense + backward
      kept += dense
      kept += Self.kept(dense, channels: shape.inputChannels, layer.pattern(pattern, along: shape.inputChannels))
      kept += Self.kept(backward, channels: shape.outputChannels, layer.pattern(pattern, along: shape.outputChannels))
    }
  }

  /// The MACs that a reduction over `channels` keeps.
  private static func kept(_ dense: Int, channels: Int, _ pattern: NMPattern?) -> Int {
    guard let pattern else { return dense }
    let groups = (channels + pattern.group - 1) / pattern.group
    return dense / channels * groups * pattern.kept
  }

  /// The share of the step's MACs that falls away.
  public var cut: Double { 1 - Double(kept) / Double(step) }
  /// No machine whose time is MACs is faster than this against dense.
  public var bound: Double { Double(step) / Double(kept) }

  /// The limit of every network for a pattern: 3/(1+2N/M).
  public static func limit(_ pattern: NMPattern) -> Double {
    3 / (1 + 2 * Double(pattern.kept) / Double(pattern.group))
  }
}

extension TrainingStudy.Network.Layer {
  /// The pattern of its weights when the reduction runs along so many channels; nil when they stay dense.
  func pattern(_ pattern: NMPattern?, along channels: Int) -> NMPattern? {
    guard let pattern, pattern.kept < pattern.group, dense(pattern, along: channels) == nil else { return nil }
    return pattern
  }

  /// Why its weights stay dense in a reduction along so many channels; nil when they are pruned.
  func dense(_ pattern: NMPattern, along channels: Int) -> String? {
    if let denseReason { return denseReason }
    if case .product = shape { return "both operands are activations" }
    return channels < pattern.group ? "\(channels) channels are fewer than a group of \(pattern.group)" : nil
  }
}
