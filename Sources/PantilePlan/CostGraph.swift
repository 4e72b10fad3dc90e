import PantileProblem

/// Many cost expressions as one graph without repeated parts, in the order of a search over dimensions.
///
/// A node's level is the search position of its last dimension: once the dimensions up to a level are fixed, its nodes have
/// one value; deeper nodes have an interval. Values stand in two flat arrays, equal where a node is fixed.
struct CostGraph {
  enum Code: UInt8 {
    case constant, tile, trips, last, add, multiply, maximum, minimum, ceilDivide, select
  }

  struct Node: BitwiseCopyable {
    var code: UInt8
    /// Arguments by node number, or in `a` the constant or the search position of the dimension.
    var a: Int
    var b: Int32
    var c: Int32
    var d: Int32
  }

  /// Sorted by level, arguments before users; of a level, first those that gates are made of.
  private(set) var nodes: [Node] = []
  /// Nodes of level `l` are `levelStart[l + 1] ..< levelStart[l + 2]`; level -1 is constant.
  private(set) var levelStart: [Int] = []
  /// Nodes of level `l` that gates are made of end here, at `l + 1`.
  private(set) var gateEnd: [Int] = []
  /// The node of each expression, in the order given.
  private(set) var roots: [Int] = []
  /// Nodes that depend on one dimension alone, per search position.
  private(set) var singles: [[Int]] = []

  /// - Parameters:
  ///   - dimensions: names in search order, outermost first, with their extents; at most 64.
  ///   - gates: numbers of expressions that a search looks at before all others.
  /// - Precondition: every dimension that occurs in an expression is listed.
  init(_ expressions: [CostExpr], dimensions: [(name: String, extent: Int)], gates: Range<Int> = 0..<0) {
    var builder = Builder(dimensions: dimensions)
    let raw = expressions.map { builder.number($0) }
    let isGate = builder.parts(of: gates.map { raw[$0] })
    // Sorted by level and then as made, arguments stand before users: an argument's level is never higher, and a gate's arguments are
    // parts of gates.
    func key(_ node: Int) -> (Int, Int, Int) { (builder.levels[node], isGate[node] ? 0 : 1, node) }
    let order = builder.nodes.indices.sorted { key($0) < key($1) }
    var position = Array(repeating: 0, count: order.count)
    for (new, old) in order.enumerated() { position[old] = new }
    for old in order {
      var node = builder.nodes[old]
      let code = Code(rawValue: node.code)
      if let code, code.rawValue >= Code.add.rawValue {
        node.a = position[node.a]
        node.b = Int32(position[Int(node.b)])
        if code == .select {
          node.c = Int32(position[Int(node.c)])
          node.d = Int32(position[Int(node.d)])
        }
      }
      nodes.append(node)
    }
    roots = raw.map { position[$0] }
    // One bit a dimension.
    var support = [UInt64](repeating: 0, count: nodes.count)
    singles = dimensions.map { _ in [] }
    for (index, node) in nodes.enumerated() {
      switch Code(rawValue: node.code) {
      case .constant, nil: break
      case .tile, .trips, .last: support[index] = 1 << UInt64(node.a)
      case .select:
        support[index] =
          support[node.a] | support[Int(node.b)] | support[Int(node.c)] | support[Int(node.d)]
      case .add, .multiply, .maximum, .minimum, .ceilDivide: support[index] = support[node.a] | support[Int(node.b)]
      }
      if support[index].nonzeroBitCount == 1 { singles[support[index].trailingZeroBitCount].append(index) }
    }
    levelStart = (-1...dimensions.count).map { level in order.firstIndex { builder.levels[$0] >= level } ?? order.count
    }
    levelStart[dimensions.count + 1] = order.count
    gateEnd = (-1..<dimensions.count).map { level in
      let nodes = levelStart[level + 1]..<levelStart[level + 2]
      return nodes.first { !isGate[order[$0]] } ?? nodes.upperBound
    }
  }

  /// Makes nodes, each distinct one once.
  private struct Builder {
    struct Key: Hashable {
      var code: UInt8
      var a: Int
      var b: Int32
      var c: Int32
      var d: Int32
    }
    let dimensions: [(name: String, extent: Int)]
    var nodes: [Node] = []
    var levels: [Int] = []
    var known: [Key: Int] = [:]

    init(dimensions: [(name: String, extent: Int)]) { self.dimensions = dimensions }

    mutating func add(_ code: Code, _ a: Int, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, level: Int) -> Int {
      let key = Key(code: code.rawValue, a: a, b: Int32(b), c: Int32(c), d: Int32(d))
      if let found = known[key] { return found }
      nodes.append(Node(code: key.code, a: a, b: key.b, c: key.c, d: key.d))
      levels.append(level)
      known[key] = nodes.count - 1
      return nodes.count - 1
    }

