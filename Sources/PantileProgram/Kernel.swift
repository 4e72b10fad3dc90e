/// A `vec` region compiled to a straight-line register program; the drain unit and the vector engine run it.
///
/// The points of a command are a result domain times a (perhaps empty) reduced domain. For each point of both, the
/// inputs of scope `.point` are loaded and `prologue` runs; its value register is folded into the result by `reduction`
/// in reduced-domain order; then, for each result point, inputs of scope `.result` are loaded, `epilogue` runs, and
/// `output` is stored. Registers hold 32 bits, read as Int32 or Float by the instruction.
public struct Kernel: Hashable, Sendable {
  /// How an input element becomes a 32-bit register.
  public enum Format: String, Hashable, Sendable, CaseIterable {
    case i8, i32, f32
    /// Zero-extended; also truth values, 0 and 1.
    case ui8
    /// Widened to Float, and rounded to nearest even when stored.
    case bf16, f16

    public var bits: Int {
      switch self {
      case .i8, .ui8: return 8
      case .bf16, .f16: return 16
      case .i32, .f32: return 32
      }
    }

    /// Whether its registers hold Float.
    public var isFloat: Bool { self == .f32 || self == .bf16 || self == .f16 }
  }

  public enum Scope: String, Hashable, Sendable, CaseIterable {
    /// One element per point of the result domain and the reduced domain.
    case point
    /// One element per point of the result domain.
    case result
  }

  public struct Input: Hashable, Sendable {
    public var format: Format
    public var scope: Scope
    public var register: Int

    public init(_ format: Format, _ scope: Scope, register: Int) {
      self.format = format
      self.scope = scope
      self.register = register
    }
  }

  public enum Reduction: String, Hashable, Sendable, CaseIterable {
    case none, addI32, maxI32, addF32, maxF32, minI32, minF32
  }

  /// One instruction: `destination = operation(a, b, immediate)`.
  public struct Instruction: Hashable, Sendable {
    public var operation: KernelOperation
    public var destination: Int
    public var a: Int
    public var b: Int
    /// Meaning by operation; Float immediates are their bit patterns.
    public var immediates: [Int]

    public init(_ operation: KernelOperation, _ destination: Int, _ a: Int, _ b: Int = 0, _ immediates: [Int] = []) {
      self.operation = operation
      self.destination = destination
      self.a = a
      self.b = b
      self.immediates = immediates
    }
  }

  public static let maximumRegisters = 16
  /// Read points that dependency clocks tell apart.
  public static let maximumInputs = 7

  public var name: String
  public var inputs: [Input]
  public var prologue: [Instruction]
  /// The register that `reduction` folds; it holds the folded value when the epilogue starts.
  public var reduced: Int
  public var reduction: Reduction
  public var epilogue: [Instruction]
  public var output: Int
  public var outputFormat: Format

  public init(
    name: String, inputs: [Input], prologue: [Instruction] = [], reduced: Int = 0, reduction: Reduction = .none,
    epilogue: [Instruction] = [], output: Int, outputFormat: Format
  ) {
    self.name = name
    self.inputs = inputs
    self.prologue = prologue
    self.reduced = reduced
    self.reduction = reduction
    self.epilogue = epilogue
    self.output = output
    self.outputFormat = outputFormat
  }
}

/// The operations of the vector engine and the drain unit; integers wrap at 32 bits unless said otherwise.
public enum KernelOperation: String, Hashable, Sendable, CaseIterable {
  case addI32, subI32, mulI32, maxI32, minI32
  /// a + immediate 0.
  case addImmediateI32
  /// min(max(a, immediate 0), immediate 1).
  case clampI32
  /// `(a · m + 2^(s-1)) >> s` in 64 bits, held at ±2^30 (so that a zero point can follow without wrapping), m from register b, s from the register in immediate 0.
  case requantize
  /// The same with constants: m = immediate 0, s = immediate 1.
  case requantizeImmediate
  /// `(a · immediate 0 + b · immediate 1 + 2^(s-1)) >> s` in 64 bits, held at ±2^30, s = immediate 2; immediate 1 = 0 drops b.
  case addScaled
  case addF32, subF32, mulF32, divF32, maxF32, minF32, powF32
  case addImmediateF32, mulImmediateF32, divImmediateF32
  /// min(max(a, immediate 0), immediate 1) in Float.
  case clampF32
  case expF32, logF32, sqrtF32, negF32, absF32, erfF32, tanhF32
  /// 1 / (1 + exp(-a)) in Float.
  case sigmoidF32
  /// a < 0 ? a · immediate 0 : a.
  case leakyF32
  /// Int32 to Float, rounded to nearest even.
  case toF32
  /// Round half to even, saturate to immediates 0 ... 1, Float to Int32; NaN becomes immediate 0.
  case roundToI32
  case copy
  /// a ≠ 0 ? b : c, c from the register in immediate 0.
  case select
  /// 1 where the comparison of a and b holds, else 0; a comparison with NaN does not hold.
  case equalI32, lessI32, lessOrEqualI32, equalF32, lessF32, lessOrEqualF32

  /// How many immediates the operation takes.
  public var immediateCount: Int {
    switch self {
    case .clampI32, .requantizeImmediate, .clampF32, .roundToI32: return 2
    case .addScaled: return 3
    case .addImmediateI32, .requantize, .addImmediateF32, .mulImmediateF32, .divImmediateF32, .leakyF32, .select:
      return 1
    case .addI32, .subI32, .mulI32, .maxI32, .minI32, .addF32, .subF32, .mulF32, .divF32, .maxF32, .minF32, .powF32,
      .expF32, .logF32, .sqrtF32, .negF32, .absF32, .erfF32, .tanhF32, .sigmoidF32, .toF32, .copy, .equalI32,
      .lessI32, .lessOrEqualI32, .equalF32, .lessF32, .lessOrEqualF32:
      return 0
    }
  }

  /// Whether the first immediate is the number of a third register that is read.
  public var readsThirdRegister: Bool { self == .requantize || self == .select }

  /// Whether register b is read.
  public var isBinary: Bool {
    switch self {
    case .addI32, .subI32, .mulI32, .maxI32, .minI32, .requantize, .addScaled, .addF32, .subF32, .mulF32, .divF32,
      .maxF32, .minF32, .powF32, .select, .equalI32, .lessI32, .lessOrEqualI32, .equalF32, .lessF32, .lessOrEqualF32:
      return true
    case .addImmediateI32, .clampI32, .requantizeImmediate, .addImmediateF32, .mulImmediateF32, .divImmediateF32,
      .clampF32, .expF32, .logF32, .sqrtF32, .negF32, .absF32, .erfF32, .tanhF32, .sigmoidF32, .leakyF32, .toF32,
      .roundToI32, .copy:
      return false
    }
  }
}
