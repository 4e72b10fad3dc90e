import PantileEngines
import PantileSupport
import PantileTarget
import PantileTensor
import Testing

/// Bit-serial machines with broadcast operands as arrays of chips.
@Suite struct BitSerialBroadcastTests {
  static let encodings: [TermEncoding] = [.plain, .booth, .naf]

  static func machine(
    _ random: inout SplitMix64, policy: BitSerialMachine.TermPolicy, variant: FoldVariant
  ) -> BitSerialMachine {
    let serial = BitSerialMachine.SerialOperand.allCases[random.next(below: policy == .skipColumns ? 2 : 3)]
    let scopes: [BitSerialMachine.SyncScope] = [.element, .rows(1 + random.next(below: 4)), .tile, .array]
    var machine = BitSerialMachine(
      rows: 1 + random.next(below: 6), columns: 1 + random.next(below: 5), dotWidth: 1 + random.next(below: 5),
      encoding: encodings[random.next(below: encodings.count)], serialOperand: serial, termPolicy: policy,
      syncScope: policy == .fixed ? .array : scopes[random.next(below: 4)],
      runAhead: policy == .fixed ? 0 : random.next(below: 3),
      shiftReach: policy == .skipTerms && serial != .both && random.next(below: 3) == 0 ? random.next(below: 4) : nil,
      drainPorts: random.next(below: 3), pipelineDepth: random.next(below: 4), variant: variant)
    machine.tileRows = 1 + random.next(below: machine.rows)
    machine.tileColumns = 1 + random.next(below: machine.columns)
    return machine
  }

  static func extents(_ random: inout SplitMix64) -> TileExtents {
    TileExtents(m: 1 + random.next(below: 12), k: 1 + random.next(below: 30), n: 1 + random.next(below: 14))
  }

  /// Operands with many small numbers and zeros, so that steps differ.
  static func calm(_ input: ArrayStepInput, _ random: inout SplitMix64) -> ArrayStepInput {
    var input = input
    input.a = input.a.map { random.next(below: 2) == 0 ? $0 : $0 >> Int8(random.next(below: 8)) }
    input.b = input.b.map { random.next(below: 2) == 0 ? $0 : $0 >> Int8(random.next(below: 8)) }
    return input
  }

  static func measure(
    _ engine: ArrayEngine, _ input: ArrayStepInput, _ format: ContractionFormat, accumulate: Bool = false
  ) throws -> TileMeasure {
    let measure = try #require(engine.measure)
    var sums = [Int32](repeating: 0, count: input.extents.m * input.extents.n)
    return sums.withUnsafeMutableBufferPointer { sums in
      input.a.withUnsafeBufferPointer { a in
        input.b.withUnsafeBufferPointer { b in
          measure(
            input.extents, format,
            ArrayOperands(
              a: a.baseAddress!, b: b.baseAddress!, accumulators: sums.baseAddress!, accumulatorStride: input.extents.n),
            accumulate)
        }
      }
    }
  }

  @Test(arguments: FoldVariant.allCases.filter { $0 == .serial || $0 == .overlapped })
  func withoutSkippingClosedFormEqualsStepper(variant: FoldVariant) {
    var random = SplitMix64(seed: 31)
    for _ in 0..<200 {
      let engine = ArrayEngine.bitSerialBroadcast(Self.machine(&random, policy: .fixed, variant: variant))
      let format = ContractionFormat(weightBits: 2 + random.next(below: 7))
      let shapes = (0..<1 + random.next(below: 3)).map { _ in Self.extents(&random) }
      let found = ArrayCases.disagreements(engine, format, shapes, random: &random)
      #expect(found.isEmpty, "\(found)")
      #expect(engine.measure == nil)
    }
  }

  /// What a command takes is what the register-transfer model takes, no more than the closed form, and all of it is told.
  @Test(arguments: [BitSerialMachine.TermPolicy.skipTerms, .skipColumns])
  func measureEqualsStepper(policy: BitSerialMachine.TermPolicy) throws {
    var random = SplitMix64(seed: 32)
    var shorter = 0
    for turn in 0..<300 {
      let machine = Self.machine(&random, policy: policy, variant: turn % 3 == 0 ? .serial : .overlapped)
      let engine = ArrayEngine.bitSerialBroadcast(machine)
      let format = ContractionFormat(weightBits: 2 + random.next(below: 7))
      let extents = Self.extents(&random)
      let input = Self.calm(ArrayCases.input(extents, format: format, random: &random), &random)
      let measure = try Self.measure(engine, input, format)
      let stepped = engine.stepper([input], format)
      let longest = engine.timing(extents, format)
      #expect(measure.timing.duration == stepped.cycles, "\(machine) \(extents)")
      #expect(stepped.commands[0].accumulators == ArrayCases.product(input, format: format))
      #expect(measure.timing.duration <= longest.duration, "\(machine) \(extents)")
      if measure.timing.duration < longest.duration { shorter += 1 }
      let parts = measure.occupancy
      #expect(parts.total == measure.timing.duration * engine.multipliers, "\(machine) \(extents): \(parts)")
      #expect(parts.parts.allSatisfy { $0 >= 0 }, "\(machine) \(extents): \(parts)")
      // Terms counted one by one.
      func terms(_ value: Int8, _ bits: Int) -> Int {
        TermEncodingTests.positions(machine.encoding, Int(value), bits: bits).count
      }
      var work = 0
      for m in 0..<extents.m {
        for k in 0..<extents.k {
          for n in 0..<extents.n {
            let ofWeight = terms(input.b[k * extents.n + n], format.weightBits)
            let ofActivation = terms(input.a[m * extents.k + k], 8)
            switch machine.serialOperand {
            case .weight: work += ofWeight
            case .activation: work += ofActivation
            case .both: work += ofWeight * ofActivation
            }
          }
        }
      }
      #expect(parts.work == work, "\(machine) \(extents)")
      #expect(measure.actions.first { $0.name == "array.term.int8" }?.count == work)
    }
    #expect(shorter > 150)
  }

