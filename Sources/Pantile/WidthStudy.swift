import PantileDialects
import PantileEngines
import PantileIR
import PantilePasses
import PantilePlan
import PantileProblem
import PantileReport
import PantileSolve
import PantileSupport
import PantileTarget
import PantileTensor

/// Bit widths of a float network's weights, layer by layer: measured, assigned under limits, and compiled beside uniform widths.
///
/// - **Error** of a layer at a width: the error of the network's outputs on the calibration inputs when this layer alone has the width
///   and all others have 8 bits, against all layers at 8 bits.
/// - **Size**: bits of the layer's weights as the chip stores them.
/// - **Cycles**: of the compilation with all layers at that width, from the layer's start to the start of the next one. So cycles of
///   layers add up to those of the network where the width is uniform.
///
/// **Source** Masking a layer: Huang et al., "On-Chip Hardware-Aware Quantization for Mixed Precision Neural Networks" (OHQ), 2023.
public struct WidthStudy: Sendable {
  public struct Options: Sendable {
    public var graph: GraphPipeline.Options
    public var planner: NetworkPlanner.Options
    /// Bits that layers may have, ascending.
    public var widths: [Int]
    public var error: OutputError
    /// Bytes of all weights together.
    public var sizeLimit: Int?
    public var cycleLimit: Int?
    public var search: WidthOptions
    /// Assignments of the integer program whose error is measured: the best one, the next one, and so on. At least 1.
    public var candidates: Int

    public init(
      graph: GraphPipeline.Options = .init(), planner: NetworkPlanner.Options = .init(),
      widths: [Int] = [2, 3, 4, 5, 6, 8], error: OutputError = .kl, sizeLimit: Int? = nil, cycleLimit: Int? = nil,
      search: WidthOptions = .init(), candidates: Int = 16
    ) {
      self.graph = graph
      self.planner = planner
      self.widths = widths
      self.error = error
      self.sizeLimit = sizeLimit
      self.cycleLimit = cycleLimit
      self.search = search
      self.candidates = candidates
    }
  }

  /// The network with one choice of widths, compiled.
  public struct Variant: Sendable {
    /// Bits of each layer's weights.
    public var bits: [Int]
    public var storedBits: Int
    /// Of the chip's run.
    public var cycles: Int
    /// Cycles of each layer, from its start to the next one's.
    public var layerCycles: [Int]
    public var layerBits: [Int]
    /// Of the outputs against the float network, on the calibration inputs.
    public var error: Double
    /// Labels that are met.
    public var correct: Int?
  }

  /// An assignment with the error that it really has.
  public struct Candidate: Hashable, Sendable {
    public var assignment: WidthAssignment
    /// Of the outputs against the float network, on the calibration inputs.
    public var error: Double
    /// Its place among the candidates, from 1; the integer program's best is number 1.
    public var number: Int
  }

  /// Units of cost in an error of 1: costs are whole numbers of billionths.
  public static let costScale = 1_000_000_000
  /// Bits of the layers that are not measured.
  public static let baseBits = 8

  public let layers: [QuantizeReport.Layer]
  public let problem: WidthProblem
  public let outcome: WidthOutcome
  /// Errors by layer and width.
  public let errors: [[Double]]
  /// One a width.
  public let uniform: [Variant]
  /// Assignments within the limits that were measured: the integer program's in its order, then uniform ones; errors of layers do
  /// not quite add up, so that the best sum need not have the least error.
  public let candidates: [Candidate]
  /// The candidate of least error whose compilation keeps the limit of cycles; when none does, that of least error.
  public let taken: Candidate?
  /// `taken`, compiled; nil without an assignment.
  public let assigned: Variant?
  public let samples: Int
  public let isSynthetic: Bool
  /// Labels met by the float network.
  public let floatCorrect: Int?
  public let options: Options
  /// Remarks of the graph passes.
  public let remarks: [Diagnostic]

  /// Node and bits of each layer, as the pass `quantize` takes them in `layer-bits`.
  public var layerBits: [QuantizeOptions.LayerBits] {
    guard let assigned else { return [] }
    return zip(layers, assigned.bits).map { .init(node: $0.name, bits: $1) }
  }

  /// Inputs with the classes that they belong to.
  public struct Labelled: Sendable {
    public var runs: [[HostTensor]]
    public var labels: HostTensor

    public init(runs: [[HostTensor]], labels: HostTensor) {
      self.runs = runs
      self.labels = labels
    }
  }

