import PantileEngines
import PantileProgram
import PantileSupport
import PantileTensor

/// Executes a Program's commands on values, one at a time, in an order that the caller or a seed chooses.
///
/// Any order that respects the tokens gives the same bits (the Program's verifier proves it), so this run knows no
/// cycles.
public final class FunctionalRun {
  private let program: Program
  private let machine: Machine
  private var cursors: [QueueCursor]
  private var tokens: [Int]
  private let images: [MemoryImage]
  /// The array of each queue; nil for other engines.
  private let arrays: [ArrayEngine?]
  private var kernels = KernelRunner()
  private var copies = CopyScratch()
  private var operandA: [Int8] = []
  private var operandB: [Int8] = []
  private var indices: [UInt8] = []
  private var floatA: [Float] = []
  private var floatB: [Float] = []
  public private(set) var commandsRun = 0
  private var recorder: DataProfile.Recorder?
  /// What the macro tiles so far took on arrays whose times depend on values; nil when it was not asked for.
  public var profile: DataProfile? { recorder?.profile }

  /// - Parameter profiles: note what tiles take on arrays whose times depend on values.
  /// - Throws: `chip-mismatch` when the Program does not fit the machine.
  public init(_ program: Program, on machine: Machine, profiles: Bool = false) throws(DiagnosticError) {
    try machine.check(program)
    self.program = program
    self.machine = machine
    if profiles { recorder = DataProfile.Recorder(queues: program.queues.count) }
    cursors = program.queues.map { QueueCursor(FlatQueue($0)) }
    tokens = program.channels.map(\.initial)
    images = program.memories.enumerated().map { index, memory in
      let used = program.regions.reduce(0) {
        $1.memory.offset == index ? max($0, $1.base + $1.bytes) : $0
      }
      return MemoryImage(byteCount: memory.kind == .dram ? used : memory.bytes)
    }
    arrays = program.queues.map { queue in
      guard let engine = machine.engines.first(where: { $0.name == queue.engine }), case .array(let array) = engine.unit
      else { return nil }
      return array
    }
    for image in program.images {
      let region = program.regions[image.region.offset]
      let target = images[region.memory.offset].bytes
      image.bytes.withUnsafeBytes { source in
        guard let base = source.baseAddress else { return }
        UnsafeMutableRawBufferPointer(rebasing: target[region.base..<region.base + source.count]).copyMemory(
          from: UnsafeRawBufferPointer(start: base, count: source.count))
      }
    }
  }

  // MARK: Inputs and outputs

  /// Puts a tensor into an input region.
  /// - Throws: `input-shape` when shape or element type differ from the region's; `unknown-input`.
  public func setInput(_ name: String, _ tensor: HostTensor) throws(DiagnosticError) {
    guard let id = program.region(named: name, kind: .input) else {
      let names = program.regions.filter { $0.kind == .input }.map(\.name)
      throw DiagnosticError(
        "unknown-input", "the program has no input '\(name)'", hint: "its inputs are \(names.joined(separator: ", "))")
    }
    let region = program.regions[id.offset]
    guard tensor.shape == region.shape, tensor.elementType.rawValue == region.element else {
      throw DiagnosticError(
        "input-shape",
        "input '\(name)' is \(tensor.shape.map(String.init).joined(separator: "x"))x\(tensor.elementType.rawValue), the program takes \(region.shape.map(String.init).joined(separator: "x"))x\(region.element)"
      )
    }
    let target = images[region.memory.offset].bytes
    tensor.withUnsafeBytes { source in
      UnsafeMutableRawBufferPointer(rebasing: target[region.base..<region.base + source.count]).copyMemory(from: source)
    }
  }

  /// The outputs in region order (graph-output order), with their names.
  public func outputs() -> [(name: String, tensor: HostTensor)] {
    program.regions.filter { $0.kind == .output }.map { region in
      let bytes = UnsafeRawBufferPointer(images[region.memory.offset].bytes)
      let type = ElementType(rawValue: region.element) ?? .ui8
      let count = region.shape.reduce(1, *) * type.storageBytes
      return (
        region.name,
        HostTensor(
          shape: region.shape, elementType: type,
          bytes: UnsafeRawBufferPointer(rebasing: bytes[region.base..<region.base + count]))
      )
    }
  }

