import PantileSupport
import PantileText

extension Module {
  /// Checks everything that can be checked without running: links and use lists, dominance, definitions, result types.
  ///
  /// - Throws: every finding at once: `unknown-op`, `operand-count`, `operand-type`, `result-count`, `result-type`,
  ///   `missing-attribute`, `attribute-kind`, `unknown-attribute`, `region-count`, `block-count`, `not-last`,
  ///   `no-terminator`, `dominance`, `isolated`, `duplicate-symbol`, and the codes of the ops' own verifiers.
  public func verify(_ registry: DialectRegistry, allowUnknownDialects: Bool = true) throws(DiagnosticError) {
    var verifier = Verifier(module: self, registry: registry, allowUnknownDialects: allowUnknownDialects)
    verifier.run()
    guard verifier.diagnostics.isEmpty else { throw DiagnosticError(verifier.diagnostics) }
  }
}

private struct Verifier {
  let module: Module
  let registry: DialectRegistry
  let allowUnknownDialects: Bool
  var diagnostics: [Diagnostic] = []
  /// The rank of each op in its block.
  private var rank: [Int32] = []
  private let dominance: Dominance

  init(module: Module, registry: DialectRegistry, allowUnknownDialects: Bool) {
    self.module = module
    self.registry = registry
    self.allowUnknownDialects = allowUnknownDialects
    self.dominance = Dominance(module)
  }

  mutating func run() {
    checkUseLists()
    rank = Array(repeating: 0, count: module.ops.count)
    let all = module.walk(module.root)
    for block in module.blocks.indices {
      for (index, op) in module.ops(in: BlockID(block)).enumerated() { rank[op.offset] = Int32(index) }
    }
    for op in all {
      checkDefinition(op)
      checkOperands(op)
      checkRegions(op)
    }
  }

  private mutating func report(_ op: OpID, _ code: String, _ message: String, hint: String? = nil) {
    guard diagnostics.count < 200 else { return }
    diagnostics.append(
      Diagnostic(code, "'\(module.name(of: op))': \(message)", at: module.location(of: op), hint: hint))
  }

  /// Links and use lists are kept by the arena code alone; a break is a fault of ours.
  private func checkUseLists() {
    for (index, value) in module.values.enumerated() {
      var previous = UseID.none
      var use = value.firstUse
      while !use.isNone {
        let record = module.uses[use.offset]
        precondition(
          record.value == ValueID(index) && record.previous == previous, "the use list of \(ValueID(index)) is broken")
        previous = use
        use = record.next
      }
      precondition(value.lastUse == previous, "the use list of \(ValueID(index)) does not end at its last use")
    }
  }

  // MARK: Definitions

  private mutating func checkDefinition(_ op: OpID) {
    let view = module[op]
    guard let definition = registry.definition(of: view.name) else {
      if registry.knowsDialect(of: view.name) || !allowUnknownDialects {
        let near = nearestName(to: view.name, among: registry.opNames)
        report(op, "unknown-op", "no such operation", hint: near.map { "did you mean '\($0)'?" })
      }
      return
    }
    let before = diagnostics.count
    checkOperandTypes(op, view, definition)
    checkResultTypes(op, view, definition)
    checkAttributes(op, view, definition)
    if view.regions.count != definition.regionCount {
      report(op, "region-count", "\(view.regions.count) regions but needs \(definition.regionCount)")
    }
    // Further rules may rely on what was checked so far.
    guard diagnostics.count == before else { return }
    do throws(DiagnosticError) {
      if let infer = definition.inferResultTypes {
        let inferred = try infer(view.signature)
        compare(op, view.resultTypes, inferred)
      }
      if diagnostics.count == before { try definition.verify?(view) }
    } catch {
      diagnostics += error.diagnostics
    }
  }

  /// Encodings may be refined by passes, so only shape and element type must agree with the rule.
  private mutating func compare(_ op: OpID, _ actual: [TypeSyntax], _ inferred: [TypeSyntax]) {
    guard actual.count == inferred.count else {
      return report(op, "result-count", "\(actual.count) results but its operands give \(inferred.count)")
    }
    for (index, (has, wants)) in zip(actual, inferred).enumerated() where has.withoutEncoding != wants.withoutEncoding {
      report(op, "result-type", "result \(index) has type \(has) but its operands give \(wants)")
    }
  }

  private mutating func checkOperandTypes(_ op: OpID, _ view: OpView, _ definition: OpDefinition) {
    let types = view.operandTypes
    let least = definition.operands.filter { $0.arity == .one }.count
    let isOpen = definition.operands.contains { $0.arity == .variadic }
    guard types.count >= least, isOpen || types.count <= definition.operands.count else {
      let most = isOpen ? "or more" : definition.operands.count > least ? "to \(definition.operands.count)" : ""
      return report(
        op, "operand-count", "\(types.count) operands but needs \(least)\(most.isEmpty ? "" : " " + most)")
    }
    for (index, type) in types.enumerated() {
      let operand = definition.operands[min(index, definition.operands.count - 1)]
      if !operand.type.accepts(type) {
        report(op, "operand-type", "operand '\(operand.name)' must be \(operand.type.name) but has type \(type)")
      }
    }
  }

