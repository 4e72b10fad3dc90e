import Foundation

/// The networks in `Workloads/models`, and the graphs beside them.
enum WorkloadFolder {
  /// Name and path of each, sorted by name.
  static func files(root: String?) -> [(name: String, path: String)] {
    guard let root else { return [] }
    let folder = root == "." ? "Workloads/models" : "\(root)/Workloads/models"
    var found: [(name: String, path: String)] = []
    for file in contents(folder) {
      if let name = modelName(file) { found.append((name, "\(folder)/\(file)")) }
      for inner in contents("\(folder)/\(file)") {
        if let name = modelName(inner) { found.append((name, "\(folder)/\(file)/\(inner)")) }
      }
    }
    return found.sorted { ($0.name, $0.path) < ($1.name, $1.path) }
  }

  /// Name and path of each graph in `Workloads/graphs`, sorted by name.
  static func graphs(root: String?) -> [(name: String, path: String)] {
    guard let root else { return [] }
    let folder = root == "." ? "Workloads/graphs" : "\(root)/Workloads/graphs"
    return contents(folder).filter { $0.hasSuffix(".json") }.map { (String($0.dropLast(5)), "\(folder)/\($0)") }
  }

  private static func contents(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  private static func modelName(_ file: String) -> String? {
    for suffix in [".onnx", ".mlir"] where file.hasSuffix(suffix) { return String(file.dropLast(5)) }
    return nil
  }
}
