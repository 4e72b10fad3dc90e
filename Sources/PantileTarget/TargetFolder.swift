import Foundation
import PantileSupport

/// Finds chip, memory, energy and datapath files: by path as given, by name in `Targets/` below the working directory, then below a root
/// that the command line hands in.
package struct TargetFolder {
  /// Folders that may hold `Targets`, in order of search.
  var roots: [String]

  package init(root: String?) {
    roots = ["."] + (root.map { [$0] } ?? [])
  }

  /// The path of the chip file called `name`, which may itself be a path. `beside` is the folder of a file that names it.
  /// - Throws: `unknown-chip` with the places searched.
  func chip(_ name: String, beside folder: String? = nil, at location: SourceLocation) throws(DiagnosticError) -> String
  {
    try find(name, kind: "chip", folder: "chips", beside: folder, at: location)
  }

  /// The path of the energy file called `name`.
  /// - Throws: `unknown-energy` with the places searched.
  func energy(_ name: String, beside folder: String?, at location: SourceLocation) throws(DiagnosticError) -> String {
    try find(name, kind: "energy", folder: "energy", beside: folder.map { $0 + "/../energy" }, at: location)
  }

  /// The path of the memory file called `name`.
  /// - Throws: `unknown-memory` with the places searched.
  func memory(
    _ name: String, beside folder: String? = nil, at location: SourceLocation = .unknown
  ) throws(DiagnosticError) -> String {
    try find(name, kind: "memory", folder: "memories", beside: folder.map { $0 + "/../memories" }, at: location)
  }

  /// The path of the datapath file called `name`.
  /// - Throws: `unknown-datapath` with the places searched.
  package func datapath(
    _ name: String, beside folder: String? = nil, at location: SourceLocation = .unknown
  ) throws(DiagnosticError) -> String {
    try find(name, kind: "datapath", folder: "datapaths", beside: folder, at: location)
  }

  private func find(
    _ name: String, kind: String, folder: String, beside: String?, at location: SourceLocation
  ) throws(DiagnosticError) -> String {
    let noun = kind == "energy" ? "energy table" : kind
    var tried: [String] = []
    if name.contains("/") || name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
      let path = name.hasPrefix("/") || beside == nil ? name : "\(beside ?? ".")/\(name)"
      for candidate in [path, name] where isFile(candidate) { return candidate }
      tried.append(path)
    }
    let base = name.hasSuffix(".yaml") ? String(name.dropLast(5)) : name
    var places: [String] = []
    if let beside { places.append(beside) }
    places += roots.map { $0 == "." ? "Targets/\(folder)" : "\($0)/Targets/\(folder)" }
    for place in places where !base.contains("/") {
      let candidate = "\(place)/\(base).yaml"
      if isFile(candidate) { return candidate }
      tried.append(candidate)
    }
    let known = places.flatMap { names(in: $0) }
    // Last, so that a file of that name in the working directory does not hide a shipped chip.
    if !name.contains("/"), isFile(name) { return name }
    let nearest = nearestName(to: base, among: known).map { "did you mean '\($0)'? " } ?? ""
    let list = known.isEmpty ? "" : "; known: \(Array(Set(known)).sorted().joined(separator: ", "))"
    throw DiagnosticError(
      "unknown-\(kind)", "there is no \(noun) '\(name)'", at: location,
      notes: [.init("looked at \(tried.joined(separator: ", "))")], hint: "\(nearest)give a path or a name\(list)")
  }

  /// The names of the YAML files of a folder, sorted; none when there is no such folder.
  private func names(in folder: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// The names of all shipped chips, sorted, without repeats.
  func chipNames() -> [String] { shippedNames(in: "chips") }

  /// The names of all shipped memories, sorted, without repeats.
  func memoryNames() -> [String] { shippedNames(in: "memories") }

  /// The names of all shipped datapaths, sorted, without repeats.
  package func datapathNames() -> [String] { shippedNames(in: "datapaths") }

  private func shippedNames(in folder: String) -> [String] {
    Array(Set(roots.flatMap { names(in: $0 == "." ? "Targets/\(folder)" : "\($0)/Targets/\(folder)") })).sorted()
  }

  private func isFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
  }
}

/// The folder part of a path: `a/b.yaml` gives `a`, `b.yaml` gives `.`.
func folder(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
