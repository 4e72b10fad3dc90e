import PantileProgram

/// A nest with chosen tile sizes and loop order: where each tile starts, how long it is, which loops reload an operand.
struct TiledNest {
  let extents: [Int]
  let tiles: [Int]
  /// Dims that have a loop (more than one trip), outermost first; the position is the loop's depth.
  let loops: [Int]

  /// - Parameter order: all tileable dims, outermost first; dims that are not named are whole.
  init(extents: [Int], tiles: [Int], order: [Int]) {
    self.extents = extents
    self.tiles = tiles
    loops = order.filter { (extents[$0] + tiles[$0] - 1) / tiles[$0] > 1 }
  }

  func trips(_ dim: Int) -> Int { (extents[dim] + tiles[dim] - 1) / tiles[dim] }

  func depth(of dim: Int) -> Int? { loops.firstIndex(of: dim) }

  /// The number of the tile along a dim.
  func loopIndex(_ dim: Int) -> Affine { depth(of: dim).map { .index($0) } ?? Affine(0) }

  /// The first index of the tile along a dim.
  func start(_ dim: Int) -> Affine {
    guard let depth = depth(of: dim) else { return Affine(0) }
    return .index(depth, times: tiles[dim])
  }

  /// The length of the tile along a dim.
  func length(_ dim: Int) -> Extent {
    guard let depth = depth(of: dim) else { return Extent(extents[dim]) }
    return Extent(full: tiles[dim], last: extents[dim] - (trips(dim) - 1) * tiles[dim], depth: depth)
  }

  /// The number of the tile, counting over the given dims' loops in loop order.
  func tileNumber(of dims: [Int]) -> Affine {
    var number = Affine(0)
    var weight = 1
    for dim in loops.reversed() where dims.contains(dim) {
      if let depth = depth(of: dim) { number = number + .index(depth, times: weight) }
      weight *= trips(dim)
    }
    return number
  }

  func tileCount(of dims: [Int]) -> Int { dims.reduce(1) { $0 * trips($1) } }

  /// The depth of the innermost loop over one of the dims, or -1.
  func innermost(of dims: Set<Int>) -> Int { loops.lastIndex { dims.contains($0) } ?? -1 }

  /// How often an operand over these dims is visited: a running number over the loops that are at or outside its
  /// innermost one.
  func visitNumber(innermost: Int) -> Affine {
    var number = Affine(0)
    var weight = 1
    for depth in stride(from: innermost, through: 0, by: -1) {
      number = number + .index(depth, times: weight)
      weight *= trips(loops[depth])
    }
    return number
  }

  func visitCount(innermost: Int) -> Int {
    guard innermost >= 0 else { return 1 }
    return loops[0...innermost].reduce(1) { $0 * trips($1) }
  }

  /// Guards that hold once per visit, at its first trip.
  func firstTrip(inside innermost: Int) -> [Guard] {
    ((innermost + 1)..<max(innermost + 1, loops.count)).map { Guard(.first, $0) }
  }

  /// Guards that hold once per visit, at its last trip.
  func lastTrip(inside innermost: Int) -> [Guard] {
    ((innermost + 1)..<max(innermost + 1, loops.count)).map { Guard(.last, $0) }
  }

  /// The body inside all loops.
  func wrap(_ body: [Program.Node]) -> [Program.Node] {
    var nodes = body
    for dim in loops.reversed() { nodes = [.loop(count: trips(dim), nodes)] }
    return nodes
  }

  // MARK: Boxes

  /// The coordinate of the tile's first point along an axis.
  func firstPoint(_ axis: OperandMap.Axis) -> Affine {
    axis.terms.reduce(Affine(axis.offset)) { $0 + start($1.dim) * $1.scale }
  }

  /// How far the tile's first point lies behind the start of its box: dims that run backwards.
  ///
  /// - Precondition: a dim that runs backwards is whole (steps do not let it be cut).
  func backwards(_ axis: OperandMap.Axis) -> Int {
    axis.terms.reduce(0) { total, term in
      guard term.scale < 0 else { return total }
      precondition(depth(of: term.dim) == nil, "a dim that runs backwards is cut")
      return total - term.scale * (extents[term.dim] - 1)
    }
  }

  /// The first coordinate of the tile's box along an axis.
  func boxStart(_ axis: OperandMap.Axis) -> Affine { firstPoint(axis) + -backwards(axis) }

  /// The length of the box along an axis.
  ///
  /// - Precondition: at most one dim of the axis is ragged (the tiling problem keeps to that).
  func boxLength(_ axis: OperandMap.Axis) -> Extent {
    var fixed = 1
    var ragged: (extent: Extent, scale: Int)?
    for term in axis.terms {
      let length = length(term.dim)
      if length.depth == nil {
        fixed += abs(term.scale) * (length.full - 1)
      } else {
        precondition(ragged == nil, "two ragged dims along one axis")
        ragged = (length, abs(term.scale))
      }
    }
    guard let ragged, let depth = ragged.extent.depth else { return Extent(fixed) }
    return Extent(
      full: fixed + ragged.scale * (ragged.extent.full - 1), last: fixed + ragged.scale * (ragged.extent.last - 1),
      depth: depth)
  }

  /// The smallest and largest coordinate that any tile reaches along an axis.
  func reach(_ axis: OperandMap.Axis) -> ClosedRange<Int> {
    var (low, high) = (axis.offset, axis.offset)
    for term in axis.terms {
      let reach = term.scale * (extents[term.dim] - 1)
      if reach > 0 { high += reach } else { low += reach }
    }
    return low...high
  }
}

