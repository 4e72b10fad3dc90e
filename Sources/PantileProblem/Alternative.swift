/// One way to run an operation: what was chosen, and what it costs.
public struct Alternative: Hashable, Sendable {
  /// Tile size of each dimension, in problem order.
  public var tiles: [Int]
  /// The loop order, by its number in the problem.
  public var order: Int
  /// Slots of each operand, in problem order.
  public var slots: [Int]
  /// Loads (or stores) of each operand.
  public var loads: [Int]
  /// Bytes used of each memory.
  public var footprint: [Int]
  /// Busy cycles of each resource, trip overhead included.
  public var busy: [Int]
  /// Bytes over each link.
  public var bytes: [Int]
  /// Estimated cycles of the whole operation.
  public var cycles: Int
  /// Transfer and tile commands, as executed.
  public var commands: Int
  /// Cycles below which this choice cannot run: the busiest resource or link alone.
  public var lowerBound: Int

  public init(
    tiles: [Int], order: Int, slots: [Int], loads: [Int], footprint: [Int], busy: [Int], bytes: [Int], cycles: Int,
    commands: Int, lowerBound: Int
  ) {
    self.tiles = tiles
    self.order = order
    self.slots = slots
    self.loads = loads
    self.footprint = footprint
    self.busy = busy
    self.bytes = bytes
    self.cycles = cycles
    self.commands = commands
    self.lowerBound = lowerBound
  }

  /// Bytes over all links.
  public var totalBytes: Int { bytes.reduce(0, saturatingAdd) }

  /// The order in which alternatives are preferred: cycles, bytes, commands, then smaller footprint, then the choice itself, so that
  /// no two different choices are equal.
  public func isPreferred(to other: Alternative) -> Bool {
    if cycles != other.cycles { return cycles < other.cycles }
    if totalBytes != other.totalBytes { return totalBytes < other.totalBytes }
    if commands != other.commands { return commands < other.commands }
    for (a, b) in zip(footprint, other.footprint) where a != b { return a < b }
    if order != other.order { return order < other.order }
    for (a, b) in zip(tiles, other.tiles) where a != b { return a > b }
    for (a, b) in zip(slots, other.slots) where a != b { return a < b }
    return false
  }

  /// True when this is no worse in cycles, bytes and each memory.
  public func dominates(_ other: Alternative) -> Bool {
    guard cycles <= other.cycles, totalBytes <= other.totalBytes else { return false }
    for (a, b) in zip(footprint, other.footprint) where a > b { return false }
    return true
  }
}

/// The answer to a `TilingProblem`: alternatives of which none beats another in cycles, bytes and footprints at once.
public struct TilingSolution: Hashable, Sendable {
  /// Most preferred first.
  public var alternatives: [Alternative]
  public var status: SolutionStatus
  /// Cycles below which no choice of the space can run.
  public var lowerBound: Int
  /// What the bound rests on: `compute` or `compulsory bytes of LINK`.
  public var boundName: String
  /// Complete choices looked at; a measure of effort.
  public var evaluated: Int

  public init(
    alternatives: [Alternative], status: SolutionStatus, lowerBound: Int, boundName: String, evaluated: Int
  ) {
    self.alternatives = alternatives
    self.status = status
    self.lowerBound = lowerBound
    self.boundName = boundName
    self.evaluated = evaluated
  }
}
