import Foundation
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension Module {
  /// Whether an op is a `dnn.constant`.
  public func isConstant(_ op: OpID) -> Bool { name(of: op) == "dnn.constant" }

  /// Whether a value is made by a `dnn.constant`.
  public func isConstant(_ value: ValueID) -> Bool { definingOp(of: value).map(isConstant) ?? false }

  /// The tensor that a `dnn.constant` makes; nil when the model came without these weights.
  /// - Throws: `resource-size`, `cannot-read`, `element-type`, `seeded-rule`.
  /// - Complexity: reads or makes the whole tensor each time.
  public func constantTensor(of op: OpID) throws(DiagnosticError) -> HostTensor? {
    let view = self[op]
    let type = try view.resultTensor()
    let element = try ElementType(type.element, at: view.location)
    switch try view.requiredAttribute("value") {
    case .dense(let elements):
      let bytes = elements.expandedBytes
      return bytes.withUnsafeBytes { HostTensor(shape: type.shape, elementType: element, bytes: $0) }
    case .dialect(let body):
      let rule = try SeededRule(body, at: view.location)
      try rule.check(type, at: view.location)
      return SeededValues.tensor(
        name: rule.name, shape: type.shape, elementType: element, low: rule.low, high: rule.high)
    case .resource(let key, _):
      guard let data = try resources[key]?.data() else { return nil }
      guard data.count == type.count * element.storageBytes else {
        throw view.error(
          "resource-size",
          "resource '\(key)' has \(data.count) bytes but \(type) needs \(type.count * element.storageBytes)")
      }
      return data.withUnsafeBytes { HostTensor(shape: type.shape, elementType: element, bytes: $0) }
    default: throw view.error("attribute-kind", "the value must be dense, dense_resource or #dnn.seeded")
    }
  }

  /// The tensor behind a value that a `dnn.constant` makes; nil for other values and for absent weights.
  /// - Throws: as `constantTensor(of:)`.
  public func constantTensor(_ value: ValueID) throws(DiagnosticError) -> HostTensor? {
    guard let op = definingOp(of: value), isConstant(op) else { return nil }
    return try constantTensor(of: op)
  }

  /// Whether a constant's values can be had.
  public func hasValues(_ op: OpID) -> Bool {
    guard case .resource(let key, _)? = attributes(of: op)["value"] else { return true }
    return resources[key].map { !$0.isAbsent } ?? false
  }
}

extension RewriteContext {
  /// Inserts a `dnn.constant`: inline up to 64 bytes, else as a resource named after `name`.
  @discardableResult
  public mutating func insertConstant(
    _ tensor: HostTensor, name: String, at point: InsertionPoint, location: SourceLocation
  ) throws(DiagnosticError) -> ValueID {
    let type = TypeSyntax.tensor(tensor.shape, tensor.elementType.syntax)
    let value: AttributeSyntax
    let bytes = tensor.withUnsafeBytes { Array($0) }
    if bytes.count <= 64 {
      value = .dense(DenseElements(type: type, isSplat: false, bytes: bytes))
    } else {
      let key = module.resources.freeKey(name)
      setResource(key, Resource(.bytes(Data(bytes)), alignment: tensor.elementType.storageBytes))
      value = .resource(key: key, type)
    }
    let op = try insert(
      "dnn.constant", attributes: ["value": value], resultTypes: [type], at: point, location: location,
      resultNames: [name])
    return module.results(of: op)[0]
  }
}

/// `#dnn.seeded<"name", low, high>`: values that follow from a name.
public struct SeededRule: Hashable, Sendable {
  public var name: String
  public var low: Double
  public var high: Double

  public init(name: String, low: Double, high: Double) {
    self.name = name
    self.low = low
    self.high = high
  }

  /// The attribute that stands for the rule.
  public var attribute: AttributeSyntax {
    .dialect("dnn.seeded<\(AttributeSyntax.string(name)), \(low), \(high)>")
  }

  /// Reads the text of a dialect attribute.
  /// - Throws: `seeded-rule`.
  public init(_ body: String, at location: SourceLocation) throws(DiagnosticError) {
    guard let rule = Self.parse(body, location) else {
      throw DiagnosticError(
        "seeded-rule", "'#\(body)' is no rule for values", at: location, hint: "write #dnn.seeded<\"name\", low, high>")
    }
    self = rule
  }

  private static func parse(_ body: String, _ location: SourceLocation) -> SeededRule? {
    let prefix = "dnn.seeded<"
    guard body.hasPrefix(prefix), body.hasSuffix(">") else { return nil }
    let inner = body.dropFirst(prefix.count).dropLast()
    // The name is a string literal with commas and escapes of its own; the two numbers follow the last two commas.
    guard let last = inner.lastIndex(of: ","), let middle = inner[..<last].lastIndex(of: ",") else { return nil }
    let numbers = [inner[inner.index(after: middle)..<last], inner[inner.index(after: last)...]].map {
      Double($0.filter { $0 != " " })
    }
    guard let low = numbers[0], let high = numbers[1], low.isFinite, high.isFinite, low <= high else { return nil }
    let quoted = inner[..<middle]
    guard let op = try? OpSyntax(parsing: "\"s.s\"() {s = \(quoted)} : () -> ()"), op.attributes.count == 1,
      case .string(let name)? = op.attributes["s"]
    else { return nil }
    return SeededRule(name: name, low: low, high: high)
  }

  /// Integer bounds must fit the element type.
  /// - Throws: `seeded-rule`.
  func check(_ type: TensorType, at location: SourceLocation) throws(DiagnosticError) {
    let element = try ElementType(type.element, at: location)
    guard let range = element.integerRange else { return }
    guard low >= Double(range.lowerBound), high <= Double(range.upperBound), high < 0x1p62, low > -0x1p62 else {
      throw DiagnosticError("seeded-rule", "values from \(low) to \(high) do not fit \(element.rawValue)", at: location)
    }
  }
}
