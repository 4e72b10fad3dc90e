/// What one macro tile took on an array whose times depend on values, with the values that it had.
///
/// Timing never sees a value: this is all it learns of them. Without it an array takes the longest that any values could.
public struct TileMeasure: Hashable, Sendable {
  public var timing: TileTiming
  /// Adds up to the duration times the array's multipliers.
  public var occupancy: TileOccupancy
  public var actions: [ActionCount]

  public init(timing: TileTiming, occupancy: TileOccupancy, actions: [ActionCount]) {
    self.timing = timing
    self.occupancy = occupancy
    self.actions = actions
  }
}
