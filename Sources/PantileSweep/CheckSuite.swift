import PantileConfig
import PantileSupport

/// A list of compilations whose results are held against a golden file.
///
/// **Example**
/// ```yaml
/// name: smoke
/// cases:
///   - {model: ../models/digits-cnn/digits-cnn.onnx, chip: systolic-16x16}
///   - model: ../models/lenet5.mlir
///     chip: bitserial-16x16
///     set: [memories.spad.size=128 KiB]
///     options: {weights: seeded}
/// ```
public struct CheckSuite: Sendable {
  /// One compilation and run.
  public struct Case: Sendable {
    /// As written; the caller resolves it against the suite's folder.
    public var model: String
    /// What `Chip.load` takes: a name, or a path already resolved against the suite's folder.
    public var chip: String
    /// As written.
    public var chipText: String
    public var settings: [String]
    /// Passed on to the evaluation, in file order.
    public var options: [(key: String, value: String)]

    /// Names the case in the golden file and in messages; unique in a suite.
    public var name: String {
      var text = "\(model) on \(chipText)"
      for setting in settings { text += " \(setting)" }
      for option in options { text += " \(option.key):\(option.value)" }
      return text
    }
  }

  public var name: String
  public var cases: [Case]

  /// Reads the suite at `path`.
  /// - Parameter allowedOptions: the names that `options` may hold.
  /// - Throws: everything wrong in the file at once.
  public static func load(_ path: String, allowedOptions: [String] = []) throws(DiagnosticError) -> CheckSuite {
    try parse(AtomicFile.readText(path), path: path, allowedOptions: allowedOptions)
  }

  /// Reads a suite from text; `path` names it in locations.
  /// - Throws: as `load`.
  public static func parse(
    _ text: String, path: String, allowedOptions: [String] = []
  ) throws(DiagnosticError) -> CheckSuite {
    let root = try ConfigDocument.parse(text, path: path)
    let issues = Issues()
    var name: String?
    var cases: [Case] = []
    if let map = ConfigMapping(root, "suite", issues) {
      name = map.required("name")?.name("name of the suite", issues)
      let list = map.required("cases")
      if let list, case .sequence(let elements) = list.content {
        if elements.isEmpty { issues.add("wrong-value", "the suite has no case", at: list) }
        for element in elements {
          guard let item = readCase(element, path, allowedOptions, issues) else { continue }
          if cases.contains(where: { $0.name == item.name }) {
            issues.add("wrong-value", "case '\(item.name)' is listed twice", at: element)
          }
          cases.append(item)
        }
      } else if let list {
        issues.add("wrong-type", "cases must be a list, found \(list.kindName)", at: list)
      }
      map.finish()
    }
    try issues.check()
    return CheckSuite(name: name ?? "", cases: cases)
  }

  private static func readCase(_ node: ConfigNode, _ path: String, _ allowedOptions: [String], _ issues: Issues)
    -> Case?
  {
    guard let map = ConfigMapping(node, "case", issues) else { return nil }
    let model = map.required("model")?.text("model of the case", issues)
    let chip = map.required("chip")?.text("chip of the case", issues)
    let settings = readSettings(map.optional("set"), issues)
    let options = readOptions(map.optional("options"), allowed: allowedOptions, issues)
    map.finish()
    guard let model, let chip else { return nil }
    return Case(
      model: model, chip: resolvedChip(chip, of: path), chipText: chip, settings: settings, options: options)
  }
}
