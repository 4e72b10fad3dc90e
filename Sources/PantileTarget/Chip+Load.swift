import PantileConfig
import PantileSupport

extension Chip {
  /// Loads a chip by path or by the name of a shipped chip.
  ///
  /// Order: the file, its base when it says `extends`, the overrides, then all checks; everything wrong is reported at once.
  /// - Parameters:
  ///   - overrides: `key=value` texts such as `engines.array0.rows=32`, applied in order.
  ///   - schemas: what each engine family understands, by family name.
  ///   - root: a folder that holds `Targets`, searched after the working directory.
  /// - Throws: `unknown-chip`, the codes of `ConfigDocument`, `unknown-key`, `missing-key`, `wrong-type`, `missing-unit`,
  ///   `wrong-unit`, `wrong-value`, `unknown-value`, `out-of-range`, `bank-mismatch`, `missing-memory`, `missing-energy`,
  ///   `not-supported`, `nested-extends`, `wrong-override`.
  public static func load(
    _ pathOrName: String, overrides: [String] = [], schemas: [String: EngineSchema], root: String? = nil
  ) throws(DiagnosticError) -> Chip {
    let finder = TargetFolder(root: root)
    let path = try finder.chip(pathOrName, at: .unknown)
    return try parse(AtomicFile.readText(path), path: path, overrides: overrides, schemas: schemas, root: root)
  }

  /// Loads a chip from text; `path` names it in locations and is where relative names start.
  /// - Throws: as `load`.
  public static func parse(
    _ text: String, path: String, overrides: [String] = [], schemas: [String: EngineSchema], root: String? = nil
  ) throws(DiagnosticError) -> Chip {
    let finder = TargetFolder(root: root)
    var tree = try extended(ConfigDocument.parse(text, path: path), path: path, finder: finder)
    let issues = Issues()
    for text in overrides {
      do {
        try ConfigOverride(text).apply(to: &tree)
      } catch {
        issues.add(error)
      }
    }
    // A wrong override does not hide what is wrong in the file.
    let reader = ChipReader(issues: issues, schemas: schemas, finder: finder, folder: folder(of: path))
    let chip = reader.read(tree)
    try issues.check()
    // Without issues the reader returned a chip.
    guard let chip else { preconditionFailure("chip '\(path)' gave neither a chip nor a diagnostic") }
    return chip
  }

  /// The names of the chips in `Targets/chips` below the working directory and `root`, sorted.
  public static func shippedNames(root: String? = nil) -> [String] { TargetFolder(root: root).chipNames() }

  /// The tree with its base merged in when it says `extends`; one level only.
  private static func extended(
    _ tree: ConfigNode, path: String, finder: TargetFolder
  ) throws(DiagnosticError) -> ConfigNode {
    guard let base = tree["extends"] else { return tree }
    guard case .scalar(let name, _) = base.content else {
      throw DiagnosticError(
        "wrong-type", "extends must be the name of a chip, found \(base.kindName)", at: base.location,
        sourceLine: base.sourceLine)
    }
    let basePath = try finder.chip(name, beside: folder(of: path), at: base.location)
    let baseTree = try ConfigDocument.read(basePath)
    if let second = baseTree["extends"] {
      throw DiagnosticError(
        "nested-extends", "chip '\(name)' extends another chip itself; one level is allowed", at: base.location,
        notes: [.init("it extends \(second.kindName)", at: second.location)], sourceLine: base.sourceLine)
    }
    return tree.merged(over: baseTree, replacingWhere: ["family", "kind"], except: ["extends"])
  }
}
