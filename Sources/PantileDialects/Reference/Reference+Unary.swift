import Foundation
import PantileTensor

/// Functions of one number.
public enum UnaryFunction: Hashable, Sendable {
  case relu, sigmoid, tanh, exp, log, sqrt, rsqrt, reciprocal, neg, abs, floor, ceil, round, erf, sin, cos, sign
  /// `x < 0 ? alpha·x : x`.
  case leakyRelu(alpha: Float)
  /// `max(0, min(1, alpha·x + beta))`.
  case hardSigmoid(alpha: Float, beta: Float)
  /// `x·hardSigmoid(1/6, 1/2)(x)`.
  case hardSwish
  /// `x·sigmoid(x)`.
  case silu
  /// `x·Φ(x)` by the error function, or by the tanh approximation.
  case gelu(isTanh: Bool)
  /// `x > 0 ? x : alpha·(exp(x) − 1)`.
  case elu(alpha: Float)
  /// `log(exp(x) + 1)`.
  case softplus
}

extension Reference {
  /// A function of each element; the result has the element type of `x`.
  ///
  /// Integers know `relu neg abs sign`, and `floor ceil round` change nothing; `round` takes halves to even. `f64` is
  /// computed in `f64`.
  /// - Precondition: the function is defined for the element type.
  public static func unary(_ function: UnaryFunction, _ x: HostTensor) -> HostTensor {
    switch x.elementType {
    case .f32: return floats(function, x, Float.self)
    case .f16, .bf16: return floats(function, x.converted(to: .f32), Float.self).converted(to: x.elementType)
    case .f64: return floats(function, x, Double.self)
    case .i1: return x
    case .i4: return integers(function, x.converted(to: .i8), Int8.self).converted(to: .i4)
    case .i8: return integers(function, x, Int8.self)
    case .i16: return integers(function, x, Int16.self)
    case .i32: return integers(function, x, Int32.self)
    case .i64: return integers(function, x, Int64.self)
    case .ui8: return integers(function, x, UInt8.self)
    case .ui16: return integers(function, x, UInt16.self)
    case .ui32: return integers(function, x, UInt32.self)
    case .ui64: return integers(function, x, UInt64.self)
    }
  }

  /// `min(max(x, low), high)`; NaN stays NaN. Bounds are rounded to the element type, saturating for integers.
  public static func clamp(_ x: HostTensor, low: Double, high: Double) -> HostTensor {
    if x.elementType == .f32 {
      let (lower, upper) = (Float(low), Float(high))
      // Comparisons with NaN are false, so it stays.
      return map(x) { (v: Float) in
        let raised = v < lower ? lower : v
        return raised > upper ? upper : raised
      }
    }
    let bounds = HostTensor(shape: [2], values: [low, high]).converted(to: x.elementType)
    let lower = bounds.gathered(shape: [], strides: [], offset: 0)
    let upper = bounds.gathered(shape: [], strides: [], offset: 1)
    return binary(.min, binary(.max, x, lower), upper)
  }

  /// `not` of truth values.
  public static func not(_ x: HostTensor) -> HostTensor {
    map(x.converted(to: .i1)) { (value: UInt8) in value == 0 ? 1 : 0 }
  }