  /// The bytes of a memory as they are now: of a DRAM those up to its last region, else all.
  public func bytes(of memory: MemoryID) -> [UInt8] {
    let memory = memory.offset
    let used = program.regions.reduce(0) { $1.memory.offset == memory ? max($0, $1.base + $1.bytes) : $0 }
    let count = program.memories[memory].kind == .dram ? used : program.memories[memory].bytes
    return Array(images[memory].bytes.prefix(count))
  }

  // MARK: Running

  /// Whether the next command of the queue has its tokens.
  public func canStep(_ queue: Int) -> Bool {
    guard cursors[queue].current != nil else { return false }
    let loops = cursors[queue].loops
    for wait in cursors[queue].command.waits where wait.guards.hold(at: loops) {
      if tokens[wait.channel.offset] < wait.count { return false }
    }
    return true
  }

  /// Executes the next command of the queue.
  /// - Precondition: `canStep(queue)`.
  public func step(_ queue: Int) {
    let command = cursors[queue].command
    let loops = cursors[queue].loops
    for wait in command.waits where wait.guards.hold(at: loops) { tokens[wait.channel.offset] -= wait.count }
    execute(command.operation, loops: loops, queue: queue)
    for signal in command.signals where signal.guards.hold(at: loops) { tokens[signal.channel.offset] += signal.count }
    commandsRun += 1
    cursors[queue].advance()
  }

  /// Runs to the end: with a seed in a random legal order, else queue after queue as far as each can go.
  ///
  /// - Throws: `deadlock` when no queue can go on.
  public func run(orderSeed: UInt64? = nil) throws(DiagnosticError) {
    var generator = SplitMix64(seed: orderSeed ?? 0)
    while true {
      var progress = false
      if orderSeed != nil {
        let ready = cursors.indices.filter { canStep($0) }
        if let queue = ready.isEmpty ? nil : ready[generator.next(below: ready.count)] {
          step(queue)
          progress = true
        }
      } else {
        for queue in cursors.indices {
          while canStep(queue) {
            step(queue)
            progress = true
          }
        }
      }
      if !progress { break }
    }
    guard cursors.allSatisfy({ $0.current == nil }) else {
      throw DiagnosticError("deadlock", "the program stops before its end; verify() names the waits")
    }
  }

  private func execute(_ operation: Command.Operation, loops: LoopState, queue: Int) {
    switch operation {
    case .sync: break
    case .copy(let copy):
      CopyFunction.run(
        from: copy.source.resolved(at: loops), in: images[copy.source.memory.offset],
        to: copy.destination.resolved(at: loops), in: images[copy.destination.memory.offset], scratch: &copies)
    case .drain(let map), .vector(let map):
      let kernel = program.kernels[map.kernel.offset]
      var accesses: [ResolvedAccess] = []
      for (input, generator) in zip(kernel.inputs, map.inputs) {
        accesses.append(generator.resolved(at: loops, reduced: input.scope == .point ? map.reduced : 1))
      }
      kernels.run(
        kernel, inputs: accesses, output: map.output.resolved(at: loops), reduced: map.reduced, images: images)
    case .contract(let tile):
      contract(tile, loops: loops, queue: queue)
    }
  }

