/// One op of the arena. Ops of a block form a doubly linked list.
struct OpRecord: BitwiseCopyable, Sendable {
  var name: NameID
  var location: LocationID
  var attributes: AttributesID
  var block: BlockID = .none
  var previous: OpID = .none
  var next: OpID = .none
  var firstOperand: Int32 = 0
  var operandCount: Int32 = 0
  /// Results are consecutive values.
  var firstResult: Int32 = 0
  var resultCount: Int32 = 0
  /// Regions are consecutive.
  var firstRegion: Int32 = 0
  var regionCount: Int32 = 0
  var firstSuccessor: Int32 = 0
  var successorCount: Int32 = 0
  var isErased = false
}

/// One value of the arena; exactly one of `op` and `block` is set. Its uses form a doubly linked list in order of
/// creation.
struct ValueRecord: BitwiseCopyable, Sendable {
  var op: OpID = .none
  var block: BlockID = .none
  var index: Int32
  var type: TypeID
  var name: NameID = .none
  var firstUse: UseID = .none
  var lastUse: UseID = .none
}

/// One operand slot: which op reads which value.
struct UseRecord: BitwiseCopyable, Sendable {
  var owner: OpID
  var index: Int32
  var value: ValueID = .none
  var previous: UseID = .none
  var next: UseID = .none
}

struct BlockRecord: BitwiseCopyable, Sendable {
  var region: RegionID
  var previous: BlockID = .none
  var next: BlockID = .none
  var firstOp: OpID = .none
  var lastOp: OpID = .none
  var firstArgument: Int32 = 0
  var argumentCount: Int32 = 0
}

struct RegionRecord: BitwiseCopyable, Sendable {
  var op: OpID
  var firstBlock: BlockID = .none
  var lastBlock: BlockID = .none
}
