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
  /// Longest group (M) that the operand select of a PE spans.
  public var largestGroup: Int
  public var variant: FoldVariant

  /// - Precondition: positive sizes; `multiplierLatency` not negative; `largestGroup` at most 256.
  public init(
    rows: Int, columns: Int, interleave: Int = 1, adderLatency: Int = 1, multiplierLatency: Int = 0,
    largestGroup: Int = 8, variant: FoldVariant = .overlapped
  ) {
    precondition(rows > 0 && columns > 0, "an array needs rows and columns")
    precondition((1...127).contains(interleave), "interleave \(interleave) is outside 1...127")
    precondition(adderLatency > 0 && multiplierLatency >= 0, "bad latencies \(adderLatency), \(multiplierLatency)")
    precondition((1...256).contains(largestGroup), "group \(largestGroup) is outside 1...256")
    self.rows = rows
    self.columns = columns
    self.interleave = interleave
    self.adderLatency = adderLatency
    self.multiplierLatency = multiplierLatency
    self.largestGroup = largestGroup
    self.variant = variant
  }

  /// Cycles from one use of an accumulator context to the next, P = max(I, L).
  var period: Int { max(interleave, adderLatency) }
}
