import PantileProblem
import PantileSupport

/// A way to solve a `TilingProblem`. All methods give the same alternatives when their budget suffices.
public final class TilingMethod: Sendable {
  public let name: String
  public let summary: String
  public let solve: @Sendable (TilingProblem, TilingSearchOptions) throws(DiagnosticError) -> TilingSolution

  init(
    _ name: String, _ summary: String,
    solve: @escaping @Sendable (TilingProblem, TilingSearchOptions) throws(DiagnosticError) -> TilingSolution
  ) {
    self.name = name
    self.summary = summary
    self.solve = solve
  }
}

/// Limits of a tiling search, as counts.
public struct TilingSearchOptions: Hashable, Sendable {
  /// Partial and complete choices looked at.
  public var nodeBudget: Int
  /// Alternatives kept.
  public var frontLimit: Int

  public init(nodeBudget: Int = 2_000_000, frontLimit: Int = 24) {
    self.nodeBudget = nodeBudget
    self.frontLimit = frontLimit
  }
}

extension TilingProblem {
  /// Every way to solve this kind of problem.
  public static let methods: [TilingMethod] = [.branchAndBound, .exhaustive]

  /// The Pareto set of alternatives by the default method.
  ///
  /// - Throws: what `check()` throws.
  public func search(_ options: TilingSearchOptions = TilingSearchOptions()) throws(DiagnosticError) -> TilingSolution {
    try TilingMethod.branchAndBound.solve(self, options)
  }

  /// For each order that reuses differently from all before it, its number. Loops that cannot be cut do not count, and
  /// neighbours that matter to the same operands may be swapped without effect.
  func distinctOrders() -> [Int] {
    var seen: Set<[[String]]> = []
    var result: [Int] = []
    for (index, order) in orders.enumerated() {
      var runs: [(signature: [Bool], names: [String])] = []
      for name in order {
        guard let dim = dims.firstIndex(where: { $0.name == name }), tileSizes(of: dim).count > 1 else { continue }
        let signature = operands.map { $0.relevant.contains(name) }
        if let last = runs.indices.last, runs[last].signature == signature {
          runs[last].names.append(name)
        } else {
          runs.append((signature, [name]))
        }
      }
      if seen.insert(runs.map { $0.names.sorted() }).inserted { result.append(index) }
    }
    return result
  }

  /// What cannot be met even with the smallest tiles and fewest slots.
  func bindingMemory() -> String {
    let tiles = dims.indices.map { tileSizes(of: $0)[0] }
    let slots = operands.map { $0.slotChoices.min() ?? 1 }
    let least = evaluate(tiles: tiles, order: 0, slots: slots)
    for (memory, bytes) in zip(memories, least.footprint) where bytes > memory.capacity {
      return "memory '\(memory.name)' needs \(bytes) bytes for the smallest tiles and has \(memory.capacity)"
    }
    return "no choice fits \(memories.map { "\($0.capacity) bytes of '\($0.name)'" }.joined(separator: " and "))"
  }

  /// The solution made of a finished front.
  func solution(front: TilingFront, limit: Int, evaluated: Int, complete: Bool) -> TilingSolution {
    let alternatives = front.selected(limit: limit).map { evaluate(tiles: $0.tiles, order: $0.order, slots: $0.slots) }
    guard let best = alternatives.first else {
      return TilingSolution(
        alternatives: [], status: complete ? .infeasible(binding: bindingMemory()) : .budgetExhausted, lowerBound: 0,
        boundName: "none", evaluated: evaluated)
    }
    if complete {
      return TilingSolution(
        alternatives: alternatives, status: .optimal, lowerBound: best.cycles, boundName: "exhaustive search",
        evaluated: evaluated)
    }
    let bound = bounds().max { $0.cycles < $1.cycles }
    let cycles = min(bound?.cycles ?? 0, best.cycles)
    return TilingSolution(
      alternatives: alternatives, status: .feasible(gap: best.cycles - cycles), lowerBound: cycles,
      boundName: bound?.name ?? "none", evaluated: evaluated)
  }
}
