import PantileSupport

/// A chip as described by a file: what the compiler maps to and the simulator wires up.
public struct Chip: Sendable {
  /// The name of the file's `name` key; not part of the hash.
  public var name: String
  /// One line about the chip; not part of the hash.
  public var summary: String
  public var clock: Hertz
  /// Exactly one today; several are refused when the file is loaded.
  public var cores: [Core]
  /// In file order.
  public var memories: [MemorySpec]
  public var dispatch: Dispatch
  public var energy: EnergyTable
  /// Sixteen hexadecimal digits over `resolvedBody`: name, summary, comments, layout and defaults left out or
  /// written out do not matter.
  public var hash: String
  /// The chip with all defaults and overrides written out, as YAML that loads to the same chip.
  public var resolvedText: String

  public init(
    name: String, summary: String = "", clock: Hertz, cores: [Core], memories: [MemorySpec],
    dispatch: Dispatch = Dispatch(),
    energy: EnergyTable
  ) {
    self.name = name
    self.summary = summary
    self.clock = clock
    self.cores = cores
    self.memories = memories
    self.dispatch = dispatch
    self.energy = energy
    let body = Chip.resolvedBody(
      clock: clock, cores: cores, memories: memories, dispatch: dispatch, energyName: energy.name)
    var hash = StableHash()
    hash.combine(body)
    self.hash = hash.hexadecimal
    resolvedText = "name: \(name)\n" + (summary.isEmpty ? "" : "summary: \(quotedYAML(summary))\n") + body
  }

  /// The engines of the only core, in file order.
  public var engines: [EngineSection] { cores[0].engines }

  /// The memory with this name, or nil.
  public func memory(named name: String) -> MemorySpec? { memories.first { $0.name == name } }

  /// The engine with this name, or nil.
  public func engine(named name: String) -> EngineSection? { engines.first { $0.name == name } }

  /// The first memory of a kind, or nil; loading made sure that there is one of each kind.
  public func memory(_ kind: MemorySpec.Kind) -> MemorySpec? { memories.first { $0.kind == kind } }

  /// All engines of a family, in file order.
  public func engines(ofFamily family: String) -> [EngineSection] { engines.filter { $0.family == family } }
}

/// A core: engines that share the scratchpad and one dispatcher.
public struct Core: Sendable {
  /// `core0`.
  public var name: String
  public var engines: [EngineSection]

  public init(name: String, engines: [EngineSection]) {
    self.name = name
    self.engines = engines
  }
}

/// The unit that feeds the engine queues.
///
/// Reserved: today every queue has a sequencer of its own that works ahead of its engine, so nothing is ever waited for
/// here. Chip files may say so, and anything else is refused rather than ignored.
public struct Dispatch: Hashable, Sendable {
  /// Commands that a queue holds; nil: any number.
  public var queueDepth: Int?
  /// Nested loops that a queue's sequencer takes; nil: any number.
  public var loopDepth: Int?
  /// Added for each turn of a loop.
  public var loopOverhead: Cycles

  public init(queueDepth: Int? = nil, loopDepth: Int? = nil, loopOverhead: Cycles = .zero) {
    self.queueDepth = queueDepth
    self.loopDepth = loopDepth
    self.loopOverhead = loopOverhead
  }
}