    /// Whether each node is one of these or an argument of such a one.
    func parts(of roots: [Int]) -> [Bool] {
      var isPart = [Bool](repeating: false, count: nodes.count)
      for root in roots { isPart[root] = true }
      for (index, node) in nodes.enumerated().reversed() where isPart[index] && node.code >= Code.add.rawValue {
        isPart[node.a] = true
        isPart[Int(node.b)] = true
        if node.code == Code.select.rawValue {
          isPart[Int(node.c)] = true
          isPart[Int(node.d)] = true
        }
      }
      return isPart
    }

    func position(_ name: String) -> Int {
      guard let index = dimensions.firstIndex(where: { $0.name == name }) else {
        preconditionFailure("no dimension '\(name)'")
      }
      return index
    }

    mutating func binary(_ code: Code, _ x: CostExpr, _ y: CostExpr) -> Int {
      let a = number(x)
      let b = number(y)
      return add(code, a, b, level: max(levels[a], levels[b]))
    }

    mutating func number(_ e: CostExpr) -> Int {
      switch e {
      case .constant(let value): return add(.constant, value, level: -1)
      case .extent(let name): return add(.constant, dimensions[position(name)].extent, level: -1)
      case .tile(let name): return add(.tile, position(name), level: position(name))
      case .trips(let name): return add(.trips, position(name), level: position(name))
      case .last(let name): return add(.last, position(name), level: position(name))
      case .add(let x, let y): return binary(.add, x, y)
      case .multiply(let x, let y): return binary(.multiply, x, y)
      case .maximum(let x, let y): return binary(.maximum, x, y)
      case .minimum(let x, let y): return binary(.minimum, x, y)
      case .ceilDivide(let x, let y): return binary(.ceilDivide, x, y)
      case .select(let x, let y, let then, let otherwise):
        let parts = [number(x), number(y), number(then), number(otherwise)]
        return add(.select, parts[0], parts[1], parts[2], parts[3], level: parts.map { levels[$0] }.max() ?? -1)
      }
    }
  }
}

/// The working state of a `CostGraph` during a search: leaf ranges of each dimension and node values, flat.
///
/// Owns its buffers; indices come from the graph alone.
final class CostState {
  private let nodes: UnsafeMutableBufferPointer<CostGraph.Node>
  private let levelStart: [Int]
  private let gateEnd: [Int]
  /// Lower and upper ends of the node values.
  let lower: UnsafeMutableBufferPointer<Int>
  let upper: UnsafeMutableBufferPointer<Int>
  /// Per search position six numbers: tile, trips, last, lower and upper end each.
  private let leaves: UnsafeMutableBufferPointer<Int>
  /// The same for dimensions that are not fixed.
  private let released: UnsafeMutableBufferPointer<Int>
  /// Per node 1 when its range while free is known exactly, and that range.
  private let isSingle: UnsafeMutableBufferPointer<UInt8>
  private let singleLower: UnsafeMutableBufferPointer<Int>
  private let singleUpper: UnsafeMutableBufferPointer<Int>

  /// - Parameter sizes: the tile sizes that occur at each search position. The range of a node that depends on one dimension is
  ///   found by trying them all, which is far tighter than interval arithmetic.
  init(_ graph: CostGraph, sizes: [[TileExtent]]) {
    let dimensionCount = sizes.count
    nodes = .allocate(capacity: max(1, graph.nodes.count))
    lower = .allocate(capacity: max(1, graph.nodes.count))
    upper = .allocate(capacity: max(1, graph.nodes.count))
    leaves = .allocate(capacity: max(1, dimensionCount * 6))
    released = .allocate(capacity: max(1, dimensionCount * 6))
    released.initialize(repeating: 1)
    for (index, node) in graph.nodes.enumerated() { nodes[index] = node }
    lower.initialize(repeating: 0)
    upper.initialize(repeating: 0)
    leaves.initialize(repeating: 1)
    levelStart = graph.levelStart
    gateEnd = graph.gateEnd
    isSingle = .allocate(capacity: max(1, graph.nodes.count))
    singleLower = .allocate(capacity: max(1, graph.nodes.count))
    singleUpper = .allocate(capacity: max(1, graph.nodes.count))
    isSingle.initialize(repeating: 0)
    singleLower.initialize(repeating: Int.max)
    singleUpper.initialize(repeating: Int.min)
    evaluateFixed(level: -1)
    for (position, list) in sizes.enumerated() {
      for extent in list {
        fix(position, tile: extent.tile, trips: extent.trips, last: extent.last)
        // Nodes of this level that need other dimensions too get values without meaning here, and are not read.
        evaluateFixed(level: position)
        for node in graph.singles[position] {
          isSingle[node] = 1
          singleLower[node] = min(singleLower[node], lower[node])
          singleUpper[node] = max(singleUpper[node], lower[node])
        }
      }
      let range = TileRange(
        extent: list[0].extent, tile: CostInterval(list.map(\.tile).min() ?? 1, list.map(\.tile).max() ?? 1))
      let ends = [
        range.tile.lower, range.tile.upper, range.trips.lower, range.trips.upper, range.last.lower, range.last.upper,
      ]
      for (index, end) in ends.enumerated() { released[position * 6 + index] = end }
      release(position)
    }
    evaluateRanges(above: -1)
  }

