import PantileEngines
import PantileSupport
import PantileTensor
import Testing

/// What the multipliers of an array do in the duration of a command.
struct TileOccupancyTests {
  private static func extents(_ random: inout SplitMix64, multiple: Int = 1) -> TileExtents {
    func size() -> Int { 1 + random.next(below: random.next(below: 3) == 0 ? 60 : 9) }
    return TileExtents(m: size(), k: size() * multiple, n: size())
  }

  /// The parts fill the duration, nothing is negative, the work is the products, and whatever the next command may hide can be hidden.
  private static func check(
    _ engine: ArrayEngine, _ format: ContractionFormat, _ extents: TileExtents, work: Int
  ) -> String? {
    let timing = engine.timing(extents, format)
    let occupancy = engine.occupancy(extents, format)
    let name = "\(engine.summary) \(format) \(extents)"
    if occupancy.total != timing.duration * engine.multipliers {
      return "\(name): \(occupancy) is \(occupancy.total) of \(timing.duration) x \(engine.multipliers)"
    }
    if occupancy.parts.contains(where: { $0 < 0 }) { return "\(name): \(occupancy)" }
    if occupancy.work != work { return "\(name): work \(occupancy.work), not \(work)" }
    for cycles in [timing.nextIssue, (timing.nextIssue + timing.duration) / 2, timing.duration, timing.duration + 3] {
      let seen = occupancy.visible(in: cycles, multipliers: engine.multipliers)
      if seen.total != cycles * engine.multipliers || seen.parts.contains(where: { $0 < 0 }) || seen.work != work {
        return "\(name): \(seen) in \(cycles) cycles"
      }
    }
    return nil
  }

  @Test(arguments: 0..<SystolicOptions.kinds.count)
  func systolicPartsAddUp(kind: Int) {
    let (dataflow, variant) = SystolicOptions.kinds[kind]
    var random = SplitMix64(seed: UInt64(kind) + 1)
    for _ in 0..<400 {
      let options = SystolicOptions(
        rows: 1 + random.next(below: 9), columns: 1 + random.next(below: 9), dataflow: dataflow, variant: variant,
        peLatency: 1 + random.next(below: 3))
      let extents = Self.extents(&random)
      #expect(Self.check(.systolic(options), .int8, extents, work: extents.macs) == nil)
    }
  }

  /// Against folds that are walked one by one, PE by PE.
  @Test func edgesAreUnusedPEs() {
    var random = SplitMix64(seed: 9)
    for _ in 0..<100 {
      let options = SystolicOptions(rows: 1 + random.next(below: 6), columns: 1 + random.next(below: 6))
      let extents = Self.extents(&random)
      var (rows, columns) = (0, 0)
      for k in stride(from: 0, to: extents.k, by: options.rows) {
        for n in stride(from: 0, to: extents.n, by: options.columns) {
          for row in 0..<options.rows {
            for column in 0..<options.columns {
              if n + column >= extents.n { columns += extents.m } else if k + row >= extents.k { rows += extents.m }
            }
          }
        }
      }
      let occupancy = ArrayEngine.systolic(options).occupancy(extents, .int8)
      #expect(occupancy.edgeRows == rows && occupancy.edgeColumns == columns, "\(options) \(extents)")
    }
  }

  /// Streams that are long enough hide all loads but the first; short ones show them.
  @Test func loadsHideBehindLongStreams() {
    let array = ArrayEngine.systolic(SystolicOptions(rows: 4, columns: 4))
    let long = array.occupancy(TileExtents(m: 100, k: 16, n: 16), .int8)
    #expect(long.load == 4 * 16)
    // 2R + C - 2 = 10 cycles from load to load, 3 of them stream: 7 are lost 15 times.
    let short = array.occupancy(TileExtents(m: 3, k: 16, n: 16), .int8)
    #expect(short.load == 4 * 16 + 15 * 7 * 16)
  }

