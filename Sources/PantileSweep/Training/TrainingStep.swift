import PantileTensor

/// One training step as phases of a machine: for each layer forward, gradient of the input, gradient and update of the weights.
struct TrainingStep {
  enum Kind: String, CaseIterable, Sendable {
    case forward = "FF"
    case backward = "BP"
    case update = "WU"
  }

  /// acc[m][n] = Σ_k A[m][k]·B[k][n], so many times; the pattern is of B, along k.
  struct Product: Hashable {
    var m: Int
    /// Padded to whole groups.
    var k: Int
    var n: Int
    var pattern: NMPattern?
    var count = 1

    /// Multiply-accumulates that are carried out.
    var macs: Int {
      let kept = pattern.map { k / $0.group * $0.kept } ?? k
      return m * kept * n * count
    }
  }

  /// One way to do a phase's product.
  struct Form {
    var products: [Product]
    /// Additions that put columns back into a picture.
    var scatterAdds = 0
  }

  /// Vector work and traffic.
  struct Work: Hashable {
    /// **Units** instructions times elements.
    var operations = 0
    /// Elements to and from DRAM on top of the operands of the product.
    var moved = 0
  }

  struct Phase {
    var layer: Int
    var kind: Kind
    /// The machine takes the fastest.
    var forms: [Form]
    /// Runs while the array works.
    var beside = Work()
    /// Begins when the product is whole.
    var behind = Work()
    /// Elements of the product's first operand, its second when that is no weight, and its result.
    var operandElements: Int
    /// Bytes of weights, compressed where pruned.
    var weightBytes: Int
    var resultElements: Int
    /// Bytes of weights' masters, momenta and fresh compressed copies.
    var updateBytes = 0
  }

  var phases: [Phase] = []

  init(_ network: TrainingStudy.Network, pattern: NMPattern?, _ costs: TrainingStudy.Costs) {
    for (index, layer) in network.layers.enumerated() {
      phases.append(Self.forward(network.batch, index, layer, pattern, costs))
      if !layer.isFirst { phases.append(Self.backward(network.batch, index, layer, pattern, costs)) }
      phases.append(Self.update(network.batch, index, layer, pattern, costs))
    }
  }

  private static func padded(_ channels: Int, _ pattern: NMPattern?) -> Int {
    guard let pattern else { return channels }
    return (channels + pattern.group - 1) / pattern.group * pattern.group
  }

  /// Bytes of weights [depth, columns] in `taps` places, reduced along depth.
  private static func bytes(
    taps: Int, depth: Int, columns: Int, _ pattern: NMPattern?, _ costs: TrainingStudy.Costs
  ) -> Int {
    guard let pattern else { return taps * depth * columns * costs.elementBytes }
    let kept = padded(depth, pattern) / pattern.group * pattern.kept * taps * columns
    return (kept * (costs.elementBytes * 8 + pattern.indexBits) + 7) / 8
  }

  private static func forward(
    _ batch: Int, _ index: Int, _ layer: TrainingStudy.Network.Layer, _ pattern: NMPattern?,
    _ costs: TrainingStudy.Costs
  ) -> Phase {
    let shape = layer.shape
    let kept = layer.pattern(pattern, along: shape.inputChannels)
    var product = Product(
      m: batch * shape.rows, k: shape.taps * padded(shape.inputChannels, kept), n: shape.outputChannels, pattern: kept)
    if case .product(let m, let k, let n, let heads) = shape {
      product = Product(m: m, k: k, n: n, count: batch * heads)
    }
    let outputs = batch * shape.outputElements
    let isProduct = shape.weights == 0
    var phase = Phase(
      layer: index, kind: .forward, forms: [Form(products: [product])],
      operandElements: batch * shape.inputElements,
      weightBytes: isProduct
        ? 0
        : bytes(
          taps: shape.taps, depth: shape.inputChannels, columns: shape.outputChannels, kept, costs),
      resultElements: outputs)
    for name in layer.follows { costs.add(name, \.forward, elements: outputs, to: &phase) }
    return phase
  }

