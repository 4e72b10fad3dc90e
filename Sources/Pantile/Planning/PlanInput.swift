import Foundation
import PantileProblem
import PantileSupport
import PantileText

/// What can be planned for: a schedule of a graph, or a packing of buffers.
public enum PlanInput: Sendable {
  case schedule(ScheduleInput)
  case packing(PackingProblem)
}

/// A schedule problem and what its file calls tensors and ops.
public struct ScheduleInput: Sendable {
  public var problem: ScheduleProblem
  /// The file's number of each tensor.
  public var tensorIDs: [Int]
  /// The file's number of each op.
  public var opIDs: [Int]

  public init(problem: ScheduleProblem, tensorIDs: [Int], opIDs: [Int]) {
    self.problem = problem
    self.tensorIDs = tensorIDs
    self.opIDs = opIDs
  }

  /// A problem whose tensors and ops are called by their places.
  public init(_ problem: ScheduleProblem) {
    self.init(
      problem: problem, tensorIDs: Array(problem.tensors.indices), opIDs: Array(problem.ops.indices))
  }
}

extension PlanInput {
  /// What a file does not say, or may be said otherwise.
  public struct Options: Sendable {
    /// Bytes of the memory; nil takes what the file says.
    public var capacity: Int?
    /// Bytes of the buffer through which operands may be streamed.
    public var tileBytes: Int?
    /// Weights are tensors that are fetched, not left out.
    public var withWeights: Bool

    public init(capacity: Int? = nil, tileBytes: Int? = nil, withWeights: Bool = false) {
      self.capacity = capacity
      self.tileBytes = tileBytes
      self.withWeights = withWeights
    }
  }

  /// Reads graph JSON (`.json`).
  /// - Throws: `cannot-read`, `bad-graph`, `bad-schedule-problem`; `missing-capacity` with the least that would do.
  public static func graph(_ path: String, _ options: Options) throws(DiagnosticError) -> PlanInput {
    let data = try AtomicFile.read(path)
    let (problem, ids, opIDs) = try ScheduleProblem.read(
      graphJSON: data, path: path, capacity: options.capacity ?? 0, tileBytes: options.tileBytes,
      withWeights: options.withWeights)
    if options.capacity == nil { throw missingCapacity(problem) }
    return .schedule(ScheduleInput(problem: problem, tensorIDs: ids, opIDs: opIDs))
  }

  /// Reads buffers in the format of MiniMalloc (`.csv`).
  /// - Throws: `cannot-read`, `not-utf8`, `bad-csv`, `bad-packing-problem`, `missing-capacity`.
  public static func buffers(
    _ path: String, capacity: Int?, isMinimised: Bool
  ) throws(DiagnosticError) -> PlanInput {
    guard let capacity = isMinimised ? ProblemLimit.amount : capacity else {
      throw DiagnosticError(
        "missing-capacity", "'\(path)' does not say how large the memory is",
        hint: "add --capacity 1MiB, or --minimise for the smallest that does")
    }
    return .packing(try PackingProblem(miniMallocCSV: try AtomicFile.readText(path), path: path, capacity: capacity))
  }

  /// Reads `problem.schedule` or `problem.packing` of MLIR text.
  /// - Throws: `syntax`, `wrong-op` and the codes of the problem.
  public static func problem(text: String, path: String, _ options: Options) throws(DiagnosticError) -> PlanInput {
    var ops = try TextFile(parsing: text, path: path).ops
    // mlir-opt puts everything into a module.
    if ops.count == 1, let only = ops.first, only.name == "builtin.module" { ops = only.body }
    guard let op = ops.first, [ScheduleProblem.opName, PackingProblem.opName].contains(op.name) else {
      throw DiagnosticError(
        "wrong-op",
        "expected '\(ScheduleProblem.opName)' or '\(PackingProblem.opName)'"
          + (ops.first.map { " but found '\($0.name)'" } ?? " but the file has no op"),
        at: ops.first?.location ?? .file(path: path, line: 1, column: 1))
    }
    if op.name == PackingProblem.opName {
      var problem = try PackingProblem(op)
      if let capacity = options.capacity { problem.capacity = capacity }
      try problem.check()
      return .packing(problem)
    }
    var problem = try ScheduleProblem(op)
    if let capacity = options.capacity, !problem.memories.isEmpty { problem.memories[0].capacity = capacity }
    if let tileBytes = options.tileBytes { problem.tileBytes = tileBytes }
    try problem.check()
    return .schedule(ScheduleInput(problem))
  }

  /// Whether MLIR text holds a problem rather than a model: its first op says so.
  public static func isProblem(_ text: String) -> Bool {
    for line in text.split(separator: "\n") {
      let line = line.drop { $0 == " " || $0 == "\t" || $0 == "\r" }
      if line.isEmpty || line.hasPrefix("//") || line.hasPrefix("#") || line.hasPrefix("module")
        || line.hasPrefix("\"builtin.module\"")
      {
        continue
      }
      return line.hasPrefix("\"problem.") || line.hasPrefix("problem.")
    }
    return false
  }

  /// The graph of a model.
  /// - Throws: what `Model.scheduleProblem` throws; `missing-capacity`.
  public static func model(
    _ model: Model, _ options: Options, floatBytes: Int = 1
  ) throws(DiagnosticError) -> PlanInput {
    let problem = try model.scheduleProblem(
      capacity: options.capacity ?? 0, tileBytes: options.tileBytes, withWeights: options.withWeights,
      floatBytes: floatBytes)
    if options.capacity == nil { throw missingCapacity(problem) }
    return .schedule(ScheduleInput(problem))
  }

  static func missingCapacity(_ problem: ScheduleProblem) -> DiagnosticError {
    DiagnosticError(
      "missing-capacity", "'\(problem.name)' does not say how large the memory is",
      hint: "add --capacity; the largest op needs \(problem.largestFootprint()) bytes")
  }
}
