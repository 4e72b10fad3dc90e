import PantileEngines
import PantileProblem
import PantileProgram
import PantileSupport
import PantileTensor

/// A step's tilings for one set of kept tensors: the problem, and how its answers become choices.
struct StepTiling {
  var problem: TilingProblem
  /// Nest dim of each problem dim.
  var dims: [Int]
  /// Nest dims of each problem order, outermost first.
  var orders: [[Int]]
  /// Extents of the whole nest.
  var extents: [Int]

  /// The choice that an alternative stands for.
  func choice(
    _ alternative: Alternative, residentReads: Set<Int>, keepsOutput: Bool, storesOutput: Bool
  ) -> StepChoice {
    var tiles = extents
    for (position, dim) in dims.enumerated() { tiles[dim] = alternative.tiles[position] }
    var slots: [String: Int] = [:]
    for (operand, count) in zip(problem.operands, alternative.slots) { slots[operand.name] = count }
    return StepChoice(
      tiles: tiles, order: orders[alternative.order], slots: slots, residentReads: residentReads,
      keepsOutput: keepsOutput, storesOutput: storesOutput)
  }
}

/// Bytes of a memory that no choice may use: makes a combination of tiles impossible.
private let forbidden = 1 << 50

extension OperandMap {
  /// Elements of the box that a tile touches.
  func boxElements(size: (Int) -> CostExpr) -> CostExpr {
    axes.reduce(.one) { total, axis in
      let length = axis.terms.reduce(CostExpr.one) { $0 + abs($1.scale) * (size($1.dim) + -1) }
      if axis.terms.count == 1, axis.terms[0].scale == 1 { return total * size(axis.terms[0].dim) }
      return total * length
    }
  }

  /// Bytes that bursts move for the box of a tensor off chip: runs along the innermost dims in memory, each rounded up to
  /// whole bursts. A run goes on into the next dim where the box covers the innermost one wholly.
  ///
  /// **Accuracy** an estimate: bursts shared by neighbouring runs and skipped padding are not taken off.
  func burstBytes(of tensor: StepGraph.Tensor, burst: Int, size: (Int) -> CostExpr) -> CostExpr {
    func length(_ axis: Int) -> CostExpr {
      axes[axis].terms.reduce(CostExpr.one) { $0 + abs($1.scale) * (size($1.dim) + -1) }
    }
    let bytes = tensor.format.bits / 8
    // Dims of one element do not interrupt a run.
    let order = tensor.order.filter { tensor.shape[$0] > 1 }
    guard let inner = order.last else { return .constant(burst) }
    func rounded(_ run: CostExpr) -> CostExpr { CostExpr.ceilDiv(run * bytes, burst) * burst }
    let outer = order.dropLast()
    let broken = outer.reduce(CostExpr.one) { $0 * length($1) } * rounded(length(inner))
    guard let next = outer.last else { return broken }
    let joined =
      outer.dropLast().reduce(CostExpr.one) { $0 * length($1) } * rounded(length(next) * tensor.shape[inner])
    return .select(length(inner), .constant(tensor.shape[inner] - 1), broken, joined)
  }

  /// Nest dims that move the box.
  var dims: Set<Int> { Set(axes.flatMap { $0.terms.map(\.dim) }) }
}

/// Bytes rounded up to whole slots.
private func slot(_ bytes: CostExpr) -> CostExpr {
  CostExpr.ceilDiv(bytes, slotAlignment) * slotAlignment
}

extension ContractStep {
  static let dimNames = ["g", "b", "p", "q", "n", "c", "r", "s"]

  /// Why the array cannot run this contraction; empty when it can.
  func obstacles(on machine: PlanningMachine) -> [String] {
    guard let array = machine.array else { return ["the chip has no array"] }
    guard machine.drain != nil else { return ["the chip has no drain unit"] }
    guard machine.accumulatorBytes > 0 else { return ["the chip has no accumulator memory"] }
    return array.engine.capability(format).reasons
  }

