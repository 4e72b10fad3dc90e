/// A number that is affine in the loop indices of one queue: `constant + Σ coefficient · index(depth)`.
///
/// Loops are named by their depth in the queue's nest, 0 outermost.
public struct Affine: Hashable, Sendable {
  public struct Term: Hashable, Sendable, BitwiseCopyable {
    public var depth: Int
    public var coefficient: Int

    public init(depth: Int, coefficient: Int) {
      self.depth = depth
      self.coefficient = coefficient
    }
  }

  public var constant: Int
  public var terms: [Term]

  /// Terms with the coefficient zero are dropped, the others sorted by depth, so that equal functions compare equal.
  public init(_ constant: Int, _ terms: [Term] = []) {
    self.constant = constant
    var merged: [Term] = []
    for term in terms.sorted(by: { $0.depth < $1.depth }) {
      if merged.last?.depth == term.depth {
        merged[merged.count - 1].coefficient += term.coefficient
      } else {
        merged.append(term)
      }
    }
    self.terms = merged.filter { $0.coefficient != 0 }
  }

  /// `coefficient · index(depth)`.
  public static func index(_ depth: Int, times coefficient: Int = 1) -> Affine {
    Affine(0, [Term(depth: depth, coefficient: coefficient)])
  }

  public static func + (a: Affine, b: Affine) -> Affine { Affine(a.constant + b.constant, a.terms + b.terms) }

  public static func + (a: Affine, b: Int) -> Affine { Affine(a.constant + b, a.terms) }

  public static func * (a: Affine, factor: Int) -> Affine {
    Affine(a.constant * factor, a.terms.map { Term(depth: $0.depth, coefficient: $0.coefficient * factor) })
  }

  /// The value at the given loop indices.
  /// - Precondition: every depth used has an index.
  public func value(at loops: LoopState) -> Int {
    var result = constant
    for term in terms { result &+= term.coefficient &* loops.index(term.depth) }
    return result
  }

  /// The deepest loop used, or -1.
  public var deepest: Int { terms.last?.depth ?? -1 }
}

/// Where a queue stands in its loop nest: the index and trip count of each open loop.
///
/// A flat value, because each command of a run looks at one.
public struct LoopState: Hashable, Sendable {
  /// Most loops around a command; `Program.problems()` refuses more.
  public static let mostLoops = 16

  @usableFromInline var indices = InlineArray<16, Int>(repeating: 0)
  @usableFromInline var counts = InlineArray<16, Int>(repeating: 0)
  public private(set) var depth = 0

  public init() {}

  /// - Precondition: `depth` is no more than `mostLoops`.
  public init(depth: Int, index: (Int) -> Int, count: (Int) -> Int) {
    self.depth = depth
    for loop in 0..<depth {
      indices[loop] = index(loop)
      counts[loop] = count(loop)
    }
  }

  @inlinable public func index(_ depth: Int) -> Int { indices[depth] }
  @inlinable public func count(_ depth: Int) -> Int { counts[depth] }
  @inlinable public func isFirst(_ depth: Int) -> Bool { indices[depth] == 0 }
  @inlinable public func isLast(_ depth: Int) -> Bool { indices[depth] == counts[depth] - 1 }

  /// - Precondition: fewer than `mostLoops` are open.
  public mutating func enter(count: Int) {
    indices[depth] = 0
    counts[depth] = count
    depth += 1
  }

  /// Steps the innermost loop; false (and the loop is left) when it is done.
  public mutating func advance() -> Bool {
    indices[depth - 1] += 1
    if indices[depth - 1] < counts[depth - 1] { return true }
    depth -= 1
    return false
  }

  public static func == (a: LoopState, b: LoopState) -> Bool {
    guard a.depth == b.depth else { return false }
    for loop in 0..<a.depth where a.indices[loop] != b.indices[loop] || a.counts[loop] != b.counts[loop] {
      return false
    }
    return true
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(depth)
    for loop in 0..<depth {
      hasher.combine(indices[loop])
      hasher.combine(counts[loop])
    }
  }
}

/// The length of one dimension of a command: `full`, except in the last trip of a named loop, where it is `last`.
public struct Extent: Hashable, Sendable {
  public var full: Int
  /// The loop whose last trip is ragged; nil when the extent never changes.
  public var depth: Int?
  public var last: Int

  public init(_ full: Int) {
    self.full = full
    self.depth = nil
    self.last = full
  }

  /// Drops the loop when its last trip is as long as the others.
  public init(full: Int, last: Int, depth: Int) {
    self.full = full
    self.depth = last == full ? nil : depth
    self.last = last
  }

  public func value(at loops: LoopState) -> Int {
    if let depth, loops.isLast(depth) { return last }
    return full
  }

  /// The larger of the two lengths.
  public var largest: Int { max(full, last) }

  /// The extent times a constant.
  public func scaled(by factor: Int, plus offset: Int = 0) -> Extent {
    guard let depth else { return Extent(full * factor + offset) }
    return Extent(full: full * factor + offset, last: last * factor + offset, depth: depth)
  }
}

/// A condition on a loop index; a command, wait or signal with guards takes place only where all of them hold.
public struct Guard: Hashable, Sendable, BitwiseCopyable {
  @frozen public enum Position: String, Hashable, Sendable, CaseIterable, BitwiseCopyable {
    case first, last, notFirst, notLast
  }

  public var depth: Int
  public var position: Position

  public init(_ position: Position, _ depth: Int) {
    self.depth = depth
    self.position = position
  }

  @inlinable public func holds(at loops: borrowing LoopState) -> Bool {
    switch position {
    case .first: return loops.isFirst(depth)
    case .last: return loops.isLast(depth)
    case .notFirst: return !loops.isFirst(depth)
    case .notLast: return !loops.isLast(depth)
    }
  }
}

extension [Guard] {
  /// True when every guard holds (and when there is none).
  public func hold(at loops: LoopState) -> Bool {
    for condition in self where !condition.holds(at: loops) { return false }
    return true
  }
}
