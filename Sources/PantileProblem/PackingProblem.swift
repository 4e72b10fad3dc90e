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

    public init(
      _ name: String, start: Int, end: Int, size: Int, alignment: Int = 1, bankGroup: Int? = nil,
      fixedOffset: Int? = nil
    ) {
      self.name = name
      self.start = start
      self.end = end
      self.size = size
      self.alignment = alignment
      self.bankGroup = bankGroup
      self.fixedOffset = fixedOffset
    }

    /// True when both are alive in some step.
    public func overlapsInTime(_ other: Buffer) -> Bool {
      start < other.end && other.start < end && size > 0 && other.size > 0
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

  /// The most bytes alive in one step: no packing is lower.
  public var maximumLive: Int {
    var changes: [(step: Int, bytes: Int)] = []
    for buffer in buffers where buffer.end > buffer.start {
      changes.append((buffer.start, buffer.size))
      changes.append((buffer.end, -buffer.size))
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

  /// Refuses a problem that is not well formed.
  ///
  /// - Throws: `bad-packing-problem`.
  public func check() throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ message: String) { errors.append(Diagnostic("bad-packing-problem", "'\(name)': \(message)")) }
    if capacity < 0 || !ProblemLimit.holds(capacity) { fail("capacity is \(capacity)") }
    if let bankBytes, bankBytes < 1 { fail("a bank has \(bankBytes) bytes") }
    for buffer in buffers {
      for number in [buffer.start, buffer.end, buffer.size, buffer.alignment, buffer.fixedOffset ?? 0]
      where !ProblemLimit.holds(number) {
        fail("buffer '\(buffer.name)' has the number \(number), which is out of range")
      }
      if buffer.size < 0 { fail("buffer '\(buffer.name)' has \(buffer.size) bytes") }
      if buffer.alignment < 1 { fail("buffer '\(buffer.name)' has alignment \(buffer.alignment)") }
      if buffer.end < buffer.start { fail("buffer '\(buffer.name)' ends at \(buffer.end) before \(buffer.start)") }
      if let offset = buffer.fixedOffset, offset < 0 { fail("buffer '\(buffer.name)' is fixed at \(offset)") }
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }

  /// Checks addresses pair by pair; knows nothing of how they were found.
  ///
  /// - Throws: `wrong-packing` for each overlap, misalignment, moved fixed buffer, byte above the capacity, wrong sum.
  public func verify(_ solution: PackingSolution) throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ message: String) { errors.append(Diagnostic("wrong-packing", "'\(name)': \(message)")) }
    guard solution.offsets.count == buffers.count else {
      throw DiagnosticError(
        "wrong-packing", "'\(name)': \(solution.offsets.count) offsets for \(buffers.count) buffers")
    }
    var height = 0
    for (a, buffer) in buffers.enumerated() {
      let offset = solution.offsets[a]
      if offset < 0 { fail("buffer '\(buffer.name)' is at \(offset)") }
      if offset % buffer.alignment != 0 {
        fail("buffer '\(buffer.name)' at \(offset) is not aligned to \(buffer.alignment)")
      }
      if let fixed = buffer.fixedOffset, fixed != offset {
        fail("buffer '\(buffer.name)' is at \(offset), fixed at \(fixed)")
      }
      let top = saturatingAdd(offset, buffer.size)
      if top > capacity { fail("buffer '\(buffer.name)' ends at \(top), capacity is \(capacity)") }
      height = max(height, top)
      for b in buffers.indices where b > a && buffer.overlapsInTime(buffers[b]) {
        let other = solution.offsets[b]
        if offset < saturatingAdd(other, buffers[b].size) && other < top {
          fail("buffers '\(buffer.name)' and '\(buffers[b].name)' overlap at \(max(offset, other))")
        }
      }
    }
    if height != solution.height { fail("height is \(height), stated is \(solution.height)") }
    if errors.isEmpty, bankConflicts(offsets: solution.offsets) != solution.bankConflicts {
      fail("\(bankConflicts(offsets: solution.offsets)) bank conflicts, stated are \(solution.bankConflicts)")
    }
    if solution.lowerBound > height { fail("height \(height) is below the bound \(solution.lowerBound)") }
    if !errors.isEmpty { throw DiagnosticError(errors) }
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