  /// Numbers that leave nothing to skip take what the closed form says, part by part: -3 has two one-bits and 4-bit two's complement, plain,
  /// has all four of -1.
  @Test func nothingToSkipIsTheClosedForm() throws {
    var random = SplitMix64(seed: 33)
    for turn in 0..<60 {
      var machine = Self.machine(&random, policy: .skipTerms, variant: turn % 2 == 0 ? .serial : .overlapped)
      machine.encoding = .plain
      machine.serialOperand = .weight
      machine.syncScope = .array
      machine.shiftReach = nil
      let engine = ArrayEngine.bitSerialBroadcast(machine)
      // Whole folds and steps: padding is zeros, which never wait, but units of missing rows are ahead.
      let extents = TileExtents(
        m: 1 + random.next(below: 9), k: 1 + random.next(below: 20), n: machine.rows * (1 + random.next(below: 3)))
      let format = ContractionFormat(weightBits: 4)
      var input = ArrayCases.input(extents, format: format, random: &random)
      input.b = input.b.map { _ in -1 }
      let measure = try Self.measure(engine, input, format, accumulate: true)
      #expect(measure.timing == engine.timing(extents, format))
      #expect(measure.occupancy == engine.occupancy(extents, format), "\(machine) \(extents)")
      #expect(measure.actions == engine.actions(extents, format, true))
    }
  }

  /// The longest step is one that some numbers take: found by trying many lanes at random, and never passed.
  @Test func theLongestStepIsTaken() throws {
    var random = SplitMix64(seed: 34)
    let known: [(TermEncoding, BitSerialMachine.TermPolicy, Int?, Int)] = [
      (.naf, .skipTerms, nil, 4), (.naf, .skipTerms, 3, 4), (.naf, .skipTerms, 0, 8), (.plain, .skipTerms, 2, 8),
      (.booth, .skipTerms, nil, 4), (.booth, .skipColumns, nil, 8), (.naf, .skipColumns, nil, 8),
      (.booth, .skipTerms, 1, 4),
    ]
    for (encoding, policy, reach, cycles) in known {
      let machine = BitSerialMachine(
        rows: 1, columns: 1, dotWidth: 12, encoding: encoding, serialOperand: .activation, termPolicy: policy,
        shiftReach: reach)
      let engine = ArrayEngine.bitSerialBroadcast(machine)
      let extents = TileExtents(m: 1, k: 12, n: 1)
      let longest = engine.timing(extents, .int8).duration
      var found = 0
      for _ in 0..<4000 {
        // Numbers with terms from a place on, dense ones and sparse ones.
        let a = (0..<12).map { _ -> Int8 in
          let place = random.next(below: 8)
          let dense: [Int] = [0x55, 0xAA, 0xFF, 1, random.next(below: 256)]
          return Int8(truncatingIfNeeded: dense[random.next(below: 5)] << place)
        }
        let input = ArrayStepInput(extents: extents, a: a, b: [Int8](repeating: 1, count: 12))
        found = max(found, try Self.measure(engine, input, .int8).timing.duration)
      }
      #expect(longest == cycles && found <= longest, "\(encoding) \(policy) \(reach ?? -1): \(found) of \(longest)")
      #expect(found == longest, "\(encoding) \(policy) \(reach ?? -1): \(found) of \(longest)")
    }
  }

  @Test func complaintsNameWhatDisagrees() throws {
    func check(_ fields: [String: FieldValue]) throws -> String? {
      let all = fields.merging(["rows": .count(4), "columns": .count(4)]) { own, _ in own }
      return ArrayFamily.bitSerialBroadcast.schema.check(ArrayFamilyTests.section(.bitSerialBroadcast, all))?.message
    }
    #expect(try check([:]) == nil)
    #expect(try #require(try check(["serial": .choice("both"), "encoding": .choice("lod2")])).contains("no code"))
    #expect(try #require(try check(["term_policy": .choice("fixed"), "run_ahead": .count(2)])).contains("say nothing"))
    #expect(try #require(try check(["sync": .choice("pe"), "run_ahead": .count(2)])).contains("says nothing"))
    #expect(try #require(try check(["tile_rows": .count(8)])).contains("8x4 is larger"))
    #expect(try #require(try check(["encoding": .choice("bit-column")])).contains("skip-zero-columns"))
    #expect(
      try #require(try check(["term_policy": .choice("skip-zero-columns"), "shift_reach": .count(2)])).contains("reach")
    )
  }
}
