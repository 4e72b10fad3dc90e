import Foundation
import PantileSupport

extension HierarchyProblem {
  /// Buffers and ops of a step, read from JSON.
  public struct Graph: Hashable, Sendable {
    public var name: String
    public var buffers: [Buffer]
    public var ops: [Op]

    public init(name: String, buffers: [Buffer], ops: [Op]) {
      self.name = name
      self.buffers = buffers
      self.ops = ops
    }
  }

  /// Reads graph JSON as `ScheduleProblem` does, with the kinds `frozen`, `saved`, `gradient` beside its own and `updates`, the ids of
  /// tensors that an op changes in place.
  ///
  /// A weight (`variable` is another word for it) that no op updates is frozen. Weights and workspaces that ops state by their bytes
  /// become buffers. Ops stand in an order in which they run.
  ///
  /// - Throws: `bad-graph` with the key path or place.
  public static func read(graphJSON data: Data, path: String) throws(DiagnosticError) -> Graph {
    let file = try GraphFile.decode(data, path: path)
    let place = SourceLocation.file(path: path, line: 1, column: 1)
    var errors: [Diagnostic] = []
    func fail(_ message: String, hint: String? = nil) {
      if errors.count < 20 { errors.append(Diagnostic("bad-graph", message, at: place, hint: hint)) }
    }
    var number: [Int: Int] = [:]
    var buffers: [Buffer] = []
    for (index, tensor) in file.tensors.enumerated() {
      if number[tensor.id] != nil { fail("tensors[\(index)]: id \(tensor.id) is used twice") }
      number[tensor.id] = index
      let kind = tensor.kind ?? "act"
      let known: Buffer.Kind? = kind == "act" ? .activation : kind == "variable" ? .weight : Buffer.Kind(rawValue: kind)
      if known == nil {
        let kinds = Buffer.Kind.allCases.map(\.rawValue) + ["act", "variable"]
        fail(
          "tensors[\(index)]: there is no kind '\(kind)'",
          hint: nearestName(to: kind, among: kinds).map { "did you mean '\($0)'?" }
            ?? "known: \(kinds.joined(separator: ", "))")
      }
      if tensor.bytes < 0 || tensor.bytes > ProblemLimit.amount {
        fail("tensors[\(index)]: \(tensor.bytes) bytes are out of range")
      }
      buffers.append(Buffer(tensor.name ?? "t\(tensor.id)", bytes: tensor.bytes, kind: known ?? .activation))
    }
    var ops: [Op] = []
    var seen = Set<Int>()
    for (index, op) in file.ops.enumerated() {
      if !seen.insert(op.id).inserted { fail("ops[\(index)]: id \(op.id) is used twice") }
      let updates = op.updates ?? []
      for tensor in op.inputs + op.outputs + updates where number[tensor] == nil {
        fail("ops[\(index)]: there is no tensor with id \(tensor)")
      }
      for bytes in [op.weightBytes, op.workspaceBytes].compactMap({ $0 })
      where bytes < 0 || bytes > ProblemLimit.amount { fail("ops[\(index)]: \(bytes) bytes are out of range") }
      let name = op.name ?? "op \(op.id)"
      // An operand that is named twice, or is updated too, is one use.
      var reads: [Int] = []
      for tensor in op.inputs where !updates.contains(tensor) {
        if let own = number[tensor], !reads.contains(own) { reads.append(own) }
      }
      var writes = op.outputs.compactMap { number[$0] }
      if let bytes = op.weightBytes, bytes > 0 {
        reads.append(buffers.count)
        buffers.append(Buffer("\(name).weights", bytes: bytes, kind: .frozen))
      }
      if let bytes = op.workspaceBytes, bytes > 0 {
        writes.append(buffers.count)
        buffers.append(Buffer("\(name).workspace", bytes: bytes, kind: .workspace))
      }
      ops.append(Op(name, reads: reads, writes: writes, updates: updates.compactMap { number[$0] }))
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
    let updated = Set(ops.flatMap(\.updates))
    for index in buffers.indices where buffers[index].kind == .weight && !updated.contains(index) {
      buffers[index].kind = .frozen
    }
    return Graph(name: file.name ?? "graph", buffers: buffers, ops: ops)
  }
}
