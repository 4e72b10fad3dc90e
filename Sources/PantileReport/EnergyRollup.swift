import PantileSupport
import PantileTarget

/// Turns action counts into picojoules with the table of a chip; looks each action up once.
struct EnergyRollup {
  private let chip: Chip
  /// By action name; nil cost = the table has none.
  private var costs: [String: [EnergyTable.Part]?] = [:]
  /// Standing energy of all on-chip memories in one cycle.
  private let leakagePerCycle: Double
  /// What the commands and clocks of the DRAM device cost, by action; empty without one.
  private let deviceCosts: [String: Double]
  private(set) var lowestConfidence: EnergyTable.Confidence = .high
  /// Actions without a cost and how often they were counted.
  private(set) var uncosted = NamedAmounts<Int>()

  init(chip: Chip) {
    self.chip = chip
    // Loading the chip made sure that the table has each memory.
    let milliwatts = chip.memories.compactMap { try? chip.energy.leakage(of: $0) }.reduce(0, +)
    // mW · s = mJ = 1e9 pJ
    deviceCosts = chip.memories.compactMap(\.device).first.map { Self.costs(of: $0) } ?? [:]
    leakagePerCycle = milliwatts * 1e9 / chip.clock.value
  }

  /// Energy by component of counted actions and the standing energy of `cycles`.
  ///
  /// A part that accesses a memory is charged to the memory, any other to the action's first word (`array`, `vector`).
  mutating func energy(of actions: [(name: String, count: Int)], cycles: Int) -> NamedAmounts<Double> {
    var result = NamedAmounts<Double>()
    for action in actions where action.count != 0 {
      if let cost = deviceCosts[action.name] {
        result.add("dram", Double(action.count) * cost)
        continue
      }
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

  /// Picojoules by action, from the currents of the device (`DRAMDevice.Energies`); bytes and hits cost nothing beside
  /// their commands.
  private static func costs(of device: DRAMDevice) -> [String: Double] {
    let energies = device.energies
    return [
      "dram.activate": energies.activate.value, "dram.read_burst": energies.read.value,
      "dram.write_burst": energies.write.value, "dram.refresh": energies.refresh.value,
      "dram.refresh_bank": energies.bankRefresh.value, "dram.active_clock": energies.activeClock.value,
      "dram.idle_clock": energies.idleClock.value, "dram.row_hit": 0, "dram.read_bytes": 0,
      "dram.write_bytes": 0,
    ]
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

extension Chip {
  /// Picojoules of counted actions, by name, and of the leakage of `cycles`.
  package func energyPicojoules(of actions: [String: Int], cycles: Int) -> Double {
    var rollup = EnergyRollup(chip: self)
    let counted = actions.sorted { $0.key < $1.key }.map { (name: $0.key, count: $0.value) }
    return rollup.energy(of: counted, cycles: cycles).items.reduce(0) { $0 + $1.amount }
  }
}
