import PantileSupport

/// What one task of a model costs on an array, in counts.
///
/// **Accuracy** exact: the cycle counts of BitMoD's simulator to the cycle when nothing is put right.
/// **Source** Chen et al., HPCA 2025, section V, and the simulator that belongs to it.
public struct BitMoDCounts: Hashable, Sendable {
  /// Cycles of the array, summed over products.
  public var computeCycles: Cycles
  /// Steps of the array: each reads both ports once.
  public var steps: Int
  /// Cycles of the DRAM bus, summed over products.
  public var dramCycles: Cycles
  /// Sum over products of the longer of both.
  public var totalCycles: Cycles
  /// Bytes over the DRAM bus.
  public var weightBytes: Bytes
  public var inputBytes: Bytes
  public var outputBytes: Bytes
  /// Bytes written to the buffers through the weight port and through the activation port.
  public var weightPortWrites: Bytes
  public var inputPortWrites: Bytes

  /// Counts a task.
  ///
  /// A product `[M, K] x [K, N]` takes `ceil(K / dot) ceil(N / rows) ceil(M / columns)` steps. When neither operand
  /// fits its buffer, the one whose repetition moves fewer bytes is fetched once for each buffer-full of the other.
  /// - Parameter fixed: the assumptions that are put right.
  /// - Throws: `out-of-range` when a count does not fit 64 bits.
  public init(
    _ model: LanguageModelShape, _ task: BitMoDTask, context: Int, on array: BitMoDArray, in system: BitMoDSystem,
    without fixed: Set<BitMoDAssumption> = []
  ) throws(DiagnosticError) {
    var sum = Sums()
    for product in model.products(task, context: context, without: fixed) {
      sum.add(product, on: array, in: system, without: fixed)
    }
    func narrow(_ value: Int128) throws(DiagnosticError) -> Int {
      guard let value = Int(exactly: value) else {
        throw DiagnosticError(
          "out-of-range",
          "\(task.rawValue) of model '\(model.name)' with context \(context) counts \(value), more than \(Int.max)",
          hint: "make the model or the context smaller")
      }
      return value
    }
    computeCycles = Cycles(try narrow(sum.compute))
    steps = try narrow(sum.steps)
    dramCycles = Cycles(try narrow(sum.dram))
    totalCycles = Cycles(try narrow(sum.total))
    weightBytes = Bytes(try narrow(sum.weights))
    inputBytes = Bytes(try narrow(sum.inputs))
    outputBytes = Bytes(try narrow(sum.outputs))
    weightPortWrites = Bytes(try narrow(sum.weightWrites))
    inputPortWrites = Bytes(try narrow(sum.inputWrites))
  }

  /// All bytes over the DRAM bus.
  public var dramBytes: Double { Double(weightBytes.count) + Double(inputBytes.count) + Double(outputBytes.count) }
}

/// Sums that cannot overflow for any model that a file may describe.
private struct Sums {
  var compute: Int128 = 0
  var steps: Int128 = 0
  var dram: Int128 = 0
  var total: Int128 = 0
  var weights: Int128 = 0
  var inputs: Int128 = 0
  var outputs: Int128 = 0
  var weightWrites: Int128 = 0
  var inputWrites: Int128 = 0

  mutating func add(
    _ product: BitMoDProduct, on array: BitMoDArray, in system: BitMoDSystem, without fixed: Set<BitMoDAssumption>
  ) {
    let count = Int128(product.count)
    let bits = product.isAttention && fixed.contains(.b) ? Double(system.cacheBits) : array.weightBits
    let step = Int128(array.stepCycles(bits: bits))
    let instances = Int128(product.instances)
    let productSteps =
      instances * ceilDivide(product.k, array.dotWidth) * ceilDivide(product.n, array.rows)
      * ceilDivide(product.m, array.columns)
    let productCompute = productSteps * step

    let storedBits = product.isAttention ? Double(system.activationBits) : array.weightBits
    let otherBits = Double(system.activationBits)
    let weightPart = product.weights.partBytes(bits: storedBits)
    let inputPart = product.inputs.partBytes(bits: otherBits)
    let times = refetches(weightPart, inputPart, in: system)
    let weightBytes = weightPart * Int128(product.weights.parts) * times.weights
    let inputBytes = inputPart * Int128(product.inputs.parts) * times.inputs
    let outputBytes = product.outputs.partBytes(bits: otherBits) * Int128(product.outputs.parts)
    let movedWeights = product.weights.crossesDRAM ? weightBytes : 0
    let movedOutputs = product.outputs.crossesDRAM ? outputBytes : 0
    let bus = (movedWeights + inputBytes + movedOutputs) * 8 / Int128(system.dramBitsPerCycle)

    let fill = fixed.contains(.f) ? instances * Int128(array.fillCycles) : 0
    compute += count * productCompute
    steps += count * productSteps
    dram += count * bus
    total += count * max(productCompute + fill, bus)
    weights += count * movedWeights
    inputs += count * inputBytes
    outputs += count * movedOutputs
    // The published model writes attention's operand to the weight buffer at the weights' width.
    let writtenBits = product.isAttention && product.isStoredAsIs ? otherBits : array.weightBits
    weightWrites += count * product.weights.bufferBytes(bits: writtenBits, in: system) * times.weights
    inputWrites +=
      count
      * (product.inputs.bufferBytes(bits: otherBits, in: system) * times.inputs
        + product.outputs.bufferBytes(bits: otherBits, in: system))
  }

  /// How often each operand is fetched.
  private func refetches(
    _ weights: Int128, _ inputs: Int128, in system: BitMoDSystem
  ) -> (weights: Int128, inputs: Int128) {
    let (weightBuffer, activationBuffer) = (Int128(system.weightBuffer.count), Int128(system.activationBuffer.count))
    guard weights > weightBuffer, inputs > activationBuffer else { return (1, 1) }
    let inputTimes = (weights + weightBuffer - 1) / weightBuffer
    let weightTimes = (inputs + activationBuffer - 1) / activationBuffer
    return weightTimes * weights + inputs < inputTimes * inputs + weights ? (weightTimes, 1) : (1, inputTimes)
  }
}

extension BitMoDProduct.Operand {
  /// Bytes of one row. In floating point like the simulator: widths are not whole, and its roundings are to be met.
  private func rowBytes(bits: Double) -> Int128 { Int128((Double(columns) * bits / 8).rounded(.up)) }

  fileprivate func partBytes(bits: Double) -> Int128 { rowBytes(bits: bits) * Int128(rows) }

  /// Bytes in a buffer, each row rounded up to the granule.
  fileprivate func bufferBytes(bits: Double, in system: BitMoDSystem) -> Int128 {
    let granule = Int128(system.rowGranule.count)
    return (rowBytes(bits: bits) + granule - 1) / granule * granule * Int128(rows) * Int128(parts)
  }
}

extension BitMoDArray {
  /// Cycles in which a product's first operands reach the last tile and its last outputs leave a column.
  fileprivate var fillCycles: Int {
    let hops = (rows + tileRows - 1) / tileRows + (columns + tileColumns - 1) / tileColumns - 2
    return hops + rows
  }
}

private func ceilDivide(_ a: Int, _ b: Int) -> Int128 { (Int128(a) + Int128(b) - 1) / Int128(b) }
