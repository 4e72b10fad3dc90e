import PantileEngines
import PantileProgram
import PantileSupport

extension Emitter {
  /// Loads, array tiles, drains and stores of one contraction.
  /// - Returns: the queue whose last command ends the step.
  mutating func emit(
    _ step: ContractStep, _ index: Int, _ layer: LayerID, _ nest: TiledNest, _ bodies: inout [QueueID: [Program.Node]]
  ) -> QueueID {
    typealias D = ContractStep.Dim
    guard let array = queues.array, let drain = queues.drain, let acc else {
      preconditionFailure("a contraction was planned for a chip without array, drain and accumulators")
    }
    let choice = plan.choices[index]
    let name = graph.steps[index].name
    let addressing = step.addressing(nest, graph)
    func slots(_ buffer: String) -> Int { choice.slots[buffer] ?? 1 }
    func visits(_ dims: Set<Int>) -> (innermost: Int, visit: Affine) {
      let innermost = nest.innermost(of: dims)
      return (innermost, nest.visitNumber(innermost: innermost))
    }

    // Weights, and the indices of kept ones.
    let columns = nest.length(D.n)
    let w: (innermost: Int, visit: Affine)
    var wChannels: Handshake?
    let weightOperand: AddressGenerator
    var indexOperand: AddressGenerator?
    var indexChannels: Handshake?
    if let weightTensor = step.weightTensor, let weights = addressing.weights {
      w = visits(weights.relevant)
      let fetched = fetch("w", weightTensor.tensor, weights, of: index, w, nest, for: array, layer, &bodies)
      wChannels = fetched.channels
      weightOperand = weights.elements(at: fetched.place, over: [D.r, D.s, D.c, D.n])
    } else {
      w = visits([D.g, D.n, D.c])
      let stored = emitWeightBlocks(step, index, layer, nest, w, consumer: array, &bodies)
      (weightOperand, wChannels) = (stored.weights, stored.weightChannels)
      (indexOperand, indexChannels) = (stored.indices, stored.indexChannels)
    }

    // What the drain reads beside sums, one box for each tile of g and n: parameters of the requantisation, or a bias of floats.
    let m = nest.length(D.b).product(nest.length(D.p)).product(nest.length(D.q))
    let points = [D.b, D.p, D.q, D.n]
    let parameter = visits([D.g, D.n])
    var parameterInputs: [AddressGenerator] = []
    var parameterChannels: Handshake?
    if step.numbers == .integer {
      let region = parameterRegion(step, name, nest)
      let bytes = ContractStep.parameterBytes(columns: columns.largest)
      let own = buffer(index, "parameters", slotBytes: aligned(bytes), visit: parameter.visit)
      let pair = blockLoad(region, bytes, nest.loopIndex(D.g) * nest.trips(D.n) + nest.loopIndex(D.n), own)
      parameterChannels = load(
        "parameters", of: index, from: pair.0, to: pair.1, innermost: parameter.innermost, nest: nest,
        consumer: drain, layer: layer, bodies: &bodies)
      parameterInputs = (0..<3).map { parameterRow(own, $0, m, columns) }
    } else if let biasTensor = step.biasTensor, let bias = addressing.bias {
      let fetched = fetch("bias", biasTensor.tensor, bias, of: index, parameter, nest, for: drain, layer, &bodies)
      parameterChannels = fetched.channels
      parameterInputs = [bias.elements(at: fetched.place, over: points)]
    }

    // Activations.
    let x = visits(addressing.x.relevant)
    let (xPlace, xChannels) = fetch("x", step.x, addressing.x, of: index, x, nest, for: array, layer, &bodies)

    // Residual.
    let outputDims: Set<Int> = [D.g, D.b, D.p, D.q, D.n]
    let out = visits(outputDims)
    var residualPlace: OperandPlace?
    var residualChannels: Handshake?
    if let residual = step.residual, let residualAddressing = addressing.residual {
      let fetched = fetch(
        "residual", residual.tensor, residualAddressing, of: index, out, nest, for: drain, layer, &bodies)
      (residualPlace, residualChannels) = (fetched.place, fetched.channels)
    }

    // The array: one macro tile a trip; accumulators are handed over after the last tile of c.
    let accSlots = slots("acc")
    let accSlotBytes = m.largest * columns.largest * 4
    let accumulators = AddressGenerator(
      memory: acc, baseBits: Affine(0), elementBits: 32,
      dims: [.init(m, strideBits: columns.largest * 32), .init(columns, strideBits: 32)],
      rotation: accSlots == 1 ? nil : .init(index: out.visit, slots: accSlots, slotBits: accSlotBytes * 8))
    let accChannels = handshake("\(name).acc", slots: accSlots, from: array, to: drain)
    var waits: [Wait] = []
    var signals: [Signal] = []
    if let wChannels {
      waits.append(Wait(wChannels.data, when: nest.firstTrip(inside: w.innermost)))
      signals.append(Signal(wChannels.space, at: .read(1), when: nest.lastTrip(inside: w.innermost)))
    }
    if let indexChannels {
      waits.append(Wait(indexChannels.data, when: nest.firstTrip(inside: w.innermost)))
      signals.append(Signal(indexChannels.space, at: .read(2), when: nest.lastTrip(inside: w.innermost)))
    }
    if let xChannels {
      waits.append(Wait(xChannels.data, when: nest.firstTrip(inside: x.innermost)))
      signals.append(Signal(xChannels.space, at: .read(0), when: nest.lastTrip(inside: x.innermost)))
    }
    waits.append(Wait(accChannels.space, when: nest.firstTrip(inside: out.innermost)))
    signals.append(Signal(accChannels.data, at: .written, when: nest.lastTrip(inside: out.innermost)))
    let tile = Contract(
      a: addressing.x.elements(at: xPlace, over: [D.b, D.p, D.q, D.r, D.s, D.c]),
      b: weightOperand, indices: indexOperand, accumulators: accumulators, m: m, n: columns,
      k: nest.length(D.c).scaled(by: step.extents[D.r] * step.extents[D.s]), activationBits: step.format.activationBits,
      weightBits: step.weightBits, numbers: step.numbers, sparsity: step.sparsity,
      initial: nest.depth(of: D.c).map { .zeroInFirst(depth: $0) } ?? .zero)
    bodies[array, default: []].append(
      .command(Command(.contract(tile), layer: layer, waits: waits, signals: signals)))

    // The drain, and the store.
    let drainGuards = nest.lastTrip(inside: out.innermost)
    let outPlace: OperandPlace
    if choice.keepsOutput {
      outPlace = resident(step.output)
    } else {
      outPlace = .buffer(
        buffer(index, "out", slotBytes: aligned(addressing.output.boxBytes), visit: out.visit))
    }
    var drainWaits = [Wait(accChannels.data)]
    var drainSignals = [Signal(accChannels.space, at: .written)]
    if let parameterChannels {
      drainWaits.append(
        Wait(parameterChannels.data, when: nest.firstTrip(inside: parameter.innermost).outside(drainGuards)))
      drainSignals.append(
        Signal(
          parameterChannels.space, at: .written, when: nest.lastTrip(inside: parameter.innermost).outside(drainGuards)))
    }
    if let residualChannels {
      drainWaits.append(Wait(residualChannels.data))
      drainSignals.append(Signal(residualChannels.space, at: .written))
    }
    if choice.storesOutput {
      let channels = store(
        "\(name).out", from: addressing.output.box(at: outPlace),
        to: addressing.output.box(in: dram, base: dramBase(step.output)),
        slots: choice.keepsOutput ? nil : slots("out"), guards: drainGuards, producer: drain, layer: layer,
        bodies: &bodies, trips: nest.visitCount(innermost: out.innermost))
      if let channels {
        if !choice.keepsOutput { drainWaits.append(Wait(channels.space)) }
        drainSignals.append(Signal(channels.data, at: .written))
      }
    }
    var inputs = [accumulators] + parameterInputs
    if let residualPlace, let residualAddressing = addressing.residual {
      inputs.append(residualAddressing.elements(at: residualPlace, over: points))
    }
    let map = Map(
      kernel: program.add(kernel: EpilogueKernel.make(step, in: graph)), inputs: inputs,
      output: addressing.output.elements(at: outPlace, over: points))
    bodies[drain, default: []].append(
      .command(Command(.drain(map), layer: layer, when: drainGuards, waits: drainWaits, signals: drainSignals)))
    return choice.storesOutput ? queues.store : drain
  }

