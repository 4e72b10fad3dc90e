/// Chooses scales, zero points and selectors of a matrix.
struct ScalePlan {
  let input: [Double]
  let rows: Int
  let columns: Int
  let format: NumberFormat
  let options: QuantisedMatrix.Options
  /// The elements of each group; rows where one scale serves the tensor or there is none.
  let ranges: [Range<Int>]

  var scales: [Double] = []
  var scaleCodes: [Int] = []
  var outerScales: [Double] = []
  var zeroPoints: [Int] = []
  var selectors: [Int] = []

  /// Added to the mean magnitude before dividing; as in BitNet b1.58, equation 2.
  private static let meanGuard = 1e-5

  init(
    _ input: [Double], rows: Int, columns: Int, format: NumberFormat,
    options: QuantisedMatrix.Options
  ) {
    self.input = input
    self.rows = rows
    self.columns = columns
    self.format = format
    self.options = options
    let size = QuantisedMatrix.groupSize(format.scheme, rows: rows, columns: columns)
    ranges = (0..<rows).flatMap { row in
      stride(from: 0, to: columns, by: size).map { start in
        row * columns + start..<row * columns + min(start + size, columns)
      }
    }
  }

  private var isMean: Bool {
    format.name == NumberFormat.ternary.name || format.name == NumberFormat.binary.name
  }
  private var isAsymmetric: Bool { format.scheme.zeroPointBits > 0 }
  private var isPerTensor: Bool { format.scheme.granularity == .tensor }

  /// How a group's codes are read.
  func selector(ofGroup group: Int) -> Int { selectors.isEmpty ? 0 : selectors[selectors.count == 1 ? 0 : group] }

  /// Which of `scales` a group has.
  func scaleIndex(_ group: Int) -> Int { isPerTensor ? 0 : group }

  /// A value in units of the scale; zero where the scale is.
  func divided(_ value: Double, _ scale: Double) -> Double {
    let unit = format.name == NumberFormat.ternary.name ? scale + ScalePlan.meanGuard : scale
    return unit > 0 ? value / unit : 0
  }

  mutating func choose() {
    if format.code.selectors.count > 1 {
      selectors = format.scheme.hasOneSelector ? [bestSelector(ranges)] : ranges.map { bestSelector([$0]) }
    }
    let parts = isPerTensor ? [0..<input.count] : ranges
    scales = parts.enumerated().map { scale($1, selector: selector(ofGroup: $0)) }
    storeScales(parts)
    if isAsymmetric { zeroPoints = zip(parts, scales).map(zeroPoint) }
  }

  /// The scale of a part: as the format has it, or the multiple of that with the least squared error, the first of equals.
  ///
  /// **Source** Guo et al., "OliVe", ISCA 2023, section III: the scale starts from three standard deviations and is refined by squared error;
  /// Guo et al., "ANT", MICRO 2022, section V: the range of a type by squared error.
  private func scale(_ range: Range<Int>, selector: Int) -> Double {
    let own = exactScale(range, selector: selector)
    guard let grid = options.grid else { return own }
    var best = (scale: own, error: Double.infinity)
    for factor in grid.factors {
      let scale = stored(own * factor)
      let error = error(range, scale: scale, selector: selector)
      if error < best.error { best = (scale, error) }
    }
    return best.scale
  }

  /// A searched scale as the codes will see it.
  private func stored(_ scale: Double) -> Double {
    guard options.storesScales, case .real(let bits) = format.scheme.scale else { return scale }
    return ScalePlan.rounded(scale, bits: bits)
  }

  /// The scale before anything is stored.
  private func exactScale(_ range: Range<Int>, selector: Int) -> Double {
    if format.scheme.scale == .none { return 1 }
    let values = input[range]
    if isMean { return values.reduce(0) { $0 + abs($1) } / Double(values.count) }
    if isAsymmetric {
      let span = max(values.max() ?? 0, 0) - min(values.min() ?? 0, 0)
      return span / Double(format.code.count - 1)
    }
    if let pairs = format.pairs {
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      return 3 * variance.squareRoot() / pairs.threshold
    }
    return largest(values) / format.code.largestMagnitude(selector: selector)
  }

  private func largest(_ values: ArraySlice<Double>) -> Double {
    values.reduce(0) { max($0, abs($1)) }
  }

  private func zeroPoint(_ range: Range<Int>, _ scale: Double) -> Int {
    guard scale > 0 else { return 0 }
    let low = min(input[range].min() ?? 0, 0)
    return Int(min(max((-low / scale).rounded(.toNearestOrEven), 0), Double(format.code.count - 1)))
  }

