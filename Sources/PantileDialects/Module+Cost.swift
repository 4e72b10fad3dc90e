import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor

extension Module {
  /// Multiply-accumulates of one run of a function.
  /// - Throws: `dynamic-shape`, `element-type`.
  public func macs(of function: OpID) throws(DiagnosticError) -> Int {
    var total = 0
    for op in ops(inBodyOf: function) {
      guard let graphOp = DNN.op(name(of: op)), let work = try graphOp.work(self[op]) else { continue }
      total += work.macs
    }
    return total
  }

  /// The number of constant elements of a function and the bytes they take, as stored.
  /// - Throws: `dynamic-shape`, `element-type`.
  public func weights(of function: OpID) throws(DiagnosticError) -> (elements: Int, bytes: Bytes) {
    var elements = 0
    var bytes = Bytes.zero
    for op in ops(inBodyOf: function) where isConstant(op) {
      let type = try self[op].resultTensor()
      elements += type.count
      bytes += Bytes(type.count * (try ElementType(type.element, at: location(of: op))).storageBytes)
    }
    return (elements, bytes)
  }
}
