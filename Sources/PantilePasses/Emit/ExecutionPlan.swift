import PantileProblem

/// How one step is run: its tiling, and where its tensors are meanwhile.
public struct StepChoice: Sendable, Hashable {
  /// Tile size of each nest dim.
  public var tiles: [Int]
  /// Tileable dims, outermost loop first.
  public var order: [Int]
  /// Slots of each buffer, by buffer name.
  public var slots: [String: Int]
  /// Buffers of constants whose first slots are loaded while steps before this one run.
  public var prefetched: Set<String> = []
  /// The first of those steps; the room of the buffers is theirs from it on.
  public var prefetchStart = 0
  /// Storages that it reads in the scratchpad.
  public var residentReads: Set<Int>
  /// Whether it leaves its output in the scratchpad.
  public var keepsOutput: Bool
  /// Whether it stores its output off chip.
  public var storesOutput: Bool

  public init(
    tiles: [Int], order: [Int], slots: [String: Int], residentReads: Set<Int>, keepsOutput: Bool, storesOutput: Bool
  ) {
    self.tiles = tiles
    self.order = order
    self.slots = slots
    self.residentReads = residentReads
    self.keepsOutput = keepsOutput
    self.storesOutput = storesOutput
  }
}

/// Everything that was decided about a network: what emission writes out.
public struct ExecutionPlan: Sendable {
  public var choices: [StepChoice]
  /// Scratchpad offset of each kept storage; nil when it is never kept.
  public var residentBase: [Int?]
  /// Scratchpad offset of each buffer, by step and buffer name.
  public var bufferBase: [[String: Int]]
  /// The highest scratchpad byte in use, plus one.
  public var peakScratchpadBytes: Int
  /// The status of the choice and the gaps by name.
  public var status: String
  public var gaps: [Gap]
  /// How the plan was found; tells candidate plans apart.
  public var method: String

  public init(
    choices: [StepChoice], residentBase: [Int?], bufferBase: [[String: Int]], peakScratchpadBytes: Int, status: String,
    gaps: [Gap], method: String
  ) {
    self.choices = choices
    self.residentBase = residentBase
    self.bufferBase = bufferBase
    self.peakScratchpadBytes = peakScratchpadBytes
    self.status = status
    self.gaps = gaps
    self.method = method
  }
}
