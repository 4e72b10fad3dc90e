import PantilePasses
import PantileSupport
import PantileTensor
import Testing

@Suite struct FormattedWeightsTests {
  static let usable = [
    "int8", "int6", "int4", "int3", "int2", "ternary", "bitmod-fp4", "bitmod-fp3", "ant4", "olive-int4",
  ]

  /// Numbers times scales are what the format makes of each channel on its own, in either layout.
  @Test(arguments: usable)
  func numbersTimesScalesAreTheFormatsValues(name: String) throws {
    let format = try NumberFormat.named(name)
    var random = SplitMix64(seed: 9)
    let (channels, depth) = (5, 37)
    let values = (0..<channels * depth).map { _ in Float(random.nextUnit24() - 0.5) * 3 }
    let rows = HostTensor(shape: [channels, depth], values: values)
    var transposed = [Float](repeating: 0, count: values.count)
    for c in 0..<channels { for k in 0..<depth { transposed[k * channels + c] = values[c * depth + k] } }
    let columns = HostTensor(shape: [depth, channels], values: transposed)
    let first = try FormattedWeights(rows, axis: 0, format: format)
    let second = try FormattedWeights(columns, axis: 1, format: format)
    var whole = format
    if case .group = format.scheme.granularity { whole = try format.withGroup(depth) }
    let expected = try QuantisedMatrix(values.map(Double.init), rows: channels, columns: depth, format: whole)
    for c in 0..<channels {
      let scale = Double(first.scales[first.scales.count == 1 ? 0 : c])
      for k in 0..<depth {
        let number = first.tensor.double(at: c * depth + k)
        #expect(abs(number * scale - expected.values[c * depth + k]) < 1e-5, "\(name) [\(c), \(k)]")
        #expect(number == second.tensor.double(at: k * channels + c))
        #expect(number >= -Double(1 << (first.bits - 1)) && number < Double(1 << (first.bits - 1)))
      }
    }
    #expect(first.scales == second.scales)
  }

  /// Formats whose scales stand inside the sums, or whose values are no whole numbers, are refused with the reason.
  @Test(arguments: ["nf4", "mxfp4", "int4-asym", "bf16", "olive-flint4"])
  func otherFormatsAreRefused(name: String) throws {
    let format = try #require(try? NumberFormat.named(name))
    #expect(throws: DiagnosticError.self) { try FormattedWeights.bits(of: format) }
  }
}
