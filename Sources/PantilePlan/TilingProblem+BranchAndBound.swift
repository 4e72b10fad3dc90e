import PantileProblem
import PantileSupport

extension TilingMethod {
  /// Depth first over the dimensions with interval bounds, capacity cuts and the front found so far; a coarse pass over few tile sizes
  /// goes before, so that the front is good from the start.
  public static let branchAndBound = TilingMethod(
    "branch-and-bound", "depth first over tile sizes with interval bounds and capacity cuts"
  ) { (problem, options) throws(DiagnosticError) in
    try problem.check()
    let search = TilingSearch(problem, nodeBudget: options.nodeBudget)
    search.run()
    return problem.solution(
      front: search.front, limit: options.frontLimit, evaluated: search.nodes, complete: search.isComplete)
  }
}

/// The state of one branch-and-bound run.
///
/// All costs come from one `CostGraph`; names are numbers here and stand in flat buffers, since this loop runs for every tile size
/// of every layer. `TilingProblem.evaluate` is the meaning of each formula below.
private final class TilingSearch {
  /// An operand by numbers; node numbers point into the graph, bits of `relevant` are search positions.
  struct Operand: BitwiseCopyable {
    var isRead: Bool
    var accumulates: Bool
    var link: Int
    var reloadLink: Int
    var perLoad: Int
    var sweep: Int
    var exposed: Int
    var firstFootprint: Int
    var endFootprint: Int
    var relevant: UInt64
    var leastSlots: Int
    /// The least allowed slot count above one; zero when there is none.
    var manySlots: Int
  }

  /// Bytes of one slot in a memory.
  struct Footprint: BitwiseCopyable {
    var memory: Int
    var node: Int
  }

  let problem: TilingProblem
  @exclusivity(unchecked) var front: TilingFront
  @exclusivity(unchecked) private(set) var nodes = 0
  private(set) var isComplete = true
  private let nodeBudget: Int

  /// Problem dimension at each search position.
  private let positions: [Int]
  private let allSizes: [[TileExtent]]
  private var sizes: [[TileExtent]]
  private let state: CostState
  private let operands: FlatBuffer<Operand>
  private let footprints: FlatBuffer<Footprint>
  private let workspace: FlatBuffer<Footprint>
  private let busyNodes: FlatBuffer<Int>
  private let overheads: FlatBuffer<Int>
  private let capacities: FlatBuffer<Int>
  private let sharedMemories: FlatBuffer<Int>
  /// The most bytes of each footprint class, shared memory by shared memory.
  private let classLimits: FlatBuffer<Int>
  private let classCount: Int
  private let links: FlatBuffer<TilingLink>
  /// Numbers of the distinct orders, and the search positions of their loops outermost first, one order after another. Dimensions
  /// with one size have no loop.
  private let orderNumbers: [Int]
  private let orderPositions: FlatBuffer<Int>
  private let loopCount: Int

  // Scratch of the bound and of a complete choice; nothing is allocated in the loop.
  private let used: FlatBuffer<Int>
  private let classes: FlatBuffer<Int>
  private let bytes: FlatBuffer<Int>
  private let transfers: FlatBuffer<Int>
  private let exposures: FlatBuffer<Int>
  private let slots: FlatBuffer<Int>
  private let tiles: FlatBuffer<Int>
  /// Live orders of each depth: `depth * order count + i`.
  private let live: FlatBuffer<Int>

