import PantileProblem
import PantileSupport
import Testing

/// What random schedule problems contain.
enum ScheduleFamily: String, CaseIterable, CustomTestStringConvertible {
  /// One memory, graph inputs, results, nothing else.
  case plain
  case inPlace
  /// Pinned tensors, weights, variables and states.
  case kinds
  case twoMemories
  case views
  /// All of the above.
  case mixed

  var testDescription: String { rawValue }
  var hasPairs: Bool { self == .inPlace || self == .mixed }
  var hasKinds: Bool { self == .kinds || self == .mixed }
  var hasViews: Bool { self == .views || self == .mixed }
  var hasWorkspace: Bool { self != .plain && self != .views }
  var memoryCount: Int { self == .twoMemories || self == .mixed ? 2 : 1 }
}

extension ScheduleProblem {
  /// The problem as Swift source, to be pasted into a test.
  var source: String {
    func list(_ items: [String]) -> String { "[" + items.joined(separator: ", ") + "]" }
    let memories = memories.map { ".init(\"\($0.name)\", capacity: \($0.capacity))" }
    let tensors = tensors.map { tensor in
      var text = ".init(\"\(tensor.name)\", bytes: \(tensor.bytes)"
      if tensor.kind != .activation { text += ", kind: .\(tensor.kind.rawValue)" }
      if tensor.memory != 0 { text += ", memory: \(tensor.memory)" }
      if tensor.isPinned { text += ", isPinned: true" }
      if let offset = tensor.fixedOffset { text += ", fixedOffset: \(offset)" }
      if tensor.alignment != 1 { text += ", alignment: \(tensor.alignment)" }
      return text + ")"
    }
    let ops = ops.map { op in
      var text = ".init(\"\(op.name)\""
      if op.role != .compute { text += ", role: .\(op.role == .concatView ? "concatView" : "splitView")" }
      text += ", inputs: \(op.inputs), outputs: \(op.outputs)"
      if !op.workspace.isEmpty { text += ", workspace: \(op.workspace)" }
      if !op.inPlace.isEmpty {
        text += ", inPlace: " + list(op.inPlace.map { ".init(input: \($0.input), output: \($0.output))" })
      }
      return text + ")"
    }
    let tile = tileBytes.map { ", tileBytes: \($0)" } ?? ""
    return "ScheduleProblem(name: \"\(name)\", memories: \(list(memories)),\n  tensors: \(list(tensors)),\n"
      + "  ops: \(list(ops))\(tile))"
  }
}

