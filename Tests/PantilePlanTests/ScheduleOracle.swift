import PantileProblem

/// The least cost of a `ScheduleProblem` by trying everything, capacity counted in bytes and addresses left out.
///
/// Shares no code with the planner, and none of its arguments: before each op *any* set of tensors may leave, no state is dropped because
/// another looks better, and costs are charged when bytes move. A state is which ops have run, which tensors are on chip and which have a
/// copy off chip; states of equally many ops form a layer.
///
/// Two things only are taken for granted: a tensor that nothing reads any more is away (unless pinned), and a tensor comes to be on chip no
/// sooner than an op uses it.
struct ScheduleOracle {
  private struct Tensor {
    var bytes: Int
    var memory: Int
    var isPinned: Bool
    var isOffChip: Bool
    var mustStore: Bool
    /// Ops that read it.
    var readers: UInt64 = 0
  }

  private struct Op {
    var reads: UInt64 = 0
    var makes: UInt64 = 0
    /// Ops that make what it reads.
    var waitsFor: UInt64 = 0
    var workspace: [Int] = []
    var pairs: [(input: Int, output: Int)] = []
    /// Its number in the problem.
    var origin: Int
  }

  /// Bits of a state: ops that have run, then tensors on chip, then tensors with a copy.
  private static let opBits: UInt64 = 12
  private static let tensorBits: UInt64 = 26

  private var tensors: [Tensor] = []
  private var ops: [Op] = []
  private var capacities: [Int]
  private let streams: Bool
  private var pinned: UInt64 = 0
  private var offChip: UInt64 = 0
  private var onChipAtStart: UInt64 = 0

  /// - Precondition: `problem.check()` passes; at most 12 ops that compute and 26 tensors with bytes of their own.
  init(_ problem: ScheduleProblem) {
    capacities = problem.memories.map(\.capacity)
    streams = problem.tileBytes != nil
    capacities[0] -= problem.tileBytes ?? 0
    // Views are seen through.
    var parts: [Int: [Int]] = [:]
    for op in problem.ops where op.role == .concatView { parts[op.outputs[0]] = op.inputs }
    for op in problem.ops where op.role == .splitView { parts[op.inputs[0]] = op.outputs }
    func leaves(_ tensor: Int) -> [Int] { parts[tensor].map { $0.flatMap(leaves) } ?? [tensor] }
    var computed = Set<Int>()
    var stored = Set<Int>()
    for op in problem.ops {
      for output in op.outputs {
        if op.role == .compute { computed.formUnion(leaves(output)) }
        if [.output, .variable, .state].contains(problem.tensors[output].kind) { stored.formUnion(leaves(output)) }
      }
    }
    var number: [Int: Int] = [:]
    for (index, tensor) in problem.tensors.enumerated() where parts[index] == nil {
      let bit: UInt64 = 1 << UInt64(tensors.count)
      number[index] = tensors.count
      if tensor.isPinned { pinned |= bit }
      if !computed.contains(index) {
        offChip |= bit
        if tensor.isPinned { onChipAtStart |= bit }
      }
      tensors.append(
        Tensor(
          bytes: tensor.bytes, memory: tensor.memory, isPinned: tensor.isPinned, isOffChip: !computed.contains(index),
          mustStore: stored.contains(index)))
    }
    func mask(_ list: [Int]) -> UInt64 {
      list.flatMap(leaves).reduce(0) { $0 | 1 << UInt64(number[$1] ?? 0) }
    }
    for (index, op) in problem.ops.enumerated() where op.role == .compute {
      ops.append(
        Op(
          reads: mask(op.inputs), makes: mask(op.outputs),
          workspace: problem.memories.indices.map { $0 < op.workspace.count ? op.workspace[$0] : 0 },
          pairs: op.inPlace.map { (number[$0.input] ?? 0, number[$0.output] ?? 0) }, origin: index))
    }
    for (index, op) in ops.enumerated() {
      for tensor in members(op.reads) { tensors[tensor].readers |= 1 << UInt64(index) }
      for (other, maker) in ops.enumerated() where maker.makes & op.reads != 0 {
        ops[index].waitsFor |= 1 << UInt64(other)
      }
    }
    precondition(ops.count <= Self.opBits && tensors.count <= Self.tensorBits)
  }

  private func members(_ mask: UInt64) -> [Int] { (0..<64).filter { mask >> UInt64($0) & 1 != 0 } }

  private func bytes(_ mask: UInt64) -> Int {
    var (sum, rest) = (0, mask)
    while rest != 0 {
      sum += tensors[rest.trailingZeroBitCount].bytes
      rest &= rest - 1
    }
    return sum
  }

  /// Calls with each subset, the empty one last.
  private func forEachSubset(of mask: UInt64, _ body: (UInt64) -> Void) {
    var subset = mask
    while true {
      body(subset)
      if subset == 0 { return }
      subset = (subset - 1) & mask
    }
  }