  init(_ problem: TilingProblem, nodeBudget: Int) {
    self.problem = problem
    self.nodeBudget = nodeBudget
    front = TilingFront(problem)
    let sizeLists = problem.dims.indices.map { problem.tileSizes(of: $0) }
    // Dimensions with one size are fixed first; those with many come last, where a step is cheapest.
    let order = problem.dims.indices.sorted {
      sizeLists[$0].count != sizeLists[$1].count ? sizeLists[$0].count < sizeLists[$1].count : $0 < $1
    }
    positions = order
    allSizes = order.map { dim in
      sizeLists[dim].map { TileExtent(extent: problem.dims[dim].extent, tile: $0) }
    }
    sizes = allSizes

    var expressions: [CostExpr] = []
    func node(_ e: CostExpr) -> Int {
      expressions.append(e)
      return expressions.count - 1
    }
    func memory(_ name: String) -> Int { problem.memories.firstIndex { $0.name == name } ?? 0 }
    func link(_ name: String?) -> Int { problem.links.firstIndex { $0.name == name } ?? -1 }
    // First, since most tiles of an image fail by it: see `descend`.
    var room = problem.workspace.map { Footprint(memory: memory($0.memory), node: node($0.bytes)) }
    let gates = 0..<room.count
    var busy = problem.resources.map { node($0.busy) }
    var parts: [Footprint] = []
    var made: [Operand] = []
    for operand in problem.operands {
      let distinct = CostExpr.product(operand.relevant.map { .trips($0) })
      let first = parts.count
      parts += operand.footprints.map { Footprint(memory: memory($0.memory), node: node($0.bytes)) }
      var mask: UInt64 = 0
      for (position, dim) in order.enumerated() where operand.relevant.contains(problem.dims[dim].name) {
        mask |= 1 << UInt64(position)
      }
      made.append(
        Operand(
          isRead: operand.kind == .read, accumulates: operand.kind == .accumulate, link: link(operand.link),
          reloadLink: link(operand.reloadLink), perLoad: node(operand.bytesPerLoad),
          sweep: node(operand.sweepBytes ?? distinct * operand.bytesPerLoad),
          exposed: operand.exposed.map { node($0) } ?? -1, firstFootprint: first, endFootprint: parts.count,
          relevant: mask, leastSlots: operand.slotChoices.min() ?? 1,
          manySlots: operand.slotChoices.filter { $0 > 1 }.min() ?? 0))
    }
    let graph = CostGraph(
      expressions, dimensions: order.map { (problem.dims[$0].name, problem.dims[$0].extent) }, gates: gates)
    for index in made.indices {
      made[index].perLoad = graph.roots[made[index].perLoad]
      made[index].sweep = graph.roots[made[index].sweep]
      if made[index].exposed >= 0 { made[index].exposed = graph.roots[made[index].exposed] }
    }
    for index in parts.indices { parts[index].node = graph.roots[parts[index].node] }
    for index in room.indices { room[index].node = graph.roots[room[index].node] }
    busy = busy.map { graph.roots[$0] }

    operands = FlatBuffer(made)
    footprints = FlatBuffer(parts)
    workspace = FlatBuffer(room)
    busyNodes = FlatBuffer(busy)
    overheads = FlatBuffer(problem.resources.map(\.tripOverhead))
    capacities = FlatBuffer(problem.memories.map(\.capacity))
    sharedMemories = FlatBuffer(front.sharedMemories)
    classLimits = FlatBuffer(front.sharedMemories.flatMap { problem.memories[$0].footprintClassLimits })
    classCount = TilingProblem.Memory.footprintClassCount
    links = FlatBuffer(problem.links.map(TilingLink.init))
    state = CostState(graph, sizes: allSizes)
    orderNumbers = problem.distinctOrders()
    orderPositions = FlatBuffer(
      orderNumbers.flatMap { number in
        problem.orders[number].compactMap { name in order.firstIndex { problem.dims[$0].name == name } }
          .filter { sizeLists[order[$0]].count > 1 }
      })
    loopCount = sizeLists.count { $0.count > 1 }
    used = FlatBuffer(repeating: 0, count: problem.memories.count)
    classes = FlatBuffer(repeating: 0, count: problem.memories.count)
    bytes = FlatBuffer(repeating: 0, count: problem.links.count)
    transfers = FlatBuffer(repeating: 0, count: problem.links.count)
    exposures = FlatBuffer(repeating: 0, count: made.count)
    slots = FlatBuffer(repeating: 0, count: made.count)
    tiles = FlatBuffer(repeating: 0, count: problem.dims.count)
    live = FlatBuffer(repeating: 0, count: orderNumbers.count * (order.count + 1))
  }

