import PantileSupport

/// Give buffers with known lifetimes addresses in one memory.
public struct PackingProblem: Hashable, Sendable {
  /// A buffer that lives in steps `start ..< end`.
  public struct Buffer: Hashable, Sendable {
    public var name: String
    public var start: Int
    public var end: Int
    /// **Units** Bytes.
    public var size: Int
    /// The offset is a multiple of this.
    public var alignment: Int
    /// Buffers alive together in different groups should not share a bank; nil does not care.
    public var bankGroup: Int?
    /// The offset, when it is given and not to be chosen.
    public var fixedOffset: Int?
    /// The buffer beside which this one lies, when it must.
    public var tie: Tie?

    public init(
      _ name: String, start: Int, end: Int, size: Int, alignment: Int = 1, bankGroup: Int? = nil,
      fixedOffset: Int? = nil, tie: Tie? = nil
    ) {
      self.name = name
      self.start = start
      self.end = end
      self.size = size
      self.alignment = alignment
      self.bankGroup = bankGroup
      self.fixedOffset = fixedOffset
      self.tie = tie
    }

    /// True when the buffer takes room at all: it has bytes and a step to live in.
    public var takesRoom: Bool { size > 0 && start < end }

    /// True when both are alive in some step.
    public func overlapsInTime(_ other: Buffer) -> Bool {
      start < other.end && other.start < end && takesRoom && other.takesRoom
    }
  }

  public var name: String
  public var buffers: [Buffer]
  /// **Units** Bytes.
  public var capacity: Int
  /// Bytes of one bank (bank = offset / bankBytes); nil when banks do not matter.
  public var bankBytes: Int?

  public init(name: String, buffers: [Buffer], capacity: Int, bankBytes: Int? = nil) {
    self.name = name
    self.buffers = buffers
    self.capacity = capacity
    self.bankBytes = bankBytes
  }

  /// The most bytes alive in one step: no packing is lower. Bytes that tied buffers share count once.
  public var maximumLive: Int {
    var changes: [(step: Int, bytes: Int)] = []
    for piece in pieces() {
      changes.append((piece.start, piece.size))
      changes.append((piece.end, -piece.size))
    }
    // At one step the ends come first, since lifetimes are half open.
    changes.sort { $0.step != $1.step ? $0.step < $1.step : $0.bytes < $1.bytes }
    var live = 0
    var most = 0
    for change in changes {
      live = saturatingAdd(live, change.bytes)
      most = max(most, live)
    }
    return most
  }

  /// Pairs of buffers that are alive together, belong to different bank groups and touch a common bank.
  public func bankConflicts(offsets: [Int]) -> Int {
    guard let bankBytes, bankBytes > 0 else { return 0 }
    var conflicts = 0
    for a in buffers.indices {
      guard let group = buffers[a].bankGroup, buffers[a].size > 0 else { continue }
      for b in buffers.indices where b > a {
        guard let other = buffers[b].bankGroup, other != group, buffers[a].overlapsInTime(buffers[b]) else { continue }
        let lastOfA = (offsets[a] + buffers[a].size - 1) / bankBytes
        let lastOfB = (offsets[b] + buffers[b].size - 1) / bankBytes
        if offsets[a] / bankBytes <= lastOfB && offsets[b] / bankBytes <= lastOfA { conflicts += 1 }
      }
    }
    return conflicts
  }
}

/// The answer to a `PackingProblem`.
public struct PackingSolution: Hashable, Sendable {
  /// One offset a buffer.
  public var offsets: [Int]
  /// The highest byte in use, plus one.
  public var height: Int
  /// Pairs that share a bank although their groups differ.
  public var bankConflicts: Int
  public var status: SolutionStatus
  /// Bytes below which no packing fits.
  public var lowerBound: Int
  /// The method that found it.
  public var method: String

  public init(
    offsets: [Int], height: Int, bankConflicts: Int, status: SolutionStatus, lowerBound: Int, method: String
  ) {
    self.offsets = offsets
    self.height = height
    self.bankConflicts = bankConflicts
    self.status = status
    self.lowerBound = lowerBound
    self.method = method
  }
}
