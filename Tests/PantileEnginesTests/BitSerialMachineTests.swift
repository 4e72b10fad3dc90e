import PantileEngines
import PantileSupport
import PantileTensor
import PantileTestSupport
import Testing

@Suite struct BitSerialMachineTests {
  /// The definition of the cycles, written out: costs counted number by number, times by the rules of `Docs/engines/bitserial.md` over
  /// a table of all steps. Shares nothing with the model but the parameters.
  static func counted(_ machine: BitSerialMachine, _ product: BitSerialProduct) -> Int {
    let width = machine.termPolicy == .invertedColumns ? 2 * machine.dotWidth : machine.dotWidth
    let steps = (product.k + width - 1) / width
    let unitRows = machine.serialOperand == .activation ? 1 : machine.rows
    let unitColumns = machine.serialOperand == .weight ? 1 : machine.columns
    let blocksM = (product.m + machine.columns - 1) / machine.columns
    let folds = (product.n + machine.rows - 1) / machine.rows * blocksM
    let drain = machine.drainPorts == 0 ? 0 : (machine.tileRows + machine.drainPorts - 1) / machine.drainPorts
    let interval = max(machine.dequantCycles, drain)
    let fill =
      (machine.rows + machine.tileRows - 1) / machine.tileRows - 1
      + (machine.columns + machine.tileColumns - 1) / machine.tileColumns - 1 + machine.pipelineDepth
    func stream(_ bits: Int, _ lines: Int, _ per: Int) -> Int { per == 0 ? 0 : (bits * lines * width + per - 1) / per }
    let feed = max(
      stream(product.storedWeightBits, machine.rows, machine.weightStreamBits),
      stream(product.activationBits, machine.columns, machine.activationStreamBits))

    func scope(_ row: Int, _ column: Int) -> [Int] {
      let size: (Int, Int) =
        switch machine.syncScope {
        case .element: (1, 1)
        case .rows(let rows): (rows, 1)
        case .tile: (machine.tileRows, machine.tileColumns)
        case .array: (machine.rows, machine.columns)
        }
      // Serial activations have units of one row: a scope is then what is left of it across.
      return [unitRows == 1 ? 0 : row / size.0, unitColumns == 1 ? 0 : column / size.1]
    }

    func positions(_ value: Int16, _ bits: Int) -> Set<Int> {
      TermEncodingTests.positions(machine.encoding, Int(value), bits: bits)
    }
    func cost(_ fold: Int, _ row: Int, _ column: Int, _ step: Int) -> Int {
      let line = fold / blocksM * machine.rows + row
      let token = fold % blocksM * machine.columns + column
      func weight(_ at: Int) -> Set<Int> {
        line < product.n && at < product.k ? positions(product.weights[line * product.k + at], product.weightBits) : []
      }
      func activation(_ at: Int) -> Set<Int> {
        token < product.m && at < product.k
          ? positions(product.activations[token * product.k + at], product.activationBits) : []
      }
      let places = step * width..<step * width + width
      let bits = machine.serialOperand == .activation ? product.activationBits : product.weightBits
      switch machine.termPolicy {
      case .fixed:
        let weightTerms = machine.encoding.fixedTerms(bits: product.weightBits)
        let activationTerms = machine.encoding.fixedTerms(bits: product.activationBits)
        return machine.serialOperand == .both
          ? weightTerms * activationTerms : machine.serialOperand == .weight ? weightTerms : activationTerms
      case .invertedColumns: return bits
      case .skipColumns:
        return max(
          1,
          places.reduce(into: Set<Int>()) {
            $0.formUnion(machine.serialOperand == .activation ? activation($1) : weight($1))
          }.count)
      case .skipTerms:
        if machine.serialOperand == .both {
          return max(1, places.map { weight($0).count * activation($0).count }.max() ?? 1)
        }
        var lanes = places.map { (machine.serialOperand == .activation ? activation($0) : weight($0)).sorted() }
        guard let reach = machine.shiftReach else { return max(1, lanes.map(\.count).max() ?? 1) }
        var rounds = 0
        while let lowest = lanes.compactMap(\.first).min() {
          for lane in lanes.indices where lanes[lane].first.map({ $0 <= lowest + reach }) ?? false {
            lanes[lane].removeFirst()
          }
          rounds += 1
        }
        return max(1, rounds)
      }
    }

    var ends: [[[Int]]] = []  // [global step][row][column]
    var lastHandover = [[Int]](
      repeating: [Int](repeating: Int.min / 2, count: unitColumns), count: unitRows)
    var fetched = 0
    var begin = 0
    var total = 0
    for fold in 0..<folds {
      if fold == 0 || machine.variant == .serial { begin += fill }
      if fold > 0 && machine.variant == .serial {
        lastHandover = lastHandover.map { $0.map { _ in Int.min / 2 } }
        fetched = begin
      }
      if fold == 0 { fetched = begin }
      var inGroup = 0
      let perGroup = machine.group == 0 ? steps : machine.group / width
      for step in 0..<steps {
        let number = fold * steps + step
        if feed > 0 {
          let slot = number - machine.operandSlots
          // Folds one after another find all slots free.
          let isOwn = machine.variant == .overlapped || slot >= fold * steps
          let free = slot >= 0 && isOwn ? ends[slot].flatMap { $0 }.max() ?? 0 : 0
          fetched = max(fetched, free) + feed
        }
        inGroup += 1
        var row = [[Int]](repeating: [Int](repeating: 0, count: unitColumns), count: unitRows)
        for r in 0..<unitRows {
          for c in 0..<unitColumns {
            var start = step == 0 ? begin : ends[number - 1][r][c]
            if step - 1 - machine.runAhead >= 0 {
              for v in 0..<unitRows {
                for w in 0..<unitColumns where scope(v, w) == scope(r, c) {
                  start = max(start, ends[number - 1 - machine.runAhead][v][w])
                }
              }
            }
            if feed > 0 { start = max(start, fetched) }
            var end = start + cost(fold, r, c, step)
            if inGroup == perGroup || step == steps - 1 {
              end = max(end, lastHandover[r][c] + interval)
              lastHandover[r][c] = end
            }
            row[r][c] = end
          }
        }
        if inGroup == perGroup { inGroup = 0 }
        ends.append(row)
      }
      begin = ends[fold * steps + steps - 1].flatMap { $0 }.max() ?? 0
      total = begin + machine.dequantCycles + drain
      if machine.variant == .serial { begin = total }
    }
    return total
  }

