/// When the events of one macro tile command happen.
///
/// **Units** cycles after issue: the issue cycle is 0, and `t` means "at the start of cycle t", that is, after t whole cycles.
public struct TileTiming: Hashable, Sendable, BitwiseCopyable {
  /// Issue to the last accumulator write being visible.
  public var duration: Int
  /// The earliest issue of an independent command that follows on the same array, whatever its sizes.
  public var nextIssue: Int
  /// One past the cycle of the last read of operand A.
  public var readA: Int
  /// One past the cycle of the last read of operand B (and of its indices).
  public var readB: Int

  public init(duration: Int, nextIssue: Int, readA: Int, readB: Int) {
    self.duration = duration
    self.nextIssue = nextIssue
    self.readA = readA
    self.readB = readB
  }
}

/// How often one action happened; `name` is a key of the energy table.
public struct ActionCount: Hashable, Sendable {
  public var name: String
  public var count: Int

  public init(_ name: String, _ count: Int) {
    self.name = name
    self.count = count
  }
}

/// What an array can do with a format: yes, or every reason why not.
public enum ArrayCapability: Hashable, Sendable {
  case supported
  /// Lower case, each names both sides: `weights of 4 bits, the array takes 8`.
  case unsupported([String])

  /// The reasons against; empty when supported.
  public var reasons: [String] {
    switch self {
    case .supported: return []
    case .unsupported(let reasons): return reasons
    }
  }
  public var isSupported: Bool { reasons.isEmpty }
}

/// Pointers to the operands of one macro tile, gathered dense and row-major.
public struct ArrayOperands {
  /// A: [m, k].
  public var a: UnsafePointer<Int8>
  /// B: [storedRows(k), n]; sub-byte weights are already unpacked to bytes.
  public var b: UnsafePointer<Int8>
  /// The index of each stored weight inside its group: [storedRows(k), n]; nil for dense weights.
  public var indices: UnsafePointer<UInt8>?
  /// Accumulators: [m, n] with `accumulatorStride` elements from row to row.
  public var accumulators: UnsafeMutablePointer<Int32>
  public var accumulatorStride: Int

  public init(
    a: UnsafePointer<Int8>, b: UnsafePointer<Int8>, indices: UnsafePointer<UInt8>? = nil,
    accumulators: UnsafeMutablePointer<Int32>, accumulatorStride: Int
  ) {
    self.a = a
    self.b = b
    self.indices = indices
    self.accumulators = accumulators
    self.accumulatorStride = accumulatorStride
  }
}

/// Pointers to the operands of one macro tile in 16-bit floats, widened, gathered dense and row-major.
public struct FloatOperands {
  /// A: [m, k].
  public var a: UnsafePointer<Float>
  /// B: [k, n].
  public var b: UnsafePointer<Float>
  /// Accumulators: [m, n] with `accumulatorStride` elements from row to row.
  public var accumulators: UnsafeMutablePointer<Float>
  public var accumulatorStride: Int

  public init(
    a: UnsafePointer<Float>, b: UnsafePointer<Float>, accumulators: UnsafeMutablePointer<Float>, accumulatorStride: Int
  ) {
    self.a = a
    self.b = b
    self.accumulators = accumulators
    self.accumulatorStride = accumulatorStride
  }
}

/// The operands of one stepped tile as arrays: A [m, k], B [storedRows(k), n], indices like B or empty.
public struct ArrayStepInput: Sendable {
  public var extents: TileExtents
  public var a: [Int8]
  public var b: [Int8]
  public var indices: [UInt8]

  public init(extents: TileExtents, a: [Int8], b: [Int8], indices: [UInt8] = []) {
    self.extents = extents
    self.a = a
    self.b = b
    self.indices = indices
  }
}

/// What the register-transfer model of an array saw while it ran one command or several back to back.
public struct ArrayStepResult: Hashable, Sendable {
  /// The observed timing of one command; cycles count from the first cycle of the run.
  public struct Command: Hashable, Sendable {
    /// First cycle in which the array did something for this command.
    public var issue: Int
    /// One past the cycle of the last accumulator write.
    public var end: Int
    public var readA: Int
    public var readB: Int
    /// Accumulators [m, n], started from zero.
    public var accumulators: [Int32]

    public init(issue: Int, end: Int, readA: Int, readB: Int, accumulators: [Int32]) {
      self.issue = issue
      self.end = end
      self.readA = readA
      self.readB = readB
      self.accumulators = accumulators
    }
  }

  /// One entry per command, in order.
  public var commands: [Command]
  /// Cycles until the last write of the last command is visible.
  public var cycles: Int
  /// Elements that entered the array at its activation edge, padding included.
  public var activationElements: Int
  /// Weights (or weight and index pairs) that entered at the weight edge, padding included.
  public var weightBeats: Int
  /// Results that left the array, padding included.
  public var results: Int

