import PantileProblem

/// A packing problem made ready for search: tied groups cut into disjoint rectangles, steps replaced by the sets of buffers that are
/// alive together at most, all numbers divided by their common unit.
///
/// A section is a maximal set of buffers alive together; each buffer lives in consecutive sections. Two buffers share a section
/// exactly when they overlap in time, so sections carry the whole problem.
struct PackingModel {
  /// A rectangle that a search places.
  struct Item {
    /// The group it belongs to.
    var group: Int
    /// First and last section.
    var first: Int
    var last: Int
    /// Rounded up to the step of all offsets, which changes no overlap.
    var size: Int
    /// The offset is `residue` modulo `alignment`.
    var alignment: Int
    var residue: Int
    /// The lowest and highest offset that the group's bounds leave.
    var earliest: Int
    var latest: Int
    /// The offset less that of the group.
    var delta: Int
  }

  /// Buffers that keep fixed distances to each other.
  struct Group {
    /// The buffer whose offset is the group's.
    var root: Int
    /// Offsets of the group: `residue` modulo `alignment`, within `earliest ... latest`.
    ///
    /// **Units** Bytes.
    var alignment: Int
    var residue: Int
    var earliest: Int
    var latest: Int
    /// The items of the group; none when it takes no room.
    var items: [Int] = []
  }

  /// By first section, then last.
  private(set) var items: [Item] = []
  private(set) var groups: [Group] = []
  private(set) var sectionCount = 0
  /// Bytes of one unit.
  private(set) var unit = 1
  /// **Units** Units, rounded up where the offsets' step does not divide it; `latest` of each item is exact.
  private(set) var capacity = 0
  private(set) var contradiction: PackingContradiction?
  private let roots: (root: [Int], delta: [Int])
  /// Bytes from the offset of a group's first item to the group's offset.
  private var base: [Int] = []

  /// **Precondition** `check()` accepts the problem.
  init(_ problem: PackingProblem) {
    roots = problem.roots()
    var numberOfRoot = Array(repeating: -1, count: problem.buffers.count)
    for (index, buffer) in problem.buffers.enumerated() where roots.root[index] == index {
      numberOfRoot[index] = groups.count
      groups.append(
        Group(root: index, alignment: buffer.alignment, residue: 0, earliest: 0, latest: problem.capacity))
    }
    for (index, buffer) in problem.buffers.enumerated() {
      narrow(numberOfRoot[roots.root[index]], by: buffer, delta: roots.delta[index], problem)
    }
    for number in groups.indices { align(number, problem) }
    if contradiction == nil { place(problem.pieces(), numberOfRoot, problem.capacity) }
  }

  /// Pairs of item and section: what the search stores, and what a node costs at most.
  var pairCount: Int { items.reduce(0) { $0 + $1.last - $1.first + 1 } }

  /// Offsets of all buffers from offsets of the items.
  ///
  /// **Units** Items in units, result in bytes.
  func offsets(_ itemOffsets: [Int]) -> [Int] {
    var offsetOfRoot = Array(repeating: 0, count: roots.root.count)
    for (number, group) in groups.enumerated() {
      offsetOfRoot[group.root] = group.items.first.map { itemOffsets[$0] * unit + base[number] } ?? group.earliest
    }
    return roots.root.indices.map { offsetOfRoot[roots.root[$0]] + roots.delta[$0] }
  }

  /// Takes the demands of one buffer into its group.
  private mutating func narrow(
    _ number: Int, by buffer: PackingProblem.Buffer, delta: Int, _ problem: PackingProblem
  ) {
    var group = groups[number]
    group.earliest = max(group.earliest, -delta)
    group.latest = min(group.latest, problem.capacity - buffer.size - delta)
    if let fixed = buffer.fixedOffset {
      group.earliest = max(group.earliest, fixed - delta)
      group.latest = min(group.latest, fixed - delta)
    }
    guard let merged = mergedResidue((group.residue, group.alignment), (-delta, buffer.alignment)) else {
      refuse(group, problem, "are tied at distances that their alignments do not allow")
      return
    }
    (group.residue, group.alignment) = merged
    groups[number] = group
  }

  private mutating func align(_ number: Int, _ problem: PackingProblem) {
    var group = groups[number]
    // Offsets are 0 or more, so plain remainders do.
    let up = positiveRemainder(group.residue - group.earliest, group.alignment)
    let down = positiveRemainder(group.latest - group.residue, group.alignment)
    group.earliest += up
    group.latest -= down
    groups[number] = group
    if group.earliest > group.latest { refuse(group, problem, "cannot be within \(problem.capacity) bytes") }
  }

  private mutating func refuse(_ group: Group, _ problem: PackingProblem, _ reason: String) {
    if contradiction != nil { return }
    let members = problem.buffers.indices.filter { roots.root[$0] == group.root }
    let names = members.prefix(4).map { "'\(problem.buffers[$0].name)'" }.joined(separator: ", ")
    contradiction = PackingContradiction(
      binding: "\(names)\(members.count > 4 ? " and \(members.count - 4) more" : "") \(reason)", buffers: members)
  }

