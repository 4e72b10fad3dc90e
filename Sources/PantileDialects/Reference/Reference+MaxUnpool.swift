import PantileTensor

extension Reference {
  /// The tap `r·S + s` of the largest element of each window, of equal ones the first; NaN wins over numbers.
  ///
  /// **Shape** `x: [N, C, H, W] -> [N, C, P, Q]`; `outputExtents` are P and Q, `elementType` is `ui8` or `i32`.
  public static func maxPool2dTap(
    _ x: HostTensor, window: Window2D, outputExtents: [Int], elementType: ElementType
  ) -> HostTensor {
    let (height, width) = (x.shape[2], x.shape[3])
    // Exact for all narrower floats.
    let source = x.converted(to: .f64).values(as: Double.self)
    var taps: [Int32] = []
    for plane in 0..<(x.shape[0] * x.shape[1]) {
      for p in 0..<outputExtents[0] {
        for q in 0..<outputExtents[1] {
          var best = -Double.infinity
          var tap = -1
          for r in 0..<window.kernel[0] {
            let row = p * window.strides[0] - window.pads[0] + r * window.dilations[0]
            guard row >= 0, row < height else { continue }
            for s in 0..<window.kernel[1] {
              let column = q * window.strides[1] - window.pads[1] + s * window.dilations[1]
              guard column >= 0, column < width else { continue }
              let value = source[(plane * height + row) * width + column]
              if tap < 0 || value > best || value.isNaN && !best.isNaN {
                best = value
                tap = r * window.kernel[1] + s
              }
            }
          }
          taps.append(Int32(max(tap, 0)))
        }
      }
    }
    return HostTensor(shape: Array(x.shape.prefix(2)) + outputExtents, values: taps).converted(to: elementType)
  }

  /// Adds each value to the element under its window's tap; zeros elsewhere, sums in index order.
  ///
  /// **Shape** `x, taps: [N, C, P, Q] -> [N, C, H, W]` with `extents` H and W.
  public static func maxUnpool2d(_ x: HostTensor, _ taps: HostTensor, window: Window2D, extents: [Int]) -> HostTensor {
    if x.elementType == .f64 { return unpool(x, taps, window, extents, Double.self) }
    return unpool(x.converted(to: .f32), taps, window, extents, Float.self).converted(to: x.elementType)
  }

  private static func unpool<T: TensorScalar & BinaryFloatingPoint>(
    _ x: HostTensor, _ taps: HostTensor, _ window: Window2D, _ extents: [Int], _ type: T.Type
  ) -> HostTensor {
    let (rows, columns) = (x.shape[2], x.shape[3])
    let places = taps.converted(to: .i32).values(as: Int32.self)
    var result = HostTensor(shape: Array(x.shape.prefix(2)) + extents, elementType: x.elementType)
    x.withValues(as: T.self) { values in
      result.withMutableValues(as: T.self) { output in
        for index in values.indices {
          let (q, p, plane) = (index % columns, index / columns % rows, index / (columns * rows))
          let (r, s) = (Int(places[index]) / window.kernel[1], Int(places[index]) % window.kernel[1])
          let row = p * window.strides[0] - window.pads[0] + r * window.dilations[0]
          let column = q * window.strides[1] - window.pads[1] + s * window.dilations[1]
          guard row >= 0, row < extents[0], column >= 0, column < extents[1] else { continue }
          output[(plane * extents[0] + row) * extents[1] + column] += values[index]
        }
      }
    }
    return result
  }
}
