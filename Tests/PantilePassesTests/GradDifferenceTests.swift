import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTensor
import Testing

/// Gradients of every op with a rule against central differences in double precision.
@Suite struct GradDifferenceTests {
  static let unary: [(op: String, low: Double, high: Double)] = [
    ("relu", -1, 1), ("leaky_relu {alpha = 0.3 : f32}", -1, 1), ("sigmoid", -2, 2), ("tanh", -2, 2), ("gelu", -2, 2),
    ("gelu {approximate = \"tanh\"}", -2, 2), ("silu", -2, 2), ("elu {alpha = 0.7 : f32}", -2, 2), ("softplus", -2, 2),
    ("hard_sigmoid", -4, 4), ("hard_swish", -5, 5), ("erf", -1, 1), ("exp", -1, 1), ("log", 0.3, 2), ("sqrt", 0.3, 2),
    ("rsqrt", 0.3, 2), ("reciprocal", 0.3, 2), ("sin", -2, 2), ("cos", -2, 2), ("neg", -1, 1), ("abs", -1, 1),
    ("clamp {min = -0.5 : f32, max = 0.5 : f32}", -1, 1), ("clamp {min = -0.25 : f32}", -1, 1),
    ("clamp {max = 0.25 : f32}", -1, 1),
  ]

  @Test(arguments: 0..<unary.count)
  func functionsOfOneNumber(_ index: Int) throws {
    let item = Self.unary[index]
    try compareWithDifferences(
      GradCase(
        name: item.op.prefix { $0 != " " } + " \(index)", operands: [("a", [3, 5], item.low, item.high)], op: item.op,
        result: [3, 5]))
  }

  @Test(arguments: [
    ("add", [2, 3], [2, 3], [2, 3]), ("sub", [2, 3], [3], [2, 3]), ("mul", [2, 1, 3], [4, 1], [2, 4, 3]),
    ("div", [2, 3], [2, 3], [2, 3]), ("max", [2, 3], [2, 3], [2, 3]), ("min", [3], [2, 3], [2, 3]),
    ("prelu", [2, 3], [3], [2, 3]),
  ])
  func functionsOfTwoNumbers(_ op: String, _ a: [Int], _ b: [Int], _ result: [Int]) throws {
    let low = op == "div" ? 0.4 : -1.0
    try compareWithDifferences(
      GradCase(name: "\(op) \(a)", operands: [("a", a, -1, 1), ("b", b, low, 1)], op: op, result: result))
  }

  @Test(arguments: 0..<24)
  func convolutions(_ seed: Int) throws {
    let item = RandomConvolution(seed: seed)
    for form in ["gemm", "full"] {
      try compareWithDifferences(
        GradCase(
          name: "conv2d \(seed)",
          operands: [("a", item.x, -1, 1), ("w", item.w, -1, 1)] + (seed % 2 == 0 ? [("b", [item.w[0]], -1, 1)] : []),
          op: "conv2d {\(item.attributes)}", result: item.y), options: "input-gradient=\(form)")
    }
  }

  @Test(arguments: 0..<12)
  func transposedConvolutions(_ seed: Int) throws {
    // The forward convolution's shapes read backwards.
    let item = RandomConvolution(seed: 100 + seed)
    var extra: [Int] = []
    for d in 0..<2 {
      let covered = item.strides[d] * (item.y[2 + d] - 1) + item.dilations[d] * (item.w[2 + d] - 1) + 1
      extra.append(item.x[2 + d] + item.pads[d] + item.pads[2 + d] - covered)
    }
    try compareWithDifferences(
      GradCase(
        name: "conv_transpose2d \(seed)",
        operands: [("a", item.y, -1, 1), ("w", item.w, -1, 1), ("b", [item.x[1]], -1, 1)],
        op: "conv_transpose2d {\(item.attributes), output_pads = \(extra)}", result: item.x))
  }

  @Test(arguments: [
    ([3, 4], [4, 5], "", [3, 5]), ([4, 3], [4, 5], "transpose_a = true", [3, 5]),
    ([3, 4], [5, 4], "transpose_b = true", [3, 5]),
    ([4, 3], [5, 4], "transpose_a = true, transpose_b = true", [3, 5]), ([2, 3, 4], [4, 5], "", [2, 3, 5]),
    ([2, 3, 4], [5, 4], "transpose_b = true", [2, 3, 5]),
    ([2, 4, 3], [4, 5], "transpose_a = true", [2, 3, 5]), ([2, 3, 4], [2, 4, 5], "", [2, 3, 5]),
    ([2, 1, 3, 4], [3, 4, 2], "", [2, 3, 3, 2]), ([4], [4, 5], "", [5]), ([3, 4], [4], "", [3]),
    ([2, 3, 4], [4], "", [2, 3]), ([4], [2, 4, 3], "", [2, 3]), ([4], [4], "", []),
  ])
  func products(_ a: [Int], _ b: [Int], _ attributes: String, _ y: [Int]) throws {
    try compareWithDifferences(
      GradCase(
        name: "matmul \(a) \(b) \(attributes)", operands: [("a", a, -1, 1), ("b", b, -1, 1)],
        op: "matmul {\(attributes)}", result: y))
  }

