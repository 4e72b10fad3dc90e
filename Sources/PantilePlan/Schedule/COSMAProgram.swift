import PantileProblem
import PantileSolve
import PantileSupport

/// The monolithic program of COSMA for a problem of whole tensors in one memory.
///
/// Binaries for each tensor `a` and step `t`: `C` made, `P` there since the step before, `S` spilled, `R` fetched; addresses `L`.
///
///     P[a,t] <= C[a,t-1] + P[a,t-1] + R[a,t-1]                     stays only what was there
///     S[a,t] <= C[a,t-1] + P[a,t-1] + R[a,t-1];  sum_t S[a,t] <= 1
///     R[a,t] <= sum_{t' <= t} S[a,t']                              comes back only what was written
///     C[out,t] <= P[in,t] + R[in,t] for the op's inputs;  results of one op together;  one op a step
///     L[a,t] + s_a <= M;  L[a,t] = L[a,t-1] if P[a,t];  any two that are there do not overlap
///     min sum s_a (S + R)
///
/// A tensor that comes from off chip has its copy from the start; its first fetch is free (variable `F`).
struct COSMAProgram {
  private(set) var model = LinearModel(.minimise)
  let isFixedOrder: Bool
  private let index: ScheduleIndex
  private var runs: [[LinearModel.Variable]] = []
  private var stays: [[LinearModel.Variable]] = []

  /// Variables beyond which the program is refused.
  private static let limit = 20_000

  /// - Throws: `too-large` with the number of variables, `wrong-method` for what the paper does not have.
  init(_ index: ScheduleIndex, isFixedOrder: Bool) throws(DiagnosticError) {
    self.index = index
    self.isFixedOrder = isFixedOrder
    let steps = index.ops.count
    let tensors = index.tensors.count
    let size = steps * tensors * 6 + steps * tensors * (tensors - 1)
    if size > Self.limit {
      throw DiagnosticError(
        "too-large",
        "the published program of '\(index.problem.name)' has about \(size) variables, the limit is \(Self.limit)",
        hint: "take method gap, exact or auto, which need no variables for addresses and steps")
    }
    if index.capacities.count > 1 || index.tensors.contains(where: \.isPinned)
      || index.ops.contains(where: { !$0.inPlace.isEmpty })
      || index.problem.ops.contains(where: { $0.role != .compute })
    {
      throw DiagnosticError(
        "wrong-method", "the published program has no second memory, pinned tensors, in-place pairs or views",
        hint: "take method gap, exact or auto")
    }
    build()
  }

  private mutating func build() {
    let steps = index.ops.indices
    let room = Double(index.capacities[0])
    func table(_ name: String, _ count: Int, _ price: (Int) -> Double) -> [[LinearModel.Variable]] {
      (0..<count).map { row in steps.map { model.addBinary("\(name)_\(row)_\($0)", objective: price(row)) } }
    }
    runs = table("O", index.ops.count) { _ in 0 }
    stays = table("P", index.tensors.count) { _ in 0 }
    let spills = table("S", index.tensors.count) {
      index.tensors[$0].isBornCopied ? 0 : Double(index.tensors[$0].bytes)
    }
    let fetches = table("R", index.tensors.count) { Double(index.tensors[$0].bytes) }
    let firsts = table("F", index.tensors.count) { _ in 0 }
    let addresses = index.tensors.indices.map { tensor in
      steps.map { step in
        model.addVariable("L_\(tensor)_\(step)", lower: 0, upper: max(0, room - Double(index.tensors[tensor].bytes)))
      }
    }
    for op in steps {
      model.addEquality("once_\(op)", 1, steps.map { .init(1, runs[op][$0]) })
      if isFixedOrder { model.addEquality("order_\(op)", 1, [.init(1, runs[op][op])]) }
    }
    for step in steps { model.addEquality("step_\(step)", 1, steps.map { .init(1, runs[$0][step]) }) }
    let (made, kept) = (runs, stays)
    for (tensor, own) in index.tensors.enumerated() {
      func there(_ step: Int, _ factor: Double) -> [LinearModel.Term] {
        var terms: [LinearModel.Term] = [
          .init(factor, kept[tensor][step]), .init(factor, fetches[tensor][step]), .init(factor, firsts[tensor][step]),
        ]
        if own.producer >= 0 { terms.append(.init(factor, made[own.producer][step])) }
        return terms
      }
      model.addRow(
        "first_\(tensor)", upper: own.producer < 0 ? 1 : 0, steps.map { .init(1, firsts[tensor][$0]) })
      model.addRow("written_\(tensor)", upper: 1, steps.map { .init(1, spills[tensor][$0]) })
      for step in steps {
        model.addRow("one_\(tensor)_\(step)", upper: 1, there(step, 1))
        model.addRow(
          "stay_\(tensor)_\(step)", upper: 0,
          [.init(1, stays[tensor][step])] + (step > 0 ? there(step - 1, -1) : []))
        model.addRow(
          "spill_\(tensor)_\(step)", upper: 0,
          [.init(1, spills[tensor][step])] + (step > 0 ? there(step - 1, -1) : []))
        // A copy is there once it was written, or from the first moment on.
        var copies: [LinearModel.Term] = (0...step).map { .init(-1, spills[tensor][$0]) }
        if own.producer < 0 { copies = (0..<step).map { .init(-1, firsts[tensor][$0]) } }
        if own.producer >= 0, own.isBornCopied { copies = (0..<step).map { .init(-1, runs[own.producer][$0]) } }
        model.addRow("fetch_\(tensor)_\(step)", upper: 0, [.init(1, fetches[tensor][step])] + copies)
        for consumer in own.consumers {
          model.addRow(
            "use_\(tensor)_\(consumer)_\(step)", upper: 0,
            [
              .init(1, runs[consumer][step]), .init(-1, stays[tensor][step]), .init(-1, fetches[tensor][step]),
              .init(-1, firsts[tensor][step]),
            ])
        }
        if step > 0 {
          let difference: [LinearModel.Term] = [
            .init(1, addresses[tensor][step]), .init(-1, addresses[tensor][step - 1]),
          ]
          model.addRow("still_up_\(tensor)_\(step)", upper: room, difference + [.init(room, stays[tensor][step])])
          model.addRow("still_down_\(tensor)_\(step)", lower: -room, difference + [.init(-room, stays[tensor][step])])
        }
        addApart(tensor, step, addresses, there)
      }
    }
    addTogether(firsts, fetches)
  }

