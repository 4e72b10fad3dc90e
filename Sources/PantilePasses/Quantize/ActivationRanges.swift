import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor

/// How activation ranges are chosen from calibration runs.
public enum RangeMethod: String, CaseIterable, Sendable, PassOptionValue {
  /// Least and greatest value seen.
  case minmax
  /// Without a small share of values at both ends.
  case percentile
}

/// The range of every float value of a function over calibration runs.
struct ActivationRanges: Sendable {
  struct Range: Sendable {
    var low: Double
    var high: Double
    /// An infinity or NaN was seen: the value cannot be quantised.
    var isFinite: Bool
  }

  private(set) var ranges: [ValueID: Range] = [:]

  subscript(value: ValueID) -> Range? { ranges[value] }

  /// Runs the function on each sample.
  ///
  /// With `percentile`, a second run fills histograms of 4,096 bins over each range; `(100 − percentile) / 2` percent of the
  /// values are cut off at each end, to whole bins.
  /// - Throws: what the interpreter throws, `missing-weights` among it.
  init(
    _ module: Module, function: OpID, calibration: Calibration, method: RangeMethod, percentile: Double
  ) throws(DiagnosticError) {
    let interpreter = try Interpreter(module, function: function)
    for sample in calibration.samples {
      var found = ranges
      try interpreter.run(sample) { value, _, tensor throws(DiagnosticError) in
        guard tensor.elementType == .f32, tensor.count > 0 else { return }
        found[value] = Self.merged(found[value], Self.extremes(tensor))
      }
      ranges = found
    }
    guard method == .percentile else { return }
    var histograms: [ValueID: [Int]] = [:]
    for sample in calibration.samples {
      var counts = histograms
      let ranges = self.ranges
      try interpreter.run(sample) { value, _, tensor throws(DiagnosticError) in
        guard tensor.elementType == .f32, let range = ranges[value], range.isFinite, range.high > range.low else {
          return
        }
        Self.count(tensor, range, into: &counts[value, default: [Int](repeating: 0, count: Self.binCount)])
      }
      histograms = counts
    }
    let share = (100 - percentile) / 200
    for (value, histogram) in histograms {
      guard let range = ranges[value] else { continue }
      ranges[value] = Self.trimmed(range, histogram, share: share)
    }
  }

  private static let binCount = 4096

  private static func extremes(_ tensor: HostTensor) -> Range {
    tensor.withValues(as: Float.self) { values in
      var low = Float.infinity
      var high = -Float.infinity
      var isFinite = true
      for value in values {
        if !value.isFinite { isFinite = false }
        if value < low { low = value }
        if value > high { high = value }
      }
      return Range(low: Double(low), high: Double(high), isFinite: isFinite)
    }
  }

  private static func merged(_ a: Range?, _ b: Range) -> Range {
    guard let a else { return b }
    return Range(low: min(a.low, b.low), high: max(a.high, b.high), isFinite: a.isFinite && b.isFinite)
  }

  private static func count(_ tensor: HostTensor, _ range: Range, into bins: inout [Int]) {
    let scale = Double(binCount) / (range.high - range.low)
    tensor.withValues(as: Float.self) { values in
      for value in values {
        let bin = Int((Double(value) - range.low) * scale)
        bins[min(max(bin, 0), binCount - 1)] += 1
      }
    }
  }

  /// Drops bins from both ends while what they hold stays within the share.
  private static func trimmed(_ range: Range, _ bins: [Int], share: Double) -> Range {
    let allowed = Double(bins.reduce(0, +)) * share
    var first = 0
    var dropped = 0
    while first < binCount - 1, Double(dropped + bins[first]) <= allowed {
      dropped += bins[first]
      first += 1
    }
    var last = binCount - 1
    dropped = 0
    while last > first, Double(dropped + bins[last]) <= allowed {
      dropped += bins[last]
      last -= 1
    }
    let width = (range.high - range.low) / Double(binCount)
    return Range(low: range.low + Double(first) * width, high: range.low + Double(last + 1) * width, isFinite: true)
  }
}
