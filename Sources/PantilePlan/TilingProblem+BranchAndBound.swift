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
/// All costs come from one `CostGraph`; names are numbers here. `TilingProblem.evaluate` is the meaning of each formula below.
private final class TilingSearch {
  /// An operand by numbers; node numbers point into the graph.
  struct Operand {
    var kind: TilingProblem.Operand.Kind
    var link: Int
    var reloadLink: Int
    var perLoad: Int
    var sweep: Int
    var exposed: Int
    /// Memory and node of each footprint.
    var footprints: [(memory: Int, node: Int)]
    /// Per search position whether the dimension moves the operand.
    var relevant: [Bool]
    var slotChoices: [Int]
    var leastSlots: Int
  }

  let problem: TilingProblem
  var front: TilingFront
  private(set) var nodes = 0
  private(set) var isComplete = true
  private let nodeBudget: Int

  /// Problem dimension at each search position.
  private let positions: [Int]
  private let allSizes: [[TileExtent]]
  private var sizes: [[TileExtent]]
  private let state: CostState
  private let operands: [Operand]
  private let busyNodes: [Int]
  private let overheads: [Int]
  private let workspace: [(memory: Int, node: Int)]
  /// Distinct orders: number in the problem, and search positions outermost first.
  private let orders: [(number: Int, positions: [Int])]
  private let linkCount: Int

  // Scratch of the bound and of a complete choice; nothing is allocated in the loop.
  private let used: UnsafeMutableBufferPointer<Int>
  private let classes: UnsafeMutableBufferPointer<Int>
  private let bytes: UnsafeMutableBufferPointer<Int>
  private let transfers: UnsafeMutableBufferPointer<Int>
  private let visits: UnsafeMutableBufferPointer<Int>
  private let exposures: UnsafeMutableBufferPointer<Int>
  private let slots: UnsafeMutableBufferPointer<Int>
  private let tiles: UnsafeMutableBufferPointer<Int>
  /// Live orders of each depth: `depth * orders.count + i`.
  private let live: UnsafeMutableBufferPointer<Int>

  init(_ problem: TilingProblem, nodeBudget: Int) {
    self.problem = problem
    self.nodeBudget = nodeBudget
    front = TilingFront(problem)
    let sizeLists = problem.dims.indices.map { problem.tileSizes(of: $0) }
    // Dimensions with one size are fixed first; those with many come last, where a step is cheapest.
    positions = problem.dims.indices.sorted {
      sizeLists[$0].count != sizeLists[$1].count ? sizeLists[$0].count < sizeLists[$1].count : $0 < $1
    }
    allSizes = positions.map { dim in
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
    let busy = problem.resources.map { node($0.busy) }
    let room = problem.workspace.map { (memory: memory($0.memory), node: node($0.bytes)) }
    let order = positions
    var made: [Operand] = []
    for operand in problem.operands {
      let distinct = CostExpr.product(operand.relevant.map { .trips($0) })
      made.append(
        Operand(
          kind: operand.kind, link: link(operand.link), reloadLink: link(operand.reloadLink),
          perLoad: node(operand.bytesPerLoad), sweep: node(operand.sweepBytes ?? distinct * operand.bytesPerLoad),
          exposed: operand.exposed.map { node($0) } ?? -1,
          footprints: operand.footprints.map { (memory($0.memory), node($0.bytes)) },
          relevant: order.map { operand.relevant.contains(problem.dims[$0].name) }, slotChoices: operand.slotChoices,
          leastSlots: operand.slotChoices.min() ?? 1))
    }
    let graph = CostGraph(
      expressions, dimensions: positions.map { (problem.dims[$0].name, problem.dims[$0].extent) })
    for index in made.indices {
      made[index].perLoad = graph.roots[made[index].perLoad]
      made[index].sweep = graph.roots[made[index].sweep]
      if made[index].exposed >= 0 { made[index].exposed = graph.roots[made[index].exposed] }
      made[index].footprints = made[index].footprints.map { ($0.memory, graph.roots[$0.node]) }
    }
    operands = made
    busyNodes = busy.map { graph.roots[$0] }
    overheads = problem.resources.map(\.tripOverhead)
    workspace = room.map { ($0.memory, graph.roots[$0.node]) }
    state = CostState(graph, dimensionCount: positions.count)
    orders = problem.distinctOrders().map { number in
      (
        number,
        problem.orders[number].map { name in order.firstIndex { problem.dims[$0].name == name } ?? 0 }
      )
    }
    linkCount = problem.links.count
    used = .allocate(capacity: max(1, problem.memories.count))
    classes = .allocate(capacity: max(1, problem.memories.count))
    bytes = .allocate(capacity: max(1, linkCount))
    transfers = .allocate(capacity: max(1, linkCount))
    visits = .allocate(capacity: max(1, made.count))
    exposures = .allocate(capacity: max(1, made.count))
    slots = .allocate(capacity: max(1, made.count))
    tiles = .allocate(capacity: max(1, problem.dims.count))
    live = .allocate(capacity: max(1, orders.count * (positions.count + 1)))
    for buffer in [used, classes, bytes, transfers, visits, exposures, slots, tiles, live] {
      buffer.initialize(repeating: 0)
    }
  }

  deinit {
    for buffer in [used, classes, bytes, transfers, visits, exposures, slots, tiles, live] { buffer.deallocate() }
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
    for position in positions.indices { release(position) }
    state.evaluateFixed(level: -1)
    state.evaluateRanges(above: -1)
    for index in orders.indices { live[index] = index }
    descend(0, liveCount: orders.count)
  }

  private func release(_ position: Int) {
    let list = sizes[position]
    let low = list[0]
    state.free(position, TileRange(extent: low.extent, tile: CostInterval(low.tile, list[list.count - 1].tile)))
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
      state.evaluateFixed(level: position)
      if isLast {
        complete(position, liveCount)
      } else {
        state.evaluateRanges(above: position)
        let remaining = bound(position, liveCount)
        if remaining > 0 { descend(position + 1, liveCount: remaining) }
      }
    }
    release(position)
  }

