import PantileProgram

/// A scratchpad buffer of one step: a slot's size and the banks it would rather not share.
struct StepBuffer {
  /// Which engines read and write it; buffers of different groups are put into different banks where there is room,
  /// so that their ports do not meet.
  enum Group: Int { case arrayOperand, epilogueOperand, output, vectorOperand, resident }

  var name: String
  var slotBytes: Int
  var group: Group
  var content: Content

  /// What is in it, which says who fills it.
  enum Content {
    /// Weights and other constants, off chip before the run: loaded.
    case constant
    /// A tensor that another step or the caller made: loaded.
    case tensor
    /// What the step itself makes.
    case result
  }
}

/// Slots start at multiples of this many bytes, so that 32-bit elements are aligned and bursts are whole.
let slotAlignment = 64

func aligned(_ bytes: Int) -> Int { (bytes + slotAlignment - 1) / slotAlignment * slotAlignment }

extension ContractStep {
  /// Stored rows of a weight block along c, for c channels: all, or the kept ones.
  func storedChannels(_ channels: Int) -> Int {
    guard let sparsity else { return channels }
    return channels / sparsity.group * sparsity.kept
  }

  /// Bits of one index of a kept weight.
  var indexBits: Int {
    guard let sparsity else { return 0 }
    return max(1, (sparsity.group - 1).bitWidth - (sparsity.group - 1).leadingZeroBitCount)
  }

  /// Bytes of a weight block row (one k, all n of a tile), rows padded to bytes.
  func weightRowBytes(_ columns: Int) -> Int { (columns * weightBits + 7) / 8 }
  func indexRowBytes(_ columns: Int) -> Int { (columns * indexBits + 7) / 8 }

  /// Bytes of one weight block and one index block of full size.
  func blockBytes(channels: Int, columns: Int) -> (weights: Int, indices: Int) {
    let rows = extents[Dim.r] * extents[Dim.s] * storedChannels(channels)
    return (rows * weightRowBytes(columns), sparsity == nil ? 0 : rows * indexRowBytes(columns))
  }

  /// The three 32-bit parameter rows of a tile of output channels: bias, multiplier, shift.
  static func parameterBytes(columns: Int) -> Int { 12 * columns }

  func nest(_ choice: StepChoice) -> TiledNest {
    TiledNest(extents: extents, tiles: choice.tiles, order: choice.order)
  }

  /// The scratchpad buffers that a choice needs.
  func buffers(_ choice: StepChoice, in graph: StepGraph) -> [StepBuffer] {
    let nest = nest(choice)
    var buffers: [StepBuffer] = []
    let block = blockBytes(channels: nest.length(Dim.c).largest, columns: nest.length(Dim.n).largest)
    if let weightTensor {
      if !choice.residentReads.contains(graph.tensors[weightTensor.tensor].storage),
        let bytes = addressing(nest, graph).weights?.boxBytes
      {
        buffers.append(StepBuffer(name: "w", slotBytes: aligned(bytes), group: .arrayOperand, content: .tensor))
      }
    } else {
      buffers.append(StepBuffer(name: "w", slotBytes: aligned(block.weights), group: .arrayOperand, content: .constant))
    }
    if sparsity != nil {
      buffers.append(
        StepBuffer(name: "index", slotBytes: aligned(block.indices), group: .arrayOperand, content: .constant))
    }
    if !choice.residentReads.contains(graph.tensors[x].storage) {
      buffers.append(
        StepBuffer(
          name: "x", slotBytes: aligned(addressing(nest, graph).x.boxBytes), group: .arrayOperand, content: .tensor))
    }
    if numbers == .integer {
      buffers.append(
        StepBuffer(
          name: "parameters", slotBytes: aligned(Self.parameterBytes(columns: nest.length(Dim.n).largest)),
          group: .epilogueOperand, content: .constant))
    } else if let biasTensor, !choice.residentReads.contains(graph.tensors[biasTensor.tensor].storage),
      let addressing = addressing(nest, graph).bias
    {
      buffers.append(
        StepBuffer(name: "bias", slotBytes: aligned(addressing.boxBytes), group: .epilogueOperand, content: .tensor))
    }
    if let residual, !choice.residentReads.contains(graph.tensors[residual.tensor].storage),
      let addressing = addressing(nest, graph).residual
    {
      buffers.append(
        StepBuffer(name: "residual", slotBytes: aligned(addressing.boxBytes), group: .epilogueOperand, content: .tensor)
      )
    }
    if !choice.keepsOutput {
      buffers.append(
        StepBuffer(
          name: "out", slotBytes: aligned(addressing(nest, graph).output.boxBytes), group: .output, content: .result))
    }
    return buffers
  }