  private func contract(_ tile: Contract, loops: LoopState, queue: Int) {
    guard let array = arrays[queue] else { preconditionFailure("queue \(queue) is no array; Machine.check proves it") }
    let extents = TileExtents(m: tile.m.value(at: loops), k: tile.k.value(at: loops), n: tile.n.value(at: loops))
    let format = tile.format
    let accumulators = tile.accumulators.resolvedRows(at: loops)
    let accumulate: Bool =
      switch tile.initial {
      case .zero: false
      case .accumulate: true
      case .zeroInFirst(let depth): !loops.isFirst(depth)
      }
    if format.numbers != .integer {
      return contractFloats(tile, extents, array, accumulators, accumulate: accumulate, loops: loops)
    }
    let stored = format.storedRows(k: extents.k)
    if operandA.count < extents.m * extents.k { operandA = [Int8](repeating: 0, count: extents.m * extents.k) }
    if operandB.count < stored * extents.n { operandB = [Int8](repeating: 0, count: stored * extents.n) }
    operandA.withUnsafeMutableBufferPointer { a in
      operandB.withUnsafeMutableBufferPointer { b in
        // The buffers hold at least one element each: extents are positive.
        guard let a = a.baseAddress, let b = b.baseAddress else { return }
        images[tile.a.memory.offset].gather(tile.a.resolved(at: loops), signed: a)
        images[tile.b.memory.offset].gather(tile.b.resolved(at: loops), signed: b)
        let first: UnsafeMutablePointer<Int32> = sums(tile, extents, accumulators)
        if let generator = tile.indices {
          let count = stored * extents.n
          if indices.count < count { indices = [UInt8](repeating: 0, count: count) }
          indices.withUnsafeMutableBufferPointer { side in
            guard let side = side.baseAddress else { return }
            images[generator.memory.offset].gather(generator.resolved(at: loops), unsigned: side)
            run(
              array, extents, format,
              ArrayOperands(
                a: a, b: b, indices: side, accumulators: first,
                accumulatorStride: accumulators.stride),
              accumulate, queue: queue)
          }
        } else {
          run(
            array, extents, format,
            ArrayOperands(a: a, b: b, accumulators: first, accumulatorStride: accumulators.stride), accumulate,
            queue: queue)
        }
      }
    }
  }

  /// A macro tile on an array of integers, and its measure where one is asked for.
  private func run(
    _ array: ArrayEngine, _ extents: TileExtents, _ format: ContractionFormat, _ operands: ArrayOperands,
    _ accumulate: Bool, queue: Int
  ) {
    array.function(extents, format, operands, accumulate)
    guard recorder != nil, let measure = array.measure else { return }
    recorder?.add(measure(extents, format, operands, accumulate), queue: queue)
  }

  private func contractFloats(
    _ tile: Contract, _ extents: TileExtents, _ array: ArrayEngine, _ accumulators: (base: Int, stride: Int),
    accumulate: Bool, loops: LoopState
  ) {
    guard let function = array.floatFunction else {
      preconditionFailure("an array without a meaning for \(tile.numbers); Machine.check proves it has")
    }
    if floatA.count < extents.m * extents.k { floatA = [Float](repeating: 0, count: extents.m * extents.k) }
    if floatB.count < extents.k * extents.n { floatB = [Float](repeating: 0, count: extents.k * extents.n) }
    floatA.withUnsafeMutableBufferPointer { a in
      floatB.withUnsafeMutableBufferPointer { b in
        guard let a = a.baseAddress, let b = b.baseAddress else { return }
        images[tile.a.memory.offset].gather(tile.a.resolved(at: loops), floats: a, as: tile.numbers)
        images[tile.b.memory.offset].gather(tile.b.resolved(at: loops), floats: b, as: tile.numbers)
        function(
          extents,
          FloatOperands(
            a: a, b: b, accumulators: sums(tile, extents, accumulators), accumulatorStride: accumulators.stride),
          accumulate)
      }
    }
  }

  /// The first accumulator of a tile, as 32-bit integers or as Float.
  private func sums<Sum>(
    _ tile: Contract, _ extents: TileExtents, _ rows: (base: Int, stride: Int)
  ) -> UnsafeMutablePointer<Sum> {
    let words = images[tile.accumulators.memory.offset].bytes.assumingMemoryBound(to: Sum.self)
    guard let first = words.baseAddress, rows.base >= 0,
      rows.base + (extents.m - 1) * rows.stride + extents.n <= words.count
    else { preconditionFailure("accumulators outside their memory") }
    return first + rows.base
  }
}

extension AddressGenerator {
  /// Base and row stride of accumulators, in 32-bit words.
  fileprivate func resolvedRows(at loops: LoopState) -> (base: Int, stride: Int) {
    var base = baseBits.value(at: loops)
    if let rotation { base += (rotation.index.value(at: loops) % rotation.slots) * rotation.slotBits }
    return (base / 32, dims[0].strideBits / 32)
  }
}