  /// The value of a node, or its least value while dimensions are open; a cost below zero counts as zero.
  @inline(__always) private func value(_ node: Int) -> Int { max(0, state.lower[node]) }

  /// Least footprints with the fewest slots; false when a memory overflows. Leaves footprints in `used`, classes in `classes`.
  private func fitsAtLeast() -> Bool {
    for index in used.indices { used[index] = 0 }
    for part in workspace { used[part.memory] = saturatingAdd(used[part.memory], value(part.node)) }
    for operand in operands {
      for part in operand.footprints {
        used[part.memory] = saturatingAdd(used[part.memory], saturatingMultiply(operand.leastSlots, value(part.node)))
      }
    }
    for index in problem.memories.indices where used[index] > problem.memories[index].capacity { return false }
    return true
  }

  private func writeClasses() {
    for (index, memory) in front.sharedMemories.enumerated() {
      classes[index] = front.footprintClass(index, used[memory])
    }
  }

  /// Product of the trips so far known; what is open counts as its least.
  private func nestTrips() -> Int {
    var product = 1
    for position in positions.indices { product = saturatingMultiply(product, state.tripsLower(position)) }
    return product
  }

  private func busiest(_ nest: Int) -> Int {
    var most = 0
    for (index, node) in busyNodes.enumerated() {
      most = max(most, saturatingAdd(value(node), saturatingMultiply(overheads[index], nest)))
    }
    return most
  }

  /// First fill plus last drain.
  private func fillAndDrain() -> Int {
    var fill = 0
    var drain = 0
    for (index, link) in problem.links.enumerated() {
      var filled = 0
      var drained = 0
      for operand in operands where operand.link == index {
        let perLoad = value(operand.perLoad)
        if operand.kind == .read {
          filled = saturatingAdd(filled, perLoad)
        } else {
          drained = saturatingAdd(drained, perLoad)
        }
      }
      if filled > 0 { fill = max(fill, saturatingAdd(link.latency, link.rate.cycles(forBytes: filled))) }
      if drained > 0 { drain = max(drain, saturatingAdd(link.latency, link.rate.cycles(forBytes: drained))) }
    }
    return saturatingAdd(fill, drain)
  }

  /// Visits of an operand in an order, and the product of its own trips; least values where dimensions are open.
  private func visitCount(_ operand: Operand, _ order: [Int]) -> (visits: Int, distinct: Int) {
    var found = 1
    var outer = 1
    var distinct = 1
    for position in order {
      let trips = state.tripsLower(position)
      if trips > 1 {
        outer = saturatingMultiply(outer, trips)
        if operand.relevant[position] {
          found = outer
          distinct = saturatingMultiply(distinct, trips)
        }
      }
    }
    return (found, distinct)
  }

