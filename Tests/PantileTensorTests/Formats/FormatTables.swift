import PantileTensor

/// What codes stand for, written a second time: small formats as lists, floats by walking from one code to the next,
/// integers by counting.
enum FormatTables {
  /// A reading of a format: values by code; nil for codes without a finite value.
  struct Reading {
    var format: String
    var selector: Int
    var values: [Double?]
    /// Codes that are infinities and NaN; all others without a value stand for nothing.
    var infinities: Set<Int> = []
    var nans: Set<Int> = []
  }

  static let all: [Reading] = lists + integers + floats + fixed

  private static let e2m1: [Double] = [0, 0.5, 1, 1.5, 2, 3, 4, 6]

  private static func signed(_ magnitudes: [Double]) -> [Double?] { magnitudes + magnitudes.map { -$0 } }

  private static func replacing(_ values: [Double?], _ code: Int, _ value: Double?) -> [Double?] {
    var values = values
    values[code] = value
    return values
  }

  private static let lists: [Reading] = {
    var lists: [Reading] = []
    func add(_ format: String, _ values: [Double?], selector: Int = 0) {
      lists.append(Reading(format: format, selector: selector, values: values))
    }
    for name in ["fp4-e2m1", "mxfp4", "nvfp4"] { add(name, signed(e2m1)) }
    for (index, special) in [5.0, -5, 8, -8].enumerated() {
      add("bitmod-fp4", replacing(signed(e2m1), 8, special), selector: index)
    }
    for (index, special) in [3.0, -3, 6, -6].enumerated() {
      add("bitmod-fp3", replacing(signed([0, 1, 2, 4]), 4, special), selector: index)
    }
    add("ternary", [-1, 0, 1, nil])
    add("binary", [-1, 1])
    add("flint4", signed([0, 1, 2, 3, 16, 8, 4, 6]))
    add("flint4-unsigned", [0, 1, 2, 3, 4, 5, 6, 7, 64, 32, 16, 24, 8, 10, 12, 14])
    add("pot4", signed([0, 1, 2, 4, 8, 16, 32, 64]))
    // Two terms: 0, 32, 8, 2 and 0, 16, 4, 1. Three terms: 0, 256, 32, 4 and 0, 128, 16, 2 and 0, 64, 8, 1.
    let (first, second) = ([0.0, 32, 8, 2], [0.0, 16, 4, 1])
    add("apot5", signed(second.flatMap { b in first.map { $0 + b } }))
    let (one, two, three) = ([0.0, 256, 32, 4], [0.0, 128, 16, 2], [0.0, 64, 8, 1])
    add("apot7", signed(three.flatMap { c in two.flatMap { b in one.map { $0 + b + c } } }))
    add("olive-int4", [0, 1, 2, 3, 4, 5, 6, 7, nil, -7, -6, -5, -4, -3, -2, -1])
    add("olive-flint4", replacing(signed([0, 1, 2, 3, 16, 8, 4, 6]), 8, nil))
    // The three types of ANT.
    let types = [
      replacing((0..<16).map { Double($0 < 8 ? $0 : $0 - 16) }, 8, nil), signed([0, 1, 2, 3, 16, 8, 4, 6]),
      signed([0, 1, 2, 4, 8, 16, 32, 64]),
    ]
    for name in ["ant4", "ant4-group"] {
      for (index, values) in types.enumerated() { add(name, values, selector: index) }
    }
    // Single-precision numbers, as fractions of 2^27.
    let levels: [Double] = [
      -134_217_728, -93_441_416, -70_474_112, -53_004_928, -38_177_076, -24_799_870, -12_220_529, 0,
      10_681_087, 21_599_686, 33_032_634, 45_354_216, 59_151_072, 75_513_176, 97_033_624, 134_217_728,
    ]
    for name in ["nf4", "nf4-double"] { add(name, levels.map { $0 / 134_217_728 }) }
    return lists
  }()

  private static let integers: [Reading] = {
    var result: [Reading] = []
    for bits in 2...8 {
      let half = 1 << (bits - 1)
      let upward = (0..<half).map { Double($0) }
      let downward = (0..<half).map { Double($0 - half) }
      result.append(Reading(format: "int\(bits)-full", selector: 0, values: upward + downward))
      result.append(Reading(format: "int\(bits)", selector: 0, values: replacing(upward + downward, half, nil)))
      result.append(Reading(format: "int\(bits)-asym", selector: 0, values: (0..<2 * half).map { Double($0) }))
    }
    let whole = (0..<128).map { Double($0) / 64 } + (0..<128).map { Double($0 - 128) / 64 }
    return result + [Reading(format: "mxint8", selector: 0, values: whole)]
  }()

  /// Walks: `count` codes from 0, the step doubles behind every `2^m` codes except the first time.
  private static func walk(_ names: [String], bits: Int, m: Int, least: Double, count: Int, hasInfinity: Bool = false)
    -> [Reading]
  {
    var values: [Double] = [0]
    var step = least
    while values.count < count {
      // From code 2^(m + 1) on, and then behind every 2^m codes.
      let last = values.count - 1
      if last % (1 << m) == 0, last > 1 << m { step *= 2 }
      values.append((values.last ?? 0) + step)
    }
    let half = 1 << (bits - 1)
    let rest = [Double?](repeating: nil, count: half - count)
    let (positive, negative): ([Double?], [Double?]) = (values + rest, values.map { -$0 } + rest)
    let infinities: Set<Int> = hasInfinity ? [count, half + count] : []
    let nans = Set((count..<half).flatMap { [$0, $0 + half] }).subtracting(infinities)
    return names.map {
      Reading(format: $0, selector: 0, values: positive + negative, infinities: infinities, nans: nans)
    }
  }

  private static let floats: [Reading] =
    walk(["fp8-e4m3", "mxfp8-e4m3"], bits: 8, m: 3, least: 0x1p-9, count: 127)
    + walk(["fp8-e5m2", "mxfp8-e5m2"], bits: 8, m: 2, least: 0x1p-16, count: 124, hasInfinity: true)
    + walk(["fp6-e3m2", "mxfp6-e3m2"], bits: 6, m: 2, least: 0x1p-4, count: 32)
    + walk(["fp6-e2m3", "mxfp6-e2m3"], bits: 6, m: 3, least: 0x1p-3, count: 32)
    + walk(["fp16"], bits: 16, m: 10, least: 0x1p-24, count: 31 * 1024, hasInfinity: true)
    + walk(["bf16"], bits: 16, m: 7, least: 0x1p-133, count: 255 * 128, hasInfinity: true)

  private static let fixed: [Reading] = [("q3.4", 3, 4), ("q0.7", 0, 7), ("q7.8", 7, 8), ("q2.0", 2, 0)].map {
    let half = 1 << ($0.1 + $0.2)
    let unit = Double(1 << $0.2)
    return Reading(
      format: $0.0, selector: 0,
      values: (0..<half).map { Double($0) / unit } + (0..<half).map { Double($0 - half) / unit })
  }

  /// Formats that give a value in the middle of two to the even code; all others to the lower value.
  static func tiesToEven(_ name: String) -> Bool {
    ["fp", "bf", "mx", "nv", "int", "q", "ternary"].contains { name.hasPrefix($0) }
  }
}
