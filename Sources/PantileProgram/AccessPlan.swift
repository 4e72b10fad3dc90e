import PantileSupport

/// An address generator prepared for many trips: what does not depend on the loops is resolved once for each
/// combination of ragged extents, a trip only adds the base.
public final class AccessPlan {
  public let generator: AddressGenerator
  /// As in `AddressGenerator.resolved(at:reduced:)`.
  public let reduced: Int

  /// Loops whose last trip changes a dim.
  private let raggedDepths: [Int]
  /// Whether a bound moves with a loop, so that nothing can be kept.
  private let hasMovingBounds: Bool

  /// What is kept for one combination of ragged extents.
  private struct Template: BitwiseCopyable {
    var access = ResolvedAccess()
    /// The touched bytes; none when all is padding.
    var low = 0
    var high = 0
    var isDense = false
    var isKnown = false
  }

  // Behind a pointer: they are looked at for each access of a run, and filled as combinations are met.
  private let templates: UnsafeMutablePointer<Template>
  private var bursts: [(slot: Int, phase: Int, count: Int)] = []

  /// Combinations of more loops than this are resolved anew each time.
  private static let mostRaggedDepths = 6

  /// - Precondition: `generator` is sound (`structureProblems`).
  public init(_ generator: AddressGenerator, reduced: Int = 1) {
    self.generator = generator
    self.reduced = reduced
    var depths: [Int] = []
    for dim in generator.dims {
      if let depth = dim.count.depth, !depths.contains(depth) { depths.append(depth) }
    }
    raggedDepths = depths
    hasMovingBounds =
      depths.count > Self.mostRaggedDepths || generator.bounds.contains { !$0.offset.terms.isEmpty }
    let count = hasMovingBounds ? 0 : 1 << depths.count
    templates = .allocate(capacity: max(1, count))
    templates.initialize(repeating: Template(), count: count)
  }

  deinit { templates.deallocate() }

  /// The bit address of the first element.
  public func baseBits(at loops: LoopState) -> Int {
    var base = generator.baseBits.value(at: loops)
    if let rotation = generator.rotation {
      base += rotation.index.value(at: loops) % rotation.slots * rotation.slotBits
    }
    return base
  }

  /// The number of the combination; nil when nothing is kept.
  private func slot(at loops: LoopState) -> Int? {
    if hasMovingBounds { return nil }
    var slot = 0
    for (bit, depth) in raggedDepths.enumerated() where loops.isLast(depth) { slot |= 1 << bit }
    if !templates[slot].isKnown { templates[slot] = Self.template(generator.resolved(at: loops, reduced: reduced)) }
    return slot
  }

  private static func template(_ access: ResolvedAccess) -> Template {
    let range = access.byteRange ?? 0..<0
    return Template(
      access: access, low: range.lowerBound, high: range.upperBound, isDense: access.touchesWholeRange, isKnown: true)
  }

  /// The same as `generator.resolved(at:reduced:)`.
  public func resolved(at loops: LoopState) -> ResolvedAccess {
    guard let slot = slot(at: loops) else { return generator.resolved(at: loops, reduced: reduced) }
    var access = templates[slot].access
    access.baseBits = baseBits(at: loops)
    return access
  }

  /// The touched range as `ResolvedAccess.byteRange`, and whether every byte of it is touched; nil when all is padding.
  public func touched(at loops: LoopState) -> (range: Range<Int>, isDense: Bool)? {
    guard let slot = slot(at: loops) else {
      return Self.touched(Self.template(generator.resolved(at: loops, reduced: reduced)))
    }
    let shift = baseBits(at: loops) - templates[slot].access.baseBits
    if shift & 7 != 0 { return Self.touched(Self.template(resolved(at: loops))) }
    return Self.touched(templates[slot], movedBy: shift >> 3)
  }

  private static func touched(_ template: Template, movedBy bytes: Int = 0) -> (range: Range<Int>, isDense: Bool)? {
    if template.low == template.high { return nil }
    return (template.low + bytes..<template.high + bytes, template.isDense)
  }

  /// Elements listed, padding included.
  public func elementCount(at loops: LoopState) -> Int {
    generator.dims.reduce(1) { $0 &* $1.count.value(at: loops) }
  }

  /// Whether the dims at the end list `count` elements, no part of a dim left over.
  func endsWithDims(of count: Int, at loops: LoopState) -> Bool {
    var trailing = 1
    for dim in generator.dims.reversed() where trailing < count { trailing = trailing &* dim.count.value(at: loops) }
    return trailing == count
  }

  /// Something that depends on the access and on where its base lies inside a block of `burst` bytes: `compute` is
  /// called once for each case, as far as that can be known.
  public func burstCount(at loops: LoopState, burst: Int, _ compute: (ResolvedAccess) -> Int) -> Int {
    guard let slot = slot(at: loops) else { return compute(resolved(at: loops)) }
    let base = baseBits(at: loops)
    let phase = ((base % (burst * 8)) + burst * 8) % (burst * 8)
    for known in bursts where known.slot == slot && known.phase == phase { return known.count }
    let count = compute(resolved(at: loops))
    if bursts.count < 64 { bursts.append((slot, phase, count)) }
    return count
  }
}

/// A command prepared for many trips.
public final class CommandPlan {
  public let command: Command
  /// In operand order.
  public let reads: [AccessPlan]
  public let write: AccessPlan?
  /// Loops whose last trip changes an extent.
  public let lastDepths: [Int]
  /// The loop in whose first trip accumulators start.
  public let firstDepth: Int?

  public init(_ command: Command, kernels: [Kernel]) {
    self.command = command
    var reduced = [Int](repeating: 1, count: command.operation.reads.count)
    switch command.operation {
    case .drain(let map), .vector(let map):
      for (index, input) in kernels[map.kernel.offset].inputs.enumerated() where input.scope == .point {
        reduced[index] = map.reduced
      }
    case .copy, .contract, .sync: break
    }
    let reads = command.operation.reads
    self.reads = reads.indices.map { AccessPlan(reads[$0], reduced: reduced[$0]) }
    write = command.operation.write.map { AccessPlan($0) }
    var depths: Set<Int> = []
    var extents = (reads + (command.operation.write.map { [$0] } ?? [])).flatMap { $0.dims.map(\.count) }
    var first: Int?
    if case .contract(let tile) = command.operation {
      extents += [tile.m, tile.n, tile.k]
      if case .zeroInFirst(let depth) = tile.initial { first = depth }
    }
    for extent in extents {
      if let depth = extent.depth { depths.insert(depth) }
    }
    lastDepths = depths.sorted()
    firstDepth = first
  }

  /// A number that is equal for trips in which all extents are equal and accumulators start alike.
  public func shape(at loops: LoopState) -> Int {
    var shape = 0
    if let firstDepth, loops.isFirst(firstDepth) { shape = 1 }
    for (bit, depth) in lastDepths.enumerated() where loops.isLast(depth) { shape |= 2 << bit }
    return shape
  }
}
