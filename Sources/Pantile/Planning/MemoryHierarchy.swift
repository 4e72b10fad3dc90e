import PantileConfig
import PantileProblem
import PantileSupport

/// The memories of a device, as a file describes them: what `HierarchyProblem` plans for.
///
/// **Example**
/// ```yaml
/// name: two-levels
/// memories:
///   - {name: sram, size: 256 KiB, read: {energy_pj: 0.6}, write: {energy_pj: 0.7}}
///   - {name: flash, size: 1 MiB, read_only: true, read: {energy_pj: 20}}
/// ```
public struct MemoryHierarchy: Hashable, Sendable {
  public var name: String
  public var memories: [HierarchyProblem.Memory]
  public var links: [HierarchyProblem.Link]
  public var inputMemory: Int
  public var outputMemory: Int
  public var rounds: Int
  /// Measures in which all costs are stated.
  public var objectives: [HierarchyProblem.Objective]

  /// A problem for a graph.
  ///
  /// - Throws: `missing-cost` when the file does not state costs by the objective; what `HierarchyProblem.check` throws.
  public func problem(
    _ graph: HierarchyProblem.Graph, objective: HierarchyProblem.Objective? = nil
  ) throws(DiagnosticError) -> HierarchyProblem {
    let chosen = objective ?? objectives.first ?? .energy
    if !objectives.contains(chosen) {
      throw DiagnosticError(
        "missing-cost", "the memories of '\(name)' state no costs in \(chosen.rawValue)",
        hint: objectives.isEmpty
          ? "give each memory costs such as read: {energy_pj: 0.6}"
          : "they state \(objectives.map(\.rawValue).joined(separator: ", "))")
    }
    let problem = HierarchyProblem(
      name: graph.name, memories: memories, links: links, buffers: graph.buffers, ops: graph.ops,
      inputMemory: inputMemory, outputMemory: outputMemory, objective: chosen, rounds: rounds)
    try problem.check()
    return problem
  }

  /// Reads a file of memories (YAML, hence JSON too).
  ///
  /// - Throws: `cannot-read`, `yaml-syntax` and the codes of values: `missing-key`, `unknown-key`, `wrong-type`, `wrong-value`,
  ///   `out-of-range`, `wrong-unit`, `unknown-value`, `missing-cost`, all with their places.
  public static func load(_ path: String) throws(DiagnosticError) -> MemoryHierarchy {
    let issues = Issues()
    let root = try ConfigDocument.read(path)
    let reader = MemoryHierarchyReader(issues: issues)
    let hierarchy = reader.read(root)
    try issues.check()
    guard let hierarchy else { preconditionFailure("a file of memories without a fault was not read") }
    return hierarchy
  }
}

/// Reads the sections of a file of memories.
private struct MemoryHierarchyReader {
  let issues: Issues

  /// What a cost section said: which measures, and where it stands.
  private struct Stated {
    var what: String
    var node: ConfigNode
    var measures: [HierarchyProblem.Objective]
  }

  func read(_ root: ConfigNode) -> MemoryHierarchy? {
    guard let map = ConfigMapping(root, "the file of memories", issues) else { return nil }
    let name = map.required("name")?.name("name", issues) ?? ""
    map.allow("summary")
    map.allow("sources")
    var stated: [Stated] = []
    var memories: [HierarchyProblem.Memory] = []
    var nodes: [ConfigNode] = []
    for node in map.required("memories")?.list("memories", issues) ?? [] {
      guard let memory = self.memory(node, &stated) else { continue }
      if memories.contains(where: { $0.name == memory.name }) {
        issues.add("duplicate-name", "two memories are called '\(memory.name)'", at: node)
      }
      memories.append(memory)
      nodes.append(node)
    }
    if memories.isEmpty, issues.isEmpty { issues.add("missing-key", "there is no memory", at: root) }
    if memories.count > HierarchyProblem.mostMemories {
      issues.add(
        "out-of-range",
        "there are \(memories.count) memories, at most \(HierarchyProblem.mostMemories) can be planned for",
        at: nodes[HierarchyProblem.mostMemories])
    }
    let links = self.links(map.optional("moves"), memories, &stated)
    let writable = memories.lastIndex { !$0.isReadOnly }
    if writable == nil, !memories.isEmpty {
      issues.add("wrong-value", "every memory is read-only, the step has nowhere to write", at: root)
    }
    let inputs = map.optional("inputs").flatMap { index($0, "inputs", memories, written: true) } ?? writable ?? 0
    let outputs = map.optional("outputs").flatMap { index($0, "outputs", memories, written: true) } ?? writable ?? 0
    let rounds =
      map.optional("move_slots")?.count("move_slots", in: 1...HierarchyProblem.mostRounds, issues) ?? 2
    map.finish()
    return MemoryHierarchy(
      name: name, memories: memories, links: links, inputMemory: inputs, outputMemory: outputs, rounds: rounds,
      objectives: measures(stated))
  }

