import PantileProgram

extension ResolvedAccess {
  /// How many bursts of `burst` bytes an access of a burst-organised memory takes, and the bytes that it wants of them.
  ///
  /// Bursts are aligned; consecutive runs that end and start in the same burst share it. Padding takes none.
  public func bursts(of burst: Int) -> (count: Int, usefulBytes: Int) {
    var count = 0
    var useful = 0
    var last = -1
    let bits = Int(elementBits)
    let stride = innerStride
    forEachRun { _, address, elements in
      guard let address else { return }
      if stride == bits {
        let first = (address >> 3) / burst
        let end = ((address + elements * bits + 7) >> 3) - 1
        let final = end / burst
        count += final - first + (first == last ? 0 : 1)
        last = final
        useful += end - (address >> 3) + 1
      } else {
        for i in 0..<elements {
          let start = (address + i * stride) >> 3
          let first = start / burst
          let final = (start + (bits + 7) / 8 - 1) / burst
          count += final - first + (first == last ? 0 : 1)
          last = final
        }
        useful += elements * ((bits + 7) / 8)
      }
    }
    return (count, useful)
  }
}
