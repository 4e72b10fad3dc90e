import PantileDialects
import PantileIR
import PantilePasses
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

extension Model {
  /// The buffers and ops of one step of the model's function, for a plan over several memories.
  ///
  /// A function that `grad` made is a training step: arguments behind `target` are weights and velocities, a result `w_next` is `w` anew.
  /// The elementwise ops of an update are one op, which updates weights and velocities in place, since an update runs element by
  /// element. Of the other values those that stand before the loss are activations, `saved` when something behind it reads them, and
  /// those behind it gradients. Weights that nothing updates, and constants of more than one element, are frozen. Reshapes, and
  /// transposes that move only dimensions of one element, are no ops. Truth values take a bit an element.
  ///
  /// - Parameters:
  ///   - grad: Options of the pass, `name=value`; nil takes the function as it is.
  ///   - floatBytes: Bytes of an element that is a float; nil takes the element's own.
  /// - Throws: what the passes throw; `dynamic-shape`, `element-type`.
  public func stepGraph(
    grad options: [String]? = nil, floatBytes: Int? = nil
  ) throws(DiagnosticError) -> HierarchyProblem.Graph {
    var module = try GraphPipeline.cleaned(module)
    if let options {
      let pipeline = try PassPipeline(parsing: "builtin.module(grad{\(options.joined(separator: " "))})")
      module = try GraphPipeline.cleaned(
        try PassManager(pipeline, registry: Dialects.registry).run(module).module)
    }
    var builder = StepGraphBuilder(module: module, floatBytes: floatBytes)
    try builder.add(try module.mainFunction())
    return HierarchyProblem.Graph(name: name, buffers: builder.buffers, ops: builder.ops)
  }
}

private struct StepGraphBuilder {
  /// An op of the function that computes.
  private struct Item {
    var op: OpID
    var operands: [ValueID]
    var results: [ValueID]
  }

  let module: Module
  let floatBytes: Int?
  var buffers: [HierarchyProblem.Buffer] = []
  var ops: [HierarchyProblem.Op] = []
  /// The buffer that holds each value; scalars of the code have none.
  private var holder: [ValueID: Int] = [:]
  /// The value whose bytes a view shows.
  private var shown: [ValueID: ValueID] = [:]
  private var items: [Item] = []
  /// The argument that each result of the step is the new value of.
  private var renewed: [ValueID: ValueID] = [:]

  init(module: Module, floatBytes: Int?) {
    self.module = module
    self.floatBytes = floatBytes
  }

  mutating func add(_ function: OpID) throws(DiagnosticError) {
    let results = module.outputs(of: function)
    try addArguments(function, results)
    var loss = -1
    for op in module.ops(inBodyOf: function).dropLast() {
      let view = module[op]
      if module.isConstant(op) {
        if try module.tensor(of: view.result).count > 1 {
          holder[view.result] = try addBuffer(view.result, module.name(of: view.result) ?? label(view), .frozen)
        }
      } else if try isView(view) {
        shown[view.result] = whole(view.operands[0])
      } else {
        items.append(Item(op: op, operands: view.operands.map { whole($0) }, results: view.results))
        if let first = results.first, view.results.contains(first) { loss = items.count - 1 }
      }
    }
    let returned = results.map { whole($0) }
    renewed = renewed.reduce(into: [:]) { $0[whole($1.key)] = $1.value }
    let groups = updateGroups(returned)
    // Where an update stands: behind all of its ops and behind everyone who reads the old values.
    var place = Array(items.indices)
    for index in items.indices {
      guard let group = groups[index] else { continue }
      let states = Set(members(group, groups).flatMap { items[$0].results }.compactMap { renewed[$0] })
      for other in items.indices
      where groups[other] == group || items[other].operands.contains(where: { states.contains($0) }) {
        place[group] = max(place[group], other)
      }
    }
    var updates: [Int: [Int]] = [:]
    for group in Set(groups.compactMap { $0 }).sorted() { updates[place[group], default: []].append(group) }
    for index in items.indices {
      if groups[index] == nil { try addOp(index, loss: renewed.isEmpty ? nil : loss, groups) }
      for group in updates[index] ?? [] { try addUpdate(members(group, groups)) }
    }
    finish(returned)
  }

  private func whole(_ value: ValueID) -> ValueID { shown[value] ?? value }

  // MARK: Arguments

  private mutating func addArguments(_ function: OpID, _ returned: [ValueID]) throws(DiagnosticError) {
    let arguments = module.inputs(of: function)
    let names = module.inputNames(of: function)
    let states = names.firstIndex(of: "target").map { Array(arguments[($0 + 1)...]) } ?? []
    let anew = Array(returned.dropFirst())
    if !states.isEmpty, states.count == anew.count {
      for (state, next) in zip(states, anew) where module.name(of: next)?.hasSuffix("_next") == true {
        if module.type(of: state) == module.type(of: next) { renewed[next] = state }
      }
    }
    let updated = Set(renewed.values)
    for (index, argument) in arguments.enumerated() {
      let kind: HierarchyProblem.Buffer.Kind
      if !states.contains(argument) {
        kind = .input
      } else if !updated.contains(argument) {
        kind = .frozen
      } else {
        kind = names[index].hasSuffix("_velocity") ? .state : .weight
      }
      holder[argument] = try addBuffer(argument, names[index], kind)
    }
  }

