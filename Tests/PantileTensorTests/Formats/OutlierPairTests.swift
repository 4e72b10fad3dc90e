import PantileSupport
import PantileTensor
import Testing

/// OliVe's pairs: all 256 pairs of codes, and the pairs that values get.
struct OutlierPairTests {
  /// Outliers by their three magnitude bits, as lists.
  static let outliers: [(format: String, magnitudes: [Double])] = [
    ("olive-int4", [12, 16, 24, 32, 48, 64, 96]), ("olive-flint4", [24, 32, 48, 64, 96, 128, 192]),
  ]

  @Test(arguments: outliers.indices)
  func everyPairIsRead(_ index: Int) throws {
    let (name, magnitudes) = Self.outliers[index]
    let format = try NumberFormat.named(name)
    let pairs = try #require(format.pairs)
    func outlier(_ code: Int) -> Double? {
      guard code & 7 != 0 else { return nil }
      return code < 8 ? magnitudes[(code & 7) - 1] : -magnitudes[(code & 7) - 1]
    }
    for first in 0..<16 {
      for second in 0..<16 {
        let expected: (Double, Double)?
        switch (first == 8, second == 8) {
        case (false, false): expected = (try format.code.value(of: first), try format.code.value(of: second))
        case (false, true): expected = outlier(first).map { ($0, 0) }
        case (true, false): expected = outlier(second).map { (0, $0) }
        case (true, true): expected = nil
        }
        if let expected {
          let found = try pairs.values(first, second)
          #expect(found.0 == expected.0 && found.1 == expected.1)
          // What was read is written as the same values.
          let again = try pairs.codes(expected.0, expected.1)
          let same = try pairs.values(again.0, again.1)
          #expect(same.0 == expected.0 && same.1 == expected.1)
        } else {
          #expect(throws: DiagnosticError.self) { try pairs.values(first, second) }
        }
      }
    }
  }

  private static let written: [(Double, Double, Int, Int)] = [
    (3.4, -7, 3, 9), (7.1, 2, 1, 8), (2, -13, 8, 9), (20, -20, 2, 8), (1000, 1, 7, 8), (28, 0, 3, 8),
    (-Double.infinity, 0, 15, 8),
  ]

  @Test(arguments: written)
  func pairsAreWritten(_ first: Double, _ second: Double, _ a: Int, _ b: Int) throws {
    let pairs = try #require(try NumberFormat.named("olive-int4").pairs)
    let found = try pairs.codes(first, second)
    #expect(found.0 == a && found.1 == b)
    #expect(throws: DiagnosticError.self) { try pairs.codes(first, .nan) }
  }
}
