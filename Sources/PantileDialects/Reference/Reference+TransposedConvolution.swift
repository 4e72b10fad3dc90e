import PantileTensor

extension Reference {
  /// Transposed 2-D convolution: input `(h, w)` adds `x·w` to output `(h·stride + r·dilation − pad, …)`.
  ///
  /// **Shape** `x: [N, C, H, W], w: [C, M/groups, R, S], bias: [M] -> [N, M, P, Q]`; `outputExtents` are P and Q. Each output
  /// starts at the bias and takes its products for `(c, h, w, r, s)` ascending, in `Float` (`f64` in `Double`).
  public static func convTranspose2d(
    _ x: HostTensor, _ w: HostTensor, bias: HostTensor?, window: Window2D, groups: Int, outputExtents: [Int]
  ) -> HostTensor {
    if x.elementType == .f64 { return convTranspose(x, w, bias, window, groups, outputExtents, Double.self) }
    return convTranspose(
      x.converted(to: .f32), w.converted(to: .f32), bias?.converted(to: .f32), window, groups, outputExtents, Float.self
    ).converted(to: x.elementType)
  }

  private static func convTranspose<T: TensorScalar & BinaryFloatingPoint>(
    _ x: HostTensor, _ w: HostTensor, _ bias: HostTensor?, _ window: Window2D, _ groups: Int, _ outputExtents: [Int],
    _ type: T.Type
  ) -> HostTensor {
    let (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let (groupFilters, kernelRows, kernelColumns) = (w.shape[1], w.shape[2], w.shape[3])
    let filters = groupFilters * groups
    let (rows, columns) = (outputExtents[0], outputExtents[1])
    let biases = bias?.values(as: T.self)
    return HostTensor(shape: [batch, filters, rows, columns], elementType: T.elementType) {
      (output: UnsafeMutableBufferPointer<T>) in
      for i in output.indices { output[i] = biases?[i / (rows * columns) % filters] ?? 0 }
      x.withValues(as: T.self) { x in
        w.withValues(as: T.self) { w in
          for image in 0..<batch {
            for c in 0..<channels {
              let group = c / (channels / groups)
              for m in 0..<groupFilters {
                let plane = (image * filters + group * groupFilters + m) * rows * columns
                let filter = (c * groupFilters + m) * kernelRows * kernelColumns
                for h in 0..<height {
                  for v in 0..<width {
                    let value = x[((image * channels + c) * height + h) * width + v]
                    for r in 0..<kernelRows {
                      let row = h * window.strides[0] + r * window.dilations[0] - window.pads[0]
                      guard row >= 0, row < rows else { continue }
                      for s in 0..<kernelColumns {
                        let column = v * window.strides[1] + s * window.dilations[1] - window.pads[1]
                        guard column >= 0, column < columns else { continue }
                        output[plane + row * columns + column] += value * w[filter + r * kernelColumns + s]
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