  public init(commands: [Command], cycles: Int, activationElements: Int, weightBeats: Int, results: Int) {
    self.commands = commands
    self.cycles = cycles
    self.activationElements = activationElements
    self.weightBeats = weightBeats
    self.results = results
  }
}

/// One configured array: the members of its family, bound to a chip's numbers.
///
/// `timing` and `stepper` never call each other, nor do `timing` and `mapping`; `function` never sees cycles and `timing` never
/// sees values. All closures are pure. Any family can be made outside this module with the public initialiser.
public final class ArrayEngine: Sendable {
  public typealias Capability = @Sendable (ContractionFormat) -> ArrayCapability
  public typealias Granules = @Sendable (ContractionFormat) -> TileExtents
  public typealias Timing = @Sendable (TileExtents, ContractionFormat) -> TileTiming
  public typealias Occupancy = @Sendable (TileExtents, ContractionFormat) -> TileOccupancy
  public typealias Mapping = @Sendable (ContractionFormat, TileExpr) -> ArrayMapping
  public typealias Traffic = @Sendable (TileExtents, ContractionFormat) -> EdgeTraffic
  public typealias Function = @Sendable (TileExtents, ContractionFormat, ArrayOperands, _ accumulate: Bool) -> Void
  public typealias FloatFunction = @Sendable (TileExtents, FloatOperands, _ accumulate: Bool) -> Void
  public typealias Actions = @Sendable (TileExtents, ContractionFormat, _ accumulate: Bool) -> [ActionCount]
  public typealias Measure =
    @Sendable (TileExtents, ContractionFormat, ArrayOperands, _ accumulate: Bool) -> TileMeasure
  public typealias WeightRefusal = @Sendable (_ weight: Int8, ContractionFormat) -> String?
  public typealias Stepper = @Sendable ([ArrayStepInput], ContractionFormat) -> ArrayStepResult

  /// The family's name, as in a chip file.
  public let family: String
  public let rows: Int
  public let columns: Int
  /// Multipliers: rows x columns, times those of a PE.
  public let multipliers: Int
  /// Multiply-accumulates of real (kept) weights a cycle at full use.
  public let peakMACs: @Sendable (ContractionFormat) -> Double
  /// The configuration in one line, as in `systolic 16x16 ws overlapped`.
  public let summary: String
  /// Whether the array takes a format.
  public let capability: Capability
  /// Preferred tile granule in each dimension; tiles that are multiples of it waste nothing at their edges. `k` is also the
  /// alignment that the format demands when it has a pattern.
  public let granules: Granules
  /// Closed form of one command of any number of folds. The same for both accumulation modes.
  /// **Precondition** `capability` said yes and the extents respect the pattern.
  public let timing: Timing
  /// What the multipliers do in the duration of one command.
  /// **Precondition** as of `timing`.
  public let occupancy: Occupancy
  /// Planning cost of one command; derived apart from `timing`, equal to it at every point (tested).
  public let mapping: Mapping
  /// Closed form of what crosses the array's edges in one command.
  public let traffic: Traffic
  /// Bit-exact meaning on integers, wrapping in 32 bits.
  public let function: Function
  /// Meaning on 16-bit floats, every rounding in its place; nil for an array of integers.
  public let floatFunction: FloatFunction?
  /// Counts of what one command does inside the array, at the accumulators and at the scratchpad ports of its operands.
  public let actions: Actions
  /// The register-transfer model, cycle by cycle: commands in order, each as early as the array allows.
  public let stepper: Stepper
  /// Why a single weight of a supported format has no code in the array; nil when it has, or when all have.
  public let weightRefusal: WeightRefusal?
  /// What a command takes with given operands, where that depends on them; nil where it does not. `timing`, `mapping` and `occupancy` tell
  /// the longest that any operands take.
  public let measure: Measure?

  public init(
    family: String, rows: Int, columns: Int, multipliers: Int? = nil, summary: String,
    peakMACs: @escaping @Sendable (ContractionFormat) -> Double,
    capability: @escaping Capability, granules: @escaping Granules, timing: @escaping Timing,
    occupancy: @escaping Occupancy, mapping: @escaping Mapping, traffic: @escaping Traffic,
    function: @escaping Function, actions: @escaping Actions, stepper: @escaping Stepper,
    weightRefusal: WeightRefusal? = nil, floatFunction: FloatFunction? = nil, measure: Measure? = nil
  ) {
    self.family = family
    self.rows = rows
    self.columns = columns
    self.multipliers = multipliers ?? rows * columns
    self.summary = summary
    self.peakMACs = peakMACs
    self.capability = capability
    self.granules = granules
    self.timing = timing
    self.occupancy = occupancy
    self.mapping = mapping
    self.traffic = traffic
    self.function = function
    self.actions = actions
    self.stepper = stepper
    self.weightRefusal = weightRefusal
    self.floatFunction = floatFunction
    self.measure = measure
  }
}
