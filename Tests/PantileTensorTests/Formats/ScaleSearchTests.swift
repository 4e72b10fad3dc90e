import PantileSupport
import PantileTensor
import Testing

/// The search for scales and types, against one that tries everything over lists of values.
///
/// The oracle knows no codes: a value becomes the nearest of a list of levels, a pair becomes the outlier and the victim by the
/// rules of the paper, and each multiple of the scale has its error.
struct ScaleSearchTests {
  /// Near to normal, with a few large ones.
  private static func weights(_ count: Int, seed: UInt64, tail: Double) -> [Double] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in
      let value = (0..<6).reduce(-3.0) { sum, _ in sum + Double(random.nextUnit24()) }
      return value * (random.next(below: 40) == 0 ? tail : 1)
    }
  }

  private static let types: [[Double]] = [
    (-7...7).map { Double($0) }, signed([0, 1, 2, 3, 4, 6, 8, 16]), signed([0, 1, 2, 4, 8, 16, 32, 64]),
  ]

  private static func signed(_ magnitudes: [Double]) -> [Double] {
    (magnitudes.dropFirst().map { -$0 } + magnitudes).sorted()
  }

  /// The nearest level, the lower of two.
  private static func nearest(_ value: Double, _ levels: [Double]) -> Double {
    levels.min { abs($0 - value) < abs($1 - value) } ?? 0
  }

  private static func error(_ values: ArraySlice<Double>, scale: Double, _ levels: [Double]) -> Double {
    values.reduce(0) { sum, value in
      let worth = scale > 0 ? nearest(value / scale, levels) * scale : 0
      return sum + (worth - value) * (worth - value)
    }
  }

  private static func pairError(_ values: ArraySlice<Double>, scale: Double, _ levels: [Double], _ outliers: [Double])
    -> Double
  {
    let values = Array(values)
    let most = levels.last ?? 0
    func off(_ value: Double, _ worth: Double) -> Double { (worth * scale - value) * (worth * scale - value) }
    return stride(from: 0, to: values.count, by: 2).reduce(0) { sum, first in
      let (a, b) = (values[first], first + 1 < values.count ? values[first + 1] : 0)
      let (x, y) = (a / scale, b / scale)
      guard max(abs(x), abs(y)) > most else { return sum + off(a, nearest(x, levels)) + off(b, nearest(y, levels)) }
      func outlier(_ value: Double) -> Double {
        (outliers.min { abs($0 - abs(value)) < abs($1 - abs(value)) } ?? 0) * (value < 0 ? -1 : 1)
      }
      return abs(x) >= abs(y) ? sum + off(a, outlier(x)) + off(b, 0) : sum + off(a, 0) + off(b, outlier(y))
    }
  }

  /// 1, then from the lowest to the highest; the first of equals.
  private static func best(_ grid: ScaleGrid?, _ own: Double, _ error: (Double) -> Double) -> (Double, Double) {
    var multiples = [1.0]
    if let grid {
      for step in 0...grid.steps {
        multiples.append(grid.lowest + (grid.highest - grid.lowest) * Double(step) / Double(grid.steps))
      }
    }
    var found = (own, Double.infinity)
    for multiple in multiples {
      let candidate = error(own * multiple)
      if candidate < found.1 { found = (own * multiple, candidate) }
    }
    return found
  }

  private static func options(_ grid: ScaleGrid?) -> QuantisedMatrix.Options {
    var options = QuantisedMatrix.Options()
    options.grid = grid
    return options
  }

  @Test(arguments: [
    ("olive-int4", 0, [12.0, 16, 24, 32, 48, 64, 96]), ("olive-flint4", 1, [24, 32, 48, 64, 96, 128, 192]),
  ])
  func pairsGetTheScaleOfLeastError(_ name: String, _ type: Int, _ outliers: [Double]) throws {
    let grid = try ScaleGrid(lowest: 0.4, highest: 1.6, steps: 24)
    let levels = Self.types[type]
    var moved = 0
    for seed in 0..<10 {
      // An odd row: its last value has no neighbour.
      let (rows, columns) = (3, seed % 2 == 0 ? 64 : 47)
      let input = Self.weights(rows * columns, seed: UInt64(seed), tail: 6)
      let format = try NumberFormat.named(name)
      let found = try QuantisedMatrix(input, rows: rows, columns: columns, format: format, options: Self.options(grid))
      let plain = try QuantisedMatrix(input, rows: rows, columns: columns, format: format)
      var total = 0.0
      for row in 0..<rows {
        let values = input[row * columns..<(row + 1) * columns]
        let mean = values.reduce(0, +) / Double(columns)
        let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)).squareRoot()
        let best = Self.best(grid, 3 * deviation / levels[levels.count - 1]) {
          Self.pairError(values, scale: $0, levels, outliers)
        }
        #expect(abs(found.scales[row] / best.0 - 1) < 1e-12, "\(name) seed \(seed) row \(row)")
        total += best.1
        if found.scales[row] != plain.scales[row] { moved += 1 }
      }
      #expect(abs(found.meanSquaredError * Double(input.count) / total - 1) < 1e-9)
      #expect(found.meanSquaredError <= plain.meanSquaredError)
    }
    #expect(moved > 10)
  }

  @Test(arguments: [false, true])
  func tensorsAndGroupsGetTheTypeOfLeastError(_ searches: Bool) throws {
    let grid = searches ? try ScaleGrid(lowest: 0.3, highest: 1, steps: 14) : nil
    let tops = Self.types.map { $0[$0.count - 1] }
    var seen: Set<Int> = []
    var seenInGroups: Set<Int> = []
    for seed in 0..<24 {
      let (rows, columns) = (2, 96)
      // From flat through normal to heavy tails: each type has its turn.
      var input = Self.weights(rows * columns, seed: UInt64(100 + seed), tail: [1, 4, 30][seed % 3])
      if seed % 4 == 0 {
        var random = SplitMix64(seed: UInt64(seed))
        input = input.map { _ in Double(random.nextUnit24()) - 0.5 }
      }
      func part(_ values: ArraySlice<Double>, _ type: Int) -> (Double, Double) {
        Self.best(grid, (values.map { abs($0) }.max() ?? 0) / tops[type]) {
          Self.error(values, scale: $0, Self.types[type])
        }
      }
      // One type for the tensor, a scale a row.
      let tensor = try QuantisedMatrix(
        input, rows: rows, columns: columns, format: try NumberFormat.named("ant4"), options: Self.options(grid))
      let byType = (0..<3).map { type in
        (0..<rows).reduce(0) { $0 + part(input[$1 * columns..<($1 + 1) * columns], type).1 }
      }
      let best = byType.indices.min { byType[$0] < byType[$1] } ?? 0
      #expect(tensor.selectors == [best], "seed \(seed): \(byType)")
      for row in 0..<rows {
        let expected = part(input[row * columns..<(row + 1) * columns], best).0
        #expect(abs(tensor.scales[row] / expected - 1) < 1e-12)
      }
      #expect(abs(tensor.meanSquaredError * Double(input.count) / byType[best] - 1) < 1e-9)
      seen.insert(best)
      // A type and a scale for each group.
      let groups = try QuantisedMatrix(
        input, rows: rows, columns: columns, format: try NumberFormat.named("ant4-group").withGroup(32),
        options: Self.options(grid))
      #expect(groups.selectors.count == 6 && groups.scales.count == 6)
      for group in 0..<6 {
        let values = input[group * 32..<(group + 1) * 32]
        let parts = (0..<3).map { part(values, $0) }
        let type = parts.indices.min { parts[$0].1 < parts[$1].1 } ?? 0
        #expect(groups.selectors[group] == type)
        #expect(abs(groups.scales[group] / parts[type].0 - 1) < 1e-12)
        seenInGroups.insert(type)
      }
      // Finer choice is never worse.
      let whole = try QuantisedMatrix(
        input, rows: rows, columns: columns, format: try NumberFormat.named("ant4").withGroup(32),
        options: Self.options(grid))
      #expect(groups.meanSquaredError <= whole.meanSquaredError + 1e-15)
    }
    #expect(seenInGroups == [0, 1, 2] && seen.count >= 2, "\(seen) \(seenInGroups)")
  }

  @Test func tiesGoToTheFirst() throws {
    // All types and all multiples are exact: int, and the format's own scale.
    let ties = try QuantisedMatrix(
      [7, -7, 0, 7], rows: 1, columns: 4, format: try NumberFormat.named("ant4"),
      options: Self.options(try ScaleGrid("0.5:1:1")))
    #expect(ties.selectors == [0] && ties.scales == [1] && ties.meanSquaredError == 0)
    let zeros = try QuantisedMatrix(
      [0, 0], rows: 1, columns: 2, format: try NumberFormat.named("olive-int4"),
      options: Self.options(try ScaleGrid("0.5:2:4")))
    #expect(zeros.scales == [0] && zeros.values == [0, 0])
  }

  /// Scales that are stored in 16 bits are searched as they are stored.
  @Test func storedScalesAreSearchedAsStored() throws {
    var options = Self.options(try ScaleGrid("0.5:1:20"))
    options.storesScales = true
    let input = Self.weights(256, seed: 4, tail: 3)
    let found = try QuantisedMatrix(
      input, rows: 2, columns: 128, format: try NumberFormat.named("int4"), options: options)
    #expect(found.scales.allSatisfy { Double(Float16($0)) == $0 })
    options.grid = nil
    let plain = try QuantisedMatrix(
      input, rows: 2, columns: 128, format: try NumberFormat.named("int4"), options: options)
    #expect(found.meanSquaredError < plain.meanSquaredError)
  }

  @Test(arguments: ["mxfp4", "nvfp4", "nf4-double", "int4-asym", "fp16", "bitmod-fp4"])
  func otherScalesAreNotSearched(_ name: String) throws {
    let format = try NumberFormat.named(name)
    let options = Self.options(try ScaleGrid("0.5:1:20"))
    let error = try #require(throws: DiagnosticError.self) {
      try QuantisedMatrix([1, 2], rows: 1, columns: 2, format: format, options: options)
    }
    #expect(error.codes == ["no-scale-search"])
  }

  @Test(arguments: ["", "1", "0.5:1", "a:1:3", "0:1:5", "-1:1:5", "2:1:5", "0.5:1:0", "0.5:inf:3", "0.5:1:3:4"])
  func wrongGridsAreRefused(_ text: String) throws {
    #expect(try #require(throws: DiagnosticError.self) { try ScaleGrid(text) }.codes == ["wrong-grid"])
  }
}
