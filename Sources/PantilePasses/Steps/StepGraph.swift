import PantileProgram
import PantileSupport

/// A network as engines see it: steps in execution order over stored tensors. No dnn op is left, nothing is tiled yet.
public struct StepGraph: Sendable {
  /// Bytes that live somewhere: off chip, or kept in the scratchpad between steps.
  public struct Storage: Sendable, Hashable {
    public enum Kind: Hashable, Sendable { case input, output, intermediate }

    public var name: String
    public var bytes: Int
    public var kind: Kind

    public init(name: String, bytes: Int, kind: Kind) {
      self.name = name
      self.bytes = bytes
      self.kind = kind
    }
  }

  /// A tensor over a storage: logical shape and the order of its dims in memory. Views share a storage.
  public struct Tensor: Sendable, Hashable {
    public var name: String
    public var storage: Int
    /// Logical shape, NCHW for images.
    public var shape: [Int]
    /// Dims from outermost to innermost in memory: [0, 2, 3, 1] is NHWC.
    public var order: [Int]
    public var format: Kernel.Format

    public init(name: String, storage: Int, shape: [Int], order: [Int], format: Kernel.Format) {
      self.name = name
      self.storage = storage
      self.shape = shape
      self.order = order
      self.format = format
    }

    public var elementCount: Int { shape.reduce(1, *) }
    public var byteCount: Int { elementCount * format.bits / 8 }

    /// Elements between neighbours along each logical dim.
    public var strides: [Int] {
      var strides = [Int](repeating: 1, count: shape.count)
      var step = 1
      for dim in order.reversed() {
        strides[dim] = step
        step *= shape[dim]
      }
      return strides
    }
  }

  /// Bytes known at compile time that a step reads from DRAM in blocks; nil bytes when the model has no weights.
  public struct Constant: Sendable {
    public var name: String
    public var tensor: Tensor
    public var bytes: [UInt8]?

    public init(name: String, tensor: Tensor, bytes: [UInt8]?) {
      self.name = name
      self.tensor = tensor
      self.bytes = bytes
    }
  }

  public var name: String
  public var storages: [Storage] = []
  public var tensors: [Tensor] = []
  public var steps: [Step] = []
  /// Graph inputs and outputs in order: tensor numbers.
  public var inputs: [Int] = []
  public var outputs: [Int] = []

  public init(name: String) { self.name = name }

  /// A tensor with a storage of its own.
  public mutating func addTensor(
    _ name: String, shape: [Int], order: [Int], format: Kernel.Format, kind: Storage.Kind = .intermediate
  ) -> Int {
    var tensor = Tensor(name: name, storage: storages.count, shape: shape, order: order, format: format)
    tensor.storage = storages.count
    storages.append(Storage(name: name, bytes: tensor.byteCount, kind: kind))
    tensors.append(tensor)
    return tensors.count - 1
  }

  /// Another shape over the same bytes.
  public mutating func addView(of tensor: Int, name: String, shape: [Int], order: [Int]) -> Int {
    tensors.append(
      Tensor(name: name, storage: tensors[tensor].storage, shape: shape, order: order, format: tensors[tensor].format))
    return tensors.count - 1
  }
}

/// How a point of a step's nest addresses a tensor: one affine coordinate per logical dim of the tensor.
public struct OperandMap: Hashable, Sendable {
  public struct Axis: Hashable, Sendable {
    public struct Term: Hashable, Sendable {
      public var dim: Int
      public var scale: Int

      public init(_ dim: Int, _ scale: Int = 1) {
        self.dim = dim
        self.scale = scale
      }
    }

    public var terms: [Term]
    public var offset: Int

    public init(_ terms: [Term], offset: Int = 0) {
      self.terms = terms
      self.offset = offset
    }

    /// The nest dim itself.
    public static func along(_ dim: Int) -> Axis { Axis([Term(dim)]) }
    /// Always the element at `offset`.
    public static func fixed(_ offset: Int = 0) -> Axis { Axis([], offset: offset) }
  }

  public var axes: [Axis]

  public init(_ axes: [Axis]) { self.axes = axes }
}

/// One unit of work that is mapped, tiled and emitted as a whole.
public struct Step: Sendable {
  public enum Body: Sendable {
    case contract(ContractStep)
    case map(MapStep)
  }

