/// A link's bandwidth: bytes in a number of cycles, as an exact fraction.
public struct TransferRate: Hashable, Sendable, BitwiseCopyable {
  public var bytes: Int
  public var cycles: Int

  public init(bytes: Int, cycles: Int = 1) {
    self.bytes = bytes
    self.cycles = cycles
  }

  /// Cycles that `count` bytes occupy the link, rounded up.
  public func cycles(forBytes count: Int) -> Int { saturatingCeilDivide(saturatingMultiply(count, cycles), bytes) }
}
