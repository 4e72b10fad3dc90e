import Foundation
import PantileConfig
import PantileSupport

extension SweepSpec {
  /// Reads the design space at `path`.
  /// - Parameter allowedOptions: the names that `options` may hold.
  /// - Throws: everything wrong in the file at once.
  public static func load(_ path: String, allowedOptions: [String] = []) throws(DiagnosticError) -> SweepSpec {
    try parse(AtomicFile.readText(path), path: path, allowedOptions: allowedOptions)
  }

  /// Reads a design space from text; `path` names it in locations.
  /// - Throws: as `load`.
  public static func parse(
    _ text: String, path: String, allowedOptions: [String] = []
  ) throws(DiagnosticError) -> SweepSpec {
    let root = try ConfigDocument.parse(text, path: path)
    let issues = Issues()
    let spec = SweepReader(path: path, issues: issues, allowedOptions: allowedOptions).read(root)
    try issues.check()
    // Without issues the reader returned a spec.
    guard let spec else { preconditionFailure("sweep '\(path)' gave neither a spec nor a diagnostic") }
    return spec
  }
}

private struct SweepReader {
  let path: String
  let issues: Issues
  let allowedOptions: [String]

  func read(_ root: ConfigNode) -> SweepSpec? {
    guard let map = ConfigMapping(root, "sweep", issues) else { return nil }
    let name = map.required("name")?.name("name of the sweep", issues)
    let model = map.required("model")?.text("model of the sweep", issues)
    let chip = map.required("chip")?.text("chip of the sweep", issues)
    let settings = readSettings(map.optional("set"), issues)
    let options = readOptions(map.optional("options"), allowed: allowedOptions, issues)
    var axes: [SweepSpec.Axis] = []
    for entry in map.optional("axes")?.entries("axes", issues) ?? [] {
      if let field = readField(entry) { axes.append(.init(fields: [field])) }
    }
    for group in map.optional("together")?.list("together", issues) ?? [] {
      if let axis = readGroup(group) { axes.append(axis) }
    }
    if axes.isEmpty, issues.isEmpty {
      issues.add("missing-key", "the sweep varies nothing", at: root, hint: "give 'axes' or 'together'")
    }
    checkRepeats(axes, root)
    let keys = axes.flatMap { $0.fields.map(\.key) }
    let conditions = (map.optional("where")?.list("where", issues) ?? []).compactMap { node in
      readCondition(node, keys: keys)
    }
    let objectives = readObjectives(map.optional("objectives"))
    map.finish()
    guard let name, let model, let chip, issues.isEmpty else { return nil }
    return SweepSpec(
      name: name, model: model, chip: resolvedChip(chip, of: path), chipText: chip, settings: settings,
      options: options, axes: axes, conditions: conditions,
      objectives: objectives)
  }

  private func readField(_ entry: ConfigNode.Entry) -> (key: String, values: [String])? {
    guard case .sequence(let elements) = entry.value.content else {
      issues.add(
        "wrong-type", "axis '\(entry.key)' must be a list of values, found \(entry.value.kindName)", at: entry.value)
      return nil
    }
    var values: [String] = []
    for element in elements {
      guard let value = element.text("a value of axis '\(entry.key)'", issues) else { return nil }
      if values.contains(value) {
        issues.add("wrong-value", "axis '\(entry.key)' lists '\(value)' twice", at: element)
        return nil
      }
      values.append(value)
    }
    guard !values.isEmpty else {
      issues.add("wrong-value", "axis '\(entry.key)' has no value", at: entry.value)
      return nil
    }
    return (entry.key, values)
  }

