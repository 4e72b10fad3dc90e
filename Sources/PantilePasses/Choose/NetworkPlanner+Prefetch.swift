import PantileProblem

extension NetworkPlanner {
  /// Gives buffers of constants their room before their step begins, where the bytes are there.
  ///
  /// Room is taken in the step before, or in all steps back to the nearest that loads something: until then the load queue has
  /// nothing else to do. The buffers of a step begin together, since their loads follow one another.
  /// - Parameter constants: by step, the buffers that hold constants: name, and index in `buffers`.
  /// - Returns: whether anything is prefetched.
  func prefetch(
    _ constants: [[(name: String, buffer: Int)]], _ buffers: inout [PackingProblem.Buffer],
    _ choices: inout [StepChoice]
  ) -> Bool {
    var free = choices.indices.map { step in
      buffers.reduce(machine.scratchpadBytes) { $1.start <= step && step < $1.end ? $0 - $1.size : $0 }
    }
    var isAny = false
    for step in choices.indices.dropFirst() {
      var start = step - 1
      while start > 0, !loads(start, choices[start]) { start -= 1 }
      for constant in constants[step] {
        let size = buffers[constant.buffer].size
        if choices[step].prefetched.isEmpty {
          while start < step, free[start..<step].contains(where: { $0 < size }) { start += 1 }
        }
        guard start < step, free[start..<step].allSatisfy({ $0 >= size }) else { continue }
        buffers[constant.buffer].start = start
        for taken in start..<step { free[taken] -= size }
        choices[step].prefetched.insert(constant.name)
        choices[step].prefetchStart = start
        isAny = true
      }
    }
    return isAny
  }

  private func loads(_ step: Int, _ choice: StepChoice) -> Bool {
    graph.steps[step].buffers(choice, in: graph).contains { $0.content != .result }
  }
}
