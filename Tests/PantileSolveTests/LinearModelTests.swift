import Dispatch
import PantileSolve
import PantileSupport
import Testing

/// Knapsack with one weight row.
private func knapsack(weights: [Int], values: [Int], capacity: Int) -> (LinearModel, [LinearModel.Variable]) {
  var model = LinearModel(.maximise)
  var items: [LinearModel.Variable] = []
  for (index, value) in values.enumerated() {
    items.append(model.addBinary("item\(index)", objective: Double(value)))
  }
  model.addRow("weight", upper: Double(capacity), zip(weights, items).map { .init(Double($0), $1) })
  return (model, items)
}

private func bestKnapsack(_ weights: [Int], _ values: [Int], _ capacity: Int) -> Int {
  var best = Array(repeating: 0, count: capacity + 1)
  for (weight, value) in zip(weights, values) where weight <= capacity {
    for room in stride(from: capacity, through: weight, by: -1) {
      best[room] = max(best[room], best[room - weight] + value)
    }
  }
  return best[capacity]
}

struct LinearModelTests {
  @Test func solvesAContinuousModelWithDuals() throws {
    var model = LinearModel(.maximise)
    let x = model.addVariable("x", objective: 3)
    let y = model.addVariable("y", objective: 5)
    model.addRow("r0", upper: 4, [.init(1, x)])
    model.addRow("r1", upper: 12, [.init(2, y)])
    model.addRow("r2", upper: 18, [.init(3, x), .init(2, y)])
    let solution = try model.solve()
    #expect(solution.status == .optimal)
    #expect((solution[x], solution[y]) == (2, 6))
    #expect(solution.objective == 36)
    #expect(zip(solution.duals, [0, 1.5, 1]).allSatisfy { ($0 - $1).magnitude < 1e-9 })
  }

  @Test func knapsackEqualsDynamicProgramming() throws {
    var random = SplitMix64(seed: 3)
    for _ in 0..<40 {
      let count = 3 + random.next(below: 12)
      let weights = (0..<count).map { _ in 1 + random.next(below: 40) }
      let values = (0..<count).map { _ in 1 + random.next(below: 40) }
      let capacity = random.next(below: 120)
      let (model, items) = knapsack(weights: weights, values: values, capacity: capacity)
      let solution = try model.solve()
      #expect(solution.status == .optimal)
      #expect(Int(solution.objective) == bestKnapsack(weights, values, capacity))
      #expect(items.allSatisfy { solution[$0] == 0 || solution[$0] == 1 })
      #expect(solution.relaxation >= solution.objective - 1e-6)
    }
  }

  @Test func tellsInfeasibleFromUnbounded() throws {
    var infeasible = LinearModel()
    let x = infeasible.addVariable("x", upper: 1, isInteger: true, objective: 1)
    infeasible.addRow("half", lower: 0.4, upper: 0.6, [.init(1, x)])
    #expect(try infeasible.solve().status == .infeasible)
    infeasible.addRow("more", lower: 2, [.init(1, x)])
    #expect(try infeasible.solve().status == .infeasible)
    var unbounded = LinearModel(.maximise)
    let y = unbounded.addVariable("y", objective: 1)
    unbounded.addRow("positive", lower: 0, [.init(1, y)])
    #expect(try unbounded.solve().status == .unbounded)
  }

  @Test func nodeBudgetEndsWithAValidBound() throws {
    // Equal weights just above a half and odd capacity: many nodes without cuts.
    let weights = (0..<34).map { 2 * (50 + ($0 * 37) % 23) }
    let (model, _) = knapsack(weights: weights, values: weights, capacity: weights.reduce(0, +) / 2 | 1)
    let solution = try model.solve(.init(nodeBudget: 5, cuts: .none))
    let truth = Double(bestKnapsack(weights, weights, weights.reduce(0, +) / 2 | 1))
    switch solution.status {
    case .feasible(let gap):
      #expect(solution.objective <= truth && truth <= solution.bound + 1e-6)
      #expect((gap - (solution.bound - solution.objective)).magnitude < 1e-6)
    case .budgetExhausted: #expect(solution.values.isEmpty && truth <= solution.bound + 1e-6)
    default: Issue.record("status \(solution.status) after five nodes")
    }
    let again = try model.solve(.init(nodeBudget: 5, cuts: .none))
    #expect(again.nodes == solution.nodes && again.values == solution.values)
  }

