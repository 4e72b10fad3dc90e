import PantileTensor

extension Reference {
  /// `saturate(roundHalfEven(x / scale) + zeroPoint)`, the division in `Float`.
  ///
  /// Scales and zero points are one value, or one for each index of `axis`.
  public static func quantize(
    _ x: HostTensor, scales: [Float], zeroPoints: [Int], axis: Int, to type: ElementType
  ) -> HostTensor {
    guard let range = type.integerRange else { preconditionFailure("quantize to \(type)") }
    let (extent, inner) = blocks(x.shape, axis, scales.count)
    return x.converted(to: .f32).withValues(as: Float.self) { values in
      HostTensor(shape: x.shape, elementType: .i32) { (output: UnsafeMutableBufferPointer<Int32>) in
        for i in output.indices {
          let channel = i / inner % extent
          let zeroPoint = zeroPoints.count == 1 ? zeroPoints[0] : zeroPoints[channel]
          let rounded = (values[i] / scales[channel]).rounded(.toNearestOrEven)
          // The float is limited first, far outside every type, so that it converts; NaN becomes the zero point.
          let limited = rounded.isNaN ? 0 : Int(Swift.min(Swift.max(rounded, -0x1p40), 0x1p40))
          output[i] = Int32(Swift.min(Swift.max(limited + zeroPoint, range.lowerBound), range.upperBound))
        }
      }
    }.converted(to: type)
  }

  /// `Float(q − zeroPoint)·scale`; parameters as `quantize`.
  public static func dequantize(_ x: HostTensor, scales: [Float], zeroPoints: [Int], axis: Int) -> HostTensor {
    let (extent, inner) = blocks(x.shape, axis, scales.count)
    let integers = x.converted(to: .i64)
    return integers.withValues(as: Int64.self) { values in
      HostTensor(shape: x.shape, elementType: .f32) { (output: UnsafeMutableBufferPointer<Float>) in
        for i in output.indices {
          let channel = i / inner % extent
          let zeroPoint = zeroPoints.count == 1 ? zeroPoints[0] : zeroPoints[channel]
          output[i] = Float(Int(values[i]) - zeroPoint) * scales[channel]
        }
      }
    }
  }

  /// `clamp(((x − inputZeroPoint)·multiplier + 2^(shift−1)) >> shift + zeroPoint, minimum, maximum)` in 64 bits, to `i8`.
  ///
  /// One multiplier and shift for all, or one for each index of `axis`.
  public static func requantize(
    _ x: HostTensor, factors: [Requantisation], axis: Int, inputZeroPoint: Int, zeroPoint: Int, minimum: Int,
    maximum: Int
  ) -> HostTensor {
    let (extent, inner) = blocks(x.shape, axis, factors.count)
    let integers = x.converted(to: .i32)
    return integers.withValues(as: Int32.self) { values in
      HostTensor(shape: x.shape, elementType: .i8) { (output: UnsafeMutableBufferPointer<Int8>) in
        for i in output.indices {
          let factor = factors[i / inner % extent]
          output[i] = Int8(
            factor.apply(
              Int(values[i]), inputZeroPoint: inputZeroPoint, zeroPoint: zeroPoint, minimum: minimum, maximum: maximum))
        }
      }
    }
  }

  /// The parameters of `quantizedAdd`.
  public struct QuantizedAddition: Hashable, Sendable {
    public var aZeroPoint: Int
    public var bZeroPoint: Int
    public var aMultiplier: Int32
    public var bMultiplier: Int32
    public var shift: Int
    public var zeroPoint: Int
    public var minimum: Int
    public var maximum: Int

    public init(
      aZeroPoint: Int, bZeroPoint: Int, aMultiplier: Int32, bMultiplier: Int32, shift: Int, zeroPoint: Int,
      minimum: Int = -128, maximum: Int = 127
    ) {
      self.aZeroPoint = aZeroPoint
      self.bZeroPoint = bZeroPoint
      self.aMultiplier = aMultiplier
      self.bMultiplier = bMultiplier
      self.shift = shift
      self.zeroPoint = zeroPoint
      self.minimum = minimum
      self.maximum = maximum
    }
  }

  /// `clamp(((a − za)·ma + (b − zb)·mb + 2^(shift−1)) >> shift + zeroPoint, minimum, maximum)` in 64 bits, broadcasting.
  public static func quantizedAdd(_ a: HostTensor, _ b: HostTensor, _ rule: QuantizedAddition) -> HostTensor {
    guard let shape = HostTensor.broadcastShape(a.shape, b.shape) else {
      preconditionFailure("quantized_add of \(a.shape) and \(b.shape)")
    }
    let half = 1 << (rule.shift - 1)
    return a.broadcast(to: shape).withValues(as: Int8.self) { left in
      b.broadcast(to: shape).withValues(as: Int8.self) { right in
        HostTensor(shape: shape, elementType: .i8) { (output: UnsafeMutableBufferPointer<Int8>) in
          for i in output.indices {
            let x = (Int(left[i]) - rule.aZeroPoint) &* Int(rule.aMultiplier)
            let y = (Int(right[i]) - rule.bZeroPoint) &* Int(rule.bMultiplier)
            let sum = (x &+ y &+ half) >> rule.shift &+ rule.zeroPoint
            output[i] = Int8(Swift.min(Swift.max(sum, rule.minimum), rule.maximum))
          }
        }
      }
    }
  }

  /// How many parameters there are along the axis, and how many elements follow one of its indices.
  private static func blocks(_ shape: [Int], _ axis: Int, _ parameters: Int) -> (extent: Int, inner: Int) {
    if parameters == 1 { return (1, Swift.max(1, shape.reduce(1, *))) }
    precondition(shape[axis] == parameters, "\(parameters) parameters for axis \(axis) of \(shape)")
    return (parameters, Swift.max(1, shape[(axis + 1)...].reduce(1, *)))
  }
}
