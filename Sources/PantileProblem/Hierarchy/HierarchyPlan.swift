import PantileSupport

/// The answer to a `HierarchyProblem`: an order, where every buffer lies in every slot, what moves, which memory each op uses.
public struct HierarchyPlan: Hashable, Sendable {
  /// A copy of a buffer at an offset of a memory in slots `from ..< to`.
  public struct Stay: Hashable, Sendable {
    public var buffer: Int
    public var memory: Int
    public var from: Int
    public var to: Int
    /// **Units** Bytes.
    public var offset: Int

    public init(buffer: Int, memory: Int, from: Int, to: Int, offset: Int) {
      self.buffer = buffer
      self.memory = memory
      self.from = from
      self.to = to
      self.offset = offset
    }
  }

  /// A copy made from one memory to another in a slot of moves.
  public struct Move: Hashable, Sendable {
    public var buffer: Int
    public var from: Int
    public var to: Int
    public var slot: Int

    public init(buffer: Int, from: Int, to: Int, slot: Int) {
      self.buffer = buffer
      self.from = from
      self.to = to
      self.slot = slot
    }
  }

  /// The memory in which an op uses a buffer.
  public struct Access: Hashable, Sendable {
    public var op: Int
    public var buffer: Int
    public var use: HierarchyProblem.Use
    public var memory: Int

    public init(op: Int, buffer: Int, use: HierarchyProblem.Use, memory: Int) {
      self.op = op
      self.buffer = buffer
      self.use = use
      self.memory = memory
    }
  }

  /// What a byte in a memory and slot is worth: the proof of a bound for one order (`HierarchyProblem.bound`).
  ///
  /// **Units** Thousandths of the objective's unit, as costs are, in thousandths again.
  public struct Price: Hashable, Sendable {
    public var memory: Int
    public var slot: Int
    public var value: Int

    public init(memory: Int, slot: Int, value: Int) {
      self.memory = memory
      self.slot = slot
      self.value = value
    }
  }

  /// For which orders of ops a bound holds.
  public enum BoundOrder: String, Hashable, Sendable { case any, this }

  /// The name of the bound that prices prove.
  public static let priceBound = "prices of room"

  /// Ops by number, first to last.
  public var order: [Int]
  public var stays: [Stay]
  public var moves: [Move]
  public var accesses: [Access]
  /// By both measures.
  public var cost: HierarchyProblem.Cost
  /// Of the objective: no plan (of the order, when `boundOrder` says so) costs less.
  public var lowerBound: Int
  /// What the bound rests on; `priceBound` says that `prices` prove it.
  public var boundName: String
  public var boundOrder: BoundOrder
  /// Prices that prove the bound of the order.
  public var prices: [Price]
  /// Of the objective: no plan of any order costs less.
  public var lowerBoundOfAnyOrder: Int
  /// `optimal` when the cost is the bound.
  public var status: SolutionStatus
  public var method: String
  /// Solver iterations and nodes used.
  public var states: Int

  public init(
    order: [Int], stays: [Stay], moves: [Move], accesses: [Access], cost: HierarchyProblem.Cost, lowerBound: Int,
    boundName: String, boundOrder: BoundOrder, prices: [Price], lowerBoundOfAnyOrder: Int, status: SolutionStatus,
    method: String, states: Int
  ) {
    self.order = order
    self.stays = stays
    self.moves = moves
    self.accesses = accesses
    self.cost = cost
    self.lowerBound = lowerBound
    self.boundName = boundName
    self.boundOrder = boundOrder
    self.prices = prices
    self.lowerBoundOfAnyOrder = lowerBoundOfAnyOrder
    self.status = status
    self.method = method
    self.states = states
  }

  /// `(value - lowerBound) / max(value, 1)`, a plain ratio, hence a bare `Double`.
  public func gap(_ objective: HierarchyProblem.Objective) -> Double {
    let value = objective.of(cost)
    return Double(value - lowerBound) / Double(max(value, 1))
  }

  /// The highest byte in use in each memory, plus one.
  public func peaks(of problem: HierarchyProblem) -> [Int] {
    var peaks = problem.memories.map { _ in 0 }
    for stay in stays {
      peaks[stay.memory] = max(peaks[stay.memory], saturatingAdd(stay.offset, problem.buffers[stay.buffer].bytes))
    }
    return peaks
  }
}
