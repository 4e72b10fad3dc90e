import PantileProgram

extension ResolvedAccess {
  /// How many bursts of `burst` bytes an access of a burst-organised memory takes, and the bytes that it wants of them.
  public func bursts(of burst: Int) -> (count: Int, usefulBytes: Int) {
    var count = 0
    var useful = 0
    forEachSpan(of: burst) { bursts, bytes in
      count += bursts.count
      useful += bytes
    }
    return (count, useful)
  }

  /// Calls `body` with the numbers of bursts of `burst` bytes that the access takes, neighbours together, in order.
  @inline(__always) public func forEachBurstRun(of burst: Int, _ body: (_ bursts: Range<Int>) -> Void) {
    forEachSpan(of: burst) { bursts, _ in body(bursts) }
  }

  /// The bursts that each run adds, and the bytes that it wants.
  ///
  /// Bursts are aligned; consecutive runs that end and start in the same burst share it. Padding takes none.
  @inline(__always)
  private func forEachSpan(of burst: Int, _ body: (_ bursts: Range<Int>, _ usefulBytes: Int) -> Void) {
    let bits = Int(elementBits)
    let stride = innerStride
    var last = -1
    func visit(_ low: Int, _ end: Int) {
      let (first, final) = (low / burst, (end - 1) / burst)
      body((first == last ? first + 1 : first)..<(final + 1), end - low)
      last = final
    }
    forEachRun { _, address, elements in
      guard let address else { return }
      if stride == bits {
        visit(address >> 3, (address + elements * bits + 7) >> 3)
      } else {
        for i in 0..<elements {
          let start = (address + i * stride) >> 3
          visit(start, start + (bits + 7) / 8)
        }
      }
    }
  }
}
