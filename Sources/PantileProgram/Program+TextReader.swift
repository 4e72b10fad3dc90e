import PantileSupport
import PantileText

/// Turns syntax trees into a Program; collects the problems of all ops before it stops.
struct ProgramReader {
  private let places: TextPlaces
  private var problems: [Diagnostic] = []
  private var program = Program(name: "")
  private var images: [ProgramText.ImageReference] = []
  private var memories: [String: Int] = [:]
  private var regions: [String: Int] = [:]
  private var channels: [String: Int] = [:]
  private var queues: [String: Int] = [:]
  private var kernels: [String: Int] = [:]
  private var layers: [String: Int] = [:]

  init(_ places: TextPlaces) { self.places = places }

  mutating func read(_ ops: [OpSyntax]) throws(DiagnosticError) -> ProgramText {
    var ops = ops
    if ops.count == 1, ops[0].name == "builtin.module" { ops = ops[0].body }
    guard ops.count == 1, ops[0].name == "program.module" else {
      throw DiagnosticError(
        places.diagnostic(
          "program-syntax",
          "expected one 'program.module' but the text holds \(ops.isEmpty ? "nothing" : "'\(ops[0].name)'\(ops.count > 1 ? " and \(ops.count - 1) more" : "")")",
          at: ops.first?.location ?? .unknown))
    }
    let module = ops[0]
    attempt(module) { reader throws(DiagnosticError) in
      try reader.expectKeys(module, ["sym_name", "chip", "model", "version"])
      let version = try module.integer("version", default: ProgramText.version)
      guard version == ProgramText.version else {
        throw DiagnosticError(
          "program-version", "the program has version \(version), this build reads \(ProgramText.version)",
          at: module.location)
      }
      reader.program.name = try module.string("sym_name")
      reader.program.chipHash = try module.string("chip", default: "")
      reader.program.modelHash = try module.string("model", default: "")
    }
    let body = module.body
    for op in body { attempt(op) { reader throws(DiagnosticError) in try reader.declare(op) } }
    for op in body { attempt(op) { reader throws(DiagnosticError) in try reader.define(op) } }
    guard problems.isEmpty else { throw DiagnosticError(problems) }
    return ProgramText(skeleton: program, imageReferences: images)
  }

  /// Runs `body`, keeps its problems, and gives those without a source line the line of their place.
  private mutating func attempt(_ op: OpSyntax, _ body: (inout ProgramReader) throws(DiagnosticError) -> Void) {
    do {
      try body(&self)
    } catch {
      for problem in error.diagnostics {
        problems.append(
          problem.sourceLine == nil
            ? places.diagnostic(problem.code, problem.message, at: problem.location, hint: problem.hint) : problem)
      }
    }
  }

  // MARK: Names

  /// Attributes of other dialects (with a dot in their name) are passed over.
  private func expectKeys(_ op: OpSyntax, _ keys: [String]) throws(DiagnosticError) {
    for entry in op.attributes where !keys.contains(entry.key) && !entry.key.contains(".") {
      throw DiagnosticError(
        places.diagnostic(
          "unknown-attribute", "'\(op.name)' has no attribute '\(entry.key)'",
          at: places.place(of: entry.key, offset: 0, after: op.location),
          hint: nearestName(to: entry.key, among: keys).map { "did you mean '\($0)'?" }))
    }
  }

  /// Enters the symbol of an op into its table.
  private mutating func declare(_ op: OpSyntax) throws(DiagnosticError) {
    switch op.name {
    case "program.memory": try Self.enter(op, &memories)
    case "program.region": try Self.enter(op, &regions)
    case "program.channel": try Self.enter(op, &channels)
    case "program.queue": try Self.enter(op, &queues)
    case "program.kernel": try Self.enter(op, &kernels)
    case "program.layer": try Self.enter(op, &layers)
    case "program.image": break
    default:
      let known = ["memory", "region", "image", "layer", "kernel", "channel", "queue"].map { "program.\($0)" }
      throw DiagnosticError(
        "unknown-operation", "a program holds no '\(op.name)'", at: op.location,
        hint: nearestName(to: op.name, among: known).map { "did you mean '\($0)'?" })
    }
  }

