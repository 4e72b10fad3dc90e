import PantileSupport

extension PackingProblem {
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
    for message in tieFaults() { fail(message) }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }

  /// Checks addresses pair by pair; knows nothing of how they were found.
  ///
  /// **Precondition** `check()` accepts the problem.
  ///
  /// - Throws: `wrong-packing` for each overlap, misalignment, moved fixed buffer, torn tie, byte above the capacity, wrong sum.
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
      if let tie = buffer.tie {
        let anchor = saturatingAdd(solution.offsets[tie.anchor], tie.delta)
        if anchor != offset {
          fail("buffer '\(buffer.name)' is at \(offset), tied to '\(buffers[tie.anchor].name)' at \(anchor)")
        }
      }
      let top = saturatingAdd(offset, buffer.size)
      if top > capacity { fail("buffer '\(buffer.name)' ends at \(top), capacity is \(capacity)") }
      height = max(height, top)
      for b in buffers.indices where b > a && buffer.overlapsInTime(buffers[b]) {
        let other = solution.offsets[b]
        if offset < saturatingAdd(other, buffers[b].size) && other < top && !mayOverlap(a, b) {
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
