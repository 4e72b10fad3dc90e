import PantileSupport
import PantileTarget

/// Turns action counts into picojoules with the table of a chip; looks each action up once.
struct EnergyRollup {
  private let chip: Chip
  /// By action name; nil cost = the table has none.
  private var costs: [String: [EnergyTable.Part]?] = [:]
  /// Standing energy of all on-chip memories in one cycle.
  private let leakagePerCycle: Double
  private(set) var lowestConfidence: EnergyTable.Confidence = .high
  /// Actions without a cost and how often they were counted.
  private(set) var uncosted = NamedAmounts<Int>()

  init(chip: Chip) {
    self.chip = chip
    // Loading the chip made sure that the table has each memory.
    let milliwatts = chip.memories.compactMap { try? chip.energy.leakage(of: $0) }.reduce(0, +)
    // mW · s = mJ = 1e9 pJ
    leakagePerCycle = milliwatts * 1e9 / chip.clock.value
  }

  /// Energy by component of counted actions and the standing energy of `cycles`.
  ///
  /// A part that accesses a memory is charged to the memory, any other to the action's first word (`array`, `vector`).
  mutating func energy(of actions: [(name: String, count: Int)], cycles: Int) -> NamedAmounts<Double> {
    var result = NamedAmounts<Double>()
    for action in actions where action.count != 0 {
      guard let parts = cost(of: action.name), !parts.isEmpty else {
        uncosted.add(action.name, action.count)
        continue
      }
      let component = String(action.name.prefix { $0 != "." })
      for part in parts {
        result.add(
          part.memory ?? component, Double(action.count) * part.factor * part.entry.energy.value)
        lowestConfidence = min(lowestConfidence, part.entry.confidence)
      }
    }
    if leakagePerCycle > 0, cycles > 0 { result.add("leakage", leakagePerCycle * Double(cycles)) }
    return result
  }

  private mutating func cost(of action: String) -> [EnergyTable.Part]? {
    if let known = costs[action] { return known }
    // `spad.read_bytes` counts on the memory itself; all else is looked up under its whole name.
    let parts = try? chip.energy.cost(of: action, component: "", memories: chip.memories)
    costs[action] = .some(parts)
    return parts
  }

  /// What the total leaves out, for the report.
  var unmodelled: [String] {
    chip.energy.unmodelled
      + uncosted.items.map { "action \($0.name) (counted \($0.amount) times): no entry in the table" }
  }
}
