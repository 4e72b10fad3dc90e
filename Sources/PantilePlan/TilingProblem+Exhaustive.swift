import PantileProblem
import PantileSupport

extension TilingMethod {
  /// Looks at every choice by the problem's own evaluation. Slow; the judge of the others.
  public static let exhaustive = TilingMethod(
    "exhaustive", "evaluates every tile size, order and slot count of the space"
  ) { (problem, options) throws(DiagnosticError) in
    try problem.check()
    let sizes = problem.dims.indices.map { problem.tileSizes(of: $0) }
    var front = TilingFront(problem)
    var evaluated = 0
    var complete = true
    var tiles = sizes.map { $0[0] }
    var slots = problem.operands.map { $0.slotChoices[0] }

    func chooseSlots(_ operand: Int, _ order: Int) {
      guard complete else { return }
      if operand == slots.count {
        evaluated += 1
        if evaluated > options.nodeBudget { complete = false }
        let alternative = problem.evaluate(tiles: tiles, order: order, slots: slots)
        if zip(problem.memories, alternative.footprint).allSatisfy({ $1 <= $0.capacity }) { front.insert(alternative) }
        return
      }
      for choice in problem.operands[operand].slotChoices {
        slots[operand] = choice
        chooseSlots(operand + 1, order)
      }
    }
    func chooseTiles(_ dim: Int) {
      if dim == tiles.count {
        for order in problem.orders.indices { chooseSlots(0, order) }
        return
      }
      for tile in sizes[dim] where complete {
        tiles[dim] = tile
        chooseTiles(dim + 1)
      }
    }
    chooseTiles(0)
    return problem.solution(front: front, limit: options.frontLimit, evaluated: evaluated, complete: complete)
  }
}
