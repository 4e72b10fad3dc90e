import PantileDialects
import PantileSupport

extension NodeImport {
  /// The window of a convolution or pooling: one or two spatial dimensions, one seen as one row of two.
  struct Window {
    /// Rows and columns.
    var kernel: [Int]
    var strides: [Int]
    /// Top, left, bottom, right.
    var pads: [Int]
    var dilations: [Int]
    /// P and Q.
    var output: [Int]
  }

  /// Reads `kernel_shape`, `strides`, `pads`, `dilations`, `auto_pad` and `ceil_mode` for an input of `spatial` extents.
  ///
  /// - Parameter spatial: the spatial extents of the input, two of them (the first 1 for a 1-D operator).
  /// - Throws: `onnx-attribute`, `shape-mismatch`.
  func window(spatial: [Int], kernel given: [Int]?, isOneDimensional: Bool) throws(DiagnosticError) -> Window {
    let kernel = try pair("kernel_shape", isOneDimensional) ?? given ?? []
    guard kernel.count == 2, kernel.allSatisfy({ (1...(1 << 20)).contains($0) }) else {
      throw node.error("onnx-attribute", "'kernel_shape' is missing or outside 1 ... 1048576")
    }
    let strides = try pair("strides", isOneDimensional) ?? [1, 1]
    let dilations = try pair("dilations", isOneDimensional) ?? [1, 1]
    guard (strides + dilations).allSatisfy({ (1...(1 << 20)).contains($0) }) else {
      throw node.error("onnx-attribute", "'strides' and 'dilations' must be positive")
    }
    let isCeiling = try node.flag("ceil_mode")
    var pads = [0, 0, 0, 0]
    let rule = try node.string("auto_pad", default: "NOTSET")
    switch rule {
    case "NOTSET":
      if let list = try node.integers("pads") {
        guard list.count == (isOneDimensional ? 2 : 4), list.allSatisfy({ (0...(1 << 20)).contains($0) }) else {
          throw node.error("onnx-attribute", "'pads' is \(list), not \(isOneDimensional ? 2 : 4) counts")
        }
        pads = isOneDimensional ? [0, list[0], 0, list[1]] : list
      }
    case "VALID": break
    case "SAME_UPPER", "SAME_LOWER":
      for d in 0..<2 {
        let out = (spatial[d] + strides[d] - 1) / strides[d]
        let total = max((out - 1) * strides[d] + dilations[d] * (kernel[d] - 1) + 1 - spatial[d], 0)
        let small = total / 2
        pads[d] = rule == "SAME_UPPER" ? small : total - small
        pads[d + 2] = total - pads[d]
      }
    default: throw node.error("onnx-attribute", "'auto_pad' is '\(rule)'")
    }
    var output: [Int] = []
    for d in 0..<2 {
      let room = spatial[d] + pads[d] + pads[d + 2] - dilations[d] * (kernel[d] - 1) - 1
      guard room >= 0 else {
        throw node.error(
          "shape-mismatch",
          "a window of \(kernel) with dilations \(dilations) does not fit into \(spatial) with pads \(pads)")
      }
      var extent = room / strides[d] + 1
      if isCeiling, room % strides[d] != 0, extent * strides[d] < spatial[d] + pads[d] { extent += 1 }
      output.append(extent)
    }
    return Window(kernel: kernel, strides: strides, pads: pads, dilations: dilations, output: output)
  }

  /// An attribute of one number a spatial dimension.
  private func pair(_ key: String, _ isOneDimensional: Bool) throws(DiagnosticError) -> [Int]? {
    guard let list = try node.integers(key) else { return nil }
    guard list.count == (isOneDimensional ? 1 : 2) else {
      throw node.error(
        "onnx-attribute", "'\(key)' has \(list.count) numbers for \(isOneDimensional ? 1 : 2) spatial dimensions")
    }
    return isOneDimensional ? [1, list[0]] : list
  }

  /// `[N, C, L]` seen as `[N, C, 1, L]`; other tensors unchanged.
  /// - Throws: `unsupported-form` unless there are one or two spatial dimensions.
  func planar(_ value: ImportedValue) throws(DiagnosticError) -> ImportedValue {
    let shape = self.shape(value)
    switch shape.count {
    case 3: return try reshape(value, [shape[0], shape[1], 1, shape[2]])
    case 4: return value
    default: throw node.unsupported("\(shape.count - 2) spatial dimensions; one and two are supported")
    }
  }

  /// `planar` undone for a node of one spatial dimension.
  func unplanar(_ value: ImportedValue, isOneDimensional: Bool) throws(DiagnosticError) -> ImportedValue {
    guard isOneDimensional else { return value }
    let shape = self.shape(value)
    return try reshape(value, [shape[0], shape[1], shape[3]])
  }
}
