import PantileProgram
import PantileSupport

extension Emitter {
  /// Loads, vector commands and stores of one map step.
  /// - Returns: the queue whose last command ends the step.
  mutating func emit(
    _ step: MapStep, _ index: Int, _ layer: LayerID, _ nest: TiledNest, _ bodies: inout [QueueID: [Program.Node]]
  ) -> QueueID {
    let choice = plan.choices[index]
    let name = graph.steps[index].name
    var waits: [Wait] = []
    var signals: [Signal] = []
    var places: [OperandPlace] = []
    for input in step.inputs.indices {
      let addressing = step.addressing(input, nest, graph)
      if step.isResident(input, choice, graph), case .tensor(let tensor) = step.inputs[input].source {
        places.append(resident(tensor))
        continue
      }
      let innermost = nest.innermost(of: addressing.relevant)
      let inBuffer = buffer(
        index, "in\(input)", slotBytes: aligned(addressing.boxBytes), visit: nest.visitNumber(innermost: innermost))
      places.append(.buffer(inBuffer))
      let source: AddressGenerator
      switch step.inputs[input].source {
      case .tensor(let tensor): source = addressing.box(in: dram, base: dramBase(tensor))
      case .constant(let id):
        let region = constantRegion(step.constants[id], step: name)
        source = addressing.box(in: dram, base: base(ofRegion: region))
      }
      let channels = load(
        "in\(input)", of: index, from: source, to: addressing.box(in: inBuffer), innermost: innermost, nest: nest,
        consumer: queues.vector, layer: layer, bodies: &bodies)
      waits.append(Wait(channels.data, when: nest.firstTrip(inside: innermost)))
      signals.append(Signal(channels.space, at: .written, when: nest.lastTrip(inside: innermost)))
    }

    let output = step.outputAddressing(nest, graph)
    let outInnermost = nest.loops.count - 1
    let outPlace: OperandPlace =
      choice.keepsOutput
      ? resident(step.output)
      : .buffer(
        buffer(
          index, "out", slotBytes: aligned(output.boxBytes), visit: nest.visitNumber(innermost: outInnermost)))
    if choice.storesOutput {
      let channels = store(
        "\(name).out", from: output.box(at: outPlace), to: output.box(in: dram, base: dramBase(step.output)),
        slots: choice.keepsOutput ? nil : choice.slots["out"] ?? 1, guards: [], producer: queues.vector, layer: layer,
        bodies: &bodies, trips: nest.visitCount(innermost: outInnermost))
      if let channels {
        if !choice.keepsOutput { waits.append(Wait(channels.space)) }
        signals.append(Signal(channels.data, at: .written))
      }
    }

    for (position, stage) in step.stages.enumerated() {
      let results = step.dims.indices.filter { !stage.reduced.contains($0) && !stage.absent.contains($0) }
      let all = results + stage.reduced
      var generators: [AddressGenerator] = []
      for (operand, input) in zip(stage.operands, stage.kernel.inputs) {
        let over = input.scope == .point ? all : results
        switch operand {
        case .input(let id):
          generators.append(step.addressing(id, nest, graph).elements(at: places[id], over: over))
        case .temporary(let id): generators.append(temporary(id, step, index, nest, over))
        }
      }
      let target =
        stage.target.map { temporary($0, step, index, nest, results) }
        ?? output.elements(at: outPlace, over: results)
      let map = Map(
        kernel: program.add(kernel: stage.kernel), inputs: generators, output: target,
        reduced: stage.reduced.reduce(1) { $0 * step.dims[$1].extent })
      bodies[queues.vector, default: []].append(
        .command(
          Command(
            .vector(map), layer: layer, waits: position == 0 ? waits : [],
            signals: position == step.stages.count - 1 ? signals : [])))
    }
    return choice.storesOutput ? queues.store : queues.vector
  }

  /// A temporary, addressed over the given dims; dims that it does not have repeat its elements.
  private func temporary(
    _ id: Int, _ step: MapStep, _ index: Int, _ nest: TiledNest, _ dims: [Int]
  ) -> AddressGenerator {
    let temporary = step.temporaries[id]
    var strides: [Int: Int] = [:]
    var stride = temporary.format.bits
    for dim in temporary.dims.reversed() {
      strides[dim] = stride
      stride *= nest.length(dim).largest
    }
    guard let base = plan.bufferBase[index]["temporary\(id)"] else {
      preconditionFailure("temporary \(id) of step \(index) has no place")
    }
    return AddressGenerator(
      memory: spad, baseBits: Affine(base * 8), elementBits: temporary.format.bits,
      dims: dims.map { .init(nest.length($0), strideBits: strides[$0] ?? 0) })
  }
}
