import Foundation
import PantileTensor

extension Reference {
  /// `exp(x − max) / Σ exp(x − max)` along one axis, summed in index order in `Float`; a line of −infinity alone (nothing
  /// may be attended to) gives zeros.
  public static func softmax(_ x: HostTensor, axis: Int) -> HostTensor {
    alongAxis(x, axis: axis) { row, count, step in
      var largest = -Float.infinity
      for i in 0..<count { largest = max(largest, row[i * step]) }
      if largest == -.infinity { largest = 0 }
      var sum: Float = 0
      for i in 0..<count {
        let value = Foundation.exp(row[i * step] - largest)
        row[i * step] = value
        sum += value
      }
      guard sum != 0 else { return }
      for i in 0..<count { row[i * step] /= sum }
    }
  }

  /// `x − max − log Σ exp(x − max)` along one axis.
  public static func logSoftmax(_ x: HostTensor, axis: Int) -> HostTensor {
    alongAxis(x, axis: axis) { row, count, step in
      var largest = -Float.infinity
      for i in 0..<count { largest = max(largest, row[i * step]) }
      var sum: Float = 0
      for i in 0..<count { sum += Foundation.exp(row[i * step] - largest) }
      let shift = largest + Foundation.log(sum)
      for i in 0..<count { row[i * step] -= shift }
    }
  }

  /// `(x − mean) / sqrt(variance + epsilon) · scale + bias` over the axes from `axis` on.
  ///
  /// Mean and variance (of the differences, divided by the count) are summed in index order in `Float`. Scale and bias
  /// broadcast to `x`.
  public static func layerNorm(
    _ x: HostTensor, scale: HostTensor?, bias: HostTensor?, axis: Int, epsilon: Float
  ) -> HostTensor {
    let flat = x.reshaped(to: [x.shape[..<axis].reduce(1, *), x.shape[axis...].reduce(1, *)])
    let normal = normalised(flat, epsilon: epsilon).reshaped(to: x.shape)
    return affine(normal, scale: scale, bias: bias, type: x.elementType)
  }

  /// `x / sqrt(mean(x²) + epsilon) · scale` over the axes from `axis` on.
  public static func rmsNorm(_ x: HostTensor, scale: HostTensor?, axis: Int, epsilon: Float) -> HostTensor {
    let flat = x.reshaped(to: [x.shape[..<axis].reduce(1, *), x.shape[axis...].reduce(1, *)])
    let normal = alongAxis(flat.converted(to: .f32), axis: 1) { row, count, _ in
      var sum: Float = 0
      for i in 0..<count { sum += row[i] * row[i] }
      let factor = 1 / (sum / Float(count) + epsilon).squareRoot()
      for i in 0..<count { row[i] *= factor }
    }
    return affine(normal.reshaped(to: x.shape), scale: scale, bias: nil, type: x.elementType)
  }

  /// `(x − mean[c]) / sqrt(variance[c] + epsilon) · scale[c] + bias[c]` with stored statistics; channels on axis 1.
  public static func batchNorm(
    _ x: HostTensor, scale: HostTensor, bias: HostTensor, mean: HostTensor, variance: HostTensor, epsilon: Float
  ) -> HostTensor {
    let (scales, biases, means) = (scale.floats, bias.floats, mean.floats)
    let factors = variance.floats.indices.map { scales[$0] / (variance.floats[$0] + epsilon).squareRoot() }
    let channels = x.shape.count > 1 ? x.shape[1] : 1
    let inner = x.shape.dropFirst(2).reduce(1, *)
    var result = x.converted(to: .f32)
    result.withMutableValues(as: Float.self) { values in
      guard inner > 0 else { return }
      for block in 0..<(values.count / inner) {
        let c = block % channels
        for i in (block * inner)..<((block + 1) * inner) { values[i] = (values[i] - means[c]) * factors[c] + biases[c] }
      }
    }
    return result.converted(to: x.elementType)
  }

  /// Normalises groups of channels of each image by their own mean and variance; channels on axis 1.
  ///
  /// `groups` equal to the channel count is instance normalisation. Scale and bias have one value a channel.
  public static func groupNorm(
    _ x: HostTensor, scale: HostTensor, bias: HostTensor, groups: Int, epsilon: Float
  ) -> HostTensor {
    let flat = x.reshaped(to: [x.shape[0] * groups, x.count / max(1, x.shape[0] * groups)])
    let normal = normalised(flat, epsilon: epsilon).reshaped(to: x.shape)
    let perChannel = [x.shape[1]] + [Int](repeating: 1, count: x.shape.count - 2)
    return affine(
      normal, scale: scale.reshaped(to: perChannel), bias: bias.reshaped(to: perChannel), type: x.elementType)
  }

  /// `x / (bias + alpha/size · Σ x²)^beta`, the sum over `size` neighbouring channels.
  public static func localResponseNorm(
    _ x: HostTensor, size: Int, alpha: Float, beta: Float, bias: Float
  ) -> HostTensor {
    let channels = x.shape[1]
    let inner = x.shape.dropFirst(2).reduce(1, *)
    let source = x.floats
    let result = HostTensor(shape: x.shape, elementType: .f32) { (output: UnsafeMutableBufferPointer<Float>) in
      for image in 0..<x.shape[0] {
        for c in 0..<channels {
          let low = max(0, c - (size - 1) / 2)
          let high = min(channels - 1, c + size / 2)
          for i in 0..<inner {
            var sum: Float = 0
            for other in low...high {
              let value = source[(image * channels + other) * inner + i]
              sum += value * value
            }
            let position = (image * channels + c) * inner + i
            output[position] = source[position] / Foundation.pow(bias + alpha / Float(size) * sum, beta)
          }
        }
      }
    }
    return result.converted(to: x.elementType)
  }

  private static func normalised(_ x: HostTensor, epsilon: Float) -> HostTensor {
    alongAxis(x.converted(to: .f32), axis: 1) { row, count, _ in
      var sum: Float = 0
      for i in 0..<count { sum += row[i] }
      let mean = sum / Float(count)
      var squares: Float = 0
      for i in 0..<count {
        row[i] -= mean
        squares += row[i] * row[i]
      }
      let factor = 1 / (squares / Float(count) + epsilon).squareRoot()
      for i in 0..<count { row[i] *= factor }
    }
  }

  private static func affine(_ x: HostTensor, scale: HostTensor?, bias: HostTensor?, type: ElementType) -> HostTensor {
    var result = x
    if let scale { result = binary(.mul, result, scale.converted(to: .f32)) }
    if let bias { result = binary(.add, result, bias.converted(to: .f32)) }
    return result.converted(to: type)
  }

  /// Rewrites each line along an axis in `Float`; `body` gets the line's first element, its length and its step.
  private static func alongAxis(
    _ x: HostTensor, axis: Int, _ body: (UnsafeMutablePointer<Float>, _ count: Int, _ step: Int) -> Void
  ) -> HostTensor {
    let count = x.shape[axis]
    let step = x.shape[(axis + 1)...].reduce(1, *)
    let outer = x.shape[..<axis].reduce(1, *)
    var result = x.converted(to: .f32)
    result.withMutableValues(as: Float.self) { values in
      guard let base = values.baseAddress, count > 0 else { return }
      for line in 0..<outer {
        for inner in 0..<step { body(base + line * count * step + inner, count, step) }
      }
    }
    return result.converted(to: x.elementType)
  }
}
