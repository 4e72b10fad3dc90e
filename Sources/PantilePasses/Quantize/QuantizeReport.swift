import PantileSupport

/// What `quantize` did, op by op; left as an artifact beside the module.
public struct QuantizeReport: Hashable, Sendable {
  /// Ranges were measured on made-up inputs: accuracy says nothing about the model.
  public var isSynthetic = false
  /// The weights are absent: all scales are 1, only shapes and timing mean something.
  public var hasUnitScales = false
  /// Calibration runs.
  public var sampleCount = 0
  public var layers: [Layer] = []

  /// One op of the graph.
  public struct Layer: Hashable, Sendable {
    public var name: String
    /// `dnn.conv2d`, ….
    public var kind: String
    /// Nil for ops that stay float.
    public var output: Output?
    /// Of contractions.
    public var weightBits: Int?
    /// Why it stays float.
    public var reason: String?
  }

  /// Parameters of a quantised tensor.
  public struct Output: Hashable, Sendable {
    /// Real numbers per step, as Float32.
    public var scale: Float
    public var zeroPoint: Int
  }

  public init() {}

  /// Ops that run in integers.
  public var quantizedCount: Int { layers.count { $0.output != nil } }
}
