import PantileSupport
import PantileTensor

/// One matrix product C[m][n] = Σ_k A[m][k]·B[k][n] on a bare array with ideal memory.
///
/// **Accuracy** exact for the stated array: the closed form, which equals the register-transfer model.
public struct GemmRun: Hashable, Sendable {
  /// What to run.
  public struct Options: Hashable, Sendable {
    public var m: Int
    public var k: Int
    public var n: Int
    public var format: ContractionFormat
    /// Seed of the operands of a check.
    public var seed: UInt64
    /// Whether to step the array on random operands and compare with the plain product.
    public var check: Bool

    public init(
      m: Int, k: Int, n: Int, format: ContractionFormat = .int8, seed: UInt64 = 1, check: Bool = false
    ) {
      self.m = m
      self.k = k
      self.n = n
      self.format = format
      self.seed = seed
      self.check = check
    }
  }

  /// What the check found.
  public struct Check: Hashable, Sendable {
    /// What the command takes with the operands, on an array where that depends on them; nil on others.
    public var measuredCycles: Int?
    /// Cycles that the register-transfer model took.
    public var steppedCycles: Int
    /// Accumulators of the register-transfer model that differ from the plain product.
    public var mismatches: Int
    /// Accumulators of the command function that differ from the plain product.
    public var functionMismatches: Int
    /// Elements that the register-transfer model saw enter: at the activation edge and at the weight edge.
    public var activationElements: Int
    public var weightBeats: Int
  }

  /// Closed form; of an array whose times depend on values the longest.
  public var cycles: Int
  /// Multiply-accumulates of real weights: kept slots for N:M weights, padded groups included.
  public var macs: Int
  /// Multiply-accumulates of the dense product.
  public var denseMACs: Int
  /// `macs` over what the array could do in `cycles`.
  public var utilization: Double
  /// Elements that enter at the activation edge, and weights at the weight edge, padding lanes included.
  public var activationElements: Int
  public var weightBeats: Int
  /// What the multipliers do in `cycles`.
  public var occupancy: TileOccupancy
  /// Nil when no check was asked for.
  public var check: Check?

  /// Largest dimension; products of three stay within 64 bits.
  public static let largestDimension = 1 << 20
  /// Most elements of one operand of a check.
  public static let largestCheckedOperand = 1 << 26

  /// - Throws: `unsupported-format` with all reasons; `out-of-range` for dimensions outside 1...2^20, or operands of a check
  ///   that are too large.
  public static func run(_ engine: ArrayEngine, _ options: Options) throws(DiagnosticError) -> GemmRun {
    let format = options.format
    var diagnostics: [Diagnostic] = []
    for (name, value) in [("m", options.m), ("k", options.k), ("n", options.n)]
    where !(1...largestDimension).contains(value) {
      diagnostics.append(
        Diagnostic("out-of-range", "\(name) is \(value), it must be in 1...\(largestDimension)"))
    }
    let reasons = engine.capability(format).reasons
    if !reasons.isEmpty {
      diagnostics.append(
        Diagnostic("unsupported-format", "\(engine.summary) cannot run \(format): \(reasons.joined(separator: "; "))"))
    }
    if diagnostics.isEmpty && options.check {
      let sizes = [("A", options.m, options.k), ("B", options.k, options.n), ("C", options.m, options.n)]
      for (name, rows, columns) in sizes where rows * columns > largestCheckedOperand {
        diagnostics.append(
          Diagnostic(
            "out-of-range", "\(name) has \(rows) x \(columns) elements, a check takes at most \(largestCheckedOperand)",
            hint: "leave the check out: the cycles are the same"))
      }
    }
    guard diagnostics.isEmpty else { throw DiagnosticError(diagnostics) }

    let group = format.pattern?.group ?? 1
    let extents = TileExtents(m: options.m, k: (options.k + group - 1) / group * group, n: options.n)
    let cycles = engine.timing(extents, format).duration
    let macs = extents.m * format.storedRows(k: extents.k) * extents.n
    let traffic = engine.traffic(extents, format)
    var result = GemmRun(
      cycles: cycles, macs: macs, denseMACs: options.m * options.k * options.n,
      utilization: Double(macs) / (engine.peakMACs(format) * Double(cycles)),
      activationElements: traffic.activationElements, weightBeats: traffic.weightBeats,
      occupancy: engine.occupancy(extents, format))
    if options.check { result.check = stepped(engine, options, extents) }
    return result
  }