  /// A tensor that the step reads: where it is kept, or in a buffer of its own with the load that fills it.
  private mutating func fetch(
    _ label: String, _ tensor: Int, _ addressing: OperandAddressing, of index: Int,
    _ visits: (innermost: Int, visit: Affine), _ nest: TiledNest, for consumer: QueueID, _ layer: LayerID,
    _ bodies: inout [QueueID: [Program.Node]]
  ) -> (place: OperandPlace, channels: Handshake?) {
    if plan.choices[index].residentReads.contains(graph.tensors[tensor].storage) { return (resident(tensor), nil) }
    let own = buffer(index, label, slotBytes: aligned(addressing.boxBytes), visit: visits.visit)
    let channels = load(
      label, of: index, from: addressing.box(in: dram, base: dramBase(tensor)), to: addressing.box(in: own),
      innermost: visits.innermost, nest: nest, consumer: consumer, layer: layer, bodies: &bodies)
    return (.buffer(own), channels)
  }

  /// What the array reads of constant weights, and what says that they are there.
  private struct StoredWeights {
    var weights: AddressGenerator
    var weightChannels: Handshake
    var indices: AddressGenerator?
    var indexChannels: Handshake?
  }

  /// Loads of constant weights, one block for each tile of g, n and c.
  private mutating func emitWeightBlocks(
    _ step: ContractStep, _ index: Int, _ layer: LayerID, _ nest: TiledNest, _ w: (innermost: Int, visit: Affine),
    consumer array: QueueID, _ bodies: inout [QueueID: [Program.Node]]
  ) -> StoredWeights {
    typealias D = ContractStep.Dim
    let columns = nest.length(D.n)
    let block = step.blockBytes(channels: nest.length(D.c).largest, columns: columns.largest)
    let blocks = weightRegions(step, graph.steps[index].name, nest)
    let blockNumber =
      nest.loopIndex(D.g) * (nest.trips(D.n) * nest.trips(D.c)) + nest.loopIndex(D.n) * nest.trips(D.c)
      + nest.loopIndex(D.c)
    let wBuffer = buffer(index, "w", slotBytes: aligned(block.weights), visit: w.visit)
    let wPair = blockLoad(blocks.weights, block.weights, blockNumber, wBuffer)
    let wChannels = load(
      "w", of: index, from: wPair.0, to: wPair.1, innermost: w.innermost, nest: nest, consumer: array,
      layer: layer, bodies: &bodies)
    func blockOperand(_ buffer: OperandPlace.Buffer, bits: Int, rowBytes: Int) -> AddressGenerator {
      let channels = nest.length(D.c)
      let stored = Extent(step.storedChannels(channels.full))
      let rows =
        channels.depth.map {
          Extent(full: stored.full, last: step.storedChannels(channels.last), depth: $0)
        } ?? stored
      return AddressGenerator(
        memory: spad, baseBits: Affine(buffer.base * 8), elementBits: bits,
        dims: [
          .init(step.extents[D.r] * step.extents[D.s], strideBits: rows.largest * rowBytes * 8),
          .init(rows, strideBits: rowBytes * 8), .init(columns, strideBits: bits),
        ], rotation: buffer.rotation)
    }
    var stored = StoredWeights(
      weights: blockOperand(wBuffer, bits: step.weightBits, rowBytes: step.weightRowBytes(columns.largest)),
      weightChannels: wChannels)
    if let region = blocks.indices {
      let indexBuffer = buffer(index, "index", slotBytes: aligned(block.indices), visit: w.visit)
      let pair = blockLoad(region, block.indices, blockNumber, indexBuffer)
      stored.indexChannels = load(
        "index", of: index, from: pair.0, to: pair.1, innermost: w.innermost, nest: nest,
        consumer: array, layer: layer, bodies: &bodies)
      stored.indices = blockOperand(
        indexBuffer, bits: step.indexBits, rowBytes: step.indexRowBytes(columns.largest))
    }
    return stored
  }

