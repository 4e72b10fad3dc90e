import PantileEngines
import PantileTensor
import Testing

@Suite struct TermEncodingTests {
  /// Positions of the terms of a number, derived by arithmetic on the number and not on its bits.
  static func positions(_ encoding: TermEncoding, _ value: Int, bits: Int) -> Set<Int> {
    var result: Set<Int> = []
    switch encoding {
    case .plain:
      var rest = value < 0 ? value + (1 << bits) : value
      for position in 0..<bits {
        if rest % 2 == 1 { result.insert(position) }
        rest /= 2
      }
    case .signMagnitude, .lod2, .bitColumn:
      var rest = abs(value)
      var position = 0
      while rest > 0 {
        if rest % 2 == 1 { result.insert(position) }
        rest /= 2
        position += 1
      }
    case .booth:
      // The number over 4^i, rounded half up: what the digits from i on are worth together.
      func upper(_ i: Int) -> Int {
        i == 0 ? value : Int((Double(value) / Double(1 << (2 * i)) + 0.5).rounded(.down))
      }
      for i in 0..<(bits + 1) / 2 {
        let next = i + 1 == (bits + 1) / 2 ? 0 : upper(i + 1)
        let digit = upper(i) - 4 * next
        #expect(abs(digit) <= 2)
        if digit != 0 { result.insert(2 * i + (abs(digit) == 2 ? 1 : 0)) }
      }
    case .naf:
      var rest = value
      var position = 0
      while rest != 0 {
        if rest % 2 != 0 {
          let digit = ((rest % 4) + 4) % 4 == 1 ? 1 : -1
          result.insert(position)
          rest -= digit
        }
        rest /= 2
        position += 1
      }
    }
    return result
  }

  @Test(arguments: TermEncoding.allCases)
  func termsOfAllNumbersOfAllWidths(encoding: TermEncoding) {
    for bits in 1...12 {
      for value in -(1 << (bits - 1))..<(1 << (bits - 1)) {
        if encoding == .lod2 && abs(value).nonzeroBitCount > 2 {
          #expect(encoding.refusal(of: value, bits: bits, allowsLowest: true) != nil)
          continue
        }
        #expect(encoding.refusal(of: value, bits: bits, allowsLowest: true) == nil)
        let terms = encoding.terms(value, bits: bits)
        #expect(terms.value == value, "\(encoding) \(value) in \(bits) bits")
        #expect(terms.plus & terms.minus == 0)
        let expected = Self.positions(encoding, value, bits: bits)
        #expect(Set((0..<32).filter { terms.positions >> UInt32($0) & 1 == 1 }) == expected, "\(encoding) \(value)")
        #expect(terms.count == expected.count)
        #expect(expected.allSatisfy { $0 < bits })
        if encoding.refusal(of: value, bits: bits, allowsLowest: false) == nil {
          #expect(terms.count <= encoding.fixedTerms(bits: bits), "\(encoding) \(value) in \(bits) bits")
        }
      }
      #expect(encoding.refusal(of: 1 << (bits - 1), bits: bits, allowsLowest: true) != nil || encoding == .lod2)
    }
  }

  /// Some number of each width needs all of the fixed terms, so none is wasted.
  @Test func fixedTermsAreReached() {
    for encoding in TermEncoding.allCases {
      for bits in 3...10 {
        let most = (-(1 << (bits - 1)) + 1..<(1 << (bits - 1))).filter {
          encoding.refusal(of: $0, bits: bits, allowsLowest: false) == nil
        }.map { encoding.terms($0, bits: bits).count }.max()
        #expect(most == encoding.fixedTerms(bits: bits), "\(encoding) \(bits)")
      }
    }
  }

  @Test func nonAdjacentFormHasNoNeighboursAndNeverMoreTermsThanBooth() {
    for value in -128..<128 {
      let naf = TermEncoding.naf.terms(value, bits: 8)
      #expect(naf.positions & naf.positions << 1 == 0)
      #expect(naf.count <= TermEncoding.booth.terms(value, bits: 8).count)
    }
  }

  @Test func theCheapestEncodingFollowsTheNumbers() throws {
    // Six bits of Booth are three digits, four are two as well as two leading ones, which then have fewer terms; 7 has three ones.
    for (name, expected) in [
      ("bitmod-fp4", TermEncoding.lod2), ("bitmod-fp3", .lod2), ("int8", .booth), ("int4", .booth), ("ternary", .booth),
    ] {
      #expect(try TermEncoding.cheapest(for: try NumberFormat.named(name)) == expected, "\(name)")
    }
  }
}
