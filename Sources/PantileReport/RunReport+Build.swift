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
    /// Multiply-accumulates of the dense network that the array does in a cycle at best, by format (plain number:
    /// bit-serial arrays have fractions).
    public var peakMACs: @Sendable (ContractionFormat) -> Double
    public var peakScratchpadBytes: Int
    public var plan: Plan
    public var outputs: [Output]
    public var accuracy: Accuracy?
    /// Whether times are those of given values: terms that were skipped took no time, so utilisation is what the array achieved of its peak.
    public var isMeasured: Bool

    /// - Parameters:
    ///   - peakMACsPerCycle: taken for all formats when there is no `array`.
    ///   - array: the chip's array; its peak depends on the format of each layer.
    public init(
      version: String, model: String, modelHash: String, peakMACsPerCycle: Double = 0, array: ArrayEngine? = nil,
      peakScratchpadBytes: Int, plan: Plan, outputs: [Output] = [], accuracy: Accuracy? = nil, isMeasured: Bool = false
    ) {
      self.version = version
      self.model = model
      self.modelHash = modelHash
      // An array counts kept weights only; the network's count is of the dense product.
      peakMACs = { format in
        guard let array else { return peakMACsPerCycle }
        return array.peakMACs(format) / format.keptShare
      }
      self.peakScratchpadBytes = peakScratchpadBytes
      self.plan = plan
      self.outputs = outputs
      self.accuracy = accuracy
      self.isMeasured = isMeasured
    }
  }

  /// Puts the books of a timing run in order: sums, energy, utilisation.
  /// - Precondition: `timing` is a run of `program` on `chip`.
  public init(timing: TimingResult, program: Program, chip: Chip, context: Context) {
    precondition(
      timing.layers.count == program.layers.count,
      "a run of \(timing.layers.count) layers is not of '\(program.name)' with \(program.layers.count)")
    let engineNames = timing.queueNames.map { String($0.split(separator: ".").last ?? Substring($0)) }
    // The array is the engine whose queue runs contractions; without one, the engine that was busy longest speaks.
    let arrayIndex =
      engineNames.indices.first { index in
        program.queues.contains { $0.engine == engineNames[index] && !$0.body.contractions.isEmpty }
      }
      ?? timing.activities.indices.max { a, b in (timing.activities[a].busy, -a) < (timing.activities[b].busy, -b) }
    let copying = program.queues.map(\.copies)
    var losses = NamedAmounts<Int>()
    var rollup = EnergyRollup(chip: chip)
    var components = NamedAmounts<Double>()
    var bytes = NamedAmounts<Int>()
    var layers: [Layer] = []
    let formats = program.layerFormats
    // Cycles that the array would take for the network at full use.
    var idealCycles = 0.0
    for (index, (timed, layer)) in zip(timing.layers, program.layers).enumerated() {
      let peak = context.peakMACs(formats[index] ?? .int8)
      if peak > 0 { idealCycles += Double(layer.macs) / peak }
      let actions = timed.actions.map { (name: $0.name, count: $0.count) }
      let energy = rollup.energy(of: actions, cycles: timed.cycles)
      let layerBytes = RunReport.bytes(in: actions)
      let main = timed.activities.indices.max { a, b in
        (timed.activities[a].busy, -a) < (timed.activities[b].busy, -b)
      }
      let activity = main.map { timed.activities[$0] }
      let lost =
        arrayIndex.map {
          Waterfall.amounts(
            timed.activities[$0], multipliers: timing.multipliers[$0], activities: timed.activities, copying: copying)
        } ?? NamedAmounts()
      losses.add(lost)
      let waterfall = Waterfall.steps(lost)
      layers.append(
        Layer(
          name: layer.name, nodes: layer.nodes, kind: layer.kind, engine: main.map { engineNames[$0] } ?? "",
          start: timed.start, cycles: timed.cycles, macs: layer.macs,
          utilization: context.isMeasured
            ? waterfall.last?.share ?? 0
            : peak > 0 && timed.cycles > 0 ? Double(layer.macs) / peak / Double(timed.cycles) : 0,
          busy: activity?.busy ?? 0, stalls: activity.map(RunReport.stalls) ?? NamedAmounts(),
          waterfall: waterfall,
          limit: main.map { RunReport.limit(timed.activities[$0], of: engineNames[$0], engineNames) } ?? "",
          bytes: layerBytes, energy: .init(totalPicojoules: energy.total, components: energy), commands: timed.commands)
      )
      components.add(energy)
      bytes.add(layerBytes)
    }
    let macs = program.layers.reduce(0) { $0 + $1.macs }
    let waterfall = Waterfall.steps(losses)
    let main = arrayIndex.map { timing.activities[$0] }
    self.init(
      version: context.version, model: context.model, modelHash: context.modelHash, chip: chip.name,
      chipHash: chip.hash, clockHertz: chip.clock.value, cycles: timing.cycles,
      seconds: Double(timing.cycles) / chip.clock.value, macs: macs,
      utilization: context.isMeasured
        ? waterfall.last?.share ?? 0 : timing.cycles > 0 ? idealCycles / Double(timing.cycles) : 0,
      stalls: main.map(RunReport.stalls) ?? NamedAmounts(), stalledEngine: arrayIndex.map { engineNames[$0] },
      waterfall: waterfall,
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
  private static func limit(_ activity: TimingResult.Activity, of engine: String, _ names: [String]) -> String {
    var best = (name: "\(engine) busy", cycles: activity.busy)
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
}

extension Program {
  /// The format of each layer's contractions; nil for layers without one.
  fileprivate var layerFormats: [ContractionFormat?] {
    var formats = [ContractionFormat?](repeating: nil, count: layers.count)
    for queue in queues {
      for (layer, tile) in queue.body.contractions where formats[layer] == nil { formats[layer] = tile.format }
    }
    return formats
  }
}

extension Program.Queue {
  /// Whether a command of it is a copy.
  fileprivate var copies: Bool { body.copies }
}

extension [Program.Node] {
  fileprivate var copies: Bool {
    contains { node in
      switch node {
      case .command(let command): if case .copy = command.operation { true } else { false }
      case .loop(_, let body): body.copies
      }
    }
  }

  /// All contractions below, with their layers.
  fileprivate var contractions: [(layer: Int, tile: Contract)] {
    flatMap { node -> [(layer: Int, tile: Contract)] in
      switch node {
      case .command(let command):
        if case .contract(let tile) = command.operation { return [(command.layer.offset, tile)] }
        return []
      case .loop(_, let body): return body.contractions
      }
    }
  }
}
