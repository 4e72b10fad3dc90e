import PantileEngines

/// Collects what every engine did when, and closes the books: for each engine and layer busy + stalls = length.
struct Accounting {
  /// Code of a segment: -1 busy, else kind and source of a cause packed together.
  private struct Segment {
    var start: Int
    var end: Int
    var code: Int32
    var layer: Int32
  }

  private var segments: [[Segment]]
  private var layerEnds: [Int]
  private let merging: Bool

  /// - Parameter trace: keep neighbouring segments apart, as a trace wants them.
  init(queues: Int, layers: Int, trace: Bool) {
    segments = Array(repeating: [], count: queues)
    layerEnds = Array(repeating: 0, count: layers)
    merging = !trace
  }

  private static func code(_ cause: StallCause?) -> Int32 {
    guard let cause else { return -1 }
    return Int32(cause.kind.rawValue * 256 + (cause.source ?? 255))
  }

  private static func cause(_ code: Int32) -> StallCause? {
    guard code >= 0, let kind = StallCause.Kind(rawValue: Int(code) / 256) else { return nil }
    return StallCause(kind, source: code % 256 == 255 ? nil : Int(code % 256))
  }

  /// Segments of one queue come in time order without gaps.
  mutating func add(queue: Int, from start: Int, to end: Int, cause: StallCause?, layer: Int) {
    guard end > start else { return }
    let code = Self.code(cause)
    if merging, let last = segments[queue].last, last.end == start, last.code == code, last.layer == layer {
      segments[queue][segments[queue].count - 1].end = end
    } else {
      segments[queue].append(Segment(start: start, end: end, code: code, layer: Int32(layer)))
    }
  }

  mutating func completed(layer: Int, at cycle: Int) { layerEnds[layer] = max(layerEnds[layer], cycle) }

  /// The end of the run.
  var end: Int { layerEnds.max() ?? 0 }

  /// Layers with their intervals and activities. A layer without commands, or one that ends before its predecessor,
  /// has length zero.
  func layers() -> [(start: Int, end: Int, activities: [TimingResult.Activity])] {
    var result: [(start: Int, end: Int, activities: [TimingResult.Activity])] = []
    var previous = 0
    for layerEnd in layerEnds {
      let stop = max(previous, layerEnd)
      result.append((previous, stop, Array(repeating: TimingResult.Activity(), count: segments.count)))
      previous = stop
    }
    for queue in segments.indices {
      var layer = 0
      var covered = 0
      for segment in segments[queue] {
        var from = segment.start
        let to = min(segment.end, previous)
        covered = max(covered, to)
        while from < to {
          while layer < result.count, result[layer].end <= from { layer += 1 }
          guard layer < result.count else { break }
          let until = min(to, result[layer].end)
          if segment.code == -1 {
            result[layer].activities[queue].busy += until - from
          } else if Int(segment.layer) == layer, let cause = Self.cause(segment.code) {
            result[layer].activities[queue].add(cause, until - from)
          } else {
            // Waiting for a later layer: this one has nothing for the engine.
            result[layer].activities[queue].add(StallCause(.noWork), until - from)
          }
          from = until
        }
      }
      for index in result.indices {
        let missing = result[index].end - max(result[index].start, min(result[index].end, covered))
        result[index].activities[queue].add(StallCause(.noWork), missing)
      }
    }
    return result
  }

  var slices: [TimingResult.Slice] {
    segments.enumerated().flatMap { queue, list in
      list.map {
        TimingResult.Slice(
          queue: queue, start: $0.start, end: $0.end, layer: Int($0.layer), cause: Self.cause($0.code))
      }
    }
  }
}
