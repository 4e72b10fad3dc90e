import PantileEngines
import PantileSupport
import PantileTensor

/// Weights of one layer in a number format, as the whole numbers that arrays take and what they are worth.
///
/// A scale serves an output channel, or the tensor where the format says so: accumulators hold sums over all inputs, so groups of
/// inputs cannot have scales of their own.
package struct FormattedWeights {
  /// [shape of the weights], `i8`.
  package var tensor: HostTensor
  /// Value of a number 1, a channel or one for all.
  package var scales: [Float]
  /// Two's complement bits of the format's numbers.
  package var bits: Int

  /// Bits that a format's numbers need, when its weights can be numbers of at most 8 bits times one scale a channel.
  ///
  /// - Throws: `option-value` with the reason otherwise.
  package static func bits(of format: NumberFormat) throws(DiagnosticError) -> Int {
    func refusal(_ reason: String) -> DiagnosticError {
      DiagnosticError(
        "option-value", "weights cannot be in the format '\(format.name)': \(reason)",
        hint: "take an integer, ternary, BitMoD or power-of-two format (pantile list formats)")
    }
    guard format.scheme.zeroPointBits == 0 else { throw refusal("it has zero points") }
    if case .group = format.scheme.granularity, format.groupIsFixed {
      throw refusal("its blocks of inputs have scales of their own")
    }
    let bits: Int
    do {
      if let pairs = format.pairs {
        // The largest outlier; normal values are smaller.
        bits = String(Int(pairs.outlier(7) ?? 0), radix: 2).count + 1
      } else {
        bits = max(2, try SerialNumbers.numberRange(of: format).bits)
      }
    } catch {
      throw refusal("its values are no whole numbers of few bits")
    }
    guard bits <= 8 else { throw refusal("its numbers have \(bits) bits, arrays take 8") }
    return bits
  }

  /// - Parameters:
  ///   - axis: of the output channels.
  ///   - options: how scales are found.
  /// - Throws: `option-value`, `not-finite`, `no-scale-search`.
  package init(
    _ weights: HostTensor, axis: Int, format: NumberFormat, options: QuantisedMatrix.Options = .init()
  ) throws(DiagnosticError) {
    bits = try FormattedWeights.bits(of: format)
    let channels = weights.shape[axis]
    let inner = weights.shape[(axis + 1)...].reduce(1, *)
    let columns = weights.count / max(1, channels)
    // A channel's weights in one row, in the order of the tensor.
    var places = [[Int]](repeating: [], count: channels)
    for index in 0..<weights.count { places[index / inner % channels].append(index) }
    let values = places.flatMap { $0.map { weights.double(at: $0) } }
    var perChannel = format
    if case .group = format.scheme.granularity { perChannel = try format.withGroup(columns) }
    let matrix = try QuantisedMatrix(values, rows: channels, columns: columns, format: perChannel, options: options)
    let (numbers, fractionBits) = try FormattedWeights.numbers(matrix)
    let step = 1 / Double(1 << fractionBits)
    scales = matrix.scales.map { scale in
      let value = Float(scale * step)
      return value.isNormal ? value : 1
    }
    if scales.isEmpty { scales = [Float(step)] }
    var output = [Int8](repeating: 0, count: weights.count)
    for channel in 0..<channels {
      for (column, index) in places[channel].enumerated() {
        output[index] = Int8(numbers[channel * columns + column])
      }
    }
    tensor = HostTensor(shape: weights.shape, values: output)
  }

  /// The values of codes, times 2^fractionBits; those of pairs are whole.
  private static func numbers(_ matrix: QuantisedMatrix) throws(DiagnosticError) -> ([Int16], fractionBits: Int) {
    guard matrix.format.pairs != nil else {
      let numbers = try SerialNumbers(matrix)
      return (numbers.values, numbers.fractionBits)
    }
    // The last code of an odd row has no partner that would tell how it is read, so that numbers come from the values.
    let values = matrix.values.enumerated().map { index, value in
      let scale = matrix.scales[matrix.scales.count == 1 ? 0 : index / matrix.columns]
      return scale > 0 ? Int16((value / scale).rounded()) : 0
    }
    return (values, 0)
  }
}
