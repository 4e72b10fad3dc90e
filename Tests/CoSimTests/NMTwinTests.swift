import Foundation
import PantileEngines
import PantileSupport
import PantileTensor
import Testing

/// The RTL twins of N:M arrays and their register-transfer models: the same uses of the same ports in the same cycles, the same sums.
@Suite(.serialized, .enabled(if: Twin.isAvailable, "verilator, g++ and make are not installed"))
struct NMTwinTests {
  /// Narrow enough that each of the three is waited for.
  static let narrow = NMSparseOptions.Ports(activation: 3, weight: 20, metadata: 4)

  /// A random array for one pattern.
  static func draw(
    _ dataflow: NMSparseOptions.Dataflow, _ variant: FoldVariant, ports: NMSparseOptions.Ports = .init(),
    _ random: inout SplitMix64
  ) throws -> NMTwin {
    let weightsStay = dataflow == .weightStationary
    let rows = 1 + random.next(below: 7)
    let group = [1, 2, 4, 8, 16][random.next(below: 5)]
    let pattern = try NMPattern(kept: 1 + random.next(below: weightsStay ? min(group, rows) : group), group: group)
    return NMTwin(
      options: NMSparseOptions(
        rows: rows, columns: 1 + random.next(below: 6), dataflow: dataflow,
        interleave: weightsStay ? 1 : 1 + random.next(below: 3), adderLatency: 1 + random.next(below: 4),
        multiplierLatency: random.next(below: 3), patterns: [pattern], variant: variant, ports: ports),
      pattern: pattern)
  }

  /// Shapes with edge folds in all directions, and some of a single row, group or column.
  static func products(_ twin: NMTwin, count: Int, _ random: inout SplitMix64) -> [ArrayStepInput] {
    let group = twin.pattern.group
    return (0..<count).map { index in
      let m = index == 0 ? 1 : 1 + random.next(below: 3 * twin.options.rows + 6)
      let groups = index == 1 ? 1 : 1 + random.next(below: max(3, 30 / group))
      let n = index == 2 ? 1 : 1 + random.next(below: 3 * twin.options.columns * twin.options.interleave)
      return input(TileExtents(m: m, k: groups * group, n: n), twin.pattern, &random)
    }
  }

  /// Seeded operands; the kept places of a group in ascending order.
  static func input(_ extents: TileExtents, _ pattern: NMPattern, _ random: inout SplitMix64) -> ArrayStepInput {
    let slots = extents.k / pattern.group * pattern.kept
    var indices = [UInt8](repeating: 0, count: slots * extents.n)
    for group in 0..<extents.k / pattern.group {
      for column in 0..<extents.n {
        var slot = 0
        for place in 0..<pattern.group where slot < pattern.kept {
          if random.next(below: pattern.group - place) < pattern.kept - slot {
            indices[(group * pattern.kept + slot) * extents.n + column] = UInt8(place)
            slot += 1
          }
        }
      }
    }
    func draw(_ count: Int) -> [Int8] { (0..<count).map { _ in Int8(random.next(below: 256) - 128) } }
    return ArrayStepInput(
      extents: extents, a: draw(extents.m * extents.k), b: draw(slots * extents.n), indices: indices)
  }

  static func difference(_ twin: NMTwin, _ inputs: [ArrayStepInput]) throws -> String? {
    for (input, outcome) in zip(inputs, try twin.run(inputs)) {
      let expected = twin.expected(input)
      let duration = ArrayEngine.nmSparse(twin.options).timing(
        input.extents, ContractionFormat(pattern: twin.pattern)
      ).duration
      if outcome != expected || duration != expected.cycles {
        return "\(twin) \(input.extents): RTL \(outcome), model \(expected), closed form \(duration)"
      }
    }
    return nil
  }

  @Test(arguments: NMSparseOptions.Dataflow.allCases, [NMSparseOptions.Ports(), narrow])
  func twinsEqualTheModelOnAFewProducts(
    dataflow: NMSparseOptions.Dataflow, ports: NMSparseOptions.Ports
  ) throws {
    var random = SplitMix64(seed: 12)
    let twin = NMTwin(
      options: NMSparseOptions(
        rows: 5, columns: 3, dataflow: dataflow, interleave: dataflow == .outputStationary ? 2 : 1, adderLatency: 3,
        multiplierLatency: 1, patterns: [try NMPattern(kept: 2, group: 8)], ports: ports),
      pattern: try NMPattern(kept: 2, group: 8))
    let found = try Self.difference(twin, Self.products(twin, count: 20, &random))
    #expect(found == nil)
  }