/// Where an operand's elements are while engines use them.
enum OperandPlace {
  /// A packed box of the tensor, in slots of a buffer.
  case buffer(Buffer)
  /// The whole tensor.
  case resident(memory: MemoryID, base: Int)

  struct Buffer {
    var memory: MemoryID
    var base: Int
    var slots: Int
    var slotBytes: Int
    /// The running number of the visit that picks the slot.
    var visit: Affine
  }
}

/// Makes the address generators of one operand.
struct OperandAddressing {
  let nest: TiledNest
  let map: OperandMap
  let tensor: StepGraph.Tensor
  let padValue: Int

  private var bits: Int { tensor.format.bits }

  /// Strides in elements of the packed box, by logical dim: same order as in memory, full-size tiles.
  var boxStrides: [Int] {
    var strides = [Int](repeating: 1, count: tensor.shape.count)
    var step = 1
    for dim in tensor.order.reversed() {
      strides[dim] = step
      step *= nest.boxLength(map.axes[dim]).largest
    }
    return strides
  }

  /// Bytes of one packed box of full size.
  var boxBytes: Int {
    map.axes.reduce(1) { $0 * nest.boxLength($1).largest } * bits / 8
  }

  /// Dims of the nest that move the box.
  var relevant: Set<Int> { Set(map.axes.flatMap { $0.terms.map(\.dim) }) }

  private func mayLeave(_ dim: Int) -> Bool {
    let reach = nest.reach(map.axes[dim])
    return reach.lowerBound < 0 || reach.upperBound >= tensor.shape[dim]
  }

  /// The tile's box inside the whole tensor, in memory order; elements outside the tensor are padding.
  func box(in memory: MemoryID, base: Int) -> AddressGenerator {
    let strides = tensor.strides
    var start = Affine(base * 8)
    var dims: [AddressGenerator.Dim] = []
    var bounds: [AddressGenerator.Bound] = []
    for (position, dim) in tensor.order.enumerated() {
      let axis = map.axes[dim]
      start = start + nest.boxStart(axis) * (strides[dim] * bits)
      dims.append(.init(nest.boxLength(axis), strideBits: strides[dim] * bits))
      if mayLeave(dim) {
        var coefficients = [Int](repeating: 0, count: tensor.order.count)
        coefficients[position] = 1
        bounds.append(.init(offset: nest.boxStart(axis), coefficients: coefficients, limit: tensor.shape[dim]))
      }
    }
    return AddressGenerator(
      memory: memory, baseBits: start, elementBits: bits, dims: dims, bounds: bounds, padValue: padValue)
  }

  /// The packed box in a buffer slot, in memory order.
  func box(in buffer: OperandPlace.Buffer) -> AddressGenerator {
    let strides = boxStrides
    return AddressGenerator(
      memory: buffer.memory, baseBits: Affine(buffer.base * 8), elementBits: bits,
      dims: tensor.order.map { .init(nest.boxLength(map.axes[$0]), strideBits: strides[$0] * bits) },
      rotation: buffer.rotation)
  }

  /// The box where it is.
  func box(at place: OperandPlace) -> AddressGenerator {
    switch place {
    case .buffer(let buffer): return box(in: buffer)
    case .resident(let memory, let base): return box(in: memory, base: base)
    }
  }

  /// Elements in nest order: the given dims, outermost first, each over its tile.
  func elements(at place: OperandPlace, over dims: [Int]) -> AddressGenerator {
    let strides: [Int]
    switch place {
    case .buffer: strides = boxStrides
    case .resident: strides = tensor.strides
    }
    var generatorDims: [AddressGenerator.Dim] = []
    var start = Affine(0)
    var bounds: [AddressGenerator.Bound] = []
    for dim in dims {
      var stride = 0
      for (axis, mapped) in map.axes.enumerated() {
        for term in mapped.terms where term.dim == dim { stride += term.scale * strides[axis] }
      }
      generatorDims.append(.init(nest.length(dim), strideBits: stride * bits))
    }
    switch place {
    case .buffer(let buffer):
      let first = map.axes.enumerated().reduce(0) { $0 + nest.backwards($1.element) * strides[$1.offset] }
      return AddressGenerator(
        memory: buffer.memory, baseBits: Affine(buffer.base * 8 + first * bits), elementBits: bits, dims: generatorDims,
        rotation: buffer.rotation, padValue: padValue)
    case .resident(let memory, let base):
      start = Affine(base * 8)
      for (axis, mapped) in map.axes.enumerated() {
        start = start + nest.firstPoint(mapped) * (strides[axis] * bits)
        if mayLeave(axis) {
          bounds.append(
            .init(
              offset: nest.firstPoint(mapped),
              coefficients: dims.map { dim in mapped.terms.reduce(0) { $0 + ($1.dim == dim ? $1.scale : 0) } },
              limit: tensor.shape[axis]))
        }
      }
      return AddressGenerator(
        memory: memory, baseBits: start, elementBits: bits, dims: generatorDims, bounds: bounds, padValue: padValue)
    }
  }
}

extension OperandPlace.Buffer {
  var rotation: AddressGenerator.Rotation? {
    slots == 1 ? nil : .init(index: visit, slots: slots, slotBits: slotBytes * 8)
  }
}
