import PantileSupport
import PantileTensor
import PantileText

extension NodeImport {
  /// Axes from an attribute in old operator sets, from an input in new ones.
  func axesList(attribute key: String, input index: Int) throws(DiagnosticError) -> [Int]? {
    if let list = try node.integers(key) { return list }
    return try optionalConstant(index, key)?.integers
  }
}

extension NodeImport {
  /// Elements `starts[i], starts[i] + steps[i], …` before `ends[i]` along each dimension; an end of −1 with a negative
  /// step takes the first element too.
  func slice(
    _ x: ImportedValue, starts: [Int], ends: [Int], steps: [Int]
  ) throws(DiagnosticError) -> ImportedValue {
    if starts.allSatisfy({ $0 == 0 }), steps.allSatisfy({ $0 == 1 }), ends == shape(x) { return x }
    return try emit(
      "dnn.slice", [x], ["starts": .integers(starts), "ends": .integers(ends), "steps": .integers(steps)])
  }

  func pad(
    _ x: ImportedValue, low: [Int], high: [Int], mode: String, value: Double
  ) throws(DiagnosticError) -> ImportedValue {
    let filler: AttributeSyntax = elementType(x).isFloat ? .float32(Float(value)) : .integer(Extents.integer(value))
    return try emit(
      "dnn.pad", [x], ["low": .integers(low), "high": .integers(high), "mode": .string(mode), "value": filler])
  }

  func expand(_ x: ImportedValue, _ shape: [Int]) throws(DiagnosticError) -> ImportedValue {
    if self.shape(x) == shape { return x }
    return try emit("dnn.expand", [x], ["shape": .integers(shape)])
  }
}

