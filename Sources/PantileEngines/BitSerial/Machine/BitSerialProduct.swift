/// The operands of a product C[m][n] = Σ_k A[m][k]·B[n][k] on a bit-serial machine: whole numbers, one line a token or output channel.
public struct BitSerialProduct: Hashable, Sendable {
  public var m: Int
  public var k: Int
  public var n: Int
  /// A: [m][k].
  public var activations: [Int16]
  public var activationBits: Int
  /// B: [n][k].
  public var weights: [Int16]
  public var weightBits: Int
  /// Bits of a weight in memory and on its stream: those of its code, which may be fewer than its number needs.
  public var storedWeightBits: Int
  /// One factor a group and output channel, [n][group]; empty is all 1. With a bit-serial scaling of s cycles below 2^s.
  public var scales: [Int32]

  public init(
    m: Int, k: Int, n: Int, activations: [Int16], activationBits: Int, weights: [Int16], weightBits: Int,
    storedWeightBits: Int? = nil, scales: [Int32] = []
  ) {
    self.m = m
    self.k = k
    self.n = n
    self.activations = activations
    self.activationBits = activationBits
    self.weights = weights
    self.weightBits = weightBits
    self.storedWeightBits = storedWeightBits ?? weightBits
    self.scales = scales
  }

  /// The plain product, group by group: what every machine has to compute.
  ///
  /// - Parameter group: inputs that share a scale; 0 is all.
  /// - Returns: [m][n], wrapping in 64 bits.
  public func reference(group: Int) -> [Int64] {
    let width = group == 0 ? k : group
    let groups = ceilDiv(k, width)
    var result = [Int64](repeating: 0, count: m * n)
    for row in 0..<m {
      for column in 0..<n {
        var sum: Int64 = 0
        for index in 0..<groups {
          var partial: Int64 = 0
          for position in index * width..<min(index * width + width, k) {
            partial += Int64(activations[row * k + position]) * Int64(weights[column * k + position])
          }
          sum &+= partial &* (scales.isEmpty ? 1 : Int64(scales[column * groups + index]))
        }
        result[row * n + column] = sum
      }
    }
    return result
  }
}

/// What a bit-serial machine takes for a product.
public struct BitSerialRun: Hashable, Sendable {
  public var cycles: Int
  public var parts: BitSerialCycles
  /// Rounds through the array: blocks of output channels times blocks of tokens.
  public var folds: Int
  /// Steps of all folds.
  public var steps: Int
  /// Cycles of the same product when no term is skipped.
  public var fixedCycles: Int
  /// Terms times numbers that they met: non-zero ones, or all where none is skipped; without padding.
  public var addedTerms: Int
  /// Terms of the serial operand that are not zero, and its numbers.
  public var nonzeroTerms: Int
  public var serialNumbers: Int
  /// Additions of a step's sum to an element's: one a cycle of work and element.
  public var accumulations: Int
  /// Those of elements that have a result of the product.
  var usedAccumulations: Int
  /// What the lanes of all elements do in all cycles.
  public var occupancy: TileOccupancy
  /// Bits that the edges take from their memories.
  public var weightBitsRead: Int
  public var activationBitsRead: Int
  /// Sums that were scaled, and results that left.
  public var scaledSums: Int

  /// Mean cycles of a step, without waits at the edges.
  public var meanStepCycles: Double { units == 0 ? 0 : Double(parts.work + parts.sync) / Double(steps * units) }
  /// Mean of the non-zero terms of a number.
  public var meanTerms: Double { serialNumbers == 0 ? 0 : Double(nonzeroTerms) / Double(serialNumbers) }
  public var units: Int
}

extension BitSerialMachine {
  /// Cycles of a product from its sizes alone, when no term is skipped.
  ///
  /// **Accuracy** exact, by the event model where there is no closed form.
  ///
  /// - Parameter storedWeightBits: bits of a weight on its stream; `weightBits` when nil.
  public func fixedCycles(
    m: Int, k: Int, n: Int, weightBits: Int, activationBits: Int, storedWeightBits: Int? = nil
  ) -> Int {
    let cost = fixedStepCycles(weightBits: weightBits, activationBits: activationBits)
    let feed = feedCycles(weightBits: storedWeightBits ?? weightBits, activationBits: activationBits)
    let folds = ceilDiv(n, rows) * ceilDiv(m, columns)
    if let cycles = closedForm(k: k, folds: folds, stepCycles: cost, feed: feed) { return cycles }
    var schedule = BitSerialSchedule(self, k: k, feed: feed)
    let units = units
    schedule.add(
      .constant(cost, units: units.rows * units.columns, steps: ceilDiv(k, stepWidth)), times: folds)
    schedule.finish()
    return schedule.cycles
  }