  /// Steps the array on random operands; reduction rows beyond the given k are zero.
  private static func stepped(_ engine: ArrayEngine, _ options: Options, _ extents: TileExtents) -> Check {
    let format = options.format
    let input = operands(options, extents)
    let stepped = engine.stepper([input], format)
    let expected = product(input, format)
    func differences(_ values: [Int32]) -> Int {
      var count = 0
      for index in 0..<expected.count where values[index] != expected[index] { count += 1 }
      return count
    }
    let (results, measure) = commandResult(engine, input, format)
    return Check(
      measuredCycles: measure?.timing.duration, steppedCycles: stepped.cycles,
      mismatches: differences(stepped.commands[0].accumulators), functionMismatches: differences(results),
      activationElements: stepped.activationElements, weightBeats: stepped.weightBeats)
  }

  private static func operands(_ options: Options, _ extents: TileExtents) -> ArrayStepInput {
    var random = SplitMix64(seed: options.seed)
    let format = options.format
    let (m, k, n) = (extents.m, extents.k, extents.n)
    var a = [Int8](repeating: 0, count: m * k)
    for row in 0..<m {
      for position in 0..<options.k { a[row * k + position] = Int8(truncatingIfNeeded: random.next() >> 40) }
    }
    let stored = format.storedRows(k: k)
    let shift = Int8(8 - format.weightBits)
    let b = (0..<stored * n).map { _ in Int8(truncatingIfNeeded: random.next() >> 40) >> shift }
    var indices: [UInt8] = []
    if let pattern = format.pattern {
      indices = [UInt8](repeating: 0, count: stored * n)
      for group in 0..<k / pattern.group {
        for column in 0..<n {
          // Draws `kept` of the group's places, in ascending order.
          var slot = 0
          for place in 0..<pattern.group where slot < pattern.kept {
            if random.next(below: pattern.group - place) < pattern.kept - slot {
              indices[(group * pattern.kept + slot) * n + column] = UInt8(place)
              slot += 1
            }
          }
        }
      }
    }
    return ArrayStepInput(extents: extents, a: a, b: b, indices: indices)
  }

  /// The plain product, on its own so that it judges both the stepper and the function.
  private static func product(_ input: ArrayStepInput, _ format: ContractionFormat) -> [Int32] {
    let (m, k, n) = (input.extents.m, input.extents.k, input.extents.n)
    var result = [Int32](repeating: 0, count: m * n)
    for row in 0..<m {
      for slot in 0..<format.storedRows(k: k) {
        for column in 0..<n {
          let position: Int
          if let pattern = format.pattern {
            position = slot / pattern.kept * pattern.group + Int(input.indices[slot * n + column])
          } else {
            position = slot
          }
          result[row * n + column] &+= Int32(input.a[row * k + position]) &* Int32(input.b[slot * n + column])
        }
      }
    }
    return result
  }

  /// The accumulators of the command, and what it takes where that depends on values.
  private static func commandResult(
    _ engine: ArrayEngine, _ input: ArrayStepInput, _ format: ContractionFormat
  ) -> (accumulators: [Int32], measure: TileMeasure?) {
    let extents = input.extents
    var result = [Int32](repeating: 0, count: extents.m * extents.n)
    var measure: TileMeasure?
    result.withUnsafeMutableBufferPointer { accumulators in
      input.a.withUnsafeBufferPointer { a in
        input.b.withUnsafeBufferPointer { b in
          input.indices.withUnsafeBufferPointer { indices in
            // Extents are positive, so no buffer but the indices is empty.
            guard let a = a.baseAddress, let b = b.baseAddress, let out = accumulators.baseAddress else { return }
            let operands = ArrayOperands(
              a: a, b: b, indices: format.pattern == nil ? nil : indices.baseAddress, accumulators: out,
              accumulatorStride: extents.n)
            engine.function(extents, format, operands, false)
            measure = engine.measure?(extents, format, operands, false)
          }
        }
      }
    }
    return (result, measure)
  }
}
