import PantileSupport
import PantileTensor
import Testing

/// All codes of all formats against `FormatTables`, and every point where rounding turns from one code to the next.
struct FormatCodeTests {
  @Test func everyFormatHasATable() {
    let known = Set(FormatTables.all.map(\.format))
    #expect(NumberFormat.all.map(\.name).filter { !known.contains($0) } == [])
    for format in NumberFormat.all {
      let selectors = FormatTables.all.filter { $0.format == format.name }.map(\.selector)
      #expect(selectors == Array(format.code.selectors.indices), "\(format.name)")
    }
  }

  @Test(arguments: FormatTables.all.indices)
  func decodesEveryCode(_ index: Int) throws {
    let table = FormatTables.all[index]
    let code = try NumberFormat.named(table.format).code
    #expect(table.values.count == code.count)
    var wrong: [Int] = []
    for (number, expected) in table.values.enumerated() {
      let found = code.meaning(of: number, selector: table.selector)
      let isRight: Bool
      if let expected {
        isRight = found.double?.bitPattern == expected.bitPattern
      } else if table.infinities.contains(number) {
        isRight = found == .infinity(number >= code.count / 2 ? .minus : .plus)
      } else {
        isRight = found == (table.nans.contains(number) ? .nan : .unused)
      }
      if !isRight { wrong.append(number) }
      if found == .unused {
        #expect(throws: DiagnosticError.self) { try code.value(of: number, selector: table.selector) }
      }
    }
    #expect(wrong == [], "\(table.format)")
  }

  /// Encoding is a staircase: it is right everywhere if it is right at each value, in the middle between neighbours,
  /// and on both sides of it.
  @Test(arguments: FormatTables.all.indices)
  func encodesEveryStep(_ index: Int) throws {
    let table = FormatTables.all[index]
    let code = try NumberFormat.named(table.format).code
    guard table.format != "binary" else { return try checkBinary(code) }
    var sorted: [(value: Double, code: Int)] = []
    for (number, value) in table.values.enumerated() {
      guard let value, !(value == 0 && value.sign == .minus) else { continue }
      // MXINT8's least code is read and never written.
      if table.format == "mxint8", number == 128 { continue }
      sorted.append((value, number))
    }
    sorted.sort { $0.value < $1.value }
    func encode(_ value: Double) throws -> Int { try code.code(of: value, selector: table.selector) }
    var wrong: [String] = []
    func expect(_ value: Double, _ expected: (value: Double, code: Int)) throws {
      let found = try encode(value)
      // Small negatives become the negative zero of formats that have one.
      let isZero = expected.value == 0 && table.values[found] == 0
      if found != expected.code, !isZero { wrong.append("\(value): \(found) for \(expected.code)") }
    }
    for (low, high) in zip(sorted, sorted.dropFirst()) {
      let middle = low.value / 2 + high.value / 2
      try expect(low.value, low)
      try expect(high.value, high)
      try expect(middle.nextDown, low)
      try expect(middle.nextUp, high)
      let even = low.code & 1 == 0 ? low : high
      // Codes of ternary are one off their values.
      let ofTernary = low.value == 0 ? low : high
      try expect(
        middle, table.format == "ternary" ? ofTernary : FormatTables.tiesToEven(table.format) ? even : low)
    }
    let ends = [sorted[0], sorted[sorted.count - 1]]
    for (beyond, end) in zip([-Double.greatestFiniteMagnitude, .greatestFiniteMagnitude], ends) {
      try expect(beyond, end)
      try expect(end.value * 1.0001, end)
      #expect(try encode(beyond * 2) == end.code)
    }
    #expect(wrong.prefix(5) == [], "\(table.format): \(wrong.count) wrong")
  }

  private func checkBinary(_ code: ElementCode) throws {
    for (value, expected) in [(0.0, 1), (-0.0, 1), (1e-300, 1), (-1e-300, 0), (5, 1), (-5, 0)] {
      #expect(try code.code(of: value) == expected)
    }
  }