  @Test func cyclesEqualTheWrittenOutDefinitionAndTheStepper() {
    var random = SplitMix64(seed: 5)
    var policies: Set<String> = []
    for _ in 0..<1500 {
      let machine = BitSerialCase.machine(&random)
      let item = BitSerialCase(machine: machine, product: BitSerialCase.product(machine, &random))
      let run = machine.run(item.product)
      let stepped = BitSerialMachineStepper.run(machine, item.product)
      let counted = Self.counted(machine, item.product)
      #expect(run.cycles == counted, "counted \(item)")
      #expect(run.cycles == stepped.cycles, "stepped \(item)")
      #expect(stepped.values == item.product.reference(group: machine.group), "values \(item)")
      #expect(run.parts.total == run.cycles * run.units, "parts \(item)")
      if !machine.isDataDependent { #expect(run.cycles == run.fixedCycles, "fixed \(item)") }
      if run.cycles != counted || run.cycles != stepped.cycles { return }
      policies.insert("\(machine.serialOperand) \(machine.termPolicy) \(machine.encoding)")
    }
    #expect(policies.count > 30)
  }

  /// The formula in powers and products equals the event model wherever it is given.
  @Test func closedFormEqualsTheEventModelWithoutSkipping() {
    var random = SplitMix64(seed: 6)
    for _ in 0..<3000 {
      var machine = BitSerialCase.machine(&random)
      machine.termPolicy = machine.encoding == .lod2 ? .fixed : machine.termPolicy
      guard !machine.isDataDependent else { continue }
      let (m, k, n) = (1 + random.next(below: 40), 1 + random.next(below: 300), 1 + random.next(below: 40))
      let product = BitSerialProduct(
        m: m, k: k, n: n, activations: [], activationBits: 8, weights: [Int16](repeating: 0, count: k * n),
        weightBits: 8)
      let fixed = machine.fixedCycles(m: m, k: k, n: n, weightBits: 8, activationBits: 8)
      #expect(fixed == machine.run(product).cycles, "\(machine) \(m) \(k) \(n)")
    }
  }

  /// A planted fault of one cycle or step is noticed by the comparison.
  @Test(arguments: BitSerialMachineStepper.Fault.allCases.filter { $0 != .none })
  func aShorterIntervalIsNoticed(fault: BitSerialMachineStepper.Fault) {
    var random = SplitMix64(seed: 7)
    var different = 0
    for _ in 0..<300 {
      let machine = BitSerialCase.machine(&random)
      let product = BitSerialCase.product(machine, &random)
      let stepped = BitSerialMachineStepper.run(machine, product, fault: fault)
      if stepped.cycles != machine.run(product).cycles { different += 1 }
    }
    #expect(different > 3, "\(fault): \(different)")
  }

  // MARK: Corner cases

  /// A group of 16 in four steps of two terms takes as long as a bit-serial scale; with one term a step it waits 4 cycles a group.
  @Test(arguments: [(weight: 3, stall: 0), (weight: 1, stall: 4)])
  func scalingStallsWhenGroupsAreShort(weight: Int16, stall: Int) {
    let machine = BitSerialMachine(
      rows: 2, columns: 2, dotWidth: 4, encoding: .lod2, termPolicy: .skipTerms, group: 16, dequantCycles: 8)
    let groups = 6
    let k = 16 * groups
    let product = BitSerialProduct(
      m: 2, k: k, n: 2, activations: [Int16](repeating: 1, count: 2 * k), activationBits: 8,
      weights: [Int16](repeating: weight, count: 2 * k), weightBits: 4)
    let run = machine.run(product)
    // The first group has nobody to wait for; the last one's scaling stands behind.
    #expect(run.parts.dequantisation == run.units * stall * (groups - 1))
    #expect(run.cycles == groups * 4 * (weight == 3 ? 2 : 1) + stall * (groups - 1) + 8)
  }

  /// Groups of 32 in MX formats have time to spare.
  @Test func groupsOfThirtyTwoHideTheirScale() {
    let machine = BitSerialMachine(
      rows: 8, columns: 8, dotWidth: 4, encoding: .lod2, termPolicy: .fixed, group: 32, dequantCycles: 8)
    #expect(machine.fixedCycles(m: 8, k: 320, n: 8, weightBits: 5, activationBits: 8) == 320 / 4 * 2 + 8)
  }

  @Test func oddLengthsAndOneTokenTakeWholeSteps() {
    let machine = BitSerialMachine(
      rows: 4, columns: 8, dotWidth: 4, encoding: .booth, termPolicy: .fixed, group: 8)
    // 13 inputs are 4 steps; one token and one output channel are one fold.
    #expect(machine.fixedCycles(m: 1, k: 13, n: 1, weightBits: 8, activationBits: 8) == 4 * 4)
    #expect(machine.fixedCycles(m: 8, k: 13, n: 4, weightBits: 8, activationBits: 8) == 4 * 4)
    #expect(machine.fixedCycles(m: 9, k: 13, n: 5, weightBits: 8, activationBits: 8) == 4 * 4 * 4)
  }

  /// More freedom never costs a cycle: a narrower scope, more run-ahead, more reach.
  @Test func freedomNeverCosts() {
    var random = SplitMix64(seed: 8)
    for _ in 0..<300 {
      var machine = BitSerialCase.machine(&random, serial: .weight)
      machine.termPolicy = machine.encoding == .bitColumn ? .skipColumns : .skipTerms
      guard machine.faults.isEmpty else { continue }
      let product = BitSerialCase.product(machine, &random)
      let cycles = machine.run(product).cycles
      var ahead = machine
      ahead.runAhead += 1 + random.next(below: 4)
      #expect(ahead.run(product).cycles <= cycles)
      var narrow = machine
      narrow.syncScope = .element
      #expect(narrow.run(product).cycles <= cycles)
      var fixed = machine
      fixed.termPolicy = .fixed
      fixed.shiftReach = nil
      if machine.shiftReach == nil && machine.termPolicy == .skipTerms
        && product.weights.allSatisfy({
          fixed.encoding.refusal(of: Int($0), bits: product.weightBits, allowsLowest: false) == nil
        })
      {
        #expect(cycles <= fixed.run(product).cycles)
      }
    }
  }

  /// Mean cycles of normal weights in lock step, against those measured once on other draws of the same kind.
  @Test(
    arguments: [
      ("int8", TermEncoding.plain, 5.8123, 6.8888, 7.9519), ("int8", .signMagnitude, 3.8411, 4.6555, 5.781),
      ("int8", .booth, 3.4472, 3.9278, 4.0), ("int8", .naf, 3.0605, 3.5271, 4.0),
      ("int5", .naf, 1.8736, 2.0882, 2.7739), ("int4", .signMagnitude, 1.4342, 1.8976, 2.1469),
      ("bitmod-fp4", .lod2, 1.7925, 1.9982, 2.0), ("bitmod-fp3", .lod2, 1.0802, 1.2783, 1.9948),
    ] as [(String, TermEncoding, Double, Double, Double)])
  func lockStepMeansOfNormalWeights(
    format: String, encoding: TermEncoding, of4: Double, of16: Double, of16by16: Double
  ) throws {
    let (n, k) = (64, 4096)
    // Integers have a scale a channel there, BitMoD's formats one for 128 weights.
    let named = try NumberFormat.named(format)
    let matrix = try QuantisedMatrix(
      GaussianWeights.values(count: n * k, seed: 3), rows: n, columns: k,
      format: format.hasPrefix("int") ? try named.withGroup(k) : named)
    let numbers = try SerialNumbers(matrix)
    let product = BitSerialProduct(
      m: 1, k: k, n: n, activations: [], activationBits: 8, weights: numbers.values,
      weightBits: try SerialNumbers.numberRange(of: matrix.format).bits)
    for (lanes, rows, expected) in [(4, 1, of4), (16, 1, of16), (16, 16, of16by16)] {
      let machine = BitSerialMachine(
        rows: rows, columns: 1, dotWidth: lanes, encoding: encoding, termPolicy: .skipTerms)
      let mean = machine.run(product).meanStepCycles
      #expect(abs(mean - expected) < 0.02 * expected, "\(format) \(encoding) \(lanes)x\(rows): \(mean), \(expected)")
    }
  }
}