  public var name: String
  /// The model's nodes that it stands for, in order.
  public var nodes: [String]
  /// What reports call it: `conv2d`, `add`, ….
  public var kind: String
  public var location: SourceLocation
  public var body: Body
  /// Multiply-accumulates of the network.
  public var macs: Int

  public init(
    name: String, nodes: [String], kind: String, location: SourceLocation, body: Body, macs: Int
  ) {
    self.name = name
    self.nodes = nodes
    self.kind = kind
    self.location = location
    self.body = body
    self.macs = macs
  }

  /// Tensors that it reads, without repeats, in operand order.
  public var reads: [Int] {
    var result: [Int] = []
    let all: [Int] =
      switch body {
      case .contract(let step):
        [step.x] + (step.weightTensor.map { [$0.tensor] } ?? []) + (step.biasTensor.map { [$0.tensor] } ?? [])
          + (step.residual.map { [$0.tensor] } ?? [])
      case .map(let step): step.inputs.compactMap { if case .tensor(let id) = $0.source { id } else { nil } }
      }
    for tensor in all where !result.contains(tensor) { result.append(tensor) }
    return result
  }

  /// The tensor that it writes.
  public var write: Int {
    switch body {
    case .contract(let step): return step.output
    case .map(let step): return step.output
    }
  }
}

/// A contraction on an array with its epilogue in the drain: convolution, grouped or not, or a matrix product.
///
/// The nest has the dims of `Dim`; operand maps speak of them.
public struct ContractStep: Sendable {
  /// Dims of the nest: groups, batch, output rows and columns, output channels of a group; reduced: input channels of a
  /// group, filter rows and columns.
  public enum Dim {
    public static let g = 0
    public static let b = 1
    public static let p = 2
    public static let q = 3
    public static let n = 4
    public static let c = 5
    public static let r = 6
    public static let s = 7
    public static let count = 8
  }

  /// Extents by `Dim`; c counts padded channels when weights are N:M sparse.
  public var extents: [Int]
  public var x: Int
  public var xMap: OperandMap
  /// What padding holds: the zero point of x.
  public var padValue: Int
  public var output: Int
  public var outputMap: OperandMap
  public var weightBits: Int
  /// Floats have computed weights, no parameters of a requantisation, and a result of Float or rounded to its tensor's format.
  public var numbers = Contract.Numbers.integer
  public var sparsity: Contract.Sparsity?
  /// Weights that the network computes, as in attention; then there is no pattern, and `weights` is nil.
  public var weightTensor: WeightTensor?
  /// What the drain adds to sums of floats.
  public var biasTensor: WeightTensor?
  /// [g][n][c][r][s] as Int8 with c the padded channels, dense (pruned weights are zero); nil when the model has no weights.
  public var weights: [Int8]?
  /// Per output channel (g·n); nil when unknown.
  public var bias: [Int32]?
  public var multiplier: [Int32]
  public var shift: [Int32]
  public var zeroPoint: Int
  public var minimum: Int
  public var maximum: Int
  public var residual: Residual?
  /// Drain `accumulator + bias` as 32-bit integers, without requantisation.
  public var isRaw = false

  /// A tensor in the place of a constant.
  public struct WeightTensor: Sendable {
    public var tensor: Int
    public var map: OperandMap

    public init(tensor: Int, map: OperandMap) {
      self.tensor = tensor
      self.map = map
    }
  }

  /// A quantised addition fused behind the requantisation.
  public struct Residual: Sendable {
    public var tensor: Int
    /// Multiplies the step's own value (first) and the other tensor's.
    public var ownMultiplier: Int
    public var otherMultiplier: Int
    public var ownZeroPoint: Int
    public var otherZeroPoint: Int
    public var shift: Int
    public var zeroPoint: Int
    public var minimum: Int
    public var maximum: Int

    public init(
      tensor: Int, ownMultiplier: Int, otherMultiplier: Int, ownZeroPoint: Int, otherZeroPoint: Int, shift: Int,
      zeroPoint: Int, minimum: Int, maximum: Int
    ) {
      self.tensor = tensor
      self.ownMultiplier = ownMultiplier
      self.otherMultiplier = otherMultiplier
      self.ownZeroPoint = ownZeroPoint
      self.otherZeroPoint = otherZeroPoint
      self.shift = shift
      self.zeroPoint = zeroPoint
      self.minimum = minimum
      self.maximum = maximum
    }
  }

