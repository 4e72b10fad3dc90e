import PantileSupport
import PantileText

/// A ranked tensor type with known dimensions.
public struct TensorType: Hashable, Sendable {
  public var shape: [Int]
  public var element: TypeSyntax
  public var encoding: AttributeSyntax?

  public init(_ shape: [Int], _ element: TypeSyntax, encoding: AttributeSyntax? = nil) {
    self.shape = shape
    self.element = element
    self.encoding = encoding
  }

  /// Nil when the type is no ranked tensor of static shape.
  public init?(_ type: TypeSyntax) {
    guard case .tensor(_, let element, let encoding) = type, let shape = type.staticShape else { return nil }
    self.init(shape, element, encoding: encoding)
  }

  /// - Throws: `not-a-tensor`, `dynamic-shape`.
  public init(_ type: TypeSyntax, at location: SourceLocation) throws(DiagnosticError) {
    guard case .tensor(let shape, let element, let encoding) = type else {
      throw DiagnosticError("not-a-tensor", "expected a ranked tensor but the type is \(type)", at: location)
    }
    guard let known = type.staticShape else {
      let open = shape.indices.filter { shape[$0] == nil }
      throw DiagnosticError(
        "dynamic-shape", "dimension \(open.map(String.init).joined(separator: ", ")) of \(type) is not known",
        at: location, hint: "bind it with --dim NAME=N or --shape INPUT=1x3x224x224")
    }
    try self.init(checked: known, element, encoding: encoding, at: location)
  }

  /// The most elements a tensor may have, so that products of two sizes stay far from overflow.
  public static let elementLimit = 1 << 46

  /// - Throws: `negative-size`; `tensor-too-large` beyond `elementLimit`, with empty dimensions counted as one.
  public init(
    checked shape: [Int], _ element: TypeSyntax, encoding: AttributeSyntax? = nil, at location: SourceLocation
  ) throws(DiagnosticError) {
    var count = 1
    for size in shape {
      guard size >= 0 else {
        throw DiagnosticError("negative-size", "shape \(shape) has a negative size", at: location)
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: max(1, size))
      guard !overflow, product <= TensorType.elementLimit else {
        throw DiagnosticError("tensor-too-large", "shape \(shape) has more than 2^46 elements", at: location)
      }
      count = product
    }
    self.init(shape, element, encoding: encoding)
  }

  public var rank: Int { shape.count }

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  public var syntax: TypeSyntax { .tensor(shape, element, encoding: encoding) }

  /// The same shape with another element type and no encoding.
  public func with(element: TypeSyntax) -> TensorType { TensorType(shape, element) }

  /// The same element type with another shape and no encoding.
  public func with(shape: [Int]) -> TensorType { TensorType(shape, element) }
}

extension TensorType: CustomStringConvertible {
  public var description: String { syntax.description }
}