  @Test func denseLayers() throws {
    try compareWithDifferences(
      GradCase(
        name: "fully_connected", operands: [("a", [3, 4], -1, 1), ("w", [5, 4], -1, 1), ("b", [5], -1, 1)],
        op: "fully_connected", result: [3, 5]))
  }

  @Test(arguments: [
    ("max_pool2d", "kernel = [2, 2], strides = [2, 2]", [1, 2, 4, 6], [1, 2, 2, 3]),
    ("max_pool2d", "kernel = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]", [2, 1, 5, 5], [2, 1, 3, 3]),
    ("max_pool2d", "kernel = [3, 2], strides = [2, 1], ceil_mode = true", [1, 1, 6, 4], [1, 1, 3, 3]),
    ("avg_pool2d", "kernel = [2, 2], strides = [2, 2]", [1, 2, 4, 6], [1, 2, 2, 3]),
    ("avg_pool2d", "kernel = [3, 3], strides = [2, 1], pads = [1, 1, 1, 1]", [1, 2, 5, 4], [1, 2, 3, 4]),
    (
      "avg_pool2d", "kernel = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1], count_include_pad = true", [1, 1, 5, 5],
      [1, 1, 3, 3]
    ),
    ("avg_pool2d", "kernel = [3, 2], strides = [2, 1], ceil_mode = true", [1, 1, 6, 4], [1, 1, 3, 3]),
    ("global_avg_pool", "", [2, 3, 4, 2], [2, 3, 1, 1]), ("global_max_pool", "", [2, 3, 4, 2], [2, 3, 1, 1]),
    ("softmax", "axis = 1", [2, 5], [2, 5]), ("softmax", "axis = 0", [4, 3], [4, 3]),
    ("log_softmax", "axis = 1", [2, 5], [2, 5]), ("reduce_sum", "axes = [1], keepdims = false", [2, 3, 2], [2, 2]),
    ("reduce_mean", "axes = [0, 2]", [2, 3, 2], [1, 3, 1]), ("reshape", "shape = [3, 4]", [2, 6], [3, 4]),
    ("transpose", "perm = [2, 0, 1]", [2, 3, 4], [4, 2, 3]),
    ("slice", "starts = [1, 5], ends = [4, 0], steps = [1, -2]", [5, 6], [3, 3]),
    ("slice", "starts = [0, 1], ends = [5, 6], steps = [2, 3]", [5, 6], [3, 2]),
    ("pad", "low = [1, 0], high = [0, 2]", [2, 3], [3, 5]), ("pad", "low = [-1, 1], high = [1, -1]", [3, 3], [3, 3]),
    ("expand", "shape = [2, 3, 4]", [3, 1], [2, 3, 4]), ("tile", "repeats = [2, 3]", [2, 2], [4, 6]),
    ("depth_to_space", "block = 2", [1, 8, 2, 2], [1, 2, 4, 4]),
    ("space_to_depth", "block = 2, order = \"crd\"", [1, 2, 4, 4], [1, 8, 2, 2]),
  ])
  func windowsAndMovements(_ op: String, _ attributes: String, _ x: [Int], _ y: [Int]) throws {
    try compareWithDifferences(
      GradCase(
        name: "\(op) \(attributes)".replacing("\"", with: ""), operands: [("a", x, -1, 1)], op: "\(op) {\(attributes)}",
        result: y))
  }

  @Test(arguments: ["concat {axis = 0}", "concat {axis = 1}"])
  func joins(_ op: String) throws {
    try compareWithDifferences(
      GradCase(
        name: op, operands: [("a", [2, 3], -1, 1), ("b", op.contains("0") ? [4, 3] : [2, 2], -1, 1)], op: op,
        result: op.contains("0") ? [6, 3] : [2, 5]))
  }

  @Test(arguments: [1, 2])
  func normalisations(_ axis: Int) throws {
    let parameter = axis == 1 ? [3, 4] : [4]
    let operands = [("a", [2, 3, 4], -1.0, 1.0), ("s", parameter, 0.5, 1.5), ("b", parameter, -1.0, 1.0)]
    for count in 1...3 {
      try compareWithDifferences(
        GradCase(
          name: "layer_norm \(axis) \(count)", operands: Array(operands.prefix(count)),
          op: "layer_norm {axis = \(axis)}", result: [2, 3, 4]))
    }
    for count in 1...2 {
      try compareWithDifferences(
        GradCase(
          name: "rms_norm \(axis) \(count)", operands: Array(operands.prefix(count)), op: "rms_norm {axis = \(axis)}",
          result: [2, 3, 4]))
    }
  }