extension ONNXOp {
  /// Operators that move or reinterpret elements.
  static let shapes: [ONNXOp] = [
    ONNXOp("Reshape") { n throws(DiagnosticError) in
      let x = try n.input(0)
      var wanted = try n.node.integers("shape") ?? []
      if !n.node.has("shape") { wanted = try n.constant(1, "shape").integers }
      let keepsZero = try n.node.flag("allowzero")
      let input = n.shape(x)
      var shape: [Int] = []
      for (i, extent) in wanted.enumerated() {
        if extent == 0, !keepsZero {
          guard i < input.count else {
            throw n.node.error("shape-mismatch", "dimension \(i) of \(input) does not exist")
          }
          shape.append(input[i])
        } else {
          guard extent >= -1, extent <= 1 << 40 else {
            throw n.node.error("shape-mismatch", "extent \(extent) in \(wanted)")
          }
          shape.append(extent)
        }
      }
      let open = shape.indices.filter { shape[$0] == -1 }
      guard open.count <= 1 else {
        throw n.node.error("shape-mismatch", "the shape \(wanted) leaves more than one extent open")
      }
      if let place = open.first {
        var rest = 1
        for extent in shape where extent != -1 {
          let (product, overflow) = rest.multipliedReportingOverflow(by: extent)
          guard !overflow else { throw n.node.error("shape-mismatch", "the shape \(wanted) is impossible") }
          rest = product
        }
        let count = input.reduce(1, *)
        guard rest > 0, count % rest == 0 else {
          throw n.node.error("shape-mismatch", "\(count) elements of \(input) do not fill the shape \(wanted)")
        }
        shape[place] = count / rest
      }
      return [try n.reshape(x, shape)]
    },
    ONNXOp("Flatten") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let shape = n.shape(x)
      var axis = try n.node.integer("axis", default: 1)
      if axis < 0 { axis += shape.count }
      guard (0...shape.count).contains(axis) else { throw n.node.error("axis-range", "axis \(axis) of \(shape)") }
      return [try n.reshape(x, [shape[..<axis].reduce(1, *), shape[axis...].reduce(1, *)])]
    },
    ONNXOp("Squeeze") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let shape = n.shape(x)
      var dropped = shape.indices.filter { shape[$0] == 1 }
      if let list = try n.axesList(attribute: "axes", input: 1) { dropped = try n.axes(list, rank: shape.count) }
      if let wrong = dropped.first(where: { shape[$0] != 1 }) {
        throw n.node.error("shape-mismatch", "dimension \(wrong) of \(shape) is not 1")
      }
      return [try n.reshape(x, shape.indices.filter { !dropped.contains($0) }.map { shape[$0] })]
    },
    ONNXOp("Unsqueeze") { n throws(DiagnosticError) in
      let x = try n.input(0)
      guard let list = try n.axesList(attribute: "axes", input: 1) else {
        throw n.node.error("onnx-input", "the axes are missing")
      }
      let new = try n.axes(list, rank: n.rank(x) + list.count)
      var rest = n.shape(x)[...]
      var shape: [Int] = []
      for i in 0..<(n.rank(x) + list.count) { shape.append(new.contains(i) ? 1 : rest.removeFirst()) }
      return [try n.reshape(x, shape)]
    },
    ONNXOp("Transpose") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let permutation = try n.node.integers("perm", default: Array((0..<n.rank(x)).reversed()))
      guard permutation.sorted() == Array(0..<n.rank(x)) else {
        throw n.node.error("onnx-attribute", "'perm' \(permutation) does not permute \(n.rank(x)) dimensions")
      }
      return [try n.transpose(x, permutation)]
    },
    ONNXOp("Concat") { n throws(DiagnosticError) in
      var parts: [ImportedValue] = []
      for i in n.inputs.indices { parts.append(try n.input(i)) }
      guard let first = parts.first else { throw n.node.error("onnx-input", "nothing to join") }
      let axis = try n.axis(try n.node.integer("axis", default: 0), rank: n.rank(first))
      if parts.count == 1 { return [first] }
      return [try n.emit("dnn.concat", parts, ["axis": .integer(axis)])]
    },
    ONNXOp("Split") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let axis = try n.axis(try n.node.integer("axis", default: 0), rank: n.rank(x))
      let extent = n.shape(x)[axis]
      let count = n.node.node.output.count
      var sizes: [Int]
      if let list = try n.axesList(attribute: "split", input: 1) {
        sizes = list
      } else {
        let part = (extent + count - 1) / max(count, 1)
        sizes = (0..<count).map { max(0, min(part, extent - $0 * part)) }
      }
      guard sizes.count == count, sizes.allSatisfy({ (0...extent).contains($0) }), sizes.reduce(0, +) == extent else {
        throw n.node.error("shape-mismatch", "parts \(sizes) for \(count) outputs of an extent of \(extent)")
      }
      var start = 0
      var results: [ImportedValue] = []
      for size in sizes {
        var starts = [Int](repeating: 0, count: n.rank(x))
        var ends = n.shape(x)
        starts[axis] = start
        ends[axis] = start + size
        start += size
        results.append(try n.slice(x, starts: starts, ends: ends, steps: starts.map { _ in 1 }))
      }
      return results
    },
    ONNXOp("Slice") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let shape = n.shape(x)
      let isOld = n.node.opset < 10
      let givenStarts = isOld ? try n.node.integers("starts", default: []) : try n.constant(1, "starts").integers
      let givenEnds = isOld ? try n.node.integers("ends", default: []) : try n.constant(2, "ends").integers
      let givenAxes = isOld ? try n.node.integers("axes") : try n.optionalConstant(3, "axes")?.integers
      let givenSteps = isOld ? nil : try n.optionalConstant(4, "steps")?.integers
      let places = givenAxes ?? Array(givenStarts.indices)
      let given = givenSteps ?? givenStarts.map { _ in 1 }
      guard givenStarts.count == givenEnds.count, places.count == givenStarts.count, given.count == givenStarts.count
      else {
        throw n.node.error("onnx-input", "starts, ends, axes and steps differ in length")
      }
      var starts = [Int](repeating: 0, count: shape.count)
      var ends = shape
      var steps = [Int](repeating: 1, count: shape.count)
      for (i, entry) in places.enumerated() {
        let axis = try n.axis(entry, rank: shape.count)
        let extent = shape[axis]
        let step = given[i]
        guard step != 0 else { throw n.node.error("onnx-input", "a step of 0") }
        func place(_ value: Int) -> Int { value < 0 ? value.addingReportingOverflow(extent).partialValue : value }
        if step > 0 {
          starts[axis] = min(max(place(givenStarts[i]), 0), extent)
          ends[axis] = max(min(max(place(givenEnds[i]), 0), extent), starts[axis])
        } else {
          starts[axis] = min(max(place(givenStarts[i]), 0), extent - 1)
          ends[axis] = min(max(min(place(givenEnds[i]), extent - 1), -1), starts[axis])
        }
        // Beyond the largest step that the op takes; one element remains either way.
        steps[axis] = min(max(step, -(1 << 40)), 1 << 40)
      }
      return [try n.slice(x, starts: starts, ends: ends, steps: steps)]
    },
    ONNXOp("Expand") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let wanted = try n.constant(1, "shape").integers
      guard let shape = HostTensor.broadcastShape(n.shape(x), wanted), Extents.count(shape) != nil
      else {
        throw n.node.error("shape-mismatch", "\(n.shape(x)) does not expand to \(wanted)")
      }
      return [try n.expand(x, shape)]
    },
    ONNXOp("Tile") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let repeats = try n.constant(1, "repeats").integers
      guard repeats.count == n.rank(x), repeats.allSatisfy({ (0...Extents.largestCount).contains($0) }) else {
        throw n.node.error("shape-mismatch", "repeats \(repeats) for \(n.shape(x))")
      }
      // Refused here, because the op's own rule multiplies.
      let shape = zip(repeats, n.shape(x)).map { $0.multipliedReportingOverflow(by: $1) }
      guard !shape.contains(where: \.overflow), Extents.count(shape.map(\.partialValue)) != nil else {
        throw n.node.error("tensor-shape", "repeats \(repeats) make an impossible size")
      }
      return [try n.emit("dnn.tile", [x], ["repeats": .integers(repeats)])]
    },
    ONNXOp("Pad") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let rank = n.rank(x)
      let isOld = n.node.opset < 11
      let list = isOld ? try n.node.integers("pads", default: []) : try n.constant(1, "pads").integers
      var value = 0.0
      if isOld {
        value = Double(try n.node.float("value", default: 0))
      } else if let given = try n.optionalConstant(2, "value"), given.count > 0 {
        value = given.double(at: 0)
      }
      let places = try n.optionalConstant(3, "axes").map { $0.integers } ?? Array(0..<rank)
      guard list.count == 2 * places.count, list.allSatisfy({ $0.magnitude < 1 << 30 }) else {
        throw n.node.error("onnx-input", "pads \(list) for \(places.count) dimensions")
      }
      var low = [Int](repeating: 0, count: rank)
      var high = low
      for (i, entry) in places.enumerated() {
        let axis = try n.axis(entry, rank: rank)
        low[axis] = list[i]
        high[axis] = list[i + places.count]
      }
      let mode = try n.node.string("mode", default: "constant")
      if (low + high).allSatisfy({ $0 == 0 }) { return [x] }
      return [try n.pad(x, low: low, high: high, mode: mode, value: value)]
    },
  ]
}