  deinit {
    for buffer in [
      busyNodes, overheads, capacities, sharedMemories, classLimits, orderPositions, used, classes, bytes, transfers,
      exposures, slots, tiles, live,
    ] { buffer.deallocate() }
    operands.deallocate()
    footprints.deallocate()
    workspace.deallocate()
    links.deallocate()
  }

  /// The coarse pass, then the full one. A complete full pass makes the result independent of the coarse one.
  func run() {
    let coarse = allSizes.map { list in
      list.count <= 5 ? list : [0, list.count / 4, list.count / 2, 3 * list.count / 4, list.count - 1].map { list[$0] }
    }
    if coarse != allSizes { pass(coarse) }
    pass(allSizes)
  }

  private func pass(_ list: [[TileExtent]]) {
    sizes = list
    state.evaluateRanges(above: -1)
    for index in orderNumbers.indices { live[index] = index }
    descend(0, liveCount: orderNumbers.count)
  }

  private func descend(_ position: Int, liveCount: Int) {
    let list = sizes[position]
    let isLast = position + 1 == positions.count
    for extent in list {
      nodes += 1
      if nodes > nodeBudget {
        isComplete = false
        return
      }
      tiles[positions[position]] = extent.tile
      state.fix(position, tile: extent.tile, trips: extent.trips, last: extent.last)
      if isLast {
        // What must not be cut together shows in the workspace alone.
        state.evaluateGates(level: position)
        if !workspaceFits() { continue }
        state.evaluateBehindGates(level: position)
        complete(position, liveCount)
      } else {
        state.evaluateFixed(level: position)
        state.evaluateRanges(above: position)
        let remaining = bound(position, liveCount)
        if remaining > 0 { descend(position + 1, liveCount: remaining) }
      }
    }
    state.release(position)
  }

  /// The value of a node, or its least value while dimensions are open; a cost below zero counts as zero.
  @inline(__always) private func value(_ node: Int) -> Int { max(0, state.lower[node]) }

  private func occupy(_ part: Footprint, times count: Int) {
    used[part.memory] = saturatingAdd(used[part.memory], saturatingMultiply(count, value(part.node)))
  }

  /// Footprints in `used`; false when a memory overflows. With `least` the fewest slots, else those in `slots`.
  private func fits(least: Bool) -> Bool {
    for index in 0..<used.count { used[index] = 0 }
    for index in 0..<workspace.count { occupy(workspace[index], times: 1) }
    for index in 0..<operands.count {
      let operand = operands[index]
      let count = least ? operand.leastSlots : slots[index]
      for part in operand.firstFootprint..<operand.endFootprint { occupy(footprints[part], times: count) }
    }
    for index in 0..<used.count where used[index] > capacities[index] { return false }
    return true
  }

  /// False when the workspace alone overflows a memory.
  private func workspaceFits() -> Bool {
    for index in 0..<used.count { used[index] = 0 }
    for index in 0..<workspace.count { occupy(workspace[index], times: 1) }
    for index in 0..<used.count where used[index] > capacities[index] { return false }
    return true
  }

  /// Classes of the footprints in `used`.
  private func classify() {
    for index in 0..<sharedMemories.count {
      let bytes = used[sharedMemories[index]]
      var number = 0
      var place = index * classCount
      while number < classCount, bytes > classLimits[place] {
        number += 1
        place += 1
      }
      classes[index] = number
    }
  }

  /// Product of the trips so far known; what is open counts as its least.
  private func nestTrips() -> Int {
    var product = 1
    for position in 0..<tiles.count { product = saturatingMultiply(product, state.tripsLower(position)) }
    return product
  }

  private func busiest(_ nest: Int) -> Int {
    var most = 0
    for index in 0..<busyNodes.count {
      most = max(most, saturatingAdd(value(busyNodes[index]), saturatingMultiply(overheads[index], nest)))
    }
    return most
  }