  @Test func batchNormalisationIsAffine() throws {
    let text = """
      func.func @main() -> tensor<2x3x2x2xf64> {
        %a = dnn.constant {value = #dnn.seeded<"a", -1.0, 1.0>} : tensor<2x3x2x2xf64>
        %s = dnn.constant {value = #dnn.seeded<"s", 0.5, 1.5>} : tensor<3xf64>
        %b = dnn.constant {value = #dnn.seeded<"b", -1.0, 1.0>} : tensor<3xf64>
        %m = dnn.constant {value = #dnn.seeded<"m", -1.0, 1.0>} : tensor<3xf64>
        %v = dnn.constant {value = #dnn.seeded<"v", 0.5, 1.5>} : tensor<3xf64>
        %y = dnn.batch_norm %a, %s, %b, %m, %v : (tensor<2x3x2x2xf64>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>) -> tensor<2x3x2x2xf64>
        func.return %y : tensor<2x3x2x2xf64>
      }
      """
    try compareTextWithDifferences(text, options: "loss=inner-product parameters=a,s,b")
  }

  @Test func choicesAndPowers() throws {
    let text = """
      func.func @main() -> tensor<2x3xf64> {
        %a = dnn.constant {value = #dnn.seeded<"a", 0.5, 1.5>} : tensor<2x3xf64>
        %b = dnn.constant {value = #dnn.seeded<"b", 0.5, 1.5>} : tensor<3xf64>
        %e = dnn.constant {value = dense<[0.5, 2.0, -1.0]> : tensor<3xf64>} : tensor<3xf64>
        %p = dnn.pow %a, %e : (tensor<2x3xf64>, tensor<3xf64>) -> tensor<2x3xf64>
        %c = dnn.greater %a, %b : (tensor<2x3xf64>, tensor<3xf64>) -> tensor<2x3xi1>
        %y = dnn.select %c, %p, %b : (tensor<2x3xi1>, tensor<2x3xf64>, tensor<3xf64>) -> tensor<2x3xf64>
        func.return %y : tensor<2x3xf64>
      }
      """
    try compareTextWithDifferences(text, options: "loss=inner-product parameters=a,b")
  }

