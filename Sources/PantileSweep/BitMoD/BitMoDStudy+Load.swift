import PantileConfig
import PantileEngines
import PantileReport
import PantileSupport

extension BitMoDStudy {
  /// The folder of the published study, below the repository's root.
  public static let folder = "Workloads/papers/bitmod"

  /// Reads models, contexts, tasks and configurations.
  /// - Throws: everything wrong in the file at once; `unknown-port` where a configuration asks for energies through a
  /// port that has no figure.
  public static func load(_ path: String, in surroundings: Surroundings) throws(DiagnosticError) -> BitMoDStudy {
    try parse(AtomicFile.readText(path), path: path, in: surroundings)
  }

  /// Reads a study from text; `path` names it in locations.
  /// - Throws: as `load`.
  public static func parse(
    _ text: String, path: String, in surroundings: Surroundings
  ) throws(DiagnosticError) -> BitMoDStudy {
    try readStudy(text, path: path) { StudyReader(issues: $1, surroundings: surroundings).read($0) }
  }
}

/// Bounds of what a file may say: far above any machine, low enough for sums of 128 bits.
private enum Bound {
  static let width = 1...1 << 24
  static let hidden = 1...1 << 20
  static let heads = 1...1 << 12
  static let layers = 1...1 << 12
  static let count = 1...1 << 20
  static let context = 1...1 << 20
  static let side = 1...1 << 14
  static let dot = 1...1 << 10
  static let bits = 1.0...32.0
  static let energy = 0.0...1e6
}

private struct StudyReader {
  let issues: Issues
  let surroundings: BitMoDStudy.Surroundings

  func read(_ root: ConfigNode) -> BitMoDStudy? {
    guard let map = ConfigMapping(root, "study", issues) else { return nil }
    let models = (map.required("models")?.list("models", issues) ?? []).compactMap(readModel)
    let contexts = (map.required("contexts")?.list("contexts", issues) ?? []).compactMap {
      $0.count("a context", in: Bound.context, issues)
    }
    let tasks = readTasks(map.required("tasks"), "tasks")
    let configurations = (map.required("configurations")?.list("configurations", issues) ?? []).compactMap {
      readConfiguration($0, models: models.map(\.name))
    }
    map.finish()
    refuseEmpty(map, ["models", "contexts", "tasks", "configurations"])
    refuseRepeats(models.map(\.name), "model", map.optional("models"))
    refuseRepeats(contexts.map(String.init), "context", map.optional("contexts"))
    for task in BitMoDTask.allCases {
      refuseRepeats(
        configurations.filter { $0.serves(task) }.map(\.name), "configuration for \(task.rawValue)",
        map.optional("configurations"))
    }
    guard issues.isEmpty else { return nil }
    return BitMoDStudy(models: models, contexts: contexts, tasks: tasks, configurations: configurations)
  }

  private func refuseEmpty(_ map: ConfigMapping, _ keys: [String]) {
    for key in keys {
      guard let node = map.optional(key), let elements = node.list(key, Issues()), elements.isEmpty else { continue }
      issues.add("wrong-value", "\(key) is an empty list", at: node, hint: "give at least one")
    }
  }

  private func refuseRepeats(_ names: [String], _ what: String, _ node: ConfigNode?) {
    guard let node else { return }
    var seen: Set<String> = []
    var told: Set<String> = []
    for name in names where !seen.insert(name).inserted && told.insert(name).inserted {
      issues.add("duplicate-name", "\(what) '\(name)' is described twice", at: node)
    }
  }

  private func readTasks(_ node: ConfigNode?, _ what: String) -> [BitMoDTask] {
    guard let node, let elements = node.list(what, issues) else { return [] }
    let tasks = elements.compactMap {
      $0.choice("a task", among: BitMoDTask.allCases.map(\.rawValue), issues).flatMap(BitMoDTask.init)
    }
    refuseRepeats(tasks.map(\.rawValue), "task", node)
    return tasks
  }

  private func readName(_ node: ConfigNode?, _ what: String) -> String? {
    guard let node, let name = node.text(what, issues) else { return nil }
    guard !name.isEmpty, name.count <= 64, !name.contains(where: { $0.isNewline || $0 == "," || $0 == "\"" }) else {
      issues.add("wrong-value", "\(what) has \(name.count) characters or a comma, a quote or a line end", at: node)
      return nil
    }
    return name
  }

  // MARK: Models

  private func readModel(_ node: ConfigNode) -> LanguageModelShape? {
    guard let map = ConfigMapping(node, "model", issues) else { return nil }
    let name = readName(map.required("name"), "name of a model")
    let what = name.map { "model '\($0)'" } ?? "model"
    let hidden = map.required("hidden")?.count("hidden of \(what)", in: Bound.hidden, issues)
    let heads = map.required("heads")?.count("heads of \(what)", in: Bound.heads, issues)
    let keyValueHeads = map.required("kv_heads")?.count("kv_heads of \(what)", in: Bound.heads, issues)
    let layers = map.required("layers")?.count("layers of \(what)", in: Bound.layers, issues)
    let elements = map.required("linears")?.list("linears of \(what)", issues) ?? []
    let linears = elements.compactMap { readLinear($0, of: what) }
    map.finish()
    refuseRepeats(linears.map(\.name), "linear of \(what)", map.optional("linears"))
    guard let name, let hidden, let heads, let keyValueHeads, let layers, linears.count == elements.count else {
      return nil
    }
    guard hidden % heads == 0 else {
      issues.add(
        "head-mismatch", "\(heads) heads do not divide the \(hidden) channels of \(what)",
        at: map.optional("heads") ?? node)
      return nil
    }
    guard heads % keyValueHeads == 0 else {
      issues.add(
        "head-mismatch", "\(keyValueHeads) key-value heads do not divide the \(heads) heads of \(what)",
        at: map.optional("kv_heads") ?? node)
      return nil
    }
    return LanguageModelShape(
      name: name, hidden: hidden, heads: heads, keyValueHeads: keyValueHeads, layers: layers, linears: linears)
  }

