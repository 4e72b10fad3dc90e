import PantileSupport

extension Program {
  /// Reads the words of `ProgramBinary`; `path` is what diagnostics call them.
  ///
  /// - Throws: `not-a-program`, `binary-version`, `binary-truncated`, `binary-corrupt` (the hash disagrees), `binary-malformed` (a
  ///   word has no meaning where it stands, or the words are not those that their value would be written as), and the codes of
  ///   `structureProblems`.
  public init(binary words: [Int], path: String) throws(DiagnosticError) {
    guard words.first == ProgramBinary.magic else {
      throw DiagnosticError(
        "not-a-program", "'\(path)' is no program image: it does not start with 'PANTILEB'",
        hint: "images are written by `pantile rtl CHIP -o DIR --program FILE.pantile`")
    }
    guard words.count >= ProgramBinary.headerWords, words[2] == words.count else {
      throw DiagnosticError(
        "binary-truncated",
        "'\(path)' has \(words.count) words, its header says \(words.count > 2 ? words[2] : ProgramBinary.headerWords)")
    }
    guard words[1] == ProgramBinary.version else {
      throw DiagnosticError(
        "binary-version", "'\(path)' has format version \(words[1]), this build reads \(ProgramBinary.version)")
    }
    let hash = ProgramBinary.hash(words)
    guard words[ProgramBinary.hashWord] == hash else {
      throw DiagnosticError(
        "binary-corrupt",
        "'\(path)' has hash \(String(UInt(bitPattern: hash), radix: 16)) but \(String(UInt(bitPattern: words[ProgramBinary.hashWord]), radix: 16)) was written"
      )
    }
    var reader = BinaryReader(words: words, path: path)
    self = try reader.program()
    let problems = structureProblems()
    if !problems.isEmpty { throw DiagnosticError(problems) }
    // One writing of a value exists: tables out of place, words between them or wrong addresses are found here.
    let again = ProgramBinary.words(of: self)
    if again != words {
      let place = zip(again, words).enumerated().first { $1.0 != $1.1 }?.offset ?? min(again.count, words.count)
      throw DiagnosticError(
        "binary-malformed", "word \(place) of '\(path)' is not what its program is written as")
    }
  }
}

private struct BinaryReader {
  let words: [Int]
  let path: String
  private var position = 0
  private var kernelAddresses: [Int] = []

  init(words: [Int], path: String) {
    self.words = words
    self.path = path
  }

  private func malformed(_ what: String) -> DiagnosticError {
    DiagnosticError("binary-malformed", "word \(position) of '\(path)': \(what)")
  }

  private mutating func word() throws(DiagnosticError) -> Int {
    guard words.indices.contains(position) else { throw malformed("the image ends at \(words.count)") }
    defer { position += 1 }
    return words[position]
  }

  /// A number of things that take at least one word each.
  private mutating func count() throws(DiagnosticError) -> Int {
    let value = try word()
    guard value >= 0, value <= words.count - position else {
      position -= 1
      throw malformed("\(value) items do not fit in the \(words.count - position) words that follow")
    }
    return value
  }

  /// A value in a range that keeps later arithmetic and ids in 32 bits.
  private mutating func small(_ range: ClosedRange<Int> = 0...Int(Int32.max)) throws(DiagnosticError) -> Int {
    let value = try word()
    guard range.contains(value) else {
      position -= 1
      throw malformed("\(value) is outside \(range.lowerBound)...\(range.upperBound)")
    }
    return value
  }

  private mutating func enumeration<Case: CaseIterable>(_ type: Case.Type) throws(DiagnosticError) -> Case {
    let number = try word()
    guard number >= 0,
      let index = type.allCases.index(
        type.allCases.startIndex, offsetBy: number, limitedBy: type.allCases.endIndex), index != type.allCases.endIndex
    else {
      position -= 1
      throw malformed("\(type) has no case \(number)")
    }
    return type.allCases[index]
  }

  /// The address and the count of a table; the position moves to it.
  private mutating func table(_ number: Int) throws(DiagnosticError) -> Int {
    let slot = ProgramBinary.tablesWord + 2 * number
    position = slot
    let address = try small()
    let count = try small()
    guard address <= words.count, count <= words.count else {
      throw malformed("table \(number) of \(count) items at \(address) is outside \(words.count) words")
    }
    position = address
    return count
  }

