import PantileSupport

/// The answer to a `ScheduleProblem`: an order, what moves when, and where everything is.
public struct ScheduleSolution: Hashable, Sendable {
  /// A tensor that moves over the memory's edge just before a step (or, when `isStreamed`, through the tile buffer during it).
  public struct Transfer: Hashable, Sendable {
    public var tensor: Int
    public var step: Int
    /// True when the bytes pass through the tile buffer and the tensor is not kept.
    public var isStreamed: Bool

    public init(tensor: Int, step: Int, isStreamed: Bool = false) {
      self.tensor = tensor
      self.step = step
      self.isStreamed = isStreamed
    }
  }

  /// A tensor that is at an offset of its memory in steps `from ..< to`.
  public struct Placement: Hashable, Sendable {
    public var tensor: Int
    public var from: Int
    public var to: Int
    public var offset: Int

    public init(tensor: Int, from: Int, to: Int, offset: Int) {
      self.tensor = tensor
      self.from = from
      self.to = to
      self.offset = offset
    }
  }

  /// Where an op's workspace is while it runs.
  public struct WorkspacePlacement: Hashable, Sendable {
    public var op: Int
    public var memory: Int
    public var offset: Int

    public init(op: Int, memory: Int, offset: Int) {
      self.op = op
      self.memory = memory
      self.offset = offset
    }
  }

  /// Ops by number, first to last.
  public var order: [Int]
  /// Writes that are not compulsory.
  public var spills: [Transfer]
  /// Reads that are not compulsory.
  public var fetches: [Transfer]
  public var placements: [Placement]
  public var workspaces: [WorkspacePlacement]
  /// Bytes of spills and fetches.
  public var cost: Int
  /// Bytes below which no schedule of the problem (of the given order, when `isFixedOrder`) stays.
  public var lowerBound: Int
  /// What the bound rests on.
  public var boundName: String
  /// The bound is for this order of ops only.
  public var isFixedOrder: Bool
  public var status: SolutionStatus
  /// The method that found it.
  public var method: String
  /// Search states or solver nodes used.
  public var states: Int

  public init(
    order: [Int], spills: [Transfer], fetches: [Transfer], placements: [Placement],
    workspaces: [WorkspacePlacement] = [], cost: Int, lowerBound: Int, boundName: String, isFixedOrder: Bool,
    status: SolutionStatus, method: String, states: Int
  ) {
    self.order = order
    self.spills = spills
    self.fetches = fetches
    self.placements = placements
    self.workspaces = workspaces
    self.cost = cost
    self.lowerBound = lowerBound
    self.boundName = boundName
    self.isFixedOrder = isFixedOrder
    self.status = status
    self.method = method
    self.states = states
  }

  /// `(cost - lowerBound) / max(cost, 1)`: a plain ratio, hence a bare `Double`.
  public var gap: Double { Double(cost - lowerBound) / Double(max(cost, 1)) }

  /// The highest byte in use in a memory, plus one.
  public func peakBytes(of problem: ScheduleProblem, in memory: Int = 0) -> Int {
    var peak = 0
    for placement in placements where problem.tensors[placement.tensor].memory == memory {
      peak = max(peak, saturatingAdd(placement.offset, problem.tensors[placement.tensor].bytes))
    }
    for workspace in workspaces where workspace.memory == memory {
      peak = max(peak, saturatingAdd(workspace.offset, problem.ops[workspace.op].workspace(in: memory)))
    }
    return peak
  }
}
