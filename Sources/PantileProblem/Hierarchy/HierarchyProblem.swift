import PantileSupport

/// In which order to run the ops of a repeated step (a training step, say), and in which of several memories each buffer lies
/// meanwhile, so that accesses and moves cost the least.
///
/// **Time** is cut into *slots*: one for the state before the step; then, for each op, `rounds` slots of moves and the slot in which
/// it runs; and `rounds` slots of moves behind the last op. Nothing but copies happens in a slot of moves, nothing but the op in the
/// slot of an op.
///
/// **Copies.** A buffer may lie in several memories at once. A move copies it from a memory in which it lies before and in the slot to
/// another, where it lies from that slot on. An op reads each operand in one memory of its choice, where it lay before; it makes
/// each result in one memory, and updates a buffer in place; other copies of what it makes or updates are stale and gone. A copy that
/// nothing needs may vanish at any time, for nothing.
///
/// **What a step begins and ends with.** The step runs again and again, so weights, frozen weights and the optimizer's state lie at its
/// end where they lay at its start, at the same addresses; where that is, is the planner's choice. Inputs arrive in `inputMemory`,
/// outputs end in `outputMemory`. A read-only memory is filled before: what lies there lies there from the first slot to the last, and
/// only frozen weights can.
///
/// **Capacity** holds in every slot, so that the moves of one slot may run in any order or together.
///
/// **Cost** of a byte read or written by an op: its memory's. Of a move: that of its two ends a byte, of the way between them a byte, and
/// of the move itself.
public struct HierarchyProblem: Hashable, Sendable {
  /// What something costs by both measures.
  ///
  /// **Units** Thousandths of a picojoule, thousandths of a cycle; a byte or a move.
  public struct Cost: Hashable, Sendable {
    public var energy: Int
    public var cycles: Int

    public init(energy: Int = 0, cycles: Int = 0) {
      self.energy = energy
      self.cycles = cycles
    }

    public static func + (left: Cost, right: Cost) -> Cost {
      Cost(
        energy: saturatingAdd(left.energy, right.energy), cycles: saturatingAdd(left.cycles, right.cycles))
    }

    public func times(_ count: Int) -> Cost {
      Cost(energy: saturatingMultiply(energy, count), cycles: saturatingMultiply(cycles, count))
    }
  }

  /// The measure that a plan makes small.
  public enum Objective: String, Hashable, Sendable, CaseIterable {
    case energy, cycles

    public func of(_ cost: Cost) -> Int {
      switch self {
      case .energy: return cost.energy
      case .cycles: return cost.cycles
      }
    }
  }

  public struct Memory: Hashable, Sendable {
    public var name: String
    /// **Units** Bytes.
    public var capacity: Int
    /// Filled before the step, never written in it.
    public var isReadOnly: Bool
    /// Whether ops reach it themselves; otherwise only moves do.
    public var isDirect: Bool
    /// Offsets are multiples of this.
    public var alignment: Int
    /// Of a byte.
    public var read: Cost
    /// Of a byte.
    public var write: Cost

    public init(
      _ name: String, capacity: Int, isReadOnly: Bool = false, isDirect: Bool = true, alignment: Int = 1,
      read: Cost = Cost(), write: Cost = Cost()
    ) {
      self.name = name
      self.capacity = capacity
      self.isReadOnly = isReadOnly
      self.isDirect = isDirect
      self.alignment = alignment
      self.read = read
      self.write = write
    }
  }

  /// A way on which buffers may move.
  public struct Link: Hashable, Sendable {
    public var from: Int
    public var to: Int
    /// Of a byte on the way, beside the costs of its ends.
    public var byte: Cost
    /// Of each move.
    public var move: Cost

    public init(from: Int, to: Int, byte: Cost = Cost(), move: Cost = Cost()) {
      self.from = from
      self.to = to
      self.byte = byte
      self.move = move
    }
  }

  public struct Buffer: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
      /// Arrives with each step: images, labels.
      case input
      /// Trained: updated in the step.
      case weight
      /// Weights that no step changes.
      case frozen
      /// The optimizer's: velocities.
      case state
      /// A value of the forward part.
      case activation
      /// A value of the forward part that the backward part reads.
      case saved
      /// A value of the backward part.
      case gradient
      /// In use while one op runs; no access to it is counted.
      case workspace
      /// What the step gives: the loss.
      case output

