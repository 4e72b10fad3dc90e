import Foundation
import PantileSupport
import PantileTensor

/// How far outputs of a network are from a reference, as one number.
public enum OutputError: String, Hashable, Sendable, CaseIterable {
  /// Mean Kullback-Leibler divergence of the softmax of each row (the last dimension) from that of the reference, in nats. For logits.
  case kl
  /// Squared error over the reference's power. For any output.
  case mse

  /// Summed over the outputs.
  ///
  /// - Precondition: the same outputs in the same shapes.
  /// - Throws: `no-logits` for `kl` where rows have one value: their softmax is always 1.
  public func between(_ reference: [NamedTensor], _ other: [NamedTensor]) throws(DiagnosticError) -> Double {
    precondition(reference.map(\.tensor.shape) == other.map(\.tensor.shape), "outputs of different networks")
    var total = 0.0
    for (reference, other) in zip(reference, other) {
      let expected = (0..<reference.tensor.count).map { reference.tensor.double(at: $0) }
      let actual = (0..<other.tensor.count).map { other.tensor.double(at: $0) }
      switch self {
      case .kl:
        let columns = reference.tensor.shape.last ?? 1
        guard columns > 1 else {
          throw DiagnosticError(
            "no-logits", "output '\(reference.name)' has rows of one value, which have no distribution",
            hint: "measure its squared error: --error mse")
        }
        total += OutputError.divergence(of: actual, from: expected, columns: columns)
      case .mse:
        let power = expected.reduce(0) { $0 + $1 * $1 }
        let squared = zip(expected, actual).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        total += power > 0 ? squared / power : squared
      }
    }
    return total
  }

  private static func divergence(of actual: [Double], from expected: [Double], columns: Int) -> Double {
    let rows = expected.count / columns
    guard rows > 0 else { return 0 }
    var total = 0.0
    for row in 0..<rows {
      let range = (row * columns)..<((row + 1) * columns)
      let p = logSoftmax(expected[range])
      let q = logSoftmax(actual[range])
      // Never negative but for rounding.
      total += max(0, zip(p, q).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) })
    }
    return total / Double(rows)
  }

  private static func logSoftmax(_ row: ArraySlice<Double>) -> [Double] {
    let largest = row.max() ?? 0
    let sum = log(row.reduce(0) { $0 + exp($1 - largest) })
    return row.map { $0 - largest - sum }
  }
}
