import PantileSupport

/// A weight matrix in a number format: codes, what stands beside them, and the values they are worth.
///
/// **Shape** `[rows, columns]`, row-major: output channels by input channels. Groups are consecutive columns of a row.
public struct QuantisedMatrix: Sendable {
  public struct Options: Sendable {
    /// How blocks of microscaling formats get their scale.
    public var rule = SharedExponent.Rule.floor
    /// Whether scales are rounded to what the format stores before codes are chosen; otherwise they stay exact. Formats
    /// whose definition includes the scale's encoding (MX, NVFP4, double quantisation) always round.
    public var storesScales = false
    /// Multiples of the format's own scale among which the one of least squared error is taken, scale by scale; nil takes the scale
    /// as it is.
    public var grid: ScaleGrid?

    public init() {}
  }

  public let format: NumberFormat
  public let rows: Int
  public let columns: Int
  /// Row-major.
  public internal(set) var codes: [Int] = []
  /// What a code's value is multiplied by, a number for each group, rows together.
  public internal(set) var scales: [Double] = []
  /// How the scale of each group is stored where that is a code; empty otherwise.
  public internal(set) var scaleCodes: [Int] = []
  /// The second level: a number a row, a tensor or so many groups; empty where there is none.
  public internal(set) var outerScales: [Double] = []
  /// A number for each group of asymmetric formats; empty otherwise.
  public internal(set) var zeroPoints: [Int] = []
  /// How each group's codes are read, or those of all groups; empty where there is one way.
  public internal(set) var selectors: [Int] = []
  /// What the codes are worth, row-major.
  public internal(set) var values: [Double] = []

  /// Mean of squared differences to the values that were quantised.
  public internal(set) var meanSquaredError = 0.0

  /// Columns of a group; the last group of a row may have fewer.
  public var groupSize: Int {
    QuantisedMatrix.groupSize(format.scheme, rows: rows, columns: columns)
  }

  static func groupSize(_ scheme: ScaleScheme, rows: Int, columns: Int) -> Int {
    if case .group(let size) = scheme.granularity, scheme.scale != .none { return size }
    return columns
  }

  /// Quantises a matrix to nearest.
  ///
  /// Scales are absmax over the largest magnitude of the format, except: mean magnitude for `ternary` and `binary`,
  /// three standard deviations over the threshold for outlier pairs, the range for asymmetric integers, the block rules
  /// of MX and NVFP4. A group of zeros has scale 0, or the least one. Where a group may be read in several ways, each
  /// is tried with its own exact scale; the least squared error wins, the first of equals. With a grid, its multiples of these
  /// scales are tried.
  /// - Precondition: `input` has `rows * columns` values, both at least 1.
  /// - Throws: `not-finite` with the place of the first NaN or infinity; `no-scale-search` for a grid where scales are no plain
  ///   numbers.
  public init(
    _ input: [Double], rows: Int, columns: Int, format: NumberFormat, options: Options = Options()
  ) throws(DiagnosticError) {
    precondition(
      rows > 0 && columns > 0 && input.count == rows * columns,
      "\(input.count) values for [\(rows), \(columns)]")
    if let position = input.firstIndex(where: { !$0.isFinite }) {
      throw DiagnosticError(
        "not-finite", "value [\(position / columns), \(position % columns)] is \(input[position])",
        hint: "quantisation needs finite weights")
    }
    try QuantisedMatrix.check(options.grid, for: format)
    self.format = format
    self.rows = rows
    self.columns = columns
    var plan = ScalePlan(input, rows: rows, columns: columns, format: format, options: options)
    plan.choose()
    scales = plan.scales
    scaleCodes = plan.scaleCodes
    outerScales = plan.outerScales
    zeroPoints = plan.zeroPoints
    selectors = plan.selectors
    codes = [Int](repeating: 0, count: input.count)
    values = [Double](repeating: 0, count: input.count)
    for (group, range) in plan.ranges.enumerated() {
      let scale = plan.scales[plan.scaleIndex(group)]
      if let pairs = format.pairs {
        try encode(input, range, pairs, scale)
      } else {
        try encode(input, range, plan, group, scale)
      }
    }
    var sum = 0.0
    for (value, original) in zip(values, input) { sum += (value - original) * (value - original) }
    meanSquaredError = sum / Double(input.count)
  }

  /// Whether a grid of scales means something for a format.
  /// - Throws: `no-scale-search` with the reason.
  public static func check(_ grid: ScaleGrid?, for format: NumberFormat) throws(DiagnosticError) {
    guard grid != nil else { return }
    guard case .real = format.scheme.scale, format.scheme.zeroPointBits == 0 else {
      throw DiagnosticError(
        "no-scale-search", "the scales of \(format.name) are not searched: \(format.scheme)",
        hint: "take a format with a plain scale, as int4, flint4, ant4 or olive-int4")
    }
  }

  /// How a group's codes are read.
  public func selector(ofGroup group: Int) -> Int {
    selectors.isEmpty ? 0 : selectors[selectors.count == 1 ? 0 : group]
  }

  private mutating func encode(
    _ input: [Double], _ range: Range<Int>, _ plan: ScalePlan, _ group: Int, _ scale: Double
  ) throws(DiagnosticError) {
    let selector = plan.selector(ofGroup: group)
    let zero = plan.zeroPoints.isEmpty ? nil : plan.zeroPoints[plan.scaleIndex(group)]
    for position in range {
      if let zero {
        let most = Double(format.code.count - 1)
        let code = min(
          max((plan.divided(input[position], scale)).rounded(.toNearestOrEven) + Double(zero), 0),
          most)
        codes[position] = Int(code)
        values[position] = scale * (code - Double(zero))
      } else {
        let code = try format.code.code(
          of: plan.divided(input[position], scale), selector: selector)
        codes[position] = code
        values[position] = try format.code.value(of: code, selector: selector) * scale
      }
    }
  }

  private mutating func encode(
    _ input: [Double], _ range: Range<Int>, _ pairs: OutlierPairs, _ scale: Double
  ) throws(DiagnosticError) {
    for first in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
      let second = first + 1 < range.upperBound ? first + 1 : nil
      let a = scale > 0 ? input[first] / scale : 0
      let b = second.map { scale > 0 ? input[$0] / scale : 0 } ?? 0
      let pair = try pairs.codes(a, b)
      let worth = try pairs.values(pair.0, pair.1)
      codes[first] = pair.0
      values[first] = worth.0 * scale
      if let second {
        codes[second] = pair.1
        values[second] = worth.1 * scale
      }
    }
  }
}