  private mutating func place(_ pieces: [PackingProblem.Piece], _ numberOfRoot: [Int], _ bytes: Int) {
    // All offsets are multiples of the step, hence sizes may be rounded up to it.
    var step = 0
    for piece in pieces {
      let group = groups[numberOfRoot[piece.root]]
      step = greatestCommonDivisor(step, group.alignment)
      step = greatestCommonDivisor(step, positiveRemainder(group.residue + piece.delta, group.alignment))
    }
    step = max(1, step)
    let whole = (bytes + step - 1) / step * step
    // A settled offset is a sum of sizes above a lowest offset, rounded to an alignment: a multiple of the unit.
    unit = 0
    for piece in pieces {
      unit = greatestCommonDivisor(unit, (piece.size + step - 1) / step * step)
      unit = greatestCommonDivisor(unit, groups[numberOfRoot[piece.root]].earliest + piece.delta)
    }
    unit = max(1, unit)
    // An alignment that divides the unit rounds nothing.
    while let coarse = groups.first(where: { unit % $0.alignment != 0 && $0.alignment % unit != 0 }) {
      unit = greatestCommonDivisor(unit, coarse.alignment)
    }
    capacity = whole / unit
    let sections = Self.sections(pieces)
    sectionCount = sections.count
    let order = pieces.indices.sorted {
      (sections.range[$0].first, sections.range[$0].last, $0) < (sections.range[$1].first, sections.range[$1].last, $1)
    }
    for index in order {
      let piece = pieces[index]
      let number = numberOfRoot[piece.root]
      let group = groups[number]
      let isCoarse = group.alignment % unit == 0
      groups[number].items.append(items.count)
      items.append(
        Item(
          group: number, first: sections.range[index].first, last: sections.range[index].last,
          size: (piece.size + step - 1) / step * step / unit, alignment: isCoarse ? group.alignment / unit : 1,
          residue: isCoarse ? positiveRemainder(group.residue + piece.delta, group.alignment) / unit : 0,
          earliest: (group.earliest + piece.delta) / unit, latest: (group.latest + piece.delta) / unit,
          delta: 0))
    }
    // Distances inside a group are multiples of the unit although the root's own offset need not be.
    for group in groups {
      for item in group.items { items[item].delta = items[item].earliest - items[group.items[0]].earliest }
    }
    base = groups.map { group in
      group.items.first.map { group.earliest - items[$0].earliest * unit } ?? 0
    }
  }

  /// The first and last section of each piece, and how many sections there are.
  private static func sections(_ pieces: [PackingProblem.Piece]) -> (range: [(first: Int, last: Int)], count: Int) {
    var events: [(step: Int, isStart: Bool, piece: Int)] = []
    for (index, piece) in pieces.enumerated() {
      events.append((piece.start, true, index))
      events.append((piece.end, false, index))
    }
    // Ends come first at one step, since lifetimes are half open.
    events.sort { ($0.step, $0.isStart ? 1 : 0, $0.piece) < ($1.step, $1.isStart ? 1 : 0, $1.piece) }
    var range = Array(repeating: (first: 0, last: 0), count: pieces.count)
    var count = 0
    var isGrowing = false
    for event in events {
      if event.isStart {
        range[event.piece].first = count
        isGrowing = true
      } else {
        // The first end after a start closes a set that no other contains.
        if isGrowing { count += 1 }
        isGrowing = false
        range[event.piece].last = count - 1
      }
    }
    return (range, count)
  }
}

/// The greatest number that divides both; 0 divides nothing and is divided by all.
func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (abs(a), abs(b))
  while b != 0 { (a, b) = (b, a % b) }
  return a
}

/// `a` modulo `b` in `0 ..< b`.
func positiveRemainder(_ a: Int, _ b: Int) -> Int {
  let remainder = a % b
  return remainder < 0 ? remainder + b : remainder
}

/// The numbers that are `a.residue` modulo `a.modulus` and `b.residue` modulo `b.modulus`, as one residue; nil when there are none,
/// or none below 2^62.
func mergedResidue(_ a: (residue: Int, modulus: Int), _ b: (residue: Int, modulus: Int)) -> (
  residue: Int, modulus: Int
)? {
  let common = greatestCommonDivisor(a.modulus, b.modulus)
  let difference = positiveRemainder(b.residue, b.modulus) - positiveRemainder(a.residue, a.modulus)
  if difference % common != 0 { return nil }
  // Solve a.residue + k * a.modulus = b.residue (mod b.modulus) for k by the extended Euclidean algorithm.
  let modulus = b.modulus / common
  var (old, now) = (positiveRemainder(a.modulus / common, modulus), modulus)
  var (oldFactor, factor) = (1, 0)
  while now != 0 {
    let quotient = old / now
    (old, now) = (now, old - quotient * now)
    (oldFactor, factor) = (factor, oldFactor - quotient * factor)
  }
  let k = Int(
    Int128(positiveRemainder(difference / common, modulus)) * Int128(positiveRemainder(oldFactor, modulus))
      % Int128(modulus))
  let merged = Int128(a.modulus) * Int128(modulus)
  let residue = Int128(positiveRemainder(a.residue, a.modulus)) + Int128(k) * Int128(a.modulus)
  let limit = Int128(1) << 62
  // Beyond the limit of all offsets only the residue itself can be one.
  if residue >= limit { return nil }
  return (Int(residue), Int(min(merged, limit)))
}
