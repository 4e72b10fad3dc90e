/// A Swift number type that can be the storage of tensor elements.
public protocol TensorScalar: BitwiseCopyable, Sendable, Equatable {
  /// The element type that values of this type make by default.
  static var elementType: ElementType { get }
  /// All element types whose storage has this type: `Int8` also stores `i4`, `UInt8` stores `i1`, `UInt16` stores `bf16`.
  static var storedTypes: [ElementType] { get }
}

extension TensorScalar {
  public static var storedTypes: [ElementType] { [elementType] }
}

extension Float: TensorScalar { public static var elementType: ElementType { .f32 } }
extension Double: TensorScalar { public static var elementType: ElementType { .f64 } }
extension Float16: TensorScalar { public static var elementType: ElementType { .f16 } }
extension Int8: TensorScalar {
  public static var elementType: ElementType { .i8 }
  public static var storedTypes: [ElementType] { [.i8, .i4] }
}
extension Int16: TensorScalar { public static var elementType: ElementType { .i16 } }
extension Int32: TensorScalar { public static var elementType: ElementType { .i32 } }
extension Int64: TensorScalar { public static var elementType: ElementType { .i64 } }
extension UInt8: TensorScalar {
  public static var elementType: ElementType { .ui8 }
  public static var storedTypes: [ElementType] { [.ui8, .i1] }
}
extension UInt16: TensorScalar {
  public static var elementType: ElementType { .ui16 }
  public static var storedTypes: [ElementType] { [.ui16, .bf16] }
}
extension UInt32: TensorScalar { public static var elementType: ElementType { .ui32 } }
extension UInt64: TensorScalar { public static var elementType: ElementType { .ui64 } }
