import PantileSupport
import PantileTensor
import PantileText

extension ONNXOp {
  /// Convolutions of one or two spatial dimensions.
  static let convolutions: [ONNXOp] = [
    ONNXOp("Conv") { n throws(DiagnosticError) in
      let isOneDimensional = n.rank(try n.input(0)) == 3
      let x = try n.planar(try n.input(0))
      let w = try n.planar(try n.input(1))
      let kernel = Array(n.shape(w).suffix(2))
      let window = try n.window(
        spatial: Array(n.shape(x).suffix(2)), kernel: kernel, isOneDimensional: isOneDimensional)
      guard window.kernel == kernel else {
        throw n.node.error(
          "shape-mismatch", "'kernel_shape' \(window.kernel) disagrees with weights of shape \(n.shape(w))")
      }
      var operands = [x, w]
      if let bias = n.optional(2) { operands.append(bias) }
      let y = try n.emit(
        "dnn.conv2d", operands,
        [
          "strides": .integers(window.strides), "pads": .integers(window.pads),
          "dilations": .integers(window.dilations), "groups": .integer(try n.node.integer("group", default: 1)),
        ])
      return [try n.unplanar(y, isOneDimensional: isOneDimensional)]
    },
    ONNXOp("ConvTranspose") { n throws(DiagnosticError) in
      let isOneDimensional = n.rank(try n.input(0)) == 3
      let x = try n.planar(try n.input(0))
      let w = try n.planar(try n.input(1))
      let kernel = Array(n.shape(w).suffix(2))
      let rank = isOneDimensional ? 1 : 2
      func pair(_ key: String, _ fallback: Int) throws(DiagnosticError) -> [Int] {
        let list = try n.node.integers(key) ?? [Int](repeating: fallback, count: rank)
        guard list.count == rank, list.allSatisfy({ $0 >= 0 && $0 <= 1 << 20 }) else {
          throw n.node.error("onnx-attribute", "'\(key)' is \(list), not \(rank) counts")
        }
        return isOneDimensional ? [fallback, list[0]] : list
      }
      let strides = try pair("strides", 1)
      let dilations = try pair("dilations", 1)
      var extra = try pair("output_padding", 0)
      var pads = [0, 0, 0, 0]
      let rule = try n.node.string("auto_pad", default: "NOTSET")
      guard kernel.allSatisfy({ $0 <= 1 << 20 }), n.shape(x).suffix(2).allSatisfy({ (1...(1 << 32)).contains($0) })
      else {
        throw n.node.error("shape-mismatch", "weights of shape \(n.shape(w)) on an input of shape \(n.shape(x))")
      }
      let isSame = rule == "SAME_UPPER" || rule == "SAME_LOWER"
      let input = Array(n.shape(x).suffix(2))
      let full = (0..<2).map { (d: Int) -> Int in
        let covered = dilations[d] * (kernel[d] - 1) + 1
        return (input[d] - 1) * strides[d] + covered + extra[d]
      }
      var wanted: [Int]?
      if n.node.has("output_shape") {
        wanted = try pair("output_shape", 1)
      } else if isSame {
        wanted = (0..<2).map { input[$0] * strides[$0] }
      }
      if let wanted {
        for d in 0..<2 {
          // A larger output than the windows reach is filled up at the end.
          if wanted[d] > full[d] { extra[d] += wanted[d] - full[d] }
          let total = max(full[d] - wanted[d], 0)
          let small = total / 2
          // The operator puts the odd row first unless it is told SAME_UPPER.
          pads[d] = rule == "SAME_UPPER" ? small : total - small
          pads[d + 2] = total - pads[d]
        }
      } else if let list = try n.node.integers("pads") {
        guard list.count == 2 * rank, list.allSatisfy({ (0...(1 << 20)).contains($0) }) else {
          throw n.node.error("onnx-attribute", "'pads' is \(list)")
        }
        pads = isOneDimensional ? [0, list[0], 0, list[1]] : list
      }
      var operands = [x, w]
      if let bias = n.optional(2) { operands.append(bias) }
      let y = try n.emit(
        "dnn.conv_transpose2d", operands,
        [
          "strides": .integers(strides), "pads": .integers(pads), "dilations": .integers(dilations),
          "output_pads": .integers(extra), "groups": .integer(try n.node.integer("group", default: 1)),
        ])
      return [try n.unplanar(y, isOneDimensional: isOneDimensional)]
    },
  ]
}
