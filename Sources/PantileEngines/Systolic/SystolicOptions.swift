/// What distinguishes one systolic array from another.
public struct SystolicOptions: Hashable, Sendable {
  /// What stays in the array.
  public enum Dataflow: String, Hashable, Sendable, CaseIterable {
    /// Weights stay; activations move right, partial sums move down. Rows carry K, columns carry N.
    case weightStationary = "ws"
    /// Outputs stay; activations move right, weights move down. Rows carry M, columns carry N.
    case outputStationary = "os"
  }

  /// Whether consecutive folds overlap.
  public enum Variant: String, Hashable, Sendable, CaseIterable {
    /// One fold after another: no shadow register.
    case serial
    /// One more register a PE: the next weights load (`ws`), or the last results drain (`os`), behind the stream.
    case overlapped
  }

  public var rows: Int
  public var columns: Int
  public var dataflow: Dataflow
  public var variant: Variant

  /// - Precondition: rows and columns are positive.
  public init(
    rows: Int, columns: Int, dataflow: Dataflow = .weightStationary, variant: Variant = .overlapped
  ) {
    precondition(rows > 0 && columns > 0, "an array needs rows and columns")
    self.rows = rows
    self.columns = columns
    self.dataflow = dataflow
    self.variant = variant
  }
}
