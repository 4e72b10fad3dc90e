extension HostTensor {
  /// The values in another element type, with the meaning of ONNX Cast: to a float by rounding to nearest, ties to even;
  /// float to integer truncates toward zero and saturates, NaN becomes 0; integer to integer wraps; to `i1` is `≠ 0`.
  public func converted(to target: ElementType) -> HostTensor {
    if target == elementType { return self }
    switch elementType {
    case .f32: return withValues(as: Float.self) { convert($0, to: target) { Double($0) } }
    case .f64: return withValues(as: Double.self) { convert($0, to: target) { $0 } }
    case .f16: return withValues(as: Float16.self) { convert($0, to: target) { Double($0) } }
    case .bf16: return withValues(as: UInt16.self) { convert($0, to: target) { Double(BFloat16.value(of: $0)) } }
    case .i4, .i8: return withValues(as: Int8.self) { convertInteger($0, to: target) }
    case .i16: return withValues(as: Int16.self) { convertInteger($0, to: target) }
    case .i32: return withValues(as: Int32.self) { convertInteger($0, to: target) }
    case .i64: return withValues(as: Int64.self) { convertInteger($0, to: target) }
    case .i1, .ui8: return withValues(as: UInt8.self) { convertInteger($0, to: target) }
    case .ui16: return withValues(as: UInt16.self) { convertInteger($0, to: target) }
    case .ui32: return withValues(as: UInt32.self) { convertInteger($0, to: target) }
    case .ui64: return withValues(as: UInt64.self) { convertInteger($0, to: target) }
    }
  }

  /// All values as `Float` (rounded), whatever the element type.
  public var floats: [Float] { converted(to: .f32).values(as: Float.self) }

  /// All values as `Int`; floats are truncated and `ui64` wraps.
  public var integers: [Int] { converted(to: .i64).withValues(as: Int64.self) { $0.map { Int($0) } } }

  /// The element at a flat position as a double (`i64` and `ui64` beyond 2^53 are rounded).
  public func double(at position: Int) -> Double {
    switch elementType {
    case .f32: return withValues(as: Float.self) { Double($0[position]) }
    case .f64: return withValues(as: Double.self) { $0[position] }
    case .f16: return withValues(as: Float16.self) { Double($0[position]) }
    case .bf16: return withValues(as: UInt16.self) { Double(BFloat16.value(of: $0[position])) }
    case .ui64: return withValues(as: UInt64.self) { Double($0[position]) }
    case .i1, .i4, .i8, .i16, .i32, .i64, .ui8, .ui16, .ui32: return Double(integer(at: position))
    }
  }

  /// The element at a flat position as an integer; floats are truncated and saturated, `ui64` wraps.
  public func integer(at position: Int) -> Int {
    switch elementType {
    case .f32, .f64, .f16, .bf16: return Int(saturatedInteger(double(at: position), .i64))
    case .i4, .i8: return withValues(as: Int8.self) { Int($0[position]) }
    case .i16: return withValues(as: Int16.self) { Int($0[position]) }
    case .i32: return withValues(as: Int32.self) { Int($0[position]) }
    case .i64: return withValues(as: Int64.self) { Int($0[position]) }
    case .i1, .ui8: return withValues(as: UInt8.self) { Int($0[position]) }
    case .ui16: return withValues(as: UInt16.self) { Int($0[position]) }
    case .ui32: return withValues(as: UInt32.self) { Int($0[position]) }
    case .ui64: return withValues(as: UInt64.self) { Int(truncatingIfNeeded: $0[position]) }
    }
  }

  private func convert<T: TensorScalar>(
    _ values: UnsafeBufferPointer<T>, to target: ElementType, _ value: (T) -> Double
  ) -> HostTensor {
    switch target {
    case .f32: return mapped(values, target) { Float(value($0)) }
    case .f64: return mapped(values, target) { value($0) }
    case .f16: return mapped(values, target) { Float16(value($0)) }
    // Float first: exact for f32 and f16 sources, twice rounded for f64.
    case .bf16: return mapped(values, target) { BFloat16.bits(of: Float(value($0))) }
    case .i1: return mapped(values, target) { UInt8(value($0) == 0 ? 0 : 1) }
    case .i4, .i8: return mapped(values, target) { Int8(truncatingIfNeeded: saturatedInteger(value($0), target)) }
    case .i16: return mapped(values, target) { Int16(truncatingIfNeeded: saturatedInteger(value($0), target)) }
    case .i32: return mapped(values, target) { Int32(truncatingIfNeeded: saturatedInteger(value($0), target)) }
    case .i64: return mapped(values, target) { saturatedInteger(value($0), target) }
    case .ui8: return mapped(values, target) { UInt8(truncatingIfNeeded: saturatedInteger(value($0), target)) }
    case .ui16: return mapped(values, target) { UInt16(truncatingIfNeeded: saturatedInteger(value($0), target)) }
    case .ui32: return mapped(values, target) { UInt32(truncatingIfNeeded: saturatedInteger(value($0), target)) }
    case .ui64:
      return mapped(values, target) { source in
        let number = value(source)
        if number.isNaN || number <= 0 { return UInt64(0) }
        return number >= 0x1p64 ? UInt64.max : UInt64(number)
      }
    }
  }

  private func convertInteger<T: TensorScalar & FixedWidthInteger>(
    _ values: UnsafeBufferPointer<T>, to target: ElementType
  ) -> HostTensor {
    switch target {
    case .f32: return mapped(values, target) { Float($0) }
    case .f64: return mapped(values, target) { Double($0) }
    case .f16: return mapped(values, target) { Float16($0) }
    case .bf16: return mapped(values, target) { BFloat16.bits(of: Float($0)) }
    case .i1: return mapped(values, target) { UInt8($0 == 0 ? 0 : 1) }
    case .i4: return mapped(values, target) { (Int8(truncatingIfNeeded: $0) << 4) >> 4 }
    case .i8: return mapped(values, target) { Int8(truncatingIfNeeded: $0) }
    case .i16: return mapped(values, target) { Int16(truncatingIfNeeded: $0) }
    case .i32: return mapped(values, target) { Int32(truncatingIfNeeded: $0) }
    case .i64: return mapped(values, target) { Int64(truncatingIfNeeded: $0) }
    case .ui8: return mapped(values, target) { UInt8(truncatingIfNeeded: $0) }
    case .ui16: return mapped(values, target) { UInt16(truncatingIfNeeded: $0) }
    case .ui32: return mapped(values, target) { UInt32(truncatingIfNeeded: $0) }
    case .ui64: return mapped(values, target) { UInt64(truncatingIfNeeded: $0) }
    }
  }

  private func mapped<T: TensorScalar, U: TensorScalar>(
    _ values: UnsafeBufferPointer<T>, _ target: ElementType, _ transform: (T) -> U
  ) -> HostTensor {
    HostTensor(shape: shape, elementType: target) { (output: UnsafeMutableBufferPointer<U>) in
      for i in 0..<values.count { output[i] = transform(values[i]) }
    }
  }
}

/// Truncated toward zero and limited to the range of the type; NaN becomes 0.
private func saturatedInteger(_ value: Double, _ type: ElementType) -> Int64 {
  if value.isNaN { return 0 }
  guard let range = type.integerRange else { preconditionFailure("\(type) is not an integer type") }
  if value <= Double(range.lowerBound) { return Int64(range.lowerBound) }
  // For i64 the upper bound rounds up to 2^63, which is already outside.
  if value >= Double(range.upperBound) { return Int64(range.upperBound) }
  return Int64(value)
}
