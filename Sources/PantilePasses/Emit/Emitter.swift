import PantileProgram
import PantileSupport

/// Writes a plan out as a Program: queues with their loops, channels, regions and weight images.
///
/// Every queue of a step has the step's whole loop nest; guards pick the trips in which its commands take place. A
/// buffer with s slots has a `data` and a `space` channel. A step starts when the last command of the step before has
/// ended; the queues that take part in it wait for that. Only the first slots of prefetched buffers are filled before.
struct Emitter {
  struct Names {
    var core = "core0"
    var array: String?
    var drain: String?
    var vector: String
    var load: String
    var store: String
  }

  let graph: StepGraph
  let plan: ExecutionPlan
  let withImages: Bool
  let regionAlignment: Int
  var program: Program
  let dram: MemoryID
  let spad: MemoryID
  let acc: MemoryID?
  let queues: Queues
  /// The DRAM region of each storage that is ever off chip.
  var regionOfStorage: [RegionID?]
  var nextDRAM = 0
  private var orderChannels: [Pair: ChannelID] = [:]
  /// The command that ends each emitted step: the last of this node of this queue.
  private var finals: [(queue: QueueID, node: Int)] = []
  /// The last step whose end the load queue has waited for.
  private var loadedAfter = -1

  struct Queues {
    var load: QueueID
    var array: QueueID?
    var drain: QueueID?
    var vector: QueueID
    var store: QueueID

    var all: [QueueID] { [load] + (array.map { [$0] } ?? []) + (drain.map { [$0] } ?? []) + [vector, store] }
  }

  private struct Pair: Hashable {
    var from: QueueID
    var to: QueueID
  }

  /// - Parameters:
  ///   - program: holds the chip's memories already.
  ///   - withImages: put the bytes of weights and constants into the Program.
  ///   - regionAlignment: regions of at least so many bytes begin at multiples of it.
  init(
    graph: StepGraph, plan: ExecutionPlan, program: Program, names: Names, withImages: Bool, regionAlignment: Int
  ) throws(DiagnosticError) {
    func memory(_ kind: Program.Memory.Kind) -> MemoryID? {
      program.memories.firstIndex { $0.kind == kind }.map { MemoryID($0) }
    }
    guard let dram = memory(.dram), let spad = memory(.scratchpad) else {
      throw DiagnosticError("no-memory", "the chip needs a dram and a scratchpad")
    }
    var program = program
    func queue(_ engine: String) -> QueueID { program.add(queue: .init(core: names.core, engine: engine)) }
    queues = Queues(
      load: queue(names.load), array: names.array.map { queue($0) }, drain: names.drain.map { queue($0) },
      vector: queue(names.vector), store: queue(names.store))
    self.graph = graph
    self.plan = plan
    self.withImages = withImages
    self.regionAlignment = regionAlignment
    self.program = program
    self.dram = dram
    self.spad = spad
    acc = memory(.accumulator)
    regionOfStorage = graph.storages.map { _ in nil }
  }

  /// The whole Program.
  /// - Throws: `dram-too-small`.
  mutating func emit() throws(DiagnosticError) -> Program {
    addTensorRegions()
    for (index, step) in graph.steps.enumerated() {
      let layer = program.add(
        layer: .init(name: step.name, nodes: step.nodes, kind: step.kind, macs: step.macs))
      var bodies: [QueueID: [Program.Node]] = [:]
      let final: QueueID
      let nest: TiledNest
      beginPrefetch(of: index, layer: layer)
      switch step.body {
      case .contract(let contract):
        nest = contract.nest(plan.choices[index])
        final = emit(contract, index, layer, nest, &bodies)
      case .map(let map):
        nest = map.nest(plan.choices[index])
        final = emit(map, index, layer, nest, &bodies)
      }
      close(layer: layer, nest: nest, final: final, bodies: &bodies)
    }
    guard nextDRAM <= program.memories[dram.offset].bytes else {
      throw DiagnosticError(
        "dram-too-small",
        "network '\(graph.name)' needs \(Bytes(nextDRAM)) off chip but '\(program.memories[dram.offset].name)' has \(Bytes(program.memories[dram.offset].bytes))"
      )
    }
    return program
  }

  // MARK: Regions