  // MARK: Updates

  /// Ops of which an update consists: each element of the result needs the elements at the same place only.
  private static let elementwise: Set<String> = [
    "dnn.mul", "dnn.add", "dnn.sub", "dnn.div", "dnn.cast", "dnn.slice", "dnn.concat",
  ]

  /// For each op that belongs to an update the first op of that update.
  private func updateGroups(_ returned: [ValueID]) -> [Int?] {
    var readers: [ValueID: [Int]] = [:]
    for (index, item) in items.enumerated() {
      for operand in Set(item.operands) { readers[operand, default: []].append(index) }
    }
    var groups = [Int?](repeating: nil, count: items.count)
    let isReturned = Set(returned)
    for index in items.indices.reversed() where Self.elementwise.contains(module.name(of: items[index].op)) {
      let isOwn = items[index].results.allSatisfy { result in
        let own = readers[result] ?? []
        if isReturned.contains(result), renewed[result] == nil { return false }
        return own.allSatisfy { groups[$0] != nil } && (!own.isEmpty || renewed[result] != nil)
      }
      if isOwn { groups[index] = index }
    }
    // Ops that pass values to each other are one update; the first stands for all.
    for index in items.indices where groups[index] != nil {
      for result in items[index].results {
        for reader in readers[result] ?? [] {
          guard let left = groups[index], let right = groups[reader], left != right else { continue }
          for other in items.indices where groups[other] == max(left, right) { groups[other] = min(left, right) }
        }
      }
    }
    return groups
  }

  private func members(_ group: Int, _ groups: [Int?]) -> [Int] { items.indices.filter { groups[$0] == group } }

  private mutating func addUpdate(_ members: [Int]) throws(DiagnosticError) {
    let made = Set(members.flatMap { items[$0].results })
    let states = members.flatMap { items[$0].results }.compactMap { renewed[$0] }
    let updates = unique(states.compactMap { holder[$0] }).sorted()
    let operands = members.flatMap { items[$0].operands }.filter { !made.contains($0) }
    let reads = unique(operands.compactMap { holder[$0] }).filter { !updates.contains($0) }
    let weight = updates.first { buffers[$0].kind == .weight } ?? updates.first
    ops.append(.init("update \(weight.map { buffers[$0].name } ?? "")", reads: reads, writes: [], updates: updates))
  }

  // MARK: Ops

  private mutating func addOp(_ index: Int, loss: Int?, _ groups: [Int?]) throws(DiagnosticError) {
    let item = items[index]
    let view = module[item.op]
    var updates: [Int] = []
    var writes: [Int] = []
    for result in item.results {
      if let state = renewed[result].flatMap({ holder[$0] }) {
        updates.append(state)
        holder[result] = state
        continue
      }
      let kind: HierarchyProblem.Buffer.Kind
      if let loss, index > loss {
        kind = .gradient
      } else {
        kind = .activation
      }
      let buffer = try addBuffer(result, module.name(of: result) ?? label(view), kind)
      holder[result] = buffer
      writes.append(buffer)
    }
    let reads = unique(item.operands.compactMap { holder[$0] }).filter { !updates.contains($0) && !writes.contains($0) }
    if let loss, index > loss {
      for buffer in reads where buffers[buffer].kind == .activation { buffers[buffer].kind = .saved }
    }
    ops.append(.init(label(view), reads: reads, writes: writes, updates: updates))
  }

  /// What an op is and the node that it belongs to: `conv2d conv1`.
  private func label(_ op: OpView) -> String {
    let kind = String(op.name.split(separator: ".").last ?? "")
    return op.location.names.first.map { "\(kind) \($0)" } ?? kind
  }

  /// What the function returns and no op updates in place is an output.
  private mutating func finish(_ returned: [ValueID]) {
    for value in returned where renewed[value] == nil {
      guard let buffer = holder[value] else { continue }
      switch buffers[buffer].kind {
      case .activation, .saved, .gradient: buffers[buffer].kind = .output
      case .input, .weight, .frozen, .state, .workspace, .output: break
      }
    }
  }

  private func unique(_ list: [Int]) -> [Int] {
    var seen = Set<Int>()
    return list.filter { seen.insert($0).inserted }
  }

  private func isView(_ op: OpView) throws(DiagnosticError) -> Bool {
    if op.name == "dnn.reshape" { return true }
    guard op.name == "dnn.transpose" else { return false }
    let shape = try module.tensor(of: op.operands[0]).shape
    let moved = try op.integers("perm").filter { shape[$0] > 1 }
    return moved == moved.sorted()
  }

  private mutating func addBuffer(
    _ value: ValueID, _ name: String, _ kind: HierarchyProblem.Buffer.Kind
  ) throws(DiagnosticError) -> Int {
    let type = try module.tensor(of: value)
    let element = try ElementType(type.element, at: module.location(ofValue: value))
    let bits = element.isFloat ? floatBytes.map { $0 * 8 } ?? element.bitWidth : element.bitWidth
    let bytes = saturatingCeilDivide(saturatingMultiply(type.count, bits), 8)
    // Values without a name are called by their place, like those of MLIR.
    let isTaken = buffers.contains { $0.name == name }
    buffers.append(.init(isTaken ? "\(name) (\(buffers.count))" : name, bytes: bytes, kind: kind))
    return buffers.count - 1
  }
}
