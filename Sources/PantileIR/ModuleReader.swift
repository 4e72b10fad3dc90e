import Foundation
import PantileSupport
import PantileText

/// Builds a module from a syntax tree; collects every mistake.
struct ModuleReader {
  let registry: DialectRegistry
  let source: SourceText?
  private(set) var diagnostics: [Diagnostic] = []
  /// Value names, one dictionary a scope, innermost last; an isolated op starts a new stack.
  private var scopes: [[String: ValueID]] = [[:]]

  init(registry: DialectRegistry, source: SourceText?) {
    self.registry = registry
    self.source = source
  }

  mutating func read(_ file: TextFile, into module: inout Module) {
    for resource in file.resources {
      module.resources[resource.key] = Resource(.bytes(Data(resource.bytes)), alignment: resource.alignment)
    }
    var top = file.ops
    if top.count == 1, top[0].name == "builtin.module", top[0].regions.count == 1, top[0].operands.isEmpty,
      top[0].resultTypes.isEmpty, top[0].regions[0].blocks.count <= 1,
      top[0].regions[0].blocks.first?.arguments.isEmpty ?? true
    {
      module.setAttributes(of: module.root, top[0].attributes)
      module.setLocation(of: module.root, top[0].location)
      top = top[0].regions[0].blocks.first?.ops ?? []
    }
    guard let body = module.body(of: module.root) else { return }
    var pending: [(OpID, OpSyntax)] = []
    for op in top { pending.append((declare(op, in: body, &module), op)) }
    for (id, op) in pending { complete(id, op, [:], &module) }
  }

  private mutating func report(
    _ code: String, _ message: String, at location: SourceLocation, notes: [Diagnostic.Note] = []
  ) {
    // A file full of the same mistake helps nobody.
    guard diagnostics.count < 100 else { return }
    var line: String?
    if case .file(let path, let row, _) = location, path == source?.path { line = source?.line(row) }
    diagnostics.append(Diagnostic(code, message, at: location, notes: notes, sourceLine: line))
  }

  /// Makes the op with its results, operands still missing, so that uses before the definition resolve.
  private mutating func declare(_ op: OpSyntax, in block: BlockID, _ module: inout Module) -> OpID {
    let attributes = registry.definition(of: op.name)?.fillingDefaults(op.attributes) ?? op.attributes
    let id = module.makeOp(
      op.name, attributes: attributes, location: op.location, resultTypes: op.resultTypes,
      regionCount: op.regions.count)
    module.append(id, to: block)
    for (name, value) in zip(op.results, module.results(of: id)) {
      define(name, value, at: op.location, &module)
    }
    return id
  }

  private mutating func define(_ name: String, _ value: ValueID, at location: SourceLocation, _ module: inout Module) {
    for scope in scopes {
      guard let earlier = scope[name] else { continue }
      report(
        "redefined-value", "'%\(name)' is defined twice", at: location,
        notes: [.init("first here", at: module.location(ofValue: earlier))])
      return
    }
    scopes[scopes.count - 1][name] = value
    if name.hasSuffix("#0") { scopes[scopes.count - 1][String(name.dropLast(2))] = value }
    if Self.isChosen(name) { module.setName(of: value, name) }
  }

  /// Whether a name says something: not a number, `argN` or a part of a pack.
  private static func isChosen(_ name: String) -> Bool {
    if name.contains("#") || name.utf8.allSatisfy({ (48...57).contains($0) }) { return false }
    if name.hasPrefix("arg"), name.dropFirst(3).utf8.allSatisfy({ (48...57).contains($0) }) { return false }
    return true
  }

  private func lookUp(_ name: String) -> ValueID? {
    for scope in scopes.reversed() {
      if let value = scope[name] { return value }
    }
    // `%x#0` of a single result.
    if name.hasSuffix("#0") {
      let base = String(name.dropLast(2))
      for scope in scopes.reversed() {
        if let value = scope[base] { return value }
      }
    }
    return nil
  }

  /// Sets operands and successors and reads the regions.
  private mutating func complete(_ id: OpID, _ op: OpSyntax, _ labels: [String: BlockID], _ module: inout Module) {
    var operands: [ValueID] = []
    for (name, type) in zip(op.operands, op.operandTypes) {
      guard let value = lookUp(name) else {
        report("undefined-value", "'%\(name)' is not defined", at: op.location)
        continue
      }
      let actual = module.type(of: value)
      if actual != type {
        report(
          "type-mismatch", "'%\(name)' has type \(actual) but '\(op.name)' reads it as \(type)", at: op.location,
          notes: [.init("defined here", at: module.location(ofValue: value))])
      }
      operands.append(value)
    }
    module.setOperands(of: id, to: operands)
    var successors: [BlockID] = []
    for label in op.successors {
      guard let block = labels[label] else {
        report("unknown-block", "block '^\(label)' is not defined in this region", at: op.location)
        continue
      }
      successors.append(block)
    }
    module.setSuccessors(of: id, successors)
    let isIsolated = registry.definition(of: op.name)?.traits.contains(.isolatedFromAbove) ?? false
    for (region, tree) in zip(module.regions(of: id), op.regions) {
      let outer = scopes
      if isIsolated { scopes = [[:]] } else { scopes.append([:]) }
      read(tree, into: region, &module)
      scopes = outer
    }
  }

  private mutating func read(_ tree: RegionSyntax, into region: RegionID, _ module: inout Module) {
    var labels: [String: BlockID] = [:]
    var pending: [(OpID, OpSyntax)] = []
    for (index, block) in tree.blocks.enumerated() {
      let id = module.makeBlock(in: region, arguments: block.arguments.map(\.type))
      labels[block.label.isEmpty ? "bb\(index)" : block.label] = id
      for (argument, value) in zip(block.arguments, module.arguments(of: id)) {
        define(argument.name, value, at: argument.location, &module)
      }
      for op in block.ops { pending.append((declare(op, in: id, &module), op)) }
    }
    for (id, op) in pending { complete(id, op, labels, &module) }
  }
}

extension Module {
  mutating func setSuccessors(of op: OpID, _ successors: [BlockID]) {
    ops[op.offset].firstSuccessor = Int32(successorPool.count)
    ops[op.offset].successorCount = Int32(successors.count)
    successorPool += successors
  }
}
