import PantileSupport

/// In which order to run the operations of a graph, and which tensors to keep in on-chip memory meanwhile, so that the fewest bytes cross
/// the memory's edge beyond those that must.
///
/// One op runs a step. While it runs, its inputs, its outputs and its workspace are in their memories, whole (unless `tileBytes` allows
/// streaming), beside whatever else is kept. A tensor that is needed later may leave its memory and be fetched again:
/// - the first departure of a tensor without a copy off chip costs a *spill*, a write of its bytes; the copy stays valid for ever;
/// - each return costs a *fetch*, a read of its bytes.
///
/// Compulsory transfers are free: the first fetch of a tensor that no op makes, and one write of a tensor that must end off chip (`output`,
/// and made `variable` and `state` tensors), which has a copy from the moment it is made. Before its first use a tensor that no op makes
/// takes no room; a tensor without further uses takes none either.
///
/// **Source** Li et al., COSMA, arXiv 2311.18246: the same objective, with in-place results, views, workspace, pinned tensors, several
/// memories and streaming added.
public struct ScheduleProblem: Hashable, Sendable {
  /// An on-chip memory.
  public struct Memory: Hashable, Sendable {
    public var name: String
    /// **Units** Bytes.
    public var capacity: Int

    public init(_ name: String, capacity: Int) {
      self.name = name
      self.capacity = capacity
    }
  }

  /// Something that ops make and use.
  public struct Tensor: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
      /// A graph input: off chip from the start.
      case input
      /// Trained values: off chip from the start.
      case weight
      /// Made and used by ops only.
      case activation
      /// Ends off chip.
      case output
      /// Trained values that a run may change; outlives it off chip.
      case variable
      /// For example a key-value cache; outlives a run off chip.
      case state
    }

    public var name: String
    public var bytes: Int
    public var kind: Kind
    /// The memory that holds it when it is on chip.
    public var memory: Int
    /// True for a tensor that never leaves its memory: from the start when no op makes it, else from its op, to the end.
    public var isPinned: Bool
    /// The offset, when it is given.
    public var fixedOffset: Int?
    /// Offsets are multiples of this.
    public var alignment: Int

    public init(
      _ name: String, bytes: Int, kind: Kind = .activation, memory: Int = 0, isPinned: Bool = false,
      fixedOffset: Int? = nil, alignment: Int = 1
    ) {
      self.name = name
      self.bytes = bytes
      self.kind = kind
      self.memory = memory
      self.isPinned = isPinned
      self.fixedOffset = fixedOffset
      self.alignment = alignment
    }
  }

  /// A result that may take the place of an operand whose stay in memory ends with the op.
  public struct InPlacePair: Hashable, Sendable {
    public var input: Int
    public var output: Int

    public init(input: Int, output: Int) {
      self.input = input
      self.output = output
    }
  }

  /// One operation.
  public struct Op: Hashable, Sendable {
    /// Whether the op computes, or only names bytes that are there.
    public enum Role: String, Hashable, Sendable, CaseIterable {
      case compute
      /// The one output is the inputs side by side. No byte moves: the parts are made where the whole wants them.
      case concatView = "concat_view"
      /// The outputs side by side are the one input. No byte moves.
      case splitView = "split_view"
    }

    public var name: String
    public var role: Role
    /// Tensors by number; repeated operands count once.
    public var inputs: [Int]
    public var outputs: [Int]
    /// Bytes of each memory in use while it runs; memories beyond the list have none.
    public var workspace: [Int]
    public var inPlace: [InPlacePair]

    public init(
      _ name: String, role: Role = .compute, inputs: [Int], outputs: [Int], workspace: [Int] = [],
      inPlace: [InPlacePair] = []
    ) {
      self.name = name
      self.role = role
      self.inputs = inputs
      self.outputs = outputs
      self.workspace = workspace
      self.inPlace = inPlace
    }

    /// Bytes of one memory in use while it runs, beside tensors.
    public func workspace(in memory: Int) -> Int { workspace.indices.contains(memory) ? workspace[memory] : 0 }
  }

  public var name: String
  public var memories: [Memory]
  public var tensors: [Tensor]
  /// In an order in which they can run.
  public var ops: [Op]
  /// Operands and results may be streamed through a buffer of so many bytes in memory 0 instead of being there whole; nil when they may not.
  public var tileBytes: Int?

  public init(name: String, memories: [Memory], tensors: [Tensor], ops: [Op], tileBytes: Int? = nil) {
    self.name = name
    self.memories = memories
    self.tensors = tensors
    self.ops = ops
    self.tileBytes = tileBytes
  }

  /// The op that makes each tensor; nil where there is none.
  public var producers: [Int?] {
    var producers = [Int?](repeating: nil, count: tensors.count)
    for (index, op) in ops.enumerated() {
      for tensor in op.outputs { producers[tensor] = index }
    }
    return producers
  }

  /// The largest of all ops' needs in one memory: below it no schedule of whole tensors exists (COSMA's M_R).
  ///
  /// An in-place pair counts its larger tensor only. **Units** Bytes.
  public func largestFootprint(in memory: Int = 0) -> Int {
    let leaves = PartMap(self)
    return ops.indices.reduce(0) { max($0, footprint(of: $1, in: memory, parts: leaves)) }
  }

  /// Bytes that one op needs in a memory while it runs, itself alone.
  func footprint(of index: Int, in memory: Int, parts: PartMap) -> Int {
    let op = ops[index]
    guard op.role == .compute else { return 0 }
    var touched = Set(op.inputs.flatMap { parts.leaves(of: $0) })
    touched.formUnion(op.outputs.flatMap { parts.leaves(of: $0) })
    var bytes = op.workspace(in: memory)
    for tensor in touched where tensors[tensor].memory == memory { bytes = saturatingAdd(bytes, tensors[tensor].bytes) }
    for pair in op.inPlace where tensors[pair.input].memory == memory && !tensors[pair.input].isPinned {
      bytes -= min(tensors[pair.input].bytes, tensors[pair.output].bytes)
    }
    return bytes
  }
}

/// What tensors are made of once views are seen through: the whole of a view is its parts side by side, and has no bytes of its own.
public struct PartMap: Hashable, Sendable {
  /// Direct parts of each tensor that is the whole of a view, in address order; nil for tensors with bytes of their own.
  private var parts: [[Int]?]

  /// - Precondition: `problem.check()` passes.
  public init(_ problem: ScheduleProblem) {
    parts = Array(repeating: nil, count: problem.tensors.count)
    for op in problem.ops {
      switch op.role {
      case .compute: break
      case .concatView: if let whole = op.outputs.first { parts[whole] = op.inputs }
      case .splitView: if let whole = op.inputs.first { parts[whole] = op.outputs }
      }
    }
  }

  public func isWhole(_ tensor: Int) -> Bool { parts[tensor] != nil }

  /// The tensors with bytes of their own that a tensor consists of, in address order; itself when it is no view.
  public func leaves(of tensor: Int) -> [Int] {
    guard let own = parts[tensor] else { return [tensor] }
    return own.flatMap { leaves(of: $0) }
  }
}
