import PantileEngines
import PantileSupport
import PantileTestSupport
import Testing

/// Float16 activations on bit-serial machines, against the definition in whole numbers.
@Suite struct AlignedElementTests {
  /// value · 2^60 of a float16, exactly.
  private static func whole(_ value: Float16) -> Int128 { Int128(Int64(Double(value) * 0x1p24)) << 36 }

  /// To the nearest multiple of `unit`, ties to the even one.
  private static func nearest(_ value: Int128, _ unit: Int128) -> Int128 {
    var quotient = value / unit
    var rest = value - quotient * unit
    if rest < 0 { (quotient, rest) = (quotient - 1, rest + unit) }
    if 2 * rest > unit || (2 * rest == unit && quotient & 1 == 1) { quotient += 1 }
    return quotient * unit
  }

  /// To 24 significant bits.
  private static func float(_ value: Int128) -> Int128 {
    let bits = 128 - value.magnitude.leadingZeroBitCount
    return bits <= 24 ? value : nearest(value, Int128(1) << Int128(bits - 24))
  }

  /// One cycle by its definition: lanes rounded to the grid of the largest, summed, added, rounded. In units of 2^-60.
  private static func added(
    _ sum: Int128, _ terms: [(activation: Float16, power: Int, isNegative: Bool)]
  ) -> Int128 {
    let lanes = terms.filter { $0.activation != 0 }
    guard !lanes.isEmpty else { return sum }
    // The exponent of a subnormal's first place is that of the smallest normal.
    let largest = lanes.map { max($0.activation.exponent == .min ? -14 : Int($0.activation.exponent), -14) + $0.power }
      .max()!
    let grid = Int128(1) << Int128(60 + largest - 13)
    var total: Int128 = 0
    for lane in lanes {
      let value = nearest(whole(lane.activation.magnitude) << Int128(lane.power), grid)
      total += (lane.activation < 0) != lane.isNegative ? -value : value
    }
    return float(sum + total)
  }

  static func activation(_ random: inout SplitMix64) -> Float16 {
    switch random.next(below: 6) {
    case 0: return 0
    case 1: return Float16(bitPattern: UInt16(random.next(below: 0x7c00)))
    case 2: return -Float16(bitPattern: UInt16(random.next(below: 0x7c00)))
    // Subnormal, and near one another.
    case 3: return Float16(bitPattern: UInt16(random.next(below: 0x400)))
    default: return Float16(Double(random.next(below: 4001) - 2000) / 512)
    }
  }

  @Test func cyclesAreTheirDefinition() {
    var random = SplitMix64(seed: 5)
    for _ in 0..<4000 {
      var element = AlignedElement()
      var expected: Int128 = 0
      var exact: Int128 = 0
      for _ in 0..<1 + random.next(below: 12) {
        let terms = (0..<1 + random.next(below: 5)).map { _ in
          (activation: Self.activation(&random), power: random.next(below: 9), isNegative: random.next(below: 2) == 1)
        }
        element.add(terms)
        expected = Self.added(expected, terms)
        for term in terms {
          let value = Self.whole(term.activation) << Int128(term.power)
          exact += term.isNegative ? -value : value
        }
        #expect(Double(element.sum) * 0x1p60 == Double(expected))
      }
      #expect(Double((expected - exact).magnitude) * 0x1p-60 <= element.bound)
    }
  }

  /// All machines: no sum is further from the exact one than its bound; one lane and one term a number lose nothing but in the sum.
  @Test func sumsKeepTheirBound() {
    var random = SplitMix64(seed: 6)
    var lossy = 0
    for _ in 0..<300 {
      let machine = BitSerialCase.machine(&random, serial: .weight)
      guard machine.floatFaults.isEmpty else { continue }
      let whole = BitSerialCase.product(machine, &random)
      let product = BitSerialFloatProduct(
        m: whole.m, k: whole.k, n: whole.n,
        activations: (0..<whole.m * whole.k).map { _ in Self.activation(&random) }, weights: whole.weights,
        weightBits: whole.weightBits)
      let run = machine.values(product)
      for (index, exact) in product.exact().enumerated() {
        let error = (Int128(Double(run.values[index]) * 0x1p24) - exact).magnitude
        #expect(Double(error) * 0x1p-24 <= run.bounds[index], "\(machine)")
        if error > 0 { lossy += 1 }
      }
    }
    #expect(lossy > 100)
  }

  /// Small whole activations are exact: the sums of the integer machine, for all policies and encodings.
  @Test func smallWholeNumbersAreExact() {
    var random = SplitMix64(seed: 7)
    for _ in 0..<300 {
      var machine = BitSerialCase.machine(&random, serial: .weight)
      machine.dequantCycles = 0
      guard machine.floatFaults.isEmpty else { continue }
      var whole = BitSerialCase.product(machine, &random, activationBits: 4)
      whole.scales = []
      // Numbers of one bit never leave the three guard bits and eleven of a significand, whatever the largest.
      let activations = whole.activations.map { _ in Float16([0, 1, -1, 2][random.next(below: 4)]) }
      whole.activations = activations.map { Int16($0) }
      let product = BitSerialFloatProduct(
        m: whole.m, k: whole.k, n: whole.n, activations: activations, weights: whole.weights,
        weightBits: whole.weightBits)
      let expected = whole.reference(group: machine.group)
      #expect(machine.values(product).values.map { Int64($0) } == expected, "\(machine)")
    }
  }

  @Test func otherSerialOperandsAreRefused() {
    var random = SplitMix64(seed: 8)
    let machine = BitSerialCase.machine(&random, serial: .activation)
    #expect(machine.floatFaults.contains { $0.contains("serial operand") })
  }
}