  @Test(.enabled(if: CoSimTests.isFull, "PANTILE_COSIM=full runs it: make cosim"))
  func twinsEqualTheModelOnRandomArrays() throws {
    var random = SplitMix64(seed: CoSimTests.seed)
    var cases = 0
    for _ in 0..<5 {
      for dataflow in NMSparseOptions.Dataflow.allCases {
        for variant in FoldVariant.allCases {
          let twin = try Self.draw(dataflow, variant, &random)
          let inputs = Self.products(twin, count: 12, &random)
          let found = try Self.difference(twin, inputs)
          #expect(found == nil)
          cases += inputs.count
        }
      }
    }
    print("cosim: \(cases) products on 20 N:M arrays, seed \(CoSimTests.seed)")
    #expect(cases >= 200)
  }

  /// Each port without limit in one of three arrays.
  @Test(.enabled(if: CoSimTests.isFull, "PANTILE_COSIM=full runs it: make cosim"))
  func twinsEqualTheModelOnRandomPorts() throws {
    var random = SplitMix64(seed: CoSimTests.seed &+ 1)
    func port(_ most: Int) -> Int { random.next(below: 3) == 0 ? 0 : 1 + random.next(below: most) }
    var cases = 0
    for _ in 0..<3 {
      for dataflow in NMSparseOptions.Dataflow.allCases {
        for variant in FoldVariant.allCases {
          let ports = NMSparseOptions.Ports(activation: port(30), weight: port(60), metadata: port(15))
          let twin = try Self.draw(dataflow, variant, ports: ports, &random)
          let inputs = Self.products(twin, count: 12, &random)
          let found = try Self.difference(twin, inputs)
          #expect(found == nil)
          cases += inputs.count
        }
      }
    }
    print("cosim: \(cases) products on 12 N:M arrays with random ports, seed \(CoSimTests.seed)")
    #expect(cases >= 100)
  }

  struct Plant: Sendable, CustomTestStringConvertible {
    var dataflow: NMSparseOptions.Dataflow
    var variant: FoldVariant
    var fault: NMFault
    var testDescription: String { "\(fault) in \(dataflow.rawValue) \(variant.rawValue)" }
  }

  /// An interval that is one cycle or beat short in the RTL is noticed.
  @Test(
    .enabled(if: CoSimTests.isFull, "PANTILE_COSIM=full runs it: make cosim"),
    arguments: [
      Plant(dataflow: .weightStationary, variant: .overlapped, fault: .load),
      Plant(dataflow: .weightStationary, variant: .serial, fault: .stream),
      Plant(dataflow: .weightStationary, variant: .overlapped, fault: .skew),
      Plant(dataflow: .weightStationary, variant: .overlapped, fault: .stage),
      Plant(dataflow: .weightStationary, variant: .serial, fault: .turn),
      Plant(dataflow: .outputStationary, variant: .serial, fault: .turn),
      Plant(dataflow: .outputStationary, variant: .overlapped, fault: .slot),
      Plant(dataflow: .outputStationary, variant: .serial, fault: .period),
      Plant(dataflow: .outputStationary, variant: .overlapped, fault: .drain),
      Plant(dataflow: .outputStationary, variant: .serial, fault: .skew),
      Plant(dataflow: .weightStationary, variant: .overlapped, fault: .port),
      Plant(dataflow: .outputStationary, variant: .overlapped, fault: .port),
    ])
  func aPlantedFaultIsCaught(_ plant: Plant) throws {
    var random = SplitMix64(seed: CoSimTests.seed)
    let pattern = try NMPattern(kept: 2, group: 4)
    let weightsStay = plant.dataflow == .weightStationary
    // A group that is held may come early by as many cycles as its last slot is idle: none when contexts hide the adder.
    let adder = plant.fault == .skew && !weightsStay ? 2 : 3
    let twin = NMTwin(
      options: NMSparseOptions(
        rows: 4, columns: 3, dataflow: plant.dataflow, interleave: weightsStay ? 1 : 2, adderLatency: adder,
        multiplierLatency: 1, patterns: [pattern], variant: plant.variant,
        ports: plant.fault == .port ? Self.narrow : .init()),
      pattern: pattern, fault: plant.fault)
    // Few groups and many folds show what a stream could hide.
    let short = Self.input(TileExtents(m: 12, k: 4, n: 12), pattern, &random)
    let inputs = [short] + Self.products(twin, count: 9, &random)
    let outcomes = try twin.run(inputs)
    let different = zip(inputs, outcomes).filter { twin.expected($0) != $1 }.count
    print("planted \(plant.testDescription) of an N:M array: \(different) of \(inputs.count) products differ")
    #expect(different > 0)
  }
}
