import PantileSupport

/// A Program as one array of 64-bit words: what a sequencer walks, and everything else that the value holds.
///
/// **Format** Words are little-endian. Addresses count words from the start of the image. `n×` is a count word followed by
/// so many items.
///
/// Header, 24 words: magic `PANTILEB`, version, length, hash of all words but this one, then the addresses and counts of
/// memories, regions, channels, queues, kernels, layers, images (address, count each), the address and the length of the
/// names, and zeros.
/// - memory: kind, bytes, banks. region: memory, base, bytes, kind, n× shape. channel: role, producer, consumer, initial, capacity.
/// - queue table: the address of each queue's first entry. Entries are `0` (end); `1, count, exit address` (loop);
///   `2, body address` (end of a loop); `3, next address, ordinal in the queue, operation, layer, guards, waits, signals, body,
///   n× generators` (command).
/// - operation: 0 sync, 1 copy, 2 contract, 3 drain, 4 vector. Body of a contract: extents m, n, k, activation bits (plus
///   256 for bf16, 512 for f16), weight bits, kept, group (0 0 when dense), initial (0 zero, 1 accumulate, 2 + depth zero in the first trip); of a drain or vector: address
///   of the kernel, reduced points; else nothing. Generators stand in operand order, the written one last.
/// - guards: n× `4·depth + position`. waits: n× channel, count, guards. signals: n× channel, point (0 written, 1 + i read of i),
///   count, guards.
/// - extent: full, depth or -1, last. affine: constant, n× depth, coefficient.
/// - generator: memory, element bits, pad value, base, n× (extent, stride), rotation slots (0 none; else followed by index affine, slot
///   bits), n× bounds (offset affine, limit, a coefficient for each dim).
/// - kernel table: the address of each kernel: n× inputs (format, scope, register), prologue, reduction, reduced register,
///   epilogue, output register, output format; instructions: n× operation, destination, a, b, number of immediates, 3 immediates.
/// - layer: MACs, number of nodes. image: region, byte count, bytes packed eight to a word.
/// - names: byte count and packed bytes each: program, chip hash, model hash, memories, regions (name, element), channels, queues (core,
///   engine), kernels, layers (name, kind, nodes).
/// Enumerations are numbered in the order of their declaration. Equal values give equal words, and no other words are read back.
public enum ProgramBinary {
  static let magic = 0x42_454C_4954_4E41_50  // "PANTILEB"
  static let version = 1
  static let headerWords = 24
  /// Where the hash stands.
  package static let hashWord = 3
  /// Where the address of the first table stands.
  static let tablesWord = 4

  enum EntryCode {
    static let end = 0
    static let enter = 1
    static let leave = 2
    static let command = 3
  }

  /// The words of a Program.
  ///
  /// - Precondition: the structure is sound (`Program.structureProblems`).
  public static func words(of program: Program) -> [Int] {
    var writer = BinaryWriter()
    writer.write(program)
    return writer.words
  }

  /// The words as little-endian bytes.
  public static func bytes(of words: [Int]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(words.count * 8)
    for word in words { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
    return bytes
  }

  /// Hash of all words but the hash itself.
  package static func hash(_ words: [Int]) -> Int {
    var hash = StableHash()
    for (index, word) in words.enumerated() where index != hashWord { hash.combine(word) }
    return Int(truncatingIfNeeded: hash.value)
  }

  /// The number of a case in its enumeration.
  static func number<Case: CaseIterable & Equatable>(_ value: Case) -> Int {
    for (index, known) in Case.allCases.enumerated() where known == value { return index }
    preconditionFailure("no case \(value)")
  }
}

private struct BinaryWriter {
  var words = [Int](repeating: 0, count: ProgramBinary.headerWords)
  private var kernelAddresses: [Int] = []

  mutating func write(_ program: Program) {
    words[0] = ProgramBinary.magic
    words[1] = ProgramBinary.version
    var slot = ProgramBinary.tablesWord
    func mark(_ count: Int, _ words: inout [Int]) {
      words[slot] = words.count
      words[slot + 1] = count
      slot += 2
    }
    mark(program.memories.count, &words)
    for memory in program.memories { words += [ProgramBinary.number(memory.kind), memory.bytes, memory.banks] }
    mark(program.regions.count, &words)
    for region in program.regions {
      words += [region.memory.offset, region.base, region.bytes, ProgramBinary.number(region.kind)]
      words += [region.shape.count] + region.shape
    }
    mark(program.channels.count, &words)
    for channel in program.channels {
      words += [
        ProgramBinary.number(channel.role), channel.producer.offset, channel.consumer.offset, channel.initial,
        channel.capacity,
      ]
    }
    // Kernels stand before the queues that name their addresses; their table keeps its place in the header.
    let kernelTable = words.count
    words += program.kernels.map { _ in 0 }
    for (index, kernel) in program.kernels.enumerated() {
      words[kernelTable + index] = words.count
      kernelAddresses.append(words.count)
      append(kernel)
    }
    mark(program.queues.count, &words)
    let queueTable = words.count
    words += program.queues.map { _ in 0 }
    for (index, queue) in program.queues.enumerated() {
      words[queueTable + index] = words.count
      var ordinal = 0
      append(queue.body, &ordinal)
      words.append(ProgramBinary.EntryCode.end)
    }
    words[slot] = kernelTable
    words[slot + 1] = program.kernels.count
    slot += 2
    mark(program.layers.count, &words)
    for layer in program.layers { words += [layer.macs, layer.nodes.count] }
    mark(program.images.count, &words)
    for image in program.images {
      words.append(image.region.offset)
      append(image.bytes)
    }
    let names = words.count
    append(namesOf: program)
    words[slot] = names
    words[slot + 1] = words.count - names
    words[2] = words.count
    words[ProgramBinary.hashWord] = ProgramBinary.hash(words)
  }