  @Test func bitSerialPartsAddUp() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<600 {
      let options = BitSerialOptions(
        rows: 1 + random.next(below: 7), columns: 1 + random.next(below: 7), dotWidth: 1 + random.next(below: 5),
        variant: random.next(below: 2) == 0 ? .serial : .overlapped)
      let format = ContractionFormat(weightBits: 2 + random.next(below: 7))
      let extents = Self.extents(&random)
      let terms = options.terms(weightBits: format.weightBits)
      #expect(Self.check(.bitSerial(options), format, extents, work: terms * extents.macs) == nil)
    }
  }

  /// With broadcast operands and nothing skipped, against the books of the event model.
  @Test func broadcastPartsAddUp() {
    var random = SplitMix64(seed: 14)
    for turn in 0..<600 {
      let machine = BitSerialBroadcastTests.machine(
        &random, policy: .fixed, variant: turn % 2 == 0 ? .serial : .overlapped)
      let bits = 2 + random.next(below: 7)
      let format = ContractionFormat(weightBits: bits)
      let extents = Self.extents(&random)
      let (ofWeight, ofActivation) = (machine.encoding.fixedTerms(bits: bits), machine.encoding.fixedTerms(bits: 8))
      let cost = [
        BitSerialMachine.SerialOperand.weight: ofWeight, .activation: ofActivation, .both: ofWeight * ofActivation,
      ][machine.serialOperand]!
      let engine = ArrayEngine.bitSerialBroadcast(machine)
      #expect(Self.check(engine, format, extents, work: cost * extents.macs) == nil)
      let zeros = [Int16](repeating: 0, count: 100 * 100)
      let run = machine.run(
        BitSerialProduct(
          m: extents.m, k: extents.k, n: extents.n, activations: Array(zeros.prefix(extents.m * extents.k)),
          activationBits: 8, weights: Array(zeros.prefix(extents.n * extents.k)), weightBits: bits))
      #expect(run.occupancy == engine.occupancy(extents, format), "\(machine) \(extents)")
    }
  }

  /// Bricks: a product of a bits by b bits takes as many as it has pairs of 2-bit pieces, of 16 for a byte by a byte.
  @Test func otherMultipliersPartsAddUp() {
    var random = SplitMix64(seed: 13)
    for turn in 0..<600 {
      let options = BitSerialOptions(
        rows: 1 + random.next(below: 7), columns: 1 + random.next(below: 7), dotWidth: 1 + random.next(below: 3),
        encoding: .plain, multiplication: turn % 2 == 0 ? .bricks : .serialActivation,
        variant: random.next(below: 2) == 0 ? .serial : .overlapped)
      let bits = 2 + random.next(below: 7)
      let extents = Self.extents(&random)
      let cost = turn % 2 == 1 ? 8 : [2: 4, 3: 8, 4: 8][bits] ?? 16
      #expect(
        Self.check(.bitSerial(options), ContractionFormat(weightBits: bits), extents, work: cost * extents.macs) == nil)
    }
  }

  @Test func sparsePartsAddUp() throws {
    var random = SplitMix64(seed: 4)
    let pattern = try NMPattern(kept: 2, group: 4)
    for turn in 0..<600 {
      let options = NMSparseOptions(
        rows: 1 + random.next(below: 7), columns: 1 + random.next(below: 7), interleave: 1 + random.next(below: 4),
        adderLatency: 1 + random.next(below: 4), multiplierLatency: random.next(below: 3), patterns: [pattern],
        variant: random.next(below: 2) == 0 ? .serial : .overlapped)
      let format = ContractionFormat(pattern: turn % 2 == 0 ? pattern : nil)
      let extents = Self.extents(&random, multiple: 4)
      let kept = extents.m * extents.n * format.storedRows(k: extents.k)
      #expect(Self.check(.nmSparse(options), format, extents, work: kept) == nil)
    }
  }

  @Test func sharesAddUp() {
    #expect(Shares.split(10, over: [1, 1, 1]) == [4, 3, 3])
    #expect(Shares.split(0, over: [0, 5]) == [0, 0])
    #expect(Shares.split(7, over: [0, 5, 0]) == [0, 7, 0])
    // Products beyond 64 bits.
    #expect(Shares.split(1 << 50, over: [1 << 40, 3 << 40]) == [1 << 48, 3 << 48])
    var random = SplitMix64(seed: 5)
    for _ in 0..<200 {
      let weights = (0..<5).map { _ in random.next(below: 50) } + [1]
      let total = random.next(below: weights.reduce(0, +) + 1)
      let parts = Shares.split(total, over: weights)
      #expect(parts.reduce(0, +) == total && zip(parts, weights).allSatisfy { $0 <= $1 && $0 >= 0 })
    }
  }
}
