import Foundation
import PantileTensor

/// Functions of two numbers that broadcast.
public enum BinaryFunction: String, CaseIterable, Hashable, Sendable {
  case add, sub, mul, div, max, min, pow, mod, fmod
  case equal, greater, less
  case greaterOrEqual = "greater_equal"
  case lessOrEqual = "less_equal"
  case and, or, xor

  /// Whether the result is a truth value (`i1`).
  public var isPredicate: Bool {
    switch self {
    case .add, .sub, .mul, .div, .max, .min, .pow, .mod, .fmod: return false
    case .equal, .greater, .less, .greaterOrEqual, .lessOrEqual, .and, .or, .xor: return true
    }
  }
}

extension Reference {
  /// A function of two tensors with numpy broadcasting.
  ///
  /// The result has the element type of `a` (of `i1` for predicates). Integers wrap; integer division truncates and gives 0
  /// for a divisor of 0; `mod` has the sign of the divisor, `fmod` that of the dividend; `max` and `min` pass NaN on.
  /// - Precondition: compatible shapes; equal element types (`pow` takes any exponent type).
  public static func binary(_ function: BinaryFunction, _ a: HostTensor, _ b: HostTensor) -> HostTensor {
    guard let shape = HostTensor.broadcastShape(a.shape, b.shape) else {
      preconditionFailure("\(function.rawValue) of \(a.shape) and \(b.shape)")
    }
    if function == .pow, a.elementType != b.elementType { return power(a, b, shape) }
    precondition(a.elementType == b.elementType, "\(function.rawValue) of \(a.elementType) and \(b.elementType)")
    let left = a.broadcast(to: shape)
    let right = b.broadcast(to: shape)
    switch a.elementType {
    case .f32: return floats(function, left, right, Float.self)
    case .f64: return floats(function, left, right, Double.self)
    case .f16, .bf16:
      let wide = floats(function, left.converted(to: .f32), right.converted(to: .f32), Float.self)
      return function.isPredicate ? wide : wide.converted(to: a.elementType)
    case .i4:
      let wide = integers(function, left.converted(to: .i8), right.converted(to: .i8), Int8.self)
      return function.isPredicate ? wide : wide.converted(to: .i4)
    case .i1:
      let wide = integers(function, left, right, UInt8.self)
      return function.isPredicate ? wide : wide.converted(to: .i1)
    case .i8: return integers(function, left, right, Int8.self)
    case .i16: return integers(function, left, right, Int16.self)
    case .i32: return integers(function, left, right, Int32.self)
    case .i64: return integers(function, left, right, Int64.self)
    case .ui8: return integers(function, left, right, UInt8.self)
    case .ui16: return integers(function, left, right, UInt16.self)
    case .ui32: return integers(function, left, right, UInt32.self)
    case .ui64: return integers(function, left, right, UInt64.self)
    }
  }

