import PantileTensor

extension Reference {
  /// Takes slices of `x` along an axis; the shape of `indices` replaces that dimension. Negative indices count from the end.
  /// - Returns: nil when an index is outside.
  public static func gather(_ x: HostTensor, indices: HostTensor, axis: Int) -> HostTensor? {
    let extent = x.shape[axis]
    guard let places = normalised(indices.integers, extent: extent) else { return nil }
    let size = x.elementType.storageBytes
    let outer = x.shape[..<axis].reduce(1, *)
    let inner = x.shape[(axis + 1)...].reduce(1, *) * size
    let shape = Array(x.shape[..<axis]) + indices.shape + Array(x.shape[(axis + 1)...])
    var result = HostTensor(shape: shape, elementType: x.elementType)
    x.withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        guard let from = source.baseAddress, let to = target.baseAddress, inner > 0 else { return }
        var write = 0
        for o in 0..<outer {
          for place in places {
            (to + write).copyMemory(from: from + (o * extent + place) * inner, byteCount: inner)
            write += inner
          }
        }
      }
    }
    return result
  }

  /// Takes single elements: the result at index `i` is `x` at `i` with the axis index replaced by `indices[i]`.
  /// - Returns: nil when an index is outside.
  public static func gatherElements(_ x: HostTensor, indices: HostTensor, axis: Int) -> HostTensor? {
    guard let places = normalised(indices.integers, extent: x.shape[axis]) else { return nil }
    let flat = elementOffsets(shape: indices.shape, strides: x.strides, axis: axis, places: places)
    return gatherFlat(x, flat, shape: indices.shape)
  }

  /// Takes slices by index tuples: the last dimension of `indices` addresses the dimensions of `x` after `batchDimensions`.
  /// - Returns: nil when an index is outside.
  public static func gatherND(_ x: HostTensor, indices: HostTensor, batchDimensions: Int) -> HostTensor? {
    let depth = indices.shape[indices.shape.count - 1]
    let rest = Array(x.shape[(batchDimensions + depth)...])
    let inner = rest.reduce(1, *)
    let strides = x.strides
    let tuples = indices.count / max(depth, 1)
    let batches = indices.shape[..<batchDimensions].reduce(1, *)
    let batchStride = x.shape[batchDimensions...].reduce(1, *)
    let numbers = indices.integers
    var flat: [Int] = []
    flat.reserveCapacity(tuples * inner)
    for tuple in 0..<tuples {
      var offset = tuple / max(1, tuples / max(batches, 1)) * batchStride
      for d in 0..<depth {
        let axis = batchDimensions + d
        var place = numbers[tuple * depth + d]
        if place < 0 { place += x.shape[axis] }
        guard place >= 0, place < x.shape[axis] else { return nil }
        offset += place * strides[axis]
      }
      for i in 0..<inner { flat.append(offset + i) }
    }
    return gatherFlat(x, flat, shape: Array(indices.shape.dropLast()) + rest)
  }

  /// A copy of `x` with slices replaced: `updates[t]` goes to the index tuple `indices[t]`; later ones win.
  /// - Returns: nil when an index is outside.
  public static func scatterND(_ x: HostTensor, indices: HostTensor, updates: HostTensor) -> HostTensor? {
    let depth = indices.shape[indices.shape.count - 1]
    let inner = x.shape[depth...].reduce(1, *)
    let strides = x.strides
    let numbers = indices.integers
    var result = x
    let size = x.elementType.storageBytes
    for tuple in 0..<(indices.count / max(depth, 1)) {
      var offset = 0
      for d in 0..<depth {
        var place = numbers[tuple * depth + d]
        if place < 0 { place += x.shape[d] }
        guard place >= 0, place < x.shape[d] else { return nil }
        offset += place * strides[d]
      }
      updates.withUnsafeBytes { source in
        result.withUnsafeMutableBytes { target in
          for byte in 0..<(inner * size) { target[offset * size + byte] = source[tuple * inner * size + byte] }
        }
      }
    }
    return result
  }

  /// Running sum along an axis in index order.
  public static func cumulativeSum(_ x: HostTensor, axis: Int, isExclusive: Bool, isReversed: Bool) -> HostTensor {
    let count = x.shape[axis]
    let step = x.shape[(axis + 1)...].reduce(1, *)
    let outer = x.shape[..<axis].reduce(1, *)
    func run<T: TensorScalar & Numeric>(_ type: T.Type, _ add: (T, T) -> T) -> HostTensor {
      var result = x
      result.withMutableValues(as: T.self) { values in
        for line in 0..<outer {
          for inner in 0..<step {
            var sum: T = 0
            for i in 0..<count {
              let place = (line * count + (isReversed ? count - 1 - i : i)) * step + inner
              let value = values[place]
              if isExclusive { values[place] = sum }
              sum = add(sum, value)
              if !isExclusive { values[place] = sum }
            }
          }
        }
      }
      return result
    }
    switch x.elementType {
    case .f32: return run(Float.self) { $0 + $1 }
    case .f64: return run(Double.self) { $0 + $1 }
    case .i32: return run(Int32.self) { $0 &+ $1 }
    case .i64: return run(Int64.self) { $0 &+ $1 }
    case .f16, .bf16, .i1, .i4, .i8, .i16, .ui8, .ui16, .ui32, .ui64:
      let wide: ElementType = x.elementType.isFloat ? .f32 : .i64
      return cumulativeSum(x.converted(to: wide), axis: axis, isExclusive: isExclusive, isReversed: isReversed)
        .converted(to: x.elementType)
    }
  }

  /// Keeps the lower (or upper) triangle of the last two dimensions, diagonal `k` included, and zeroes the rest.
  public static func triangle(_ x: HostTensor, isUpper: Bool, diagonal: Int) -> HostTensor {
    let rows = x.shape[x.shape.count - 2]
    let columns = x.shape[x.shape.count - 1]
    let size = x.elementType.storageBytes
    var result = x
    result.withUnsafeMutableBytes { bytes in
      guard rows * columns > 0 else { return }
      for i in 0..<(bytes.count / size) {
        let row = i / columns % rows
        let distance = i % columns - row
        if isUpper ? distance < diagonal : distance > diagonal {
          for byte in (i * size)..<((i + 1) * size) { bytes[byte] = 0 }
        }
      }
    }
    return result
  }

  private static func normalised(_ indices: [Int], extent: Int) -> [Int]? {
    var result = indices
    for i in result.indices {
      if result[i] < 0 { result[i] += extent }
      guard result[i] >= 0, result[i] < extent else { return nil }
    }
    return result
  }

  private static func elementOffsets(shape: [Int], strides: [Int], axis: Int, places: [Int]) -> [Int] {
    var index = [Int](repeating: 0, count: shape.count)
    var result: [Int] = []
    result.reserveCapacity(places.count)
    for place in places {
      var offset = 0
      for d in shape.indices { offset += (d == axis ? place : index[d]) * strides[d] }
      result.append(offset)
      var d = shape.count - 1
      while d >= 0 {
        index[d] += 1
        if index[d] < shape[d] { break }
        index[d] = 0
        d -= 1
      }
    }
    return result
  }

  private static func gatherFlat(_ x: HostTensor, _ offsets: [Int], shape: [Int]) -> HostTensor {
    var result = HostTensor(shape: shape, elementType: x.elementType)
    let size = x.elementType.storageBytes
    x.withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        for (i, offset) in offsets.enumerated() {
          for byte in 0..<size { target[i * size + byte] = source[offset * size + byte] }
        }
      }
    }
    return result
  }
}
