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
      if channel.initial < 0 || channel.capacity < max(1, channel.initial) || channel.capacity > Limits.count {
        report("channel-capacity", "has \(channel.initial) tokens at start and room for \(channel.capacity)", place)
      }
    }
    for memory in memories {
      if memory.bytes < 0 || memory.bytes > Limits.bytes {
        report("memory-size", "has \(memory.bytes) bytes", "memory '\(memory.name)'")
      }
      if memory.banks < 1 || memory.banks > Limits.banks {
        report("memory-banks", "has \(memory.banks) banks, the most are \(Limits.banks)", "memory '\(memory.name)'")
      }
    }
    for region in regions {
      guard memories.indices.contains(region.memory.offset) else {
        report("unknown-memory", "lies in memory \(region.memory.offset)", "region '\(region.name)'")
        continue
      }
      let memory = memories[region.memory.offset]
      if region.base < 0 || region.bytes < 0 || region.bytes > memory.bytes || region.base > memory.bytes - region.bytes
      {
        report(
          "region-bounds",
          "covers \(region.bytes) bytes from \(region.base) on but '\(memory.name)' has \(memory.bytes)",
          "region '\(region.name)'")
      }
      if region.kind == .input || region.kind == .output, let message = region.shapeProblem {
        report("region-shape", message, "region '\(region.name)'")
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
      if let first = queues[..<index].firstIndex(where: { $0.name == queue.name }) {
        report("duplicate-queue", "is also queue \(first)", "queue \(index) '\(queue.name)'")
      }
      verify(queue.body, of: QueueID(index), trips: [], place: queue.name, report: report)
      if Self.expansion(queue.body) > Limits.expansion {
        report("loop-count", "its loops run more than \(Limits.expansion) trips", queue.name)
      }
    }
    return problems
  }

  /// What keeps sums of addresses far from 64 bits, and runs from never ending.
  private enum Limits {
    static let bytes = 1 << 48
    /// Masks of banks have one bit each.
    static let banks = 64
    /// Lengths, counts of tokens, trips.
    static let count = 1 << 31
    /// Elements of one operand.
    static let elements = 1 << 40
    /// Bits of any address, and any coordinate.
    static let reach = 1 << 58
    /// Trips and commands of one queue.
    static let expansion = 1 << 31
  }

  /// Trips and commands of a body, loops expanded; at most a little more than `Limits.expansion`.
  private static func expansion(_ nodes: [Node]) -> Int {
    var total = 0
    for node in nodes {
      switch node {
      case .command: total += 1
      case .loop(let count, let body):
        let (all, overflow) = (expansion(body) + 1).multipliedReportingOverflow(by: max(0, count))
        total += overflow ? Limits.expansion + 1 : all
      }
      if total > Limits.expansion { return Limits.expansion + 1 }
    }
    return total
  }

  private func verify(
    _ nodes: [Node], of queue: QueueID, trips: [Int], place: String, report: (String, String, String) -> Void
  ) {
    for (position, node) in nodes.enumerated() {
      let here = "\(place)[\(position)]"
      switch node {
      case .loop(let count, let body):
        if count < 0 || count > Limits.count { report("loop-count", "loop runs \(count) times", here) }
        if trips.count == LoopState.mostLoops {
          report("loop-depth", "loops are nested deeper than \(LoopState.mostLoops)", here)
          continue
        }
        verify(body, of: queue, trips: trips + [max(0, min(count, Limits.count))], place: here, report: report)
      case .command(let command):
        verify(command, of: queue, trips: trips, place: "\(here) \(command.operation.name)", report: report)
      }
    }
  }

  private func verify(
    _ command: Command, of queue: QueueID, trips: [Int], place: String, report: (String, String, String) -> Void
  ) {
    let depth = trips.count
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
      if wait.count < 1 || wait.count > Limits.count { report("token-count", "waits for \(wait.count) tokens", place) }
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
      if signal.count < 1 || signal.count > Limits.count {
        report("token-count", "signals \(signal.count) tokens", place)
      }
      if case .read(let operand) = signal.point, operand < 0 || operand >= command.operation.reads.count {
        report(
          "signal-point", "signals after read of operand \(operand), it has \(command.operation.reads.count)", place)
      }
    }
    for generator in command.operation.reads + (command.operation.write.map { [$0] } ?? []) {
      verify(generator, trips: trips, place: place, report: report)
    }
    switch command.operation {
    case .copy(let copy):
      for side in [copy.source, copy.destination] where side.elementBits % 8 != 0 {
        report("element-bits", "copies elements of \(side.elementBits) bits, not of whole bytes", place)
      }
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
      for extent in [tile.m, tile.n, tile.k] {
        if let used = extent.depth { checkDepth(used, "an extent") }
        if min(extent.full, extent.last) < 1 || extent.largest > Limits.count {
          report("extent", "an extent is \(min(extent.full, extent.last)) to \(extent.largest)", place)
        }
      }
      if tile.numbers == .integer {
        for operand in [tile.a, tile.b] + (tile.indices.map { [$0] } ?? []) where operand.elementBits > 8 {
          report("element-bits", "an operand of the array has \(operand.elementBits)-bit elements, at most 8", place)
        }
      } else {
        for operand in [tile.a, tile.b] where operand.elementBits != 16 {
          report(
            "element-bits", "an operand in \(tile.numbers.rawValue) has \(operand.elementBits)-bit elements, not 16",
            place)
        }
        if (tile.activationBits, tile.weightBits) != (16, 16) {
          report(
            "element-bits",
            "a tile in \(tile.numbers.rawValue) says \(tile.activationBits)-bit activations and \(tile.weightBits)-bit weights, not 16",
            place)
        }
        if tile.sparsity != nil { report("sparsity", "a tile in \(tile.numbers.rawValue) is sparse", place) }
      }
      if tile.accumulators.dims.count != 2 || tile.accumulators.dims.last?.strideBits != 32
        || tile.accumulators.elementBits != 32 || !tile.accumulators.bounds.isEmpty
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
      if map.reduced < 1 || map.reduced > Limits.count { report("extent", "reduces \(map.reduced) points", place) }
    case .sync: break
    }
    if case .copy = command.operation { return }
    for generator in command.operation.reads + (command.operation.write.map { [$0] } ?? []) {
      if memories.indices.contains(generator.memory.offset), memories[generator.memory.offset].kind == .dram {
        report(
          "operand-memory", "reads or writes '\(memories[generator.memory.offset].name)', which only DMA reaches", place
        )
      }
    }
  }

  private func verify(
    _ generator: AddressGenerator, trips: [Int], place: String, report: (String, String, String) -> Void
  ) {
    if generator.deepestLoop >= trips.count {
      report("loop-depth", "an address refers to loop \(generator.deepestLoop) but \(trips.count) are open", place)
      return
    }
    if !memories.indices.contains(generator.memory.offset) {
      report("unknown-memory", "addresses memory \(generator.memory.offset)", place)
    }
    if generator.dims.count > AddressGenerator.maximumDims || generator.bounds.count > AddressGenerator.maximumBounds {
      report("address-dims", "uses \(generator.dims.count) dims and \(generator.bounds.count) bounds", place)
    }
    for bound in generator.bounds where bound.coefficients.count != generator.dims.count {
      report(
        "address-dims", "a bound has \(bound.coefficients.count) coefficients for \(generator.dims.count) dims", place)
      return
    }
    var elements = 1
    for dim in generator.dims {
      if min(dim.count.full, dim.count.last) < 1 || dim.count.largest > Limits.count {
        report("extent", "an extent is \(min(dim.count.full, dim.count.last)) to \(dim.count.largest)", place)
        return
      }
      elements = min(Limits.elements + 1, elements * dim.count.largest)
    }
    if elements > Limits.elements { report("extent", "lists more than \(Limits.elements) elements", place) }
    if generator.elementBits < 1 || generator.elementBits > 32 {
      report("element-bits", "elements have \(generator.elementBits) bits", place)
      return
    }
    // Addresses and coordinates with all their terms at their largest.
    func reach(_ affine: Affine, _ coefficients: [Int]) -> Int {
      var total = affine.constant.magnitude
      func add(_ coefficient: Int, _ count: Int) {
        let (product, overflow) = coefficient.magnitude.multipliedReportingOverflow(by: UInt(count))
        total = overflow || product > UInt(Limits.reach) || total > UInt(Limits.reach) ? .max / 2 : total + product
      }
      for term in affine.terms { add(term.coefficient, trips[term.depth]) }
      for (coefficient, dim) in zip(coefficients, generator.dims) { add(coefficient, dim.count.largest) }
      return Int(min(total, UInt(Limits.reach) + 1))
    }
    var reaches = [reach(generator.baseBits, generator.dims.map(\.strideBits))]
    reaches += generator.bounds.map { reach($0.offset, $0.coefficients) }
    if let rotation = generator.rotation {
      reaches.append(reach(rotation.index, []))
      let (span, overflow) = rotation.slotBits.multipliedReportingOverflow(by: max(1, rotation.slots))
      reaches.append(overflow ? .max : Int(min(span.magnitude, UInt(Limits.reach) + 1)))
    }
    if reaches.contains(where: { $0 > Limits.reach }) {
      report("address-range", "an address or a coordinate needs more than 58 bits", place)
      return
    }
    if let rotation = generator.rotation {
      if rotation.slots < 1 { report("extent", "a buffer rotates over \(rotation.slots) slots", place) }
      let least = rotation.index.terms.reduce(rotation.index.constant) {
        $0 + min(0, $1.coefficient * max(0, trips[$1.depth] - 1))
      }
      if least < 0 { report("rotation", "the index of a rotating buffer becomes \(least)", place) }
    }
    // Whole bytes and words lie on their own borders; smaller fields lie anywhere.
    guard generator.elementBits >= 8 else { return }
    let unit = generator.elementBits == 32 ? 32 : 8
    let addresses =
      [generator.baseBits.constant] + generator.baseBits.terms.map(\.coefficient)
      + generator.dims.filter { $0.count.largest > 1 }.map(\.strideBits)
      + (generator.rotation.map { [$0.slotBits] } ?? [])
    if let odd = addresses.first(where: { $0 % unit != 0 }) {
      report("alignment", "elements of \(generator.elementBits) bits lie \(odd) bits apart or off", place)
    }
  }
}