  /// Runs a product: costs from the values, then the event model.
  ///
  /// Folds go through blocks of output channels outside, blocks of tokens inside; weights stream once for each block of tokens.
  public func run(_ product: BitSerialProduct) -> BitSerialRun {
    let (weightBits, activationBits) = (product.weightBits, product.activationBits)
    let feed = feedCycles(weightBits: product.storedWeightBits, activationBits: activationBits)
    let (blocksN, blocksM) = (ceilDiv(product.n, rows), ceilDiv(product.m, columns))
    let steps = ceilDiv(product.k, stepWidth)
    let units = units
    let unitCount = units.rows * units.columns
    let weights = TermMatrix(
      product.weights, lines: product.n, k: product.k, encoding: encoding, bits: weightBits)
    let activations =
      serialOperand == .weight
      ? nil
      : TermMatrix(
        product.activations, lines: product.m, k: product.k, encoding: encoding, bits: activationBits)
    var book = BitSerialBook(self, product, feed: feed)
    let fixed = StepCosts.constant(
      fixedStepCycles(weightBits: weightBits, activationBits: activationBits), units: unitCount, steps: steps)
    for blockN in 0..<blocksN {
      if !isDataDependent {
        book.add(fixed, blockN: blockN, blocksM: 0..<blocksM)
        continue
      }
      switch (serialOperand, activations) {
      case (.activation, let activations?):
        for blockM in 0..<blocksM {
          book.add(
            StepCosts(activations, firstLine: blockM * columns, units: columns, self), blockN: blockN,
            blocksM: blockM..<blockM + 1)
        }
      case (.both, let activations?):
        for blockM in 0..<blocksM {
          book.add(
            StepCosts(
              weights: weights, firstRow: blockN * rows, activations: activations, firstColumn: blockM * columns, self),
            blockN: blockN, blocksM: blockM..<blockM + 1)
        }
      default:
        book.add(
          StepCosts(weights, firstLine: blockN * rows, units: rows, self), blockN: blockN, blocksM: 0..<blocksM)
      }
    }
    book.finish()
    let schedule = book.schedule
    let added = addedTerms(product, weights, activations)
    let folds = blocksN * blocksM
    let elements = rows * columns / max(1, unitCount)
    let groups = group == 0 ? 1 : ceilDiv(product.k, group)
    let serial = activations.flatMap { serialOperand == .activation ? $0 : nil } ?? weights
    return BitSerialRun(
      cycles: schedule.cycles, parts: schedule.parts, folds: folds, steps: folds * steps,
      fixedCycles: fixedCycles(
        m: product.m, k: product.k, n: product.n, weightBits: weightBits, activationBits: activationBits,
        storedWeightBits: product.storedWeightBits),
      addedTerms: added, nonzeroTerms: serial.count,
      serialNumbers: serial.lines * serial.k, accumulations: schedule.parts.work * elements,
      usedAccumulations: book.usedWork, occupancy: book.occupancy(work: added),
      weightBitsRead: folds * steps * rows * stepWidth * product.storedWeightBits,
      activationBitsRead: folds * steps * columns * stepWidth * activationBits,
      scaledSums: product.m * product.n * groups, units: unitCount)
  }

  /// Terms times the numbers they meet; padding is gated and not counted.
  private func addedTerms(_ product: BitSerialProduct, _ weights: TermMatrix, _ activations: TermMatrix?) -> Int {
    let products = product.m * product.k * product.n
    guard isDataDependent else {
      let step = fixedStepCycles(weightBits: product.weightBits, activationBits: product.activationBits)
      // Half as many adders as lanes.
      return termPolicy == .invertedColumns ? products * step / 2 : products * step
    }
    switch (serialOperand, activations) {
    case (.activation, let activations?): return activations.count * product.n
    case (.both, let activations?):
      var sum = 0
      for position in 0..<product.k {
        let ofWeights = stride(from: position, to: product.n * product.k, by: product.k).reduce(0) {
          $0 + weights.terms[$1].count
        }
        let ofActivations = stride(from: position, to: product.m * product.k, by: product.k).reduce(0) {
          $0 + activations.terms[$1].count
        }
        sum += ofWeights * ofActivations
      }
      return sum
    default: return weights.count * product.m
    }
  }
}
