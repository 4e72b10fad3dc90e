import PantileIR
import PantileSupport
import PantileTensor
import PantileText

// Pieces of shape rules and verifiers that several ops share.
extension OpSignature {
  /// An operand that may be absent.
  func optionalTensor(_ index: Int) throws(DiagnosticError) -> TensorType? {
    operandTypes.indices.contains(index) ? try tensor(index) : nil
  }

  /// Whether two types are the same once encodings are left away.
  func requireSameElement(_ a: TensorType, _ b: TensorType, _ what: String) throws(DiagnosticError) {
    guard a.element == b.element else {
      throw error("element-type", "\(what) must have one element type but have \(a.element) and \(b.element)")
    }
  }

  /// An axis attribute in `0 ..< limit`.
  /// - Throws: `axis-range`.
  func axis(_ key: String = "axis", rank: Int) throws(DiagnosticError) -> Int {
    let value = try integer(key)
    guard value >= 0, value < rank else {
      throw error("axis-range", "\(key) \(value) is outside of rank \(rank)")
    }
    return value
  }

  /// Axes, distinct and in `0 ..< rank`.
  /// - Throws: `axis-range`.
  func axes(_ key: String, rank: Int) throws(DiagnosticError) -> [Int] {
    let values = try integers(key)
    for (index, value) in values.enumerated() {
      guard value >= 0, value < rank, !values[..<index].contains(value) else {
        throw error("axis-range", "\(key) \(values) must be distinct and within rank \(rank)")
      }
    }
    return values
  }

  /// Integers within a range, so that later arithmetic cannot overflow.
  /// - Throws: `attribute-range`, `parameter-count`.
  func bounded(_ key: String, _ range: ClosedRange<Int>, count: Int? = nil) throws(DiagnosticError) -> [Int] {
    let values = try integers(key)
    if let count, values.count != count {
      throw error("parameter-count", "\(key) has \(values.count) entries but needs \(count)")
    }
    for value in values where !range.contains(value) {
      throw error("attribute-range", "\(key) \(value) is outside of \(range.lowerBound) ... \(range.upperBound)")
    }
    return values
  }

  /// One integer within a range.
  /// - Throws: `attribute-range`.
  func bounded(_ key: String, in range: ClosedRange<Int>) throws(DiagnosticError) -> Int {
    let value = try integer(key)
    guard range.contains(value) else {
      throw error("attribute-range", "\(key) \(value) is outside of \(range.lowerBound) ... \(range.upperBound)")
    }
    return value
  }

  /// A shape with a bounded number of elements.
  func result(_ shape: [Int], _ element: TypeSyntax) throws(DiagnosticError) -> [TypeSyntax] {
    [try TensorType(checked: shape, element, at: location).syntax]
  }

  /// The shape that numpy broadcasting gives.
  /// - Throws: `broadcast`.
  func broadcast(_ a: [Int], _ b: [Int]) throws(DiagnosticError) -> [Int] {
    guard let shape = HostTensor.broadcastShape(a, b) else {
      throw error("broadcast", "shapes \(a) and \(b) do not broadcast")
    }
    return shape
  }

  /// Output extents of a window over the last two dimensions of an input.
  ///
  /// `floor((in + before + after − dilation·(kernel − 1) − 1) / stride) + 1`; with `roundsUp` the division rounds up, but a
  /// window that would start beyond the input and its leading padding is dropped (ONNX `ceil_mode`).
  /// - Throws: `attribute-range`, `window-size`.
  func windowExtents(input: [Int], kernel: [Int], roundsUp: Bool = false) throws(DiagnosticError) -> [Int] {
    let strides = try bounded("strides", 1...1 << 20, count: 2)
    let pads = try bounded("pads", 0...1 << 20, count: 4)
    let dilations = try bounded("dilations", 1...1 << 20, count: 2)
    guard kernel.count == 2 else { throw error("parameter-count", "kernel \(kernel) needs 2 entries") }
    var result: [Int] = []
    for dimension in 0..<2 {
      guard kernel[dimension] >= 1, kernel[dimension] <= 1 << 20 else {
        throw error("window-size", "kernel \(kernel) must be from 1 to 1048576 in each direction")
      }
      let covered = dilations[dimension] * (kernel[dimension] - 1) + 1
      let room = input[dimension] + pads[dimension] + pads[dimension + 2] - covered
      guard room >= 0 else {
        throw error(
          "window-size",
          "a window of \(covered) does not fit the padded input of \(room + covered) in dimension \(dimension)")
      }
      let stride = strides[dimension]
      var extent = room / stride + 1
      if roundsUp, room % stride != 0 {
        extent += 1
        if (extent - 1) * stride >= input[dimension] + pads[dimension] { extent -= 1 }
      }
      result.append(extent)
    }
    return result
  }

  /// `[N, C, H, W]`.
  /// - Throws: `rank`.
  func image(_ index: Int) throws(DiagnosticError) -> TensorType {
    let type = try tensor(index)
    guard type.rank == 4 else { throw error("rank", "operand \(index) must have rank 4 but has \(type.rank)") }
    return type
  }

  /// Operand `index` must have shape `shape` and element type `element`.
  /// - Throws: `shape-mismatch`, `element-type`.
  func require(_ index: Int, _ what: String, shape: [Int], element: TypeSyntax) throws(DiagnosticError) {
    guard let type = try optionalTensor(index) else { return }
    guard type.shape == shape else {
      throw error("shape-mismatch", "\(what) has shape \(type.shape) but needs \(shape)")
    }
    guard type.element == element else {
      throw error("element-type", "\(what) has element type \(type.element) but needs \(element)")
    }
  }

  /// The element type of a contraction's result: that of float operands, i32 for i8 by i8 or i4.
  /// - Throws: `element-type`.
  func contractionElement(_ a: TensorType, _ b: TensorType) throws(DiagnosticError) -> TypeSyntax {
    let left = try ElementType(a.element, at: location)
    let right = try ElementType(b.element, at: location)
    if left.isFloat, left == right { return a.element }
    if left == .i8, right == .i8 || right == .i4 { return .i32 }
    throw error(
      "element-type", "operands must be floats of one type, or i8 by i8 or i4, but are \(a.element) by \(b.element)")
  }

  /// `input_zero_point`: within i8 for integer operands, 0 for floats.
  /// - Throws: `attribute-range`.
  func checkInputZeroPoint(_ x: TensorType) throws(DiagnosticError) {
    let zero = try integer("input_zero_point")
    let range = try ElementType(x.element, at: location).integerRange ?? 0...0
    guard range.contains(zero) else {
      throw error("attribute-range", "input_zero_point \(zero) is outside of \(x.element)")
    }
  }
}

extension AttributeDefinition {
  static let strides = AttributeDefinition(
    "strides", .integers(count: 2), default: .integers([1, 1]), summary: "steps of the window: rows, columns")
  static let pads = AttributeDefinition(
    "pads", .integers(count: 4), default: .integers([0, 0, 0, 0]), summary: "padding: top, left, bottom, right")
  static let dilations = AttributeDefinition(
    "dilations", .integers(count: 2), default: .integers([1, 1]), summary: "distance of neighbouring taps")
  static let inputZeroPoint = AttributeDefinition(
    "input_zero_point", .integer, default: 0, summary: "subtracted from each i8 input value; padding stands for it")
}

extension KernelCall {
  /// The window that strides, pads and dilations describe.
  func window(kernel: [Int]) throws(DiagnosticError) -> Window2D {
    Window2D(
      kernel: kernel, strides: try integers("strides"), pads: try integers("pads"),
      dilations: try integers("dilations"))
  }
}