  mutating func program() throws(DiagnosticError) -> Program {
    var program = Program(name: "")
    for _ in 0..<(try table(0)) {
      program.memories.append(
        .init(name: "", kind: try enumeration(Program.Memory.Kind.self), bytes: try word(), banks: try word()))
    }
    for _ in 0..<(try table(1)) {
      var region = Program.Region(
        name: "", memory: MemoryID(try small()), base: try word(), bytes: try word(),
        kind: try enumeration(Program.Region.Kind.self))
      for _ in 0..<(try count()) { region.shape.append(try word()) }
      program.regions.append(region)
    }
    for _ in 0..<(try table(2)) {
      program.channels.append(
        Channel(
          name: "", role: try enumeration(Channel.Role.self), producer: QueueID(try small()),
          consumer: QueueID(try small()), initial: try word(), capacity: try word()))
    }
    for index in 0..<(try table(4)) {
      let back = position
      position = try small(0...words.count)
      kernelAddresses.append(position)
      program.kernels.append(try kernel())
      position = back + 1
      precondition(program.kernels.count == index + 1)
    }
    for _ in 0..<(try table(3)) {
      let back = position
      position = try small(0...words.count)
      let body = try nodes(depth: 0)
      guard try word() == ProgramBinary.EntryCode.end else { throw malformed("a queue ends inside a loop") }
      program.queues.append(.init(core: "", engine: "", body: body))
      position = back + 1
    }
    var nodeCounts: [Int] = []
    for _ in 0..<(try table(5)) {
      program.layers.append(.init(name: "", nodes: [], kind: "", macs: try word()))
      nodeCounts.append(try small(0...words.count))
    }
    for _ in 0..<(try table(6)) {
      program.images.append(.init(region: RegionID(try small()), bytes: try bytes()))
    }
    _ = try table(7)
    try names(of: &program, nodeCounts)
    return program
  }

  private mutating func names(of program: inout Program, _ nodeCounts: [Int]) throws(DiagnosticError) {
    program.name = try text()
    program.chipHash = try text()
    program.modelHash = try text()
    for index in program.memories.indices { program.memories[index].name = try text() }
    for index in program.regions.indices {
      program.regions[index].name = try text()
      program.regions[index].element = try text()
    }
    for index in program.channels.indices { program.channels[index].name = try text() }
    for index in program.queues.indices {
      program.queues[index].core = try text()
      program.queues[index].engine = try text()
    }
    for index in program.kernels.indices { program.kernels[index].name = try text() }
    for index in program.layers.indices {
      program.layers[index].name = try text()
      program.layers[index].kind = try text()
      for _ in 0..<nodeCounts[index] { program.layers[index].nodes.append(try text()) }
    }
  }

