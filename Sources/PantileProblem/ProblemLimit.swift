/// Ranges that problems must keep so that no sum in a planner overflows and no list of tile sizes grows without end.
public enum ProblemLimit {
  /// The largest byte count, cycle count, offset or step number: 2^50.
  public static let amount = 1 << 50
  /// The largest extent of a dimension: 2^31 - 1, which has at most about 93,000 tile sizes.
  public static let extent = Int(Int32.max)

  /// True for a number that planners can take.
  static func holds(_ value: Int) -> Bool { value >= -amount && value <= amount }
}
