import Foundation
import Pantile
import Testing

/// Training steps as buffers and ops.
struct StepGraphTests {
  private static let model: Result<Model, DiagnosticError> = Result { () throws(DiagnosticError) in
    try Model(contentsOf: "\(root)/Workloads/models/digits-cnn/digits-cnn.onnx")
  }
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  private func graph(_ options: [String], floatBytes: Int? = nil) throws -> HierarchyProblem.Graph {
    try Self.model.get().stepGraph(grad: options, floatBytes: floatBytes)
  }

  private func bytes(_ graph: HierarchyProblem.Graph, _ kinds: HierarchyProblem.Buffer.Kind...) -> Int {
    graph.buffers.filter { kinds.contains($0.kind) }.reduce(0) { $0 + $1.bytes }
  }

  private let weights = 4 * (16 * 9 + 16 + 32 * 16 * 9 + 32 + 64 * 32 * 9 + 64 + 64 * 256 + 64 + 640 + 10)

  /// Every weight and velocity is updated in place by one op, and read by nothing behind it.
  @Test func updatesAreOneOpEach() throws {
    let graph = try graph(["batch=4", "momentum=0.9"])
    #expect(bytes(graph, .weight) == weights && bytes(graph, .state) == weights)
    let updates = graph.ops.filter { !$0.updates.isEmpty }
    #expect(updates.count == 10 && updates.allSatisfy { $0.updates.count == 2 && $0.writes.isEmpty })
    for buffer in graph.buffers.indices where graph.buffers[buffer].kind == .weight {
      let last = try #require(graph.ops.lastIndex { $0.reads.contains(buffer) || $0.updates.contains(buffer) })
      #expect(graph.ops[last].updates.contains(buffer), "\(graph.buffers[buffer].name)")
    }
    // Without momentum an update has the gradient and the weight.
    let plain = try self.graph(["batch=4"])
    #expect(bytes(plain, .state) == 0 && plain.ops.count == graph.ops.count)
  }

  /// What the pass says that backward reads is saved here, or an input; what is saved beside belongs to the loss.
  @Test(arguments: [["batch=4"], ["batch=2", "update=conv3:0.25,fc1:bias,fc2"], ["batch=1", "update=fc2"]])
  func savedIsWhatTheReportSays(_ options: [String]) throws {
    let model = try Self.model.get()
    let pipeline = try PassPipeline(parsing: "builtin.module(grad{\(options.joined(separator: " "))})")
    let outcome = try PassManager(pipeline, registry: Dialects.registry).run(try GraphPipeline.cleaned(model.module))
    let report = try #require(outcome.artifacts[TrainingReport.self])
    let graph = try graph(options)
    for saved in report.saved {
      let own = graph.buffers.first { $0.name == saved.name }
      // A slice of a saved value, and a reshaped one, may have another name.
      guard let own else { continue }
      #expect(own.kind == .saved || own.kind == .input, "\(saved.name) is \(own.kind)")
      #expect(own.bytes == (saved.bits + 7) / 8, "\(saved.name)")
    }
    let inputs = report.saved.filter { $0.node == "input" }.reduce(0) { $0 + $1.bits / 8 }
    let loss = graph.buffers.filter { $0.kind == .saved && $0.name.contains("digits-cnn") }.reduce(0) { $0 + $1.bytes }
    #expect(bytes(graph, .saved) == (report.savedBits + 7) / 8 - inputs + loss)
  }

  /// Under a sparse scheme the weights of other layers are frozen, and nothing below the lowest updated layer has a gradient.
  @Test func otherWeightsAreFrozen() throws {
    let graph = try graph(["batch=4", "update=fc2"])
    #expect(bytes(graph, .weight) == 4 * 650)
    #expect(bytes(graph, .weight, .frozen) >= weights)
    let gradients = graph.buffers.filter { $0.kind == .gradient }
    #expect(gradients.allSatisfy { $0.bytes <= 4 * 640 }, "\(gradients.map(\.bytes))")
  }

  /// A step that was written to a file and read again is the same graph.
  @Test func theStepMayComeFromAFile() throws {
    let model = try Self.model.get()
    let pipeline = try PassPipeline(parsing: "builtin.module(grad{batch=4 momentum=0.9})")
    let step = try PassManager(pipeline, registry: Dialects.registry).run(try GraphPipeline.cleaned(model.module))
      .module
    let again = try Model(name: "digits-cnn", module: step).stepGraph()
    #expect(again == (try graph(["batch=4", "momentum=0.9"])))
  }

  /// A forward function has inputs, frozen weights, activations and outputs.
  @Test func forwardFunctionsHaveNoStates() throws {
    let graph = try Self.model.get().stepGraph()
    #expect(bytes(graph, .weight, .state, .gradient, .saved) == 0)
    #expect(bytes(graph, .frozen) == weights)
    #expect(graph.buffers.filter { $0.kind == .output }.map(\.bytes) == [40])
    // An element of a float may be taken for another.
    #expect(bytes(try Self.model.get().stepGraph(floatBytes: 1), .frozen) == weights / 4)
  }

  /// Every graph is one that planners take.
  @Test func graphsAreWellFormed() throws {
    let memory = HierarchyProblem.Memory("all", capacity: 1 << 30, read: .init(energy: 1), write: .init(energy: 1))
    for options in [["batch=4"], ["batch=2", "pattern=2:4"], ["batch=2", "format=bf16"], ["optimizer=none"]] {
      let graph = try graph(options)
      let problem = HierarchyProblem(
        name: "step", memories: [memory], links: [], buffers: graph.buffers, ops: graph.ops, inputMemory: 0,
        outputMemory: 0)
      try problem.check()
      let plan = try #require(try problem.plan(.columns, .init(order: .default)).plan)
      // One memory: each access costs its bytes, nothing moves.
      let uses = graph.ops.flatMap { $0.reads + $0.writes + $0.updates + $0.updates }
      #expect(plan.cost.energy == uses.reduce(0) { $0 + graph.buffers[$1].bytes } && plan.moves.isEmpty)
      #expect(plan.status == .optimal)
    }
  }
}
