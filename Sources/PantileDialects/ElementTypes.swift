import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension ElementType {
  /// The element type that text spells so; nil for a type that host tensors do not hold.
  public init?(_ type: TypeSyntax) {
    switch type {
    case .integer, .float: self.init(rawValue: type.description)
    case .index, .none, .tensor, .unrankedTensor, .memref, .vector, .function, .tuple, .complex, .dialect: return nil
    }
  }

  /// - Throws: `element-type`.
  public init(_ type: TypeSyntax, at location: SourceLocation) throws(DiagnosticError) {
    guard let element = ElementType(type) else {
      throw DiagnosticError("element-type", "tensors of \(type) are not supported", at: location)
    }
    self = element
  }

  /// The type in text.
  public var syntax: TypeSyntax {
    switch self {
    case .f32: return .f32
    case .f16: return .float(.f16)
    case .bf16: return .float(.bf16)
    case .f64: return .f64
    case .i1: return .i1
    case .i4: return .integer(width: 4, .signless)
    case .i8: return .i8
    case .i16: return .i16
    case .i32: return .i32
    case .i64: return .i64
    case .ui8: return .ui8
    case .ui16: return .integer(width: 16, .unsigned)
    case .ui32: return .integer(width: 32, .unsigned)
    case .ui64: return .integer(width: 64, .unsigned)
    }
  }
}

extension TypeConstraint {
  /// A ranked tensor of an element type that host tensors hold.
  static let data = TypeConstraint("a ranked tensor of numbers") { type in
    guard case .tensor(_, let element, _) = type else { return false }
    return ElementType(element) != nil
  }

  /// A ranked tensor of f16, bf16, f32 or f64.
  static let float = TypeConstraint("a ranked tensor of floats") { type in
    guard case .tensor(_, let element, _) = type else { return false }
    return ElementType(element)?.isFloat ?? false
  }

  /// A ranked tensor of numbers but not of truth values.
  static let number = TypeConstraint("a ranked tensor of integers or floats") { type in
    guard case .tensor(_, let element, _) = type else { return false }
    return ElementType(element).map { $0 != .i1 } ?? false
  }

  /// A ranked tensor of i32 or i64 indices.
  static let indices = TypeConstraint.tensor(of: [.i32, .i64])
  static let truth = TypeConstraint.tensor(of: [.i1])
  static let int8 = TypeConstraint.tensor(of: [.i8])
  /// What a contraction multiplies: floats, or i8 by i8 or i4.
  static let contractible = TypeConstraint.tensor(
    of: [.f32, .f64, .float(.f16), .float(.bf16), .i8, .integer(width: 4, .signless)])
  static let accumulable = TypeConstraint.tensor(of: [.f32, .f64, .float(.f16), .float(.bf16), .i32])
}

extension AttributeSyntax {
  /// `array<f32: …>`.
  public static func floats32(_ values: [Float]) -> AttributeSyntax {
    .denseArray(.f32, values.map { .float32($0) })
  }

  /// `array<i32: …>`.
  public static func integers32(_ values: [Int]) -> AttributeSyntax {
    .denseArray(.i32, values.map { .integer($0, .i32) })
  }
}
