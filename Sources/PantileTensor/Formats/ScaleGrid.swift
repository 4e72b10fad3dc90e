import PantileSupport

/// Multiples of a format's own scale that are tried for the least squared error.
///
/// The scale itself is tried first, then `lowest + (highest - lowest) i / steps` for i = 0 … steps, ascending; the first of equals
/// wins.
public struct ScaleGrid: Hashable, Sendable {
  public let lowest: Double
  public let highest: Double
  public let steps: Int

  /// - Throws: `wrong-grid` for bounds that are not positive, finite and ascending, or steps outside 1 … 10,000.
  public init(lowest: Double, highest: Double, steps: Int) throws(DiagnosticError) {
    guard lowest.isFinite, highest.isFinite, lowest > 0, highest >= lowest, (1...10_000).contains(steps) else {
      throw DiagnosticError(
        "wrong-grid", "\(steps) steps from \(lowest) to \(highest) are no grid of scales",
        hint: "give ascending multiples above 0 and 1 to 10000 steps: 0.5:1:50")
    }
    self.lowest = lowest
    self.highest = highest
    self.steps = steps
  }

  /// `FROM:TO:STEPS`.
  /// - Throws: `wrong-grid`.
  public init(_ text: String) throws(DiagnosticError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, let lowest = Double(parts[0]), let highest = Double(parts[1]), let steps = Int(parts[2])
    else {
      throw DiagnosticError(
        "wrong-grid", "'\(text)' is no grid of scales", hint: "write FROM:TO:STEPS, as in 0.5:1:50")
    }
    try self.init(lowest: lowest, highest: highest, steps: steps)
  }

  /// In the order in which they are tried, 1 first.
  public var factors: [Double] {
    [1] + (0...steps).map { lowest + (highest - lowest) * Double($0) / Double(steps) }
  }
}

extension ScaleGrid: CustomStringConvertible {
  public var description: String { "\(lowest):\(highest):\(steps)" }
}