  /// `c ? a : b`, broadcast over all three.
  /// - Precondition: `condition` is `i1`; `a` and `b` have one element type.
  public static func select(_ condition: HostTensor, _ a: HostTensor, _ b: HostTensor) -> HostTensor {
    precondition(a.elementType == b.elementType, "select of \(a.elementType) and \(b.elementType)")
    guard let pair = HostTensor.broadcastShape(a.shape, b.shape),
      let shape = HostTensor.broadcastShape(condition.shape, pair)
    else { preconditionFailure("select of \(condition.shape), \(a.shape) and \(b.shape)") }
    let chosen = condition.broadcast(to: shape).values(as: UInt8.self)
    var result = b.broadcast(to: shape)
    let size = a.elementType.storageBytes
    a.broadcast(to: shape).withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        for i in chosen.indices where chosen[i] != 0 {
          for byte in (i * size)..<((i + 1) * size) { target[byte] = source[byte] }
        }
      }
    }
    return result
  }

  private static func power(_ a: HostTensor, _ b: HostTensor, _ shape: [Int]) -> HostTensor {
    if a.elementType == .f32 || !a.elementType.isFloat && !b.elementType.isFloat {
      return binary(.pow, a, b.converted(to: a.elementType))
    }
    let wide = floats(
      .pow, a.broadcast(to: shape).converted(to: .f64), b.broadcast(to: shape).converted(to: .f64), Double.self)
    return wide.converted(to: a.elementType)
  }

  private static func floats<T: TensorScalar & BinaryFloatingPoint>(
    _ function: BinaryFunction, _ a: HostTensor, _ b: HostTensor, _ type: T.Type
  ) -> HostTensor {
    switch function {
    case .add: return zip(a, b) { (x: T, y: T) in x + y }
    case .sub: return zip(a, b) { (x: T, y: T) in x - y }
    case .mul: return zip(a, b) { (x: T, y: T) in x * y }
    case .div: return zip(a, b) { (x: T, y: T) in x / y }
    case .max: return zip(a, b) { (x: T, y: T) in x.isNaN || x > y ? x : y }
    case .min: return zip(a, b) { (x: T, y: T) in x.isNaN || x < y ? x : y }
    case .pow: return zip(a, b) { (x: T, y: T) in T(Foundation.pow(Double(x), Double(y))) }
    case .fmod: return zip(a, b) { (x: T, y: T) in x.truncatingRemainder(dividingBy: y) }
    case .mod:
      return zip(a, b) { (x: T, y: T) in
        let rest = x.truncatingRemainder(dividingBy: y)
        return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest
      }
    case .equal: return predicate(a, b) { (x: T, y: T) in x == y }
    case .greater: return predicate(a, b) { (x: T, y: T) in x > y }
    case .less: return predicate(a, b) { (x: T, y: T) in x < y }
    case .greaterOrEqual: return predicate(a, b) { (x: T, y: T) in x >= y }
    case .lessOrEqual: return predicate(a, b) { (x: T, y: T) in x <= y }
    case .and: return predicate(a, b) { (x: T, y: T) in x != 0 && y != 0 }
    case .or: return predicate(a, b) { (x: T, y: T) in x != 0 || y != 0 }
    case .xor: return predicate(a, b) { (x: T, y: T) in (x != 0) != (y != 0) }
    }
  }

  private static func integers<T: TensorScalar & FixedWidthInteger>(
    _ function: BinaryFunction, _ a: HostTensor, _ b: HostTensor, _ type: T.Type
  ) -> HostTensor {
    switch function {
    case .add: return zip(a, b) { (x: T, y: T) in x &+ y }
    case .sub: return zip(a, b) { (x: T, y: T) in x &- y }
    case .mul: return zip(a, b) { (x: T, y: T) in x &* y }
    case .div: return zip(a, b) { (x: T, y: T) in y == 0 ? 0 : x.dividedReportingOverflow(by: y).partialValue }
    case .max: return zip(a, b) { (x: T, y: T) in Swift.max(x, y) }
    case .min: return zip(a, b) { (x: T, y: T) in Swift.min(x, y) }
    case .pow: return zip(a, b) { (x: T, y: T) in integerPower(x, y) }
    case .fmod:
      return zip(a, b) { (x: T, y: T) in y == 0 ? 0 : x.remainderReportingOverflow(dividingBy: y).partialValue }
    case .mod:
      return zip(a, b) { (x: T, y: T) in
        if y == 0 { return 0 }
        let rest = x.remainderReportingOverflow(dividingBy: y).partialValue
        return rest != 0 && (rest < 0) != (y < 0) ? rest &+ y : rest
      }
    case .equal: return predicate(a, b) { (x: T, y: T) in x == y }
    case .greater: return predicate(a, b) { (x: T, y: T) in x > y }
    case .less: return predicate(a, b) { (x: T, y: T) in x < y }
    case .greaterOrEqual: return predicate(a, b) { (x: T, y: T) in x >= y }
    case .lessOrEqual: return predicate(a, b) { (x: T, y: T) in x <= y }
    case .and: return predicate(a, b) { (x: T, y: T) in x != 0 && y != 0 }
    case .or: return predicate(a, b) { (x: T, y: T) in x != 0 || y != 0 }
    case .xor: return predicate(a, b) { (x: T, y: T) in (x != 0) != (y != 0) }
    }
  }

  /// Wrapping power; negative exponents give what truncation of the real power gives.
  private static func integerPower<T: FixedWidthInteger>(_ base: T, _ exponent: T) -> T {
    if exponent < 0 {
      if base == 1 { return 1 }
      guard T.isSigned, base == 0 &- 1 else { return 0 }
      return exponent & 1 == 0 ? 1 : base
    }
    var result: T = 1
    var square = base
    var left = exponent
    while left > 0 {
      if left & 1 == 1 { result = result &* square }
      square = square &* square
      left >>= 1
    }
    return result
  }

  @inline(__always)
  private static func zip<T: TensorScalar>(_ a: HostTensor, _ b: HostTensor, _ body: (T, T) -> T) -> HostTensor {
    HostTensor(shape: a.shape, elementType: a.elementType) { (output: UnsafeMutableBufferPointer<T>) in
      a.withValues(as: T.self) { x in
        b.withValues(as: T.self) { y in
          for i in 0..<output.count { output[i] = body(x[i], y[i]) }
        }
      }
    }
  }

  @inline(__always)
  private static func predicate<T: TensorScalar>(_ a: HostTensor, _ b: HostTensor, _ body: (T, T) -> Bool) -> HostTensor
  {
    HostTensor(shape: a.shape, elementType: .i1) { (output: UnsafeMutableBufferPointer<UInt8>) in
      a.withValues(as: T.self) { x in
        b.withValues(as: T.self) { y in
          for i in 0..<output.count { output[i] = body(x[i], y[i]) ? 1 : 0 }
        }
      }
    }
  }
}
