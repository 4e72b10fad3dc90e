/// A product C[m][n] = Σ_k A[m][k]·B[n][k] on a bit-serial machine with float16 activations: weights are taken a term at a time, activations
/// are aligned to the largest of their step and cycle.
public struct BitSerialFloatProduct: Sendable {
  public var m: Int
  public var k: Int
  public var n: Int
  /// A: [m][k], finite.
  public var activations: [Float16]
  /// B: [n][k], whole numbers.
  public var weights: [Int16]
  public var weightBits: Int
  /// Bits of a weight on its stream.
  public var storedWeightBits: Int

  public init(
    m: Int, k: Int, n: Int, activations: [Float16], weights: [Int16], weightBits: Int, storedWeightBits: Int? = nil
  ) {
    self.m = m
    self.k = k
    self.n = n
    self.activations = activations
    self.weights = weights
    self.weightBits = weightBits
    self.storedWeightBits = storedWeightBits ?? weightBits
  }

  /// The sizes and weights alone: all that cycles depend on.
  public var timed: BitSerialProduct {
    BitSerialProduct(
      m: m, k: k, n: n, activations: [], activationBits: 16, weights: weights, weightBits: weightBits,
      storedWeightBits: storedWeightBits)
  }

  /// The sums without any rounding, in units of 2^-24: every float16 is a whole number of them.
  ///
  /// - Returns: [m][n].
  public func exact() -> [Int128] {
    let units = activations.map { Int128(Int64(Double($0) * 0x1p24)) }
    var result = [Int128](repeating: 0, count: m * n)
    for row in 0..<m {
      for column in 0..<n {
        var sum: Int128 = 0
        for position in 0..<k { sum += units[row * k + position] * Int128(weights[column * k + position]) }
        result[row * n + column] = sum
      }
    }
    return result
  }
}

/// What a bit-serial machine computes with float16 activations.
public struct BitSerialFloatRun: Sendable {
  /// [m][n].
  public var values: [Float]
  /// [m][n]: no value is further from the exact sum.
  public var bounds: [Double]
}

extension BitSerialMachine {
  /// What is wrong with the machine for float16 activations; empty when nothing is.
  public var floatFaults: [String] {
    var result: [String] = []
    if serialOperand != .weight {
      result.append(
        "float16 activations are aligned, not serial; the serial operand must be weight, it is \(serialOperand.rawValue)"
      )
    }
    if termPolicy == .invertedColumns {
      result.append("inverted columns take all activations less some, which aligned sums do not")
    }
    if group != 0 && dequantCycles != 0 {
      result.append("sums of float16 activations are not scaled in the machine; leave the dequantisation cycles out")
    }
    return result
  }

  /// The values of a product with float16 activations, in the order in which the elements add.
  ///
  /// Cycles are those of `run(_:)` on `product.timed`. A group's sum begins at zero and is added to the sum of the groups before.
  /// - Precondition: `floatFaults` is empty; activations are finite.
  public func values(_ product: BitSerialFloatProduct) -> BitSerialFloatRun {
    let (m, k, n) = (product.m, product.k, product.n)
    let width = group == 0 ? k : group
    var result = BitSerialFloatRun(
      values: [Float](repeating: 0, count: m * n), bounds: [Double](repeating: 0, count: m * n))
    var terms: [(activation: Float16, power: Int, isNegative: Bool)] = []
    terms.reserveCapacity(dotWidth)
    for column in 0..<n {
      // The rounds of all steps of a line are the same for all tokens.
      var steps: [(first: Int, rounds: [[TermRounds.Pick]], endsGroup: Bool)] = []
      for groupStart in stride(from: 0, to: k, by: width) {
        let end = min(groupStart + width, k)
        for first in stride(from: groupStart, to: end, by: dotWidth) {
          let lanes = (first..<min(first + dotWidth, end)).map {
            encoding.terms(Int(product.weights[column * k + $0]), bits: product.weightBits)
          }
          steps.append((first, TermRounds.rounds(self, lanes, bits: product.weightBits), first + dotWidth >= end))
        }
      }
      for row in 0..<m {
        var sum: Float = 0
        var bound = 0.0
        var element = AlignedElement()
        for step in steps {
          for round in step.rounds {
            terms.removeAll(keepingCapacity: true)
            for pick in round {
              terms.append((product.activations[row * k + step.first + pick.lane], pick.power, pick.isNegative))
            }
            element.add(terms)
          }
          guard step.endsGroup else { continue }
          let isFirst = bound == 0 && sum == 0
          sum += element.sum
          bound += element.bound + (isFirst ? 0 : Double(sum.magnitude) * 0x1p-24)
          element = AlignedElement()
        }
        result.values[row * n + column] = sum
        // The bound's own additions round, too.
        result.bounds[row * n + column] = bound * (1 + 0x1p-30)
      }
    }
    return result
  }
}