  private static func enter(_ op: OpSyntax, _ table: inout [String: Int]) throws(DiagnosticError) {
    let key = try op.string("sym_name")
    guard table[key] == nil else {
      throw DiagnosticError("duplicate-symbol", "'\(op.name)' @\(key) is defined twice", at: op.location)
    }
    table[key] = table.count
  }

  private func lookUp(_ key: String, _ table: [String: Int], _ what: String, at location: SourceLocation)
    throws(DiagnosticError) -> Int
  {
    if let index = table[key] { return index }
    throw DiagnosticError(
      "unknown-symbol", "there is no \(what) '@\(key)'", at: location,
      hint: nearestName(to: key, among: table.keys.sorted()).map { "did you mean '@\($0)'?" })
  }

  private func reference(_ op: OpSyntax, _ attribute: String, _ table: [String: Int], _ what: String)
    throws(DiagnosticError) -> Int
  {
    try lookUp(try op.symbol(attribute), table, what, at: op.location)
  }

  // MARK: Tables

  private mutating func define(_ op: OpSyntax) throws(DiagnosticError) {
    switch op.name {
    case "program.memory":
      try expectKeys(op, ["sym_name", "name", "kind", "bytes", "banks"])
      program.memories.append(
        Program.Memory(
          name: try name(op), kind: try op.choice("kind"), bytes: try op.integer("bytes", atLeast: 0),
          banks: op.has("banks") ? try op.integer("banks", atLeast: 1) : 1))
    case "program.region":
      try expectKeys(op, ["sym_name", "name", "memory", "base", "bytes", "kind", "shape", "element"])
      program.regions.append(
        Program.Region(
          name: try name(op), memory: MemoryID(try reference(op, "memory", memories, "memory")),
          base: try op.integer("base", atLeast: 0), bytes: try op.integer("bytes", atLeast: 0),
          kind: try op.choice("kind"), shape: try op.integers("shape", default: []),
          element: try op.string("element", default: "i8")))
    case "program.image":
      try expectKeys(op, ["region", "bytes", "hash"])
      images.append(
        ProgramText.ImageReference(
          region: RegionID(try reference(op, "region", regions, "region")),
          byteCount: try op.integer("bytes", atLeast: 0), hash: try op.string("hash"), location: op.location))
    case "program.layer":
      try expectKeys(op, ["sym_name", "name", "nodes", "kind", "macs"])
      program.layers.append(
        Program.Layer(
          name: try name(op), nodes: op.has("nodes") ? try op.strings("nodes") : [],
          kind: try op.string("kind", default: ""), macs: try op.integer("macs", default: 0)))
    case "program.kernel": program.kernels.append(try kernel(op))
    case "program.channel":
      try expectKeys(op, ["sym_name", "name", "role", "producer", "consumer", "initial", "capacity"])
      program.channels.append(
        Channel(
          name: try name(op), role: try op.choice("role"),
          producer: QueueID(try reference(op, "producer", queues, "queue")),
          consumer: QueueID(try reference(op, "consumer", queues, "queue")),
          initial: try op.integer("initial", default: 0), capacity: try op.integer("capacity", atLeast: 1)))
    case "program.queue":
      try expectKeys(op, ["sym_name", "core", "engine"])
      var queue = Program.Queue(core: try op.string("core"), engine: try op.string("engine"))
      queue.body = nodes(op.body)
      program.queues.append(queue)
    default: break  // declare() has reported it
    }
  }

  private func name(_ op: OpSyntax) throws(DiagnosticError) -> String {
    op.has("name") ? try op.string("name") : try op.string("sym_name")
  }