  /// Fills `bytes`, `transfers`, `visits` and `exposures` for an order; lower bounds while dimensions are open. Gives the total bytes.
  private func transfer(_ order: [Int]) -> Int {
    for index in 0..<linkCount {
      bytes[index] = 0
      transfers[index] = 0
    }
    for (index, operand) in operands.enumerated() {
      let (count, distinct) = visitCount(operand, order)
      visits[index] = count
      var cycles = 0
      if operand.link >= 0 {
        let sweep = value(operand.sweep)
        let moved = saturatingMultiply(sweep, count / distinct)
        bytes[operand.link] = saturatingAdd(bytes[operand.link], moved)
        transfers[operand.link] = saturatingAdd(transfers[operand.link], count)
        cycles = problem.links[operand.link].rate.cycles(forBytes: moved)
        if operand.kind == .accumulate, operand.reloadLink >= 0 {
          let back = saturatingMultiply(sweep, count / distinct - 1)
          bytes[operand.reloadLink] = saturatingAdd(bytes[operand.reloadLink], back)
          transfers[operand.reloadLink] = saturatingAdd(transfers[operand.reloadLink], count - distinct)
          cycles = saturatingAdd(cycles, problem.links[operand.reloadLink].rate.cycles(forBytes: back))
        }
      }
      exposures[index] = count > 1 ? (operand.exposed >= 0 ? value(operand.exposed) : cycles) : 0
    }
    var total = 0
    for index in 0..<linkCount { total = saturatingAdd(total, bytes[index]) }
    return total
  }

  /// Busiest link with its latency.
  private func transferPath() -> Int {
    var path = 0
    for (index, link) in problem.links.enumerated() where transfers[index] > 0 {
      let busy = saturatingAdd(
        link.rate.cycles(forBytes: bytes[index]), saturatingMultiply(link.commandCycles, transfers[index]))
      path = max(path, saturatingAdd(busy, link.latency))
    }
    return path
  }

  /// Bounds a partial choice; gives the number of orders still worth following, listed at the next depth.
  private func bound(_ position: Int, _ liveCount: Int) -> Int {
    guard fitsAtLeast() else { return 0 }
    writeClasses()
    let computePath = saturatingAdd(busiest(nestTrips()), fillAndDrain())
    let from = position * orders.count
    let to = from + orders.count
    var remaining = 0
    for index in 0..<liveCount {
      let order = live[from + index]
      let total = transfer(orders[order].positions)
      let cycles = max(computePath, transferPath())
      if case .beaten = front.standing(cycles: cycles, bytes: total, classes: classes) { continue }
      live[to + remaining] = order
      remaining += 1
    }
    return remaining
  }

  /// Looks at all orders and slot counts of fixed tiles.
  private func complete(_ position: Int, _ liveCount: Int) {
    guard fitsAtLeast() else { return }
    writeClasses()
    let nest = nestTrips()
    let busy = busiest(nest)
    let computePath = saturatingAdd(busy, fillAndDrain())
    let oneTrip = saturatingCeilDivide(busy, nest)
    for index in 0..<liveCount {
      let order = live[position * orders.count + index]
      let total = transfer(orders[order].positions)
      let linkPath = saturatingAdd(transferPath(), oneTrip)
      // `fitsAtLeast` left the least footprints; slot choices change `used` and `classes`, so they are made anew for each order.
      if index > 0 {
        _ = fitsAtLeast()
        writeClasses()
      }
      if case .beaten = front.standing(cycles: max(computePath, linkPath), bytes: total, classes: classes) { continue }
      chooseSlots(0, order, computePath, linkPath, total)
    }
  }

  private func chooseSlots(_ operand: Int, _ order: Int, _ computePath: Int, _ linkPath: Int, _ total: Int) {
    if operand < operands.count {
      let isMoot = operands[operand].slotChoices.count == 1
      for choice in operands[operand].slotChoices {
        slots[operand] = choice
        chooseSlots(operand + 1, order, computePath, linkPath, total)
        if isMoot { break }
      }
      return
    }
    nodes += 1
    for index in used.indices { used[index] = 0 }
    for part in workspace { used[part.memory] = saturatingAdd(used[part.memory], value(part.node)) }
    var exposed = 0
    for (index, operand) in operands.enumerated() {
      for part in operand.footprints {
        used[part.memory] = saturatingAdd(used[part.memory], saturatingMultiply(slots[index], value(part.node)))
      }
      if slots[index] == 1 { exposed = saturatingAdd(exposed, exposures[index]) }
    }
    for index in problem.memories.indices where used[index] > problem.memories[index].capacity { return }
    writeClasses()
    let cycles = max(saturatingAdd(computePath, exposed), linkPath)
    switch front.standing(cycles: cycles, bytes: total, classes: classes) {
    case .beaten: return
    case .open, .equalToMember:
      // Rare: a candidate for the front. The problem's own evaluation gives it its costs.
      front.insert(
        problem.evaluate(
          tiles: Array(tiles.prefix(problem.dims.count)), order: orders[order].number,
          slots: Array(slots.prefix(operands.count))))
    }
  }
}