  public init(
    extents: [Int], x: Int, xMap: OperandMap, padValue: Int, output: Int, outputMap: OperandMap, weightBits: Int = 8,
    sparsity: Contract.Sparsity? = nil, weights: [Int8]?, bias: [Int32]?, multiplier: [Int32], shift: [Int32],
    zeroPoint: Int, minimum: Int, maximum: Int, residual: Residual? = nil
  ) {
    self.extents = extents
    self.x = x
    self.xMap = xMap
    self.padValue = padValue
    self.output = output
    self.outputMap = outputMap
    self.weightBits = weightBits
    self.sparsity = sparsity
    self.weights = weights
    self.bias = bias
    self.multiplier = multiplier
    self.shift = shift
    self.zeroPoint = zeroPoint
    self.minimum = minimum
    self.maximum = maximum
    self.residual = residual
  }

  /// A contraction of 16-bit floats, both sides computed; its result is what its tensor holds.
  public init(
    of numbers: Contract.Numbers, extents: [Int], x: Int, xMap: OperandMap, weights: WeightTensor, output: Int,
    outputMap: OperandMap
  ) {
    self.init(
      extents: extents, x: x, xMap: xMap, padValue: 0, output: output, outputMap: outputMap,
      weightBits: numbers.element?.bits ?? 8, weights: nil, bias: nil, multiplier: [], shift: [], zeroPoint: 0,
      minimum: 0, maximum: 0)
    self.numbers = numbers
    weightTensor = weights
  }
}

/// Work of the vector engine: one or more kernels over a nest, from tensors and constants to one tensor.
public struct MapStep: Sendable {
  public struct Dim: Sendable, Hashable {
    public var name: String
    public var extent: Int
    public var mayTile: Bool

    public init(_ name: String, _ extent: Int, mayTile: Bool = true) {
      self.name = name
      self.extent = extent
      self.mayTile = mayTile
    }
  }

  public enum Source: Sendable, Hashable {
    case tensor(Int)
    /// An entry of `constants`.
    case constant(Int)
  }

  public struct Input: Sendable {
    public var source: Source
    public var map: OperandMap
    public var padValue: Int

    public init(_ source: Source, _ map: OperandMap, padValue: Int = 0) {
      self.source = source
      self.map = map
      self.padValue = padValue
    }
  }

  /// A value between stages, over some dims of the nest.
  public struct Temporary: Sendable {
    public var dims: [Int]
    public var format: Kernel.Format

    public init(dims: [Int], format: Kernel.Format) {
      self.dims = dims
      self.format = format
    }
  }

  public enum Operand: Sendable, Hashable {
    case input(Int)
    case temporary(Int)
  }

  /// One kernel of the step. Its points are all dims but `reduced` and `absent`; kernel inputs are `operands` in order.
  public struct Stage: Sendable {
    public var kernel: Kernel
    public var operands: [Operand]
    /// Dims folded by the kernel's reduction.
    public var reduced: [Int]
    /// Dims that this stage does not run over.
    public var absent: [Int]
    /// nil writes the step's output.
    public var target: Int?

    public init(_ kernel: Kernel, _ operands: [Operand], reduced: [Int] = [], absent: [Int] = [], target: Int? = nil) {
      self.kernel = kernel
      self.operands = operands
      self.reduced = reduced
      self.absent = absent
      self.target = target
    }
  }

  public var dims: [Dim]
  public var inputs: [Input]
  public var constants: [StepGraph.Constant]
  public var temporaries: [Temporary]
  public var stages: [Stage]
  public var output: Int
  public var outputMap: OperandMap

  public init(
    dims: [Dim], inputs: [Input], constants: [StepGraph.Constant] = [], temporaries: [Temporary] = [],
    stages: [Stage], output: Int, outputMap: OperandMap
  ) {
    self.dims = dims
    self.inputs = inputs
    self.constants = constants
    self.temporaries = temporaries
    self.stages = stages
    self.output = output
    self.outputMap = outputMap
  }
}