  /// Rounding is passed straight through: the gradient is that of the wide values.
  @Test func castsPassTheGradientOn() throws {
    let text = """
      func.func @main() -> tensor<2x3xf32> {
        %a = dnn.constant {value = #dnn.seeded<"a", -1.0, 1.0>} : tensor<2x3xf32>
        %h = dnn.cast %a {to = bf16} : (tensor<2x3xf32>) -> tensor<2x3xbf16>
        %w = dnn.cast %h {to = f32} : (tensor<2x3xbf16>) -> tensor<2x3xf32>
        %y = dnn.mul %w, %w : tensor<2x3xf32>
        func.return %y : tensor<2x3xf32>
      }
      """
    let step = try MadeStep(text, "loss=inner-product optimizer=none parameters=a")
    let target = HostTensor(shape: [2, 3], values: [Float](repeating: 1, count: 6))
    let gradient = try step.interpreter.run([target] + step.initial)[1]
    // 2·a at the rounded a, rounded once more on its way back.
    for (got, value) in zip(gradient.floats, step.initial[0].converted(to: .bf16).floats) { #expect(got == 2 * value) }
  }

  @Test(arguments: ["mean-squared-error", "softmax-cross-entropy"])
  func losses(_ loss: String) throws {
    let text = """
      func.func @main(%x: tensor<4x3xf64>) -> tensor<4x5xf64> {
        %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<5x3xf64>
        %b = dnn.constant {value = #dnn.seeded<"b", -1.0, 1.0>} : tensor<5xf64>
        %y = dnn.fully_connected %x, %w, %b : (tensor<4x3xf64>, tensor<5x3xf64>, tensor<5xf64>) -> tensor<4x5xf64>
        func.return %y : tensor<4x5xf64>
      }
      """
    try compareTextWithDifferences(text, options: "loss=\(loss)")
  }

  /// Attention, its residual, layer normalisation, and a GELU network: all of a transformer block.
  @Test func transformerBlock() throws {
    let text = """
      func.func @main(%x: tensor<2x3x4xf64>) -> tensor<2x3x4xf64> {
        %g1 = dnn.constant {value = #dnn.seeded<"g1", 0.5, 1.5>} : tensor<4xf64>
        %h1 = dnn.constant {value = #dnn.seeded<"h1", -1.0, 1.0>} : tensor<4xf64>
        %wq = dnn.constant {value = #dnn.seeded<"wq", -1.0, 1.0>} : tensor<4x4xf64>
        %wk = dnn.constant {value = #dnn.seeded<"wk", -1.0, 1.0>} : tensor<4x4xf64>
        %wv = dnn.constant {value = #dnn.seeded<"wv", -1.0, 1.0>} : tensor<4x4xf64>
        %wo = dnn.constant {value = #dnn.seeded<"wo", -1.0, 1.0>} : tensor<4x4xf64>
        %bo = dnn.constant {value = #dnn.seeded<"bo", -1.0, 1.0>} : tensor<4xf64>
        %w1 = dnn.constant {value = #dnn.seeded<"w1", -1.0, 1.0>} : tensor<4x6xf64>
        %b1 = dnn.constant {value = #dnn.seeded<"b1", -1.0, 1.0>} : tensor<6xf64>
        %w2 = dnn.constant {value = #dnn.seeded<"w2", -1.0, 1.0>} : tensor<6x4xf64>
        %half = dnn.constant {value = dense<0.7> : tensor<f64>} : tensor<f64>
        %n = dnn.layer_norm %x, %g1, %h1 {axis = 2} : (tensor<2x3x4xf64>, tensor<4xf64>, tensor<4xf64>) -> tensor<2x3x4xf64>
        %q = dnn.matmul %n, %wq : (tensor<2x3x4xf64>, tensor<4x4xf64>) -> tensor<2x3x4xf64>
        %k = dnn.matmul %n, %wk : (tensor<2x3x4xf64>, tensor<4x4xf64>) -> tensor<2x3x4xf64>
        %v = dnn.matmul %n, %wv : (tensor<2x3x4xf64>, tensor<4x4xf64>) -> tensor<2x3x4xf64>
        %qk = dnn.matmul %q, %k {transpose_b = true} : (tensor<2x3x4xf64>, tensor<2x3x4xf64>) -> tensor<2x3x3xf64>
        %sc = dnn.mul %qk, %half : (tensor<2x3x3xf64>, tensor<f64>) -> tensor<2x3x3xf64>
        %p = dnn.softmax %sc {axis = 2} : tensor<2x3x3xf64>
        %pv = dnn.matmul %p, %v : (tensor<2x3x3xf64>, tensor<2x3x4xf64>) -> tensor<2x3x4xf64>
        %o = dnn.matmul %pv, %wo : (tensor<2x3x4xf64>, tensor<4x4xf64>) -> tensor<2x3x4xf64>
        %ob = dnn.add %o, %bo : (tensor<2x3x4xf64>, tensor<4xf64>) -> tensor<2x3x4xf64>
        %r = dnn.add %x, %ob : tensor<2x3x4xf64>
        %u = dnn.matmul %r, %w1 : (tensor<2x3x4xf64>, tensor<4x6xf64>) -> tensor<2x3x6xf64>
        %ub = dnn.add %u, %b1 : (tensor<2x3x6xf64>, tensor<6xf64>) -> tensor<2x3x6xf64>
        %e = dnn.gelu %ub : tensor<2x3x6xf64>
        %d = dnn.matmul %e, %w2 : (tensor<2x3x6xf64>, tensor<6x4xf64>) -> tensor<2x3x4xf64>
        %y = dnn.add %r, %d : tensor<2x3x4xf64>
        func.return %y : tensor<2x3x4xf64>
      }
      """
    let names = try compareTextWithDifferences(text, options: "loss=mean-squared-error")
    #expect(names == ["g1", "h1", "wq", "wk", "wv", "wo", "bo", "w1", "b1", "w2"])
  }

  /// The gradients of a whole function's parameters; gives their names.
  @discardableResult
  private func compareTextWithDifferences(_ text: String, options: String) throws -> [String] {
    let step = try MadeStep(text, "optimizer=none \(options)")
    var given: [HostTensor] = []
    for (index, type) in try step.arguments.dropLast(step.report.parameters.count).enumerated() {
      let element = try #require(ElementType(type.element))
      given.append(
        SeededValues.tensor(
          name: "given \(index)", shape: type.shape, elementType: element, low: element.isFloat ? -1 : 0,
          high: element.isFloat ? 1 : 3))
    }
    let values = step.initial
    let results = try step.interpreter.run(given + values)
    for (place, value) in values.enumerated() {
      for index in 0..<value.count {
        let h = 1e-5
        func loss(_ shift: Double) throws -> Double {
          var moved = values
          moved[place].withMutableValues(as: Double.self) { $0[index] += shift }
          return try step.interpreter.run(given + moved)[0].double(at: 0)
        }
        let difference = (try loss(h) - loss(-h)) / (2 * h)
        let got = results[1 + place].double(at: index)
        #expect((got - difference).magnitude <= 1e-7, "parameter \(place) element \(index): \(got), \(difference)")
      }
    }
    return step.report.parameters.map(\.name)
  }
}
