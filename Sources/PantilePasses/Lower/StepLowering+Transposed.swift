import PantileDialects
import PantileEngines
import PantileIR
import PantileProgram
import PantileSupport
import PantileTensor
import PantileText

// The input gradient of a strided convolution in 16-bit floats.
extension StepLowering {
  /// A transposed convolution as one convolution with the places inside a stride as output channels, which are then put side by side.
  ///
  /// Row `s·a + f` (f < s) of the padded result takes tap `f + s·j` of input row `a - j`: for each f a filter of the taps that meet it, so
  /// that no zero is put between elements of the input. Filters of taps that there are not are zero; they are the cost, ceil(R/s)²·s²
  /// products in place of R².
  mutating func lowerTransposedConvolution(_ op: OpView) throws(DiagnosticError) {
    guard let numbers = floats(of: op.operands[0]) else {
      throw unsupported(
        op, "operands of type \(try op.operandTensor(0).element); the array takes floats rounded to 16 bits")
    }
    guard op.operands.count == 2, try op.integers("dilations") == [1, 1] else {
      throw unsupported(op, "a bias, or filters with dilation")
    }
    let (x, w, y) = (try op.operandTensor(0), try op.operandTensor(1), try op.resultTensor())
    let (groups, strides, pads) = (
      try op.integer("groups"), try op.integers("strides"), try op.integers("pads")
    )
    let (cg, ng) = (x.shape[1] / groups, w.shape[1])
    let places = strides[0] * strides[1]
    let image = StridedImage(shape: y.shape, strides: strides, pads: pads)
    let (blocks, taps) = (image.blocks, image.strided([w.shape[2], w.shape[3]]))
    let name = module.name(of: op.result) ?? "transposed"

    // Filters [group, f, h, n, c, j, l] as [group·places·n, c, j, l].
    let source = try floatTensor(op.operands[1], numbers, for: op)
    let filters = graph.addTensor(
      "\(name).filters", shape: [groups * places * ng, cg, taps[0], taps[1]], order: [0, 1, 2, 3],
      format: graph.tensors[source].format)
    try addSpread(
      op, name: "\(name).filters", from: source, to: filters,
      dims: [groups, strides[0], strides[1], ng, cg, taps[0], taps[1]],
      source: [[(0, cg), (4, 1)], [(3, 1)], [(1, 1), (5, strides[0])], [(2, 1), (6, strides[1])]],
      target: [[(0, places * ng), (1, strides[1] * ng), (2, ng), (3, 1)], [(4, 1)], [(5, 1)], [(6, 1)]])

    typealias D = ContractStep.Dim
    let channels = groups * places * ng
    let sums = graph.addTensor(
      "\(name).places", shape: [x.shape[0], channels, blocks[0], blocks[1]], order: [0, 2, 3, 1], format: .f32)
    let input: [OperandMap.Axis] = [
      .along(D.b), .init([.init(D.g, cg), .init(D.c)]), .init([.init(D.p), .init(D.r, -1)]),
      .init([.init(D.q), .init(D.s, -1)]),
    ]
    let channel = OperandMap.Axis([.init(D.g, places * ng), .init(D.n)])
    let output: [OperandMap.Axis] = [.along(D.b), channel, .along(D.p), .along(D.q)]
    let extents: [Int] = [groups, x.shape[0], blocks[0], blocks[1], places * ng, cg, taps[0], taps[1]]
    let step = ContractStep(
      of: numbers, extents: extents, x: try storedTensor(of: op.operands[0], for: op), xMap: OperandMap(input),
      weights: .init(tensor: filters, map: OperandMap([channel, .along(D.c), .along(D.r), .along(D.s)])),
      output: sums, outputMap: OperandMap(output))
    add(
      .contract(step), kind: "conv_transpose2d", covering: [op.id],
      macs: x.count * ng * w.shape[2] * w.shape[3])

    // Places side by side, then without the padding.
    let target = try newTensor(for: op.result)
    let whole =
      image.isWhole
      ? target
      : graph.addTensor("\(name).padded", shape: image.padded, order: graph.tensors[target].order, format: .f32)
    try addSpread(
      op, name: "\(name).image", from: sums, to: whole,
      dims: [x.shape[0], groups, blocks[0], strides[0], blocks[1], strides[1], ng],
      source: [
        [(0, 1)], [(1, places * ng), (3, strides[1] * ng), (5, ng), (6, 1)], [(2, 1)], [(4, 1)],
      ], target: [[(0, 1)], [(1, ng), (6, 1)], [(2, strides[0]), (3, 1)], [(4, strides[1]), (5, 1)]])
    if !image.isWhole { addCut(op, image, from: whole, to: target) }
    tensors[op.result] = target
  }

  /// Moves elements between two tensors whose coordinates are sums of scaled dims; elements that the source has not are zero.
  ///
  /// - Parameters:
  ///   - dims: extents of the nest; those of one element are left out.
  ///   - source, target: for each axis its terms: dim and scale.
  private mutating func addSpread(
    _ op: OpView, name: String, from source: Int, to target: Int, dims: [Int], source sourceTerms: [[(Int, Int)]],
    target targetTerms: [[(Int, Int)]]
  ) throws(DiagnosticError) {
    let kept = dims.indices.filter { dims[$0] > 1 }
    guard kept.count <= AddressGenerator.maximumDims else {
      throw unsupported(op, "groups of several channels with strides along both dims; the machine has 6 dims")
    }
    func map(_ terms: [[(Int, Int)]]) -> OperandMap {
      var axes: [OperandMap.Axis] = []
      for axis in terms {
        var present: [OperandMap.Axis.Term] = []
        for (dim, scale) in axis {
          if let place = kept.firstIndex(of: dim) { present.append(OperandMap.Axis.Term(place, scale)) }
        }
        axes.append(OperandMap.Axis(present))
      }
      return OperandMap(axes)
    }
    // A tile is a box on both sides, so that of the dims that meet in an axis the one of the largest scale alone may be cut.
    func leads(_ dim: Int, _ terms: [[(Int, Int)]]) -> Bool {
      terms.allSatisfy { axis in
        let present = axis.filter { kept.contains($0.0) }
        return !present.contains { $0.0 == dim } || present.max { $0.1 < $1.1 }?.0 == dim
      }
    }
    var nest = kept.indices.map { place in
      MapStep.Dim(
        "d\(place)", dims[kept[place]], mayTile: leads(kept[place], sourceTerms) && leads(kept[place], targetTerms))
    }
    if nest.isEmpty { nest = [MapStep.Dim("one", 1, mayTile: false)] }
    let step = MapStep(
      dims: nest, inputs: [.init(.tensor(source), map(sourceTerms))],
      stages: [.init(.move(graph.tensors[source].format, to: graph.tensors[target].format), [.input(0)])],
      output: target, outputMap: map(targetTerms))
    add(step, kind: "move", covering: [op.id], name: name, location: op.location)
  }
}