  @Test func wrongIndexIsAnErrorAndTheNextSolveWorks() throws {
    var bad = LinearModel()
    let x = bad.addVariable("x", upper: 4, objective: -1)
    bad.addRow("r", upper: 3, [.init(1, .init(index: 99_999))])
    #expect { try bad.solve() } throws: { ($0 as? DiagnosticError)?.codes == ["bad-linear-model"] }
    // Past our own check GLPK would abort the process; the guard makes it an error with GLPK's text.
    for _ in 0..<3 {
      #expect { try bad.solveUnchecked() } throws: {
        let error = $0 as? DiagnosticError
        return error?.codes == ["solver-fault"] && error?.rendered.contains("out of range") == true
      }
      var good = LinearModel()
      let y = good.addVariable("y", upper: 4, objective: -1)
      good.addRow("r", upper: 3, [.init(1, y)])
      #expect(try good.solve()[y] == 3)
    }
    _ = x
  }

  @Test func refusesBadNumbers() {
    var model = LinearModel()
    let x = model.addVariable("x", lower: 2, upper: 1)
    let y = model.addVariable("y", upper: 1.5, isInteger: true, objective: .nan)
    model.addRow("r", lower: .nan, [.init(.infinity, x), .init(1, y), .init(1, y)])
    #expect { try model.solve() } throws: { ($0 as? DiagnosticError)?.codes.count == 6 }
    #expect { try LinearModel().solve() } throws: { ($0 as? DiagnosticError)?.codes == ["bad-linear-model"] }
  }

  @Test func verifyFindsViolatedRowsAndFractions() {
    let (model, _) = knapsack(weights: [3, 4], values: [1, 1], capacity: 6)
    #expect { try model.verify([1, 1]) } throws: { ($0 as? DiagnosticError)?.codes == ["wrong-solution"] }
    #expect { try model.verify([0.5, 0]) } throws: { ($0 as? DiagnosticError)?.codes == ["wrong-solution"] }
    #expect { try model.verify([2, 0]) } throws: { ($0 as? DiagnosticError)?.codes == ["wrong-solution"] }
    #expect { try model.verify([.nan, 0]) } throws: { $0 is DiagnosticError }
    #expect { try model.verify([0]) } throws: { ($0 as? DiagnosticError)?.codes == ["wrong-solution"] }
  }

  @Test func parallelThreadsAreIndependent() {
    let failures = SharedCount()
    DispatchQueue.concurrentPerform(iterations: 16) { thread in
      var random = SplitMix64(seed: UInt64(thread))
      for _ in 0..<5 {
        let weights = (0..<10).map { _ in 1 + random.next(below: 40) }
        let values = (0..<10).map { _ in 1 + random.next(below: 40) }
        let (model, _) = knapsack(weights: weights, values: values, capacity: 90)
        var bad = model
        bad.addRow("wrong", upper: 1, [.init(1, .init(index: -7))])
        let failed = (try? bad.solveUnchecked()) == nil
        var query = SMTQuery()
        let a = SMTInt.variable("a")
        query.require(3 * a == SMTInt(3 * thread))
        guard failed, let solution = try? model.solve(), Int(solution.objective) == bestKnapsack(weights, values, 90),
          (try? query.solve())?.model?.integer("a") == thread
        else {
          failures.add()
          continue
        }
      }
    }
    #expect(failures.value == 0)
  }
}

/// A count that threads may raise together.
private final class SharedCount: @unchecked Sendable {
  private let queue = DispatchQueue(label: "count")
  private var count = 0
  func add() { queue.sync { count += 1 } }
  var value: Int { queue.sync { count } }
}
