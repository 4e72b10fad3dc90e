import PantileProgram

/// What distinguishes one systolic array from another.
public struct SystolicOptions: Hashable, Sendable {
  /// What stays in the array.
  public enum Dataflow: String, Hashable, Sendable, CaseIterable {
    /// Weights stay; activations move right, partial sums move down. Rows carry K, columns carry N, M streams.
    case weightStationary = "ws"
    /// Outputs stay; activations move right, weights move down. Rows carry M, columns carry N, K streams.
    case outputStationary = "os"
    /// Activations stay: the weight-stationary array with its operands exchanged. Rows carry K, columns carry M, N streams.
    case inputStationary = "is"
  }

  /// How far consecutive folds overlap.
  public enum Variant: String, Hashable, Sendable, CaseIterable {
    /// One fold after another: no second register.
    case serial
    /// One more register a PE. `ws`, `is`: a shadow register, loaded by a chain that all rows shift at once. `os`: an output
    /// register, drained column by column.
    case overlapped
    /// `ws`, `is`: the shadow chain moves as a wave that enters with the skew of the stream, right behind the swap wave.
    case skewed

    public init(_ variant: FoldVariant) {
      switch variant {
      case .serial: self = .serial
      case .overlapped: self = .overlapped
      }
    }
  }

  /// What a processing element multiplies.
  public enum Operands: String, Hashable, Sendable, CaseIterable {
    /// Integers of 8 bits.
    case int8
    /// Also bfloat16 or IEEE half, with products and sums in Float.
    case int8AndBF16 = "int8-bf16"
    case int8AndF16 = "int8-f16"

    /// The floats among them.
    public var float: Contract.Numbers? {
      switch self {
      case .int8: return nil
      case .int8AndBF16: return .bf16
      case .int8AndF16: return .f16
      }
    }
  }

  public var rows: Int
  public var columns: Int
  public var dataflow: Dataflow
  public var variant: Variant
  /// Pipeline stages of a PE: `peLatency - 1` registers behind the multiplier, then an adder of one stage.
  public var peLatency: Int
  public var operands: Operands

  /// - Precondition: rows, columns and the latency are positive; `os` is not skewed.
  public init(
    rows: Int, columns: Int, dataflow: Dataflow = .weightStationary, variant: Variant = .overlapped,
    peLatency: Int = 1, operands: Operands = .int8
  ) {
    precondition(rows > 0 && columns > 0, "an array needs rows and columns")
    precondition(peLatency > 0, "a PE needs a stage")
    precondition(
      Self.isKnown(dataflow, variant), "no array is \(dataflow.rawValue) and \(variant.rawValue) at the same time")
    self.rows = rows
    self.columns = columns
    self.dataflow = dataflow
    self.variant = variant
    self.peLatency = peLatency
    self.operands = operands
  }

  /// Whether the dataflow has the variant: an output-stationary array loads nothing that could be skewed.
  public static func isKnown(_ dataflow: Dataflow, _ variant: Variant) -> Bool {
    dataflow != .outputStationary || variant != .skewed
  }

  /// Every pair of dataflow and variant that there is, in a fixed order.
  public static let kinds: [(dataflow: Dataflow, variant: Variant)] = Dataflow.allCases.flatMap { dataflow in
    Variant.allCases.filter { isKnown(dataflow, $0) }.map { (dataflow, $0) }
  }
}
