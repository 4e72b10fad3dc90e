/// The element types of tensors, spelled in text as their case names.
public enum ElementType: String, CaseIterable, Hashable, Sendable {
  case f32, f16, bf16, f64
  case i1, i4, i8, i16, i32, i64
  case ui8, ui16, ui32, ui64

  /// The width of one element in bits; `i1` is 1 and `i4` is 4 although a `HostTensor` gives each a byte.
  public var bitWidth: Int {
    switch self {
    case .i1: return 1
    case .i4: return 4
    case .i8, .ui8: return 8
    case .f16, .bf16, .i16, .ui16: return 16
    case .f32, .i32, .ui32: return 32
    case .f64, .i64, .ui64: return 64
    }
  }

  /// The bytes that one element takes in a `HostTensor`.
  public var storageBytes: Int { max(1, bitWidth / 8) }

  /// Whether values are floating-point numbers.
  public var isFloat: Bool {
    switch self {
    case .f32, .f16, .bf16, .f64: return true
    case .i1, .i4, .i8, .i16, .i32, .i64, .ui8, .ui16, .ui32, .ui64: return false
    }
  }

  /// Whether values are integers of more than one bit (`i1` holds truth values).
  public var isInteger: Bool { !isFloat && self != .i1 }

  /// Whether values are integers with a sign.
  public var isSignedInteger: Bool {
    switch self {
    case .i4, .i8, .i16, .i32, .i64: return true
    case .f32, .f16, .bf16, .f64, .i1, .ui8, .ui16, .ui32, .ui64: return false
    }
  }

  /// The least and the greatest integer of the type, clipped to `Int` (that is: `ui64` ends at `Int.max`); nil for floats.
  public var integerRange: ClosedRange<Int>? {
    switch self {
    case .f32, .f16, .bf16, .f64: return nil
    case .i1: return 0...1
    case .i4: return -8...7
    case .i8: return -128...127
    case .i16: return Int(Int16.min)...Int(Int16.max)
    case .i32: return Int(Int32.min)...Int(Int32.max)
    case .i64: return Int.min...Int.max
    case .ui8: return 0...255
    case .ui16: return 0...65535
    case .ui32: return 0...Int(UInt32.max)
    case .ui64: return 0...Int.max
    }
  }
}
