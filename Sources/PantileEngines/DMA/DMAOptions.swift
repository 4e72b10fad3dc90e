/// A DMA engine: one command after another, bursts in order, next command as soon as the last burst is sent.
public struct DMAOptions: Hashable, Sendable {
  /// Bytes a cycle between the engine and the on-chip memories.
  public var linkBytes: Int
  /// Bursts in flight: a burst is sent only when the one `outstanding` before it has been answered.
  public var outstanding: Int

  public init(linkBytes: Int, outstanding: Int) {
    self.linkBytes = linkBytes
    self.outstanding = outstanding
  }
}
