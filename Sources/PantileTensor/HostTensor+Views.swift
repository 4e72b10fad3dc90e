extension HostTensor {
  /// The same elements with another shape; shares the memory.
  /// - Precondition: the element counts agree.
  public func reshaped(to shape: [Int]) -> HostTensor {
    precondition(Self.count(of: shape) == count, "reshape of \(self.shape) to \(shape)")
    return HostTensor(shape: shape, elementType: elementType, storage: storage)
  }

  /// Dimension `i` of the result is dimension `permutation[i]` of this tensor.
  /// - Precondition: a permutation of the dimensions.
  public func transposed(_ permutation: [Int]) -> HostTensor {
    precondition(
      permutation.sorted() == Array(0..<shape.count), "\(permutation) does not permute \(shape.count) dimensions")
    if permutation == Array(0..<shape.count) { return self }
    let own = strides
    return gathered(shape: permutation.map { shape[$0] }, strides: permutation.map { own[$0] }, offset: 0)
  }

  /// The tensor whose element at index `i` is the element `offset + Σ i·strides` of this one (in elements; strides may be
  /// zero, for broadcasting, or negative).
  /// - Precondition: every reached element exists.
  public func gathered(shape: [Int], strides: [Int], offset: Int) -> HostTensor {
    precondition(shape.count == strides.count, "one stride for each dimension")
    let result = TensorStorage(uninitialized: Self.count(of: shape) * elementType.storageBytes)
    if Self.count(of: shape) > 0 {
      var low = offset
      var high = offset
      for (extent, stride) in zip(shape, strides) {
        if stride < 0 { low += (extent - 1) * stride } else { high += (extent - 1) * stride }
      }
      precondition(low >= 0 && high < count, "strided view outside the tensor")
      switch elementType.storageBytes {
      case 1: Self.gather(UInt8.self, from: storage, to: result, shape, strides, offset)
      case 2: Self.gather(UInt16.self, from: storage, to: result, shape, strides, offset)
      case 4: Self.gather(UInt32.self, from: storage, to: result, shape, strides, offset)
      default: Self.gather(UInt64.self, from: storage, to: result, shape, strides, offset)
      }
    }
    return HostTensor(shape: shape, elementType: elementType, storage: result)
  }

  /// This tensor repeated to a larger shape by the rules of numpy broadcasting.
  /// - Precondition: the shapes are compatible.
  public func broadcast(to target: [Int]) -> HostTensor {
    if target == shape { return self }
    return gathered(shape: target, strides: Self.broadcastStrides(of: shape, to: target), offset: 0)
  }

  /// Strides in elements with which a tensor of `shape` is read as one of the larger shape `target`.
  /// - Precondition: the shapes are compatible.
  public static func broadcastStrides(of shape: [Int], to target: [Int]) -> [Int] {
    precondition(shape.count <= target.count, "\(shape) does not broadcast to \(target)")
    let own = strides(of: shape)
    let lead = target.count - shape.count
    return target.indices.map { axis in
      guard axis >= lead else { return 0 }
      let extent = shape[axis - lead]
      precondition(extent == target[axis] || extent == 1, "\(shape) does not broadcast to \(target)")
      return extent == 1 ? 0 : own[axis - lead]
    }
  }

  /// The common shape of numpy broadcasting, or nil when the shapes disagree.
  public static func broadcastShape(_ a: [Int], _ b: [Int]) -> [Int]? {
    let rank = max(a.count, b.count)
    var result = [Int](repeating: 1, count: rank)
    for axis in 0..<rank {
      let left = axis < rank - a.count ? 1 : a[axis - (rank - a.count)]
      let right = axis < rank - b.count ? 1 : b[axis - (rank - b.count)]
      guard left == right || left == 1 || right == 1 else { return nil }
      result[axis] = left == 1 ? right : left
    }
    return result
  }

  private static func gather<W: BitwiseCopyable>(
    _ type: W.Type, from source: TensorStorage, to target: TensorStorage, _ shape: [Int], _ strides: [Int],
    _ offset: Int
  ) {
    let input = UnsafePointer(source.base.assumingMemoryBound(to: W.self))
    let output = target.base.assumingMemoryBound(to: W.self)
    guard let inner = shape.last, let innerStride = strides.last else {
      output[0] = input[offset]
      return
    }
    let outer = shape.dropLast().reduce(1, *)
    var index = [Int](repeating: 0, count: shape.count)
    var position = offset
    var written = 0
    for _ in 0..<outer {
      if innerStride == 1 {
        (output + written).update(from: input + position, count: inner)
      } else {
        for i in 0..<inner { output[written + i] = input[position + i * innerStride] }
      }
      written += inner
      var axis = shape.count - 2
      while axis >= 0 {
        index[axis] += 1
        position += strides[axis]
        if index[axis] < shape[axis] { break }
        position -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
  }
}