  /// - Parameters:
  ///   - calibration: made up when empty.
  ///   - labelled: to count what each variant gets right.
  /// - Throws: `not-float` for a model that is quantised already; `out-of-range` for widths; `no-layers`; `no-logits`; what passes,
  ///   interpreter and compiler throw, `missing-weights` among it.
  public init(
    _ model: Model, chip: Chip, calibration: [[HostTensor]] = [], labelled: Labelled? = nil, options: Options = .init(),
    progress: (String) -> Void = { _ in }
  ) throws(DiagnosticError) {
    let bench = try WidthBench(model, chip: chip, calibration: calibration, labelled: labelled, options: options)
    layers = bench.layers
    self.options = options
    samples = bench.calibration.samples.count
    isSynthetic = bench.calibration.isSynthetic
    remarks = bench.remarks
    floatCorrect = try labelled.map { labelled throws(DiagnosticError) in
      try bench.correct(model.module, labelled)
    }
    var errors: [[Double]] = []
    for layer in bench.layers {
      progress("errors of \(layer.name)")
      errors.append(
        try options.widths.map { bits throws(DiagnosticError) in try bench.error(of: layer.name, bits: bits) })
    }
    var uniform: [Variant] = []
    for bits in options.widths {
      progress("all layers at \(bits) bits")
      uniform.append(try bench.variant(Array(repeating: bits, count: bench.layers.count)))
    }
    let problem = WidthProblem(
      model.name,
      layers: bench.layers.indices.map { layer in
        .init(
          bench.layers[layer].name,
          choices: options.widths.indices.map { width in
            .init(
              bits: options.widths[width], cost: WidthStudy.cost(errors[layer][width]),
              storedBits: uniform[width].layerBits[layer], cycles: uniform[width].layerCycles[layer])
          })
      },
      storedBitsLimit: options.sizeLimit.map { $0.multipliedReportingOverflow(by: 8) }.map {
        $0.overflow ? ProblemLimit.amount : $0.partialValue
      }, cycleLimit: options.cycleLimit)
    progress("integer program")
    let outcome = try problem.solve(options.search)
    self.errors = errors
    self.uniform = uniform
    self.problem = problem
    self.outcome = outcome
    var candidates: [Candidate] = []
    for choices in try problem.candidates(outcome, options) {
      progress("assignment \(candidates.count + 1)")
      candidates.append(
        Candidate(
          assignment: WidthAssignment(
            choices: choices, of: problem, lowerBound: outcome.assignment?.lowerBound ?? 0),
          error: try bench.error(of: problem.bits(of: choices)), number: candidates.count + 1))
    }
    self.candidates = candidates
    var taken: Candidate?
    var assigned: Variant?
    for candidate in candidates.sorted(by: { ($0.error, $0.number) < ($1.error, $1.number) }) {
      progress("compilation of assignment \(candidate.number)")
      let variant = try bench.variant(problem.bits(of: candidate.assignment.choices))
      let keepsLimit = variant.cycles <= options.cycleLimit ?? .max
      if taken == nil || keepsLimit { (taken, assigned) = (candidate, variant) }
      if keepsLimit { break }
    }
    self.taken = taken
    self.assigned = assigned
  }

  /// Errors beyond a thousand count as a thousand: whole numbers stay exact in sums.
  static func cost(_ error: Double) -> Int {
    error.isFinite ? Int((min(error, 1_000) * Double(costScale)).rounded()) : 1_000 * costScale
  }
}

extension WidthProblem {
  fileprivate func bits(of choices: [Int]) -> [Int] { zip(layers, choices).map { $0.choices[$1].bits } }

  /// The assignment that was found, those next to it by cost, and uniform ones within the limits.
  fileprivate func candidates(
    _ outcome: WidthOutcome, _ options: WidthStudy.Options
  ) throws(DiagnosticError) -> [[Int]] {
    guard let first = outcome.assignment else { return [] }
    var found = [first.choices]
    var model = outcome.model
    // Variables are numbered layer by layer, choice by choice.
    var starts: [Int] = []
    var count = 0
    for layer in layers {
      starts.append(count)
      count += layer.choices.count
    }
    while found.count < options.candidates, let last = found.last {
      model.addRow(
        "not.\(found.count)", upper: Double(layers.count - 1),
        zip(starts, last).map { .init(1, LinearModel.Variable(index: $0 + $1)) })
      let next = try model.solveCertified(.init(nodeBudget: options.search.nodeBudget)).solution
      guard next.hasValues else { break }
      found.append(
        zip(starts, layers).map { start, layer in
          layer.choices.indices.first { next.values[start + $0] > 0.5 } ?? 0
        })
    }
    for width in options.widths.indices {
      let choices = layers.map { _ in width }
      if holds(totals(of: choices)), !found.contains(choices) { found.append(choices) }
    }
    return found
  }
}

/// Measures one network at different widths.
private struct WidthBench {
  let model: Model
  let hash: String
  let compiler: Compiler
  let simulator: Simulator
  let calibration: Calibration
  let labelled: WidthStudy.Labelled?
  let options: WidthStudy.Options
  let layers: [QuantizeReport.Layer]
  let remarks: [Diagnostic]
  /// Outputs on the calibration inputs.
  private let float: [NamedTensor]
  private let base: [NamedTensor]

