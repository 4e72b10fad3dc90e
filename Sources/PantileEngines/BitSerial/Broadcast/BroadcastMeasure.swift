/// What a command takes on a bit-serial machine that skips terms, from its operands.
enum BroadcastMeasure {
  static func measure(
    _ machine: BitSerialMachine, _ extents: TileExtents, _ format: ContractionFormat, _ operands: ArrayOperands,
    accumulate: Bool
  ) -> TileMeasure {
    let a = UnsafeBufferPointer(start: operands.a, count: extents.m * extents.k)
    let b = UnsafeBufferPointer(start: operands.b, count: extents.k * extents.n)
    let run = machine.run(product(extents, format, a, b))
    return TileMeasure(
      timing: TileTiming(whole: run.cycles), occupancy: run.occupancy,
      actions: BroadcastTiming.actions(
        machine, extents, format, accumulate: accumulate, terms: run.addedTerms, sums: run.usedAccumulations))
  }

  /// The operands of a command as a machine takes them: a line for each token and each output channel.
  private static func product<Numbers: RandomAccessCollection<Int8>>(
    _ extents: TileExtents, _ format: ContractionFormat, _ a: Numbers, _ b: Numbers
  ) -> BitSerialProduct where Numbers.Index == Int {
    let (k, n) = (extents.k, extents.n)
    var weights = [Int16](repeating: 0, count: n * k)
    for position in 0..<k {
      for column in 0..<n { weights[column * k + position] = Int16(b[b.startIndex + position * n + column]) }
    }
    return BitSerialProduct(
      m: extents.m, k: k, n: n, activations: a.map { Int16($0) }, activationBits: format.activationBits,
      weights: weights, weightBits: format.weightBits)
  }

  /// Commands one after the other by the register-transfer model.
  static func stepped(
    _ machine: BitSerialMachine, _ inputs: [ArrayStepInput], _ format: ContractionFormat
  ) -> ArrayStepResult {
    var result = ArrayStepResult(commands: [], cycles: 0, activationElements: 0, weightBeats: 0, results: 0)
    for input in inputs {
      let product = product(input.extents, format, input.a, input.b)
      let (cycles, values) = machine.stepped(product)
      let end = result.cycles + cycles
      result.commands.append(
        .init(
          issue: result.cycles, end: end, readA: end, readB: end,
          accumulators: values.map { Int32(truncatingIfNeeded: $0) }))
      result.cycles = end
      // Lanes of a whole step enter together, missing ones as zeros.
      let beats = (product.k + machine.stepWidth - 1) / machine.stepWidth * machine.stepWidth
      let rounds =
        ((product.m + machine.columns - 1) / machine.columns) * ((product.n + machine.rows - 1) / machine.rows)
      result.activationElements += rounds * beats * machine.columns
      result.weightBeats += rounds * beats * machine.rows
      result.results += values.count
    }
    return result
  }
}