  private func memory(_ node: ConfigNode, _ stated: inout [Stated]) -> HierarchyProblem.Memory? {
    guard let map = ConfigMapping(node, "a memory", issues) else { return nil }
    let name = map.required("name")?.name("name of a memory", issues) ?? ""
    let what = "memory '\(name)'"
    let size = map.required("size")?.bytes("size of \(what)", in: 1...ProblemLimit.amount, issues)
    let isReadOnly = map.optional("read_only")?.flag("read_only of \(what)", issues) ?? false
    let isDirect = map.optional("direct")?.flag("direct of \(what)", issues) ?? true
    let alignment = map.optional("alignment")?.bytes("alignment of \(what)", in: 1...1 << 20, issues)
    let read = map.required("read").map { cost($0, "read of \(what)", &stated) }
    var write = HierarchyProblem.Cost()
    if isReadOnly {
      if let node = map.optional("write") {
        issues.add("wrong-value", "\(what) is read-only and has a cost of writing", at: node, hint: "leave 'write' out")
      }
    } else if let node = map.required("write") {
      write = cost(node, "write of \(what)", &stated)
    }
    map.finish()
    return .init(
      name, capacity: size?.count ?? 1, isReadOnly: isReadOnly, isDirect: isDirect, alignment: alignment?.count ?? 1,
      read: read ?? HierarchyProblem.Cost(), write: write)
  }

  private func cost(_ node: ConfigNode, _ what: String, _ stated: inout [Stated]) -> HierarchyProblem.Cost {
    guard let map = ConfigMapping(node, what, issues) else { return HierarchyProblem.Cost() }
    var own = Stated(what: what, node: node, measures: [])
    let energy = map.optional("energy_pj")
    let cycles = map.optional("cycles")
    if energy != nil { own.measures.append(.energy) }
    if cycles != nil { own.measures.append(.cycles) }
    map.finish()
    stated.append(own)
    return .init(
      energy: energy.flatMap { thousandths($0, "energy_pj of \(what)") } ?? 0,
      cycles: cycles.flatMap { thousandths($0, "cycles of \(what)") } ?? 0)
  }

  /// A number of at most three decimals, in thousandths.
  private func thousandths(_ node: ConfigNode, _ what: String) -> Int? {
    guard let value = node.real(what, in: 0...1e6, issues) else { return nil }
    let scaled = value * 1000
    guard abs(scaled - scaled.rounded()) < 1e-6 * max(1, scaled) else {
      issues.add(
        "wrong-value", "\(what) is \(value), costs have three decimals at most", at: node,
        hint: "write \((scaled).rounded() / 1000)")
      return nil
    }
    return Int(scaled.rounded())
  }

  /// A cost that is left out is no cost of nothing: where one section states a measure, all must.
  private func measures(_ stated: [Stated]) -> [HierarchyProblem.Objective] {
    let used = HierarchyProblem.Objective.allCases.filter { measure in stated.contains { $0.measures.contains(measure) }
    }
    for section in stated {
      for measure in used where !section.measures.contains(measure) {
        let key = measure == .energy ? "energy_pj" : "cycles"
        issues.add(
          "missing-cost", "\(section.what) states no '\(key)', which other costs of the file do", at: section.node,
          hint: "write \(key): 0 where it costs nothing")
      }
    }
    if used.isEmpty, let first = stated.first {
      issues.add("missing-cost", "no cost is stated", at: first.node, hint: "write energy_pj, cycles, or both")
    }
    return used
  }

  private func index(
    _ node: ConfigNode, _ what: String, _ memories: [HierarchyProblem.Memory], written: Bool
  ) -> Int? {
    guard let name = node.choice(what, among: memories.map(\.name), issues) else { return nil }
    let index = memories.firstIndex { $0.name == name }
    if written, let index, memories[index].isReadOnly {
      issues.add(
        "wrong-value", "\(what) is '\(name)', which is read-only", at: node, hint: "name a memory that can be written")
    }
    return index
  }

  /// The moves of the file; without a list every memory that can be written can be filled from every other.
  private func links(
    _ node: ConfigNode?, _ memories: [HierarchyProblem.Memory], _ stated: inout [Stated]
  ) -> [HierarchyProblem.Link] {
    guard let node else {
      return memories.indices.flatMap { from in
        memories.indices.filter { $0 != from && !memories[$0].isReadOnly }.map { .init(from: from, to: $0) }
      }
    }
    var links: [HierarchyProblem.Link] = []
    for item in node.list("moves", issues) ?? [] {
      guard let map = ConfigMapping(item, "a move", issues) else { continue }
      let from = map.required("from").flatMap { index($0, "from of a move", memories, written: false) }
      let to = map.required("to").flatMap { index($0, "to of a move", memories, written: true) }
      let byte = map.optional("byte").map { cost($0, "byte of a move", &stated) } ?? HierarchyProblem.Cost()
      let move = map.optional("start").map { cost($0, "start of a move", &stated) } ?? HierarchyProblem.Cost()
      map.finish()
      guard let from, let to else { continue }
      let way = "from '\(memories[from].name)' to '\(memories[to].name)'"
      if from == to { issues.add("wrong-value", "a move leads \(way)", at: item) }
      if links.contains(where: { $0.from == from && $0.to == to }) {
        issues.add("duplicate-name", "the move \(way) is listed twice", at: item)
      }
      links.append(.init(from: from, to: to, byte: byte, move: move))
    }
    return links
  }
}