  private mutating func checkResultTypes(_ op: OpID, _ view: OpView, _ definition: OpDefinition) {
    let types = view.resultTypes
    let least = definition.results.filter { !$0.isVariadic }.count
    let isOpen = definition.results.contains { $0.isVariadic }
    guard types.count == least || (isOpen && types.count >= least) else {
      return report(op, "result-count", "\(types.count) results but needs \(least)\(isOpen ? " or more" : "")")
    }
    for (index, type) in types.enumerated() {
      let result = definition.results[min(index, definition.results.count - 1)]
      if !result.type.accepts(type) {
        report(op, "result-type", "result '\(result.name)' must be \(result.type.name) but has type \(type)")
      }
    }
  }

  private mutating func checkAttributes(_ op: OpID, _ view: OpView, _ definition: OpDefinition) {
    let attributes = view.attributes
    for attribute in definition.attributes {
      guard let value = attributes[attribute.name] else {
        if attribute.defaultValue == nil, !attribute.isOptional {
          report(op, "missing-attribute", "needs attribute '\(attribute.name)': \(attribute.kind.name)")
        }
        continue
      }
      if !attribute.kind.accepts(value) {
        report(op, "attribute-kind", "attribute '\(attribute.name)' must be \(attribute.kind.name) but is \(value)")
      }
    }
    let known = definition.attributes.map(\.name)
    // Names with a dot belong to other dialects and may hang on any op.
    for entry in attributes where !entry.key.contains(".") && !known.contains(entry.key) {
      let near = nearestName(to: entry.key, among: known)
      report(
        op, "unknown-attribute", "no attribute '\(entry.key)'", hint: near.map { "did you mean '\($0)'?" })
    }
  }

  // MARK: Structure

  private mutating func checkOperands(_ op: OpID) {
    for (index, value) in module.operands(of: op).enumerated() {
      switch visibility(of: value, from: op) {
      case .visible: break
      case .later:
        report(op, "dominance", "operand \(index) is read before it is made")
      case .hidden:
        report(op, "isolated", "operand \(index) comes from outside of a region that must stand alone")
      }
    }
  }

  private enum Visibility { case visible, later, hidden }

  private func visibility(of value: ValueID, from op: OpID) -> Visibility {
    let maker = module.definingOp(of: value)
    guard let home = maker.flatMap({ module.block(of: $0) }) ?? module.argumentBlock(of: value) else { return .later }
    // Climb from the reader to its ancestor in the region that holds the value.
    var reader = op
    while let block = module.block(of: reader) {
      if module.region(of: block) == module.region(of: home) {
        guard block == home else { return dominance.dominates(home, block) ? .visible : .later }
        guard let maker else { return .visible }
        return rank[maker.offset] < rank[reader.offset] ? .visible : .later
      }
      let parent = module.parent(of: block)
      if registry.definition(of: module.name(of: parent))?.traits.contains(.isolatedFromAbove) ?? false {
        return .hidden
      }
      reader = parent
    }
    return .later
  }

  private mutating func checkRegions(_ op: OpID) {
    let definition = registry.definition(of: module.name(of: op))
    for region in module.regions(of: op) {
      let blocks = module.blocks(in: region)
      if definition?.traits.contains(.singleBlock) ?? false, blocks.count != 1 {
        report(op, "block-count", "a region has \(blocks.count) blocks but needs one")
      }
      for block in blocks {
        let ops = module.ops(in: block)
        for (index, inner) in ops.enumerated() {
          let isTerminator = registry.definition(of: module.name(of: inner))?.traits.contains(.terminator) ?? false
          if isTerminator || !module.successors(of: inner).isEmpty, index + 1 < ops.count {
            report(inner, "not-last", "must be the last operation of its block")
          }
        }
      }
    }
    guard definition?.traits.contains(.symbolTable) ?? false else { return }
    var seen: Set<String> = []
    for inner in module.ops(inBodyOf: op) {
      guard let name = module.attributes(of: inner)["sym_name"]?.asString else { continue }
      if !seen.insert(name).inserted {
        report(inner, "duplicate-symbol", "symbol '@\(name)' is defined twice")
      }
    }
  }
}

extension TypeSyntax {
  /// The same tensor without its encoding.
  public var withoutEncoding: TypeSyntax {
    guard case .tensor(let shape, let element, _) = self else { return self }
    return .tensor(shape: shape, element: element, encoding: nil)
  }
}
