import PantileSupport
import PantileTensor

/// Symmetric quantisation of weights and biases.
enum WeightQuantization {
  /// One scale for each index of `axis`, or the largest of them for all: `max |w| / (2^(bits−1) − 1)`; where all
  /// weights are zero, 24 bits for the bias, or 1.
  ///
  /// - Parameter bias: one value a channel, with the input's scale: a channel's scale is raised where its bias would not
  ///   fit 31 bits in units of input scale times weight scale.
  static func scales(
    _ weights: HostTensor, axis: Int, bits: Int, bias: HostTensor?, inputScale: Float, isPerChannel: Bool
  ) -> [Float] {
    let channels = weights.shape[axis]
    let inner = weights.shape[(axis + 1)...].reduce(1, *)
    let limit = Float((1 << (bits - 1)) - 1)
    var largest = [Float](repeating: 0, count: channels)
    weights.withValues(as: Float.self) { values in
      for i in values.indices {
        let channel = i / inner % channels
        largest[channel] = max(largest[channel], values[i].magnitude)
      }
    }
    // The bias in units of the input's scale.
    let units = largest.indices.map { channel in
      bias.map { $0.double(at: channel).magnitude / Double(inputScale) } ?? 0
    }
    if isPerChannel {
      return largest.indices.map { scale(largest: largest[$0] / limit, unit: units[$0]) }
    }
    return [scale(largest: (largest.max() ?? 0) / limit, unit: units.max() ?? 0)]
  }

  /// What the weights need, more where the bias needs more; for the bias alone where there are no weights.
  private static func scale(largest: Float, unit: Double) -> Float {
    let scale = largest > 0 ? max(largest, Float(unit * 0x1p-30)) : Float(unit * 0x1p-24)
    return scale.isNormal ? scale : 1
  }

  /// `saturate(roundHalfEven(w / scale))` to `bits` bits without the least value, as `i8`.
  static func quantised(_ weights: HostTensor, scales: [Float], axis: Int, bits: Int) -> HostTensor {
    let channels = weights.shape[axis]
    let inner = weights.shape[(axis + 1)...].reduce(1, *)
    let limit = Float((1 << (bits - 1)) - 1)
    return weights.withValues(as: Float.self) { values in
      HostTensor(shape: weights.shape, elementType: .i8) { (output: UnsafeMutableBufferPointer<Int8>) in
        for i in values.indices {
          let scale = scales[scales.count == 1 ? 0 : i / inner % channels]
          let scaled = (values[i] / scale).rounded(.toNearestOrEven)
          output[i] = scaled.isNaN ? 0 : Int8(min(max(scaled, -limit), limit))
        }
      }
    }
  }

  /// `saturate(roundHalfEven(b / (input scale · weight scale)))` as `i32`; one value a channel.
  static func quantised(bias: HostTensor, scales: [Double]) -> HostTensor {
    HostTensor(
      shape: bias.shape,
      values: (0..<bias.count).map { index in
        let scaled = (bias.double(at: index) / scales[scales.count == 1 ? 0 : index]).rounded(.toNearestOrEven)
        return scaled.isNaN ? Int32(0) : Int32(min(max(scaled, -2_147_483_648), 2_147_483_647))
      })
  }
}
