import Foundation
import PantileSupport
import PantileTensor

/// The description beside a model whose weights are not shipped: value ranges from which they are made.
///
/// `NAME.json` beside `NAME.onnx`, with the keys `prng` (the rule in words) and `tensors` (`name`, `dims`, `lo`, `hi`).
struct WeightRule: Sendable {
  struct Entry: Hashable, Sendable {
    var dims: [Int]
    var low: Double
    var high: Double
  }

  var path: String
  private var entries: [String: Entry] = [:]

  /// Nil when there is no description beside the model, or one that states no rule for weights.
  init?(modelPath: String) {
    guard modelPath.hasSuffix(".onnx") else { return nil }
    path = String(modelPath.dropLast(5)) + ".json"
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)),
      let description = try? JSONDecoder().decode(Description.self, from: data),
      description.prng.hasPrefix("fnv1a64(name) seeds splitmix64")
    else { return nil }
    for tensor in description.tensors where tensor.lo.isFinite && tensor.hi.isFinite {
      entries[tensor.name] = Entry(dims: tensor.dims, low: tensor.lo, high: tensor.hi)
    }
  }

  /// The range of a tensor.
  /// - Throws: `weight-rule` when the description gives the tensor another shape or a range that its type does not hold.
  func entry(for name: String, shape: [Int], type: ElementType) throws(DiagnosticError) -> Entry? {
    guard let entry = entries[name] else { return nil }
    guard entry.dims == shape else {
      throw DiagnosticError(
        "weight-rule", "tensor '\(name)' has shape \(shape) in the model but \(entry.dims) in '\(path)'")
    }
    let range = type.integerRange.map { Double(max($0.lowerBound, -(1 << 53)))...Double(min($0.upperBound, 1 << 53)) }
    guard entry.low <= entry.high, range.map({ $0.contains(entry.low) && $0.contains(entry.high) }) ?? true else {
      throw DiagnosticError(
        "weight-rule", "'\(path)' gives tensor '\(name)' the impossible range \(entry.low) to \(entry.high)")
    }
    return entry
  }

  private struct Description: Decodable {
    struct Tensor: Decodable {
      var name: String
      var dims: [Int]
      var lo: Double
      var hi: Double
    }
    var prng: String
    var tensors: [Tensor]
  }
}
