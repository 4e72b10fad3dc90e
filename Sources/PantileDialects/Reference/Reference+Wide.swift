import PantileTensor

// Contractions in double precision, one element at a time: for judging gradients by differences, where speed is no matter.
extension Reference {
  /// 2-D convolution of `f64`, `(c, r, s)` ascending, then the bias.
  static func wideConv(
    _ x: HostTensor, _ w: HostTensor, bias: HostTensor?, window: Window2D, groups: Int
  ) -> HostTensor {
    let (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let (filters, each) = (w.shape[0], w.shape[1])
    let (rows, columns) = (window.outputExtent(height, dimension: 0), window.outputExtent(width, dimension: 1))
    let image = x.values(as: Double.self)
    let weights = w.values(as: Double.self)
    let biases = bias?.values(as: Double.self)
    var output: [Double] = []
    output.reserveCapacity(batch * filters * rows * columns)
    for n in 0..<batch {
      for m in 0..<filters {
        let first = m / (filters / groups) * each
        for p in 0..<rows {
          for q in 0..<columns {
            var sum = 0.0
            for c in 0..<each {
              for r in 0..<window.kernel[0] {
                let row = p * window.strides[0] - window.pads[0] + r * window.dilations[0]
                guard row >= 0, row < height else { continue }
                for s in 0..<window.kernel[1] {
                  let column = q * window.strides[1] - window.pads[1] + s * window.dilations[1]
                  guard column >= 0, column < width else { continue }
                  sum +=
                    image[((n * channels + first + c) * height + row) * width + column]
                    * weights[((m * each + c) * window.kernel[0] + r) * window.kernel[1] + s]
                }
              }
            }
            output.append(sum + (biases?[m] ?? 0))
          }
        }
      }
    }
    return HostTensor(shape: [batch, filters, rows, columns], values: output)
  }

  /// Batched product of `f64` matrices, `k` ascending.
  static func wideMatmul(_ a: HostTensor, _ b: HostTensor, _ transposeA: Bool, _ transposeB: Bool) -> HostTensor {
    let m = a.shape[a.shape.count - (transposeA ? 1 : 2)]
    let k = a.shape[a.shape.count - (transposeA ? 2 : 1)]
    let n = b.shape[b.shape.count - (transposeB ? 2 : 1)]
    guard let batch = HostTensor.broadcastShape(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))) else {
      preconditionFailure("matmul of \(a.shape) and \(b.shape)")
    }
    let left = a.values(as: Double.self)
    let right = b.values(as: Double.self)
    var output: [Double] = []
    for (leftOffset, rightOffset) in zip(batchOffsets(a.shape, batch, m * k), batchOffsets(b.shape, batch, k * n)) {
      for row in 0..<m {
        for column in 0..<n {
          var sum = 0.0
          for i in 0..<k {
            sum +=
              left[leftOffset + (transposeA ? i * m + row : row * k + i)]
              * right[rightOffset + (transposeB ? column * k + i : i * n + column)]
          }
          output.append(sum)
        }
      }
    }
    return HostTensor(shape: batch + [m, n], values: output)
  }
}