  /// The number formats as the array sees them.
  public var format: ContractionFormat {
    if numbers != .integer { return ContractionFormat(numbers: numbers) }
    guard let sparsity, let pattern = try? NMPattern(kept: sparsity.kept, group: sparsity.group) else {
      return ContractionFormat(activationBits: 8, weightBits: weightBits)
    }
    return ContractionFormat(activationBits: 8, weightBits: weightBits, pattern: pattern)
  }

  /// The tiling problem when the given storages are read on chip and the output is kept or not.
  ///
  /// - Parameter isFine: tiles may be smaller than what fills the engine, for steps of which even one such tile does not fit.
  func tiling(
    on machine: PlanningMachine, in graph: StepGraph, residentReads: Set<Int>, keepsOutput: Bool, isFine: Bool = false
  ) -> StepTiling {
    typealias D = Dim
    guard let array = machine.array, let drain = machine.drain else {
      preconditionFailure("obstacles(on:) found the array and the drain")
    }
    let tiled = [D.g, D.b, D.p, D.q, D.n, D.c]
    let names = Self.dimNames
    func size(_ dim: Int) -> CostExpr {
      tiled.contains(dim) ? .tile(names[dim]) : .constant(extents[dim])
    }
    let granules = isFine ? TileExtents(m: 1, k: 1, n: 1) : array.engine.granules(format)
    let taps = extents[D.r] * extents[D.s]
    let group = sparsity?.group ?? 1
    let cGranule = max(group, taps == 1 ? granules.k : max(1, min(granules.k, 8)))
    func dim(_ d: Int, granule: Int = 1) -> TilingProblem.Dim {
      TilingProblem.Dim(names[d], extent: extents[d], granule: min(granule, extents[d]), mayTile: true)
    }
    let dims = [
      dim(D.g), dim(D.b), dim(D.p), dim(D.q), dim(D.n, granule: granules.n),
      dim(D.c, granule: (cGranule + group - 1) / group * group),
    ]
    let n = size(D.n)
    let rows = taps * CostExpr.ceilDiv(size(D.c) * (sparsity?.kept ?? 1), group)
    let m = size(D.b) * size(D.p) * size(D.q)

    // Cycles: what a command keeps the array from the next, summed over tiles with their own sizes.
    func summed(_ term: @escaping (_ m: CostExpr, _ n: CostExpr, _ k: CostExpr) -> CostExpr) -> CostExpr {
      let outer = CostExpr.trips(names[D.g]) * .trips(names[D.b]) * .trips(names[D.q])
      return outer
        * CostExpr.overTiles(of: names[D.p]) { p in
          CostExpr.overTiles(of: names[D.n]) { n in term(size(D.b) * p * size(D.q), n, size(D.c) * taps) }
        }
    }
    let engine = array.engine
    let format = format
    let arrayBusy = summed { m, n, _ in
      CostExpr.overTiles(of: names[D.c]) { c in
        engine.mapping(format, TileExpr(m: m, k: c * taps, n: n)).interval
      }
    }
    let drainBusy = summed { m, n, _ in drain.options.latency + CostExpr.ceilDiv(m * n, drain.options.lanes) }

    var operands: [TilingProblem.Operand] = []
    func streamed(
      _ name: String, _ kind: TilingProblem.Operand.Kind, _ relevant: Set<Int>, _ bytes: CostExpr,
      moved: CostExpr? = nil, exposed: CostExpr? = nil
    ) {
      operands.append(
        TilingProblem.Operand(
          name, kind: kind, relevant: tiled.filter { relevant.contains($0) }.map { names[$0] },
          footprints: [.init("spad", bytes: slot(bytes))],
          bytesPerLoad: moved ?? CostExpr.ceilDiv(bytes, machine.burst) * machine.burst, link: machine.link.name,
          exposed: exposed))
    }
    let rowBytes = CostExpr.ceilDiv(n * weightBits, 8)
    if let weightTensor {
      if !residentReads.contains(graph.tensors[weightTensor.tensor].storage) {
        streamed(
          "w", .read, weightTensor.map.dims,
          weightTensor.map.boxElements(size: size) * (graph.tensors[weightTensor.tensor].format.bits / 8),
          moved: weightTensor.map.burstBytes(of: graph.tensors[weightTensor.tensor], burst: machine.burst, size: size))
      }
    } else {
      streamed("w", .read, [D.g, D.n, D.c], rows * rowBytes)
    }
    if sparsity != nil { streamed("index", .read, [D.g, D.n, D.c], rows * CostExpr.ceilDiv(n * indexBits, 8)) }
    if !residentReads.contains(graph.tensors[x].storage) {
      streamed(
        "x", .read, xMap.dims, xMap.boxElements(size: size) * (graph.tensors[x].format.bits / 8),
        moved: xMap.burstBytes(of: graph.tensors[x], burst: machine.burst, size: size))
    }
    if numbers == .integer {
      streamed("parameters", .read, [D.g, D.n], 12 * n)
    } else if let biasTensor, !residentReads.contains(graph.tensors[biasTensor.tensor].storage) {
      let bias = graph.tensors[biasTensor.tensor]
      streamed(
        "bias", .read, [D.g, D.n], biasTensor.map.boxElements(size: size) * (bias.format.bits / 8),
        moved: biasTensor.map.burstBytes(of: bias, burst: machine.burst, size: size))
    }
    let outputDims: Set<Int> = [D.g, D.b, D.p, D.q, D.n]
    if let residual, !residentReads.contains(graph.tensors[residual.tensor].storage) {
      streamed(
        "residual", .read, outputDims, outputMap.boxElements(size: size),
        moved: outputMap.burstBytes(of: graph.tensors[residual.tensor], burst: machine.burst, size: size))
    }
    if !keepsOutput {
      let out = graph.tensors[output]
      streamed(
        "out", .write, outputDims, outputMap.boxElements(size: size) * (out.format.bits / 8),
        moved: outputMap.burstBytes(of: out, burst: machine.burst, size: size))
    }
    operands.append(
      TilingProblem.Operand(
        "acc", kind: .write, relevant: tiled.filter { outputDims.contains($0) }.map { names[$0] },
        footprints: [.init("acc", bytes: 4 * m * n)], exposed: drainBusy))

    // Accumulator rows are one run of pixels: columns are cut only where rows are single, rows only where images are,
    // groups always one by one.
    func unless(_ inner: Int, isWhole whole: Int, _ outer: Int) -> CostExpr {
      .select(
        .tile(names[outer]), .one, .zero,
        .select(.tile(names[inner]), .constant(whole - 1), .constant(forbidden), .zero))
    }
    let penalty =
      unless(D.q, isWhole: extents[D.q], D.p) + unless(D.p, isWhole: extents[D.p], D.b)
      + unless(D.q, isWhole: extents[D.q], D.b) + .select(.tile(names[D.g]), .one, .zero, .constant(forbidden))
    let orders = [[D.g, D.n, D.b, D.p, D.q, D.c], [D.g, D.b, D.p, D.q, D.n, D.c]]
    let problem = TilingProblem(
      name: "contract", dims: dims, orders: orders.map { $0.map { names[$0] } },
      memories: [
        .init("spad", capacity: machine.scratchpadBytes), .init("acc", capacity: machine.accumulatorBytes),
      ], links: [machine.link],
      resources: [.init("array", busy: arrayBusy), .init("drain", busy: drainBusy), .init("vector", busy: .zero)],
      operands: operands, workspace: [.init("spad", bytes: penalty)])
    return StepTiling(problem: problem, dims: tiled, orders: orders, extents: extents)
  }
}

