import PantileProgram

extension ResolvedAccess {
  /// Calls `body` with the number of each burst of `burst` bytes that the access takes, in order: those that `bursts(of:)` counts.
  public func forEachBurst(of burst: Int, _ body: (_ burst: Int) -> Void) {
    let bits = Int(elementBits)
    let stride = innerStride
    var last = -1
    func visit(_ first: Int, _ final: Int) {
      var next = first == last ? first + 1 : first
      while next <= final {
        body(next)
        next += 1
      }
      last = final
    }
    forEachRun { _, address, elements in
      guard let address else { return }
      if stride == bits {
        visit((address >> 3) / burst, (((address + elements * bits + 7) >> 3) - 1) / burst)
      } else {
        for i in 0..<elements {
          let start = (address + i * stride) >> 3
          visit(start / burst, (start + (bits + 7) / 8 - 1) / burst)
        }
      }
    }
  }
}