  private func kernel(_ op: OpSyntax) throws(DiagnosticError) -> Kernel {
    try expectKeys(op, ["sym_name", "name", "inputs", "prologue", "epilogue", "reduce", "output"])
    var inputs: [Kernel.Input] = []
    for text in try op.strings("inputs") {
      inputs.append(
        try scan(text, op) { (scanner) throws(TextScanner.Failure) in
          let register = try scanner.register("an input register")
          try scanner.expect(":")
          let format: Kernel.Format = try Self.choice(&scanner)
          return Kernel.Input(format, try Self.choice(&scanner), register: register)
        })
    }
    func instructions(_ key: String) throws(DiagnosticError) -> [Kernel.Instruction] {
      var result: [Kernel.Instruction] = []
      for text in op.has(key) ? try op.strings(key) : [] {
        result.append(
          try scan(text, op) { (scanner) throws(TextScanner.Failure) in try scanner.instruction() })
      }
      return result
    }
    var reduced = 0
    var reduction = Kernel.Reduction.none
    if op.has("reduce") {
      (reduced, reduction) = try scan(try op.string("reduce"), op) { (scanner) throws(TextScanner.Failure) in
        let register = try scanner.register("the reduced register")
        try scanner.expect(":")
        return (register, try Self.choice(&scanner))
      }
    }
    let (output, format) = try scan(try op.string("output"), op) {
      (scanner) throws(TextScanner.Failure) -> (Int, Kernel.Format) in
      let register = try scanner.register("the output register")
      try scanner.expect(":")
      return (register, try Self.choice(&scanner))
    }
    return Kernel(
      name: try name(op), inputs: inputs, prologue: try instructions("prologue"), reduced: reduced,
      reduction: reduction, epilogue: try instructions("epilogue"), output: output, outputFormat: format)
  }

  /// A word that names a case.
  private static func choice<T: RawRepresentable & CaseIterable>(_ scanner: inout TextScanner)
    throws(TextScanner.Failure) -> T where T.RawValue == String
  {
    let names = T.allCases.map(\.rawValue).joined(separator: ", ")
    guard let value = T(rawValue: scanner.peekWord()) else { throw scanner.failure("expected one of \(names)") }
    _ = try scanner.word(names)
    return value
  }

  /// Scans the whole of `text`, an attribute's body that stands in `op`; failures get their place.
  private func scan<T>(
    _ text: String, _ op: OpSyntax, _ read: (inout TextScanner) throws(TextScanner.Failure) -> T
  ) throws(DiagnosticError) -> T {
    var scanner = TextScanner(text)
    do {
      let value = try read(&scanner)
      try scanner.expectEnd()
      return value
    } catch let failure {
      let location = places.place(of: text, offset: failure.offset, after: op.location)
      throw DiagnosticError(places.diagnostic(failure.code, failure.message, at: location))
    }
  }

  /// Scans the body of `#program.kind<body>`.
  private func scan<T>(
    _ attribute: AttributeSyntax, _ kind: String, _ op: OpSyntax, _ key: String,
    _ read: (inout TextScanner) throws(TextScanner.Failure) -> T
  ) throws(DiagnosticError) -> T {
    let prefix = "program.\(kind)<"
    guard case .dialect(let text) = attribute, text.hasPrefix(prefix), text.hasSuffix(">") else {
      throw DiagnosticError(
        "attribute-kind", "'\(key)' of '\(op.name)' must be #program.\(kind)<…> but is \(attribute.kindName)",
        at: op.location)
    }
    return try scan(String(text.dropFirst(prefix.count).dropLast()), op, read)
  }

  // MARK: Queues

  /// Problems are kept, so that one bad command does not hide those behind it.
  private mutating func nodes(_ ops: [OpSyntax]) -> [Program.Node] {
    var nodes: [Program.Node] = []
    for op in ops {
      attempt(op) { reader throws(DiagnosticError) in
        if op.name == "program.repeat" {
          try reader.expectKeys(op, ["count"])
          let count = try op.integer("count", atLeast: 0)
          nodes.append(.loop(count: count, reader.nodes(op.body)))
        } else {
          nodes.append(.command(try reader.command(op)))
        }
      }
    }
    return nodes
  }

