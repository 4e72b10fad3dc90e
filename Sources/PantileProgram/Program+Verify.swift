import PantileSupport
import PantileTensor

extension Program {
  /// Checks what can be seen without expanding loops: every reference resolves, loops are deep enough for every use,
  /// channel ends match the queues that use them, extents are positive, shapes of operands agree.
  ///
  /// - Returns: all problems found; empty when the structure is sound.
  public func structureProblems() -> [Diagnostic] {
    var problems: [Diagnostic] = []
    func report(_ code: String, _ message: String, _ place: String) {
      problems.append(Diagnostic(code, "\(place): \(message)"))
    }
    for (index, channel) in channels.enumerated() {
      let place = "channel \(index) '\(channel.name)'"
      for end in [channel.producer, channel.consumer] where !queues.indices.contains(end.offset) {
        report("unknown-queue", "names queue \(end.offset), the program has \(queues.count)", place)
      }
      if channel.initial < 0 || channel.capacity < max(1, channel.initial) {
        report("channel-capacity", "has \(channel.initial) tokens at start and room for \(channel.capacity)", place)
      }
    }
    for region in regions {
      guard memories.indices.contains(region.memory.offset) else {
        report("unknown-memory", "lies in memory \(region.memory.offset)", "region '\(region.name)'")
        continue
      }
      let memory = memories[region.memory.offset]
      if region.base < 0 || region.bytes < 0 || region.base > memory.bytes - region.bytes {
        report(
          "region-bounds",
          "covers bytes \(region.base) ..< \(region.base + region.bytes) but '\(memory.name)' has \(memory.bytes)",
          "region '\(region.name)'")
      }
    }
    for image in images {
      guard regions.indices.contains(image.region.offset) else {
        report("unknown-region", "names region \(image.region.offset)", "image")
        continue
      }
      let region = regions[image.region.offset]
      if image.bytes.count > region.bytes {
        report(
          "image-bounds", "has \(image.bytes.count) bytes for a region of \(region.bytes)", "image of '\(region.name)'")
      }
    }
    for (index, kernel) in kernels.enumerated() {
      for message in kernel.problems { report("kernel", message, "kernel \(index) '\(kernel.name)'") }
    }
    for (index, queue) in queues.enumerated() {
      verify(queue.body, of: QueueID(index), depth: 0, place: queue.name, report: report)
    }
    return problems
  }

  private func verify(
    _ nodes: [Node], of queue: QueueID, depth: Int, place: String, report: (String, String, String) -> Void
  ) {
    for (position, node) in nodes.enumerated() {
      let here = "\(place)[\(position)]"
      switch node {
      case .loop(let count, let body):
        if count < 0 { report("loop-count", "loop runs \(count) times", here) }
        verify(body, of: queue, depth: depth + 1, place: here, report: report)
      case .command(let command):
        verify(command, of: queue, depth: depth, place: "\(here) \(command.operation.name)", report: report)
      }
    }
  }

