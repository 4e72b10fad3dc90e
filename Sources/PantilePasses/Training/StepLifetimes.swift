import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// When the values of a training step live.
///
/// A value lives from the op that makes it to the last op that reads it. Reshaped values share the memory of their source.
/// Arguments (inputs, target, weights, velocities), constants and results are not counted: states are updated in place, element by
/// element, so that what an update computes on its way takes no memory either.
struct StepLifetimes {
  private struct Value {
    var id: ValueID
    var made: Int
    var reads: [Int] = []
    var bits: Int
  }

  private let module: Module
  private let ops: [OpID]
  private let updates: Set<OpID>
  private let boundary: Int
  private var values: [Value] = []
  /// Inputs that are read behind the boundary, with those places.
  private var arguments: [Value] = []

  init(_ module: Module, _ body: BlockID, updates: Set<OpID>, boundary: OpID) {
    self.module = module
    self.updates = updates
    ops = module.ops(in: body).filter { !module.isConstant($0) }
    self.boundary = ops.firstIndex(of: boundary) ?? ops.count
    let states = Set(Self.returned(module, body))
    var root: [ValueID: ValueID] = [:]
    var places: [ValueID: Int] = [:]
    var inputPlaces: [ValueID: Int] = [:]
    for argument in module.arguments(of: body) {
      inputPlaces[argument] = arguments.count
      arguments.append(Value(id: argument, made: -1, bits: Self.bits(module, argument)))
    }
    for (index, op) in ops.enumerated() {
      for operand in module.operands(of: op) {
        let source = root[operand] ?? operand
        if let place = places[source] { values[place].reads.append(index) }
        if let place = inputPlaces[source] { arguments[place].reads.append(index) }
      }
      for result in module.results(of: op) where !states.contains(result) && !updates.contains(op) {
        if module.name(of: op) == "dnn.reshape" {
          let operand = module.operands(of: op)[0]
          root[result] = root[operand] ?? operand
          continue
        }
        places[result] = values.count
        values.append(Value(id: result, made: index, bits: Self.bits(module, result)))
      }
    }
  }

  private static func returned(_ module: Module, _ body: BlockID) -> [ValueID] {
    module.lastOp(in: body).map { module.operands(of: $0) } ?? []
  }

  private static func bits(_ module: Module, _ value: ValueID) -> Int {
    guard let type = TensorType(module.type(of: value)), let element = ElementType(type.element) else { return 0 }
    return type.count * element.bitWidth
  }

  /// Values of the forward part that the backward part reads, in order; inputs among them, weights not.
  func saved() throws(DiagnosticError) -> [TrainingReport.Saved] {
    var result: [TrainingReport.Saved] = []
    for value in arguments.prefix(inputCount) + values where value.made < boundary {
      guard value.reads.contains(where: { $0 >= boundary && isBackward($0) }) else { continue }
      let maker = module.definingOp(of: value.id)
      result.append(
        .init(
          name: module.name(of: value.id) ?? "value",
          node: maker.flatMap { module.location(of: $0).names.first } ?? "input",
          type: "\(try module.tensor(of: value.id))", bits: value.bits))
    }
    return result
  }

  /// Arguments before the target.
  private var inputCount: Int {
    arguments.firstIndex { module.name(of: $0.id) == "target" } ?? arguments.count
  }

  /// The loss reads the output at once; that alone does not save it.
  private func isBackward(_ place: Int) -> Bool { place > boundary }

  /// The largest sum of live values over the ops in order.
  func peakBits(updatesLast: Bool) -> Int {
    var order = Array(ops.indices)
    if updatesLast { order = order.filter { !updates.contains(ops[$0]) } + order.filter { updates.contains(ops[$0]) } }
    var time = [Int](repeating: 0, count: ops.count)
    for (when, index) in order.enumerated() { time[index] = when }
    var change = [Int](repeating: 0, count: ops.count + 1)
    for value in values {
      let start = time[value.made]
      let end = value.reads.map { time[$0] }.max() ?? start
      change[start] += value.bits
      change[end + 1] -= value.bits
    }
    var live = 0
    var peak = 0
    for step in change {
      live += step
      peak = max(peak, live)
    }
    return peak
  }

  /// `128 B`, `12.5 KiB`.
  static func bytes(_ bits: Int) -> String {
    let bytes = (bits + 7) / 8
    if bytes < 1024 { return "\(bytes) B" }
    let tenths = (bytes * 10 + 512) / 1024
    return "\(tenths / 10).\(tenths % 10) KiB"
  }
}
