import PantilePlan
import PantileProblem
import PantileSupport
import Testing

private func randomPacking(_ random: inout SplitMix64, count: Int, unit: Int = 1) -> PackingProblem {
  var problem = PackingProblem(name: "random", buffers: [], capacity: 0)
  for index in 0..<count {
    let start = random.next(below: 8)
    problem.buffers.append(
      .init(
        "b\(index)", start: start, end: start + 1 + random.next(below: 5), size: unit * (1 + random.next(below: 5)),
        alignment: [1, 1, 2, 4][random.next(below: 4)],
        bankGroup: random.next(below: 3) == 0 ? nil : random.next(below: 2)))
  }
  problem.capacity = problem.maximumLive + unit * random.next(below: 3)
  return problem
}

/// Whether any placement fits: each buffer in turn at each aligned address.
private func fits(_ problem: PackingProblem) -> Bool {
  var offsets = Array(repeating: -1, count: problem.buffers.count)
  func place(_ index: Int) -> Bool {
    if index == offsets.count { return true }
    let buffer = problem.buffers[index]
    for offset in stride(from: 0, through: problem.capacity - buffer.size, by: buffer.alignment) {
      let clash = (0..<index).contains {
        let other = problem.buffers[$0]
        return buffer.overlapsInTime(other) && offset < offsets[$0] + other.size && offsets[$0] < offset + buffer.size
      }
      if clash { continue }
      offsets[index] = offset
      if place(index + 1) { return true }
    }
    return false
  }
  return place(0)
}

struct PackingTests {
  @Test(arguments: 0..<6) func packsWhateverExhaustiveSearchCan(batch: Int) throws {
    for seed in (batch * 20)..<(batch * 20 + 20) {
      var random = SplitMix64(seed: UInt64(seed))
      let problem = randomPacking(&random, count: 3 + random.next(below: 5))
      let outcome = try problem.pack()
      if let solution = outcome.solution { try problem.verify(solution) }
      #expect((outcome.solution != nil) == fits(problem), "seed \(seed): \(outcome)")
      let decided = try PackingMethod.smt.solve(problem)
      #expect((decided.solution != nil) == (outcome.solution != nil), "seed \(seed)")
      if let solution = decided.solution { try problem.verify(solution) }
    }
  }

  @Test func packsManyBuffersNearTheBound() throws {
    for seed in 0..<10 {
      var random = SplitMix64(seed: UInt64(seed))
      var problem = randomPacking(&random, count: 150, unit: 64)
      problem.capacity = problem.maximumLive * 3 / 2
      let solution = try #require(try problem.pack().solution)
      try problem.verify(solution)
      #expect(solution.lowerBound == problem.maximumLive)
      if case .feasible(let gap) = solution.status { #expect(gap == solution.height - solution.lowerBound) }
    }
  }

  @Test func infeasibleNamesStepAndBuffers() throws {
    let problem = PackingProblem(
      name: "tight", buffers: [.init("x", start: 0, end: 3, size: 60), .init("y", start: 2, end: 4, size: 50)],
      capacity: 100)
    guard case .unsolved(.infeasible(let binding), _, _) = try problem.pack() else {
      Issue.record("must be infeasible")
      return
    }
    #expect(binding == "at step 2 'x' (60), 'y' (50) need 110 bytes of 100")
  }

  @Test func fixedBuffersStayAndClashesAreNamed() throws {
    var problem = PackingProblem(
      name: "fixed",
      buffers: [
        .init("io", start: 0, end: 4, size: 16, fixedOffset: 16), .init("a", start: 0, end: 2, size: 16),
        .init("b", start: 0, end: 4, size: 32, alignment: 32),
      ], capacity: 64)
    let solution = try #require(try problem.pack().solution)
    try problem.verify(solution)
    #expect(solution.offsets == [16, 0, 32])
    problem.buffers[1].fixedOffset = 20
    guard case .unsolved(.infeasible(let binding), _, _) = try problem.pack() else {
      Issue.record("must be infeasible")
      return
    }
    #expect(binding.contains("'io' and 'a' are fixed at overlapping addresses"))
  }

  @Test func keepsGroupsInDifferentBanksWhenThereIsRoom() throws {
    let buffers = (0..<6).map { PackingProblem.Buffer("b\($0)", start: 0, end: 4, size: 20, bankGroup: $0 % 2) }
    var problem = PackingProblem(name: "banks", buffers: buffers, capacity: 256, bankBytes: 64)
    let roomy = try #require(try problem.pack().solution)
    try problem.verify(roomy)
    #expect(roomy.bankConflicts == 0)
    problem.capacity = 120
    let tight = try #require(try problem.pack().solution)
    try problem.verify(tight)
    #expect(tight.bankConflicts > 0)
  }

  @Test func emptyProblemIsPacked() throws {
    let solution = try PackingProblem(name: "empty", buffers: [], capacity: 0).pack().solution
    #expect(solution?.height == 0 && solution?.status == .optimal)
  }
}
