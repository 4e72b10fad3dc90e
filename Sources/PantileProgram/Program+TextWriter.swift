import PantileSupport
import PantileText

/// Builds the syntax tree of a Program.
struct ProgramWriter {
  private let program: Program
  private let memories: [String]
  private let regions: [String]
  private let channels: [String]
  private let queues: [String]
  private let kernels: [String]
  private let layers: [String]

  init(_ program: Program) {
    self.program = program
    memories = Self.keys(program.memories.map(\.name))
    regions = Self.keys(program.regions.map(\.name))
    channels = Self.keys(program.channels.map(\.name))
    queues = Self.keys(program.queues.map(\.name))
    kernels = Self.keys(program.kernels.map(\.name))
    layers = Self.keys(program.layers.map(\.name))
  }

  /// One symbol for each name: the name itself, or with a number when it is taken or empty.
  private static func keys(_ names: [String]) -> [String] {
    let reserved = Set(names)
    var taken = Set<String>()
    var next: [String: Int] = [:]
    return names.map { name in
      if !name.isEmpty, taken.insert(name).inserted { return name }
      while true {
        let number = next[name, default: 1]
        next[name] = number + 1
        let key = "\(name)_\(number)"
        if !reserved.contains(key), taken.insert(key).inserted { return key }
      }
    }
  }

  func op() -> OpSyntax {
    var module = OpSyntax(
      "program.module",
      attributes: [
        "sym_name": .string(program.name), "chip": .string(program.chipHash), "model": .string(program.modelHash),
        "version": .integer(ProgramText.version),
      ])
    var body: [OpSyntax] = []
    for (index, memory) in program.memories.enumerated() {
      body.append(
        define(
          "program.memory", memories[index], memory.name,
          ["kind": .string(memory.kind.rawValue), "bytes": .integer(memory.bytes), "banks": .integer(memory.banks)]))
    }
    for (index, region) in program.regions.enumerated() {
      body.append(
        define(
          "program.region", regions[index], region.name,
          [
            "memory": .symbol(key(memories, region.memory.offset)), "base": .integer(region.base),
            "bytes": .integer(region.bytes), "kind": .string(region.kind.rawValue),
            "shape": .integers(region.shape), "element": .string(region.element),
          ]))
    }
    for image in program.images {
      body.append(
        OpSyntax(
          "program.image",
          attributes: [
            "region": .symbol(key(regions, image.region.offset)), "bytes": .integer(image.bytes.count),
            "hash": .string(ProgramText.hash(of: image.bytes)),
          ]))
    }
    for (index, layer) in program.layers.enumerated() {
      body.append(
        define(
          "program.layer", layers[index], layer.name,
          ["nodes": .strings(layer.nodes), "kind": .string(layer.kind), "macs": .integer(layer.macs)]))
    }
    for (index, kernel) in program.kernels.enumerated() { body.append(kernelOp(kernel, kernels[index])) }
    for (index, channel) in program.channels.enumerated() {
      body.append(
        define(
          "program.channel", channels[index], channel.name,
          [
            "role": .string(channel.role.rawValue), "producer": .symbol(key(queues, channel.producer.offset)),
            "consumer": .symbol(key(queues, channel.consumer.offset)), "initial": .integer(channel.initial),
            "capacity": .integer(channel.capacity),
          ]))
    }
    for (index, queue) in program.queues.enumerated() {
      var op = OpSyntax(
        "program.queue",
        attributes: [
          "sym_name": .string(queues[index]), "core": .string(queue.core), "engine": .string(queue.engine),
        ])
      op.body = nodes(queue.body)
      body.append(op)
    }
    module.body = body
    return module
  }

  private func define(_ op: String, _ key: String, _ name: String, _ attributes: AttributeDictionary) -> OpSyntax {
    var attributes = attributes
    attributes["sym_name"] = .string(key)
    if key != name { attributes["name"] = .string(name) }
    return OpSyntax(op, attributes: attributes)
  }

  /// The symbol of a table entry; an index outside gives a symbol that nothing defines, so that a broken Program can
  /// still be looked at.
  private func key(_ table: [String], _ index: Int) -> String {
    table.indices.contains(index) ? table[index] : "?\(index)"
  }

  private func symbol(_ table: [String], _ index: Int) -> String {
    AttributeSyntax.symbol(key(table, index)).description
  }

  // MARK: Kernels

