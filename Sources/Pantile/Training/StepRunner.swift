import PantileDialects
import PantileIR
import PantilePasses
import PantileProgram
import PantileSupport
import PantileTarget
import PantileTensor

/// What a step takes on a chip.
public struct ChipStep: Hashable, Sendable {
  /// Cycles of all layers of one kind.
  public struct Kind: Hashable, Sendable {
    public var kind: String
    public var cycles: Int
  }

  /// The chip's name.
  public var chip: String
  public var cycles: Int
  public var seconds: Double
  /// Multiply-accumulates over what the array could have made in the cycles, from 0 to 1.
  public var utilization: Double
  public var picojoules: Double
  /// In order of first appearance.
  public var kinds: [Kind]
}

/// A training step (or a forward part) of one batch size, ready to run.
struct StepRunner: Sendable {
  private enum Engine {
    case reference(Interpreter)
    case chip(Simulator, Program, inputs: [String])
  }

  let report: TrainingReport
  /// Nil for the reference kernels.
  let chip: ChipStep?
  /// Element type in which the step takes labels.
  let labelType: ElementType
  private let engine: Engine

  /// - Throws: what the pass `grad` and the compiler throw.
  init(_ module: Module, _ options: GradOptions, batch: Int, chip: Chip?) throws(DiagnosticError) {
    var options = options
    options.batch = batch
    let outcome = try PassManager(PassPipeline([.init(.grad, options)]), registry: Dialects.registry).run(module)
    guard let report = outcome.artifacts[TrainingReport.self] else {
      preconditionFailure("'grad' left no report")
    }
    self.report = report
    labelType = options.labels == .i64 ? .i64 : .i32
    guard let chip else {
      engine = .reference(try Interpreter(outcome.module))
      self.chip = nil
      return
    }
    let compilation = try Compiler(chip: chip).compile(
      integer: try GraphPipeline.cleaned(outcome.module), name: "train_step", modelHash: "")
    let simulator = try Simulator(chip: chip)
    let inputs = compilation.program.regions.filter { $0.kind == .input }.map(\.name)
    engine = .chip(simulator, compilation.program, inputs: inputs)
    let run = simulator.report(compilation, model: "train_step")
    var kinds: [ChipStep.Kind] = []
    for layer in run.layers {
      if let known = kinds.firstIndex(where: { $0.kind == layer.kind }) {
        kinds[known].cycles += layer.cycles
      } else {
        kinds.append(ChipStep.Kind(kind: layer.kind, cycles: layer.cycles))
      }
    }
    self.chip = ChipStep(
      chip: chip.name, cycles: run.cycles, seconds: run.seconds, utilization: run.utilization,
      picojoules: run.energy.totalPicojoules, kinds: kinds)
  }

  /// The results of the step, in the function's order.
  func run(_ inputs: [HostTensor]) throws(DiagnosticError) -> [HostTensor] {
    switch engine {
    case .reference(let interpreter): return try interpreter.run(inputs)
    case .chip(let simulator, let program, let names):
      return try simulator.run(program, inputs: zip(names, inputs).map { ($0, $1) }).map(\.tensor)
    }
  }
}