/// A random graph of 3 to 8 ops under a capacity near what its largest op needs.
func randomScheduleProblem(
  _ random: inout SplitMix64, _ family: ScheduleFamily, opCount: Int, isStreamed: Bool = false, name: String
) -> ScheduleProblem {
  var problem = ScheduleProblem(name: name, memories: [], tensors: [], ops: [])
  let unit = [1, 1, 3, 10, 37, 64][random.next(below: 6)]
  func chance(_ one: Int) -> Bool { random.next(below: one) == 0 }
  var inPair = Set<Int>()
  var wholes = Set<Int>()
  var partOf = Set<Int>()
  func add(_ kind: ScheduleProblem.Tensor.Kind, bytes: Int? = nil, memory: Int? = nil) -> Int {
    problem.tensors.append(
      .init(
        "t\(problem.tensors.count)", bytes: bytes ?? unit * (1 + random.next(below: 12)) - (chance(40) ? unit : 0),
        kind: kind, memory: memory ?? random.next(below: family.memoryCount)))
    return problem.tensors.count - 1
  }
  for _ in 0..<(1 + random.next(below: 3)) {
    _ = add(family.hasKinds ? [.input, .weight, .variable, .state][random.next(below: 4)] : .input)
  }
  func existing() -> Int {
    // Late tensors and such that nothing reads yet are likelier.
    var tensor = random.next(below: problem.tensors.count)
    for _ in 0..<2 where problem.ops.contains(where: { $0.inputs.contains(tensor) }) {
      tensor = max(tensor, random.next(below: problem.tensors.count))
    }
    return tensor
  }
  var computeCount = 0
  while computeCount < opCount {
    if family.hasViews, chance(3), addView() { continue }
    var inputs = (0..<[1, 1, 2, 2, 2, 3][random.next(below: 6)]).map { _ in existing() }
    if chance(8) { inputs.append(inputs[0]) }
    if chance(30) { inputs = [] }
    var op = ScheduleProblem.Op("o\(computeCount)", inputs: inputs, outputs: [])
    let outputCount = chance(5) ? 2 + random.next(below: 2) : chance(40) ? 0 : 1
    for _ in 0..<outputCount where problem.tensors.count < 20 { op.outputs.append(add(.activation)) }
    if family.hasWorkspace, chance(4) {
      op.workspace = (0..<family.memoryCount).map { _ in unit * random.next(below: 6) }
    }
    if family.hasPairs {
      for (input, output) in zip(Set(inputs).sorted(), op.outputs) where chance(2) {
        if wholes.contains(input) || partOf.contains(input) { continue }
        problem.tensors[output].memory = problem.tensors[input].memory
        inPair.formUnion([input, output])
        op.inPlace.append(.init(input: input, output: output))
      }
    }
    problem.ops.append(op)
    computeCount += 1
  }
  func addView() -> Bool {
    if problem.tensors.count > 17 { return false }
    if chance(2) {
      var parts: [Int] = []
      for _ in 0..<(2 + random.next(below: 2)) {
        let part = existing()
        if parts.contains(part) || partOf.contains(part) || inPair.contains(part) { continue }
        if let first = parts.first, problem.tensors[part].memory != problem.tensors[first].memory { continue }
        parts.append(part)
      }
      guard let first = parts.first else { return false }
      let whole = add(
        .activation, bytes: parts.reduce(0) { $0 + problem.tensors[$1].bytes }, memory: problem.tensors[first].memory)
      problem.ops.append(.init("v\(problem.ops.count)", role: .concatView, inputs: parts, outputs: [whole]))
      partOf.formUnion(parts)
      wholes.insert(whole)
      return true
    }
    let whole = existing()
    if wholes.contains(whole) || inPair.contains(whole) { return false }
    var rest = problem.tensors[whole].bytes
    var parts: [Int] = []
    for index in 0..<(2 + random.next(below: 2)) {
      let size = index == 1 && chance(2) ? rest : random.next(below: rest + 1)
      rest -= size
      parts.append(add(.activation, bytes: size, memory: problem.tensors[whole].memory))
    }
    problem.tensors[parts[parts.count - 1]].bytes += rest
    problem.ops.append(.init("v\(problem.ops.count)", role: .splitView, inputs: [whole], outputs: parts))
    partOf.formUnion(parts)
    wholes.insert(whole)
    return true
  }
  let made = Set(problem.ops.flatMap(\.outputs))
  let read = Set(problem.ops.flatMap(\.inputs))
  for tensor in problem.tensors.indices {
    if made.contains(tensor), read.contains(tensor) ? chance(8) : !chance(3) {
      problem.tensors[tensor].kind = family.hasKinds && chance(2) ? (chance(2) ? .variable : .state) : .output
    }
    if family.hasKinds, chance(9), !inPair.contains(tensor), !wholes.contains(tensor), !partOf.contains(tensor) {
      problem.tensors[tensor].isPinned = true
    }
  }
  problem.memories = (0..<family.memoryCount).map { .init("m\($0)", capacity: 1 << 40) }
  let oracle = ScheduleOracle(problem)
  for memory in problem.memories.indices {
    let need = oracle.largestNeed(in: memory)
    problem.memories[memory].capacity = need + unit * random.next(below: 8) - (chance(25) ? 1 : 0)
    if problem.memories[memory].capacity < 0 { problem.memories[memory].capacity = 0 }
  }
  if isStreamed {
    problem.tileBytes = unit * random.next(below: 4)
    for memory in problem.memories.indices {
      problem.memories[memory].capacity = unit * random.next(below: 1 + oracle.largestNeed(in: memory) * 4 / 3 / unit)
    }
    problem.memories[0].capacity += problem.tileBytes ?? 0
  }
  return problem
}

/// A densely connected block: each map is made from all maps before it, some of them of one size, with a tensor or two of other sizes.
func randomDenseBlock(_ random: inout SplitMix64, name: String) -> ScheduleProblem {
  func chance(_ one: Int) -> Bool { random.next(below: one) == 0 }
  let unit = [1, 3, 10][random.next(below: 3)]
  let size = unit * (1 + random.next(below: 3))
  var problem = ScheduleProblem(name: name, memories: [], tensors: [], ops: [])
  var maps: [Int] = []
  func add(_ kind: ScheduleProblem.Tensor.Kind, _ bytes: Int) -> Int {
    problem.tensors.append(.init("t\(problem.tensors.count)", bytes: bytes, kind: kind))
    return problem.tensors.count - 1
  }
  for _ in 0..<(1 + random.next(below: 2)) {
    maps.append(add(.input, chance(2) ? size : unit * (1 + random.next(below: 6))))
  }
  for number in 0..<(2 + random.next(below: 2)) {
    let joined = add(.activation, unit * (1 + random.next(below: 6)))
    problem.ops.append(.init("join\(number)", inputs: maps, outputs: [joined]))
    var made = [add(.activation, size)]
    if chance(4) { made.append(add(.activation, size)) }
    problem.ops.append(.init("grow\(number)", inputs: [joined], outputs: made))
    maps += made
  }
  problem.ops.append(.init("end", inputs: maps, outputs: [add(.output, unit)]))
  problem.memories = [.init("m", capacity: 1 << 40)]
  let need = ScheduleOracle(problem).largestNeed(in: 0)
  problem.tileBytes = unit * random.next(below: 2)
  problem.memories[0].capacity = (problem.tileBytes ?? 0) + unit * random.next(below: 1 + need * 5 / 4 / unit)
  return problem
}