  private mutating func bytes() throws(DiagnosticError) -> [UInt8] {
    let length = try word()
    let stored = length / 8 + (length % 8 > 0 ? 1 : 0)
    guard length >= 0, stored <= words.count - position else {
      position -= 1
      throw malformed("\(length) bytes do not fit in the \(words.count - position) words that follow")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(length)
    for index in 0..<length {
      bytes.append(UInt8(truncatingIfNeeded: words[position + index / 8] >> (8 * (index % 8))))
    }
    position += stored
    return bytes
  }

  private mutating func text() throws(DiagnosticError) -> String {
    guard let text = String(validating: try bytes(), as: UTF8.self) else { throw malformed("a name is not UTF-8") }
    return text
  }

  // MARK: Entries

  /// Deeper nests are refused, so that reading never exhausts the stack.
  private static let deepest = LoopState.mostLoops

  /// The entries up to the end of the loop or queue, whose mark is left to the caller.
  private mutating func nodes(depth: Int) throws(DiagnosticError) -> [Program.Node] {
    var nodes: [Program.Node] = []
    while true {
      switch try word() {
      case ProgramBinary.EntryCode.command:
        position += 2  // the next address and the ordinal are judged by writing them again
        nodes.append(.command(try command()))
      case ProgramBinary.EntryCode.enter:
        guard depth < Self.deepest else { throw malformed("loops are nested deeper than \(Self.deepest)") }
        let count = try word()
        position += 1
        let body = try self.nodes(depth: depth + 1)
        guard try word() == ProgramBinary.EntryCode.leave else { throw malformed("a loop ends with the queue") }
        position += 1
        nodes.append(.loop(count: count, body))
      case ProgramBinary.EntryCode.end, ProgramBinary.EntryCode.leave:
        position -= 1
        return nodes
      default:
        position -= 1
        throw malformed("\(words[position]) is no entry of a queue")
      }
    }
  }

  private mutating func command() throws(DiagnosticError) -> Command {
    let code = try small(0...4)
    let layer = LayerID(try small())
    let guards = try self.guards()
    var waits: [Wait] = []
    for _ in 0..<(try count()) {
      waits.append(Wait(ChannelID(try small()), try word(), when: try self.guards()))
    }
    var signals: [Signal] = []
    for _ in 0..<(try count()) {
      let channel = ChannelID(try small())
      let point = try small()
      signals.append(
        Signal(channel, at: point == 0 ? .written : .read(point - 1), try word(), when: try self.guards()))
    }
    let operation: Command.Operation
    switch code {
    case 1:
      let operands = try generators(2...2)
      operation = .copy(Copy(from: operands[0], to: operands[1]))
    case 2: operation = .contract(try contract())
    case 3, 4:
      let address = try word()
      guard let kernel = kernelAddresses.firstIndex(of: address) else {
        position -= 1
        throw malformed("no kernel stands at \(address)")
      }
      let reduced = try word()
      var inputs = try generators(1...Kernel.maximumInputs + 1)
      let map = Map(kernel: KernelID(kernel), inputs: [], output: inputs.removeLast(), reduced: reduced)
      let complete = Map(kernel: map.kernel, inputs: inputs, output: map.output, reduced: reduced)
      operation = code == 3 ? .drain(complete) : .vector(complete)
    default:
      _ = try generators(0...0)
      operation = .sync
    }
    return Command(operation, layer: layer, when: guards, waits: waits, signals: signals)
  }

  private mutating func contract() throws(DiagnosticError) -> Contract {
    let (m, n, k) = (try extent(), try extent(), try extent())
    let activation = try word()
    guard activation >= 0, activation >> 8 < Contract.Numbers.allCases.count else {
      position -= 1
      throw malformed("no operands are \(activation)")
    }
    let numbers = Contract.Numbers.allCases[activation >> 8]
    let weightBits = try word()
    let (kept, group) = (try word(), try word())
    let start = try small()
    let operands = try generators(3...4)
    return Contract(
      a: operands[0], b: operands[1], indices: operands.count == 4 ? operands[2] : nil,
      accumulators: operands[operands.count - 1], m: m, n: n, k: k, activationBits: activation & 255,
      weightBits: weightBits, numbers: numbers, sparsity: group == 0 ? nil : .init(kept: kept, group: group),
      initial: start == 0 ? .zero : start == 1 ? .accumulate : .zeroInFirst(depth: start - 2))
  }

  private mutating func guards() throws(DiagnosticError) -> [Guard] {
    var guards: [Guard] = []
    for _ in 0..<(try count()) {
      let code = try small()
      guards.append(Guard(Guard.Position.allCases[code % 4], code / 4))
    }
    return guards
  }

  private mutating func extent() throws(DiagnosticError) -> Extent {
    let full = try word()
    let depth = try small(-1...Int(Int32.max))
    let last = try word()
    return depth < 0 ? Extent(full) : Extent(full: full, last: last, depth: depth)
  }

  private mutating func affine() throws(DiagnosticError) -> Affine {
    let constant = try word()
    var terms: [Affine.Term] = []
    for _ in 0..<(try count()) { terms.append(.init(depth: try small(), coefficient: try word())) }
    // Equal depths would be added up, which might overflow; a writer never has them.
    for (a, b) in zip(terms, terms.dropFirst()) where a.depth >= b.depth { throw malformed("terms out of order") }
    return Affine(constant, terms)
  }

  private mutating func generators(_ wanted: ClosedRange<Int>) throws(DiagnosticError) -> [AddressGenerator] {
    let count = try small(wanted)
    var generators: [AddressGenerator] = []
    for _ in 0..<count { generators.append(try generator()) }
    return generators
  }

  private mutating func generator() throws(DiagnosticError) -> AddressGenerator {
    let memory = MemoryID(try small())
    let elementBits = try word()
    let pad = try word()
    var generator = AddressGenerator(
      memory: memory, baseBits: try affine(), elementBits: elementBits, dims: [], padValue: pad)
    for _ in 0..<(try small(0...AddressGenerator.maximumDims)) {
      generator.dims.append(.init(try extent(), strideBits: try word()))
    }
    let slots = try word()
    if slots != 0 { generator.rotation = .init(index: try affine(), slots: slots, slotBits: try word()) }
    for _ in 0..<(try small(0...AddressGenerator.maximumBounds)) {
      var bound = AddressGenerator.Bound(offset: try affine(), coefficients: [], limit: try word())
      for _ in generator.dims { bound.coefficients.append(try word()) }
      generator.bounds.append(bound)
    }
    return generator
  }

  // MARK: Kernels

  private mutating func kernel() throws(DiagnosticError) -> Kernel {
    var kernel = Kernel(name: "", inputs: [], output: 0, outputFormat: .i32)
    for _ in 0..<(try count()) {
      kernel.inputs.append(
        .init(try enumeration(Kernel.Format.self), try enumeration(Kernel.Scope.self), register: try word()))
    }
    kernel.prologue = try instructions()
    kernel.reduction = try enumeration(Kernel.Reduction.self)
    kernel.reduced = try word()
    kernel.epilogue = try instructions()
    kernel.output = try word()
    kernel.outputFormat = try enumeration(Kernel.Format.self)
    return kernel
  }

  private mutating func instructions() throws(DiagnosticError) -> [Kernel.Instruction] {
    var instructions: [Kernel.Instruction] = []
    for _ in 0..<(try count()) {
      let operation = try enumeration(KernelOperation.self)
      var instruction = Kernel.Instruction(operation, try word(), try word(), try word())
      let used = try small(0...3)
      for slot in 0..<3 {
        let value = try word()
        if slot < used { instruction.immediates.append(value) }
      }
      instructions.append(instruction)
    }
    return instructions
  }
}
