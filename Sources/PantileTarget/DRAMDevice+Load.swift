import PantileConfig
import PantileSupport

extension DRAMDevice {
  /// Reads the memory called `nameOrPath`, looked for in `Targets/memories` below the working directory and `root`.
  /// - Throws: `unknown-memory`, and everything wrong in the file at once.
  public static func load(_ nameOrPath: String, root: String? = nil) throws(DiagnosticError) -> DRAMDevice {
    let path = try TargetFolder(root: root).memory(nameOrPath)
    return try read(ConfigDocument.read(path))
  }

  /// Reads a memory from the tree of its file.
  /// - Throws: everything wrong at once.
  public static func read(_ root: ConfigNode) throws(DiagnosticError) -> DRAMDevice {
    let issues = Issues()
    let device = DRAMReader(issues: issues).read(root)
    try issues.check()
    // Without issues the reader returned a device.
    guard let device else { preconditionFailure("a memory file gave neither a device nor a diagnostic") }
    return device
  }

  /// The names of the shipped memories, sorted.
  public static func shippedNames(root: String?) -> [String] { TargetFolder(root: root).memoryNames() }
}