  private func command(_ op: OpSyntax) throws(DiagnosticError) -> Command {
    let common = ["layer", "when", "waits", "signals"]
    let operation: Command.Operation
    switch op.name {
    case "dma.copy":
      try expectKeys(op, common + ["src", "dst"])
      operation = .copy(Copy(from: try access(op, "src"), to: try access(op, "dst")))
    case "array.tile":
      try expectKeys(
        op,
        common + [
          "a", "b", "indices", "acc", "m", "n", "k", "activation_bits", "weight_bits", "numbers", "sparsity",
          "init",
        ])
      operation = .contract(try tile(op))
    case "array.drain", "vector.run":
      try expectKeys(op, common + ["kernel", "ins", "out", "reduced"])
      var inputs: [AddressGenerator] = []
      for attribute in try op.array("ins") { inputs.append(try access(attribute, op, "ins")) }
      let map = Map(
        kernel: KernelID(try reference(op, "kernel", kernels, "kernel")), inputs: inputs, output: try access(op, "out"),
        reduced: try op.integer("reduced", default: 1))
      operation = op.name == "array.drain" ? .drain(map) : .vector(map)
    case "program.sync":
      try expectKeys(op, common)
      operation = .sync
    default:
      let known = ["dma.copy", "array.tile", "array.drain", "vector.run", "program.sync", "program.repeat"]
      throw DiagnosticError(
        "unknown-operation", "a queue holds no '\(op.name)'", at: op.location,
        hint: nearestName(to: op.name, among: known).map { "did you mean '\($0)'?" })
    }
    var command = Command(operation, layer: LayerID(try reference(op, "layer", layers, "layer")))
    if op.has("when") {
      command.guards = try scan(try op.requiredAttribute("when"), "when", op, "when") {
        (scanner) throws(TextScanner.Failure) in try scanner.guards()
      }
    }
    for attribute in op.has("waits") ? try op.array("waits") : [] { command.waits.append(try wait(attribute, op)) }
    for attribute in op.has("signals") ? try op.array("signals") : [] {
      command.signals.append(try signal(attribute, op, operation))
    }
    return command
  }

  private func wait(_ attribute: AttributeSyntax, _ op: OpSyntax) throws(DiagnosticError) -> Wait {
    let channels = self.channels
    return try scan(attribute, "wait", op, "waits") { (scanner) throws(TextScanner.Failure) in
      let channel = try Self.resolve(&scanner, channels, "channel")
      let count = try scanner.optionalCount()
      return Wait(ChannelID(channel), count, when: try scanner.optionalGuards())
    }
  }

  private func signal(_ attribute: AttributeSyntax, _ op: OpSyntax, _ operation: Command.Operation)
    throws(DiagnosticError) -> Signal
  {
    let channels = self.channels
    return try scan(attribute, "signal", op, "signals") { (scanner) throws(TextScanner.Failure) in
      let channel = try Self.resolve(&scanner, channels, "channel")
      let count = try scanner.optionalCount()
      try scanner.expectWord("at")
      let point: Signal.Point
      if scanner.takeWord("written") {
        point = .written
      } else {
        try scanner.expectWord("read")
        try scanner.expect("(")
        if let named = operation.readNames.firstIndex(of: scanner.peekWord()) {
          _ = try scanner.word("an operand")
          point = .read(named)
        } else {
          point = .read(try scanner.integer("an operand"))
        }
        try scanner.expect(")")
      }
      return Signal(ChannelID(channel), at: point, count, when: try scanner.optionalGuards())
    }
  }

  /// A symbol of a table.
  private static func resolve(_ scanner: inout TextScanner, _ table: [String: Int], _ what: String)
    throws(TextScanner.Failure) -> Int
  {
    _ = scanner.isAtEnd()
    let start = scanner.offset
    let name = try scanner.symbol()
    guard let index = table[name] else {
      let near = nearestName(to: name, among: table.keys.sorted())
      throw TextScanner.Failure(
        code: "unknown-symbol",
        message: "there is no \(what) '@\(name)'\(near.map { ", did you mean '@\($0)'" } ?? "")",
        offset: start)
    }
    return index
  }

  private func tile(_ op: OpSyntax) throws(DiagnosticError) -> Contract {
    let initial: Contract.Initial
    let mode = try op.string("init", default: "zero")
    switch mode {
    case "zero": initial = .zero
    case "accumulate": initial = .accumulate
    default:
      initial = try scan(mode, op) { (scanner) throws(TextScanner.Failure) in
        for part in ["zero", "in", "first"] {
          guard scanner.takeWord(part) else {
            throw scanner.failure("expected zero, accumulate or zero-in-first(loop)")
          }
          if part != "first" { try scanner.expect("-") }
        }
        try scanner.expect("(")
        let depth = try scanner.loop()
        try scanner.expect(")")
        return .zeroInFirst(depth: depth)
      }
    }
    var sparsity: Contract.Sparsity?
    if op.has("sparsity") {
      sparsity = try scan(try op.string("sparsity"), op) { (scanner) throws(TextScanner.Failure) in
        let kept = try scanner.integer("the kept count")
        try scanner.expect(":")
        return Contract.Sparsity(kept: kept, group: try scanner.integer("the group length"))
      }
    }
    return Contract(
      a: try access(op, "a"), b: try access(op, "b"), indices: op.has("indices") ? try access(op, "indices") : nil,
      accumulators: try access(op, "acc"), m: try extent(op, "m"), n: try extent(op, "n"), k: try extent(op, "k"),
      activationBits: try op.integer("activation_bits", default: 8),
      weightBits: try op.integer("weight_bits", default: 8),
      numbers: op.has("numbers") ? try op.choice("numbers") : .integer, sparsity: sparsity, initial: initial)
  }

