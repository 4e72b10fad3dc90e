import PantileEngines
import PantileProgram
import PantileSim
import PantileTensor

/// What must hold for every timing run.
enum Invariants {
  /// Broken invariants in words; empty when all hold: layers follow one another from 0 to the end, busy + stalls fill
  /// each layer for each queue, occupancies fill the busy cycles, and layers add up to the whole.
  static func violations(of result: TimingResult, program: Program) -> [String] {
    var found: [String] = []
    var previous = 0
    for (index, layer) in result.layers.enumerated() {
      if layer.start != previous || layer.end < layer.start {
        found.append("layer \(index) covers \(layer.start)..<\(layer.end) after \(previous)")
      }
      previous = layer.end
      for (queue, activity) in layer.activities.enumerated() where activity.total != layer.cycles {
        found.append("layer \(index) \(result.queueNames[queue]): \(activity.total) of \(layer.cycles) cycles")
      }
      for (queue, activity) in layer.activities.enumerated()
      where activity.occupancy.total != activity.busy * result.multipliers[queue] {
        found.append("layer \(index) \(result.queueNames[queue]): \(activity.occupancy) in \(activity.busy) cycles")
      }
    }
    if !result.layers.isEmpty, previous != result.cycles {
      found.append("layers end at \(previous) of \(result.cycles)")
    }
    for (queue, activity) in result.activities.enumerated() {
      if activity.total != result.cycles {
        found.append("\(result.queueNames[queue]): \(activity.total) of \(result.cycles) cycles")
      }
      let busy = result.layers.reduce(0) { $0 + $1.activities[queue].busy }
      if busy != activity.busy {
        found.append("\(result.queueNames[queue]): layers are busy for \(busy) of \(activity.busy)")
      }
    }
    if result.commands != result.layers.reduce(0, { $0 + $1.commands }) { found.append("commands of layers") }
    for action in result.actions {
      let sum = result.layers.reduce(0) { total, layer in
        total + (layer.actions.first { $0.name == action.name }?.count ?? 0)
      }
      if sum != action.count { found.append("\(action.name): layers count \(sum) of \(action.count)") }
    }
    return found
  }

  /// Broken invariants of a trace: the slices of a queue neither overlap nor leave gaps before their last, and add up to
  /// the busy cycles of the queue (what follows the last slice is no-work).
  static func sliceViolations(of result: TimingResult) -> [String] {
    var found: [String] = []
    for queue in result.queueNames.indices {
      var previous = 0
      var busy = 0
      for slice in result.slices where slice.queue == queue {
        if slice.start != previous || slice.end <= slice.start {
          found.append("\(result.queueNames[queue]): slice \(slice.start)..<\(slice.end) after \(previous)")
        }
        previous = slice.end
        if slice.cause == nil { busy += slice.end - slice.start }
      }
      if busy != result.activities[queue].busy {
        found.append("\(result.queueNames[queue]): slices are busy for \(busy) of \(result.activities[queue].busy)")
      }
    }
    return found
  }

  /// A functional run whose commands execute in the order in which a stretched timing run issues them.
  static func runWithJitter(_ file: ProgramFile, seed: UInt64) throws -> ([[Double]], TimingResult) {
    let functional = try file.functionalRun()
    var illegal = 0
    let timing = try TimingRun(file.program, on: file.machine, options: .init(jitterSeed: seed)) { queue in
      if functional.canStep(queue) { functional.step(queue) } else { illegal += 1 }
    }
    let result = try timing.run()
    guard illegal == 0, functional.commandsRun == result.commands else { return ([], result) }
    return (functional.outputs().map { ProgramFile.values($0.tensor) }, result)
  }
}