extension Program.Region {
  /// Why the shape does not fit the bytes; nil when it does.
  fileprivate var shapeProblem: String? {
    guard let type = ElementType(rawValue: element) else { return "has elements of the unknown type '\(element)'" }
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow, product < 1 << 48 else { return "has the shape \(shape)" }
      count = product
    }
    let needed = count * type.storageBytes
    return needed > bytes ? "holds \(bytes) bytes but its shape \(shape) of \(element) needs \(needed)" : nil
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
    if inputs.count > Kernel.maximumInputs {
      problems.append("takes \(inputs.count) inputs, at most \(Kernel.maximumInputs)")
    }
    for instruction in prologue + epilogue {
      check(instruction.destination, "a destination")
      check(instruction.a, "operand a of \(instruction.operation.rawValue)")
      if instruction.operation.isBinary { check(instruction.b, "operand b of \(instruction.operation.rawValue)") }
      if instruction.immediates.count != instruction.operation.immediateCount {
        problems.append(
          "\(instruction.operation.rawValue) takes \(instruction.operation.immediateCount) immediates, not \(instruction.immediates.count)"
        )
      }
      if instruction.operation.readsThirdRegister, let register = instruction.immediates.first {
        check(register, "the third operand of \(instruction.operation.rawValue)")
      }
      let shift: Int? =
        switch instruction.operation {
        case .requantizeImmediate: instruction.immediates.last
        case .addScaled: instruction.immediates.last
        default: nil
        }
      if instruction.operation == .roundToI32, instruction.immediates.contains(where: { Int32(exactly: $0) == nil }) {
        problems.append("roundToI32 saturates to \(instruction.immediates), which are no 32-bit integers")
      }
      if let shift, shift < 1 || shift > 62 { problems.append("shift \(shift) is not in 1 ... 62") }
    }
    check(reduced, "the reduced value")
    check(output, "the output")
    return problems
  }
}