  mutating func addRegion(
    _ name: String, bytes: Int, kind: Program.Region.Kind, shape: [Int] = [], element: String = "i8"
  ) -> RegionID {
    let base =
      bytes < regionAlignment
      ? nextDRAM : (nextDRAM + regionAlignment - 1) / regionAlignment * regionAlignment
    nextDRAM = aligned(base + max(1, bytes))
    return program.add(
      region: .init(name: name, memory: dram, base: base, bytes: bytes, kind: kind, shape: shape, element: element))
  }

  private mutating func addTensorRegions() {
    for (list, kind) in [(graph.inputs, Program.Region.Kind.input), (graph.outputs, .output)] {
      for id in list {
        let tensor = graph.tensors[id]
        regionOfStorage[tensor.storage] = addRegion(
          tensor.name, bytes: tensor.byteCount, kind: kind, shape: tensor.shape, element: tensor.format.rawValue)
      }
    }
    // Whatever some step stores, or streams in, has a place off chip.
    for (index, step) in graph.steps.enumerated() {
      var offChip = step.reads.map { graph.tensors[$0].storage }
        .filter { !plan.choices[index].residentReads.contains($0) }
      if plan.choices[index].storesOutput { offChip.append(graph.tensors[step.write].storage) }
      for storage in offChip where regionOfStorage[storage] == nil {
        regionOfStorage[storage] = addRegion(
          graph.storages[storage].name, bytes: graph.storages[storage].bytes, kind: .spill)
      }
    }
  }

  func base(ofRegion region: RegionID) -> Int { program.regions[region.offset].base }

  /// The DRAM base of a tensor's storage.
  func dramBase(_ tensor: Int) -> Int {
    guard let region = regionOfStorage[graph.tensors[tensor].storage] else {
      preconditionFailure("storage of '\(graph.tensors[tensor].name)' has no region")
    }
    return base(ofRegion: region)
  }

  // MARK: Buffers and channels

  /// Where a kept storage lies.
  func resident(_ tensor: Int) -> OperandPlace {
    guard let base = plan.residentBase[graph.tensors[tensor].storage] else {
      preconditionFailure("'\(graph.tensors[tensor].name)' is not kept")
    }
    return .resident(memory: spad, base: base)
  }

  func buffer(_ step: Int, _ name: String, slotBytes: Int, visit: Affine) -> OperandPlace.Buffer {
    guard let base = plan.bufferBase[step][name], let slots = plan.choices[step].slots[name] else {
      preconditionFailure("buffer '\(name)' of step \(step) has no place")
    }
    return .init(memory: spad, base: base, slots: slots, slotBytes: slotBytes, visit: visit)
  }

  struct Handshake {
    var data: ChannelID
    var space: ChannelID
  }

  mutating func handshake(_ name: String, slots: Int, from producer: QueueID, to consumer: QueueID) -> Handshake {
    Handshake(
      data: program.add(
        channel: .init(
          name: "\(name).data", role: .data, producer: producer, consumer: consumer, initial: 0, capacity: slots)),
      space: program.add(
        channel: .init(
          name: "\(name).space", role: .space, producer: consumer, consumer: producer, initial: slots, capacity: slots)
      ))
  }

  // MARK: Steps in sequence

  /// A prefetch takes room that the step before its first may have used.
  private mutating func beginPrefetch(of step: Int, layer: LayerID) {
    guard !plan.choices[step].prefetched.isEmpty,
      let wait = waitOfLoads(forEndOf: plan.choices[step].prefetchStart - 1)
    else { return }
    program.queues[queues.load.offset].body.append(.command(Command(.sync, layer: layer, waits: [wait])))
  }

  /// What the load queue has to wait for before it may rely on the end of a step; nil when it knows of it already.
  private mutating func waitOfLoads(forEndOf step: Int) -> Wait? {
    guard step > loadedAfter, finals[step].queue != queues.load else { return nil }
    loadedAfter = step
    return Wait(signalAtEnd(of: step, to: queues.load))
  }

