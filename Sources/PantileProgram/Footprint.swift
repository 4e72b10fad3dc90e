import PantileSupport

/// The bytes that a resolved access touches.
extension ResolvedAccess {
  /// The smallest byte range `[low, high)` that holds every element that is not padding; nil when all is padding.
  ///
  /// Exact for boxes whose bounds follow the strides (rows and columns of an image); otherwise it may be too large,
  /// never too small.
  public var byteRange: Range<Int>? {
    bitRange.map { ($0.lowerBound >> 3)..<(($0.upperBound + 7) >> 3) }
  }

  /// As `byteRange`, in bits.
  public var bitRange: Range<Int>? {
    if elementCount == 0 { return nil }
    var low = baseBits
    var high = baseBits
    // Dims that a usable bound covers are taken from the bound's own range of coordinates.
    var covered: UInt8 = 0
    for b in 0..<Int(boundCount) {
      var ratio: Int?
      var usable = true
      var minimum = 0
      var maximum = 0
      for d in 0..<Int(dimCount) {
        let coefficient = coefficient(bound: b, dim: d)
        if coefficient == 0 { continue }
        let reach = coefficient * (counts[d] - 1)
        if reach > 0 { maximum += reach } else { minimum += reach }
        if covered & (1 << UInt8(d)) != 0 || strides[d] % coefficient != 0 { usable = false }
        let thisRatio = strides[d] / coefficient
        if let ratio, ratio != thisRatio { usable = false }
        ratio = thisRatio
      }
      let first = max(0, boundOffsets[b] + minimum)
      let last = min(boundLimits[b] - 1, boundOffsets[b] + maximum)
      if first > last { return nil }
      guard usable, let ratio else { continue }
      for d in 0..<Int(dimCount) where coefficient(bound: b, dim: d) != 0 { covered |= 1 << UInt8(d) }
      let reachFirst = ratio * (first - boundOffsets[b])
      let reachLast = ratio * (last - boundOffsets[b])
      low += min(reachFirst, reachLast)
      high += max(reachFirst, reachLast)
    }
    for d in 0..<Int(dimCount) where covered & (1 << UInt8(d)) == 0 {
      let reach = strides[d] * (counts[d] - 1)
      if reach > 0 { high += reach } else { low += reach }
    }
    return low..<(high + Int(elementBits))
  }

  /// Whether every byte of `byteRange` is surely touched: no bounds, and taken from the smallest stride up, each dim
  /// continues where those inside it end or overlaps them.
  public var touchesWholeRange: Bool {
    if boundCount != 0 { return false }
    var covered = Int(elementBits)
    var used: UInt8 = 0
    for _ in 0..<Int(dimCount) {
      var next = -1
      for d in 0..<Int(dimCount) where used & (1 << UInt8(d)) == 0 {
        if next < 0 || abs(strides[d]) < abs(strides[next]) { next = d }
      }
      used |= 1 << UInt8(next)
      if abs(strides[next]) > covered { return false }
      covered += abs(strides[next]) * (counts[next] - 1)
    }
    return true
  }

  /// Calls `body` with each run of consecutive elements along the innermost dim: the index of the first element in
  /// list order, its bit address, and the number of elements; and with nil as address for runs of padding.
  ///
  /// Runs are in list order. `elementStride` between elements of a run is `innerStride`.
  @inlinable public func forEachRun(_ body: (_ first: Int, _ bits: Int?, _ count: Int) -> Void) {
    if elementCount == 0 { return }
    let dims = Int(dimCount)
    if dims == 0 {
      var inside = true
      for b in 0..<Int(boundCount) where boundOffsets[b] < 0 || boundOffsets[b] >= boundLimits[b] { inside = false }
      body(0, inside ? baseBits : nil, 1)
      return
    }
    let inner = dims - 1
    let length = counts[inner]
    let stride = strides[inner]
    var index = InlineArray<6, Int>(repeating: 0)
    var address = baseBits
    var coordinates = boundOffsets
    var first = 0
    while true {
      // The part of the inner run that is inside every bound.
      var low = 0
      var high = length
      for b in 0..<Int(boundCount) {
        let c = boundCoefficients[b * 6 + inner]
        let v = coordinates[b]
        let limit = boundLimits[b]
        if c == 0 {
          if v < 0 || v >= limit { high = 0 }
        } else if c > 0 {
          if v < 0 { low = max(low, (-v + c - 1) / c) }
          let end = v >= limit ? 0 : (limit - v + c - 1) / c
          high = min(high, end)
        } else {
          if v >= limit { low = max(low, (v - limit) / -c + 1) }
          let end = v < 0 ? 0 : v / -c + 1
          high = min(high, end)
        }
      }
      if low >= high {
        body(first, nil, length)
      } else {
        if low > 0 { body(first, nil, low) }
        body(first + low, address + low * stride, high - low)
        if high < length { body(first + high, nil, length - high) }
      }
      first += length
      // Odometer over the outer dims.
      var d = inner - 1
      while d >= 0 {
        index[d] += 1
        address += strides[d]
        for b in 0..<Int(boundCount) { coordinates[b] += boundCoefficients[b * 6 + d] }
        if index[d] < counts[d] { break }
        address -= strides[d] * counts[d]
        for b in 0..<Int(boundCount) { coordinates[b] -= boundCoefficients[b * 6 + d] * counts[d] }
        index[d] = 0
        d -= 1
      }
      if d < 0 { return }
    }
  }

  /// Distance between neighbours of a run, in bits.
  @inlinable public var innerStride: Int { dimCount == 0 ? Int(elementBits) : strides[Int(dimCount) - 1] }

  /// The touched byte ranges in list order, neighbours joined where one ends where the next starts.
  public var byteRuns: [Range<Int>] {
    var runs: [Range<Int>] = []
    func add(_ range: Range<Int>) {
      if let last = runs.last, range.lowerBound >= last.lowerBound, range.lowerBound <= last.upperBound {
        runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        runs.append(range)
      }
    }
    let bits = Int(elementBits)
    let stride = innerStride
    forEachRun { _, address, count in
      guard let address else { return }
      if stride == bits {
        add((address >> 3)..<((address + count * bits + 7) >> 3))
      } else {
        for i in 0..<count {
          let start = address + i * stride
          add((start >> 3)..<((start + bits + 7) >> 3))
        }
      }
    }
    return runs
  }

  /// Elements that are not padding.
  public var insideCount: Int {
    if boundCount == 0 { return elementCount }
    var total = 0
    forEachRun { _, address, count in if address != nil { total += count } }
    return total
  }
}