  private func extent(_ op: OpSyntax, _ key: String) throws(DiagnosticError) -> Extent {
    let attribute = try op.requiredAttribute(key)
    if let constant = attribute.asInteger { return Extent(constant) }
    return try scan(attribute, "extent", op, key) { (scanner) throws(TextScanner.Failure) in try scanner.extent() }
  }

  // MARK: Accesses

  private func access(_ op: OpSyntax, _ key: String) throws(DiagnosticError) -> AddressGenerator {
    try access(try op.requiredAttribute(key), op, key)
  }

  private func access(_ attribute: AttributeSyntax, _ op: OpSyntax, _ key: String) throws(DiagnosticError)
    -> AddressGenerator
  {
    let memories = self.memories
    return try scan(attribute, "access", op, key) { (scanner) throws(TextScanner.Failure) in
      try Self.access(&scanner, memories)
    }
  }

  private static func access(_ scanner: inout TextScanner, _ memories: [String: Int]) throws(TextScanner.Failure)
    -> AddressGenerator
  {
    let unit = scanner.takeWord("bits") ? 1 : 8
    func bits(_ what: String) throws(TextScanner.Failure) -> Int {
      let start = scanner.offset
      let value = try scanner.integer(what)
      guard value.magnitude < 1 << 56 else {
        throw TextScanner.Failure(code: "number-range", message: "\(value) needs more than 56 bits", offset: start)
      }
      return value * unit
    }
    let memory = try resolve(&scanner, memories, "memory")
    try scanner.expect("[")
    let base = try scanner.affine() * unit
    try scanner.expect("]")
    try scanner.expect(":")
    let width = try scanner.indexed("i", "an element type such as i8")
    var access = AddressGenerator(memory: MemoryID(memory), baseBits: base, elementBits: width, dims: [])
    var seen: Set<String> = []
    while scanner.take(",") {
      let clause = try scanner.word("dims, rotate, bounds or pad")
      guard seen.insert(clause).inserted else { throw scanner.failure("'\(clause)' is given twice") }
      try scanner.expect("(")
      switch clause {
      case "dims":
        repeat {
          let count = try scanner.extent()
          try scanner.expectWord("by")
          access.dims.append(AddressGenerator.Dim(count, strideBits: try bits("a stride")))
        } while scanner.take(",")
      case "rotate":
        let index = try scanner.affine()
        try scanner.expectWord("mod")
        let slots = try scanner.integer("a slot count")
        try scanner.expectWord("by")
        access.rotation = AddressGenerator.Rotation(index: index, slots: slots, slotBits: try bits("a slot size"))
      case "bounds":
        repeat {
          var coefficients: [Int] = []
          let offset = try scanner.affine(dims: &coefficients)
          try scanner.expectWord("below")
          let limit = try scanner.integer("a limit")
          access.bounds.append(AddressGenerator.Bound(offset: offset, coefficients: coefficients, limit: limit))
        } while scanner.take(",")
      case "pad": access.padValue = try scanner.integer("a value")
      default: throw scanner.failure("'\(clause)' is not one of dims, rotate, bounds, pad")
      }
      try scanner.expect(")")
    }
    for index in access.bounds.indices {
      guard access.bounds[index].coefficients.count <= access.dims.count else {
        throw scanner.failure(
          "a bound uses dim d\(access.bounds[index].coefficients.count - 1) but there are \(access.dims.count) dims")
      }
      let missing = access.dims.count - access.bounds[index].coefficients.count
      access.bounds[index].coefficients += [Int](repeating: 0, count: missing)
    }
    return access
  }
}
