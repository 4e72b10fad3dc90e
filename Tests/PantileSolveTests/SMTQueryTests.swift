import PantileSolve
import PantileSupport
import Testing

struct SMTQueryTests {
  @Test func provesABitVectorIdentity() throws {
    let x = SMTBits.variable("x", width: 16)
    let y = SMTBits.variable("y", width: 16)
    var query = SMTQuery()
    query.require(!(((x & y) &+ (x | y)) == (x &+ y)))
    #expect(try query.solve().isUnsatisfiable)
  }

  @Test func findsAModelOfIntegers() throws {
    let a = SMTInt.variable("a")
    let b = SMTInt.variable("b")
    var query = SMTQuery()
    query.require(3 * a + 5 * b == 31)
    query.require(b < a)
    query.require(b >= 0)
    let model = try #require(try query.solve().model)
    #expect(model.integer("a") == 7 && model.integer("b") == 2)
  }

  /// Each word operation on constants must be what Swift computes.
  @Test func wordOperationsHaveHardwareMeaning() throws {
    var random = SplitMix64(seed: 5)
    for _ in 0..<20 {
      let (p, q) = (Int8(truncatingIfNeeded: random.next()), Int8(truncatingIfNeeded: random.next() | 1))
      let (a, b) = (SMTBits(Int(p), width: 8), SMTBits(Int(q), width: 8))
      let s = Int(random.next(below: 8))
      var query = SMTQuery()
      func expect(_ bits: SMTBits, _ value: Int8) { query.require(bits == SMTBits(Int(value), width: 8)) }
      expect(a & b, p & q)
      expect(a | b, p | q)
      expect(a ^ b, p ^ q)
      expect(~a, ~p)
      expect(-a, 0 &- p)
      expect(a &+ b, p &+ q)
      expect(a &- b, p &- q)
      expect(a &* b, p &* q)
      expect(a.shiftedLeft(by: s), p << s)
      expect(a.arithmeticallyShiftedRight(by: s), p >> s)
      expect(a.logicallyShiftedRight(by: s), Int8(bitPattern: UInt8(bitPattern: p) >> s))
      expect(a.signedDivided(by: b), p.dividedReportingOverflow(by: q).partialValue)
      expect(a.signedRemainder(by: b), p.remainderReportingOverflow(dividingBy: q).partialValue)
      expect(a.unsignedDivided(by: b), Int8(bitPattern: UInt8(bitPattern: p) / UInt8(bitPattern: q)))
      expect(a.unsignedRemainder(by: b), Int8(bitPattern: UInt8(bitPattern: p) % UInt8(bitPattern: q)))
      expect(SMTBits.choose(a.signedLess(b), a, b), min(p, q))
      expect(a.signExtended(to: 100).bits(3...10), Int8(truncatingIfNeeded: Int(p) >> 3))
      expect(a.concatenated(with: b).bits(4...11), Int8(truncatingIfNeeded: (Int(p) << 8 | (Int(q) & 255)) >> 4))
      query.require(a.unsignedLessOrEqual(b) == SMTBool(UInt8(bitPattern: p) <= UInt8(bitPattern: q)))
      query.require(a.zeroExtended(to: 70) == SMTBits(Int(UInt8(bitPattern: p)), width: 70))
      #expect(try query.solve().model != nil, "a = \(p), b = \(q), shift \(s)")
    }
  }

  @Test func namesTheContradiction() throws {
    let a = SMTInt.variable("a")
    var query = SMTQuery()
    query.require(a >= 0, named: "lower")
    query.require(SMTBool.variable("free"), named: "unrelated")
    query.require(a <= -1, named: "upper")
    guard case .unsatisfiable(let core) = try query.solve() else {
      Issue.record("must be unsatisfiable")
      return
    }
    #expect(core == ["lower", "upper"])
  }

  @Test func mismatchedWidthsAreAnErrorAndTheNextQueryWorks() throws {
    var bad = SMTQuery()
    bad.require(SMTBits.variable("x", width: 8) == SMTBits.variable("y", width: 9))
    #expect { try bad.solve() } throws: { ($0 as? DiagnosticError)?.codes == ["bad-query"] }
    var twice = SMTQuery()
    twice.require(SMTBits.variable("x", width: 8) == SMTBits(1, width: 8))
    twice.require(SMTInt.variable("x") == 1)
    #expect { try twice.solve() } throws: { ($0 as? DiagnosticError)?.codes == ["bad-query"] }
    var zero = SMTQuery()
    zero.require(SMTBits.variable("x", width: 0) == SMTBits.variable("x", width: 0))
    #expect { try zero.solve() } throws: { ($0 as? DiagnosticError)?.codes.contains("bad-query") == true }
    var good = SMTQuery()
    good.require(SMTBits.variable("x", width: 8) == SMTBits(200, width: 8))
    #expect(try good.solve().model?.bits("x") == 200)
  }

  @Test func resourceLimitGivesUnknownRepeatably() throws {
    // Factoring a product of two primes is hard enough for a small limit.
    let x = SMTBits.variable("x", width: 48)
    let y = SMTBits.variable("y", width: 48)
    var query = SMTQuery()
    query.require(x &* y == SMTBits(1_000_003 * 998_244, width: 48))
    query.require(SMTBits(1, width: 48).unsignedLess(x))
    query.require(x.unsignedLess(y))
    query.require(y.unsignedLess(SMTBits(1 << 23, width: 48)))
    for _ in 0..<2 {
      guard case .unknown(let reason) = try query.solve(resourceLimit: 2_000) else {
        Issue.record("a limit of 2000 must not suffice")
        return
      }
      #expect(!reason.isEmpty)
    }
  }

  @Test func tooLargeQueriesAreRefused() throws {
    let x = SMTBits.variable("x", width: 400)
    var circuit = SMTQuery()
    circuit.require(x.unsignedDivided(by: x) == SMTBits(1, width: 400))
    #expect { try circuit.solve() } throws: { ($0 as? DiagnosticError)?.codes == ["query-too-large"] }
    let a = SMTInt.variable("a")
    var power = SMTQuery()
    power.require(a * a * a == 27)
    #expect { try power.solve() } throws: { ($0 as? DiagnosticError)?.codes == ["query-too-large"] }
    var square = SMTQuery()
    square.require(a * a == 49)
    square.require(a >= 0)
    #expect(try square.solve().model?.integer("a") == 7)
  }

  @Test func deepFormulasAreReleasedWithoutRecursion() {
    var sum = SMTInt.variable("a")
    for _ in 0..<300_000 { sum = sum + 1 }
    var query = SMTQuery()
    query.require(sum == 1)
    query = SMTQuery()
  }

  @Test func longChainsDoNotExhaustTheStack() throws {
    var sum = SMTInt.variable("a")
    for _ in 0..<3_000 { sum = sum + 1 }
    var query = SMTQuery()
    query.require(sum == 3_007)
    #expect(try query.solve().model?.integer("a") == 7)
  }
}
