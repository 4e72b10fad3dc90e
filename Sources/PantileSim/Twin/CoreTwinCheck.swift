import PantileProgram
import PantileSupport

extension Program {
  /// What of this Program the core's twin cannot hold or run; empty when it can.
  func twinProblems() -> [Diagnostic] {
    var problems: [Diagnostic] = []
    func refuse(_ message: String) { problems.append(Diagnostic("twin-unsupported", message)) }
    if channels.count > CoreTwinLimits.channels {
      refuse("the program has \(channels.count) channels, the twin \(CoreTwinLimits.channels)")
    }
    for kernel in kernels {
      let formats = Set(kernel.inputs.map(\.format) + [kernel.outputFormat]).subtracting([.i8, .i32, .f32])
      if !formats.isEmpty {
        refuse(
          "kernel '\(kernel.name)' has elements of type \(formats.map(\.rawValue).sorted().joined(separator: ", ")), the twin takes i8, i32 and f32"
        )
      }
      for instruction in kernel.prologue + kernel.epilogue {
        switch instruction.operation {
        case .select, .equalI32, .lessI32, .lessOrEqualI32, .equalF32, .lessF32, .lessOrEqualF32:
          refuse("kernel '\(kernel.name)' runs '\(instruction.operation.rawValue)', which the twin has not")
        default: break
        }
      }
    }
    for queue in queues { Self.walk(queue.body, 0) { check($0, depth: $1, in: queue.name, refuse) } }
    return problems
  }

  private static func walk(_ nodes: [Node], _ depth: Int, _ visit: (Command, Int) -> Void) {
    for node in nodes {
      switch node {
      case .command(let command): visit(command, depth)
      case .loop(_, let body): walk(body, depth + 1, visit)
      }
    }
  }

  private func check(_ command: Command, depth: Int, in queue: String, _ refuse: (String) -> Void) {
    let name = "'\(command.operation.name)' of '\(queue)'"
    if depth > CoreTwinLimits.loops { refuse("\(name) stands in \(depth) loops, the twin has \(CoreTwinLimits.loops)") }
    for (count, what) in [(command.waits.count, "waits"), (command.signals.count, "signals")]
    where count > CoreTwinLimits.listed {
      refuse("\(name) has \(count) \(what), the twin \(CoreTwinLimits.listed)")
    }
    let operands = command.operation.reads + (command.operation.write.map { [$0] } ?? [])
    for generator in operands { check(generator, of: name, refuse) }
    switch command.operation {
    case .sync: break
    case .copy(let copy):
      for side in [copy.source, copy.destination] where memories[side.memory.offset].kind == .accumulator {
        refuse("\(name) moves accumulators, the twin's DMA does not reach them")
      }
    case .contract(let tile):
      if tile.sparsity != nil || tile.indices != nil { refuse("\(name) is sparse, the twin's array is dense") }
      if tile.a.elementBits != 8 || tile.b.elementBits != 8 {
        refuse("\(name) has elements of \(tile.a.elementBits) and \(tile.b.elementBits) bits, the twin's array takes 8")
      }
      for (side, kind) in [
        (tile.a, Memory.Kind.scratchpad), (tile.b, .scratchpad), (tile.accumulators, .accumulator),
      ] where memories[side.memory.offset].kind != kind {
        refuse(
          "\(name) uses '\(memories[side.memory.offset].name)', the twin's array a memory of kind '\(kind.rawValue)'")
      }
    case .drain(let map), .vector(let map):
      for generator in operands where generator.elementBits != 8 && generator.elementBits != 32 {
        refuse("\(name) has elements of \(generator.elementBits) bits, the twin takes 8 and 32")
      }
      if memories[map.output.memory.offset].kind == .accumulator { refuse("\(name) writes accumulators") }
    }
  }

  private func check(_ generator: AddressGenerator, of name: String, _ refuse: (String) -> Void) {
    if ![8, 16, 32, 64].contains(generator.elementBits) {
      refuse("\(name) has elements of \(generator.elementBits) bits, the twin takes 8, 16, 32 and 64")
    }
    if Int32(exactly: generator.padValue) == nil { refuse("\(name) pads with \(generator.padValue), beyond 32 bits") }
    let reach = generator.dims.reduce(abs(generator.baseBits.constant)) {
      $0 + abs($1.strideBits) * max(0, $1.count.largest - 1)
    }
    if reach >= CoreTwinLimits.addressBits { refuse("\(name) reaches bit \(reach), the twin 2^46") }
    let elements = generator.dims.reduce(1) { $0 * $1.count.largest }
    if elements >= CoreTwinLimits.counts { refuse("\(name) lists \(elements) elements, the twin fewer than 2^31") }
  }
}