  private func kernelOp(_ kernel: Kernel, _ key: String) -> OpSyntax {
    var attributes: AttributeDictionary = [
      "inputs": .strings(kernel.inputs.map { "r\($0.register): \($0.format.rawValue) \($0.scope.rawValue)" }),
      "prologue": .strings(kernel.prologue.map(\.text)),
      "epilogue": .strings(kernel.epilogue.map(\.text)),
      "output": .string("r\(kernel.output): \(kernel.outputFormat.rawValue)"),
    ]
    if kernel.reduction != .none || kernel.reduced != 0 {
      attributes["reduce"] = .string("r\(kernel.reduced): \(kernel.reduction.rawValue)")
    }
    return define("program.kernel", key, kernel.name, attributes)
  }

  // MARK: Queues

  private func nodes(_ nodes: [Program.Node]) -> [OpSyntax] {
    nodes.map { node in
      switch node {
      case .command(let command): return op(command)
      case .loop(let count, let body):
        var op = OpSyntax("program.repeat", attributes: ["count": .integer(count)])
        op.body = self.nodes(body)
        return op
      }
    }
  }

  private func op(_ command: Command) -> OpSyntax {
    var attributes: AttributeDictionary = ["layer": .symbol(key(layers, command.layer.offset))]
    if !command.guards.isEmpty { attributes["when"] = .dialect("program.when<\(Self.text(command.guards))>") }
    if !command.waits.isEmpty {
      attributes["waits"] = .array(
        command.waits.map { wait in
          .dialect(
            "program.wait<\(symbol(channels, wait.channel.offset))\(Self.times(wait.count))\(Self.when(wait.guards))>")
        })
    }
    if !command.signals.isEmpty {
      attributes["signals"] = .array(
        command.signals.map { signal in
          let point: String
          switch signal.point {
          case .written: point = "written"
          case .read(let operand):
            let names = command.operation.readNames
            point = "read(\(names.indices.contains(operand) ? names[operand] : String(operand)))"
          }
          return .dialect(
            "program.signal<\(symbol(channels, signal.channel.offset))\(Self.times(signal.count)) at \(point)\(Self.when(signal.guards))>"
          )
        })
    }
    switch command.operation {
    case .copy(let copy):
      attributes["src"] = access(copy.source)
      attributes["dst"] = access(copy.destination)
    case .contract(let tile):
      attributes["a"] = access(tile.a)
      attributes["b"] = access(tile.b)
      if let indices = tile.indices { attributes["indices"] = access(indices) }
      attributes["acc"] = access(tile.accumulators)
      attributes["m"] = extent(tile.m)
      attributes["n"] = extent(tile.n)
      attributes["k"] = extent(tile.k)
      attributes["activation_bits"] = .integer(tile.activationBits)
      attributes["weight_bits"] = .integer(tile.weightBits)
      if tile.numbers != .integer { attributes["numbers"] = .string(tile.numbers.rawValue) }
      if let sparsity = tile.sparsity { attributes["sparsity"] = .string("\(sparsity.kept):\(sparsity.group)") }
      switch tile.initial {
      case .zero: attributes["init"] = "zero"
      case .accumulate: attributes["init"] = "accumulate"
      case .zeroInFirst(let depth): attributes["init"] = .string("zero-in-first(i\(depth))")
      }
    case .drain(let map), .vector(let map):
      attributes["kernel"] = .symbol(key(kernels, map.kernel.offset))
      attributes["ins"] = .array(map.inputs.map(access))
      attributes["out"] = access(map.output)
      if map.reduced != 1 { attributes["reduced"] = .integer(map.reduced) }
    case .sync: break
    }
    return OpSyntax(command.operation.name, attributes: attributes)
  }

  private func extent(_ extent: Extent) -> AttributeSyntax {
    extent.depth == nil ? .integer(extent.full) : .dialect("program.extent<\(extent.text)>")
  }

  private static func times(_ count: Int) -> String { count == 1 ? "" : " * \(count)" }

  private static func text(_ guards: [Guard]) -> String {
    guards.map { "\($0.position.rawValue)(i\($0.depth))" }.joined(separator: ", ")
  }

  private static func when(_ guards: [Guard]) -> String { guards.isEmpty ? "" : " when \(text(guards))" }

  // MARK: Accesses

