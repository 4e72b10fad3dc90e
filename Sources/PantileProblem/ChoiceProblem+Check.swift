import PantileSupport

extension ChoiceProblem {
  /// Refuses a problem that is not well formed, with all independent errors.
  ///
  /// - Throws: `bad-choice-problem`, `unknown-memory`, `unknown-link`.
  public func check() throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ message: String) { errors.append(Diagnostic("bad-choice-problem", "'\(name)': \(message)")) }
    for link in links
    where link.rate.bytes < 1 || link.rate.cycles < 1 || !ProblemLimit.holds(link.rate.bytes)
      || !ProblemLimit.holds(link.rate.cycles)
    {
      fail("link '\(link.name)' moves \(link.rate.bytes) bytes in \(link.rate.cycles) cycles")
    }
    for memory in memories where memory.capacity < 0 || !ProblemLimit.holds(memory.capacity) {
      fail("memory '\(memory.name)' has \(memory.capacity) bytes")
    }
    for tensor in tensors {
      if tensor.bytes < 0 || !ProblemLimit.holds(tensor.bytes) {
        fail("tensor '\(tensor.name)' has \(tensor.bytes) bytes")
      }
      if !memories.contains(where: { $0.name == tensor.memory }) {
        errors.append(Diagnostic("unknown-memory", "'\(name)': tensor '\(tensor.name)' lives in '\(tensor.memory)'"))
      }
      for link in [tensor.loadLink, tensor.storeLink] {
        if let link, !links.contains(where: { $0.name == link }) {
          errors.append(Diagnostic("unknown-link", "'\(name)': tensor '\(tensor.name)' moves over '\(link)'"))
        }
      }
      if let producer = tensor.producer, !steps.indices.contains(producer) {
        fail("tensor '\(tensor.name)' is made by step \(producer) of \(steps.count)")
      }
      var previous = tensor.producer ?? -1
      for consumer in tensor.consumers {
        if !steps.indices.contains(consumer) || consumer <= previous {
          fail(
            "tensor '\(tensor.name)' has consumer \(consumer) after \(previous); they must ascend below \(steps.count)")
        }
        previous = consumer
      }
    }
    for (index, step) in steps.enumerated() {
      if step.alternatives.isEmpty { fail("step '\(step.name)' has no alternative") }
      for (number, alternative) in step.alternatives.enumerated() {
        let place = "alternative \(number) of step '\(step.name)'"
        if alternative.workingSet.count != memories.count || alternative.busy.count != resources.count
          || alternative.bytes.count != links.count
        {
          fail("\(place) does not have one entry for each memory, resource and link")
        }
        if (alternative.workingSet + alternative.busy + alternative.bytes + [alternative.extraCycles]).contains(where: {
          $0 < 0 || !ProblemLimit.holds($0)
        }) {
          fail("\(place) has a cost that is negative or above 2^50")
        }
        for list in [alternative.residentReads, alternative.residentWrites] where !strictlyAscends(list) {
          fail("\(place) lists tensors \(list), which do not ascend")
        }
        for tensor in alternative.residentReads {
          guard tensors.indices.contains(tensor), tensors[tensor].consumers.contains(index) else {
            fail("\(place) reads tensor \(tensor), of which step \(index) is no consumer")
            continue
          }
          if tensors[tensor].producer == nil, tensors[tensor].loadLink == nil {
            fail("\(place) keeps '\(tensors[tensor].name)', which has neither a producer nor a link to fetch it")
          }
        }
        for tensor in alternative.residentWrites {
          guard tensors.indices.contains(tensor), tensors[tensor].producer == index else {
            fail("\(place) keeps tensor \(tensor), which step \(index) does not make")
            continue
          }
          if tensors[tensor].storeLink == nil {
            fail("tensor '\(tensors[tensor].name)' is kept and has no link to store it")
          }
        }
      }
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }

  private func strictlyAscends(_ list: [Int]) -> Bool { zip(list, list.dropFirst()).allSatisfy { $0 < $1 } }

  /// The last step in which a tensor kept for `kept` consumers occupies its memory, and the first; nil when it never does.
  public func residency(of tensor: Int, kept: Int) -> ClosedRange<Int>? {
    let t = tensors[tensor]
    guard kept > 0, kept <= t.consumers.count else { return nil }
    return (t.producer ?? t.consumers[0])...t.consumers[kept - 1]
  }

  /// Bytes that the residency decisions add to the transfers of each step, indexed step by step, then link.
  public func addedBytes(kept: [Int]) -> [[Int]] {
    var added = Array(repeating: Array(repeating: 0, count: links.count), count: steps.count)
    func add(_ step: Int, _ name: String?, _ bytes: Int) {
      guard let link = links.firstIndex(where: { $0.name == name }) else { return }
      added[step][link] = saturatingAdd(added[step][link], bytes)
    }
    for (tensor, count) in zip(tensors, kept) where count > 0 {
      if let producer = tensor.producer {
        if count < tensor.consumers.count || tensor.kind == .output { add(producer, tensor.storeLink, tensor.bytes) }
      } else {
        add(tensor.consumers[0], tensor.loadLink, tensor.bytes)
      }
    }
    return added
  }

  /// Checks a solution against the meaning of the problem; knows nothing of how it was found.
  ///
  /// - Throws: `wrong-choice` for each alternative whose signature is not what is kept, each memory exceeded in a step, each
  ///   wrong sum, a bound above the cost.
  public func verify(_ solution: ChoiceSolution) throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ message: String) { errors.append(Diagnostic("wrong-choice", "'\(name)': \(message)")) }
    guard solution.choice.count == steps.count, solution.kept.count == tensors.count,
      solution.stepCycles.count == steps.count,
      zip(steps, solution.choice).allSatisfy({ $0.alternatives.indices.contains($1) }),
      zip(tensors, solution.kept).allSatisfy({ $1 >= 0 && $1 <= $0.consumers.count })
    else {
      throw DiagnosticError("wrong-choice", "'\(name)': choices or kept counts do not belong to this problem")
    }
    let added = addedBytes(kept: solution.kept)
    var totalCycles = 0
    var totalBytes = 0
    for (index, step) in steps.enumerated() {
      let alternative = step.alternatives[solution.choice[index]]
      var reads: [Int] = []
      var writes: [Int] = []
      var used = alternative.workingSet
      for (number, tensor) in tensors.enumerated() {
        let kept = solution.kept[number]
        if tensor.consumers.prefix(kept).contains(index) { reads.append(number) }
        if kept > 0, tensor.producer == index { writes.append(number) }
        if let span = residency(of: number, kept: kept), span.contains(index),
          let memory = memories.firstIndex(where: { $0.name == tensor.memory })
        {
          used[memory] = saturatingAdd(used[memory], tensor.bytes)
        }
      }
      if reads != alternative.residentReads {
        fail("step '\(step.name)' reads \(alternative.residentReads) on chip, kept for it are \(reads)")
      }
      if writes != alternative.residentWrites {
        fail("step '\(step.name)' keeps \(alternative.residentWrites), wanted are \(writes)")
      }
      for (memory, bytes) in zip(memories, used) where bytes > memory.capacity {
        fail("step '\(step.name)' needs \(bytes) bytes of '\(memory.name)', which has \(memory.capacity)")
      }
      let cycles = cycles(of: alternative, adding: added[index])
      if cycles != solution.stepCycles[index] {
        fail("step '\(step.name)' takes \(cycles) cycles, stated are \(solution.stepCycles[index])")
      }
      totalCycles = saturatingAdd(totalCycles, cycles)
      totalBytes = (alternative.bytes + added[index]).reduce(totalBytes, saturatingAdd)
    }
    if totalCycles != solution.cycles { fail("the steps take \(totalCycles) cycles, stated are \(solution.cycles)") }
    if totalBytes != solution.bytes { fail("\(totalBytes) bytes move, stated are \(solution.bytes)") }
    if totalCycles < solution.lowerBound {
      fail("takes \(totalCycles) cycles, below the bound \(solution.lowerBound)")
    }
    switch solution.status {
    case .optimal:
      if solution.lowerBound != solution.cycles { fail("is called optimal at a bound of \(solution.lowerBound)") }
    case .feasible(let gap):
      if gap != solution.cycles - solution.lowerBound { fail("states gap \(gap)") }
    case .infeasible, .budgetExhausted: fail("has status '\(solution.status)' and a solution")
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }
}