  /// Tensors before `tensor` that are there at a step do not overlap it.
  private mutating func addApart(
    _ tensor: Int, _ step: Int, _ addresses: [[LinearModel.Variable]], _ there: (Int, Double) -> [LinearModel.Term]
  ) {
    let room = Double(index.capacities[0])
    for other in 0..<tensor {
      let below = model.addBinary("u_\(other)_\(tensor)_\(step)")
      let above = model.addBinary("d_\(other)_\(tensor)_\(step)")
      let difference: [LinearModel.Term] = [
        .init(1, addresses[other][step]), .init(-1, addresses[tensor][step]),
      ]
      model.addRow(
        "below_\(other)_\(tensor)_\(step)", upper: room - Double(index.tensors[other].bytes),
        difference + [.init(room, below)])
      model.addRow(
        "above_\(other)_\(tensor)_\(step)", lower: Double(index.tensors[tensor].bytes) - room,
        difference + [.init(-room, above)])
      pairs.append((other, tensor, step, below, above))
    }
  }

  private var pairs: [(Int, Int, Int, LinearModel.Variable, LinearModel.Variable)] = []

  /// Both there: one of the two orders holds.
  private mutating func addTogether(_ firsts: [[LinearModel.Variable]], _ fetches: [[LinearModel.Variable]]) {
    for (first, second, step, below, above) in pairs {
      var terms: [LinearModel.Term] = [.init(1, below), .init(1, above)]
      var presence: [Int: Double] = [:]
      for tensor in [first, second] {
        presence[stays[tensor][step].index, default: 0] -= 1
        presence[fetches[tensor][step].index, default: 0] -= 1
        presence[firsts[tensor][step].index, default: 0] -= 1
        if index.tensors[tensor].producer >= 0 {
          presence[runs[index.tensors[tensor].producer][step].index, default: 0] -= 1
        }
      }
      terms += presence.keys.sorted().map { .init(presence[$0] ?? 0, LinearModel.Variable(index: $0)) }
      model.addRow("apart_\(first)_\(second)_\(step)", lower: -1, terms)
    }
  }

  /// The order and what stays between uses.
  func plan(_ values: [Double]) -> (order: [Int], kept: [Bool]) {
    let order = index.ops.indices.map { step in
      index.ops.indices.first { values[runs[$0][step].index] > 0.5 } ?? step
    }
    let table = GapTable(index, order: order)
    let kept = table.gaps.map { gap in
      !gap.matters || (gap.first + 1...gap.last).allSatisfy { values[stays[gap.tensor][$0].index] > 0.5 }
    }
    return (order, kept)
  }
}
