import PantileEngines
import PantileSupport
import PantileTensor
import Testing

/// Shortening what a closed form is made of by one cycle makes the register-transfer models compute wrong results.
@Suite struct TightnessTests {
  static func isRight(_ result: ArrayStepResult, _ inputs: [ArrayStepInput], _ format: ContractionFormat) -> Bool {
    zip(result.commands, inputs).allSatisfy { $0.accumulators == ArrayCases.product($1, format: format) }
  }

  static func isRight(
    _ options: SystolicOptions, _ inputs: [ArrayStepInput], _ fault: SystolicStepper.Fault
  ) -> Bool {
    let run = SystolicStepper.run(options, inputs.map { SystolicCommand($0) }, .init(fault: fault))
    return isRight(run.result, inputs, .int8)
  }

  static func isRight(
    _ options: NMSparseOptions, _ inputs: [ArrayStepInput], _ format: ContractionFormat, _ fault: NMFault
  ) -> Bool {
    let run = NMStepperOptions(fault: fault)
    let result =
      options.dataflow == .weightStationary
      ? NMWeightStepper.run(options, inputs, format, run) : NMSparseStepper.run(options, inputs, format, run)
    return isRight(result.result, inputs, format)
  }

  @Test func shorterDrainSlotsLoseResults() throws {
    var random = SplitMix64(seed: 41)
    for rows in 2...6 {
      let shape = TileExtents(m: 3 * rows, k: 1, n: 4)
      let inputs = (0..<2).map { _ in ArrayCases.input(shape, random: &random) }
      let systolic = SystolicOptions(rows: rows, columns: 3, dataflow: .outputStationary)
      let slot = 2 * rows - 1
      #expect(Self.isRight(systolic, inputs, .none))
      #expect(!Self.isRight(systolic, inputs, .slot))
      let serial = BitSerialOptions(rows: rows, columns: 3, dotWidth: 2)
      let format = ContractionFormat(weightBits: 2)
      let narrow = (0..<2).map { _ in ArrayCases.input(shape, format: format, random: &random) }
      #expect(Self.isRight(BitSerialStepper.run(serial, narrow, format, drainSlot: slot), narrow, format))
      #expect(!Self.isRight(BitSerialStepper.run(serial, narrow, format, drainSlot: slot - 1), narrow, format))
      for interleave in 1...3 {
        let sparse = NMSparseOptions(rows: rows, columns: 2, interleave: interleave, patterns: [])
        #expect(Self.isRight(sparse, inputs, .int8, .none))
        #expect(!Self.isRight(sparse, inputs, .int8, .slot))
      }
    }
  }

  /// Overlapped: the chain moves a cycle before the swap wave has reached the last PE. Skewed: it moves a row ahead of the wave.
  @Test(arguments: [SystolicOptions.Variant.overlapped, .skewed])
  func earlierReloadsUseWrongWeights(variant: SystolicOptions.Variant) {
    var random = SplitMix64(seed: 43)
    for rows in 2...6 {
      let options = SystolicOptions(rows: rows, columns: 7 - rows, dataflow: .weightStationary, variant: variant)
      let inputs = [ArrayCases.input(TileExtents(m: 1, k: 3 * rows, n: 7 - rows), random: &random)]
      #expect(Self.isRight(options, inputs, .none))
      #expect(!Self.isRight(options, inputs, .reload))
    }
  }

  /// R beats enter a chain of R rows; a stream that starts one beat earlier meets a chain that still moves.
  @Test(arguments: SystolicOptions.Variant.allCases)
  func shorterLoadsUseWrongWeights(variant: SystolicOptions.Variant) {
    var random = SplitMix64(seed: 44)
    for rows in 2...6 {
      let options = SystolicOptions(rows: rows, columns: 3, dataflow: .inputStationary, variant: variant)
      let inputs = [ArrayCases.input(TileExtents(m: 5, k: 3 * rows, n: 2), random: &random)]
      #expect(Self.isRight(options, inputs, .none))
      #expect(!Self.isRight(options, inputs, .load))
    }
  }

  @Test func shorterPeriodsReadSumsThatAreNotReady() throws {
    var random = SplitMix64(seed: 42)
    let format = ContractionFormat(pattern: try NMPattern(kept: 2, group: 4))
    for adder in 2...5 {
      for interleave in 1..<adder {
        let options = NMSparseOptions(
          rows: 2, columns: 3, interleave: interleave, adderLatency: adder, multiplierLatency: 1, patterns: [])
        let inputs = [ArrayCases.input(TileExtents(m: 4, k: 16, n: 7), format: format, random: &random)]
        #expect(Self.isRight(options, inputs, format, .none))
        #expect(!Self.isRight(options, inputs, format, .period))
      }
    }
  }

  /// Streams that start a beat before the load has ended, end a beat early, or meet skews and adders of another length.
  @Test(arguments: FoldVariant.allCases)
  func shorterIntervalsOfWeightStationarySparseArraysGiveWrongSums(variant: FoldVariant) throws {
    var random = SplitMix64(seed: 45)
    let pattern = try NMPattern(kept: 2, group: 4)
    let format = ContractionFormat(pattern: pattern)
    for rows in 4...7 {
      let options = NMSparseOptions(
        rows: rows, columns: 3, dataflow: .weightStationary, adderLatency: 2, multiplierLatency: 1,
        patterns: [pattern], variant: variant)
      let inputs = [ArrayCases.input(TileExtents(m: 5, k: 12 * rows, n: 4), format: format, random: &random)]
      #expect(Self.isRight(options, inputs, format, .none))
      for fault in [NMFault.load, .stream, .skew, .stage] {
        // The last row of an odd array holds no slot.
        if fault == .skew && rows % 2 == 1 { continue }
        let isRight = Self.isRight(options, inputs, format, fault)
        #expect(!isRight, "\(fault) with \(rows) rows")
      }
    }
  }

  @Test func boothDigitsAddUpToEveryWeight() {
    for bits in 2...8 {
      for weight in -(1 << (bits - 1))..<(1 << (bits - 1)) {
        let terms = BitSerialOptions(rows: 1, columns: 1).terms(weightBits: bits)
        let digits = (0..<terms).map { Int(BitSerialStepper.digit(Int8(weight), term: $0, bits: bits)) }
        #expect(digits.allSatisfy { (-2...2).contains($0) })
        #expect(digits.enumerated().reduce(0) { $0 + $1.element << (2 * $1.offset) } == weight)
      }
    }
  }
}
