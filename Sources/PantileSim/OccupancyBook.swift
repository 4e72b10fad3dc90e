import PantileEngines

/// What arrays did in their busy cycles: a span for each macro tile, from its issue until the next one issues or it has ended.
struct OccupancyBook {
  private struct Span: BitwiseCopyable {
    var start: Int
    var end: Int
    /// Index into `shapes`.
    var shape: Int
  }

  private var shapes: [TileOccupancy] = []
  private var spans: [[Span]]
  /// When everything that was begun on a queue has ended.
  private var ends: [Int]
  /// Multipliers of each queue's array; 0 where there is none.
  let multipliers: [Int]

  init(units: [Machine.Unit]) {
    spans = Array(repeating: [], count: units.count)
    ends = Array(repeating: 0, count: units.count)
    multipliers = units.map { if case .array(let array) = $0 { return array.multipliers } else { return 0 } }
  }

  /// - Returns: the index that `begin` takes.
  mutating func add(_ occupancy: TileOccupancy) -> Int {
    shapes.append(occupancy)
    return shapes.count - 1
  }

  /// A tile issues in a cycle and has ended at another; the span of the tile before ends here at the latest.
  mutating func begin(_ shape: Int, on queue: Int, at cycle: Int, until end: Int) {
    if let last = spans[queue].indices.last { spans[queue][last].end = min(cycle, spans[queue][last].end) }
    // A short tile behind a long one may end before it.
    ends[queue] = max(ends[queue], end)
    spans[queue].append(Span(start: cycle, end: ends[queue], shape: shape))
  }

  /// The occupancy of a queue in each stretch of the run; a tile that lies in several is split in proportion to its cycles.
  ///
  /// - Precondition: stretches follow one another from 0 on and cover all spans.
  func occupancies(of queue: Int, in stretches: [Range<Int>]) -> [TileOccupancy] {
    var result = Array(repeating: TileOccupancy(), count: stretches.count)
    var stretch = 0
    let each = multipliers[queue]
    for span in spans[queue] where span.end > span.start {
      while stretch < stretches.count, stretches[stretch].upperBound <= span.start { stretch += 1 }
      guard stretch < stretches.count else { break }
      var rest = shapes[span.shape].visible(in: span.end - span.start, multipliers: each)
      var from = span.start
      var index = stretch
      while index < stretches.count, span.end > stretches[index].upperBound {
        let until = stretches[index].upperBound
        if until > from {
          let parts = Shares.split((until - from) * each, over: rest.parts)
          result[index] += TileOccupancy(parts: parts)
          rest = TileOccupancy(parts: zip(rest.parts, parts).map { $0 - $1 })
          from = until
        }
        index += 1
      }
      guard index < stretches.count else { continue }
      result[index] += rest
    }
    return result
  }
}
