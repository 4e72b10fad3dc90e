import PantileEngines
import PantileReport
import PantileSupport
import PantileSweep
import Testing

/// Shapes and arrays that nobody published, against a second count written straight from the description: whole numbers and fractions, no
/// code shared.
struct BitMoDRecountTests {
  @Test(arguments: 1...40)
  func randomStudyIsCountedTheSame(_ seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed) &* 0x9E37)
    let surroundings = try BitMoDStudy.Surroundings.load(root: repositoryRoot)
    let keyValueHeads = 1 << random.next(below: 3)
    let heads = keyValueHeads << random.next(below: 3)
    let hidden = heads * (1 + random.next(below: 200))
    let layers = 1 + random.next(below: 5)
    let shapes = (0..<3).map { _ in
      (k: 1 + random.next(below: 9000), n: 1 + random.next(below: 70000), count: 1 + random.next(below: 9))
    }
    let context = 1 + random.next(below: 900)
    let sides = (rows: 1 + random.next(below: 80), columns: 1 + random.next(below: 80), dot: 1 << random.next(below: 4))
    let sixteenths = 16 + random.next(below: 240)
    let isBitSerial = random.next(below: 2) == 0
    let linears = shapes.enumerated().map { "{name: l\($0), k: \($1.k), n: \($1.n), count: \($1.count)}" }
    let text = """
      contexts: [\(context)]
      tasks: [prefill, generate]
      models:
        - {name: m, hidden: \(hidden), heads: \(heads), kv_heads: \(keyValueHeads), layers: \(layers), linears: [\(linears.joined(separator: ", "))]}
      configurations:
        - {name: c, rows: \(sides.rows), cols: \(sides.columns), dot: \(sides.dot), weight_bits: \(Double(sixteenths) / 16), bit_serial: \(isBitSerial)}
      """
    let study = try BitMoDStudy.parse(text, path: "random.yaml", in: surroundings)
    for row in try study.rows(in: surroundings) {
      var recount = Recount(
        rows: sides.rows, columns: sides.columns, dot: sides.dot, sixteenths: sixteenths, isBitSerial: isBitSerial)
      let tokens = row.task == .prefill ? context : 1
      for shape in shapes {
        recount.add(
          shape.count, m: tokens, k: shape.k, n: shape.n, sixteenths: sixteenths, inputColumns: shape.k)
      }
      let cache = hidden / heads * keyValueHeads
      if row.task == .prefill {
        recount.add(layers, m: heads * context, k: hidden, n: context, sixteenths: 256, inputColumns: cache)
        recount.add(layers, m: context, k: context, n: heads * context, sixteenths: 256, inputColumns: cache)
      } else {
        recount.add(layers, m: heads, k: hidden, n: 1, sixteenths: 256, inputColumns: cache)
        recount.add(layers, m: 1, k: context, n: heads, sixteenths: 256, inputColumns: cache)
      }
      let counts = row.counts
      #expect(
        [counts.computeCycles.count, counts.dramCycles.count, counts.totalCycles.count]
          == [recount.compute, recount.dram, recount.total], "seed \(seed): \(text)")
      #expect(
        [counts.weightBytes.count, counts.inputBytes.count, counts.outputBytes.count]
          == [recount.weights, recount.inputs, recount.outputs], "seed \(seed): \(text)")
      #expect(
        [counts.weightPortWrites.count, counts.inputPortWrites.count] == [recount.weightWrites, recount.inputWrites],
        "seed \(seed): \(text)")
      #expect(row.energy == nil)
    }
  }

  /// Bit widths in sixteenths, so that everything is whole.
  private struct Recount {
    let rows: Int
    let columns: Int
    let dot: Int
    let sixteenths: Int
    let isBitSerial: Bool
    var compute = 0
    var dram = 0
    var total = 0
    var weights = 0
    var inputs = 0
    var outputs = 0
    var weightWrites = 0
    var inputWrites = 0

    mutating func add(_ count: Int, m: Int, k: Int, n: Int, sixteenths storedSixteenths: Int, inputColumns: Int) {
      let cycles = isBitSerial ? (sixteenths / 16 + 1) / 2 : 1
      let work = up(k, dot) * up(n, rows) * up(m, columns) * cycles
      let w = up(k * storedSixteenths, 128) * n
      let i = inputColumns * 2 * m
      let o = n * 2 * m
      let buffer = 512 * 1024
      var (fetchW, fetchI) = (1, 1)
      if w > buffer && i > buffer {
        if up(i, buffer) * w + i < up(w, buffer) * i + w { fetchW = up(i, buffer) } else { fetchI = up(w, buffer) }
      }
      let bus = (w * fetchW + i * fetchI + o) / 32
      compute += count * work
      dram += count * bus
      total += count * (work > bus ? work : bus)
      weights += count * w * fetchW
      inputs += count * i * fetchI
      outputs += count * o
      weightWrites += count * up(up(k * sixteenths, 128), 8) * 8 * n * fetchW
      inputWrites += count * (up(inputColumns * 2, 8) * 8 * m * fetchI + up(n * 2, 8) * 8 * m)
    }

    private func up(_ a: Int, _ b: Int) -> Int { a / b + (a % b > 0 ? 1 : 0) }
  }

  /// The bits of ports, and with them which energies there are.
  @Test(arguments: [
    (32, 32, 4, 4.0625, true, 512, 1024), (32, 24, 1, 16.0, false, 512, 384), (36, 32, 1, 4.5, false, 288, 512),
    (64, 16, 4, 3.0625, true, 512, 512), (64, 16, 4, 6.0625, true, 1024, 512), (72, 16, 1, 4.25, false, 576, 256),
  ])
  func portsHaveTheirWidth(
    _ rows: Int, _ columns: Int, _ dot: Int, _ bits: Double, _ isBitSerial: Bool, _ weights: Int, _ inputs: Int
  ) {
    let array = BitMoDArray(
      rows: rows, columns: columns, dotWidth: dot, weightBits: bits, isBitSerial: isBitSerial)
    #expect(array.weightPortBits(granule: 4, bits: bits) == weights)
    #expect(array.inputPortBits(activationBits: 16) == inputs)
  }

  @Test(arguments: [(8.0, 4), (6.0625, 3), (5.0, 3), (4.0625, 2), (3.0625, 2), (2.0, 1), (1.0, 1), (16.0, 8)])
  func bitSerialStepTakesHalfTheBits(_ bits: Double, _ cycles: Int) {
    let array = BitMoDArray(rows: 1, columns: 1, dotWidth: 1, weightBits: bits, isBitSerial: true)
    #expect(array.stepCycles(bits: bits) == cycles)
    let plain = BitMoDArray(rows: 1, columns: 1, dotWidth: 1, weightBits: bits, isBitSerial: false)
    #expect(plain.stepCycles(bits: bits) == 1)
  }

  /// The largest model that a file may describe is refused, not wrapped around.
  @Test func countBeyondSixtyFourBitsIsRefused() throws {
    let surroundings = try BitMoDStudy.Surroundings.load(root: repositoryRoot)
    let text = """
      contexts: [1048576]
      tasks: [prefill]
      models:
        - {name: m, hidden: 1048576, heads: 4096, kv_heads: 4096, layers: 4096, linears: [{name: l, k: 16777216, n: 16777216, count: 1048576}]}
      configurations:
        - {name: c, rows: 1, cols: 1, dot: 1, weight_bits: 32, bit_serial: true}
      """
    let study = try BitMoDStudy.parse(text, path: "huge.yaml", in: surroundings)
    let error = #expect(throws: DiagnosticError.self) { try study.rows(in: surroundings) }
    #expect(error?.codes == ["out-of-range"])
  }
}
