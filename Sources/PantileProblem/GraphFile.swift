import Foundation
import PantileSupport

/// What graph JSON says; unknown keys are allowed, since such files carry notes and shapes. `Docs/plan.md` describes the format.
struct GraphFile: Decodable {
  struct Tensor: Decodable {
    var id: Int
    var name: String?
    var bytes: Int
    var kind: String?
  }

  struct Pair: Decodable {
    var input: Int
    var output: Int
  }

  struct Op: Decodable {
    var id: Int
    var name: String?
    var kind: String?
    var inputs: [Int]
    var outputs: [Int]
    /// Only read where a step has several memories.
    var updates: [Int]?
    var weightBytes: Int?
    var workspaceBytes: Int?
    /// These two only where there is one memory.
    var inPlace: [Pair]?
    var view: String?

    enum CodingKeys: String, CodingKey {
      case id, name, kind, inputs, outputs, updates
      case weightBytes = "weight_bytes"
      case workspaceBytes = "workspace_bytes"
      case inPlace = "in_place"
      case view
    }
  }

  var name: String?
  var tensors: [Tensor]
  var ops: [Op]

  /// - Throws: `bad-graph` with the key path.
  static func decode(_ data: Data, path: String) throws(DiagnosticError) -> GraphFile {
    try JSONFile.decode(
      GraphFile.self, from: data, path: path, code: "bad-graph", hint: "see Docs/plan.md for the format")
  }
}
