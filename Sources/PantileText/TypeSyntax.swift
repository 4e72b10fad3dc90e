/// A type as MLIR text writes it; the IR interns these values.
public indirect enum TypeSyntax: Hashable, Sendable {
  /// `i8`, `si8`, `ui8`.
  case integer(width: Int, Signedness)
  /// `f16`, `bf16`, `f32`, `f64`, `f8E4M3FN`, … by name.
  case float(FloatKind)
  case index
  case none
  /// `tensor<1x?x8xf32, encoding>`; a nil dimension is dynamic.
  case tensor(shape: [Int?], element: TypeSyntax, encoding: AttributeSyntax?)
  /// `tensor<*xf32>`.
  case unrankedTensor(element: TypeSyntax)
  /// `memref<8x8xf32, layout, space>`; further parameters in order, opaque here.
  case memref(shape: [Int?], element: TypeSyntax, parameters: [AttributeSyntax])
  /// `vector<4x[4]xf32>`; a scalable dimension has its flag set.
  case vector(shape: [Int], scalable: [Bool], element: TypeSyntax)
  case function(inputs: [TypeSyntax], results: [TypeSyntax])
  case tuple([TypeSyntax])
  case complex(TypeSyntax)
  /// A dialect's type, text after the `!`: `tile.buffer<2 x 64 x i8>`.
  case dialect(String)

  public enum Signedness: String, Hashable, Sendable {
    case signless = ""
    case signed = "s"
    case unsigned = "u"
  }

  public enum FloatKind: String, Hashable, Sendable, CaseIterable {
    case f16, bf16, f32, f64, tf32, f80, f128
    case f8E5M2, f8E4M3, f8E4M3FN, f8E5M2FNUZ, f8E4M3FNUZ, f8E4M3B11FNUZ, f8E3M4, f8E8M0FNU
    case f6E2M3FN, f6E3M2FN, f4E2M1FN
  }

  public static let i1 = TypeSyntax.integer(width: 1, .signless)
  public static let i8 = TypeSyntax.integer(width: 8, .signless)
  public static let i16 = TypeSyntax.integer(width: 16, .signless)
  public static let i32 = TypeSyntax.integer(width: 32, .signless)
  public static let i64 = TypeSyntax.integer(width: 64, .signless)
  public static let ui8 = TypeSyntax.integer(width: 8, .unsigned)
  public static let f32 = TypeSyntax.float(.f32)
  public static let f64 = TypeSyntax.float(.f64)

  /// A ranked tensor without dynamic dimensions.
  public static func tensor(_ shape: [Int], _ element: TypeSyntax, encoding: AttributeSyntax? = nil) -> TypeSyntax {
    .tensor(shape: shape.map { $0 }, element: element, encoding: encoding)
  }

  /// Bits of one scalar in MLIR's attribute storage terms; nil for aggregates and for formats without a fixed width.
  public var bitWidth: Int? {
    switch self {
    case .integer(let width, _): return width
    case .index: return 64
    case .float(let kind):
      switch kind {
      case .f16, .bf16: return 16
      case .f32: return 32
      case .f64: return 64
      case .tf32: return 19
      case .f80: return 80
      case .f128: return 128
      case .f8E5M2, .f8E4M3, .f8E4M3FN, .f8E5M2FNUZ, .f8E4M3FNUZ, .f8E4M3B11FNUZ, .f8E3M4, .f8E8M0FNU: return 8
      case .f6E2M3FN, .f6E3M2FN: return 6
      case .f4E2M1FN: return 4
      }
    case .none, .tensor, .unrankedTensor, .memref, .vector, .function, .tuple, .complex, .dialect: return nil
    }
  }
}

extension TypeSyntax: CustomStringConvertible {
  /// The type as MLIR text.
  public var description: String {
    var printer = Printer()
    printer.write(self)
    return printer.text
  }
}
