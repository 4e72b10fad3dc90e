import PantileTensor

/// What distinguishes one N:M weight-sparse array from another.
public struct NMSparseOptions: Hashable, Sendable {
  public var rows: Int
  public var columns: Int
  /// Output contexts of a PE (I): output channel c·I + i lives in column c, context i.
  public var interleave: Int
  /// Cycles after its issue until a sum is usable (L).
  public var adderLatency: Int
  /// Pipeline stages of the multiplier (Lm); 0 is combinational.
  public var multiplierLatency: Int
  /// Patterns that the array takes besides dense weights; the select of a PE spans the longest group.
  public var patterns: [NMPattern]
  public var variant: FoldVariant

  /// Most output contexts of a PE.
  public static let mostContexts = 127

  /// - Precondition: positive sizes; `multiplierLatency` not negative; `interleave` at most `mostContexts`.
  public init(
    rows: Int, columns: Int, interleave: Int = 1, adderLatency: Int = 1, multiplierLatency: Int = 0,
    patterns: [NMPattern], variant: FoldVariant = .overlapped
  ) {
    precondition(rows > 0 && columns > 0, "an array needs rows and columns")
    precondition(
      (1...Self.mostContexts).contains(interleave), "interleave \(interleave) is outside 1...\(Self.mostContexts)")
    precondition(adderLatency > 0 && multiplierLatency >= 0, "bad latencies \(adderLatency), \(multiplierLatency)")
    self.rows = rows
    self.columns = columns
    self.interleave = interleave
    self.adderLatency = adderLatency
    self.multiplierLatency = multiplierLatency
    self.patterns = patterns
    self.variant = variant
  }

  /// Cycles from one use of an accumulator context to the next, P = max(I, L).
  var period: Int { max(interleave, adderLatency) }
}
