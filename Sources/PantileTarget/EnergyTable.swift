import PantileSupport

/// What each counted action costs, with the source of every figure.
///
/// **Accuracy** estimate: the figures come from papers and from an analytical memory model; trust ratios between
/// designs, not absolute values (expect a factor of two).
public struct EnergyTable: Sendable {
  /// How far a figure can be trusted.
  public enum Confidence: String, Hashable, Sendable, Comparable, CaseIterable {
    /// Interpolated or extrapolated far from data, or to be re-read before use.
    case low
    /// Quoted, or output of an analytical model.
    case medium
    /// Read in the source.
    case high

    public static func < (a: Confidence, b: Confidence) -> Bool { rank(a) < rank(b) }
    private static func rank(_ value: Confidence) -> Int {
      switch value {
      case .low: return 0
      case .medium: return 1
      case .high: return 2
      }
    }
  }

  /// One figure.
  public struct Entry: Hashable, Sendable {
    /// `int8_multiply`, `lpddr4`, or made from the memory table: `spad.read_byte`.
    public var key: String
    /// Of one action.
    public var energy: Picojoules
    /// Of the technology behind the figure, in nanometres; nil where none is stated (DRAM interfaces).
    public var node: Int?
    /// A key of `sources`.
    public var source: String
    public var confidence: Confidence
    public var note: String

    public init(
      key: String, energy: Picojoules, node: Int?, source: String, confidence: Confidence, note: String = ""
    ) {
      self.key = key
      self.energy = energy
      self.node = node
      self.source = source
      self.confidence = confidence
      self.note = note
    }
  }

  /// One summand of an action's cost: so many times an entry.
  public struct Term: Hashable, Sendable {
    /// An arithmetic entry (`int8_multiply`), or an access by kind of memory (`accumulator.read_byte`).
    public var entry: String
    /// Plain number: how often the entry happens in one action; fractions are allowed.
    public var factor: Double
  }

  /// A counted action as a sum of entries.
  public struct Action: Hashable, Sendable {
    /// As the simulator counts it: `array.mac.int8`.
    public var name: String
    /// Empty when the table says `unmodelled`: the action then has no cost and every report names it.
    public var terms: [Term]
    public var location: SourceLocation
  }

  /// One summand of what an action costs on a given chip.
  public struct Part: Hashable, Sendable {
    /// The name of the memory it is charged to; nil for the engine that did the action.
    public var memory: String?
    public var entry: Entry
    /// How often the entry happens in one action.
    public var factor: Double
  }

  public var name: String
  public var summary: String
  /// Source id and what it stands for, in file order.
  public var sources: [(id: String, text: String)]
  /// Arithmetic and other fixed costs, in file order.
  public var entries: [Entry]
  /// Off-chip memories: energy of one byte, by energy key.
  public var dram: [Entry]
  /// On-chip memories, by energy key.
  public var sram: [SRAMTable]
  public var actions: [Action]
  /// What the table leaves out on purpose, for every report.
  public var unmodelled: [String]
  /// Sixteen hexadecimal digits over the bytes of the table's files.
  public var hash: String

  public init(
    name: String, summary: String = "", sources: [(id: String, text: String)] = [], entries: [Entry] = [],
    dram: [Entry] = [], sram: [SRAMTable] = [], actions: [Action] = [], unmodelled: [String] = [], hash: String = ""
  ) {
    self.name = name
    self.summary = summary
    self.sources = sources
    self.entries = entries
    self.dram = dram
    self.sram = sram
    self.actions = actions
    self.unmodelled = unmodelled
    self.hash = hash
  }

