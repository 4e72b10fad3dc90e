import PantileSupport

extension ScheduleProblem {
  /// Refuses a problem that is not well formed, with all independent errors.
  ///
  /// - Throws: `bad-schedule-problem`.
  public func check() throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ message: String) {
      if errors.count < 50 { errors.append(Diagnostic("bad-schedule-problem", "'\(name)': \(message)")) }
    }
    if memories.isEmpty { fail("there is no memory") }
    for memory in memories where memory.capacity < 0 || !ProblemLimit.holds(memory.capacity) {
      fail("memory '\(memory.name)' has \(memory.capacity) bytes")
    }
    if let tileBytes, tileBytes < 0 || !ProblemLimit.holds(tileBytes) { fail("the tile buffer has \(tileBytes) bytes") }
    for (index, tensor) in tensors.enumerated() {
      let place = "tensor \(index) '\(tensor.name)'"
      if tensor.bytes < 0 || !ProblemLimit.holds(tensor.bytes) { fail("\(place) has \(tensor.bytes) bytes") }
      if !memories.indices.contains(tensor.memory) {
        fail("\(place) lives in memory \(tensor.memory) of \(memories.count)")
      }
      if tensor.alignment < 1 || !ProblemLimit.holds(tensor.alignment) {
        fail("\(place) has alignment \(tensor.alignment)")
      }
      if let offset = tensor.fixedOffset, offset < 0 || !ProblemLimit.holds(offset) {
        fail("\(place) is fixed at \(offset)")
      }
    }
    checkOps(fail)
    if errors.isEmpty { checkViews(fail) }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }

  private func checkOps(_ fail: (String) -> Void) {
    var producers = [Int?](repeating: nil, count: tensors.count)
    var consumed = [Int?](repeating: nil, count: tensors.count)
    for (index, op) in ops.enumerated() {
      let place = "op \(index) '\(op.name)'"
      for tensor in op.inputs + op.outputs where !tensors.indices.contains(tensor) {
        fail("\(place) names tensor \(tensor) of \(tensors.count)")
      }
      for bytes in op.workspace where bytes < 0 || !ProblemLimit.holds(bytes) {
        fail("\(place) has a workspace of \(bytes) bytes")
      }
      if op.workspace.count > memories.count {
        fail("\(place) has workspace in \(op.workspace.count) memories of \(memories.count)")
      }
      for tensor in op.inputs where tensors.indices.contains(tensor) { consumed[tensor] = consumed[tensor] ?? index }
      for tensor in op.outputs where tensors.indices.contains(tensor) {
        if let other = producers[tensor] {
          fail("tensor '\(tensors[tensor].name)' is made by op \(other) and by op \(index)")
        } else if let reader = consumed[tensor] {
          fail("tensor '\(tensors[tensor].name)' is read by op \(reader), which comes before its maker, op \(index)")
        }
        if tensors[tensor].kind == .input || tensors[tensor].kind == .weight {
          fail(
            "tensor '\(tensors[tensor].name)' is a graph \(tensors[tensor].kind.rawValue) and is made by op \(index)")
        }
        producers[tensor] = index
      }
    }
    for (index, tensor) in tensors.enumerated() where producers[index] == nil && consumed[index] != nil {
      if tensor.kind == .activation || tensor.kind == .output {
        fail("tensor \(index) '\(tensor.name)' is read, has kind '\(tensor.kind.rawValue)', and no op makes it")
      }
    }
  }

  /// In-place pairs and views, once all numbers are in range.
  private func checkViews(_ fail: (String) -> Void) {
    var partOf = [Int?](repeating: nil, count: tensors.count)
    var wholeOf = [Int?](repeating: nil, count: tensors.count)
    for (index, op) in ops.enumerated() where op.role != .compute {
      let place = "\(op.role.rawValue) \(index) '\(op.name)'"
      let (wholes, parts) = op.role == .concatView ? (op.outputs, op.inputs) : (op.inputs, op.outputs)
      guard wholes.count == 1, let whole = wholes.first, !parts.isEmpty else {
        fail("\(place) joins \(parts.count) parts and \(wholes.count) wholes; it must be one whole and some parts")
        continue
      }
      if !op.inPlace.isEmpty || op.workspace.contains(where: { $0 > 0 }) {
        fail("\(place) is a view, and has workspace or in-place pairs")
      }
      let bytes = parts.reduce(0) { saturatingAdd($0, tensors[$1].bytes) }
      if bytes != tensors[whole].bytes {
        fail("\(place): the parts have \(bytes) bytes, '\(tensors[whole].name)' has \(tensors[whole].bytes)")
      }
      if wholeOf[whole] != nil { fail("tensor '\(tensors[whole].name)' is the whole of two views; copy one of them") }
      wholeOf[whole] = index
      for part in parts {
        if partOf[part] != nil { fail("tensor '\(tensors[part].name)' is a part of two views; copy one of them") }
        partOf[part] = index
        if tensors[part].memory != tensors[whole].memory {
          fail("\(place): '\(tensors[part].name)' and '\(tensors[whole].name)' live in different memories")
        }
      }
      for tensor in parts + [whole] where tensors[tensor].isPinned || tensors[tensor].fixedOffset != nil {
        fail("\(place): '\(tensors[tensor].name)' is pinned and belongs to a view")
      }
    }
    for (index, op) in ops.enumerated() {
      var used = Set<Int>()
      for pair in op.inPlace {
        let place = "op \(index) '\(op.name)'"
        guard op.inputs.contains(pair.input), op.outputs.contains(pair.output) else {
          fail("\(place): in-place pair \(pair.input) -> \(pair.output) is no input and output of it")
          continue
        }
        if !used.insert(pair.input).inserted || !used.insert(pair.output).inserted {
          fail("\(place) names a tensor in two in-place pairs")
        }
        let (input, output) = (tensors[pair.input], tensors[pair.output])
        if input.memory != output.memory { fail("\(place): '\(input.name)' and '\(output.name)' live in two memories") }
        if input.isPinned || output.isPinned || input.fixedOffset != nil || output.fixedOffset != nil {
          fail("\(place): in-place pair '\(input.name)' -> '\(output.name)' is pinned")
        }
        for tensor in [pair.input, pair.output] where partOf[tensor] != nil || wholeOf[tensor] != nil {
          fail("\(place): '\(tensors[tensor].name)' belongs to a view and to an in-place pair")
        }
      }
    }
  }
}