  /// Puts the bodies into the queues: the wait for the step before in front, the signals for the step after at the end
  /// of the final command.
  private mutating func close(
    layer: LayerID, nest: TiledNest, final: QueueID, bodies: inout [QueueID: [Program.Node]]
  ) {
    if let previous = finals.last {
      for queue in queues.all where bodies[queue] != nil && queue != previous.queue && queue != queues.load {
        let wait = Wait(signalAtEnd(of: finals.count - 1, to: queue))
        program.queues[queue.offset].body.append(.command(Command(.sync, layer: layer, waits: [wait])))
      }
    }
    for queue in queues.all {
      if let body = bodies[queue] { program.queues[queue.offset].body += nest.wrap(body) }
    }
    finals.append((final, program.queues[final.offset].body.count - 1))
  }

  private mutating func orderChannel(from: QueueID, to: QueueID) -> ChannelID {
    let pair = Pair(from: from, to: to)
    if let known = orderChannels[pair] { return known }
    let channel = program.add(
      channel: .init(
        name: "order.\(program.queues[from.offset].engine).\(program.queues[to.offset].engine)", role: .order,
        producer: from, consumer: to, initial: 0,
        // Loads may have two ends before them: of the step before their prefetch, and of the step before theirs.
        capacity: to == queues.load ? 2 : 1))
    orderChannels[pair] = channel
    return channel
  }

  /// Adds a signal to the command that ends a step, in the last trip of all loops around it.
  private mutating func signalAtEnd(of step: Int, to consumer: QueueID) -> ChannelID {
    let (queue, node) = finals[step]
    let channel = orderChannel(from: queue, to: consumer)
    func patch(_ node: inout Program.Node, depth: Int) {
      switch node {
      case .loop(let count, var body):
        guard let last = body.indices.last else { return }
        patch(&body[last], depth: depth + 1)
        node = .loop(count: count, body)
      case .command(var command):
        // Loops in which the command is guarded to the last trip need no second guard.
        let guarded = Set(command.guards.filter { $0.position == .last }.map(\.depth))
        let guards = (0..<depth).filter { !guarded.contains($0) }.map { Guard(.last, $0) }
        command.signals.append(Signal(channel, at: .written, when: guards))
        node = .command(command)
      }
    }
    patch(&program.queues[queue.offset].body[node], depth: 0)
    return channel
  }

  /// Loads of one operand of a step into its buffer, for each of its visits.
  mutating func load(
    _ operand: String, of step: Int, from source: AddressGenerator, to buffer: AddressGenerator, innermost: Int,
    nest: TiledNest, consumer: QueueID, layer: LayerID, bodies: inout [QueueID: [Program.Node]]
  ) -> Handshake {
    let choice = plan.choices[step]
    let channels = handshake(
      "\(graph.steps[step].name).\(operand)", slots: choice.slots[operand] ?? 1, from: queues.load, to: consumer)
    let guards = nest.firstTrip(inside: innermost)
    var waits = [Wait(channels.space)]
    if !choice.prefetched.contains(operand), var order = waitOfLoads(forEndOf: step - 1) {
      order.guards = nest.firstTrip(inside: -1).filter { !guards.contains($0) }
      waits.append(order)
    }
    bodies[queues.load, default: []].append(
      .command(
        Command(
          .copy(Copy(from: source, to: buffer)), layer: layer, when: guards, waits: waits,
          signals: [Signal(channels.data, at: .written)])))
    return channels
  }

  /// The store of an output tile from its buffer or from the kept tensor.
  mutating func store(
    _ name: String, from source: AddressGenerator, to destination: AddressGenerator, slots: Int?, guards: [Guard],
    producer: QueueID, layer: LayerID, bodies: inout [QueueID: [Program.Node]], trips: Int
  ) -> Handshake? {
    if let slots {
      let channels = handshake(name, slots: slots, from: producer, to: queues.store)
      bodies[queues.store, default: []].append(
        .command(
          Command(
            .copy(Copy(from: source, to: destination)), layer: layer, when: guards, waits: [Wait(channels.data)],
            signals: [Signal(channels.space, at: .read(0))])))
      return channels
    }
    let data = program.add(
      channel: .init(
        name: "\(name).data", role: .data, producer: producer, consumer: queues.store, initial: 0,
        capacity: max(1, trips)))
    bodies[queues.store, default: []].append(
      .command(
        Command(.copy(Copy(from: source, to: destination)), layer: layer, when: guards, waits: [Wait(data)])))
    return Handshake(data: data, space: data)
  }
}