  /// First fill plus last drain.
  private func fillAndDrain() -> Int {
    var fill = 0
    var drain = 0
    for index in 0..<links.count {
      var filled = 0
      var drained = 0
      for number in 0..<operands.count where operands[number].link == index {
        let perLoad = value(operands[number].perLoad)
        if operands[number].isRead {
          filled = saturatingAdd(filled, perLoad)
        } else {
          drained = saturatingAdd(drained, perLoad)
        }
      }
      let link = links[index]
      if filled > 0 { fill = max(fill, saturatingAdd(link.latency, link.rate.cycles(forBytes: filled))) }
      if drained > 0 { drain = max(drain, saturatingAdd(link.latency, link.rate.cycles(forBytes: drained))) }
    }
    return saturatingAdd(fill, drain)
  }

  /// Fills `bytes`, `transfers` and `exposures` for an order; lower bounds while dimensions are open. Gives the total bytes.
  private func transfer(_ order: Int) -> Int {
    for index in 0..<links.count {
      bytes[index] = 0
      transfers[index] = 0
    }
    let first = order * loopCount
    for index in 0..<operands.count {
      let operand = operands[index]
      // Trips so far, those of other operands' loops among them, and both up to the last loop that moves this operand.
      var visits = 1
      var outer = 1
      var foreign = 1
      var repeats = 1
      for place in first..<(first + loopCount) {
        let position = orderPositions[place]
        let trips = state.tripsLower(position)
        if trips > 1 {
          outer = saturatingMultiply(outer, trips)
          if operand.relevant >> UInt64(position) & 1 != 0 {
            visits = outer
            repeats = foreign
          } else {
            foreign = saturatingMultiply(foreign, trips)
          }
        }
      }
      var cycles = 0
      if operand.link >= 0 {
        let sweep = value(operand.sweep)
        let moved = saturatingMultiply(sweep, repeats)
        bytes[operand.link] = saturatingAdd(bytes[operand.link], moved)
        transfers[operand.link] = saturatingAdd(transfers[operand.link], visits)
        let isExposed = visits > 1 && operand.leastSlots == 1 && operand.exposed < 0
        if isExposed { cycles = links[operand.link].rate.cycles(forBytes: moved) }
        if operand.accumulates, operand.reloadLink >= 0 {
          let back = saturatingMultiply(sweep, repeats - 1)
          bytes[operand.reloadLink] = saturatingAdd(bytes[operand.reloadLink], back)
          transfers[operand.reloadLink] = saturatingAdd(transfers[operand.reloadLink], visits - visits / repeats)
          if isExposed { cycles = saturatingAdd(cycles, links[operand.reloadLink].rate.cycles(forBytes: back)) }
        }
      }
      exposures[index] = visits > 1 ? (operand.exposed >= 0 ? value(operand.exposed) : cycles) : 0
    }
    var total = 0
    for index in 0..<links.count { total = saturatingAdd(total, bytes[index]) }
    return total
  }

  /// Busiest link with its latency.
  private func transferPath() -> Int {
    var path = 0
    for index in 0..<links.count where transfers[index] > 0 {
      let link = links[index]
      let busy = saturatingAdd(
        link.rate.cycles(forBytes: bytes[index]), saturatingMultiply(link.commandCycles, transfers[index]))
      path = max(path, saturatingAdd(busy, link.latency))
    }
    return path
  }

  /// Bounds a partial choice; gives the number of orders still worth following, listed at the next depth.
  private func bound(_ position: Int, _ liveCount: Int) -> Int {
    guard fits(least: true) else { return 0 }
    classify()
    let computePath = saturatingAdd(busiest(nestTrips()), fillAndDrain())
    let from = position * orderNumbers.count
    let to = from + orderNumbers.count
    var remaining = 0
    for index in 0..<liveCount {
      let order = live[from + index]
      let total = transfer(order)
      let cycles = max(computePath, transferPath())
      if case .beaten = front.standing(cycles: cycles, bytes: total, classes: classes.buffer) { continue }
      live[to + remaining] = order
      remaining += 1
    }
    return remaining
  }

