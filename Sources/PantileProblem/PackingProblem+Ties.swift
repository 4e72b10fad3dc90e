import PantileSupport

extension PackingProblem {
  /// A fixed distance to another buffer: an in-place result lies on its operand, the parts of a joined tensor side by side.
  public struct Tie: Hashable, Sendable {
    /// The index of the buffer that this one follows.
    public var anchor: Int
    /// The offset of this buffer less the offset of the anchor.
    ///
    /// **Units** Bytes.
    public var delta: Int
    /// The two may use common bytes in a common step. It passes on through ties that say so: a buffer may then also
    /// overlap the anchor of its anchor, but never another buffer that is tied to the same anchor.
    public var mayOverlap: Bool

    public init(to anchor: Int, delta: Int = 0, mayOverlap: Bool = false) {
      self.anchor = anchor
      self.delta = delta
      self.mayOverlap = mayOverlap
    }
  }

  /// A rectangle of steps and addresses that the buffers of one tied group need together; a buffer without ties is one piece.
  package struct Piece: Hashable, Sendable {
    /// The buffer that the group follows in the end.
    package var root: Int
    package var start: Int
    package var end: Int
    /// The offset less the offset of the root.
    package var delta: Int
    package var size: Int
  }

  /// For each buffer the one that it follows in the end, and the distance to it.
  ///
  /// **Precondition** `check()` accepts the problem.
  package func roots() -> (root: [Int], delta: [Int]) {
    var root = Array(buffers.indices)
    var delta = Array(repeating: 0, count: buffers.count)
    var known = buffers.map { $0.tie == nil }
    var path: [Int] = []
    for index in buffers.indices {
      var at = index
      while !known[at], let tie = buffers[at].tie {
        path.append(at)
        at = tie.anchor
      }
      while let member = path.popLast() {
        guard let tie = buffers[member].tie else { continue }
        root[member] = root[tie.anchor]
        delta[member] = saturatingAdd(delta[tie.anchor], tie.delta)
        known[member] = true
      }
    }
    return (root, delta)
  }

  /// True when a tie allows both buffers on common bytes.
  ///
  /// **Precondition** `check()` accepts the problem.
  public func mayOverlap(_ a: Int, _ b: Int) -> Bool { reaches(a, b) || reaches(b, a) }

  private func reaches(_ from: Int, _ to: Int) -> Bool {
    var at = from
    while let tie = buffers[at].tie, tie.mayOverlap {
      at = tie.anchor
      if at == to { return true }
    }
    return false
  }

  /// What the buffers need, without buffers that take no room: bytes that tied buffers share are one piece.
  ///
  /// **Precondition** `check()` accepts the problem.
  package func pieces() -> [Piece] {
    if buffers.allSatisfy({ $0.tie == nil }) {
      return buffers.indices.filter { buffers[$0].takesRoom }.map {
        Piece(root: $0, start: buffers[$0].start, end: buffers[$0].end, delta: 0, size: buffers[$0].size)
      }
    }
    let (root, delta) = roots()
    var members: [[Int]] = buffers.map { _ in [] }
    for index in buffers.indices where buffers[index].takesRoom { members[root[index]].append(index) }
    return members.indices.flatMap { pieces(of: members[$0], root: $0, delta: delta) }
  }

  /// The union of the rectangles of one group, cut at the steps where it changes.
  private func pieces(of members: [Int], root: Int, delta: [Int]) -> [Piece] {
    if members.count <= 1 {
      return members.map {
        Piece(root: root, start: buffers[$0].start, end: buffers[$0].end, delta: delta[$0], size: buffers[$0].size)
      }
    }
    var steps = members.flatMap { [buffers[$0].start, buffers[$0].end] }.sorted()
    steps = steps.indices.filter { $0 == 0 || steps[$0] != steps[$0 - 1] }.map { steps[$0] }
    let sorted = members.sorted { (delta[$0], $0) < (delta[$1], $1) }
    var done: [Piece] = []
    var open: [Piece] = []
    for (start, end) in zip(steps, steps.dropFirst()) {
      var rows: [Piece] = []
      for member in sorted where buffers[member].start <= start && start < buffers[member].end {
        let top = delta[member] + buffers[member].size
        if let last = rows.last, delta[member] <= last.delta + last.size {
          rows[rows.count - 1].size = max(last.size, top - last.delta)
        } else {
          rows.append(Piece(root: root, start: start, end: end, delta: delta[member], size: buffers[member].size))
        }
      }
      var next: [Piece] = []
      for row in rows {
        if let index = open.firstIndex(where: { $0.end == start && $0.delta == row.delta && $0.size == row.size }) {
          var longer = open.remove(at: index)
          longer.end = end
          next.append(longer)
        } else {
          next.append(row)
        }
      }
      done += open
      open = next
    }
    return done + open
  }

  /// What is wrong with the ties, one message a fault.
  func tieFaults() -> [String] {
    var faults: [String] = []
    for (index, buffer) in buffers.enumerated() {
      guard let tie = buffer.tie else { continue }
      if !buffers.indices.contains(tie.anchor) {
        faults.append("buffer '\(buffer.name)' is tied to buffer \(tie.anchor) of \(buffers.count)")
      } else if tie.anchor == index {
        faults.append("buffer '\(buffer.name)' is tied to itself")
      }
      if !ProblemLimit.holds(tie.delta) {
        faults.append("buffer '\(buffer.name)' is tied at a distance of \(tie.delta), which is out of range")
      }
    }
    if !faults.isEmpty { return faults }
    // 0: not seen, 1: on the path, 2: ends in a root.
    var state = Array(repeating: 0, count: buffers.count)
    for index in buffers.indices {
      var path: [Int] = []
      var at = index
      while state[at] == 0, let tie = buffers[at].tie {
        state[at] = 1
        path.append(at)
        at = tie.anchor
      }
      if state[at] == 1 { faults.append("the ties of buffer '\(buffers[at].name)' lead back to it") }
      for member in path { state[member] = 2 }
    }
    if !faults.isEmpty { return faults }
    let delta = roots().delta
    for (index, buffer) in buffers.enumerated() where !ProblemLimit.holds(delta[index]) {
      faults.append("buffer '\(buffer.name)' is \(delta[index]) bytes from the buffer that it follows, out of range")
    }
    return faults
  }
}