  /// Both ends of the load of a block of a region of blocks of equal size.
  private func blockLoad(
    _ region: RegionID, _ bytes: Int, _ number: Affine, _ buffer: OperandPlace.Buffer
  ) -> (AddressGenerator, AddressGenerator) {
    (
      AddressGenerator(
        memory: dram, baseBits: number * (bytes * 8) + base(ofRegion: region) * 8, elementBits: 8,
        dims: [.init(bytes, strideBits: 8)]),
      AddressGenerator(
        memory: spad, baseBits: Affine(buffer.base * 8), elementBits: 8, dims: [.init(bytes, strideBits: 8)],
        rotation: buffer.rotation)
    )
  }

  /// One parameter row of a tile, repeated for every row of the accumulators.
  private func parameterRow(
    _ buffer: OperandPlace.Buffer, _ row: Int, _ m: Extent, _ columns: Extent
  ) -> AddressGenerator {
    AddressGenerator(
      memory: spad, baseBits: Affine((buffer.base + row * columns.largest * 4) * 8), elementBits: 32,
      dims: [.init(m, strideBits: 0), .init(columns, strideBits: 32)], rotation: buffer.rotation)
  }
}

extension [Guard] {
  /// Without the guards of loops that the command itself is already guarded in.
  fileprivate func outside(_ own: [Guard]) -> [Guard] {
    filter { guarded in !own.contains { $0.depth == guarded.depth } }
  }
}

