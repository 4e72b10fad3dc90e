import PantileEngines
import PantileSupport
import PantileTarget
import PantileTensor

/// A chip as a training step sees it: an N:M array in each dataflow, a vector unit, a memory and the capacities between them.
struct TrainingMachine: Sendable {
  let chip: Chip
  let point: TrainingStudy.Point
  /// The dataflows that a product may take.
  private let arrays: [(name: String, engine: ArrayEngine)]
  private let vectorLanes: Int
  private let memory: MemorySpec
  private let scratchpadBytes: Int
  private let accumulatorBytes: Int

  /// - Parameters:
  ///   - point: nil takes the chip as it is, with the faster dataflow for each product.
  ///   - patterns: what its array has to take besides dense weights.
  /// - Throws: what reading the chip throws; `no-unit` when it has no N:M array, vector unit, DRAM or buffers; `unsupported` with every
  ///   pattern that its array does not take.
  init(
    _ point: TrainingStudy.Point?, chip name: String, patterns: [NMPattern], load: TrainingStudy.Loader
  ) throws(DiagnosticError) {
    let base = try load(name, [])
    guard let section = base.engines.first(where: { $0.family == ArrayFamily.nmSparse.name }) else {
      throw DiagnosticError("no-unit", "chip '\(base.name)' has no array of family 'nm'")
    }
    let place = "engines.\(section.name)."
    // A point says what its edge takes in, without limit too; the chip as it is keeps its own.
    let port = point.map { [place + "activation_port=\($0.activationPort * $0.rows)"] } ?? []
    let point =
      point
      ?? TrainingStudy.Point(
        rows: section.count("rows"), columns: section.count("columns"), interleave: section.count("interleave"),
        adderLatency: section.cycles("adder_latency").count, activationPort: 0, dataflow: .best)
    self.point = point
    let settings =
      [
        place + "rows=\(point.rows)", place + "columns=\(point.columns)",
        place + "adder_latency=\(point.adderLatency) cycles",
      ] + port
    var arrays: [(String, ArrayEngine)] = []
    for dataflow in ["os", "ws"] where point.dataflow == .best || point.dataflow.rawValue == dataflow {
      // The chain of a weight-stationary array hides its adders by itself.
      let interleave = dataflow == "os" ? point.interleave : 1
      let chip = try load(name, settings + [place + "dataflow=\(dataflow)", place + "interleave=\(interleave)"])
      guard let section = chip.engines.first(where: { $0.name == section.name }) else { continue }
      let engine = try ArrayFamily.engine(of: section)
      let refused = patterns.flatMap { pattern in engine.capability(ContractionFormat(pattern: pattern)).reasons }
      guard refused.isEmpty else {
        throw DiagnosticError(
          refused.map {
            Diagnostic(
              "unsupported", "'\(base.name)' cannot run the study: \($0)",
              hint: "leave the pattern out of the study, or add it to patterns of '\(section.name)'")
          })
      }
      arrays.append((dataflow, engine))
    }
    self.arrays = arrays
    chip = base
    func first<T>(_ what: String, _ value: T?) throws(DiagnosticError) -> T {
      guard let value else { throw DiagnosticError("no-unit", "chip '\(base.name)' has no \(what)") }
      return value
    }
    vectorLanes = try first(
      "vector unit", base.engines.first { $0.family == VectorOptions.schema.family }?.count("lanes"))
    memory = try first("DRAM", base.memories.first { $0.kind == .dram })
    scratchpadBytes = try first("scratchpad", base.memories.first { $0.kind == .scratchpad }?.size.count)
    accumulatorBytes = try first("accumulators", base.memories.first { $0.kind == .accumulator }?.size.count)
  }

  /// The time of a step, and what it does.
  func time(_ step: TrainingStep, _ network: TrainingStudy.Network, _ costs: TrainingStudy.Costs) -> StepTime {
    var result = StepTime()
    for phase in step.phases {
      let layer = network.layers[phase.layer]
      let best = phase.forms.map { timed($0, phase, costs) }.min { $0.phase.cycles < $1.phase.cycles }
      guard var best else { continue }
      best.phase.layer = layer.name
      best.phase.count = layer.count
      result.phases.append(best.phase)
      for (action, count) in best.actions { result.actions[action, default: 0] += count * layer.count }
    }
    return result
  }

  private struct TimedPhase {
    var phase: StepTime.Phase
    var actions: [String: Int]
  }

