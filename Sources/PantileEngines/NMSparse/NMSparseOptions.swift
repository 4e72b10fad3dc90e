import PantileTensor

/// What distinguishes one N:M weight-sparse array from another.
public struct NMSparseOptions: Hashable, Sendable {
  /// What stays in the array.
  public enum Dataflow: String, Hashable, Sendable, CaseIterable {
    /// Outputs stay: groups of activations move right and are held, kept weights with their indices move down.
    case outputStationary = "os"
    /// Kept weights with their indices stay: groups of activations move right, partial sums move down.
    case weightStationary = "ws"
  }

  /// How much the edges of the array take in a cycle; 0 is no limit.
  public struct Ports: Hashable, Sendable, BitwiseCopyable {
    /// **Units** activation elements a cycle.
    public var activation: Int
    /// **Units** bits a cycle: values, and the indices beside them unless they have a port of their own.
    public var weight: Int
    /// **Units** bits of indices a cycle; 0: they share the weight port.
    public var metadata: Int

    public init(activation: Int = 0, weight: Int = 0, metadata: Int = 0) {
      self.activation = activation
      self.weight = weight
      self.metadata = metadata
    }
  }

  /// Which products leave the select, the multiplier and the adder of a PE still; they keep their cycle.
  public enum Gating: String, Hashable, Sendable, CaseIterable {
    case none
    /// Those of a kept weight that is zero.
    case weights
    /// Those of a zero on either side.
    case operands
  }

  public var rows: Int
  public var columns: Int
  public var dataflow: Dataflow
  /// Output contexts of an output-stationary PE (I): output channel c·I + i lives in column c, context i.
  public var interleave: Int
  /// Cycles after its issue until a sum is usable (L).
  public var adderLatency: Int
  /// Pipeline stages of the multiplier (Lm); 0 is combinational.
  public var multiplierLatency: Int
  /// Patterns that the array takes besides dense weights; the select of a PE spans the longest group.
  public var patterns: [NMPattern]
  public var variant: FoldVariant
  public var ports: Ports
  public var gating: Gating

  /// Most output contexts of a PE.
  public static let mostContexts = 127
  /// Most that a port is said to take in a cycle: more than any array does.
  public static let mostOfPort = 1 << 20

  /// - Precondition: positive sizes; no negative latency or port; `interleave` at most `mostContexts`, and 1 when weights stay, where
  ///   no pattern keeps more than `rows` of a group.
  public init(
    rows: Int, columns: Int, dataflow: Dataflow = .outputStationary, interleave: Int = 1, adderLatency: Int = 1,
    multiplierLatency: Int = 0, patterns: [NMPattern], variant: FoldVariant = .overlapped, ports: Ports = Ports(),
    gating: Gating = .none
  ) {
    precondition(rows > 0 && columns > 0, "an array needs rows and columns")
    precondition(
      (1...Self.mostContexts).contains(interleave), "interleave \(interleave) is outside 1...\(Self.mostContexts)")
    precondition(adderLatency > 0 && multiplierLatency >= 0, "bad latencies \(adderLatency), \(multiplierLatency)")
    precondition(min(ports.activation, ports.weight, ports.metadata) >= 0, "a negative port: \(ports)")
    if dataflow == .weightStationary {
      precondition(interleave == 1, "a weight-stationary PE has one sum, not \(interleave)")
      precondition(patterns.allSatisfy { $0.kept <= rows }, "a group of \(patterns) needs more than \(rows) rows")
    }
    self.rows = rows
    self.columns = columns
    self.dataflow = dataflow
    self.interleave = interleave
    self.adderLatency = adderLatency
    self.multiplierLatency = multiplierLatency
    self.patterns = patterns
    self.variant = variant
    self.ports = ports
    self.gating = gating
  }
}