extension MapStep {
  /// The tiling problem when the given storages are read on chip and the output is kept or not.
  ///
  /// - Parameter isFine: tiles may be smaller than what fills the engine, for steps of which even one such tile does not fit.
  func tiling(
    on machine: PlanningMachine, in graph: StepGraph, residentReads: Set<Int>, keepsOutput: Bool, isFine: Bool = false
  ) -> StepTiling {
    // A nest that must not be cut still has one dim, whole.
    let cuttable = dims.indices.filter { dims[$0].mayTile }
    let tiled = cuttable.isEmpty ? Array(dims.indices.prefix(1)) : cuttable
    let name: (Int) -> String = { "d\($0)" }
    func size(_ dim: Int) -> CostExpr {
      tiled.contains(dim) ? .tile(name(dim)) : .constant(dims[dim].extent)
    }
    let problemDims = tiled.map { dim in
      // The innermost dim in memory is cut in whole vectors.
      TilingProblem.Dim(
        name(dim), extent: dims[dim].extent,
        granule: !isFine && dim == innermostOutputDim(graph) ? min(machine.vector.options.lanes, dims[dim].extent) : 1,
        mayTile: dims[dim].mayTile)
    }
    let trips = tiled.reduce(CostExpr.one) { $0 * .trips(name($1)) }
    var busy = CostExpr.zero
    for stage in stages {
      let results = dims.indices.filter { !stage.reduced.contains($0) && !stage.absent.contains($0) }
      let points = results.reduce(CostExpr.one) { $0 * size($1) }
      let reduced = stage.reduced.reduce(1) { $0 * dims[$1].extent }
      busy +=
        trips
        * (machine.vector.options.latency + CostExpr.ceilDiv(points, machine.vector.options.lanes)
          * stage.kernel.slots(reduced: reduced))
    }
    var operands: [TilingProblem.Operand] = []
    func streamed(
      _ label: String, _ kind: TilingProblem.Operand.Kind, _ map: OperandMap, _ tensor: StepGraph.Tensor
    ) {
      let bytes = map.boxElements(size: size) * (tensor.format.bits / 8)
      operands.append(
        TilingProblem.Operand(
          label, kind: kind,
          relevant: tiled.filter { map.dims.contains($0) || kind == .write }.map { name($0) },
          footprints: [.init("spad", bytes: slot(bytes))],
          bytesPerLoad: map.burstBytes(of: tensor, burst: machine.burst, size: size), link: machine.link.name))
    }
    for (index, input) in inputs.enumerated() {
      switch input.source {
      case .tensor(let id):
        if residentReads.contains(graph.tensors[id].storage) { continue }
        streamed("in\(index)", .read, input.map, graph.tensors[id])
      case .constant(let id): streamed("in\(index)", .read, input.map, constants[id].tensor)
      }
    }
    if !keepsOutput { streamed("out", .write, outputMap, graph.tensors[output]) }
    var workspace: [TilingProblem.Footprint] = []
    for temporary in temporaries {
      let elements = temporary.dims.reduce(CostExpr.one) { $0 * size($1) }
      workspace.append(.init("spad", bytes: slot(elements * (temporary.format.bits / 8))))
    }
    let problem = TilingProblem(
      name: "map", dims: problemDims, orders: [tiled.map { name($0) }],
      memories: [.init("spad", capacity: machine.scratchpadBytes), .init("acc", capacity: machine.accumulatorBytes)],
      links: [machine.link],
      resources: [.init("array", busy: .zero), .init("drain", busy: .zero), .init("vector", busy: busy)],
      operands: operands, workspace: workspace)
    return StepTiling(problem: problem, dims: tiled, orders: [tiled], extents: dims.map(\.extent))
  }

  /// The nest dim that moves along neighbouring elements of the output.
  private func innermostOutputDim(_ graph: StepGraph) -> Int? {
    guard let last = graph.tensors[output].order.last else { return nil }
    return outputMap.axes[last].terms.first { $0.scale == 1 }?.dim
  }
}

extension Step {
  func tiling(
    on machine: PlanningMachine, in graph: StepGraph, residentReads: Set<Int>, keepsOutput: Bool, isFine: Bool = false
  ) -> StepTiling {
    switch body {
    case .contract(let step):
      return step.tiling(
        on: machine, in: graph, residentReads: residentReads, keepsOutput: keepsOutput, isFine: isFine)
    case .map(let step):
      return step.tiling(
        on: machine, in: graph, residentReads: residentReads, keepsOutput: keepsOutput, isFine: isFine)
    }
  }
}
