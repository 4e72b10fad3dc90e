import Foundation

/// Where `Targets` and `Workloads` are.
enum RepositoryRoot {
  /// The first of: what `--root` says, `PANTILE_ROOT`, the working directory, the folders above the executable, that holds
  /// `Targets/chips`; nil when none does (shipped names are unknown then, paths still work).
  static func find(_ given: String?) -> String? {
    if let given { return given }
    if let variable = ProcessInfo.processInfo.environment["PANTILE_ROOT"], !variable.isEmpty { return variable }
    if isRoot(".") { return "." }
    // A link in a bin folder leads to the build folder inside the repository.
    let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    var folder = URL(fileURLWithPath: executable).deletingLastPathComponent().path
    while folder.count > 1 {
      if isRoot(folder) { return folder }
      folder = URL(fileURLWithPath: folder).deletingLastPathComponent().path
    }
    return nil
  }

  private static func isRoot(_ folder: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: folder + "/Targets/chips", isDirectory: &isFolder)
      && isFolder.boolValue
  }
}
