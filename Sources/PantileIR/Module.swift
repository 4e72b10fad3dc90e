import PantileSupport
import PantileText

/// A program in SSA form: ops, values, blocks and regions in flat arenas, addressed by ids.
///
/// A module is a value: copying it copies the program (lazily). Reading goes through `module[op]`, an `OpView` with typed
/// getters, and through functions on ids. Writing goes through a `RewriteContext`, which keeps use lists, links and
/// locations right.
///
/// **Example** A pass that replaces `dnn.sub x, x` by zeros and counts the convolutions:
/// ```swift
/// func run(_ rewrite: inout RewriteContext) throws(DiagnosticError) {
///   var convolutions = 0
///   for function in rewrite.module.functions {
///     for op in rewrite.module.ops(inBodyOf: function) {          // a snapshot: safe while rewriting
///       let view = rewrite.module[op]
///       switch view.name {
///       case "dnn.conv2d":
///         let strides = try view.integers("strides")               // throws with the op's location
///         let x = try view.operandTensor(0)                        // TensorType: shape, element, encoding
///         convolutions += strides == [1, 1] && x.shape.count == 4 ? 1 : 0
///       case "dnn.sub" where view.operands[0] == view.operands[1]:
///         let type = view.resultType
///         let zero = try rewrite.insert(
///           "dnn.constant", attributes: ["value": .dense(zeros)], resultTypes: [type], at: .before(op),
///           location: view.location)
///         rewrite.replace(op, with: rewrite.module[zero].results)   // moves the uses, erases, fuses locations
///       default: break
///       }
///     }
///   }
/// }
/// ```
/// A view is a snapshot: take a new one after a change.
public struct Module: Sendable {
  var ops: [OpRecord] = []
  var values: [ValueRecord] = []
  var uses: [UseRecord] = []
  var blocks: [BlockRecord] = []
  var regions: [RegionRecord] = []
  /// Argument lists of blocks, slices of one pool.
  var argumentPool: [ValueID] = []
  var successorPool: [BlockID] = []
  var types = Interner<TypeSyntax, TypeID>()
  var attributes = Interner<AttributeDictionary, AttributesID>()
  var names = Interner<String, NameID>()
  var locations = Interner<SourceLocation, LocationID>()
  /// The `builtin.module` op that holds everything.
  public internal(set) var root: OpID = .none

  /// Blobs behind `dense_resource<key>` attributes.
  public internal(set) var resources = ResourceTable()

  /// An empty `builtin.module` with one block.
  public init(name: String? = nil) {
    var dictionary = AttributeDictionary()
    if let name { dictionary["sym_name"] = .string(name) }
    root = makeOp("builtin.module", attributes: dictionary, location: .unknown, resultTypes: [], regionCount: 1)
    _ = makeBlock(in: RegionID(index: ops[root.offset].firstRegion), arguments: [])
  }

  // MARK: Ops

  /// The op with typed getters. A snapshot of this moment.
  public subscript(op: OpID) -> OpView { OpView(module: self, id: op) }

  /// The op's kind, `dialect.name`.
  public func name(of op: OpID) -> String { names[record(op).name] }

  public func location(of op: OpID) -> SourceLocation { locations[record(op).location] }

  public func attributes(of op: OpID) -> AttributeDictionary { attributes[record(op).attributes] }

  public func operands(of op: OpID) -> [ValueID] {
    let record = record(op)
    return (0..<record.operandCount).map { uses[Int(record.firstOperand + $0)].value }
  }

  public func results(of op: OpID) -> [ValueID] {
    let record = record(op)
    return (0..<record.resultCount).map { ValueID(index: record.firstResult + $0) }
  }

  public func regions(of op: OpID) -> [RegionID] {
    let record = record(op)
    return (0..<record.regionCount).map { RegionID(index: record.firstRegion + $0) }
  }

  public func successors(of op: OpID) -> [BlockID] {
    let record = record(op)
    return (0..<record.successorCount).map { successorPool[Int(record.firstSuccessor + $0)] }
  }

  /// The block that holds the op; nil for the root.
  public func block(of op: OpID) -> BlockID? { record(op).block.orNil }

  /// The op whose region holds the op; nil for the root.
  public func parent(of op: OpID) -> OpID? { block(of: op).map { self.parent(of: $0) } }

  /// Whether the op was erased; its id then means nothing further.
  public func isErased(_ op: OpID) -> Bool { ops[op.offset].isErased }

  // MARK: Blocks and regions

  /// The ops of a block in order: a snapshot.
  public func ops(in block: BlockID) -> [OpID] {
    var result: [OpID] = []
    var op = blocks[block.offset].firstOp
    while !op.isNone {
      result.append(op)
      op = ops[op.offset].next
    }
    return result
  }

  public func arguments(of block: BlockID) -> [ValueID] {
    let record = blocks[block.offset]
    return Array(argumentPool[Int(record.firstArgument)..<Int(record.firstArgument + record.argumentCount)])
  }