  private static func backward(
    _ batch: Int, _ index: Int, _ layer: TrainingStudy.Network.Layer, _ pattern: NMPattern?,
    _ costs: TrainingStudy.Costs
  ) -> Phase {
    let shape = layer.shape
    let outputs = batch * shape.outputElements
    let inputs = batch * shape.inputElements
    let kept = layer.pattern(pattern, along: shape.outputChannels)
    let depth = padded(shape.outputChannels, kept)
    let weightBytes =
      shape.weights == 0
      ? 0
      : bytes(taps: shape.taps, depth: shape.outputChannels, columns: shape.inputChannels, kept, costs)
    var forms: [Form]
    switch shape {
    case .convolution(let channels, _, let kernel, let stride, let size):
      // Columns of gradients by the weights, then back into the picture; or a full convolution, whose gradients are
      // spread with stride-1 zeros.
      let columns = Product(m: batch * shape.rows, k: depth, n: shape.taps * channels, pattern: kept)
      forms = [Form(products: [columns], scatterAdds: kernel > 1 ? columns.m * columns.n : 0)]
      if kernel > 1 || stride == 1 {
        forms.append(
          Form(products: [Product(m: batch * size * size, k: shape.taps * depth, n: channels, pattern: kept)]))
      }
    case .linear(let channels, _, let tokens):
      forms = [Form(products: [Product(m: batch * tokens, k: depth, n: channels, pattern: kept)])]
    case .product(let m, let k, let n, let heads):
      // Gradient of the first operand; that of the second stands in the update's place.
      forms = [Form(products: [Product(m: m, k: n, n: k, count: batch * heads)])]
    }
    var phase = Phase(
      layer: index, kind: .backward, forms: forms, operandElements: outputs, weightBytes: weightBytes,
      resultElements: inputs)
    for name in layer.follows { costs.add(name, \.backward, elements: outputs, to: &phase) }
    return phase
  }

  private static func update(
    _ batch: Int, _ index: Int, _ layer: TrainingStudy.Network.Layer, _ pattern: NMPattern?,
    _ costs: TrainingStudy.Costs
  ) -> Phase {
    let shape = layer.shape
    let outputs = batch * shape.outputElements
    if case .product(let m, let k, let n, let heads) = shape {
      return Phase(
        layer: index, kind: .update, forms: [Form(products: [Product(m: k, k: m, n: n, count: batch * heads)])],
        operandElements: outputs + batch * heads * m * k, weightBytes: 0, resultElements: batch * heads * k * n)
    }
    let (rows, columns) = (shape.taps * shape.inputChannels, shape.outputChannels)
    let samples = batch * shape.rows
    // Dense either way: the two operands may change places.
    var phase = Phase(
      layer: index, kind: .update,
      forms: [
        Form(products: [Product(m: rows, k: samples, n: columns)]),
        Form(products: [Product(m: columns, k: samples, n: rows)]),
      ],
      operandElements: batch * shape.inputElements + outputs, weightBytes: 0, resultElements: 0)
    // Master and momentum are read and written, the gradient never leaves the chip.
    phase.updateBytes = shape.weights * 4 * costs.masterBytes
    // Gradients leave the array tile by tile, and the vector unit takes each as it comes.
    phase.beside.operations += shape.weights * costs.updateOperations
    for (depth, other) in [
      (shape.inputChannels, shape.outputChannels), (shape.outputChannels, shape.inputChannels),
    ] {
      let kept = layer.pattern(pattern, along: depth)
      // Two dense copies are one.
      if kept == nil && depth != shape.inputChannels && layer.pattern(pattern, along: shape.inputChannels) == nil {
        continue
      }
      phase.updateBytes += bytes(taps: shape.taps, depth: depth, columns: other, kept, costs)
      if kept != nil { phase.beside.operations += shape.weights * costs.reductionOperations }
    }
    return phase
  }
}
