/// One entry of a queue: an operation with its dependencies, executed at every trip of the loops around it where its
/// guards hold.
public struct Command: Hashable, Sendable {
  public var operation: Operation
  public var guards: [Guard]
  public var waits: [Wait]
  public var signals: [Signal]
  /// The layer that the command is accounted to.
  public var layer: LayerID

  public init(
    _ operation: Operation, layer: LayerID, when guards: [Guard] = [], waits: [Wait] = [], signals: [Signal] = []
  ) {
    self.operation = operation
    self.guards = guards
    self.waits = waits
    self.signals = signals
    self.layer = layer
  }

  public enum Operation: Hashable, Sendable {
    /// Copies elements in order from the source to the destination; operand 0 is the source.
    case copy(Copy)
    /// One macro tile of a contraction on an array; operands 0 = a, 1 = b, 2 = indices.
    case contract(Contract)
    /// Reads accumulators through a kernel; operand 0 = accumulators, then the kernel's other inputs in order.
    case drain(Map)
    /// Runs a kernel on the vector engine; operands = the kernel's inputs in order.
    case vector(Map)
    /// Takes and gives tokens, no work.
    case sync
  }
}

/// `dma.copy`: both sides list the same number of elements of the same width.
public struct Copy: Hashable, Sendable {
  public var source: AddressGenerator
  public var destination: AddressGenerator

  public init(from source: AddressGenerator, to destination: AddressGenerator) {
    self.source = source
    self.destination = destination
  }
}

/// `array.tile`: acc[m][n] (+)= Σ_k a[m][k] · b[k][n].
///
/// **Shape** a lists m·k elements, b and indices list compressedK·n, accumulators m·n of 32 bits with unit stride along n.
public struct Contract: Hashable, Sendable {
  /// How the accumulators start.
  public enum Initial: Hashable, Sendable {
    case zero
    case accumulate
    /// Zero in the first trip of the loop, accumulate in the others.
    case zeroInFirst(depth: Int)
  }

  /// N:M weight sparsity along k: `kept` of every `group` consecutive k.
  public struct Sparsity: Hashable, Sendable, BitwiseCopyable {
    public var kept: Int
    public var group: Int

    public init(kept: Int, group: Int) {
      self.kept = kept
      self.group = group
    }
  }

  /// What operands are, and with them the sums.
  public enum Numbers: String, Hashable, Sendable, CaseIterable {
    /// Two's complement operands, 32-bit sums that wrap.
    case integer
    /// Operands of 16 bits; products and sums are Float, in an order that the array's geometry gives.
    case bf16, f16

    /// How an element of a float operand is stored; nil for integers, which have any width.
    public var element: Kernel.Format? {
      switch self {
      case .integer: return nil
      case .bf16: return .bf16
      case .f16: return .f16
      }
    }
  }

  public var a: AddressGenerator
  public var b: AddressGenerator
  public var indices: AddressGenerator?
  public var accumulators: AddressGenerator
  public var m: Extent
  public var n: Extent
  /// Uncompressed length, a multiple of `sparsity.group` when sparse.
  public var k: Extent
  public var activationBits: Int
  public var weightBits: Int
  public var numbers: Numbers
  public var sparsity: Sparsity?
  public var initial: Initial

  public init(
    a: AddressGenerator, b: AddressGenerator, indices: AddressGenerator? = nil, accumulators: AddressGenerator,
    m: Extent, n: Extent, k: Extent, activationBits: Int = 8, weightBits: Int = 8, numbers: Numbers = .integer,
    sparsity: Sparsity? = nil, initial: Initial = .zero
  ) {
    self.a = a
    self.b = b
    self.indices = indices
    self.accumulators = accumulators
    self.m = m
    self.n = n
    self.k = k
    self.activationBits = activationBits
    self.weightBits = weightBits
    self.numbers = numbers
    self.sparsity = sparsity
    self.initial = initial
  }
}

/// `array.drain` and `vector.run`: a kernel over a result domain and a reduced domain.
///
/// **Shape** every `.point` input lists result · reduced elements, result-major; every `.result` input and the output
/// list one element per result point. For a drain the reduced domain is one point.
public struct Map: Hashable, Sendable {
  public var kernel: KernelID
  public var inputs: [AddressGenerator]
  public var output: AddressGenerator
  /// Dims at the end of the `.point` inputs that are reduced, as a count of points.
  public var reduced: Int

  public init(kernel: KernelID, inputs: [AddressGenerator], output: AddressGenerator, reduced: Int = 1) {
    self.kernel = kernel
    self.inputs = inputs
    self.output = output
    self.reduced = reduced
  }
}

extension Command.Operation {
  /// The generators that are read, in operand order.
  public var reads: [AddressGenerator] {
    switch self {
    case .copy(let copy): return [copy.source]
    case .contract(let tile): return [tile.a, tile.b] + (tile.indices.map { [$0] } ?? [])
    case .drain(let map), .vector(let map): return map.inputs
    case .sync: return []
    }
  }

  /// The generator that is written (and, for accumulating contractions, read).
  public var write: AddressGenerator? {
    switch self {
    case .copy(let copy): return copy.destination
    case .contract(let tile): return tile.accumulators
    case .drain(let map), .vector(let map): return map.output
    case .sync: return nil
    }
  }

  /// The name in the text form.
  public var name: String {
    switch self {
    case .copy: return "dma.copy"
    case .contract: return "array.tile"
    case .drain: return "array.drain"
    case .vector: return "vector.run"
    case .sync: return "program.sync"
    }
  }
}
