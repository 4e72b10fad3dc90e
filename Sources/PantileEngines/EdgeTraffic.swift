/// What crosses an array's edges during one command, padding lanes included: a port of full width is used in each beat. Only
/// groups of an N:M weight-stationary array beyond the end of the reduction are not read.
public struct EdgeTraffic: Hashable, Sendable, BitwiseCopyable {
  /// Elements that enter at the activation edge.
  public var activationElements: Int
  /// Weights, or pairs of weight and index, that enter at the weight edge.
  public var weightBeats: Int
  /// Results that leave.
  public var results: Int

  public init(activationElements: Int, weightBeats: Int, results: Int) {
    self.activationElements = activationElements
    self.weightBeats = weightBeats
    self.results = results
  }
}
