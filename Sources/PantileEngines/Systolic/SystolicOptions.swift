/// What distinguishes one systolic array from another.
public struct SystolicOptions: Hashable, Sendable {
  /// What stays in the array.
  public enum Dataflow: String, Hashable, Sendable, CaseIterable {
    /// Weights stay; activations move right, partial sums move down. Rows carry K, columns carry N.
    case weightStationary = "ws"
    /// Outputs stay; activations move right, weights move down. Rows carry M, columns carry N.
    case outputStationary = "os"
  }

  public var rows: Int
  public var columns: Int
  public var dataflow: Dataflow
  public var variant: FoldVariant

  /// - Precondition: rows and columns are positive.
  public init(
    rows: Int, columns: Int, dataflow: Dataflow = .weightStationary, variant: FoldVariant = .overlapped
  ) {
    precondition(rows > 0 && columns > 0, "an array needs rows and columns")
    self.rows = rows
    self.columns = columns
    self.dataflow = dataflow
    self.variant = variant
  }
}