  private func timed(
    _ form: TrainingStep.Form, _ phase: TrainingStep.Phase, _ costs: TrainingStudy.Costs
  ) -> TimedPhase {
    var actions: [String: Int] = [:]
    var array = 0
    var macs = 0
    var dataflow = ""
    var occupancy = TileOccupancy()
    for product in form.products {
      let run = onArray(product)
      array += run.cycles * product.count
      macs += product.macs
      dataflow = run.dataflow
      occupancy += run.occupancy
      let index = product.pattern?.indexBits ?? 0
      actions["array.mac.fp16", default: 0] += product.macs
      actions["spad.read_bytes", default: 0] +=
        product.count
        * (run.traffic.activationElements * costs.elementBytes
          + (run.traffic.weightBeats * (costs.elementBytes * 8 + index) + 7) / 8)
      actions["acc.write", default: 0] += product.count * run.traffic.results
    }
    let operations = form.scatterAdds + phase.beside.operations
    let beside = ceilDivide(operations, vectorLanes)
    let behind = ceilDivide(phase.behind.operations, vectorLanes)
    let bytes = traffic(phase, costs) + phase.beside.moved * costs.elementBytes + phase.updateBytes
    let behindBytes = phase.behind.moved * costs.elementBytes
    let stream = cycles(bytes: bytes)
    let first = max(array, beside, stream)
    let second = max(behind, cycles(bytes: behindBytes))
    actions["vector.op.fp32", default: 0] += operations + phase.behind.operations
    // Operands and results pass the scratchpad once each way; reads and writes of DRAM cost the same.
    actions["dram.read_bytes", default: 0] += bytes + behindBytes
    actions["spad.write_bytes", default: 0] += bytes + behindBytes
    var binding = StepTime.Binding.dram
    if array >= beside && array >= stream {
      binding = Self.binding(of: occupancy)
    } else if beside >= stream {
      binding = .vector
    }
    if second > first { binding = behind >= cycles(bytes: behindBytes) ? .vector : .dram }
    return TimedPhase(
      phase: .init(
        layer: "", kind: phase.kind.rawValue, cycles: first + second, arrayCycles: array, dataflow: dataflow,
        macs: macs,
        binding: binding, count: 1), actions: actions)
  }

  /// The largest part: products, or what keeps the array from them.
  private static func binding(of occupancy: TileOccupancy) -> StepTime.Binding {
    let parts: [(StepTime.Binding, Int)] = [
      (.array, occupancy.work), (.edge, occupancy.edgeRows + occupancy.edgeColumns + occupancy.edgeDepth),
      (.adder, occupancy.adder), (.port, occupancy.feed), (.load, occupancy.load),
      (.drain, occupancy.fill + occupancy.drain),
    ]
    // Of equal parts the first.
    return parts.reduce((.array, -1)) { $1.1 > $0.1 ? $1 : $0 }.0
  }

  private struct ArrayRun {
    var cycles: Int
    var dataflow: String
    var occupancy: TileOccupancy
    var traffic: EdgeTraffic
  }

  /// One product on the fastest allowed dataflow. Weight-stationary sums stand in the accumulators, which bound the rows of a pass.
  private func onArray(_ product: TrainingStep.Product) -> ArrayRun {
    let format = ContractionFormat(pattern: product.pattern)
    var best: ArrayRun?
    for (name, engine) in arrays {
      let most =
        name == "ws" ? max(1, accumulatorBytes / (point.columns * MemoryLayout<Float>.size)) : product.m
      let passes = product.m / most
      let rest = product.m % most
      var run = ArrayRun(
        cycles: 0, dataflow: name, occupancy: TileOccupancy(),
        traffic: EdgeTraffic(activationElements: 0, weightBeats: 0, results: 0))
      for (rows, count) in [(min(most, product.m), passes), (rest, 1)] where rows > 0 && count > 0 {
        let extents = TileExtents(m: rows, k: product.k, n: product.n)
        let traffic = engine.traffic(extents, format)
        run.cycles += engine.timing(extents, format).duration * count
        let occupancy = engine.occupancy(extents, format)
        run.occupancy += TileOccupancy(parts: occupancy.parts.map { $0 * count })
        run.traffic.activationElements += traffic.activationElements * count
        run.traffic.weightBeats += traffic.weightBeats * count
        run.traffic.results += traffic.results * count
      }
      if best.map({ run.cycles < $0.cycles }) ?? true { best = run }
    }
    guard let best else { preconditionFailure("a machine without arrays") }
    return best
  }

  /// Bytes of a product's operands and result over the memory's pins: one operand stays on chip, half the scratchpad at a time, while
  /// the other streams past it; the cheaper of the two ways.
  private func traffic(_ phase: TrainingStep.Phase, _ costs: TrainingStudy.Costs) -> Int {
    let half = max(1, scratchpadBytes / 2)
    let (operand, weight) = (phase.operandElements * costs.elementBytes, phase.weightBytes)
    let result = phase.resultElements * costs.elementBytes
    guard weight > 0 else { return operand + result }
    let held = weight + operand * ceilDivide(weight, half)
    let streamed = operand + weight * ceilDivide(operand, half)
    return min(held, streamed) + result
  }

  private func cycles(bytes: Int) -> Int {
    ceilDivide(bytes * memory.bandwidth.denominator, memory.bandwidth.numerator)
  }
}

private func ceilDivide(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }
