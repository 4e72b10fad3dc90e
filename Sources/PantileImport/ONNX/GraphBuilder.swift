import Foundation
import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// A value of the graph that is being imported: a constant, something that an op makes, or both.
struct ImportedValue: Hashable, Sendable {
  fileprivate let index: Int
}

/// Makes the function of a module op by op, and computes what is constant on the way.
///
/// An op whose operands are all constant is not emitted: small results are computed at once, large ones when their values
/// are asked for. Constants get an op of their own when the first other op needs them.
final class GraphBuilder {
  private struct Record {
    var shape: [Int]
    var elementType: ElementType
    var constant: ImportedConstant?
    var id: ValueID?
    var name: String
    /// Where the value came from, so that its constant op says it.
    var location: SourceLocation
  }

  private(set) var rewrite: RewriteContext
  private let block: BlockID
  private var records: [Record] = []
  /// Where the next op comes from.
  var location: SourceLocation = .unknown

  /// Results of up to this many elements are computed at import; larger ones when asked for.
  private static let eagerElements = 4096

  /// Ops that stay even when all operands are constant: quantised weights keep their form.
  private static let kept: Set<String> = ["dnn.quantize", "dnn.dequantize", "dnn.constant"]

  init(_ rewrite: RewriteContext, block: BlockID) {
    self.rewrite = rewrite
    self.block = block
  }

  // MARK: Values

  func shape(_ value: ImportedValue) -> [Int] { records[value.index].shape }
  func elementType(_ value: ImportedValue) -> ElementType { records[value.index].elementType }
  func name(_ value: ImportedValue) -> String { records[value.index].name }
  func constant(_ value: ImportedValue) -> ImportedConstant? { records[value.index].constant }

  /// The values of a constant; nil when the value is computed at run time or the values are absent.
  /// - Throws: what fetching the values throws.
  func tensor(_ value: ImportedValue) throws(DiagnosticError) -> HostTensor? {
    try records[value.index].constant?.tensor()
  }

  /// A graph input.
  func argument(_ id: ValueID, shape: [Int], elementType: ElementType, name: String) -> ImportedValue {
    add(Record(shape: shape, elementType: elementType, constant: nil, id: id, name: name, location: .named(name)))
  }

  /// A constant; no op until one is needed.
  func constant(_ constant: ImportedConstant, name: String) -> ImportedValue {
    add(
      Record(
        shape: constant.shape, elementType: constant.elementType, constant: constant, id: nil, name: name,
        location: .named(name)))
  }

  /// A small constant that the import makes up.
  func constant(_ tensor: HostTensor) -> ImportedValue {
    add(
      Record(
        shape: tensor.shape, elementType: tensor.elementType, constant: ImportedConstant(tensor), id: nil, name: "",
        location: location))
  }

  private func add(_ record: Record) -> ImportedValue {
    records.append(record)
    return ImportedValue(index: records.count - 1)
  }

  /// Names the value for the text form, unless it has a name.
  func setName(_ value: ImportedValue, _ name: String) {
    if records[value.index].name.isEmpty { records[value.index].name = name }
    if let id = records[value.index].id, rewrite.module.name(of: id) == nil { rewrite.setName(of: id, name) }
  }

  /// The handle of a value of the module; nil when it was not made through this builder.
  func value(_ id: ValueID) -> ImportedValue? {
    records.firstIndex { $0.id == id }.map { ImportedValue(index: $0) }
  }

  /// The op that makes a value, its operands and attributes, when it is no argument and no constant.
  func maker(_ value: ImportedValue) -> OpView? {
    guard let id = records[value.index].id, let op = rewrite.module.definingOp(of: id) else { return nil }
    return rewrite.module[op]
  }

