import PantileEngines
import PantileSupport
import Testing

/// The closed form and the register-transfer model of the systolic arrays, each judging the other.
@Suite struct SystolicTests {
  /// A random array of a kind, up to 16x16 but mostly small.
  static func array(
    _ kind: (dataflow: SystolicOptions.Dataflow, variant: SystolicOptions.Variant), _ random: inout SplitMix64
  ) -> SystolicOptions {
    func size() -> Int { 1 + random.next(below: random.next(below: 4) == 0 ? 16 : 6) }
    return SystolicOptions(
      rows: size(), columns: size(), dataflow: kind.dataflow, variant: kind.variant,
      peLatency: random.next(below: 3) == 0 ? 1 + random.next(below: 5) : 1)
  }

  static func command(_ random: inout SplitMix64, bits: Int = 8) -> SystolicCommand {
    func size() -> Int { 1 + random.next(below: random.next(below: 4) == 0 ? 24 : 9) }
    let extents = TileExtents(m: size(), k: size(), n: size())
    func values(_ count: Int) -> [Int16] {
      (0..<count).map { _ in Int16(random.next(below: 1 << bits) - (1 << (bits - 1))) }
    }
    return SystolicCommand(
      extents: extents, a: values(extents.m * extents.k), b: values(extents.k * extents.n),
      accumulates: random.next(below: 4) == 0)
  }

  @Test func closedFormEqualsStepperOnRandomCommands() {
    for kind in SystolicOptions.kinds {
      var random = SplitMix64(seed: 11)
      for _ in 0..<150 {
        let engine = ArrayEngine.systolic(
          SystolicOptions(
            rows: 1 + random.next(below: 9), columns: 1 + random.next(below: 9), dataflow: kind.dataflow,
            variant: kind.variant, peLatency: 1 + random.next(below: 3)))
        let shapes = (0..<3).map { _ in
          TileExtents(m: 1 + random.next(below: 24), k: 1 + random.next(below: 24), n: 1 + random.next(below: 24))
        }
        let found = ArrayCases.disagreements(engine, .int8, shapes, random: &random)
        #expect(found.isEmpty, "\(found.first ?? "")")
        if !found.isEmpty { return }
      }
    }
  }

  /// 10,500 random triples of kind, array and commands back to back: every use of every port in the same cycle, with the same
  /// value, and the array still while its enable is low.
  @Test(arguments: SystolicOptions.kinds.indices)
  func everyPortIsUsedWhenTheClosedFormSaysSo(kind: Int) {
    var random = SplitMix64(seed: 31 + UInt64(kind))
    for triple in 0..<1500 {
      let options = Self.array(SystolicOptions.kinds[kind], &random)
      let commands = (0..<(triple % 5 == 0 ? 3 : 1)).map { _ in Self.command(&random, bits: triple % 7 == 0 ? 16 : 8) }
      let expected = SystolicEdges.events(options, commands)
      let stepped = SystolicStepper.run(options, commands, .init(recordsEvents: true))
      let label = "\(options) \(commands.map(\.extents)) triple \(triple)"
      if let difference = Self.difference(stepped.events, expected, options) {
        Issue.record("\(label): \(difference)")
        return
      }
      guard triple % 4 == 0 else { continue }
      let freeze = (0..<stepped.result.cycles * 2).map { _ in random.next(below: 3) == 0 }
      let frozen = SystolicStepper.run(options, commands, .init(recordsEvents: true, freeze: freeze))
      let moving = freeze.indices.filter { !freeze[$0] } + (freeze.count..<freeze.count + stepped.result.cycles)
      let later = expected.map { EdgeEvent(cycle: moving[$0.cycle], port: $0.port, value: $0.value) }
      if let difference = Self.difference(frozen.events, later, options) {
        Issue.record("\(label), frozen: \(difference)")
        return
      }
      #expect(frozen.result.cycles == stepped.result.cycles + frozen.frozenCycles, "\(label)")
      #expect(frozen.result.commands.map(\.accumulators) == stepped.result.commands.map(\.accumulators), "\(label)")
    }
  }

  /// The first event in which two runs differ.
  static func difference(_ found: [EdgeEvent], _ expected: [EdgeEvent], _ options: SystolicOptions) -> String? {
    guard found != expected else { return nil }
    let ports = SystolicPorts(rows: options.rows, columns: options.columns)
    func text(_ events: [EdgeEvent], _ at: Int) -> String {
      at < events.count
        ? "cycle \(events[at].cycle) \(ports.name(events[at].port)) \(events[at].value)" : "no event"
    }
    let at = zip(found, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(found.count, expected.count)
    return "event \(at) is \(text(found, at)), closed form \(text(expected, at))"
  }

  /// The closed form of a command from its uses of ports alone.
  @Test func timingIsTheLastUseOfItsPorts() {
    var random = SplitMix64(seed: 77)
    for kind in SystolicOptions.kinds {
      for _ in 0..<200 {
        let options = Self.array(kind, &random)
        let extents = Self.command(&random).extents
        let timing = ArrayEngine.systolic(options).timing(extents, .int8)
        let edges = SystolicEdges(options, extents)
        let ports = SystolicPorts(rows: options.rows, columns: options.columns)
        let uses = (0..<edges.foldCount).flatMap { edges.uses(of: $0) }
        func last(_ port: Int) -> Int { uses.filter { $0.port == port }.map { $0.first + $0.count }.max() ?? 0 }
        let (row, column) = (last(ports.rowMemory), last(ports.columnMemory))
        let isExchanged = options.dataflow == .inputStationary
        #expect(timing.readA == (isExchanged ? column : row))
        #expect(timing.readB == (isExchanged ? row : column))
        let end = (0..<options.columns).map { last(ports.write($0)) }.max() ?? 0
        let full = (0..<options.columns).map { last(ports.result($0)) }.max() ?? 0
        #expect(timing.duration == full && end <= full)
      }
    }
  }

  @Test func everyPlantedFaultIsCaught() {
    for fault in SystolicStepper.Fault.allCases where fault != .none {
      for kind in SystolicOptions.kinds where Self.concerns(fault, kind) {
        for sizes in [(3, 4), (4, 3), (2, 2)] {
          let options = SystolicOptions(
            rows: sizes.0, columns: sizes.1, dataflow: kind.dataflow, variant: kind.variant, peLatency: 2)
          var random = SplitMix64(seed: 5)
          let caught = (0..<20).contains { _ in
            let command = Self.command(&random)
            let found = SystolicStepper.run(options, [command], .init(recordsEvents: true, fault: fault))
            return found.events != SystolicEdges.events(options, [command])
          }
          #expect(caught, "\(fault) in \(options)")
        }
      }
    }
  }

  /// Whether the machine has the interval that the fault shortens.
  static func concerns(
    _ fault: SystolicStepper.Fault, _ kind: (dataflow: SystolicOptions.Dataflow, variant: SystolicOptions.Variant)
  ) -> Bool {
    let isOutput = kind.dataflow == .outputStationary
    switch fault {
    case .none: return false
    case .stream, .skew, .stage: return true
    case .load: return !isOutput
    case .reload: return !isOutput && kind.variant != .serial
    case .slot: return isOutput && kind.variant == .overlapped
    case .turn: return kind.variant == .serial
    case .drain: return isOutput
    }
  }
}