  private func readLinear(_ node: ConfigNode, of model: String) -> LanguageModelShape.Linear? {
    guard let map = ConfigMapping(node, "a linear of \(model)", issues) else { return nil }
    let name = readName(map.required("name"), "name of a linear of \(model)")
    let what = name.map { "linear '\($0)' of \(model)" } ?? "a linear of \(model)"
    let k = map.required("k")?.count("k of \(what)", in: Bound.width, issues)
    let n = map.required("n")?.count("n of \(what)", in: Bound.width, issues)
    let count = map.required("count")?.count("count of \(what)", in: Bound.count, issues)
    map.finish()
    guard let name, let k, let n, let count else { return nil }
    return .init(name: name, k: k, n: n, count: count)
  }

  // MARK: Configurations

  private func readConfiguration(_ node: ConfigNode, models: [String]) -> BitMoDStudy.Configuration? {
    guard let map = ConfigMapping(node, "configuration", issues) else { return nil }
    let name = readName(map.required("name"), "name of a configuration")
    let what = name.map { "configuration '\($0)'" } ?? "configuration"
    let rows = map.required("rows")?.count("rows of \(what)", in: Bound.side, issues)
    let columns = map.required("cols")?.count("cols of \(what)", in: Bound.side, issues)
    let dot = map.required("dot")?.count("dot of \(what)", in: Bound.dot, issues)
    let weightBits = map.required("weight_bits")?.real("weight_bits of \(what)", in: Bound.bits, issues)
    let isBitSerial = map.required("bit_serial")?.flag("bit_serial of \(what)", issues)
    let perPE = map.optional("pe_pj")?.real("pe_pj of \(what)", in: Bound.energy, issues)
    let tasks = map.optional("tasks").map { readTasks($0, "tasks of \(what)") }
    let elementBits = map.optional("element_bits")?.real("element_bits of \(what)", in: Bound.bits, issues)
    let tile = readSides(map.optional("tile"), "tile of \(what)")
    let equalArea = readSides(map.optional("equal_area"), "equal_area of \(what)")
    let bitsOfModel = readBits(map.optional("weight_bits_of"), what, models: models)
    map.finish()
    guard let name, let rows, let columns, let dot, let weightBits, let isBitSerial else { return nil }
    if let elementBits, elementBits > weightBits {
      issues.add(
        "wrong-value", "element_bits of \(what) is \(elementBits), above its weight_bits of \(weightBits)", at: node)
      return nil
    }
    let configuration = BitMoDStudy.Configuration(
      name: name, tasks: tasks.map(Set.init),
      array: BitMoDArray(
        rows: rows, columns: columns, dotWidth: dot, weightBits: weightBits, elementBits: elementBits,
        isBitSerial: isBitSerial, tileRows: tile?.rows ?? 1, tileColumns: tile?.columns ?? 1),
      bitsOfModel: bitsOfModel, perPE: perPE.map(Picojoules.init), equalArea: equalArea)
    checkPorts(configuration, what, models: models, at: node)
    return configuration
  }

  private func readSides(_ node: ConfigNode?, _ what: String) -> (rows: Int, columns: Int)? {
    guard let node, let map = ConfigMapping(node, what, issues) else { return nil }
    let rows = map.required("rows")?.count("rows of \(what)", in: Bound.side, issues)
    let columns = map.required("cols")?.count("cols of \(what)", in: Bound.side, issues)
    map.finish()
    guard let rows, let columns else { return nil }
    return (rows, columns)
  }

  private func readBits(_ node: ConfigNode?, _ what: String, models: [String]) -> [String: Double] {
    guard let node, let entries = node.entries("weight_bits_of of \(what)", issues) else { return [:] }
    var result: [String: Double] = [:]
    for entry in entries {
      guard models.contains(entry.key) else {
        issues.add(
          Diagnostic(
            "unknown-model", "weight_bits_of of \(what) names the model '\(entry.key)', which is not described",
            at: entry.keyLocation, hint: nearestName(to: entry.key, among: models).map { "did you mean '\($0)'?" },
            sourceLine: entry.keyLine))
        continue
      }
      result[entry.key] = entry.value.real("weight bits of '\(entry.key)'", in: Bound.bits, issues)
    }
    return result
  }

  /// Energies are told only through ports that CACTI was run for.
  private func checkPorts(
    _ configuration: BitMoDStudy.Configuration, _ what: String, models: [String], at node: ConfigNode
  ) {
    guard configuration.perPE != nil else { return }
    let table = surroundings.energy
    let known = table.ports.map { "\($0.bits)" }.joined(separator: ", ")
    var told: Set<Int> = []
    func check(_ bits: Int, _ role: String) {
      guard table.port(bits: bits) == nil, told.insert(bits).inserted else { return }
      issues.add(
        "unknown-port",
        "\(what) reads \(role) through a port of \(bits) bits, but energies are known for \(known) bits",
        at: node,
        hint: "choose rows, cols, dot and weight_bits to fit one of them, or leave pe_pj out to get cycles only")
    }
    // With models that all have bits of their own, the array's do not matter.
    let names = models.isEmpty ? [""] : models
    for name in names {
      let ports = BitMoDStudy.ports(of: configuration.array(for: name), in: surroundings.system)
      check(ports.weights, "weights")
      check(ports.inputs, "activations")
    }
  }
}