  /// The least cost over all orders, or of one; nil when no schedule exists.
  ///
  /// - Parameter order: Ops by their numbers in the problem; views among them do not count.
  func optimum(order: [Int]? = nil) -> Int? {
    let steps = order.map { $0.compactMap { op in ops.firstIndex { $0.origin == op } } }
    var layer: [UInt64: Int] = [onChipAtStart << Self.opBits: 0]
    for depth in ops.indices {
      var next: [UInt64: Int] = [:]
      for (state, cost) in layer {
        let done = state & (1 << Self.opBits - 1)
        for op in steps.map({ [$0[depth]] }) ?? Array(ops.indices) {
          if done >> UInt64(op) & 1 != 0 || ops[op].waitsFor & ~done != 0 { continue }
          run(op, from: state, cost) { child, price in next[child] = min(next[child] ?? .max, price) }
        }
      }
      layer = next
    }
    return layer.values.min()
  }

  /// Every way to run an op in a state.
  private func run(_ number: Int, from state: UInt64, _ cost: Int, _ body: (UInt64, Int) -> Void) {
    let op = ops[number]
    let done = state & (1 << Self.opBits - 1)
    let onChip = state >> Self.opBits & (1 << Self.tensorBits - 1)
    let copied = state >> (Self.opBits + Self.tensorBits) | offChip
    let after = done | 1 << UInt64(number)
    var (alive, isFresh, isRead, mustStore): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    for (index, tensor) in tensors.enumerated() {
      let bit: UInt64 = 1 << UInt64(index)
      if tensor.readers & ~after != 0 { alive |= bit }
      if tensor.isOffChip, tensor.readers & done == 0 { isFresh |= bit }
      if tensor.readers != 0 { isRead |= bit }
      if tensor.mustStore { mustStore |= bit }
    }
    var usage = op.workspace
    func add(_ mask: UInt64, to usage: inout [Int]) {
      var rest = mask
      while rest != 0 {
        let tensor = tensors[rest.trailingZeroBitCount]
        usage[tensor.memory] += tensor.bytes
        rest &= rest - 1
      }
    }
    // An operand may leave to be streamed; whole, it would have to come back at once.
    forEachSubset(of: onChip & ~pinned & (streams ? .max : ~op.reads)) { leaving in
      let staying = onChip & ~leaving
      let absent = op.reads & ~staying
      let leaveCost = cost + bytes(leaving & ~copied) + bytes(absent & ~isFresh)
      forEachSubset(of: streams ? absent : 0) { streamed in
        let here = staying | absent & ~streamed
        forEachSubset(of: streams ? op.makes & ~pinned : 0) { streamedOut in
          let made = op.makes & ~streamedOut
          let outCost = leaveCost + bytes(streamedOut & isRead & ~mustStore)
          let copies = copied | leaving | streamedOut | (op.makes & mustStore)
          usage = op.workspace
          add(here | made, to: &usage)
          let pairs = op.pairs.filter { here >> UInt64($0.input) & 1 != 0 && made >> UInt64($0.output) & 1 != 0 }
          let movable = pairs.reduce(0 as UInt64) { $0 | 1 << UInt64($1.input) } & alive & ~pinned
          forEachSubset(of: movable) { replaced in
            var used = usage
            for pair in pairs {
              let bit: UInt64 = 1 << UInt64(pair.input)
              if alive & ~replaced & bit != 0 || pinned & bit != 0 { continue }
              used[tensors[pair.input].memory] -= min(tensors[pair.input].bytes, tensors[pair.output].bytes)
            }
            for memory in used.indices where used[memory] > capacities[memory] { return }
            let remaining = (here | made) & (alive | pinned) & ~replaced
            let price = outCost + bytes(replaced & ~copied)
            let kept = (copies | replaced) & alive & ~offChip
            body(after | remaining << Self.opBits | kept << (Self.opBits + Self.tensorBits), price)
          }
        }
      }
    }
  }

  /// The most bytes that one op needs in a memory, with all tensors that are pinned there from the start.
  func largestNeed(in memory: Int) -> Int {
    ops.map { op in
      var mask = op.reads | op.makes | onChipAtStart
      for tensor in members(mask) where tensors[tensor].memory != memory { mask &= ~(1 << UInt64(tensor)) }
      let shared = op.pairs.filter { tensors[$0.input].memory == memory }
        .reduce(0) { $0 + min(tensors[$1.input].bytes, tensors[$1.output].bytes) }
      return bytes(mask) + op.workspace[memory] - shared
    }.max() ?? 0
  }

  /// The least capacity of memory 0 at which nothing need move beyond compulsory transfers.
  func leastPeak() -> Int {
    var copy = self
    var (low, high) = (0, tensors.reduce(0) { $0 + $1.bytes } + (ops.map { $0.workspace[0] }.max() ?? 0))
    while low < high {
      copy.capacities[0] = (low + high) / 2
      if copy.optimum() == 0 { high = (low + high) / 2 } else { low = (low + high) / 2 + 1 }
    }
    return low
  }
}
