import PantilePlan
import PantileProblem
import PantileSolve
import PantileSupport
import Testing

struct WidthProblemTests {
  /// 1 to 6 layers of 1 to 4 widths: errors fall and sizes grow with bits, with some noise; limits anywhere from too tight to idle.
  static func random(_ random: inout SplitMix64) -> WidthProblem {
    let isFree = random.next(below: 3) == 0
    let layers = (0...random.next(below: 6)).map { layer in
      let weights = 1 + random.next(below: 50)
      let widths = [2, 3, 4, 6, 8].shuffled(using: &random).prefix(1 + random.next(below: 4)).sorted()
      return WidthProblem.Layer(
        "l\(layer)",
        choices: widths.map { bits in
          .init(
            bits: bits, cost: isFree ? random.next(below: 1_000) : random.next(below: 50) + 4_000 >> bits,
            storedBits: isFree ? random.next(below: 400) : weights * bits,
            cycles: isFree ? random.next(below: 200) : 20 + weights * ((bits + 1) / 2) + random.next(below: 10))
        })
    }
    var problem = WidthProblem("random", layers: layers)
    func limit(_ amount: (WidthProblem.Choice) -> Int) -> Int? {
      if random.next(below: 5) == 0 { return nil }
      let least = layers.reduce(0) { $0 + ($1.choices.map(amount).min() ?? 0) }
      let most = layers.reduce(0) { $0 + ($1.choices.map(amount).max() ?? 0) }
      return max(0, least - 5) + random.next(below: most - least + 12)
    }
    problem.storedBitsLimit = limit(\.storedBits)
    problem.cycleLimit = limit(\.cycles)
    return problem
  }

  /// All choices within the limits: least cost, then the least bits at it; and the least cycles within the bits.
  private static func exhaustive(_ problem: WidthProblem) -> (cost: Int, bits: Int)? {
    var best: (cost: Int, bits: Int)?
    var choices = problem.layers.map { _ in 0 }
    while true {
      let totals = problem.totals(of: choices)
      if problem.holds(totals), best.map({ (totals.cost, totals.storedBits) < $0 }) ?? true {
        best = (totals.cost, totals.storedBits)
      }
      guard let next = choices.indices.first(where: { choices[$0] + 1 < problem.layers[$0].choices.count }) else {
        return best
      }
      choices[next] += 1
      for index in 0..<next { choices[index] = 0 }
    }
  }

  @Test(arguments: [1 as UInt64, 2, 3]) func equalsExhaustiveSearch(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var solved = 0
    var refused = 0
    var joint = 0
    for number in 0..<150 {
      let problem = Self.random(&random)
      let outcome = try problem.solve()
      let place = Comment(rawValue: "seed \(seed), instance \(number): \(problem)")
      guard let best = Self.exhaustive(problem) else {
        refused += 1
        guard case .infeasible = outcome.status else {
          Issue.record(place)
          continue
        }
        #expect(outcome.assignment == nil, place)
        let certificate = try #require(outcome.certificate, place)
        #expect(certificate.bound == nil, place)
        try certificate.check(outcome.model)
        let shortfall = try #require(outcome.shortfall, place)
        if shortfall.isJoint { joint += 1 }
        // With the limit raised by what is missing there is an assignment again; with one less there is none.
        for (excess, isEnough) in [(shortfall.excess, true), (shortfall.excess - 1, false)] {
          var wider = problem
          switch shortfall.limit {
          case .storedBits:
            wider.storedBitsLimit = shortfall.allowed + excess
            wider.cycleLimit = nil
          case .cycles:
            wider.cycleLimit = shortfall.allowed + excess
            if !shortfall.isJoint { wider.storedBitsLimit = nil }
          }
          #expect((Self.exhaustive(wider) != nil) == isEnough, place)
        }
        continue
      }
      solved += 1
      let found = try #require(outcome.assignment, place)
      try problem.verify(found)
      #expect(found.status == .optimal && found.cost == best.cost && found.lowerBound == best.cost, place)
      #expect(found.storedBits == best.bits, place)
      let certificate = try #require(outcome.certificate, place)
      try certificate.check(outcome.model)
      let bound = try #require(certificate.bound, place)
      #expect(bound.value > Double(best.cost) - 1 && bound.value <= Double(best.cost), place)
      if let greedy = problem.greedy() { #expect(problem.totals(of: greedy).cost >= best.cost, place) }
    }
    #expect(
      solved >= 60 && refused >= 10 && joint >= 1, "\(solved) solved, \(refused) refused, \(joint) by both limits")
  }