  /// Hardware's own half precision and the usual bit trick for bfloat16, over all values of the type and 2^18 others.
  @Test func halfPrecisionIsThatOfTheMachine() throws {
    let (half, brain) = (try NumberFormat.named("fp16").code, try NumberFormat.named("bf16").code)
    var random = SplitMix64(seed: 11)
    var wrong: [Float] = []
    for _ in 0..<1 << 18 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      guard !value.isNaN else { continue }
      let found = (
        try half.code(of: Double(value), overflow: .special), try brain.code(of: Double(value), overflow: .special)
      )
      if found.0 != Int(Float16(value).bitPattern) || found.1 != Int(BFloat16.bits(of: value)) { wrong.append(value) }
    }
    for bits in UInt16.min...UInt16.max {
      let value = Float16(bitPattern: bits)
      guard !value.isNaN else { continue }
      if try half.code(of: Double(value), overflow: .special) != Int(bits) { wrong.append(Float(value)) }
    }
    #expect(wrong == [])
  }

  private static let overflows: [(String, Double, Int, Int)] = [
    ("fp8-e4m3", 464.0, 0x7E, 0x7E), ("fp8-e4m3", 464.0.nextUp, 0x7E, 0x7F), ("fp8-e4m3", -480, 0xFE, 0xFF),
    ("fp8-e5m2", 61440.0.nextDown, 0x7B, 0x7B), ("fp8-e5m2", 61440, 0x7B, 0x7C), ("fp8-e5m2", -1e9, 0xFB, 0xFC),
    ("fp16", 65519.9, 0x7BFF, 0x7BFF), ("fp16", 65520, 0x7BFF, 0x7C00),
  ]

  @Test(arguments: overflows)
  func overflowSaturatesOrIsSpecial(_ format: String, _ value: Double, _ saturated: Int, _ special: Int) throws {
    let code = try NumberFormat.named(format).code
    #expect(try code.code(of: value) == saturated)
    #expect(try code.code(of: value, overflow: .special) == special)
  }

  @Test(arguments: [
    ("fp8-e4m3", 0x7F, 0x7F), ("fp8-e5m2", 0x7E, 0x7C), ("fp16", 0x7E00, 0x7C00), ("bf16", 0x7FC0, 0x7F80),
  ])
  func specialsHaveTheirCodes(_ format: String, _ nan: Int, _ infinity: Int) throws {
    let code = try NumberFormat.named(format).code
    #expect(try code.code(of: .nan) == nan)
    #expect(try code.code(of: .infinity, overflow: .special) == infinity)
    #expect(try code.code(of: -.infinity, overflow: .special) == infinity | 1 << (code.bits - 1))
    #expect(try code.value(of: nan).isNaN)
  }

  @Test func whatAFormatCannotDoIsSaid() throws {
    for format in NumberFormat.all {
      let code = format.code
      if !code.hasNaN {
        #expect(throws: DiagnosticError.self) { try code.code(of: .nan) }
        do { _ = try code.code(of: .nan) } catch { #expect(error.codes == ["no-nan"]) }
        if format.name != "binary" {
          do {
            _ = try code.code(of: .infinity, overflow: .special)
            Issue.record("\(format.name) took infinity")
          } catch { #expect(error.codes == ["no-infinity"]) }
        }
      }
      do {
        _ = try code.value(of: code.count)
        Issue.record("\(format.name) took a code of \(code.bits + 1) bits")
      } catch { #expect(error.codes == ["code-range"]) }
    }
    #expect(throws: DiagnosticError.self) { try NumberFormat.named("int4").code.value(of: 8) }
    do { _ = try NumberFormat.named("bitmod-pf4") } catch { #expect(error.codes == ["unknown-format"]) }
    do { _ = try NumberFormat.named("q9.9") } catch { #expect(error.codes == ["format-range"]) }
    do { _ = try NumberFormat.named("q-1.9") } catch { #expect(error.codes == ["unknown-format"]) }
    do { _ = try NumberFormat.named("mxfp4").withGroup(64) } catch { #expect(error.codes == ["wrong-group"]) }
    do { _ = try NumberFormat.named("int4").withGroup(0) } catch { #expect(error.codes == ["wrong-group"]) }
  }

  /// Floor and wrap against whole-number arithmetic, for all values on a grid eight times as fine and four times as
  /// wide.
  @Test(arguments: [
    ("q2.2-floor-wrap", true, true), ("q2.2-floor", true, false), ("q2.2-wrap", false, true), ("q2.2", false, false),
  ])
  func fixedPointModes(_ name: String, _ floors: Bool, _ wraps: Bool) throws {
    let code = try NumberFormat.named(name).code
    for grid in -512...512 {
      // In 32nds; a step is 8 of them.
      let down = grid >> 3
      let rest = grid & 7
      var multiple = down
      if !floors, rest > 4 || (rest == 4 && down & 1 == 1) { multiple += 1 }
      let expected = wraps ? multiple & 31 : min(max(multiple, -16), 15) & 31
      #expect(try code.code(of: Double(grid) / 32) == expected, "\(grid)/32")
    }
    if wraps {
      #expect(try code.code(of: 1e300) == 0)
      do { _ = try code.code(of: .infinity) } catch { #expect(error.codes == ["no-infinity"]) }
    }
  }
}