  private func verify(
    _ command: Command, of queue: QueueID, depth: Int, place: String, report: (String, String, String) -> Void
  ) {
    func checkDepth(_ used: Int, _ what: String) {
      if used >= depth { report("loop-depth", "\(what) refers to loop \(used) but \(depth) are open", place) }
    }
    if !layers.indices.contains(command.layer.offset) {
      report("unknown-layer", "belongs to layer \(command.layer.offset), the program has \(layers.count)", place)
    }
    for condition in command.guards { checkDepth(condition.depth, "a guard") }
    for wait in command.waits {
      for condition in wait.guards { checkDepth(condition.depth, "a guard") }
      guard channels.indices.contains(wait.channel.offset) else {
        report("unknown-channel", "waits for channel \(wait.channel.offset)", place)
        continue
      }
      if channels[wait.channel.offset].consumer != queue {
        report("channel-end", "waits for '\(channels[wait.channel.offset].name)' but is not its consumer", place)
      }
      if wait.count < 1 { report("token-count", "waits for \(wait.count) tokens", place) }
    }
    for signal in command.signals {
      for condition in signal.guards { checkDepth(condition.depth, "a guard") }
      guard channels.indices.contains(signal.channel.offset) else {
        report("unknown-channel", "signals channel \(signal.channel.offset)", place)
        continue
      }
      if channels[signal.channel.offset].producer != queue {
        report("channel-end", "signals '\(channels[signal.channel.offset].name)' but is not its producer", place)
      }
      if signal.count < 1 { report("token-count", "signals \(signal.count) tokens", place) }
      if case .read(let operand) = signal.point, operand < 0 || operand >= command.operation.reads.count {
        report(
          "signal-point", "signals after read of operand \(operand), it has \(command.operation.reads.count)", place)
      }
    }
    for generator in command.operation.reads + (command.operation.write.map { [$0] } ?? []) {
      if generator.deepestLoop >= depth {
        report("loop-depth", "an address refers to loop \(generator.deepestLoop) but \(depth) are open", place)
      }
      if !memories.indices.contains(generator.memory.offset) {
        report("unknown-memory", "addresses memory \(generator.memory.offset)", place)
      }
      if generator.dims.count > AddressGenerator.maximumDims || generator.bounds.count > AddressGenerator.maximumBounds
      {
        report("address-dims", "uses \(generator.dims.count) dims and \(generator.bounds.count) bounds", place)
      }
      for bound in generator.bounds where bound.coefficients.count != generator.dims.count {
        report(
          "address-dims", "a bound has \(bound.coefficients.count) coefficients for \(generator.dims.count) dims", place
        )
      }
      for dim in generator.dims where min(dim.count.full, dim.count.last) < 1 {
        report("extent", "an extent is \(min(dim.count.full, dim.count.last))", place)
      }
      if generator.elementBits < 1 || generator.elementBits > 32 {
        report("element-bits", "elements have \(generator.elementBits) bits", place)
      }
      if let rotation = generator.rotation, rotation.slots < 1 {
        report("extent", "a buffer rotates over \(rotation.slots) slots", place)
      }
    }
    switch command.operation {
    case .copy(let copy):
      if copy.source.elementBits != copy.destination.elementBits {
        report(
          "element-bits", "copies \(copy.source.elementBits)-bit elements to \(copy.destination.elementBits)-bit ones",
          place)
      }
    case .contract(let tile):
      if let sparsity = tile.sparsity, (try? NMPattern(kept: sparsity.kept, group: sparsity.group)) == nil {
        report("sparsity", "keeps \(sparsity.kept) of \(sparsity.group)", place)
      }
      if (tile.sparsity == nil) != (tile.indices == nil) {
        report("sparsity", "needs indices exactly when it is sparse", place)
      }
      if case .zeroInFirst(let used) = tile.initial { checkDepth(used, "the initial mode") }
      if tile.accumulators.dims.count != 2 || tile.accumulators.dims.last?.strideBits != 32
        || tile.accumulators.elementBits != 32
      {
        report("accumulators", "accumulators must be rows of 32-bit elements with unit stride", place)
      }
    case .drain(let map), .vector(let map):
      guard kernels.indices.contains(map.kernel.offset) else {
        report("unknown-kernel", "runs kernel \(map.kernel.offset), the program has \(kernels.count)", place)
        return
      }
      let kernel = kernels[map.kernel.offset]
      if kernel.inputs.count != map.inputs.count {
        report(
          "kernel-inputs", "kernel '\(kernel.name)' takes \(kernel.inputs.count) inputs, not \(map.inputs.count)", place
        )
      }
      for (input, generator) in zip(kernel.inputs, map.inputs) where input.format.bits != generator.elementBits {
        report(
          "element-bits",
          "kernel '\(kernel.name)' reads \(input.format.bits)-bit elements, not \(generator.elementBits)", place)
      }
      if kernel.outputFormat.bits != map.output.elementBits {
        report(
          "element-bits",
          "kernel '\(kernel.name)' writes \(kernel.outputFormat.bits)-bit elements, not \(map.output.elementBits)",
          place)
      }
      if map.reduced < 1 { report("extent", "reduces \(map.reduced) points", place) }
    case .sync: break
    }
  }
}

extension Kernel {
  /// What is wrong with the kernel by itself; empty when sound.
  var problems: [String] {
    var problems: [String] = []
    func check(_ register: Int, _ what: String) {
      if register < 0 || register >= Kernel.maximumRegisters {
        problems.append("\(what) is register \(register), there are \(Kernel.maximumRegisters)")
      }
    }
    for input in inputs { check(input.register, "an input") }
    for instruction in prologue + epilogue {
      check(instruction.destination, "a destination")
      check(instruction.a, "operand a of \(instruction.operation.rawValue)")
      if instruction.operation.isBinary { check(instruction.b, "operand b of \(instruction.operation.rawValue)") }
      if instruction.immediates.count != instruction.operation.immediateCount {
        problems.append(
          "\(instruction.operation.rawValue) takes \(instruction.operation.immediateCount) immediates, not \(instruction.immediates.count)"
        )
      }
      if instruction.operation == .requantize, let register = instruction.immediates.first {
        check(register, "the shift of requantize")
      }
      let shift: Int? =
        switch instruction.operation {
        case .requantizeImmediate: instruction.immediates.last
        case .addScaled: instruction.immediates.last
        default: nil
        }
      if let shift, shift < 1 || shift > 62 { problems.append("shift \(shift) is not in 1 ... 62") }
    }
    check(reduced, "the reduced value")
    check(output, "the output")
    return problems
  }
}