  /// What one `action` of `component` costs on a chip with these memories: the parts to add up.
  ///
  /// A memory's own actions are `read_byte`, `write_byte`, and `read`, `write` for a whole port width, or burst for DRAM;
  /// they need no line in the table. Everything else is looked up as `component.action`, then as `action`.
  /// - Throws: `missing-energy` when the table has no such action or entry; never a silent zero.
  public func cost(of action: String, component: String, memories: [MemorySpec]) throws(DiagnosticError) -> [Part] {
    if let memory = memories.first(where: { $0.name == component }),
      let access = MemoryAccess(rawValue: action)
    {
      return [Part(memory: memory.name, entry: try entry(for: access, of: memory), factor: 1)]
    }
    guard let found = actions.first(where: { $0.name == "\(component).\(action)" || $0.name == action }) else {
      let nearest = nearestName(to: action, among: actions.map(\.name)).map { "; nearest is '\($0)'" } ?? ""
      throw DiagnosticError(
        "missing-energy", "energy table '\(name)' has no action '\(action)' (counted by '\(component)')",
        hint: "add it under 'actions' of the table\(nearest)")
    }
    var parts: [Part] = []
    for term in found.terms {
      if let entry = entries.first(where: { $0.key == term.entry }) {
        parts.append(Part(memory: nil, entry: entry, factor: term.factor))
        continue
      }
      // Loading made sure that the term is then `kind.access`.
      let pieces = term.entry.split(separator: ".").map(String.init)
      guard pieces.count == 2, let kind = MemorySpec.Kind(rawValue: pieces[0]),
        let access = MemoryAccess(rawValue: pieces[1])
      else {
        throw DiagnosticError(
          "missing-energy", "energy table '\(name)' has no entry '\(term.entry)' for action '\(action)'",
          at: found.location)
      }
      guard let memory = memories.first(where: { $0.kind == kind }) else {
        throw DiagnosticError(
          "missing-energy", "action '\(action)' uses a memory of kind '\(kind.rawValue)', the chip has none",
          at: found.location)
      }
      parts.append(Part(memory: memory.name, entry: try entry(for: access, of: memory), factor: term.factor))
    }
    return parts
  }

  /// What a memory can be asked for.
  enum MemoryAccess: String, CaseIterable {
    case read, write
    case readByte = "read_byte"
    case writeByte = "write_byte"
  }

  /// The energy of one access of a memory.
  /// - Throws: `missing-energy` when the memory's energy key is not in the table.
  func entry(for access: MemoryAccess, of memory: MemorySpec) throws(DiagnosticError) -> Entry {
    let key = "\(memory.name).\(access.rawValue)"
    switch memory.kind {
    case .dram:
      guard let perByte = dram.first(where: { $0.key == memory.energyKey }) else {
        throw missingMemory(memory, among: dram.map(\.key))
      }
      var entry = perByte
      entry.key = key
      switch access {
      case .read, .write: entry.energy = Picojoules(perByte.energy.value * Double(memory.burst.count))
      case .readByte, .writeByte: break
      }
      return entry
    case .scratchpad, .accumulator:
      guard let table = sram.first(where: { $0.key == memory.energyKey }) else {
        throw missingMemory(memory, among: sram.map(\.key))
      }
      let point = table.point(size: memory.size, width: memory.portWidth, banks: memory.banks)
      let width = Double(memory.portWidth.count)
      let energy: Double
      switch access {
      case .read: energy = point.readEnergy.value
      case .write: energy = point.writeEnergy.value
      case .readByte: energy = point.readEnergy.value / width
      case .writeByte: energy = point.writeEnergy.value / width
      }
      return Entry(
        key: key, energy: Picojoules(energy), node: table.node, source: table.source,
        confidence: point.isListed ? table.confidence : min(table.confidence, point.isInside ? .medium : .low),
        note: point.isListed ? "" : point.isInside ? "interpolated" : "extrapolated")
    }
  }

  /// The standing power of an on-chip memory in milliwatts (a plain double: no other power occurs); nil for DRAM,
  /// whose background power is inside its energy for a byte.
  /// - Throws: `missing-energy` when the memory's energy key is not in the table.
  public func leakage(of memory: MemorySpec) throws(DiagnosticError) -> Double? {
    switch memory.kind {
    case .dram: return nil
    case .scratchpad, .accumulator:
      guard let table = sram.first(where: { $0.key == memory.energyKey }) else {
        throw missingMemory(memory, among: sram.map(\.key))
      }
      return table.point(size: memory.size, width: memory.portWidth, banks: memory.banks).leakage
    }
  }

  private func missingMemory(_ memory: MemorySpec, among keys: [String]) -> DiagnosticError {
    let nearest = nearestName(to: memory.energyKey, among: keys).map { "did you mean '\($0)'? " } ?? ""
    return DiagnosticError(
      "missing-energy",
      "energy table '\(name)' has no \(memory.kind == .dram ? "dram" : "sram") entry '\(memory.energyKey)' "
        + "for memory '\(memory.name)'",
      hint: "\(nearest)entries: \(keys.joined(separator: ", "))")
  }
}
