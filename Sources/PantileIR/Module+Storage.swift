import PantileSupport
import PantileText

// The only code that writes the arenas. Everything here keeps the links and use lists right.
extension Module {
  // MARK: Making

  mutating func makeOp(
    _ name: String, operands: [ValueID] = [], attributes dictionary: AttributeDictionary, location: SourceLocation,
    resultTypes: [TypeSyntax], regionCount: Int = 0, successors: [BlockID] = []
  ) -> OpID {
    let id = OpID(ops.count)
    var record = OpRecord(
      name: names.id(of: name), location: locations.id(of: location), attributes: attributes.id(of: dictionary))
    record.firstResult = Int32(values.count)
    record.resultCount = Int32(resultTypes.count)
    for (index, type) in resultTypes.enumerated() {
      values.append(ValueRecord(op: id, index: Int32(index), type: types.id(of: type)))
    }
    record.firstRegion = Int32(regions.count)
    record.regionCount = Int32(regionCount)
    for _ in 0..<regionCount { regions.append(RegionRecord(op: id)) }
    record.firstSuccessor = Int32(successorPool.count)
    record.successorCount = Int32(successors.count)
    successorPool += successors
    ops.append(record)
    setOperands(of: id, to: operands)
    return id
  }

  mutating func makeBlock(in region: RegionID, arguments: [TypeSyntax]) -> BlockID {
    let id = BlockID(blocks.count)
    var record = BlockRecord(region: region)
    let last = regions[region.offset].lastBlock
    record.previous = last
    record.firstArgument = Int32(argumentPool.count)
    blocks.append(record)
    if last.isNone { regions[region.offset].firstBlock = id } else { blocks[last.offset].next = id }
    regions[region.offset].lastBlock = id
    for type in arguments { _ = makeArgument(of: id, type) }
    return id
  }

  mutating func makeArgument(of block: BlockID, _ type: TypeSyntax) -> ValueID {
    let value = ValueID(values.count)
    let record = blocks[block.offset]
    values.append(ValueRecord(block: block, index: record.argumentCount, type: types.id(of: type)))
    let end = record.firstArgument + record.argumentCount
    if Int(end) != argumentPool.count {
      // Other lists follow: move this one to the end of the pool.
      let moved = arguments(of: block)
      blocks[block.offset].firstArgument = Int32(argumentPool.count)
      argumentPool += moved
    }
    argumentPool.append(value)
    blocks[block.offset].argumentCount += 1
    return value
  }

  // MARK: Operands

  mutating func setOperands(of op: OpID, to operands: [ValueID]) {
    let record = ops[op.offset]
    for index in 0..<record.operandCount { unlink(UseID(index: record.firstOperand + index)) }
    if operands.count > Int(record.operandCount) {
      ops[op.offset].firstOperand = Int32(uses.count)
      for index in operands.indices { uses.append(UseRecord(owner: op, index: Int32(index))) }
    }
    ops[op.offset].operandCount = Int32(operands.count)
    let first = ops[op.offset].firstOperand
    for (index, value) in operands.enumerated() { link(UseID(index: first + Int32(index)), to: value) }
  }

  mutating func setOperand(of op: OpID, _ index: Int, to value: ValueID) {
    precondition(index >= 0 && index < Int(record(op).operandCount), "\(op) has no operand \(index)")
    let use = UseID(index: ops[op.offset].firstOperand + Int32(index))
    unlink(use)
    link(use, to: value)
  }

  private mutating func link(_ use: UseID, to value: ValueID) {
    let last = values[value.offset].lastUse
    uses[use.offset].value = value
    uses[use.offset].previous = last
    uses[use.offset].next = .none
    if last.isNone { values[value.offset].firstUse = use } else { uses[last.offset].next = use }
    values[value.offset].lastUse = use
  }

  private mutating func unlink(_ use: UseID) {
    let record = uses[use.offset]
    guard !record.value.isNone else { return }
    if record.previous.isNone {
      values[record.value.offset].firstUse = record.next
    } else {
      uses[record.previous.offset].next = record.next
    }
    if record.next.isNone {
      values[record.value.offset].lastUse = record.previous
    } else {
      uses[record.next.offset].previous = record.previous
    }
    uses[use.offset].value = .none
  }

  // MARK: Places

  mutating func append(_ op: OpID, to block: BlockID) { insert(op, into: block, before: .none) }

  /// Links a free op in front of `next`, at the end when that is none.
  mutating func insert(_ op: OpID, into block: BlockID, before next: OpID) {
    precondition(ops[op.offset].block.isNone, "\(op) is already in a block")
    let previous = next.isNone ? blocks[block.offset].lastOp : ops[next.offset].previous
    ops[op.offset].block = block
    ops[op.offset].previous = previous
    ops[op.offset].next = next
    if previous.isNone { blocks[block.offset].firstOp = op } else { ops[previous.offset].next = op }
    if next.isNone { blocks[block.offset].lastOp = op } else { ops[next.offset].previous = op }
  }

  mutating func detach(_ op: OpID) {
    let record = ops[op.offset]
    guard !record.block.isNone else { return }
    if record.previous.isNone {
      blocks[record.block.offset].firstOp = record.next
    } else {
      ops[record.previous.offset].next = record.next
    }
    if record.next.isNone {
      blocks[record.block.offset].lastOp = record.previous
    } else {
      ops[record.next.offset].previous = record.previous
    }
    ops[op.offset].block = .none
    ops[op.offset].previous = .none
    ops[op.offset].next = .none
  }

  /// Erases the op with all that is nested in it. Uses of its results must be gone, except from inside.
  mutating func eraseOp(_ op: OpID) {
    let nested = walk(op)
    for inner in nested { setOperands(of: inner, to: []) }
    for inner in nested {
      for result in results(of: inner) {
        precondition(
          !hasUses(result),
          "'\(name(of: inner))' is erased while '\(name(of: uses(of: result)[0].op))' reads its result")
      }
    }
    detach(op)
    for inner in nested { ops[inner.offset].isErased = true }
  }

  mutating func setLocation(of op: OpID, _ location: SourceLocation) {
    ops[op.offset].location = locations.id(of: location)
  }

  mutating func setAttributes(of op: OpID, _ dictionary: AttributeDictionary) {
    ops[op.offset].attributes = attributes.id(of: dictionary)
  }

  mutating func setType(of value: ValueID, _ type: TypeSyntax) { values[value.offset].type = types.id(of: type) }

  /// Gives a value the name that text will show, made legal; nil takes it away.
  mutating func setName(of value: ValueID, _ name: String?) {
    values[value.offset].name = name.map { names.id(of: Module.valueName($0)) } ?? .none
  }

  /// Letters, digits, `_ . $ -` stay; anything else becomes `_`; a leading digit gets `_` before it.
  static func valueName(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let isLegal =
        scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "_.$".unicodeScalars.contains(scalar))
      result.unicodeScalars.append(isLegal ? scalar : "_")
    }
    guard let first = result.unicodeScalars.first else { return "_" }
    return ("0"..."9").contains(first) ? "_" + result : result
  }
}
