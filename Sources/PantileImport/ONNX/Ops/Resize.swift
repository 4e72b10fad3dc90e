import PantileDialects
import PantileSupport
import PantileTensor
import PantileText

extension ONNXOp {
  /// Resampling, and blocks of space against channels.
  static let resampling: [ONNXOp] = [
    ONNXOp("Resize") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let input = n.shape(x)
      let isOld = n.node.opset < 11
      let mode: ResizeRule.Mode = try n.node.choice("mode", default: .nearest)
      let coordinates: ResizeRule.Coordinates = try n.node.choice(
        "coordinate_transformation_mode", default: isOld ? .asymmetric : .halfPixel)
      let rounding: ResizeRule.Rounding = try n.node.choice("nearest_mode", default: isOld ? .floor : .roundPreferFloor)
      if try n.node.flag("antialias") { throw n.node.unsupported("a resize with antialiasing") }
      var places: [Int] = []
      for entry in try n.node.integers("axes") ?? Array(input.indices) {
        places.append(try n.axis(entry, rank: input.count))
      }
      var scales = [Double](repeating: 1, count: input.count)
      var shape = input
      let givenScales = try n.optionalConstant(isOld ? 1 : 2, "scales")
      let givenSizes = isOld ? nil : try n.optionalConstant(3, "sizes")
      if let sizes = givenSizes, sizes.count > 0 {
        guard sizes.count == places.count, sizes.integers.allSatisfy({ $0 >= 1 }) else {
          throw n.node.error("onnx-input", "sizes \(sizes.integers) for \(places.count) dimensions")
        }
        let factors = zip(sizes.integers, places).map { Double($0) / Double(max(1, input[$1])) }
        let policy = try n.node.string("keep_aspect_ratio_policy", default: "stretch")
        for (i, axis) in places.enumerated() {
          switch policy {
          case "stretch":
            scales[axis] = factors[i]
            shape[axis] = sizes.integers[i]
          case "not_larger", "not_smaller":
            let common = (policy == "not_larger" ? factors.min() : factors.max()) ?? 1
            scales[axis] = common
            shape[axis] = Extents.integer((common * Double(input[axis])).rounded(.toNearestOrAwayFromZero))
          default: throw n.node.error("onnx-attribute", "'keep_aspect_ratio_policy' is '\(policy)'")
          }
        }
      } else if let given = givenScales, given.count > 0 {
        guard given.count == places.count, given.floats.allSatisfy({ $0 > 0 && $0 < 1e6 }) else {
          throw n.node.error("onnx-input", "scales \(given.floats) for \(places.count) dimensions")
        }
        for (i, axis) in places.enumerated() {
          scales[axis] = given.double(at: i)
          shape[axis] = Extents.integer((Double(input[axis]) * scales[axis]).rounded(.down))
        }
      } else {
        throw n.node.error("onnx-input", "neither scales nor sizes")
      }
      guard Extents.count(shape) != nil, shape.allSatisfy({ $0 >= 1 }) else {
        throw n.node.error("tensor-shape", "the resized shape \(shape) is impossible")
      }
      return [
        try n.emit(
          "dnn.resize", [x],
          [
            "shape": .integers(shape), "scales": .array(scales.map { .float($0) }), "mode": .string(mode.rawValue),
            "coordinates": .string(coordinates.rawValue), "rounding": .string(rounding.rawValue),
            "cubic_coefficient": .float(Double(try n.node.float("cubic_coeff_a", default: -0.75))),
            "exclude_outside": .bool(try n.node.flag("exclude_outside")),
          ])
      ]
    },
    ONNXOp("Upsample") { n throws(DiagnosticError) in
      let x = try n.input(0)
      var scales = try n.node.floats("scales") ?? []
      if scales.isEmpty { scales = try n.constant(1, "scales").floats }
      let mode: ResizeRule.Mode = try n.node.choice("mode", default: .nearest)
      guard scales.count == n.rank(x), scales.allSatisfy({ $0 >= 1 && $0 < 1e6 }) else {
        throw n.node.error("onnx-input", "scales \(scales) for \(n.shape(x))")
      }
      let shape = zip(n.shape(x), scales).map { Extents.integer((Double($0) * Double($1)).rounded(.down)) }
      guard Extents.count(shape) != nil else {
        throw n.node.error("tensor-shape", "the resized shape \(shape) is impossible")
      }
      return [
        try n.emit(
          "dnn.resize", [x],
          [
            "shape": .integers(shape), "scales": .array(scales.map { .float(Double($0)) }),
            "mode": .string(mode.rawValue),
            "coordinates": .string("asymmetric"), "rounding": .string("floor"),
          ])
      ]
    },
    ONNXOp("DepthToSpace") { n throws(DiagnosticError) in
      let mode = try n.node.string("mode", default: "DCR").lowercased()
      return [
        try n.emit(
          "dnn.depth_to_space", [try n.input(0)],
          ["block": .integer(try n.node.integer("blocksize", default: 1)), "order": .string(mode)])
      ]
    },
    ONNXOp("SpaceToDepth") { n throws(DiagnosticError) in
      let mode = try n.node.string("mode", default: "DCR").lowercased()
      return [
        try n.emit(
          "dnn.space_to_depth", [try n.input(0)],
          ["block": .integer(try n.node.integer("blocksize", default: 1)), "order": .string(mode)])
      ]
    },
  ]
}
