/// A number that is affine in the loop indices of one queue: `constant + Σ coefficient · index(depth)`.
///
/// Loops are named by their depth in the queue's nest, 0 outermost.
public struct Affine: Hashable, Sendable {
  public struct Term: Hashable, Sendable {
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
public struct LoopState: Hashable, Sendable {
  public private(set) var indices: [Int] = []
  public private(set) var counts: [Int] = []

  public init() {}

  public var depth: Int { indices.count }
  public func index(_ depth: Int) -> Int { indices[depth] }
  public func count(_ depth: Int) -> Int { counts[depth] }
  public func isFirst(_ depth: Int) -> Bool { indices[depth] == 0 }
  public func isLast(_ depth: Int) -> Bool { indices[depth] == counts[depth] - 1 }

  public mutating func enter(count: Int) {
    indices.append(0)
    counts.append(count)
  }

  /// Steps the innermost loop; false (and the loop is left) when it is done.
  public mutating func advance() -> Bool {
    indices[indices.count - 1] += 1
    if indices[indices.count - 1] < counts[counts.count - 1] { return true }
    indices.removeLast()
    counts.removeLast()
    return false
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
public struct Guard: Hashable, Sendable {
  public enum Position: String, Hashable, Sendable, CaseIterable { case first, last, notFirst, notLast }

  public var depth: Int
  public var position: Position

  public init(_ position: Position, _ depth: Int) {
    self.depth = depth
    self.position = position
  }

  public func holds(at loops: LoopState) -> Bool {
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
