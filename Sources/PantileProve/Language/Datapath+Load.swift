import PantileConfig
import PantileSupport
import PantileTarget

extension Datapath {
  /// Loads a datapath by path or by the name of a shipped one.
  ///
  /// - Parameters:
  ///   - settings: `key=value` texts applied in order; parameters, tables, definitions and inputs may be named without their section.
  ///   - root: a folder that holds `Targets`, searched after the working directory.
  /// - Throws: `unknown-datapath`, `nested-extends`, the codes of `ConfigDocument` and `ConfigOverride`, and those of reading:
  ///   `unknown-key`, `missing-key`, `wrong-type`, `wrong-value`, `unknown-value`, `out-of-range`, `wrong-expression`,
  ///   `incomplete-table`, `unknown-format`.
  public static func load(
    _ pathOrName: String, settings: [String] = [], root: String? = nil
  ) throws(DiagnosticError) -> Datapath {
    try DatapathFile(pathOrName, root: root).datapath(settings)
  }

  /// The names of the datapaths in `Targets/datapaths` below the working directory and `root`, sorted.
  public static func shippedNames(root: String? = nil) -> [String] { TargetFolder(root: root).datapathNames() }
}

/// A datapath file before overrides, from which the datapath and its mutants are made.
public struct DatapathFile: Sendable {
  let tree: ConfigNode

  /// - Throws: `unknown-datapath`, `nested-extends`, the codes of `ConfigDocument`.
  public init(_ pathOrName: String, root: String? = nil) throws(DiagnosticError) {
    let finder = TargetFolder(root: root)
    let path = try finder.datapath(pathOrName)
    try self.init(tree: ConfigDocument.read(path), folder: Self.folder(of: path), finder: finder)
  }

  /// From text; `path` names it in messages.
  public init(text: String, path: String, root: String? = nil) throws(DiagnosticError) {
    try self.init(
      tree: ConfigDocument.parse(text, path: path), folder: Self.folder(of: path), finder: TargetFolder(root: root))
  }

  private init(tree: ConfigNode, folder: String, finder: TargetFolder) throws(DiagnosticError) {
    guard let base = tree["extends"] else {
      self.tree = tree
      return
    }
    guard case .scalar(let name, _) = base.content else {
      throw DiagnosticError(
        "wrong-type", "extends must be the name of a datapath, found \(base.kindName)", at: base.location,
        sourceLine: base.sourceLine)
    }
    let baseTree = try ConfigDocument.read(finder.datapath(name, beside: folder, at: base.location))
    if baseTree["extends"] != nil {
      throw DiagnosticError(
        "nested-extends", "datapath '\(name)' extends another one itself; one level is allowed", at: base.location,
        sourceLine: base.sourceLine)
    }
    self.tree = tree.merged(over: baseTree, except: ["extends"])
  }

  /// The datapath with these overrides.
  /// - Throws: everything wrong at once.
  public func datapath(_ settings: [String] = []) throws(DiagnosticError) -> Datapath {
    var tree = tree
    let issues = Issues()
    for text in settings {
      do throws(DiagnosticError) {
        var change = try ConfigOverride(text)
        // What the file names may be changed by that name alone.
        if tree[change.path[0]] == nil,
          let section = ["parameters", "tables", "define", "inputs"].first(where: { tree[$0]?[change.path[0]] != nil })
        {
          change.path.insert(section, at: 0)
        }
        try change.apply(to: &tree)
      } catch {
        issues.add(error)
      }
    }
    let datapath = DatapathReader(issues: issues).read(tree)
    try issues.check()
    // Without issues the reader returned a datapath.
    guard let datapath else { preconditionFailure("a datapath file gave neither a datapath nor a diagnostic") }
    return datapath
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