  private func access(_ generator: AddressGenerator) -> AttributeSyntax {
    let addresses =
      [generator.baseBits.constant] + generator.baseBits.terms.map(\.coefficient) + generator.dims.map(\.strideBits)
      + (generator.rotation.map { [$0.slotBits] } ?? [])
    let unit = addresses.allSatisfy { $0 % 8 == 0 } ? 8 : 1
    var text = unit == 1 ? "bits " : ""
    text += symbol(memories, generator.memory.offset)
    text += "[\(generator.baseBits.text(dividedBy: unit))] : i\(generator.elementBits)"
    if !generator.dims.isEmpty {
      text += ", dims(\(generator.dims.map { "\($0.count.text) by \($0.strideBits / unit)" }.joined(separator: ", ")))"
    }
    if let rotation = generator.rotation {
      text += ", rotate(\(rotation.index.text()) mod \(rotation.slots) by \(rotation.slotBits / unit))"
    }
    if !generator.bounds.isEmpty {
      let bounds = generator.bounds.map { bound in
        "\(bound.offset.text(dims: bound.coefficients)) below \(bound.limit)"
      }
      text += ", bounds(\(bounds.joined(separator: ", ")))"
    }
    if generator.padValue != 0 { text += ", pad(\(generator.padValue))" }
    return .dialect("program.access<\(text)>")
  }
}

extension Affine {
  /// `16 + 4*i0 - 2*d1`; every number divided by `unit`, which must divide it.
  func text(dividedBy unit: Int = 1, dims: [Int] = []) -> String {
    var text = ""
    func add(_ value: Int, _ name: String) {
      let magnitude = value.magnitude
      if text.isEmpty {
        text = value < 0 ? "-" : ""
      } else {
        text += value < 0 ? " - " : " + "
      }
      if name.isEmpty {
        text += "\(magnitude)"
      } else {
        text += magnitude == 1 ? name : "\(magnitude)*\(name)"
      }
    }
    if constant != 0 { add(constant / unit, "") }
    for term in terms { add(term.coefficient / unit, "i\(term.depth)") }
    for (d, coefficient) in dims.enumerated() where coefficient != 0 { add(coefficient, "d\(d)") }
    return text.isEmpty ? "0" : text
  }
}

extension Extent {
  /// `64`, or `64 last(i0) 17`.
  var text: String { depth.map { "\(full) last(i\($0)) \(last)" } ?? "\(full)" }
}

extension Kernel.Instruction {
  /// `r2 = clampI32(r0, -128, 127)`; Float immediates as decimal numbers that give the same bits back.
  var text: String {
    var arguments = ["r\(a)"]
    if operation.isBinary || b != 0 { arguments.append("r\(b)") }
    for (index, immediate) in immediates.enumerated() {
      if operation.readsThirdRegister, index == 0, immediate >= 0 {
        arguments.append("r\(immediate)")
      } else if operation.hasFloatImmediates {
        arguments.append(Self.floatText(immediate))
      } else {
        arguments.append("\(immediate)")
      }
    }
    return "r\(destination) = \(operation.rawValue)(\(arguments.joined(separator: ", ")))"
  }

  private static func floatText(_ bits: Int) -> String {
    guard let pattern = UInt32(exactly: bits) else {
      return "\(bits < 0 ? "-" : "")0x\(String(bits.magnitude, radix: 16))"
    }
    let value = Float(bitPattern: pattern)
    return value.isFinite ? "\(value)" : "0x\(String(pattern, radix: 16))"
  }
}

extension KernelOperation {
  /// Whether immediates are Float bit patterns.
  var hasFloatImmediates: Bool {
    switch self {
    case .addImmediateF32, .mulImmediateF32, .divImmediateF32, .clampF32, .leakyF32: return true
    case .addI32, .subI32, .mulI32, .maxI32, .minI32, .addImmediateI32, .clampI32, .requantize, .requantizeImmediate,
      .addScaled, .addF32, .subF32, .mulF32, .divF32, .maxF32, .minF32, .powF32, .expF32, .logF32, .sqrtF32, .negF32,
      .absF32, .erfF32, .tanhF32, .sigmoidF32, .toF32, .roundToI32, .copy, .select, .equalI32, .lessI32,
      .lessOrEqualI32, .equalF32, .lessF32, .lessOrEqualF32:
      return false
    }
  }
}

extension Command.Operation {
  /// What the text form calls the operands that are read; empty where they go by number.
  var readNames: [String] {
    switch self {
    case .copy: return ["src"]
    case .contract: return ["a", "b", "indices"]
    case .drain, .vector, .sync: return []
    }
  }
}
