import Foundation
import PantileTensor

extension Reference {
  /// `exp(x − max) / Σ exp(x − max)` along one axis, summed in index order in `Float` (`f64` in `Double`, here and below); a
  /// line of −infinity alone (nothing may be attended to) gives zeros.
  public static func softmax(_ x: HostTensor, axis: Int) -> HostTensor {
    x.elementType == .f64 ? softmax(x, axis, Double.self) : softmax(x, axis, Float.self)
  }

  private static func softmax<T: TensorScalar & ReferenceReal>(
    _ x: HostTensor, _ axis: Int, _ type: T.Type
  ) -> HostTensor {
    alongAxis(x, axis: axis) { (row: UnsafeMutablePointer<T>, count, step) in
      var largest = -T.infinity
      for i in 0..<count { largest = max(largest, row[i * step]) }
      if largest == -.infinity { largest = 0 }
      var sum: T = 0
      for i in 0..<count {
        let value = T.exp(row[i * step] - largest)
        row[i * step] = value
        sum += value
      }
      guard sum != 0 else { return }
      for i in 0..<count { row[i * step] /= sum }
    }
  }

  /// `x − max − log Σ exp(x − max)` along one axis.
  public static func logSoftmax(_ x: HostTensor, axis: Int) -> HostTensor {
    x.elementType == .f64 ? logSoftmax(x, axis, Double.self) : logSoftmax(x, axis, Float.self)
  }

  private static func logSoftmax<T: TensorScalar & ReferenceReal>(
    _ x: HostTensor, _ axis: Int, _ type: T.Type
  ) -> HostTensor {
    alongAxis(x, axis: axis) { (row: UnsafeMutablePointer<T>, count, step) in
      var largest = -T.infinity
      for i in 0..<count { largest = max(largest, row[i * step]) }
      var sum: T = 0
      for i in 0..<count { sum += T.exp(row[i * step] - largest) }
      let shift = largest + T.log(sum)
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
    let normal =
      x.elementType == .f64
      ? rootMeanSquare(flat, Double(epsilon)) : rootMeanSquare(flat.converted(to: .f32), epsilon)
    return affine(normal.reshaped(to: x.shape), scale: scale, bias: nil, type: x.elementType)
  }

  private static func rootMeanSquare<T: TensorScalar & ReferenceReal>(_ x: HostTensor, _ epsilon: T) -> HostTensor {
    alongAxis(x, axis: 1) { (row: UnsafeMutablePointer<T>, count, _) in
      var sum: T = 0
      for i in 0..<count { sum += row[i] * row[i] }
      let factor = 1 / (sum / T(count) + epsilon).squareRoot()
      for i in 0..<count { row[i] *= factor }
    }
  }

  /// `(x − mean[c]) / sqrt(variance[c] + epsilon) · scale[c] + bias[c]` with stored statistics; channels on axis 1.
  public static func batchNorm(
    _ x: HostTensor, scale: HostTensor, bias: HostTensor, mean: HostTensor, variance: HostTensor, epsilon: Float
  ) -> HostTensor {
    if x.elementType == .f64 { return batchNorm(x, scale, bias, mean, variance, Double(epsilon)) }
    return batchNorm(x, scale, bias, mean, variance, epsilon)
  }

  private static func batchNorm<T: TensorScalar & ReferenceReal>(
    _ x: HostTensor, _ scale: HostTensor, _ bias: HostTensor, _ mean: HostTensor, _ variance: HostTensor, _ epsilon: T
  ) -> HostTensor {
    func wide(_ tensor: HostTensor) -> [T] { tensor.converted(to: T.elementType).values(as: T.self) }
    let (scales, biases, means, variances) = (wide(scale), wide(bias), wide(mean), wide(variance))
    let factors = variances.indices.map { scales[$0] / (variances[$0] + epsilon).squareRoot() }
    let channels = x.shape.count > 1 ? x.shape[1] : 1
    let inner = x.shape.dropFirst(2).reduce(1, *)
    var result = x.converted(to: T.elementType)
    result.withMutableValues(as: T.self) { values in
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
    x.elementType == .f64 ? normalised(x, Double(epsilon)) : normalised(x.converted(to: .f32), epsilon)
  }

  private static func normalised<T: TensorScalar & ReferenceReal>(_ x: HostTensor, _ epsilon: T) -> HostTensor {
    alongAxis(x, axis: 1) { (row: UnsafeMutablePointer<T>, count, _) in
      var sum: T = 0
      for i in 0..<count { sum += row[i] }
      let mean = sum / T(count)
      var squares: T = 0
      for i in 0..<count {
        row[i] -= mean
        squares += row[i] * row[i]
      }
      let factor = 1 / (squares / T(count) + epsilon).squareRoot()
      for i in 0..<count { row[i] *= factor }
    }
  }

  private static func affine(_ x: HostTensor, scale: HostTensor?, bias: HostTensor?, type: ElementType) -> HostTensor {
    var result = x
    if let scale { result = binary(.mul, result, scale.converted(to: x.elementType)) }
    if let bias { result = binary(.add, result, bias.converted(to: x.elementType)) }
    return result.converted(to: type)
  }

  /// Rewrites each line along an axis in `T`; `body` gets the line's first element, its length and its step.
  @inline(__always)
  private static func alongAxis<T: TensorScalar>(
    _ x: HostTensor, axis: Int, _ body: (UnsafeMutablePointer<T>, _ count: Int, _ step: Int) -> Void
  ) -> HostTensor {
    let count = x.shape[axis]
    let step = x.shape[(axis + 1)...].reduce(1, *)
    let outer = x.shape[..<axis].reduce(1, *)
    var result = x.converted(to: T.elementType)
    result.withMutableValues(as: T.self) { values in
      guard let base = values.baseAddress, count > 0 else { return }
      for line in 0..<outer {
        for inner in 0..<step { body(base + line * count * step + inner, count, step) }
      }
    }
    return result.converted(to: x.elementType)
  }
}
