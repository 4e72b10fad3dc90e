import PantileProblem

/// Cycles below which nothing can run, and why.
public struct NamedBound: Hashable, Sendable {
  public var name: String
  public var cycles: Int

  public init(_ name: String, cycles: Int) {
    self.name = name
    self.cycles = cycles
  }
}

extension TilingProblem {
  /// Bounds that hold for every choice of the space, capacities apart: `compute of RESOURCE` for the busiest of the resources and
  /// `compulsory bytes of LINK` for each link.
  ///
  /// **Precondition** `check()` passed.
  public func bounds() -> [NamedBound] {
    var result: [NamedBound] = []
    for resource in resources {
      result.append(NamedBound("compute of \(resource.name)", cycles: max(0, least(of: resource.busy))))
    }
    for link in links {
      var total = CostExpr.zero
      for operand in operands where operand.link == link.name {
        let distinct = CostExpr.product(operand.relevant.map { .trips($0) })
        total += CostExpr.max(.zero, operand.sweepBytes ?? distinct * operand.bytesPerLoad)
      }
      result.append(
        NamedBound("compulsory bytes of \(link.name)", cycles: link.rate.cycles(forBytes: max(0, least(of: total)))))
    }
    return result
  }

  /// The least value of an expression over the tile sizes of the space, or a bound below it when there are too many.
  func least(of expression: CostExpr) -> Int {
    let used = expression.dimensions
    let free = dims.indices.filter { used.contains(dims[$0].name) }
    if free.isEmpty { return expression.evaluate(at: [:]) }
    let named = free.map { (name: dims[$0].name, extent: dims[$0].extent) }
    let graph = CostGraph([expression], dimensions: named)
    let sizes = free.map { dim in tileSizes(of: dim).map { TileExtent(extent: dims[dim].extent, tile: $0) } }
    let state = CostState(graph, sizes: sizes)
    let root = graph.roots[0]
    let floor = state.lower[root]
    var best = Int.max
    var nodes = 0
    func descend(_ position: Int) {
      for extent in sizes[position] {
        nodes += 1
        if nodes > 200_000 || best == floor { return }
        state.fix(position, tile: extent.tile, trips: extent.trips, last: extent.last)
        state.evaluateFixed(level: position)
        if position + 1 == free.count {
          best = min(best, state.lower[root])
        } else {
          state.evaluateRanges(above: position)
          if state.lower[root] < best { descend(position + 1) }
        }
      }
      state.release(position)
    }
    descend(0)
    return nodes > 200_000 ? floor : best
  }
}
