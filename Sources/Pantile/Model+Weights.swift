import PantileDialects
import PantileIR
import PantileSupport
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