      /// Whether it lies at the end of the step where it lay at its start.
      public var persists: Bool {
        switch self {
        case .weight, .frozen, .state: return true
        case .input, .activation, .saved, .gradient, .workspace, .output: return false
        }
      }
    }

    public var name: String
    /// **Units** Bytes.
    public var bytes: Int
    public var kind: Kind

    public init(_ name: String, bytes: Int, kind: Kind) {
      self.name = name
      self.bytes = bytes
      self.kind = kind
    }
  }

  public struct Op: Hashable, Sendable {
    public var name: String
    /// Buffers by number, each at most once in all three lists.
    public var reads: [Int]
    /// Buffers that it makes.
    public var writes: [Int]
    /// Buffers that it reads and writes in place.
    public var updates: [Int]

    public init(_ name: String, reads: [Int], writes: [Int], updates: [Int] = []) {
      self.name = name
      self.reads = reads
      self.writes = writes
      self.updates = updates
    }
  }

  /// How an op uses a buffer.
  public enum Use: String, Hashable, Sendable {
    case read, write, update
  }

  public var name: String
  public var memories: [Memory]
  /// Every move that is possible, each pair of memories at most once.
  public var links: [Link]
  public var buffers: [Buffer]
  /// In an order in which they can run; what is read before an update reads the old value in every order.
  public var ops: [Op]
  public var inputMemory: Int
  public var outputMemory: Int
  public var objective: Objective
  /// Slots of moves before each op.
  public var rounds: Int

  public init(
    name: String, memories: [Memory], links: [Link], buffers: [Buffer], ops: [Op], inputMemory: Int, outputMemory: Int,
    objective: Objective = .energy, rounds: Int = 2
  ) {
    self.name = name
    self.memories = memories
    self.links = links
    self.buffers = buffers
    self.ops = ops
    self.inputMemory = inputMemory
    self.outputMemory = outputMemory
    self.objective = objective
    self.rounds = rounds
  }

  // MARK: Time

  public var slotCount: Int { 1 + ops.count * (rounds + 1) + rounds }

  /// The slot in which the op of a step runs.
  public func slot(ofStep step: Int) -> Int { (step + 1) * (rounds + 1) }

  /// The step that runs in a slot; nil for slots of moves and for the first.
  public func step(inSlot slot: Int) -> Int? {
    guard slot > 0, slot % (rounds + 1) == 0, slot / (rounds + 1) <= ops.count else { return nil }
    return slot / (rounds + 1) - 1
  }

  // MARK: Costs

  /// Of one op's use of a buffer in a memory.
  public func cost(of use: Use, _ buffer: Int, in memory: Int) -> Cost {
    if buffers[buffer].kind == .workspace { return Cost() }
    let (read, write) = (memories[memory].read, memories[memory].write)
    switch use {
    case .read: return read.times(buffers[buffer].bytes)
    case .write: return write.times(buffers[buffer].bytes)
    case .update: return (read + write).times(buffers[buffer].bytes)
    }
  }

  /// Of moving a buffer; nil where no link leads.
  public func moveCost(_ buffer: Int, from: Int, to: Int) -> Cost? {
    guard let link = links.first(where: { $0.from == from && $0.to == to }) else { return nil }
    let byte = memories[from].read + memories[to].write + link.byte
    return byte.times(buffers[buffer].bytes) + link.move
  }

  // MARK: Order

  /// The op that makes each buffer; nil where there is none.
  public var producers: [Int?] {
    var producers = [Int?](repeating: nil, count: buffers.count)
    for (index, op) in ops.enumerated() { for buffer in op.writes { producers[buffer] = index } }
    return producers
  }

  /// Ops that must run before each op, ascending: makers before readers, readers of an old value before its update, the update before
  /// readers of the new one.
  public var predecessors: [[Int]] {
    var before = ops.map { _ in Set<Int>() }
    var writer = [Int?](repeating: nil, count: buffers.count)
    var readers = buffers.map { _ in [Int]() }
    for (index, op) in ops.enumerated() {
      for buffer in op.reads + op.updates { if let maker = writer[buffer] { before[index].insert(maker) } }
      for buffer in op.reads { readers[buffer].append(index) }
      for buffer in op.updates + op.writes {
        before[index].formUnion(readers[buffer])
        readers[buffer] = []
        writer[buffer] = index
      }
    }
    return before.map { $0.sorted() }
  }

  /// Bytes of all buffers of one op.
  public func footprint(of op: Int) -> Int {
    (ops[op].reads + ops[op].writes + ops[op].updates).reduce(0) { saturatingAdd($0, buffers[$1].bytes) }
  }
}