  /// Looks at all orders and slot counts of fixed tiles.
  private func complete(_ position: Int, _ liveCount: Int) {
    guard fits(least: true) else { return }
    classify()
    let nest = nestTrips()
    let busy = busiest(nest)
    let computePath = saturatingAdd(busy, fillAndDrain())
    let oneTrip = saturatingCeilDivide(busy, nest)
    for index in 0..<liveCount {
      let order = live[position * orderNumbers.count + index]
      let total = transfer(order)
      let linkPath = saturatingAdd(transferPath(), oneTrip)
      // Slot choices leave `used` as it was, and change `classes`.
      if index > 0 { classify() }
      if case .beaten = front.standing(cycles: max(computePath, linkPath), bytes: total, classes: classes.buffer) {
        continue
      }
      chooseSlots(0, order, computePath, 0, linkPath, total)
    }
  }

  /// False when the slot choices so far are beaten whatever follows.
  private func isOpen(_ computePath: Int, _ linkPath: Int, _ total: Int) -> Bool {
    classify()
    if case .beaten = front.standing(cycles: max(computePath, linkPath), bytes: total, classes: classes.buffer) {
      return false
    }
    return true
  }

  /// Tries slot counts from operand `index` on; `used` holds the footprints of the choices so far with the fewest slots after them.
  ///
  /// One slot matters only where something is exposed: without that the fewest slots beat more of them, and above one slot the
  /// least count beats the others. So at most two counts an operand are tried, and one where the links hide all exposure.
  private func chooseSlots(
    _ index: Int, _ order: Int, _ computePath: Int, _ exposed: Int, _ linkPath: Int, _ total: Int
  ) {
    if index < operands.count {
      let operand = operands[index]
      slots[index] = operand.leastSlots
      let exposure = operand.leastSlots == 1 ? exposures[index] : 0
      if exposure == 0 {
        chooseSlots(index + 1, order, computePath, exposed, linkPath, total)
        return
      }
      if isOpen(saturatingAdd(computePath, saturatingAdd(exposed, exposure)), linkPath, total) {
        chooseSlots(index + 1, order, computePath, saturatingAdd(exposed, exposure), linkPath, total)
      }
      if operand.manySlots == 0 { return }
      var most = saturatingAdd(computePath, exposed)
      for later in index..<operands.count where operands[later].leastSlots == 1 {
        most = saturatingAdd(most, exposures[later])
      }
      if most <= linkPath { return }
      slots[index] = operand.manySlots
      var overflows = false
      for part in operand.firstFootprint..<operand.endFootprint {
        let memory = footprints[part].memory
        let more = saturatingMultiply(operand.manySlots - operand.leastSlots, value(footprints[part].node))
        used[memory] = saturatingAdd(used[memory], more)
        overflows = overflows || used[memory] > capacities[memory]
      }
      if !overflows, isOpen(saturatingAdd(computePath, exposed), linkPath, total) {
        chooseSlots(index + 1, order, computePath, exposed, linkPath, total)
      }
      // Below the capacity nothing saturated, and above it the whole is made anew.
      if overflows {
        for later in (index + 1)..<max(index + 1, operands.count) { slots[later] = operands[later].leastSlots }
        slots[index] = operand.leastSlots
        _ = fits(least: false)
      } else {
        for part in operand.firstFootprint..<operand.endFootprint {
          used[footprints[part].memory] -= (operand.manySlots - operand.leastSlots) * value(footprints[part].node)
        }
      }
      return
    }
    nodes += 1
    classify()
    let cycles = max(saturatingAdd(computePath, exposed), linkPath)
    switch front.standing(cycles: cycles, bytes: total, classes: classes.buffer) {
    case .beaten: return
    case .open, .equalToMember:
      // What the front compares; `evaluate` gives the survivors their full costs at the end.
      var commands = saturatingMultiply(nestTrips(), busyNodes.count)
      for index in 0..<links.count { commands = saturatingAdd(commands, transfers[index]) }
      front.insert(
        cycles: cycles, bytes: total, classes: classes.buffer, commands: commands, footprint: used.buffer,
        order: orderNumbers[order], tiles: tiles.buffer, slots: slots.buffer)
    }
  }
}

/// The numbers of a link, without its name.
private struct TilingLink: BitwiseCopyable {
  var rate: TransferRate
  var latency: Int
  var commandCycles: Int

  init(_ link: TilingProblem.Link) {
    rate = link.rate
    latency = link.latency
    commandCycles = link.commandCycles
  }
}