  private func readGroup(_ node: ConfigNode) -> SweepSpec.Axis? {
    guard let entries = node.entries("a group of 'together'", issues) else { return nil }
    var fields: [(key: String, values: [String])] = []
    for entry in entries {
      // Fields of a group may repeat values: only the pairs must differ.
      guard let elements = entry.value.list("axis '\(entry.key)'", issues) else { return nil }
      let values = elements.compactMap { $0.text("a value of axis '\(entry.key)'", issues) }
      guard values.count == elements.count else { return nil }
      fields.append((entry.key, values))
    }
    guard let first = fields.first, !first.values.isEmpty else {
      issues.add("wrong-value", "a group of 'together' has no value", at: node)
      return nil
    }
    for field in fields where field.values.count != first.values.count {
      issues.add(
        "wrong-value",
        "axes of a group differ in length: '\(first.key)' has \(first.values.count) values, '\(field.key)' has "
          + "\(field.values.count)", at: node)
      return nil
    }
    for step in first.values.indices {
      for other in 0..<step where fields.allSatisfy({ $0.values[step] == $0.values[other] }) {
        issues.add("wrong-value", "steps \(other + 1) and \(step + 1) of a group are the same", at: node)
        return nil
      }
    }
    return SweepSpec.Axis(fields: fields)
  }

  private func checkRepeats(_ axes: [SweepSpec.Axis], _ root: ConfigNode) {
    var seen: Set<String> = []
    for key in axes.flatMap({ $0.fields.map(\.key) }) where !seen.insert(key).inserted {
      issues.add("duplicate-key", "'\(key)' is varied by two axes", at: root)
    }
  }

  private func readCondition(_ node: ConfigNode, keys: [String]) -> SweepCondition? {
    guard let text = node.text("a condition", issues) else { return nil }
    do throws(DiagnosticError) {
      return try SweepCondition(text, keys: keys)
    } catch {
      for diagnostic in error.diagnostics {
        issues.add(diagnostic.code, diagnostic.message, at: node, hint: diagnostic.hint)
      }
      return nil
    }
  }

  private func readObjectives(_ node: ConfigNode?) -> [SweepObjective] {
    guard let node else { return [.cycles, .energy] }
    let names = SweepObjective.allCases.map(\.rawValue)
    let found = (node.list("objectives", issues) ?? []).compactMap {
      $0.choice("an objective", among: names, issues).flatMap(SweepObjective.init)
    }
    if found.isEmpty, issues.isEmpty { issues.add("wrong-value", "objectives is empty", at: node) }
    return found
  }
}

/// A chip that the file at `path` names: a relative path that leads somewhere from the file's folder is taken from there.
func resolvedChip(_ chip: String, of path: String) -> String {
  guard !chip.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return chip }
  let candidate = "\(path[..<slash])/\(chip)"
  let isPath = chip.contains("/") || chip.hasSuffix(".yaml") || chip.hasSuffix(".yml")
  return isPath && FileManager.default.fileExists(atPath: candidate) ? candidate : chip
}

/// The texts under `set:`, each `key=value`.
func readSettings(_ node: ConfigNode?, _ issues: Issues) -> [String] {
  guard let node else { return [] }
  guard case .sequence(let elements) = node.content else {
    issues.add("wrong-type", "set must be a list of key=value, found \(node.kindName)", at: node)
    return []
  }
  return elements.compactMap { element in
    guard let text = element.text("an entry of set", issues) else { return nil }
    do throws(DiagnosticError) {
      _ = try ConfigOverride(text)
      return text
    } catch {
      for diagnostic in error.diagnostics {
        issues.add(diagnostic.code, diagnostic.message, at: element, hint: diagnostic.hint)
      }
      return nil
    }
  }
}

/// The pairs under `options:`, names checked.
func readOptions(_ node: ConfigNode?, allowed: [String], _ issues: Issues) -> [(key: String, value: String)] {
  guard let node, let entries = node.entries("options", issues) else { return [] }
  return entries.compactMap { entry in
    guard allowed.contains(entry.key) else {
      let nearest = nearestName(to: entry.key, among: allowed).map { "did you mean '\($0)'?" }
      issues.add(
        Diagnostic(
          "unknown-key", "options has no key '\(entry.key)'", at: entry.keyLocation,
          hint: nearest ?? (allowed.isEmpty ? nil : "valid keys: \(allowed.sorted().joined(separator: ", "))"),
          sourceLine: entry.keyLine))
      return nil
    }
    return entry.value.text("option '\(entry.key)'", issues).map { (entry.key, $0) }
  }
}
