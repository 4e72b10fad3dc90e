/// How many cycles each step of one fold keeps each unit busy: all that timing learns about values.
///
/// Costs are at least 1; missing rows, columns and lanes count as zeros.
struct StepCosts: Hashable, Sendable {
  var units: Int
  var steps: Int
  /// [step][unit].
  var cycles: [UInt16]

  /// The same cost everywhere.
  static func constant(_ cost: Int, units: Int, steps: Int) -> StepCosts {
    StepCosts(units: units, steps: steps, cycles: [UInt16](repeating: UInt16(cost), count: units * steps))
  }
}

/// A serial operand as terms: [line][k], a line being an output channel or a token.
struct TermMatrix: Sendable {
  var lines: Int
  var k: Int
  var terms: [TermEncoding.Terms]

  /// - Parameter values: [line][k].
  init(_ values: [Int16], lines: Int, k: Int, encoding: TermEncoding, bits: Int) {
    self.lines = lines
    self.k = k
    // 65,536 possible numbers at most: a table costs less than recoding each.
    let limit = 1 << 16
    var table = [TermEncoding.Terms](repeating: TermEncoding.Terms(plus: 0, minus: 0), count: limit)
    var isKnown = [Bool](repeating: false, count: limit)
    terms = values.map { value in
      let index = Int(UInt16(bitPattern: value))
      if !isKnown[index] {
        table[index] = encoding.terms(Int(value), bits: bits)
        isKnown[index] = true
      }
      return table[index]
    }
  }

  /// Terms that are not zero.
  var count: Int { terms.reduce(0) { $0 + $1.count } }

  /// Cycles that the lanes of one step of one line need.
  func cost(line: Int, from first: Int, width: Int, _ machine: BitSerialMachine) -> Int {
    let lanes = line * k + first..<line * k + min(first + width, k)
    var columns: UInt32 = 0
    var longest = 0
    for index in lanes {
      columns |= terms[index].positions
      longest = max(longest, terms[index].count)
    }
    if machine.termPolicy == .skipColumns { return max(1, columns.nonzeroBitCount) }
    guard let reach = machine.shiftReach else { return max(1, longest) }
    return rounds(lanes, reach: reach)
  }

  /// Cycles when a shared shifter aligns all lanes and each lane's own reaches `reach` positions further: in a cycle each lane gives its
  /// lowest pending term if it is within reach of the lowest of all.
  ///
  /// **Source** Albericio et al., "Bit-Pragmatic Deep Neural Network Computing", MICRO 2017: the 2-stage shifter.
  private func rounds(_ lanes: Range<Int>, reach: Int) -> Int {
    var pending = lanes.map { terms[$0].positions }
    var rounds = 0
    while true {
      let all = pending.reduce(0) { $0 | $1 }
      if all == 0 { return max(1, rounds) }
      let limit = all.trailingZeroBitCount + reach
      for lane in pending.indices where pending[lane] != 0 && pending[lane].trailingZeroBitCount <= limit {
        pending[lane] &= pending[lane] - 1
      }
      rounds += 1
    }
  }
}

extension StepCosts {
  /// The costs of one fold: lines `firstLine` on of the serial operand, one unit a line.
  init(_ matrix: TermMatrix, firstLine: Int, units: Int, _ machine: BitSerialMachine) {
    let width = machine.stepWidth
    let steps = ceilDiv(matrix.k, width)
    self.init(units: units, steps: steps, cycles: [UInt16](repeating: 1, count: units * steps))
    for unit in 0..<min(units, matrix.lines - firstLine) {
      for step in 0..<steps {
        cycles[step * units + unit] = UInt16(
          matrix.cost(line: firstLine + unit, from: step * width, width: width, machine))
      }
    }
  }

  /// The costs of one fold when both operands are serial: an element takes each pair of terms of a lane.
  ///
  /// **Source** Sharify et al., "Laconic Deep Learning Inference Acceleration", ISCA 2019.
  init(weights: TermMatrix, firstRow: Int, activations: TermMatrix, firstColumn: Int, _ machine: BitSerialMachine) {
    let (rows, columns) = machine.units
    let width = machine.stepWidth
    let steps = ceilDiv(weights.k, width)
    self.init(units: rows * columns, steps: steps, cycles: [UInt16](repeating: 1, count: rows * columns * steps))
    for row in 0..<min(rows, weights.lines - firstRow) {
      for column in 0..<min(columns, activations.lines - firstColumn) {
        for step in 0..<steps {
          var longest = 1
          for position in step * width..<min(step * width + width, weights.k) {
            let pairs =
              weights.terms[(firstRow + row) * weights.k + position].count
              * activations.terms[(firstColumn + column) * weights.k + position].count
            longest = max(longest, pairs)
          }
          cycles[step * rows * columns + row * columns + column] = UInt16(longest)
        }
      }
    }
  }
}
