import PantileTensor

extension Reference {
  /// Maximum over windows; positions outside the image do not take part.
  ///
  /// **Shape** `x: [N, C, H, W] -> [N, C, P, Q]`; `outputExtents` are P and Q (they differ with rounding up). A window that
  /// lies outside completely gives the least value of the type (−infinity for floats). NaN is passed on.
  public static func maxPool2d(_ x: HostTensor, window: Window2D, outputExtents: [Int]) -> HostTensor {
    switch x.elementType {
    case .f32: return maxPool(x, window, outputExtents, lowest: -Float.infinity)
    case .f64: return maxPool(x, window, outputExtents, lowest: -Double.infinity)
    case .f16: return maxPool(x, window, outputExtents, lowest: -Float16.infinity)
    case .bf16:
      return maxPool2d(x.converted(to: .f32), window: window, outputExtents: outputExtents).converted(to: .bf16)
    case .i1, .ui8: return maxPool(x, window, outputExtents, lowest: UInt8.min)
    case .i4: return maxPool(x, window, outputExtents, lowest: Int8(-8))
    case .i8: return maxPool(x, window, outputExtents, lowest: Int8.min)
    case .i16: return maxPool(x, window, outputExtents, lowest: Int16.min)
    case .i32: return maxPool(x, window, outputExtents, lowest: Int32.min)
    case .i64: return maxPool(x, window, outputExtents, lowest: Int64.min)
    case .ui16: return maxPool(x, window, outputExtents, lowest: UInt16.min)
    case .ui32: return maxPool(x, window, outputExtents, lowest: UInt32.min)
    case .ui64: return maxPool(x, window, outputExtents, lowest: UInt64.min)
    }
  }

  /// Mean over windows, summed in `Float` (`f64` in `Double`) with `(r, s)` ascending, then divided.
  ///
  /// The divisor counts the positions inside the image, or, with `countsPadding`, those inside the padded image.
  public static func averagePool2d(
    _ x: HostTensor, window: Window2D, outputExtents: [Int], countsPadding: Bool
  ) -> HostTensor {
    if x.elementType == .f64 { return averagePool(x, window, outputExtents, countsPadding, Double.self) }
    return averagePool(x.converted(to: .f32), window, outputExtents, countsPadding, Float.self)
      .converted(to: x.elementType)
  }

  private static func averagePool<T: TensorScalar & BinaryFloatingPoint>(
    _ x: HostTensor, _ window: Window2D, _ outputExtents: [Int], _ countsPadding: Bool, _ type: T.Type
  ) -> HostTensor {
    let (planes, height, width) = planeShape(x)
    let shape = Array(x.shape.dropLast(2)) + outputExtents
    return HostTensor(shape: shape, elementType: T.elementType) { (output: UnsafeMutableBufferPointer<T>) in
      x.withValues(as: T.self) { input in
        var write = 0
        for plane in 0..<planes {
          let base = plane * height * width
          for p in 0..<outputExtents[0] {
            for q in 0..<outputExtents[1] {
              var sum: T = 0
              var inside = 0
              var padded = 0
              for r in 0..<window.kernel[0] {
                let row = p * window.strides[0] - window.pads[0] + r * window.dilations[0]
                guard row < height + window.pads[2] else { continue }
                for s in 0..<window.kernel[1] {
                  let column = q * window.strides[1] - window.pads[1] + s * window.dilations[1]
                  guard column < width + window.pads[3] else { continue }
                  padded += 1
                  guard row >= 0, row < height, column >= 0, column < width else { continue }
                  inside += 1
                  sum += input[base + row * width + column]
                }
              }
              output[write] = sum / T(countsPadding ? padded : inside)
              write += 1
            }
          }
        }
      }
    }
  }

  private static func planeShape(_ x: HostTensor) -> (planes: Int, height: Int, width: Int) {
    precondition(x.shape.count >= 2, "pooling of \(x.shape)")
    return (x.shape.dropLast(2).reduce(1, *), x.shape[x.shape.count - 2], x.shape[x.shape.count - 1])
  }

  @inline(__always)
  private static func maxPool<T: TensorScalar & Comparable>(
    _ x: HostTensor, _ window: Window2D, _ outputExtents: [Int], lowest: T
  ) -> HostTensor {
    let (planes, height, width) = planeShape(x)
    let shape = Array(x.shape.dropLast(2)) + outputExtents
    return HostTensor(shape: shape, elementType: x.elementType) { (output: UnsafeMutableBufferPointer<T>) in
      x.withValues(as: T.self) { input in
        var write = 0
        for plane in 0..<planes {
          let base = plane * height * width
          for p in 0..<outputExtents[0] {
            for q in 0..<outputExtents[1] {
              var best = lowest
              for r in 0..<window.kernel[0] {
                let row = p * window.strides[0] - window.pads[0] + r * window.dilations[0]
                guard row >= 0, row < height else { continue }
                for s in 0..<window.kernel[1] {
                  let column = q * window.strides[1] - window.pads[1] + s * window.dilations[1]
                  guard column >= 0, column < width else { continue }
                  let value = input[base + row * width + column]
                  // The second test is true for NaN alone.
                  if value > best || value != value { best = value }
                }
              }
              output[write] = best
              write += 1
            }
          }
        }
      }
    }
  }
}
