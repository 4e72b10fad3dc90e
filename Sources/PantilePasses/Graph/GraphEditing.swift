import Foundation
import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

// Small steps that graph passes share.
extension RewriteContext {
  /// Inserts an op with one result and gives that.
  /// - Throws: what the op's shape rule throws.
  mutating func insertValue(
    _ name: String, _ operands: [ValueID], _ attributes: AttributeDictionary = [:], at point: InsertionPoint,
    location: SourceLocation, resultName: String? = nil
  ) throws(DiagnosticError) -> ValueID {
    let op = try insert(
      name, operands: operands, attributes: attributes, at: point, location: location,
      resultNames: resultName.map { [$0] } ?? [])
    return module.results(of: op)[0]
  }

  /// Puts a new op with one result in the place of `op`, which has one result too; keeps name and location.
  /// - Throws: what the op's shape rule throws.
  @discardableResult
  mutating func replace(
    _ op: OpID, by name: String, _ operands: [ValueID], _ attributes: AttributeDictionary = [:]
  ) throws(DiagnosticError) -> ValueID {
    let value = try insertValue(name, operands, attributes, at: .before(op), location: module.location(of: op))
    replace(op, with: [value])
    return value
  }

  /// Erases what nothing reads, from the end of a function to its start.
  mutating func eraseUnusedOps(of function: OpID) {
    for op in module.ops(inBodyOf: function).reversed() where !module.isErased(op) && isRemovableWhenUnused(op) {
      if module.results(of: op).allSatisfy({ !module.hasUses($0) }) { erase(op) }
    }
  }

  /// Whether an op has no effect but its results.
  func isRemovableWhenUnused(_ op: OpID) -> Bool {
    registry.definition(of: module.name(of: op))?.traits.contains(.pure) ?? false
  }

  /// The op that makes `value`, when it is of that kind.
  func maker(_ value: ValueID, _ name: String) -> OpID? {
    guard let op = module.definingOp(of: value), module.name(of: op) == name else { return nil }
    return op
  }

  // MARK: Constants

  /// Tensors of more elements than this are transformed when they are asked for, not at once.
  static var eagerElementLimit: Int { 1 << 22 }

  /// Inserts a constant made from others: at once when small, on demand when large, absent when one of them is absent.
  ///
  /// - Parameter type: of the result; its encoding is kept.
  /// - Parameter make: pure; gets the tensors of `sources` in order.
  /// - Throws: what reading the sources throws.
  mutating func insertConstant(
    _ type: TensorType, from sources: [OpID], name: String, summary: String, at point: InsertionPoint,
    location: SourceLocation, make: @escaping @Sendable ([HostTensor]) throws(DiagnosticError) -> HostTensor
  ) throws(DiagnosticError) -> ValueID {
    guard sources.allSatisfy({ module.hasValues($0) }) else {
      return try insertAbsentConstant(type, name: name, at: point, location: location)
    }
    let value: ValueID
    var largest = type.count
    for source in sources { largest = max(largest, try module[source].resultTensor().count) }
    if largest <= Self.eagerElementLimit {
      var tensors: [HostTensor] = []
      for source in sources {
        guard let tensor = try module.constantTensor(of: source) else {
          return try insertAbsentConstant(type, name: name, at: point, location: location)
        }
        tensors.append(tensor)
      }
      value = try insertConstant(try make(tensors), name: name, at: point, location: location)
    } else {
      var detached: [DetachedConstant] = []
      for source in sources { detached.append(try DetachedConstant(source, of: module, registry)) }
      let inputs = detached
      let resource = Resource(
        .generated(summary: summary) { () throws(DiagnosticError) -> Data in
          var tensors: [HostTensor] = []
          for input in inputs { tensors.append(try input.tensor()) }
          return try make(tensors).withUnsafeBytes { Data($0) }
        })
      value = try insertResource(resource, type, name: name, at: point, location: location)
    }
    if type.encoding != nil { setType(of: value, to: type.syntax) }
    return value
  }

  /// Inserts a constant of which only the type is known.
  mutating func insertAbsentConstant(
    _ type: TensorType, name: String, at point: InsertionPoint, location: SourceLocation
  ) throws(DiagnosticError) -> ValueID {
    try insertResource(Resource(.absent), type, name: name, at: point, location: location)
  }

  private mutating func insertResource(
    _ resource: Resource, _ type: TensorType, name: String, at point: InsertionPoint, location: SourceLocation
  ) throws(DiagnosticError) -> ValueID {
    let key = module.resources.freeKey(name)
    setResource(key, resource)
    let plain = TensorType(type.shape, type.element).syntax
    let op = try insert(
      "dnn.constant", attributes: ["value": .resource(key: key, plain)], resultTypes: [type.syntax], at: point,
      location: location, resultNames: [name])
    return module.results(of: op)[0]
  }

  /// The one value that all elements of a constant have; nil for other values and for tensors of more than 2^16 elements.
  /// - Throws: what reading the constant throws.
  func splat(_ value: ValueID) throws(DiagnosticError) -> Double? {
    guard let op = module.definingOp(of: value), module.isConstant(op), module.hasValues(op) else { return nil }
    let count = try module[op].resultTensor().count
    guard count > 0, count <= 1 << 16, let tensor = try module.constantTensor(of: op) else { return nil }
    let first = tensor.double(at: 0)
    for index in 1..<max(1, count) where tensor.double(at: index) != first { return nil }
    return first
  }
}

/// A constant on its own, kept for later without the module that it came from.
private struct DetachedConstant: Sendable {
  private let module: Module
  private let op: OpID

  init(_ op: OpID, of source: Module, _ registry: DialectRegistry) throws(DiagnosticError) {
    var rewrite = RewriteContext(Module(), registry: registry)
    guard let body = rewrite.module.body(of: rewrite.module.root) else { preconditionFailure("a module has a body") }
    let view = source[op]
    if case .resource(let key, _)? = view.attribute("value"), let resource = source.resources[key] {
      rewrite.setResource(key, resource)
    }
    self.op = try rewrite.insert(
      "dnn.constant", attributes: view.attributes, resultTypes: view.resultTypes, at: .end(body),
      location: view.location)
    module = rewrite.module
  }

  func tensor() throws(DiagnosticError) -> HostTensor {
    guard let tensor = try module.constantTensor(of: op) else {
      throw DiagnosticError("missing-weights", "the weights are absent", at: module.location(of: op))
    }
    return tensor
  }
}