  deinit {
    isSingle.deallocate()
    singleLower.deallocate()
    singleUpper.deallocate()
    nodes.deallocate()
    lower.deallocate()
    upper.deallocate()
    leaves.deallocate()
    released.deallocate()
  }

  /// Fixes the tile of one dimension.
  func fix(_ position: Int, tile: Int, trips: Int, last: Int) {
    let base = position * 6
    leaves[base] = tile
    leaves[base + 1] = tile
    leaves[base + 2] = trips
    leaves[base + 3] = trips
    leaves[base + 4] = last
    leaves[base + 5] = last
  }

  /// Lets the tile of one dimension range over all its sizes again.
  func release(_ position: Int) {
    for index in (position * 6)..<(position * 6 + 6) { leaves[index] = released[index] }
  }

  func tripsLower(_ position: Int) -> Int { leaves[position * 6 + 2] }

  /// Values of the nodes of one level, all of whose dimensions are fixed.
  func evaluateFixed(level: Int) { evaluate(levelStart[level + 1]..<levelStart[level + 2]) }

  /// As `evaluateFixed`, of the gates alone.
  func evaluateGates(level: Int) { evaluate(levelStart[level + 1]..<gateEnd[level + 1]) }

  /// As `evaluateFixed`, of all but the gates.
  func evaluateBehindGates(level: Int) { evaluate(gateEnd[level + 1]..<levelStart[level + 2]) }

  @inline(__always) private func evaluate(_ range: Range<Int>) {
    let (lower, upper, leaves) = (lower, upper, leaves)
    for index in range {
      let node = nodes[index]
      let value: Int
      switch node.code {
      case CostGraph.Code.constant.rawValue: value = node.a
      case CostGraph.Code.tile.rawValue: value = leaves[node.a &* 6]
      case CostGraph.Code.trips.rawValue: value = leaves[node.a &* 6 &+ 2]
      case CostGraph.Code.last.rawValue: value = leaves[node.a &* 6 &+ 4]
      case CostGraph.Code.add.rawValue: value = saturatingAdd(lower[node.a], lower[Int(node.b)])
      case CostGraph.Code.multiply.rawValue: value = saturatingMultiply(lower[node.a], lower[Int(node.b)])
      case CostGraph.Code.maximum.rawValue: value = max(lower[node.a], lower[Int(node.b)])
      case CostGraph.Code.minimum.rawValue: value = min(lower[node.a], lower[Int(node.b)])
      case CostGraph.Code.ceilDivide.rawValue: value = saturatingCeilDivide(lower[node.a], lower[Int(node.b)])
      default: value = lower[node.a] <= lower[Int(node.b)] ? lower[Int(node.c)] : lower[Int(node.d)]
      }
      lower[index] = value
      upper[index] = value
    }
  }

  /// Intervals of all nodes above a level.
  func evaluateRanges(above level: Int) {
    for index in levelStart[level + 2]..<levelStart[levelStart.count - 1] {
      if isSingle[index] != 0 {
        lower[index] = singleLower[index]
        upper[index] = singleUpper[index]
        continue
      }
      let node = nodes[index]
      func at(_ i: Int) -> CostInterval { CostInterval(lower[i], upper[i]) }
      let value: CostInterval
      switch node.code {
      case CostGraph.Code.constant.rawValue: value = CostInterval(node.a)
      case CostGraph.Code.tile.rawValue: value = CostInterval(leaves[node.a * 6], leaves[node.a * 6 + 1])
      case CostGraph.Code.trips.rawValue: value = CostInterval(leaves[node.a * 6 + 2], leaves[node.a * 6 + 3])
      case CostGraph.Code.last.rawValue: value = CostInterval(leaves[node.a * 6 + 4], leaves[node.a * 6 + 5])
      case CostGraph.Code.add.rawValue: value = at(node.a) + at(Int(node.b))
      case CostGraph.Code.multiply.rawValue: value = at(node.a) * at(Int(node.b))
      case CostGraph.Code.maximum.rawValue: value = .max(at(node.a), at(Int(node.b)))
      case CostGraph.Code.minimum.rawValue: value = .min(at(node.a), at(Int(node.b)))
      case CostGraph.Code.ceilDivide.rawValue: value = .ceilDiv(at(node.a), at(Int(node.b)))
      default: value = .select(at(node.a), at(Int(node.b)), at(Int(node.c)), at(Int(node.d)))
      }
      lower[index] = value.lower
      upper[index] = value.upper
    }
  }
}