  public func blocks(in region: RegionID) -> [BlockID] {
    var result: [BlockID] = []
    var block = regions[region.offset].firstBlock
    while !block.isNone {
      result.append(block)
      block = blocks[block.offset].next
    }
    return result
  }

  /// The op that holds the block's region.
  public func parent(of block: BlockID) -> OpID { regions[blocks[block.offset].region.offset].op }

  public func region(of block: BlockID) -> RegionID { blocks[block.offset].region }

  public func op(of region: RegionID) -> OpID { regions[region.offset].op }

  /// The first block of the op's first region; nil when it has none.
  public func body(of op: OpID) -> BlockID? {
    let record = record(op)
    guard record.regionCount > 0 else { return nil }
    return regions[Int(record.firstRegion)].firstBlock.orNil
  }

  /// The ops of the op's body in order; empty when it has none.
  public func ops(inBodyOf op: OpID) -> [OpID] { body(of: op).map { self.ops(in: $0) } ?? [] }

  /// The first op, in order, of the block; nil when it is empty.
  public func lastOp(in block: BlockID) -> OpID? { blocks[block.offset].lastOp.orNil }

  /// All ops nested in `op`, itself first, in textual order.
  public func walk(_ op: OpID) -> [OpID] {
    var result: [OpID] = []
    var stack = [op]
    while let next = stack.popLast() {
      result.append(next)
      var inner: [OpID] = []
      for region in regions(of: next) {
        for block in blocks(in: region) { inner += ops(in: block) }
      }
      stack += inner.reversed()
    }
    return result
  }

  // MARK: Values

  public func type(of value: ValueID) -> TypeSyntax { types[values[value.offset].type] }

  /// The value's type as a ranked static tensor.
  /// - Throws: `not-a-tensor`, `dynamic-shape`.
  public func tensor(of value: ValueID) throws(DiagnosticError) -> TensorType {
    try TensorType(type(of: value), at: location(ofValue: value))
  }

  /// The op that makes the value; nil for a block argument.
  public func definingOp(of value: ValueID) -> OpID? { values[value.offset].op.orNil }

  /// The block whose argument the value is.
  public func argumentBlock(of value: ValueID) -> BlockID? { values[value.offset].block.orNil }

  /// Which result of its op, or which argument of its block, the value is.
  public func index(of value: ValueID) -> Int { Int(values[value.offset].index) }

  /// The name that text gives the value, without `%`; nil when it has none.
  public func name(of value: ValueID) -> String? { values[value.offset].name.orNil.map { names[$0] } }

  /// Every operand slot that reads the value, in the order in which they came to be.
  public func uses(of value: ValueID) -> [(op: OpID, operand: Int)] {
    var result: [(op: OpID, operand: Int)] = []
    var use = values[value.offset].firstUse
    while !use.isNone {
      let record = uses[use.offset]
      result.append((record.owner, Int(record.index)))
      use = record.next
    }
    return result
  }

  /// The ops that read the value, each once.
  public func users(of value: ValueID) -> [OpID] {
    var result: [OpID] = []
    for use in uses(of: value) where !result.contains(use.op) { result.append(use.op) }
    return result
  }

  public func hasUses(_ value: ValueID) -> Bool { !values[value.offset].firstUse.isNone }

  public func hasOneUse(_ value: ValueID) -> Bool {
    let record = values[value.offset]
    return !record.firstUse.isNone && record.firstUse == record.lastUse
  }

  /// The place to name when the value is wrong: its op's or its block's parent's.
  public func location(ofValue value: ValueID) -> SourceLocation {
    if let op = definingOp(of: value) { return location(of: op) }
    return argumentBlock(of: value).map { location(of: parent(of: $0)) } ?? .unknown
  }

  // MARK: Symbols

  /// The `func.func` ops at top level, in order.
  public var functions: [OpID] { ops(inBodyOf: root).filter { name(of: $0) == "func.func" } }

  /// The top-level op with that `sym_name`.
  public func symbol(_ name: String) -> OpID? {
    ops(inBodyOf: root).first { attributes(of: $0)["sym_name"] == .string(name) }
  }

  /// The function that a tool means when it is told none: `@main`, or the only one.
  /// - Throws: `no-main`.
  public func mainFunction() throws(DiagnosticError) -> OpID {
    let all = functions.filter { body(of: $0) != nil }
    if let main = all.first(where: { attributes(of: $0)["sym_name"] == .string("main") }) { return main }
    guard all.count == 1, let only = all.first else {
      throw DiagnosticError(
        "no-main", "the module has \(all.count) functions with a body and none is '@main'", at: location(of: root))
    }
    return only
  }

  func record(_ op: OpID) -> OpRecord {
    let record = ops[op.offset]
    precondition(!record.isErased, "\(op) ('\(names[record.name])') was erased")
    return record
  }
}
