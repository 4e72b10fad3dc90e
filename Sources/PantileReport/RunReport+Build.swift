import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import PantileTarget

extension RunReport {
  /// What a report says beside the timing result.
  public struct Context: Sendable {
    public var version: String
    public var model: String
    public var modelHash: String
    /// Multiply-accumulates that all arrays of the chip together do in a cycle at best (plain number: bit-serial arrays
    /// have fractions).
    public var peakMACsPerCycle: Double
    public var peakScratchpadBytes: Int
    public var plan: Plan
    public var outputs: [Output]
    public var accuracy: Accuracy?

    public init(
      version: String, model: String, modelHash: String, peakMACsPerCycle: Double, peakScratchpadBytes: Int, plan: Plan,
      outputs: [Output] = [], accuracy: Accuracy? = nil
    ) {
      self.version = version
      self.model = model
      self.modelHash = modelHash
      self.peakMACsPerCycle = peakMACsPerCycle
      self.peakScratchpadBytes = peakScratchpadBytes
      self.plan = plan
      self.outputs = outputs
      self.accuracy = accuracy
    }
  }

  /// Puts the books of a timing run in order: sums, energy, utilisation.
  /// - Precondition: `timing` is a run of `program` on `chip`.
  public init(timing: TimingResult, program: Program, chip: Chip, context: Context) {
    precondition(
      timing.layers.count == program.layers.count,
      "a run of \(timing.layers.count) layers is not of '\(program.name)' with \(program.layers.count)")
    let engineNames = timing.queueNames.map { String($0.split(separator: ".").last ?? Substring($0)) }
    var rollup = EnergyRollup(chip: chip)
    var components = NamedAmounts<Double>()
    var bytes = NamedAmounts<Int>()
    var layers: [Layer] = []
    for (timed, layer) in zip(timing.layers, program.layers) {
      let actions = timed.actions.map { (name: $0.name, count: $0.count) }
      let energy = rollup.energy(of: actions, cycles: timed.cycles)
      let layerBytes = RunReport.bytes(in: actions)
      let main = timed.activities.indices.max { a, b in
        (timed.activities[a].busy, -a) < (timed.activities[b].busy, -b)
      }
      let activity = main.map { timed.activities[$0] }
      layers.append(
        Layer(
          name: layer.name, nodes: layer.nodes, kind: layer.kind, engine: main.map { engineNames[$0] } ?? "",
          start: timed.start, cycles: timed.cycles, macs: layer.macs,
          utilization: RunReport.share(layer.macs, of: context.peakMACsPerCycle, cycles: timed.cycles),
          busy: activity?.busy ?? 0, stalls: activity.map(RunReport.stalls) ?? NamedAmounts(),
          limit: activity.map { RunReport.limit($0, engineNames) } ?? "",
          bytes: layerBytes, energy: .init(totalPicojoules: energy.total, components: energy), commands: timed.commands)
      )
      components.add(energy)
      bytes.add(layerBytes)
    }
    let arrayIndex = engineNames.firstIndex { name in
      // The array is the engine that runs contractions; by position it is the first that is none of the others.
      program.queues.contains { $0.engine == name && $0.body.containsContraction }
    }
    let macs = program.layers.reduce(0) { $0 + $1.macs }
    let main = arrayIndex.map { timing.activities[$0] }
    self.init(
      version: context.version, model: context.model, modelHash: context.modelHash, chip: chip.name,
      chipHash: chip.hash, clockHertz: chip.clock.value, cycles: timing.cycles,
      seconds: Double(timing.cycles) / chip.clock.value, macs: macs,
      utilization: RunReport.share(macs, of: context.peakMACsPerCycle, cycles: timing.cycles),
      stalls: main.map(RunReport.stalls) ?? NamedAmounts(),
      energy: Energy(
        totalPicojoules: components.total, components: components, unmodelled: rollup.unmodelled,
        table: chip.energy.name, tableHash: chip.energy.hash, confidence: rollup.lowestConfidence.rawValue),
      peakScratchpadBytes: context.peakScratchpadBytes,
      offchipBytes: timing.layers.reduce(0) { $0 + $1.offchipReadBytes + $1.offchipWriteBytes },
      bytes: bytes, actions: NamedAmounts(timing.actions.map { ($0.name, $0.count) }), commands: timing.commands,
      engines: zip(engineNames, timing.activities).map {
        Engine(name: $0, busy: $1.busy, stalls: RunReport.stalls($1))
      },
      layers: layers, plan: context.plan, outputs: context.outputs, accuracy: context.accuracy)
  }

  private static func stalls(_ activity: TimingResult.Activity) -> NamedAmounts<Int> {
    NamedAmounts(activity.stalls.map { ($0.cause.name, $0.cycles) })
  }

  /// The largest part of an engine's time in words.
  private static func limit(_ activity: TimingResult.Activity, _ names: [String]) -> String {
    var best = (name: "busy", cycles: activity.busy)
    for stall in activity.stalls where stall.cycles > best.cycles {
      let source = stall.cause.source.map { names.indices.contains($0) ? " from \(names[$0])" : "" } ?? ""
      best = (stall.cause.name + source, stall.cycles)
    }
    return best.name
  }

  /// Bytes by memory and direction, from actions named `MEMORY.read_bytes` and `MEMORY.write_bytes`.
  private static func bytes(in actions: [(name: String, count: Int)]) -> NamedAmounts<Int> {
    var result = NamedAmounts<Int>()
    for action in actions {
      for (suffix, direction) in [(".read_bytes", "read"), (".write_bytes", "write")]
      where action.name.hasSuffix(suffix) {
        result.add("\(action.name.dropLast(suffix.count))_\(direction)", action.count)
      }
    }
    return result
  }

  private static func share(_ macs: Int, of peak: Double, cycles: Int) -> Double {
    cycles > 0 && peak > 0 ? Double(macs) / (peak * Double(cycles)) : 0
  }
}

extension [Program.Node] {
  /// Whether any command below runs a contraction.
  fileprivate var containsContraction: Bool {
    contains { node in
      switch node {
      case .command(let command):
        if case .contract = command.operation { return true }
        return false
      case .loop(_, let body): return body.containsContraction
      }
    }
  }
}
