import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

/// One op of the `dnn` dialect: its definition, its meaning on values, and its work for planners.
public final class GraphOp: Sendable {
  public let definition: OpDefinition
  /// What the op computes; pure and deterministic.
  public let kernel: ReferenceKernel
  /// The op as a loop nest; nil for an op that only renames or gathers data.
  public let work: @Sendable (OpView) throws(DiagnosticError) -> Work?

  public init(
    _ definition: OpDefinition, kernel: @escaping ReferenceKernel,
    work: @escaping @Sendable (OpView) throws(DiagnosticError) -> Work? = { _ throws(DiagnosticError) in nil }
  ) {
    self.definition = definition
    self.kernel = kernel
    self.work = work
  }

  public var name: String { definition.name }
}

/// Computes the results of an op from its operands.
/// - Throws: only for values that no verifier can see, such as an index out of range.
public typealias ReferenceKernel = @Sendable (KernelCall) throws(DiagnosticError) -> [HostTensor]

/// What a reference kernel gets: the operands' values, the attributes, and the result types that the shape rule gave.
public struct KernelCall: AttributeHolder, Sendable {
  public var name: String
  public var inputs: [HostTensor]
  public var attributes: AttributeDictionary
  public var resultTypes: [TensorType]
  public var location: SourceLocation

  public init(
    name: String, inputs: [HostTensor], attributes: AttributeDictionary, resultTypes: [TensorType],
    location: SourceLocation
  ) {
    self.name = name
    self.inputs = inputs
    self.attributes = attributes
    self.resultTypes = resultTypes
    self.location = location
  }

  public func attribute(_ key: String) -> AttributeSyntax? { attributes[key] }
  public var attributeOwner: String { name }

  /// Operand `index` when it is there.
  func optionalInput(_ index: Int) -> HostTensor? { inputs.indices.contains(index) ? inputs[index] : nil }

  /// The element type of the first result.
  func resultElement() throws(DiagnosticError) -> ElementType {
    try ElementType(resultTypes[0].element, at: location)
  }
}