  init(
    _ model: Model, chip: Chip, calibration: [[HostTensor]], labelled: WidthStudy.Labelled?,
    options: WidthStudy.Options
  ) throws(DiagnosticError) {
    guard try GraphPipeline.form(of: model.module) == .float else {
      throw DiagnosticError(
        "not-float", "the weights of '\(model.name)' are integers already: there are no widths to assign",
        hint: "give the float model")
    }
    guard !options.widths.isEmpty, options.widths.allSatisfy({ (2...8).contains($0) }),
      Set(options.widths).count == options.widths.count
    else {
      throw DiagnosticError(
        "out-of-range", "the widths are \(options.widths.map(String.init).joined(separator: ","))",
        hint: "give each of some widths from 2 to 8 once")
    }
    self.model = model
    self.labelled = labelled
    self.options = options
    hash = try model.hash()
    compiler = try Compiler(
      chip: chip, options: .init(graph: options.graph, planner: options.planner, skipsImages: true))
    simulator = try Simulator(chip: chip)
    self.calibration =
      try calibration.isEmpty
      ? .synthetic(for: model.module, function: model.module.mainFunction(), count: 16, seed: 1)
      : Calibration(samples: calibration)
    float = try Session.interpret(model.module, runs: self.calibration.samples)
    var graph = options.graph
    graph.quantize.weightFormat = ""
    graph.quantize.layerBits = []
    graph.quantize.weightBits = WidthStudy.baseBits
    let prepared = try GraphPipeline.integer(model.module, calibration: self.calibration, options: graph)
    remarks = prepared.diagnostics
    base = try Session.interpret(prepared.module, runs: self.calibration.samples)
    var found: [QuantizeReport.Layer] = []
    for layer in prepared.quantization?.layers ?? []
    where layer.weightBits != nil && !found.contains(where: { $0.name == layer.name }) {
      found.append(layer)
    }
    guard !found.isEmpty else {
      throw DiagnosticError("no-layers", "no layer of '\(model.name)' has weights that can be quantised")
    }
    layers = found
  }

  private func integer(_ bits: [QuantizeOptions.LayerBits]) throws(DiagnosticError) -> Module {
    var graph = options.graph
    graph.quantize.weightFormat = ""
    graph.quantize.weightBits = WidthStudy.baseBits
    graph.quantize.layerBits = bits
    return try GraphPipeline.integer(model.module, calibration: calibration, options: graph).module
  }

  /// With one layer at a width and the others at the base width.
  func error(of layer: String, bits: Int) throws(DiagnosticError) -> Double {
    if bits == WidthStudy.baseBits { return 0 }
    let outputs = try Session.interpret(
      integer([.init(node: layer, bits: bits)]), runs: calibration.samples)
    return try options.error.between(base, outputs)
  }

  func correct(_ module: Module, _ labelled: WidthStudy.Labelled) throws(DiagnosticError) -> Int {
    try Session.interpret(module, runs: labelled.runs).first?.correct(labelled.labels) ?? 0
  }

  /// Of the outputs with these widths against the float network.
  func error(of bits: [Int]) throws(DiagnosticError) -> Double {
    let module = try integer(zip(layers, bits).map { .init(node: $0.name, bits: $1) })
    return try options.error.between(float, Session.interpret(module, runs: calibration.samples))
  }

  func variant(_ bits: [Int]) throws(DiagnosticError) -> WidthStudy.Variant {
    let module = try integer(zip(layers, bits).map { .init(node: $0.name, bits: $1) })
    let outputs = try Session.interpret(module, runs: calibration.samples)
    let compilation = try compiler.compile(integer: module, name: model.name, modelHash: hash)
    var stored = Array(repeating: 0, count: layers.count)
    for step in compilation.graph.steps {
      if let layer = owner(step.nodes) { stored[layer] += step.storedWeightBits }
    }
    let report = simulator.report(compilation, model: model.name)
    var cycles = Array(repeating: 0, count: layers.count)
    // What comes before the first layer is counted to it.
    var current = 0
    var isFirst = true
    for row in report.layers {
      if let layer = owner(row.nodes) {
        if isFirst {
          cycles[layer] = cycles[current]
          if layer != current { cycles[current] = 0 }
        }
        isFirst = false
        current = layer
      }
      cycles[current] += row.cycles
    }
    return WidthStudy.Variant(
      bits: bits, storedBits: stored.reduce(0, +), cycles: report.cycles, layerCycles: cycles, layerBits: stored,
      error: try options.error.between(float, outputs),
      correct: try labelled.map { labelled throws(DiagnosticError) in try correct(module, labelled) })
  }

  /// The layer that stands behind a step or a row of a report.
  private func owner(_ nodes: [String]) -> Int? { layers.firstIndex { nodes.contains($0.name) } }
}

extension Step {
  /// Bits of its weights as the chip stores them: codes and, of an N:M pattern, places. Biases and scales are left out.
  fileprivate var storedWeightBits: Int {
    switch body {
    case .contract(let step):
      typealias Dim = ContractStep.Dim
      let count = [Dim.g, Dim.n, Dim.c, Dim.r, Dim.s].reduce(1) { $0 * step.extents[$1] }
      guard let sparsity = step.sparsity else { return count * step.weightBits }
      let places = sparsity.group.trailingZeroBitCount
      return count / sparsity.group * sparsity.kept * (step.weightBits + places)
    case .map(let step):
      return step.constants.reduce(0) { $1.name == "weights" ? $0 + $1.tensor.byteCount * 8 : $0 }
    }
  }
}
