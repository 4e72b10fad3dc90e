import Foundation
import PantileEngines
import PantileSupport
import Testing

/// The RTL twins (L0), the register-transfer model (L1) and the closed form (L2): the same uses of the same ports in the same cycles.
///
/// `PANTILE_COSIM=full` runs all of it (`make cosim`), `PANTILE_COSIM_SEED` chooses arrays and shapes.
@Suite(.serialized, .enabled(if: Twin.isAvailable, "verilator, g++ and make are not installed"))
struct CoSimTests {
  static let isFull = ProcessInfo.processInfo.environment["PANTILE_COSIM"] == "full"
  static let seed = ProcessInfo.processInfo.environment["PANTILE_COSIM_SEED"].flatMap(UInt64.init) ?? 1

  /// What levels 1 and 2 say about a case, and where they differ.
  static func expected(_ twin: Twin, _ item: Twin.Case) -> (outcome: Twin.Outcome, events: [EdgeEvent], fault: String?) {
    let command = item.command(width: twin.width)
    let duration = ArrayEngine.systolic(twin.options).timing(item.extents, .int8).duration
    // Enough cycles for a pattern that leaves the array at least one in 256 of them.
    let freeze = item.frozen(cycles: duration * 256)
    let run = SystolicStepper.run(twin.options, [command], .init(recordsEvents: true, freeze: freeze))
    var predicted = SystolicEdges.events(twin.options, [command])
    if !freeze.isEmpty {
      let moving = freeze.indices.filter { !freeze[$0] }
      for index in predicted.indices { predicted[index].cycle = moving[predicted[index].cycle] }
    }
    var fault: String?
    if run.result.cycles != duration + run.frozenCycles {
      fault = "stepped \(run.result.cycles) cycles, closed form \(duration) and \(run.frozenCycles) frozen"
    } else if run.events != predicted {
      fault = "the stepper's events differ from the closed form's"
    }
    return (
      Twin.Outcome(
        cycles: run.result.cycles, frozenCycles: run.frozenCycles, events: run.events.count,
        hash: EdgeEvent.hash(run.events), mismatches: 0), run.events, fault
    )
  }

  /// Runs cases on a twin and on the model. Returns the first difference.
  static func difference(_ twin: Twin, _ cases: [Twin.Case]) throws -> String? {
    let outcomes = try twin.run(cases).outcomes
    for (item, outcome) in zip(cases, outcomes) {
      let (expected, events, fault) = expected(twin, item)
      if let fault { return "\(twin) \(item): \(fault)" }
      guard outcome != expected else { continue }
      let found = try twin.events(item)
      let at = zip(found, events).enumerated().first { $1.0 != $1.1 }?.offset ?? min(found.count, events.count)
      let ports = SystolicPorts(rows: twin.options.rows, columns: twin.options.columns)
      func text(_ list: [EdgeEvent]) -> String {
        at < list.count ? "cycle \(list[at].cycle) \(ports.name(list[at].port)) \(list[at].value)" : "nothing"
      }
      return "\(twin) \(item): RTL \(outcome), model \(expected); first event \(at): RTL \(text(found)), model \(text(events))"
    }
    return nil
  }

  /// Shapes with edge folds, folds along K, single rows and columns; about a quarter is frozen now and then.
  static func cases(_ options: SystolicOptions, count: Int, _ random: inout SplitMix64) -> [Twin.Case] {
    func size(_ granule: Int) -> Int {
      switch random.next(below: 5) {
      case 0: return 1 + random.next(below: 3)
      case 1: return granule * (1 + random.next(below: 3))
      default: return 1 + random.next(below: 3 * granule + 8)
      }
    }
    let granule = max(options.rows, options.columns)
    return (0..<count).map { _ in
      Twin.Case(
        extents: TileExtents(m: size(granule), k: size(granule), n: size(granule)),
        accumulates: random.next(below: 3) == 0, seed: random.next() >> 1,
        freeze: random.next(below: 4) == 0 ? 1 + random.next(below: 200) : 0)
    }
  }

  /// Three arrays of each kind: one row or column, small, and up to 16x16.
  static func twins(_ random: inout SplitMix64) -> [Twin] {
    SystolicOptions.kinds.flatMap { kind in
      (0..<3).map { size in
        let narrow = random.next(below: 3)
        let sizes =
          switch size {
          case 0: (narrow == 0 ? 1 + random.next(below: 6) : 1, narrow == 1 ? 2 + random.next(below: 5) : 1)
          case 1: (2 + random.next(below: 5), 2 + random.next(below: 5))
          default: (5 + random.next(below: 12), 5 + random.next(below: 12))
          }
        return Twin(
          options: SystolicOptions(
            rows: sizes.0, columns: sizes.1, dataflow: kind.dataflow, variant: kind.variant,
            peLatency: 1 + random.next(below: 2) * random.next(below: 4)),
          width: random.next(below: 4) == 0 ? 16 : 8)
      }
    }
  }

  /// One array of each dataflow with a few shapes, so that `make test` stays short.
  @Test func twinsEqualTheModelOnAFewShapes() throws {
    var random = SplitMix64(seed: 3)
    for options in [
      SystolicOptions(rows: 3, columns: 4), SystolicOptions(rows: 4, columns: 3, dataflow: .outputStationary),
      SystolicOptions(rows: 4, columns: 2, dataflow: .inputStationary, variant: .skewed, peLatency: 2),
    ] {
      let found = try Self.difference(Twin(options: options), Self.cases(options, count: 20, &random))
      #expect(found == nil)
    }
  }

  @Test(.enabled(if: isFull, "PANTILE_COSIM=full runs it: make cosim"))
  func twinsEqualTheModelOnRandomTriples() throws {
    var random = SplitMix64(seed: Self.seed)
    var triples = 0
    var frozen = 0
    for twin in Self.twins(&random) {
      let cases = Self.cases(twin.options, count: 16, &random)
      let found = try Self.difference(twin, cases)
      #expect(found == nil)
      triples += cases.count
      frozen += cases.filter { $0.freeze > 0 }.count
      print("cosim \(twin): \(cases.count) cases, \(found == nil ? "equal" : "DIFFERENT")")
    }
    print("cosim: \(triples) triples, \(frozen) of them frozen now and then, seed \(Self.seed)")
    #expect(triples >= 300)
  }
}