  /// The value in the module; a constant gets its op now.
  /// - Throws: what fetching small constants throws.
  func id(_ value: ImportedValue) throws(DiagnosticError) -> ValueID {
    let record = records[value.index]
    if let id = record.id { return id }
    guard let constant = record.constant else {
      preconditionFailure("value \(value.index) is neither made nor constant")
    }
    let type = TypeSyntax.tensor(constant.shape, constant.elementType.syntax)
    let attribute = try attribute(for: constant, type: type, name: record.name)
    let op = try rewrite.insert(
      "dnn.constant", attributes: ["value": attribute], resultTypes: [type], at: .end(block), location: record.location,
      resultNames: record.name.isEmpty ? [] : [record.name])
    let id = rewrite.module.results(of: op)[0]
    records[value.index].id = id
    return id
  }

  private func attribute(
    for constant: ImportedConstant, type: TypeSyntax, name: String
  ) throws(DiagnosticError) -> AttributeSyntax {
    if let rule = constant.rule { return rule.attribute }
    let count = constant.shape.reduce(1, *)
    if count <= 16, let data = try constant.tensor()?.withUnsafeBytes({ Array($0) }) {
      return .dense(DenseElements(type: type, isSplat: false, bytes: data))
    }
    let key = rewrite.module.resources.freeKey(name.isEmpty ? "constant" : name)
    rewrite.setResource(key, constant.resource)
    return .resource(key: key, type)
  }

  // MARK: Ops

  /// Adds an op, or computes it when all operands are constant.
  /// - Throws: what the op's shape rule throws, and what its meaning throws while folding.
  func emit(
    _ name: String, _ operands: [ImportedValue], _ attributes: AttributeDictionary = [:]
  ) throws(DiagnosticError) -> [ImportedValue] {
    if !operands.isEmpty, !Self.kept.contains(name), operands.allSatisfy({ records[$0.index].constant != nil }) {
      return try fold(name, operands, attributes)
    }
    if let definition = rewrite.registry.definition(of: name) {
      let types = operands.map { TypeSyntax.tensor(shape($0), elementType($0).syntax) }
      let filled = definition.fillingDefaults(attributes)
      try definition.check(
        OpSignature(name: name, operandTypes: types, attributes: filled, location: location))
    }
    var ids: [ValueID] = []
    for operand in operands { ids.append(try id(operand)) }
    let op = try rewrite.insert(name, operands: ids, attributes: attributes, at: .end(block), location: location)
    var results: [ImportedValue] = []
    for id in rewrite.module.results(of: op) {
      let (shape, type) = try Self.tensorType(rewrite.module.type(of: id), at: location)
      results.append(
        add(Record(shape: shape, elementType: type, constant: nil, id: id, name: "", location: location)))
    }
    return results
  }

  /// Adds an op with one result.
  func emit1(
    _ name: String, _ operands: [ImportedValue], _ attributes: AttributeDictionary = [:]
  ) throws(DiagnosticError) -> ImportedValue {
    try emit(name, operands, attributes)[0]
  }

  private func fold(
    _ name: String, _ operands: [ImportedValue], _ attributes: AttributeDictionary
  ) throws(DiagnosticError) -> [ImportedValue] {
    var constants: [ImportedConstant] = []
    for operand in operands {
      if let constant = records[operand.index].constant { constants.append(constant) }
    }
    let evaluation = try ConstantEvaluation(
      name: name, operands: constants, attributes: attributes, registry: rewrite.registry, location: location)
    var eager: [HostTensor]?
    let largest = evaluation.resultTypes.map { $0.shape.reduce(1, *) }.max() ?? 0
    if largest <= Self.eagerElements { eager = try evaluation.run() }
    return evaluation.resultTypes.indices.map { index in
      let type = evaluation.resultTypes[index]
      let constant: ImportedConstant
      if let eager {
        constant = ImportedConstant(eager[index])
      } else if constants.contains(where: { $0.resource.isAbsent }) {
        constant = ImportedConstant(shape: type.shape, elementType: type.element, resource: Resource(.absent))
      } else {
        let resource = Resource(
          .generated(summary: "\(name) of constants") { () throws(DiagnosticError) -> Data in
            try evaluation.run()?[index].withUnsafeBytes { Data($0) } ?? Data()
          }, alignment: type.element.storageBytes)
        constant = ImportedConstant(shape: type.shape, elementType: type.element, resource: resource)
      }
      return add(
        Record(
          shape: type.shape, elementType: type.element, constant: constant, id: nil, name: "",
          location: location))
    }
  }

