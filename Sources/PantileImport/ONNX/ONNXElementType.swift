import PantileTensor

/// The element type numbers of the ONNX format.
enum ONNXElementType {
  /// Our element type for a number of the format; nil for the ones that we do not have.
  static func elementType(_ number: Int) -> ElementType? {
    switch number {
    case 1: return .f32
    case 2: return .ui8
    case 3: return .i8
    case 4: return .ui16
    case 5: return .i16
    case 6: return .i32
    case 7: return .i64
    case 9: return .i1
    case 10: return .f16
    case 11: return .f64
    case 12: return .ui32
    case 13: return .ui64
    case 16: return .bf16
    case 22: return .i4
    default: return nil
    }
  }

  /// The name that the ONNX documentation gives a number.
  static func name(_ number: Int) -> String {
    let names = [
      "undefined", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "double",
      "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
      "float8e5m2fnuz", "uint4", "int4", "float4e2m1",
    ]
    return names.indices.contains(number) ? names[number] : "type \(number)"
  }
}
