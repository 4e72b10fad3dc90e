import PantileSupport

extension TilingProblem {
  /// What a choice costs. The plain meaning, in one place; searches use faster code and are tested against this.
  ///
  /// - Resource: `busy + tripOverhead * trips of the nest`.
  /// - Link: bytes over the rate, rounded up, plus `commandCycles` a transfer.
  /// - One slot: the operand's exposed cycles are added to the compute path.
  /// - Estimate: the larger of (compute path + first fill + last drain) and (busiest link + its latency + compute of one trip).
  ///
  /// A cost expression below zero counts as zero.
  /// **Accuracy** Estimate; `lowerBound` holds for this choice in the stated space.
  /// **Precondition** `check()` passed; one tile a dimension, one slot count an operand, `order` in range.
  public func evaluate(tiles: [Int], order: Int, slots: [Int]) -> Alternative {
    precondition(tiles.count == dims.count && slots.count == operands.count && orders.indices.contains(order))
    var point: [String: TileExtent] = [:]
    for (dim, tile) in zip(dims, tiles) { point[dim.name] = TileExtent(extent: dim.extent, tile: tile) }
    let nestTrips = dims.reduce(1) { saturatingMultiply($0, point[$1.name]?.trips ?? 1) }

    var footprint = Array(repeating: 0, count: memories.count)
    var bytes = Array(repeating: 0, count: links.count)
    var transfers = Array(repeating: 0, count: links.count)
    var fill = Array(repeating: 0, count: links.count)
    var drain = Array(repeating: 0, count: links.count)
    var loads: [Int] = []
    var exposed = 0
    func cost(_ expression: CostExpr) -> Int { max(0, expression.evaluate(at: point)) }
    func link(_ name: String) -> Int { links.firstIndex { $0.name == name } ?? 0 }
    func occupy(_ part: Footprint, times slots: Int) {
      guard let index = memories.firstIndex(where: { $0.name == part.memory }) else { return }
      footprint[index] = saturatingAdd(
        footprint[index], saturatingMultiply(slots, cost(part.bytes)))
    }
    for part in workspace { occupy(part, times: 1) }

    for (operand, slotCount) in zip(operands, slots) {
      for part in operand.footprints { occupy(part, times: slotCount) }
      let visits = visitCount(of: operand, order: orders[order], point: point)
      loads.append(visits)
      let distinct = operand.relevant.reduce(1) { saturatingMultiply($0, point[$1]?.trips ?? 1) }
      let perLoad = cost(operand.bytesPerLoad)
      let sweep = operand.sweepBytes.map(cost) ?? saturatingMultiply(distinct, perLoad)
      var transferCycles = 0
      if let name = operand.link {
        let index = link(name)
        let moved = saturatingMultiply(sweep, visits / distinct)
        bytes[index] = saturatingAdd(bytes[index], moved)
        transfers[index] = saturatingAdd(transfers[index], visits)
        transferCycles = links[index].rate.cycles(forBytes: moved)
        if operand.kind == .read {
          fill[index] = saturatingAdd(fill[index], perLoad)
        } else {
          drain[index] = saturatingAdd(drain[index], perLoad)
        }
        if operand.kind == .accumulate, let reload = operand.reloadLink {
          let index = link(reload)
          let back = saturatingMultiply(sweep, visits / distinct - 1)
          bytes[index] = saturatingAdd(bytes[index], back)
          transfers[index] = saturatingAdd(transfers[index], visits - distinct)
          transferCycles = saturatingAdd(transferCycles, links[index].rate.cycles(forBytes: back))
        }
      }
      if slotCount == 1, visits > 1 {
        exposed = saturatingAdd(exposed, operand.exposed.map(cost) ?? transferCycles)
      }
    }

    let busy = resources.map {
      saturatingAdd(cost($0.busy), saturatingMultiply($0.tripOverhead, nestTrips))
    }
    let busiest = busy.max() ?? 0
    var transferPath = 0
    var bound = busiest
    var fillCycles = 0
    var drainCycles = 0
    for (index, link) in links.enumerated() {
      let busy = saturatingAdd(
        link.rate.cycles(forBytes: bytes[index]), saturatingMultiply(link.commandCycles, transfers[index]))
      bound = max(bound, busy)
      if transfers[index] > 0 { transferPath = max(transferPath, saturatingAdd(busy, link.latency)) }
      if fill[index] > 0 {
        fillCycles = max(fillCycles, saturatingAdd(link.latency, link.rate.cycles(forBytes: fill[index])))
      }
      if drain[index] > 0 {
        drainCycles = max(drainCycles, saturatingAdd(link.latency, link.rate.cycles(forBytes: drain[index])))
      }
    }
    let computePath = saturatingAdd(busiest, saturatingAdd(exposed, saturatingAdd(fillCycles, drainCycles)))
    let linkPath = saturatingAdd(transferPath, saturatingCeilDivide(busiest, nestTrips))
    let commands = transfers.reduce(saturatingMultiply(nestTrips, resources.count), saturatingAdd)
    return Alternative(
      tiles: tiles, order: order, slots: slots, loads: loads, footprint: footprint, busy: busy, bytes: bytes,
      cycles: max(computePath, linkPath), commands: commands, lowerBound: bound)
  }

  /// How often an operand's tile is visited: the product of the trips of all loops down to the innermost relevant one that has
  /// more than one trip; one when there is none.
  private func visitCount(of operand: Operand, order: [String], point: [String: TileExtent]) -> Int {
    var visits = 1
    var outer = 1
    for name in order {
      let trips = point[name]?.trips ?? 1
      outer = saturatingMultiply(outer, trips)
      if trips > 1, operand.relevant.contains(name) { visits = outer }
    }
    return visits
  }
}
