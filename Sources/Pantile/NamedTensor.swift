import PantileReport
import PantileSupport
import PantileTensor

/// An output of a run, or of a batch of runs.
public struct NamedTensor: Sendable {
  public var name: String
  public var tensor: HostTensor

  public init(name: String, tensor: HostTensor) {
    self.name = name
    self.tensor = tensor
  }

  /// One tensor an output, from the outputs of each run: unchanged for one run, else stacked along the first dimension
  /// (a new one when that is not 1).
  static func stacked(_ runs: [[HostTensor]], names: [String]) -> [NamedTensor] {
    names.indices.map { index in
      let tensors = runs.map { $0[index] }
      return NamedTensor(name: names[index], tensor: tensors.count == 1 ? tensors[0] : stack(tensors))
    }
  }

  private static func stack(_ tensors: [HostTensor]) -> HostTensor {
    let first = tensors[0]
    let inner = first.shape.first == 1 ? Array(first.shape.dropFirst()) : first.shape
    var bytes: [UInt8] = []
    bytes.reserveCapacity(first.byteCount * tensors.count)
    for tensor in tensors { tensor.withUnsafeBytes { bytes.append(contentsOf: $0) } }
    return bytes.withUnsafeBytes {
      HostTensor(shape: [tensors.count] + inner, elementType: first.elementType, bytes: $0)
    }
  }

  /// Sixteen hexadecimal digits over the bytes.
  public var hash: String {
    var hash = StableHash()
    tensor.withUnsafeBytes { hash.combine(buffer: $0) }
    return hash.hexadecimal
  }

  /// As reports show it.
  public var report: RunReport.Output {
    RunReport.Output(name: name, shape: tensor.shape, elementType: tensor.elementType.rawValue, hash: hash)
  }

  /// How many of `labels` are the place of the largest value in their row; the first of equal values counts.
  /// - Throws: `labels-shape` when there are not as many labels as rows; `labels-type`.
  public func correct(_ labels: HostTensor) throws(DiagnosticError) -> Int {
    guard !labels.elementType.isFloat else {
      throw DiagnosticError("labels-type", "labels must be whole numbers but are \(labels.elementType)")
    }
    let rows = labels.count
    guard rows > 0, tensor.count > 0, tensor.count % rows == 0, tensor.shape.first == rows else {
      throw DiagnosticError(
        "labels-shape",
        "\(rows) labels do not fit output '\(name)' of shape \(tensor.shape.map(String.init).joined(separator: "x"))",
        hint: "give one label a sample")
    }
    let classes = tensor.count / rows
    return (0..<rows).count { row in
      var best = 0
      for column in 1..<max(1, classes)
      where tensor.double(at: row * classes + column) > tensor.double(at: row * classes + best) {
        best = column
      }
      return labels.integer(at: row) == best
    }
  }
}