  /// The reading with the least squared error, the first of equals.
  ///
  /// **Source** Chen et al., "BitMoD", HPCA 2025, algorithm 1.
  private func bestSelector(_ parts: [Range<Int>]) -> Int {
    var best = (selector: 0, error: Double.infinity)
    for selector in format.code.selectors.indices {
      let error = parts.reduce(0) {
        $0 + self.error($1, scale: scale($1, selector: selector), selector: selector)
      }
      if error < best.error { best = (selector, error) }
    }
    return best.selector
  }

  /// Sum of squared differences of a part with a scale.
  private func error(_ range: Range<Int>, scale: Double, selector: Int) -> Double {
    var error = 0.0
    if let pairs = format.pairs {
      for first in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
        let isPair = first + 1 < range.upperBound
        let (a, b) = (input[first], isPair ? input[first + 1] : 0)
        // Finite, so that there are codes, and codes that encoding makes have values.
        guard let codes = try? pairs.codes(divided(a, scale), divided(b, scale)),
          let worth = try? pairs.values(codes.0, codes.1)
        else { preconditionFailure("\(format.name) does not take \(a), \(b)") }
        error += (worth.0 * scale - a) * (worth.0 * scale - a)
        if isPair { error += (worth.1 * scale - b) * (worth.1 * scale - b) }
      }
      return error
    }
    for position in range {
      let value = input[position]
      // Finite, so that there is a code, and codes that encoding makes have a value.
      guard let code = try? format.code.code(of: divided(value, scale), selector: selector),
        let worth = format.code.meaning(of: code, selector: selector).double
      else { preconditionFailure("\(format.name) does not take \(value)") }
      error += (worth * scale - value) * (worth * scale - value)
    }
    return error
  }

  // MARK: Storage

  private mutating func storeScales(_ parts: [Range<Int>]) {
    switch format.scheme.scale {
    case .none: break
    case .real(let bits):
      if options.storesScales { scales = scales.map { ScalePlan.rounded($0, bits: bits) } }
    case .sharedExponent:
      scaleCodes = parts.map {
        SharedExponent.scale(largest: largest(input[$0]), element: format.code, rule: options.rule)
      }
      scales = scaleCodes.map(SharedExponent.value)
    case .fp8TimesTensor:
      let block = ElementCode.e4m3
      let top = format.code.largestMagnitude()
      let outer = Double(Float(largest(input[...]) / (block.largestMagnitude() * top)))
      outerScales = [outer]
      scaleCodes = parts.map {
        outer > 0 ? ScalePlan.code(largest(input[$0]) / top / outer, in: block) : 0
      }
      scales = scaleCodes.map { (block.meaning(of: $0).double ?? 0) * outer }
    case .integerTimesChannel(let bits):
      if options.storesScales { storeIntegers(bits: bits) }
    case .doublyQuantised(let per): storeDoubly(per: per)
    }
  }

  private static func code(_ value: Double, in block: ElementCode) -> Int {
    guard let code = try? block.code(of: value) else {
      preconditionFailure("\(block.name) does not take \(value)")
    }
    return code
  }

  private static func rounded(_ scale: Double, bits: Int) -> Double {
    bits == 16 ? Double(min(Float16(scale), .greatestFiniteMagnitude)) : Double(Float(scale))
  }

  /// Whole multiples of an FP16 number a row; the largest scale of a row is the largest multiple.
  private mutating func storeIntegers(bits: Int) {
    let most = Double(1 << (bits - 1)) - 1
    let perRow = ranges.count / rows
    for row in 0..<rows {
      let groups = row * perRow..<(row + 1) * perRow
      let outer = ScalePlan.rounded((scales[groups].max() ?? 0) / most, bits: 16)
      outerScales.append(outer)
      for group in groups {
        let multiple = outer > 0 ? min((scales[group] / outer).rounded(.toNearestOrEven), most) : 0
        scaleCodes.append(Int(multiple))
        scales[group] = multiple * outer
      }
    }
  }

  /// Scales less their mean in 8 bits, symmetric, with the absmax of `per` of them; the mean comes last in
  /// `outerScales`.
  private mutating func storeDoubly(per: Int) {
    let mean = Double(Float(scales.reduce(0, +) / Double(scales.count)))
    for start in stride(from: 0, to: scales.count, by: per) {
      let group = start..<min(start + per, scales.count)
      let outer = Double(Float(group.reduce(0) { max($0, abs(scales[$1] - mean)) } / 127))
      outerScales.append(outer)
      for index in group {
        let code =
          outer > 0
          ? min(max(((scales[index] - mean) / outer).rounded(.toNearestOrEven), -127), 127) : 0
        scaleCodes.append(Int(code))
        // A scale below zero would turn signs around.
        scales[index] = max(mean + code * outer, 0)
      }
    }
    outerScales.append(mean)
  }
}
