import PantileDialects
import PantileIR
import PantileSupport
import PantileSweep
import PantileTensor
import PantileText

extension Model {
  /// Whether values of some weights are nowhere: the model can be compiled and timed, not computed.
  public var lacksWeights: Bool {
    module.functions.contains { function in
      module.walk(function).contains { module.isConstant($0) && !module.hasValues($0) }
    }
  }

  /// Gives each absent weight values that follow from its name and `seed`.
  mutating func makeWeights(seed: UInt64) throws(DiagnosticError) {
    var rewrite = RewriteContext(module, registry: Dialects.registry)
    for op in module.walk(try module.mainFunction()) where module.isConstant(op) && !module.hasValues(op) {
      let view = module[op]
      let type = try view.resultTensor()
      let bound = Model.weightBound(shape: type.shape, elementType: try ElementType(type.element, at: view.location))
      let isUnsigned = try ElementType(type.element, at: view.location).integerRange.map { $0.lowerBound >= 0 } ?? false
      let name = view.location.names.first ?? module.results(of: op).first.flatMap { module.name(of: $0) } ?? "weight"
      rewrite.setAttribute(
        of: op, "value",
        SeededRule(name: "\(seed):\(name)", low: isUnsigned ? 0 : -bound, high: bound).attribute)
    }
    module = rewrite.module
  }

  /// The size of made-up weights: uniform in ±sqrt(6 / fan-in), which keeps the size of activations behind ReLU; vectors
  /// (biases) within ±0.1; whole numbers within ±127 or their type.
  ///
  /// **Source** He et al., Delving deep into rectifiers, ICCV 2015, equation 10.
  static func weightBound(shape: [Int], elementType: ElementType) -> Double {
    if let range = elementType.integerRange { return min(127, Double(range.upperBound)) }
    let fanIn = shape.dropFirst().reduce(1, *)
    return shape.count < 2 ? 0.1 : (6 / Double(max(1, fanIn))).squareRoot()
  }
}

extension Model {
  /// The weights of convolutions and matrix products as [output channels][inputs of one], in the order of the graph.
  ///
  /// - Throws: `no-weights` when the model has none.
  public func contractionWeights() throws(DiagnosticError) -> [TermStudy.Layer] {
    var layers: [TermStudy.Layer] = []
    for op in module.walk(try module.mainFunction()) {
      let view = module[op]
      guard view.name == "dnn.conv2d" || view.name == "dnn.matmul" || view.name == "dnn.fully_connected",
        view.operands.count > 1, let tensor = try module.constantTensor(view.operands[1]), tensor.shape.count >= 2
      else { continue }
      let isRowMajor = view.name == "dnn.matmul" ? try !view.flag("transpose_b") : false
      let n = isRowMajor ? tensor.shape[tensor.shape.count - 1] : tensor.shape[0]
      let k = tensor.count / n
      layers.append(
        TermStudy.Layer(
          n: n, k: k,
          values: (0..<tensor.count).map { tensor.double(at: isRowMajor ? $0 % k * n + $0 / k : $0) }))
    }
    guard !layers.isEmpty else {
      throw DiagnosticError("no-weights", "'\(name)' has no weights of convolutions or products")
    }
    return layers
  }
}
