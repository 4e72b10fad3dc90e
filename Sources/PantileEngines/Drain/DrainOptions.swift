/// A drain unit: reads accumulators, runs a pipelined epilogue on `lanes` lanes, writes the result.
public struct DrainOptions: Hashable, Sendable {
  public var lanes: Int
  /// Pipeline depth: cycles from the last accumulator read to the last write being visible.
  public var latency: Int

  public init(lanes: Int, latency: Int) {
    self.lanes = lanes
    self.latency = latency
  }

  /// `latency + ceil(points / lanes)`: the epilogue is a pipeline, its length is in the latency.
  public func duration(points: Int) -> Int { latency + (points + lanes - 1) / lanes }
}