extension Extent {
  /// The product of two lengths.
  /// - Precondition: at most one of them is ragged.
  func product(_ other: Extent) -> Extent {
    precondition(depth == nil || other.depth == nil, "two ragged extents in one product")
    return depth != nil ? scaled(by: other.full) : other.scaled(by: full)
  }
}

/// The drain's kernel: bias, requantisation, clamp, and a fused quantised addition; of floats the bias.
enum EpilogueKernel {
  static func make(_ step: ContractStep, in graph: StepGraph) -> Kernel {
    if step.numbers != .integer {
      let bias = step.biasTensor.map { graph.tensors[$0.tensor].format }
      let target = graph.tensors[step.output].format
      return Kernel(
        name: (bias == nil ? "sums_" : "sums_bias_") + target.rawValue,
        inputs: [.init(.f32, .point, register: 0)] + (bias.map { [.init($0, .result, register: 1)] } ?? []),
        epilogue: bias == nil ? [] : [.init(.addF32, 0, 0, 1)], output: 0, outputFormat: target)
    }
    var inputs: [Kernel.Input] = [
      .init(.i32, .point, register: 0), .init(.i32, .result, register: 1), .init(.i32, .result, register: 2),
      .init(.i32, .result, register: 3),
    ]
    var body: [Kernel.Instruction] = [
      .init(.addI32, 0, 0, 1), .init(.requantize, 0, 0, 2, [3]),
      .init(.addImmediateI32, 0, 0, 0, [step.zeroPoint]), .init(.clampI32, 0, 0, 0, [step.minimum, step.maximum]),
    ]
    if step.isRaw {
      return Kernel(
        name: "accumulators", inputs: inputs, epilogue: [.init(.addI32, 0, 0, 1)], output: 0, outputFormat: .i32)
    }
    if let residual = step.residual {
      inputs.append(.init(.i8, .result, register: 4))
      body += [
        .init(.addImmediateI32, 0, 0, 0, [-residual.ownZeroPoint]),
        .init(.addImmediateI32, 4, 4, 0, [-residual.otherZeroPoint]),
        .init(.addScaled, 0, 0, 4, [residual.ownMultiplier, residual.otherMultiplier, residual.shift]),
        .init(.addImmediateI32, 0, 0, 0, [residual.zeroPoint]),
        .init(.clampI32, 0, 0, 0, [residual.minimum, residual.maximum]),
      ]
    }
    return Kernel(
      name: step.residual == nil ? "requantize" : "requantize_add", inputs: inputs, epilogue: body, output: 0,
      outputFormat: .i8)
  }
}
