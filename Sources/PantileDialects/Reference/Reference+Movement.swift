import PantileTensor

/// What stands outside the edges of a padded tensor.
public enum PadMode: String, CaseIterable, Hashable, Sendable {
  case constant, edge, reflect, wrap
}

extension Reference {
  /// Joins tensors along an axis.
  /// - Precondition: equal element types and, but for the axis, equal shapes.
  public static func concat(_ parts: [HostTensor], axis: Int) -> HostTensor {
    precondition(!parts.isEmpty, "concat of nothing")
    var shape = parts[0].shape
    shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    var result = HostTensor(shape: shape, elementType: parts[0].elementType)
    let size = parts[0].elementType.storageBytes
    let outer = shape[..<axis].reduce(1, *)
    let row = shape[axis...].reduce(1, *) * size
    var offset = 0
    result.withUnsafeMutableBytes { target in
      guard let out = target.baseAddress else { return }
      for part in parts {
        let length = part.shape[axis...].reduce(1, *) * size
        part.withUnsafeBytes { source in
          guard let bytes = source.baseAddress, length > 0 else { return }
          for i in 0..<outer { (out + i * row + offset).copyMemory(from: bytes + i * length, byteCount: length) }
        }
        offset += length
      }
    }
    return result
  }

  /// Elements `starts[i], starts[i] + steps[i], …`, `counts[i]` of them, along each dimension; steps may be negative.
  /// - Precondition: one entry a dimension, all elements inside.
  public static func slice(_ x: HostTensor, starts: [Int], counts: [Int], steps: [Int]) -> HostTensor {
    if counts.contains(0) { return HostTensor(shape: counts, elementType: x.elementType) }
    let strides = x.strides
    let offset = zip(starts, strides).reduce(0) { $0 + $1.0 * $1.1 }
    return x.gathered(shape: counts, strides: zip(strides, steps).map { $0 * $1 }, offset: offset)
  }

  /// Adds `low[i]` elements before and `high[i]` after dimension `i`; negative numbers cut off.
  public static func pad(
    _ x: HostTensor, low: [Int], high: [Int], mode: PadMode, value: Double = 0
  ) -> HostTensor {
    let shape = x.shape.indices.map { x.shape[$0] + low[$0] + high[$0] }
    let sources = x.shape.indices.map { axis in
      (0..<max(0, shape[axis])).map { sourceIndex($0 - low[axis], extent: x.shape[axis], mode) }
    }
    let filler = HostTensor(shape: [1], values: [value]).converted(to: x.elementType)
    return gatherIndexed(x, sources: sources, filler: filler)
  }

  /// The source of each output index along each dimension, −1 for the filler value.
  static func gatherIndexed(_ x: HostTensor, sources: [[Int]], filler: HostTensor) -> HostTensor {
    let shape = sources.map(\.count)
    var result = HostTensor(shape: shape, elementType: x.elementType)
    let size = x.elementType.storageBytes
    let strides = x.strides
    let total = result.count
    guard total > 0 else { return result }
    guard let inner = sources.last else { return x }
    filler.withUnsafeBytes { fill in
      x.withUnsafeBytes { source in
        result.withUnsafeMutableBytes { target in
          var index = [Int](repeating: 0, count: shape.count)
          var write = 0
          while write < total {
            var base = 0
            var isFilled = false
            for axis in 0..<(shape.count - 1) {
              let from = sources[axis][index[axis]]
              if from < 0 { isFilled = true } else { base += from * strides[axis] }
            }
            for from in inner {
              for byte in 0..<size {
                target[write * size + byte] = isFilled || from < 0 ? fill[byte] : source[(base + from) * size + byte]
              }
              write += 1
            }
            var axis = shape.count - 2
            while axis >= 0 {
              index[axis] += 1
              if index[axis] < shape[axis] { break }
              index[axis] = 0
              axis -= 1
            }
          }
        }
      }
    }
    return result
  }

  private static func sourceIndex(_ index: Int, extent: Int, _ mode: PadMode) -> Int {
    if index >= 0 && index < extent { return index }
    if extent == 0 { return -1 }
    switch mode {
    case .constant: return -1
    case .edge: return index < 0 ? 0 : extent - 1
    case .wrap: return ((index % extent) + extent) % extent
    case .reflect:
      if extent == 1 { return 0 }
      let period = 2 * (extent - 1)
      let place = ((index % period) + period) % period
      return place < extent ? place : period - place
    }
  }

  /// Repeats the whole tensor `repeats[i]` times along each dimension.
  public static func tile(_ x: HostTensor, repeats: [Int]) -> HostTensor {
    let sources = x.shape.indices.map { axis in
      (0..<(x.shape[axis] * repeats[axis])).map { $0 % x.shape[axis] }
    }
    return gatherIndexed(x, sources: sources, filler: HostTensor(shape: [1], elementType: x.elementType))
  }

  /// Moves blocks of channels into space: `[N, C·b², H, W] -> [N, C, H·b, W·b]`, block indices outside the channels
  /// (`isColumnRowDepth`) or inside them.
  public static func depthToSpace(_ x: HostTensor, block: Int, isColumnRowDepth: Bool) -> HostTensor {
    let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let depth = c / (block * block)
    let shape = [n, depth, h * block, w * block]
    if isColumnRowDepth {
      return x.reshaped(to: [n, depth, block, block, h, w]).transposed([0, 1, 4, 2, 5, 3]).reshaped(to: shape)
    }
    return x.reshaped(to: [n, block, block, depth, h, w]).transposed([0, 3, 4, 1, 5, 2]).reshaped(to: shape)
  }

  /// Moves blocks of space into channels: `[N, C, H, W] -> [N, b²·C, H/b, W/b]`, or, with `isColumnRowDepth`, channel-major.
  public static func spaceToDepth(_ x: HostTensor, block: Int, isColumnRowDepth: Bool = false) -> HostTensor {
    let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let split = x.reshaped(to: [n, c, h / block, block, w / block, block])
    return split.transposed(isColumnRowDepth ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4])
      .reshaped(to: [n, c * block * block, h / block, w / block])
  }
}
