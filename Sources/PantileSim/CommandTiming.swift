import PantileProgram

/// A command of a timing run with the costs of its trips: few shapes, many trips.
final class CommandTiming {
  struct Cost {
    /// Cycles from issue to the last write being visible.
    var duration = 0
    /// Cycles from issue to the next issue.
    var nextIssue = 0
    /// Cycles from issue to one past the last read of each operand; empty when reads end with the last write.
    var reads: [Int] = []
    /// Of a macro tile, an index into the occupancy book; -1 of other commands.
    var occupancy = -1
    /// Action ids and counts.
    var actions: [(action: Int, count: Int)] = []
  }

  let plan: CommandPlan
  private var costs: [(shape: Int, cost: Cost)] = []

  init(_ plan: CommandPlan) { self.plan = plan }

  /// The cost of this trip; `compute` is called once for each shape.
  func cost(at loops: LoopState, _ compute: () -> Cost) -> Cost {
    let shape = plan.shape(at: loops)
    for known in costs where known.shape == shape { return known.cost }
    let cost = compute()
    costs.append((shape, cost))
    return cost
  }
}
