import Foundation
import PantileSupport

extension ScheduleProblem {
  /// Reads a graph as JSON: `{"name", "tensors": [{"id", "name", "bytes", "kind"}], "ops": [{"id", "name", "kind", "inputs", "outputs",
  /// "weight_bytes", "workspace_bytes", "in_place": [{"input", "output"}], "view": "concat" | "split"}]}`.
  ///
  /// Tensor kinds are those of `Tensor.Kind`, `act` among them for `activation`. Ids are any distinct numbers; `ids` and `opIDs` tell them.
  /// Ops may stand in any order that a sort can repair; it is kept where it runs.
  ///
  /// - Parameters:
  ///   - capacity: Bytes of the one memory, `spad`.
  ///   - withWeights: Whether `weight_bytes` become tensors that are fetched.
  /// - Throws: `bad-graph` with the key path, `bad-schedule-problem`.
  public static func read(
    graphJSON data: Data, path: String, capacity: Int, tileBytes: Int? = nil, withWeights: Bool = false
  ) throws(DiagnosticError) -> (problem: ScheduleProblem, ids: [Int], opIDs: [Int]) {
    let file = try GraphFile.decode(data, path: path)
    let place = SourceLocation.file(path: path, line: 1, column: 1)
    var errors: [Diagnostic] = []
    func fail(_ message: String, hint: String? = nil) {
      if errors.count < 20 { errors.append(Diagnostic("bad-graph", message, at: place, hint: hint)) }
    }
    var number: [Int: Int] = [:]
    var tensors: [Tensor] = []
    for (index, tensor) in file.tensors.enumerated() {
      if number[tensor.id] != nil { fail("tensors[\(index)]: id \(tensor.id) is used twice") }
      number[tensor.id] = index
      let kind = tensor.kind ?? "act"
      guard let known = kind == "act" ? .activation : Tensor.Kind(rawValue: kind) else {
        let kinds = Tensor.Kind.allCases.map(\.rawValue) + ["act"]
        fail(
          "tensors[\(index)]: there is no kind '\(kind)'",
          hint: nearestName(to: kind, among: kinds).map { "did you mean '\($0)'?" }
            ?? "known: \(kinds.joined(separator: ", "))")
        continue
      }
      if tensor.bytes < 0 || tensor.bytes > ProblemLimit.amount {
        fail("tensors[\(index)]: \(tensor.bytes) bytes are out of range")
      }
      tensors.append(Tensor(tensor.name ?? "t\(tensor.id)", bytes: tensor.bytes, kind: known))
    }
    var seen = Set<Int>()
    for (index, op) in file.ops.enumerated() {
      if !seen.insert(op.id).inserted { fail("ops[\(index)]: id \(op.id) is used twice") }
      for tensor in op.inputs + op.outputs + (op.inPlace ?? []).flatMap({ [$0.input, $0.output] })
      where number[tensor] == nil {
        fail("ops[\(index)]: there is no tensor with id \(tensor)")
      }
      if let bytes = op.weightBytes, bytes < 0 || bytes > ProblemLimit.amount {
        fail("ops[\(index)]: \(bytes) weight bytes are out of range")
      }
      if let view = op.view, view != "concat", view != "split" {
        fail("ops[\(index)]: there is no view '\(view)'", hint: "write concat or split")
      }
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
    let sequence = try runnableOrder(file.ops, tensorCount: tensors.count, number: number, at: place)
    var ops: [Op] = []
    var ids = file.tensors.map(\.id)
    // Weights come after the greatest id, or where that leaves no numbers, wherever there is room.
    var weightID = ids.max().map { $0 < Int.max - file.ops.count ? $0 + 1 : 0 } ?? 0
    for position in sequence {
      let op = file.ops[position]
      var inputs = op.inputs.compactMap { number[$0] }
      let name = op.name ?? op.kind.map { "\($0) \(op.id)" } ?? "op \(op.id)"
      if withWeights, let bytes = op.weightBytes, bytes > 0 {
        inputs.append(tensors.count)
        tensors.append(Tensor("\(name).weights", bytes: bytes, kind: .weight))
        while number[weightID] != nil { weightID += 1 }
        ids.append(weightID)
        weightID += 1
      }
      ops.append(
        Op(
          name, role: op.view == "concat" ? .concatView : op.view == "split" ? .splitView : .compute, inputs: inputs,
          outputs: op.outputs.compactMap { number[$0] }, workspace: op.workspaceBytes.map { [$0] } ?? [],
          inPlace: (op.inPlace ?? []).compactMap { pair in
            guard let input = number[pair.input], let output = number[pair.output] else { return nil }
            return InPlacePair(input: input, output: output)
          }))
    }
    let problem = ScheduleProblem(
      name: file.name ?? "graph", memories: [Memory("spad", capacity: capacity)], tensors: tensors, ops: ops,
      tileBytes: tileBytes)
    try problem.check()
    return (problem, ids, sequence.map { file.ops[$0].id })
  }

  /// The ops as they stand where each finds its operands made, else moved behind their makers.
  private static func runnableOrder(
    _ ops: [GraphFile.Op], tensorCount: Int, number: [Int: Int], at place: SourceLocation
  ) throws(DiagnosticError) -> [Int] {
    var maker = [Int?](repeating: nil, count: tensorCount)
    for (index, op) in ops.enumerated() {
      for tensor in op.outputs { if let own = number[tensor] { maker[own] = maker[own] ?? index } }
    }
    var waiting = ops.map { op in Set(op.inputs.compactMap { number[$0].flatMap { maker[$0] } }).count }
    var readers = ops.map { _ in [Int]() }
    for (index, op) in ops.enumerated() {
      for other in Set(op.inputs.compactMap { number[$0].flatMap { maker[$0] } }).sorted() {
        readers[other].append(index)
      }
    }
    // The smallest position that can run comes first, so a list that runs as it stands is kept.
    var free = ops.indices.filter { waiting[$0] == 0 }
    var order: [Int] = []
    var next = 0
    var isFree = Array(repeating: false, count: ops.count)
    for index in free { isFree[index] = true }
    free = []
    while next < ops.count {
      if !isFree[next] {
        next += 1
        continue
      }
      isFree[next] = false
      order.append(next)
      var least = next + 1
      for reader in readers[next] {
        waiting[reader] -= 1
        if waiting[reader] == 0 {
          isFree[reader] = true
          least = min(least, reader)
        }
      }
      next = least
    }
    if order.count != ops.count {
      let stuck = ops.indices.first { waiting[$0] > 0 } ?? 0
      throw DiagnosticError(
        "bad-graph", "ops[\(stuck)]: op \(ops[stuck].id) waits for its own results: the graph has a cycle", at: place)
    }
    return order
  }
}