  private static func floats<T: TensorScalar & ReferenceReal>(
    _ function: UnaryFunction, _ x: HostTensor, _ type: T.Type
  ) -> HostTensor {
    switch function {
    case .relu: return map(x) { (v: T) in v < 0 ? 0 : v }
    case .sigmoid: return map(x) { (v: T) in 1 / (1 + T.exp(-v)) }
    case .tanh: return map(x) { (v: T) in T.tanh(v) }
    case .exp: return map(x) { (v: T) in T.exp(v) }
    case .log: return map(x) { (v: T) in T.log(v) }
    case .sqrt: return map(x) { (v: T) in v.squareRoot() }
    case .rsqrt: return map(x) { (v: T) in 1 / v.squareRoot() }
    case .reciprocal: return map(x) { (v: T) in 1 / v }
    case .neg: return map(x) { (v: T) in -v }
    case .abs: return map(x) { (v: T) in v.magnitude }
    case .floor: return map(x) { (v: T) in v.rounded(.down) }
    case .ceil: return map(x) { (v: T) in v.rounded(.up) }
    case .round: return map(x) { (v: T) in v.rounded(.toNearestOrEven) }
    case .erf: return map(x) { (v: T) in T.erf(v) }
    case .sin: return map(x) { (v: T) in T.sin(v) }
    case .cos: return map(x) { (v: T) in T.cos(v) }
    case .sign: return map(x) { (v: T) in v > 0 ? 1 : v < 0 ? -1 : v }
    case .leakyRelu(let alpha):
      let slope = T(alpha)
      return map(x) { (v: T) in v < 0 ? slope * v : v }
    case .hardSigmoid(let alpha, let beta):
      let (slope, offset) = (T(alpha), T(beta))
      return map(x) { (v: T) in max(0, min(1, slope * v + offset)) }
    case .hardSwish:
      let slope = T(1) / T(6)
      return map(x) { (v: T) in v * max(0, min(1, slope * v + 0.5)) }
    case .silu: return map(x) { (v: T) in v / (1 + T.exp(-v)) }
    case .gelu(false):
      let scale = T(0.5).squareRoot()
      return map(x) { (v: T) in 0.5 * v * (1 + T.erf(v * scale)) }
    case .gelu(true):
      let scale = (2 / T.pi).squareRoot()
      return map(x) { (v: T) in
        let inner: T = scale * (v + 0.044715 * v * v * v)
        return 0.5 * v * (1 + T.tanh(inner))
      }
    case .elu(let alpha):
      let slope = T(alpha)
      return map(x) { (v: T) in v > 0 ? v : slope * (T.exp(v) - 1) }
    case .softplus: return map(x) { (v: T) in max(v, 0) + T.log(1 + T.exp(-v.magnitude)) }
    }
  }

  private static func integers<T: TensorScalar & FixedWidthInteger>(
    _ function: UnaryFunction, _ x: HostTensor, _ type: T.Type
  ) -> HostTensor {
    switch function {
    case .relu: return map(x) { (v: T) in max(v, 0) }
    case .neg: return map(x) { (v: T) in 0 &- v }
    case .abs: return map(x) { (v: T) in v < 0 ? 0 &- v : v }
    case .sign: return map(x) { (v: T) in v > 0 ? 1 : v < 0 ? 0 &- 1 : 0 }
    case .floor, .ceil, .round: return x
    case .sigmoid, .tanh, .exp, .log, .sqrt, .rsqrt, .reciprocal, .erf, .sin, .cos, .leakyRelu, .hardSigmoid,
      .hardSwish,
      .silu, .gelu, .elu, .softplus:
      preconditionFailure("\(function) of \(x.elementType)")
    }
  }

  @inline(__always)
  static func map<T: TensorScalar>(_ x: HostTensor, _ body: (T) -> T) -> HostTensor {
    HostTensor(shape: x.shape, elementType: x.elementType) { (output: UnsafeMutableBufferPointer<T>) in
      x.withValues(as: T.self) { values in
        for i in 0..<output.count { output[i] = body(values[i]) }
      }
    }
  }
}

/// The real functions of the C library, by type.
protocol ReferenceReal: BinaryFloatingPoint {
  static func exp(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func tanh(_ x: Self) -> Self
  static func erf(_ x: Self) -> Self
  static func sin(_ x: Self) -> Self
  static func cos(_ x: Self) -> Self
}

extension Float: ReferenceReal {
  static func exp(_ x: Float) -> Float { Foundation.exp(x) }
  static func log(_ x: Float) -> Float { Foundation.log(x) }
  static func tanh(_ x: Float) -> Float { Foundation.tanh(x) }
  static func erf(_ x: Float) -> Float { Foundation.erf(x) }
  static func sin(_ x: Float) -> Float { Foundation.sin(x) }
  static func cos(_ x: Float) -> Float { Foundation.cos(x) }
}

extension Double: ReferenceReal {
  static func exp(_ x: Double) -> Double { Foundation.exp(x) }
  static func log(_ x: Double) -> Double { Foundation.log(x) }
  static func tanh(_ x: Double) -> Double { Foundation.tanh(x) }
  static func erf(_ x: Double) -> Double { Foundation.erf(x) }
  static func sin(_ x: Double) -> Double { Foundation.sin(x) }
  static func cos(_ x: Double) -> Double { Foundation.cos(x) }
}
