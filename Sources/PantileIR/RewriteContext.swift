import PantileSupport
import PantileText

/// The one way to change a module: keeps use lists, links and locations right and counts changes.
///
/// Erased ids stay unused; snapshots taken before (`module.ops(in:)`) may name erased ops: ask `module.isErased`.
public struct RewriteContext: Sendable {
  public private(set) var module: Module
  /// Definitions for result type inference and attribute defaults.
  public let registry: DialectRegistry
  /// Edits so far; unchanged by a pass that did nothing.
  public private(set) var changeCount = 0

  public init(_ module: Module, registry: DialectRegistry) {
    self.module = module
    self.registry = registry
  }

  /// Where an op goes.
  public enum InsertionPoint: Hashable, Sendable {
    case before(OpID)
    case after(OpID)
    case start(BlockID)
    case end(BlockID)
  }

  // MARK: New things

  /// Inserts an op. Absent attributes with a default are filled in; result types are inferred when not given.
  /// - Throws: what the shape rule throws; `unknown-result-types` when there is no rule and no types are given.
  @discardableResult
  public mutating func insert(
    _ name: String, operands: [ValueID] = [], attributes: AttributeDictionary = [:], resultTypes: [TypeSyntax]? = nil,
    regionCount: Int = 0, at point: InsertionPoint, location: SourceLocation, resultNames: [String] = []
  ) throws(DiagnosticError) -> OpID {
    let definition = registry.definition(of: name)
    let filled = definition?.fillingDefaults(attributes) ?? attributes
    let types: [TypeSyntax]
    if let resultTypes {
      types = resultTypes
    } else if let infer = definition?.inferResultTypes {
      types = try infer(
        OpSignature(
          name: name, operandTypes: operands.map { module.type(of: $0) }, attributes: filled, location: location))
    } else {
      throw DiagnosticError("unknown-result-types", "'\(name)' needs its result types stated", at: location)
    }
    let op = module.makeOp(
      name, operands: operands, attributes: filled, location: location, resultTypes: types, regionCount: regionCount)
    place(op, point)
    for (value, name) in zip(module.results(of: op), resultNames) { module.setName(of: value, name) }
    changeCount += 1
    return op
  }

  /// Appends a block to a region.
  public mutating func appendBlock(to region: RegionID, arguments: [TypeSyntax] = []) -> BlockID {
    changeCount += 1
    return module.makeBlock(in: region, arguments: arguments)
  }

  /// Appends an argument to a block.
  public mutating func appendArgument(to block: BlockID, _ type: TypeSyntax, name: String? = nil) -> ValueID {
    changeCount += 1
    let value = module.makeArgument(of: block, type)
    module.setName(of: value, name)
    return value
  }

  private mutating func place(_ op: OpID, _ point: InsertionPoint) {
    switch point {
    case .before(let other): module.insert(op, into: blockOf(other), before: other)
    case .after(let other): module.insert(op, into: blockOf(other), before: module.record(other).next)
    case .start(let block): module.insert(op, into: block, before: module.blocks[block.offset].firstOp)
    case .end(let block): module.append(op, to: block)
    }
  }

  private func blockOf(_ op: OpID) -> BlockID {
    guard let block = module.block(of: op) else { preconditionFailure("\(op) is in no block") }
    return block
  }

  // MARK: Uses

  /// Every reader of `old` reads `new` from now on; the name of `old` passes on when `new` has none.
  public mutating func replaceAllUses(of old: ValueID, with new: ValueID) {
    guard old != new else { return }
    for use in module.uses(of: old) { module.setOperand(of: use.op, use.operand, to: new) }
    if module.name(of: new) == nil, let name = module.name(of: old), module.definingOp(of: new) != nil {
      module.setName(of: new, name)
    }
    changeCount += 1
  }

  /// Readers of the op's results read `values`; the op is erased; its location fuses into the ops that make `values`.
  /// - Precondition: as many values as results.
  public mutating func replace(_ op: OpID, with values: [ValueID]) {
    let results = module.results(of: op)
    precondition(results.count == values.count, "\(op) has \(results.count) results but \(values.count) replacements")
    let location = module.location(of: op)
    for (old, new) in zip(results, values) {
      replaceAllUses(of: old, with: new)
      if let maker = module.definingOp(of: new) {
        module.setLocation(of: maker, module.location(of: maker).fusedNames(with: location))
      }
    }
    erase(op)
  }

  public mutating func setOperand(of op: OpID, _ index: Int, to value: ValueID) {
    module.setOperand(of: op, index, to: value)
    changeCount += 1
  }

  public mutating func setOperands(of op: OpID, to values: [ValueID]) {
    _ = module.record(op)
    module.setOperands(of: op, to: values)
    changeCount += 1
  }

  // MARK: Ops

  /// Erases an op and all that is nested in it.
  /// - Precondition: nothing outside reads its results.
  public mutating func erase(_ op: OpID) {
    precondition(op != module.root, "the module itself cannot be erased")
    module.eraseOp(op)
    changeCount += 1
  }

  /// Erases the op if nothing reads its results, then those of its operands' makers of which the same is now true and
  /// that `isRemovable` allows.
  public mutating func eraseIfUnused(_ op: OpID, isRemovable: (OpView) -> Bool = { _ in true }) {
    var queue = [op]
    while let next = queue.popLast() {
      guard !module.isErased(next), module.results(of: next).allSatisfy({ !module.hasUses($0) }),
        !module.results(of: next).isEmpty, isRemovable(module[next])
      else { continue }
      let makers = module.operands(of: next).compactMap { module.definingOp(of: $0) }
      erase(next)
      queue += makers
    }
  }

  public mutating func move(_ op: OpID, to point: InsertionPoint) {
    if case .before(op) = point { return }
    if case .after(op) = point { return }
    module.detach(op)
    place(op, point)
    changeCount += 1
  }

  /// Sets an attribute; nil removes it.
  public mutating func setAttribute(of op: OpID, _ key: String, _ value: AttributeSyntax?) {
    var dictionary = module.attributes(of: op)
    guard dictionary[key] != value else { return }
    dictionary[key] = value
    module.setAttributes(of: op, dictionary)
    changeCount += 1
  }

  public mutating func setLocation(of op: OpID, _ location: SourceLocation) {
    module.setLocation(of: op, location)
  }

  /// Adds further origins to an op.
  public mutating func fuseLocation(of op: OpID, with location: SourceLocation) {
    module.setLocation(of: op, module.location(of: op).fusedNames(with: location))
  }

  // MARK: Values

  public mutating func setType(of value: ValueID, to type: TypeSyntax) {
    guard module.type(of: value) != type else { return }
    module.setType(of: value, type)
    changeCount += 1
  }

  /// The name that text shows for a value; made legal and unique on printing.
  public mutating func setName(of value: ValueID, _ name: String?) { module.setName(of: value, name) }

  /// Adds or replaces a blob.
  public mutating func setResource(_ key: String, _ resource: Resource) {
    module.resources[key] = resource
    changeCount += 1
  }
}

extension SourceLocation {
  /// Both origins; a bare file position on one side vanishes when the other has a name.
  func fusedNames(with other: SourceLocation) -> SourceLocation {
    if other.names.isEmpty, !names.isEmpty { return self }
    if names.isEmpty, !other.names.isEmpty { return other }
    return fused(with: other)
  }
}
