import PantileProgram
import PantileSupport

/// A command of a timing run with the costs of its trips: few shapes, many trips.
final class CommandTiming {
  struct Cost {
    /// Cycles from issue to the last write being visible.
    var duration = 0
    /// Cycles from issue to the next issue.
    var nextIssue = 0
    /// Cycles from issue to one past the last read of each operand; nil when reads end with the last write.
    var reads: Reads?
    /// Of a macro tile, an index into the occupancy book; -1 of other commands.
    var occupancy = -1
    /// Action ids and counts.
    var actions: [(action: Int, count: Int)] = []
  }

  /// Of a macro tile's operands.
  struct Reads: BitwiseCopyable {
    var a: Int
    var b: Int

    /// Indices are read with their weights.
    func of(_ operand: Int) -> Int { operand == 0 ? a : b }
    var last: Int { max(a, b) }
  }

  /// What a copy needs to know of its sides each time.
  struct CopySides: BitwiseCopyable {
    var source: Int
    var destination: Int
    var elementBits: Int
  }

  let plan: CommandPlan
  /// Nil of other commands.
  let copy: CopySides?
  /// By shape; costs stand in `costs`.
  private var shapes: [Int] = []
  private(set) var costs: [Cost] = []
  /// Places in `costs` of what macro tiles took with their values.
  private var measured: [Int32: Int] = [:]

  init(_ plan: CommandPlan) {
    self.plan = plan
    if case .copy(let copy) = plan.command.operation {
      self.copy = CopySides(
        source: copy.source.memory.offset, destination: copy.destination.memory.offset,
        elementBits: copy.source.elementBits)
    } else {
      copy = nil
    }
  }

  /// The place in `costs` of this trip's cost; `compute` is called once for each shape.
  func cost(at loops: LoopState, _ compute: () -> Cost) -> Int {
    let shape = plan.shape(at: loops)
    for index in shapes.indices where shapes[index] == shape { return index }
    costs.append(compute())
    shapes.append(shape)
    return costs.count - 1
  }

  /// The place in `costs` of what a macro tile took with its values; `compute` is called once for each measure of a profile.
  func cost(ofMeasure measure: Int32, _ compute: () -> Cost) -> Int {
    if let place = measured[measure] { return place }
    costs.append(compute())
    // No trip has this shape.
    shapes.append(-1)
    measured[measure] = costs.count - 1
    return costs.count - 1
  }
}
