import PantileSupport

/// Choose, for operations in a fixed order, one alternative each, and which tensors stay on chip between them.
///
/// A tensor is *kept* for its first `k` consumers: they read it from its on-chip memory, later ones stream it. It occupies its
/// memory from its producer (or, without one, from its first consumer, which fetches it whole) to its `k`-th consumer.
/// A produced tensor that is kept for some but not all consumers, or leaves the chip at the end, is also stored by its producer.
public struct ChoiceProblem: Hashable, Sendable {
  public typealias Memory = TilingProblem.Memory
  public typealias Link = TilingProblem.Link

  /// Something that steps make and use.
  public struct Tensor: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable { case input, weight, intermediate, output }
    public var name: String
    public var bytes: Int
    public var kind: Kind
    /// The step that makes it; nil for graph inputs and weights.
    public var producer: Int?
    /// The steps that read it, ascending, each once.
    public var consumers: [Int]
    /// The memory that holds it while kept.
    public var memory: String
    /// The link that fetches it whole; needed without a producer.
    public var loadLink: String?
    /// The link that stores it; needed with a producer.
    public var storeLink: String?

    public init(
      _ name: String, bytes: Int, kind: Kind, producer: Int?, consumers: [Int], memory: String,
      loadLink: String? = nil, storeLink: String? = nil
    ) {
      self.name = name
      self.bytes = bytes
      self.kind = kind
      self.producer = producer
      self.consumers = consumers
      self.memory = memory
      self.loadLink = loadLink
      self.storeLink = storeLink
    }
  }

  /// One way to run a step, valid for one set of kept tensors.
  public struct StepAlternative: Hashable, Sendable {
    /// Tensors (by number, ascending) that it reads from on-chip memory.
    public var residentReads: [Int]
    /// Tensors (by number, ascending) that it leaves in on-chip memory.
    public var residentWrites: [Int]
    /// Bytes of each memory in use beside the kept tensors.
    public var workingSet: [Int]
    /// Busy cycles of each resource.
    public var busy: [Int]
    /// Bytes over each link, whole fetches and extra stores of kept tensors excluded.
    public var bytes: [Int]
    /// Cycles that come on top of the busiest resource or link: first fill, last drain, exposed transfers.
    public var extraCycles: Int
    /// What this came from, for the caller: usually an alternative of a `TilingProblem`.
    public var origin: Int

    public init(
      residentReads: [Int] = [], residentWrites: [Int] = [], workingSet: [Int], busy: [Int], bytes: [Int],
      extraCycles: Int = 0, origin: Int = 0
    ) {
      self.residentReads = residentReads
      self.residentWrites = residentWrites
      self.workingSet = workingSet
      self.busy = busy
      self.bytes = bytes
      self.extraCycles = extraCycles
      self.origin = origin
    }

    /// From a tiling: `extraCycles` is what its estimate has above its busiest resource or link.
    public init(
      _ alternative: Alternative, origin: Int, residentReads: [Int], residentWrites: [Int], links: [Link]
    ) {
      var busiest = alternative.busy.max() ?? 0
      for (link, bytes) in zip(links, alternative.bytes) { busiest = max(busiest, link.rate.cycles(forBytes: bytes)) }
      self.init(
        residentReads: residentReads.sorted(), residentWrites: residentWrites.sorted(),
        workingSet: alternative.footprint, busy: alternative.busy, bytes: alternative.bytes,
        extraCycles: max(0, alternative.cycles - busiest), origin: origin)
    }
  }

  /// One operation.
  public struct Step: Hashable, Sendable {
    public var name: String
    public var alternatives: [StepAlternative]

    public init(_ name: String, alternatives: [StepAlternative]) {
      self.name = name
      self.alternatives = alternatives
    }
  }

  public var name: String
  public var memories: [Memory]
  public var resources: [String]
  public var links: [Link]
  public var tensors: [Tensor]
  public var steps: [Step]

  public init(
    name: String, memories: [Memory], resources: [String], links: [Link], tensors: [Tensor], steps: [Step]
  ) {
    self.name = name
    self.memories = memories
    self.resources = resources
    self.links = links
    self.tensors = tensors
    self.steps = steps
  }

  /// Cycles of one step: the busiest resource or link, plus `extraCycles`; `added` are bytes over each link on top.
  public func cycles(of alternative: StepAlternative, adding added: [Int]) -> Int {
    var busiest = alternative.busy.max() ?? 0
    for index in links.indices {
      busiest = max(busiest, links[index].rate.cycles(forBytes: saturatingAdd(alternative.bytes[index], added[index])))
    }
    return saturatingAdd(busiest, alternative.extraCycles)
  }
}

/// The answer to a `ChoiceProblem`.
public struct ChoiceSolution: Hashable, Sendable {
  /// The alternative of each step.
  public var choice: [Int]
  /// For each tensor how many of its consumers, in order, read it on chip.
  public var kept: [Int]
  /// Cycles of each step.
  public var stepCycles: [Int]
  /// Sum of the step times.
  public var cycles: Int
  /// Bytes over all links.
  public var bytes: Int
  public var status: SolutionStatus
  /// Cycles below which no choice of the problem can run.
  public var lowerBound: Int
  /// What the bound rests on, for example `dynamic programming` or `linear relaxation`.
  public var boundName: String
  /// The method that found it.
  public var method: String

  public init(
    choice: [Int], kept: [Int], stepCycles: [Int], cycles: Int, bytes: Int, status: SolutionStatus, lowerBound: Int,
    boundName: String, method: String
  ) {
    self.choice = choice
    self.kept = kept
    self.stepCycles = stepCycles
    self.cycles = cycles
    self.bytes = bytes
    self.status = status
    self.lowerBound = lowerBound
    self.boundName = boundName
    self.method = method
  }
}
