import PantileProblem

extension PackingProblem {
  /// Bytes below which no packing fits: the most alive in one step, also with sizes rounded up to the common alignment, the extent of
  /// each tied group, and the top of each fixed buffer.
  ///
  /// **Precondition** `check()` accepts the problem.
  public var heightBound: Int {
    var bound = max(maximumLive, alignedLive)
    let (root, delta) = roots()
    var lowest = Array(repeating: 0, count: buffers.count)
    for index in buffers.indices { lowest[root[index]] = min(lowest[root[index]], delta[index]) }
    for index in buffers.indices where buffers[index].fixedOffset != nil {
      let offset = (buffers[index].fixedOffset ?? 0) - delta[index]
      lowest[root[index]] = min(lowest[root[index]], -offset)
    }
    for (index, buffer) in buffers.enumerated() {
      bound = max(bound, saturatingAdd(delta[index] - lowest[root[index]], buffer.size))
    }
    return bound
  }

  /// The most alive in one step when every offset is a multiple of the alignments' common divisor: all but the topmost buffer fill
  /// whole multiples.
  private var alignedLive: Int {
    let step = buffers.reduce(0) { greatestCommonDivisor($0, $1.alignment) }
    if step <= 1 || buffers.contains(where: { $0.tie != nil }) { return 0 }
    var rounded = self
    var padding = 0
    for index in buffers.indices {
      let size = saturatingMultiply(saturatingCeilDivide(buffers[index].size, step), step)
      padding = max(padding, size - buffers[index].size)
      rounded.buffers[index].size = size
    }
    return rounded.maximumLive - padding
  }
}