  private mutating func append(namesOf program: Program) {
    for name in [program.name, program.chipHash, program.modelHash] { append(name) }
    for memory in program.memories { append(memory.name) }
    for region in program.regions {
      append(region.name)
      append(region.element)
    }
    for channel in program.channels { append(channel.name) }
    for queue in program.queues {
      append(queue.core)
      append(queue.engine)
    }
    for kernel in program.kernels { append(kernel.name) }
    for layer in program.layers {
      append(layer.name)
      append(layer.kind)
      for node in layer.nodes { append(node) }
    }
  }

  private mutating func append(_ text: String) { append(Array(text.utf8)) }

  private mutating func append(_ bytes: [UInt8]) {
    words.append(bytes.count)
    for start in stride(from: 0, to: bytes.count, by: 8) {
      var word: UInt64 = 0
      for (shift, byte) in bytes[start..<min(bytes.count, start + 8)].enumerated() {
        word |= UInt64(byte) << UInt64(8 * shift)
      }
      words.append(Int(bitPattern: UInt(word)))
    }
  }

  private mutating func append(_ nodes: [Program.Node], _ ordinal: inout Int) {
    for node in nodes {
      switch node {
      case .command(let command):
        let start = words.count
        words += [ProgramBinary.EntryCode.command, 0, ordinal]
        ordinal += 1
        append(command)
        words[start + 1] = words.count
      case .loop(let count, let body):
        let start = words.count
        words += [ProgramBinary.EntryCode.enter, count, 0]
        append(body, &ordinal)
        words += [ProgramBinary.EntryCode.leave, start + 3]
        words[start + 2] = words.count
      }
    }
  }

  private mutating func append(_ command: Command) {
    let code: Int =
      switch command.operation {
      case .sync: 0
      case .copy: 1
      case .contract: 2
      case .drain: 3
      case .vector: 4
      }
    words += [code, command.layer.offset]
    append(command.guards)
    words.append(command.waits.count)
    for wait in command.waits {
      words += [wait.channel.offset, wait.count]
      append(wait.guards)
    }
    words.append(command.signals.count)
    for signal in command.signals {
      let point: Int =
        switch signal.point {
        case .written: 0
        case .read(let operand): 1 + operand
        }
      words += [signal.channel.offset, point, signal.count]
      append(signal.guards)
    }
    switch command.operation {
    case .sync, .copy: break
    case .contract(let tile):
      for extent in [tile.m, tile.n, tile.k] { append(extent) }
      let initial: Int =
        switch tile.initial {
        case .zero: 0
        case .accumulate: 1
        case .zeroInFirst(let depth): 2 + depth
        }
      words += [
        tile.activationBits + ProgramBinary.number(tile.numbers) << 8, tile.weightBits, tile.sparsity?.kept ?? 0,
        tile.sparsity?.group ?? 0, initial,
      ]
    case .drain(let map), .vector(let map): words += [kernelAddresses[map.kernel.offset], map.reduced]
    }
    let generators = command.operation.reads + (command.operation.write.map { [$0] } ?? [])
    words.append(generators.count)
    for generator in generators { append(generator) }
  }

  private mutating func append(_ guards: [Guard]) {
    words.append(guards.count)
    for condition in guards { words.append(4 * condition.depth + ProgramBinary.number(condition.position)) }
  }

  private mutating func append(_ extent: Extent) { words += [extent.full, extent.depth ?? -1, extent.last] }

  private mutating func append(_ affine: Affine) {
    words += [affine.constant, affine.terms.count]
    for term in affine.terms { words += [term.depth, term.coefficient] }
  }

  private mutating func append(_ generator: AddressGenerator) {
    words += [generator.memory.offset, generator.elementBits, generator.padValue]
    append(generator.baseBits)
    words.append(generator.dims.count)
    for dim in generator.dims {
      append(dim.count)
      words.append(dim.strideBits)
    }
    words.append(generator.rotation?.slots ?? 0)
    if let rotation = generator.rotation {
      append(rotation.index)
      words.append(rotation.slotBits)
    }
    words.append(generator.bounds.count)
    for bound in generator.bounds {
      append(bound.offset)
      words.append(bound.limit)
      words += bound.coefficients
    }
  }

  private mutating func append(_ kernel: Kernel) {
    words.append(kernel.inputs.count)
    for input in kernel.inputs {
      words += [ProgramBinary.number(input.format), ProgramBinary.number(input.scope), input.register]
    }
    append(kernel.prologue)
    words += [ProgramBinary.number(kernel.reduction), kernel.reduced]
    append(kernel.epilogue)
    words += [kernel.output, ProgramBinary.number(kernel.outputFormat)]
  }

  private mutating func append(_ instructions: [Kernel.Instruction]) {
    words.append(instructions.count)
    for instruction in instructions {
      words += [
        ProgramBinary.number(instruction.operation), instruction.destination, instruction.a, instruction.b,
        instruction.immediates.count,
      ]
      for slot in 0..<3 { words.append(slot < instruction.immediates.count ? instruction.immediates[slot] : 0) }
    }
  }
}