  func addressing(
    _ nest: TiledNest, _ graph: StepGraph
  ) -> (
    x: OperandAddressing, weights: OperandAddressing?, output: OperandAddressing, residual: OperandAddressing?,
    bias: OperandAddressing?
  ) {
    (
      OperandAddressing(nest: nest, map: xMap, tensor: graph.tensors[x], padValue: padValue),
      weightTensor.map { OperandAddressing(nest: nest, map: $0.map, tensor: graph.tensors[$0.tensor], padValue: 0) },
      OperandAddressing(nest: nest, map: outputMap, tensor: graph.tensors[output], padValue: 0),
      residual.map {
        OperandAddressing(nest: nest, map: outputMap, tensor: graph.tensors[$0.tensor], padValue: 0)
      },
      biasTensor.map { OperandAddressing(nest: nest, map: $0.map, tensor: graph.tensors[$0.tensor], padValue: 0) }
    )
  }
}

extension MapStep {
  func nest(_ choice: StepChoice) -> TiledNest {
    TiledNest(extents: dims.map(\.extent), tiles: choice.tiles, order: choice.order)
  }

  func addressing(_ index: Int, _ nest: TiledNest, _ graph: StepGraph) -> OperandAddressing {
    let input = inputs[index]
    let tensor: StepGraph.Tensor =
      switch input.source {
      case .tensor(let id): graph.tensors[id]
      case .constant(let id): constants[id].tensor
      }
    return OperandAddressing(nest: nest, map: input.map, tensor: tensor, padValue: input.padValue)
  }

  func outputAddressing(_ nest: TiledNest, _ graph: StepGraph) -> OperandAddressing {
    OperandAddressing(nest: nest, map: outputMap, tensor: graph.tensors[output], padValue: 0)
  }

  /// Whether an input is read from a kept storage.
  func isResident(_ index: Int, _ choice: StepChoice, _ graph: StepGraph) -> Bool {
    guard case .tensor(let id) = inputs[index].source else { return false }
    return choice.residentReads.contains(graph.tensors[id].storage)
  }

  func temporaryBytes(_ index: Int, _ nest: TiledNest) -> Int {
    temporaries[index].dims.reduce(temporaries[index].format.bits / 8) { $0 * nest.length($1).largest }
  }

  /// The scratchpad buffers that a choice needs.
  func buffers(_ choice: StepChoice, in graph: StepGraph) -> [StepBuffer] {
    let nest = nest(choice)
    var buffers: [StepBuffer] = []
    for index in inputs.indices where !isResident(index, choice, graph) {
      let content: StepBuffer.Content
      if case .constant = inputs[index].source { content = .constant } else { content = .tensor }
      buffers.append(
        StepBuffer(
          name: "in\(index)", slotBytes: aligned(addressing(index, nest, graph).boxBytes), group: .vectorOperand,
          content: content))
    }
    for index in temporaries.indices {
      buffers.append(
        StepBuffer(
          name: "temporary\(index)", slotBytes: aligned(temporaryBytes(index, nest)), group: .vectorOperand,
          content: .result))
    }
    if !choice.keepsOutput {
      buffers.append(
        StepBuffer(
          name: "out", slotBytes: aligned(outputAddressing(nest, graph).boxBytes), group: .output, content: .result))
    }
    return buffers
  }
}

extension Step {
  func buffers(_ choice: StepChoice, in graph: StepGraph) -> [StepBuffer] {
    switch body {
    case .contract(let step): return step.buffers(choice, in: graph)
    case .map(let step): return step.buffers(choice, in: graph)
    }
  }
}