  /// Shape and element type of a static tensor type.
  /// - Throws: `not-a-tensor`, `dynamic-shape`, `element-type`.
  static func tensorType(
    _ type: TypeSyntax, at location: SourceLocation
  ) throws(DiagnosticError) -> (shape: [Int], element: ElementType) {
    let tensor = try TensorType(type, at: location)
    guard let element = ElementType(tensor.element) else {
      throw DiagnosticError("element-type", "\(tensor.element) is not an element type", at: location)
    }
    return (tensor.shape, element)
  }

  // MARK: The end

  /// Ends the function, removes what no result needs, and gives the module back.
  ///
  /// The names of the graph's inputs and outputs stand in attributes of the function, whatever characters they have.
  func finish(
    _ results: [ImportedValue], function: OpID, inputNames: [String], outputNames: [String]
  ) throws(DiagnosticError) -> Module {
    var ids: [ValueID] = []
    for result in results { ids.append(try id(result)) }
    location = .unknown
    let types = ids.map { rewrite.module.type(of: $0) }
    try rewrite.insert("func.return", operands: ids, resultTypes: [], at: .end(block), location: .unknown)
    let inputs = rewrite.module.arguments(of: block).map { rewrite.module.type(of: $0) }
    rewrite.setAttribute(of: function, "function_type", .type(.function(inputs: inputs, results: types)))
    for (key, names) in [("arg_attrs", inputNames), ("res_attrs", outputNames)] where !names.isEmpty {
      rewrite.setAttribute(
        of: function, key, .array(names.map { .dictionary(["dnn.name": .string($0)]) }))
    }
    for op in rewrite.module.ops(in: block).reversed() where !rewrite.module.isErased(op) {
      rewrite.eraseIfUnused(op)
    }
    return rewrite.module
  }
}

/// An op on constants that can be computed now or later.
private struct ConstantEvaluation: Sendable {
  let name: String
  let operands: [ImportedConstant]
  let attributes: AttributeDictionary
  let location: SourceLocation
  var resultTypes: [(shape: [Int], element: ElementType)] = []

  init(
    name: String, operands: [ImportedConstant], attributes: AttributeDictionary, registry: DialectRegistry,
    location: SourceLocation
  ) throws(DiagnosticError) {
    self.name = name
    self.operands = operands
    self.location = location
    guard let definition = registry.definition(of: name), let infer = definition.inferResultTypes else {
      throw DiagnosticError("unknown-op", "'\(name)' has no shape rule", at: location)
    }
    self.attributes = definition.fillingDefaults(attributes)
    let types = operands.map { TypeSyntax.tensor($0.shape, $0.elementType.syntax) }
    let signature = OpSignature(name: name, operandTypes: types, attributes: self.attributes, location: location)
    try definition.check(signature)
    for type in try infer(signature) { resultTypes.append(try GraphBuilder.tensorType(type, at: location)) }
  }

  /// The results; nil when an operand's values are absent.
  func run() throws(DiagnosticError) -> [HostTensor]? {
    var tensors: [HostTensor] = []
    for operand in operands {
      guard let tensor = try operand.tensor() else { return nil }
      tensors.append(tensor)
    }
    guard let op = DNN.op(name) else { preconditionFailure("'\(name)' has a shape rule but no meaning") }
    return try op.kernel(
      KernelCall(
        name: name, inputs: tensors, attributes: attributes,
        resultTypes: resultTypes.map { TensorType($0.shape, $0.element.syntax) }, location: location))
  }
}
