import PantileIR
import PantilePasses
import PantileProblem
import PantileSupport

extension UpdateScheme {
  /// The scheme as entries of `grad`'s option `update`: convolutions in the order of the graph, the last contraction whole.
  ///
  /// - Throws: `scheme-mismatch` where the scheme names what the model has not, or weights without their bias, all at once.
  public func nodes(of module: Module) throws(DiagnosticError) -> [String] {
    let main = try module.mainFunction()
    let ops = module.ops(inBodyOf: main)
    let convolutions = ops.filter { module.name(of: $0) == "dnn.conv2d" }
    let classifier = ops.last { ["dnn.fully_connected", "dnn.matmul", "dnn.conv2d"].contains(module.name(of: $0)) }
    var faults: [Diagnostic] = []
    func fault(_ text: String) { faults.append(Diagnostic("scheme-mismatch", "scheme '\(name)': \(text)")) }
    if !(0...convolutions.count).contains(biasesFromTheEnd) {
      fault("biases of \(biasesFromTheEnd) convolutions are updated, the model has \(convolutions.count)")
    }
    for item in weights {
      if !convolutions.indices.contains(item.convolution) {
        fault("weights of convolution \(item.convolution) are updated, the model has \(convolutions.count)")
      } else if item.convolution < convolutions.count - biasesFromTheEnd {
        fault("convolution \(item.convolution) has its weights updated but not its bias")
      }
    }
    guard faults.isEmpty else { throw DiagnosticError(faults) }
    var result: [String] = []
    for (index, op) in convolutions.enumerated()
    where index >= convolutions.count - biasesFromTheEnd && op != classifier {
      guard let node = module.location(of: op).names.first else {
        throw module[op].error("scheme-mismatch", "convolution \(index) has no name to update it by")
      }
      let ratio = weights.first { $0.convolution == index }?.ratio ?? 0
      result.append(ratio > 0 ? "\(node):\(ratio)" : "\(node):bias")
    }
    if let classifier, let node = module.location(of: classifier).names.first { result.append(node) }
    return result
  }
}