  /// 40 layers of 6 widths: within a budget there is an assignment, a bound below it, and a certificate of that bound.
  @Test func smallBudgetLeavesAGap() throws {
    var random = SplitMix64(seed: 7)
    let layers = (0..<40).map { layer in
      let weights = 1_000 + random.next(below: 50_000)
      return WidthProblem.Layer(
        "l\(layer)",
        choices: [2, 3, 4, 5, 6, 8].map { bits in
          .init(
            bits: bits, cost: (1_000_000 + random.next(below: 900_000)) >> (2 * bits), storedBits: weights * bits,
            cycles: weights / 16 * ((bits + 1) / 2) + random.next(below: 500))
        })
    }
    var problem = WidthProblem("large", layers: layers)
    problem.storedBitsLimit = layers.reduce(0) { $0 + $1.choices[2].storedBits }
    problem.cycleLimit = layers.reduce(0) { $0 + $1.choices[2].cycles }
    for budget in [1, 20_000] {
      let outcome = try problem.solve(.init(nodeBudget: budget))
      let found = try #require(outcome.assignment)
      try problem.verify(found)
      let certificate = try #require(outcome.certificate)
      try certificate.check(outcome.model)
      print("40 layers, \(budget) nodes: \(found.status), cost \(found.cost), bound \(found.lowerBound)")
      #expect(found.lowerBound > 0 && found.cost - found.lowerBound <= found.cost / (budget == 1 ? 10 : 20))
    }
  }

  @Test func refusesWhatIsNotWellFormed() {
    let good = WidthProblem.Choice(bits: 4, cost: 1, storedBits: 1, cycles: 1)
    var negative = good
    negative.cost = -1
    for (layers, limit) in [
      ([], nil), ([.init("a", choices: [])], nil), ([.init("a", choices: [good, good])], nil),
      ([.init("a", choices: [negative])], nil), ([.init("a", choices: [good])], -1),
    ] as [([WidthProblem.Layer], Int?)] {
      #expect {
        try WidthProblem("p", layers: layers, cycleLimit: limit).check()
      } throws: {
        ($0 as? DiagnosticError)?.codes == ["bad-width-problem"]
      }
    }
  }

  @Test func refusesWrongAssignments() throws {
    let problem = WidthProblem(
      "p",
      layers: [
        .init(
          "a",
          choices: [
            .init(bits: 2, cost: 9, storedBits: 2, cycles: 1), .init(bits: 4, cost: 1, storedBits: 4, cycles: 2),
          ])
      ], storedBitsLimit: 3)
    let good = WidthAssignment(choices: [0], of: problem, lowerBound: 9)
    try problem.verify(good)
    var wrong = Array(repeating: good, count: 6)
    wrong[0].choices = [1, 0]
    wrong[1].cost = 8
    wrong[2].lowerBound = 8
    wrong[3].status = .feasible(gap: 1)
    wrong[4] = WidthAssignment(choices: [1], of: problem, lowerBound: 1)
    wrong[5].status = .infeasible(binding: "")
    for assignment in wrong {
      #expect {
        try problem.verify(assignment)
      } throws: {
        ($0 as? DiagnosticError)?.codes.first == "wrong-assignment"
      }
    }
  }
}
