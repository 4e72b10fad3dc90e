import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText
import Testing

/// Each rule of each op refuses what breaks it, by code and place.
@Suite struct VerifierTests {
  @Test(arguments: [
    (
      "%y = dnn.conv2d %img, %w {groups = 3} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>",
      "channel-count"
    ),
    (
      "%y = dnn.conv2d %img, %w {groups = 0} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>",
      "attribute-range"
    ),
    (
      "%y = dnn.conv2d %img, %w {strides = [0, 1]} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>",
      "attribute-range"
    ),
    (
      "%y = dnn.conv2d %img, %w {strides = [9223372036854775807, 1]} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>",
      "attribute-range"
    ),
    (
      "%y = dnn.conv2d %img, %w {strides = [1]} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>",
      "attribute-kind"
    ),
    (
      "%y = dnn.conv2d %img, %w {pads = [0, 0, -1, 0]} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>",
      "attribute-range"
    ),
    (
      "%y = dnn.conv2d %img, %w {dilations = [4, 4]} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>",
      "window-size"
    ),
    ("%y = dnn.conv2d %img, %w : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x5x6xf32>", "result-type"),
    (
      "%y = dnn.conv2d %img, %w {input_zero_point = 1} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>",
      "attribute-range"
    ),
    (
      "%y = dnn.conv2d %img, %w, %v : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>, tensor<4xf32>) -> tensor<1x8x6x6xf32>",
      "shape-mismatch"
    ),
    ("%y = dnn.conv2d %img, %q : (tensor<1x4x8x8xf32>, tensor<4xi8>) -> tensor<1x8x6x6xf32>", "rank"),
    ("%y = dnn.conv2d %v, %w : (tensor<4xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>", "rank"),
    ("%y = dnn.conv2d %img, %truth : (tensor<1x4x8x8xf32>, tensor<4xi1>) -> tensor<1x8x6x6xf32>", "operand-type"),
    ("%y = dnn.conv2d %img : (tensor<1x4x8x8xf32>) -> tensor<1x8x6x6xf32>", "operand-count"),
    ("%y = dnn.fully_connected %m, %v : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>", "rank"),
    ("%y = dnn.fully_connected %m, %m3 : (tensor<2x4xf32>, tensor<3x5xf32>) -> tensor<2x3xf32>", "shape-mismatch"),
    ("%y = dnn.matmul %m, %m : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>", "shape-mismatch"),
    (
      "%y = dnn.matmul %v, %m {transpose_a = true, transpose_b = true} : (tensor<4xf32>, tensor<2x4xf32>) -> tensor<2xf32>",
      "rank"
    ),
    ("%y = dnn.matmul %q, %v : (tensor<4xi8>, tensor<4xf32>) -> tensor<f32>", "element-type"),
    ("%y = dnn.add %m, %m3 : (tensor<2x4xf32>, tensor<3x5xf32>) -> tensor<2x4xf32>", "broadcast"),
    ("%y = dnn.add %v, %q : (tensor<4xf32>, tensor<4xi8>) -> tensor<4xf32>", "element-type"),
    ("%y = dnn.and %v, %v : tensor<4xf32>", "operand-type"),
    ("%y = dnn.select %truth, %v, %q : (tensor<4xi1>, tensor<4xf32>, tensor<4xi8>) -> tensor<4xf32>", "element-type"),
    ("%y = dnn.sigmoid %q : tensor<4xi8>", "operand-type"),
    ("%y = dnn.gelu %v {approximate = \"tan\"} : tensor<4xf32>", "attribute-kind"),
    ("%y = dnn.clamp %v {min = 0x7FC00000 : f32} : tensor<4xf32>", "attribute-range"),
    ("%y = dnn.prelu %v, %m : (tensor<4xf32>, tensor<2x4xf32>) -> tensor<4xf32>", "broadcast"),
    ("%y = dnn.cast %v {to = index} : (tensor<4xf32>) -> tensor<4xi8>", "element-type"),
    ("%y = dnn.softmax %v {axis = 1} : tensor<4xf32>", "axis-range"),
    ("%y = dnn.softmax %v {axis = -1} : tensor<4xf32>", "axis-range"),
    ("%y = dnn.softmax %v : tensor<4xf32>", "missing-attribute"),
    (
      "%y = dnn.batch_norm %img, %v, %v, %v, %s : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<f32>) -> tensor<1x4x8x8xf32>",
      "shape-mismatch"
    ),
    ("%y = dnn.layer_norm %v, %m {axis = 0} : (tensor<4xf32>, tensor<2x4xf32>) -> tensor<4xf32>", "broadcast"),
    (
      "%y = dnn.group_norm %img, %v, %v {groups = 3} : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>",
      "channel-count"
    ),
    ("%y = dnn.max_pool2d %img {kernel = [9, 9]} : (tensor<1x4x8x8xf32>) -> tensor<1x4x1x1xf32>", "window-size"),
    ("%y = dnn.max_pool2d %img {kernel = [0, 1]} : (tensor<1x4x8x8xf32>) -> tensor<1x4x1x1xf32>", "window-size"),
    ("%y = dnn.max_pool2d %v {kernel = [1, 1]} : tensor<4xf32>", "rank"),
    ("%y = dnn.global_avg_pool %m : tensor<2x4xf32>", "rank"),
    ("%y = dnn.reduce_sum %m {axes = [0, 0]} : tensor<2x4xf32>", "axis-range"),
    ("%y = dnn.reduce_sum %q {axes = [0], keepdims = false} : (tensor<4xi8>) -> tensor<i8>", "result-type"),
    ("%y = dnn.reshape %m {shape = [3, 3]} : (tensor<2x4xf32>) -> tensor<3x3xf32>", "element-count"),
    ("%y = dnn.reshape %m {shape = [-1, 8]} : (tensor<2x4xf32>) -> tensor<1x8xf32>", "negative-size"),
    (
      "%y = dnn.reshape %m {shape = [4611686018427387904, 4611686018427387904]} : (tensor<2x4xf32>) -> tensor<1x8xf32>",
      "tensor-too-large"
    ),
    ("%y = dnn.transpose %m {perm = [0]} : (tensor<2x4xf32>) -> tensor<2x4xf32>", "axis-range"),
    ("%y = dnn.transpose %m {perm = [1, 1]} : (tensor<2x4xf32>) -> tensor<4x2xf32>", "axis-range"),
    ("%y = dnn.concat %m, %m3 {axis = 0} : (tensor<2x4xf32>, tensor<3x5xf32>) -> tensor<5x4xf32>", "shape-mismatch"),
    ("%y = dnn.concat %m, %v {axis = 0} : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<5x4xf32>", "shape-mismatch"),
    ("%y = dnn.concat {axis = 0} : tensor<4xf32>", "operand-count"),
    ("%y = dnn.slice %v {starts = [5], ends = [4], steps = [1]} : tensor<4xf32>", "slice-range"),
    ("%y = dnn.slice %v {starts = [0], ends = [4], steps = [0]} : tensor<4xf32>", "slice-range"),
    ("%y = dnn.slice %v {starts = [0, 0], ends = [4], steps = [1]} : tensor<4xf32>", "slice-range"),
    ("%y = dnn.pad %v {low = [-5], high = [4]} : (tensor<4xf32>) -> tensor<3xf32>", "pad-range"),
    ("%y = dnn.pad %v {low = [1, 2], high = [4]} : (tensor<4xf32>) -> tensor<3xf32>", "pad-range"),
    ("%y = dnn.expand %v {shape = [2, 3]} : (tensor<4xf32>) -> tensor<2x3xf32>", "broadcast"),
    ("%y = dnn.tile %v {repeats = [-1]} : tensor<4xf32>", "attribute-range"),
    ("%y = dnn.gather %v, %v : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>", "operand-type"),
    ("%y = dnn.quantize %v {scale = array<f32: 0.0>} : (tensor<4xf32>) -> tensor<4xi8>", "attribute-range"),
    (
      "%y = dnn.quantize %v {scale = array<f32: 1.0>, zero_point = array<i32: 200>} : (tensor<4xf32>) -> tensor<4xi8>",
      "attribute-range"
    ),
    (
      "%y = dnn.quantize %v {scale = array<f32: 1.0, 2.0>, axis = 0} : (tensor<4xf32>) -> tensor<4xi8>",
      "parameter-count"
    ),
    ("%y = dnn.quantize %v {scale = array<f32: 1.0>, to = f32} : tensor<4xf32>", "element-type"),
    ("%y = dnn.dequantize %v {scale = array<f32: 1.0>} : tensor<4xf32>", "element-type"),
    ("%y = dnn.requantize %q {multiplier = array<i32: 5>, shift = array<i32: 63>} : tensor<4xi8>", "attribute-range"),
    ("%y = dnn.requantize %q {multiplier = array<i32: -5>, shift = array<i32: 6>} : tensor<4xi8>", "attribute-range"),
    ("%y = dnn.requantize %q {multiplier = array<i32: 5>, shift = array<i32: 6, 7>} : tensor<4xi8>", "parameter-count"),
    (
      "%y = dnn.requantize %q {multiplier = array<i32: 5>, shift = array<i32: 6>, min = 1, max = 0} : tensor<4xi8>",
      "attribute-range"
    ),
    ("%y = dnn.quantized_add %q, %q {a_multiplier = 1, b_multiplier = 1, shift = 0} : tensor<4xi8>", "attribute-range"),
    ("%y = dnn.constant {value = dense<1.0> : tensor<5xf32>} : tensor<4xf32>", "result-type"),
    ("%y = dnn.constant {value = #dnn.seeded<\"w\", 1, 0>} : tensor<4xf32>", "seeded-rule"),
    ("%y = dnn.constant {value = #dnn.seeded<\"w\">} : tensor<4xf32>", "seeded-rule"),
    ("%y = dnn.constant {value = #dnn.seeded<\"w\", 0, 300>} : tensor<4xi8>", "seeded-rule"),
    ("%y = dnn.constant {value = dense_resource<w> : tensor<4xi8>} : tensor<4xf32>", "result-type"),
    ("%y = dnn.conv3d %v : tensor<4xf32>", "unknown-op"),
    ("%y = dnn.relu %v : (tensor<4xf32>) -> tensor<?xf32>", "result-type"),
    ("%y = func.call @nowhere(%v) : (tensor<4xf32>) -> tensor<4xf32>", "unknown-symbol"),
    ("%y = dnn.gather_nd %v, %v : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>", "operand-type"),
    ("%y = dnn.resize %v {shape = [8], scales = [0.0]} : (tensor<4xf32>) -> tensor<8xf32>", "attribute-range"),
    ("%y = dnn.depth_to_space %img {block = 3} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>", "channel-count"),
    ("%y = dnn.argmax %s {axis = 0} : (tensor<f32>) -> tensor<i64>", "axis-range"),
  ])
  func brokenOpIsRefused(_ line: String, _ code: String) {
    let text = """
      func.func @main(%img: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %v: tensor<4xf32>, %m: tensor<2x4xf32>, %m3: tensor<3x5xf32>, %q: tensor<4xi8>, %truth: tensor<4xi1>, %s: tensor<f32>) {
      \(line)
      func.return
      }
      """
    do {
      _ = try Module(verifying: text, path: "t.mlir")
      Issue.record("accepted: \(line)")
    } catch {
      // One cause may show in an operand's and in a result's type.
      #expect(error.codes.first == code, "\(error.rendered)")
      #expect(error.codes.allSatisfy { $0 == code || $0 == "result-type" }, "\(error.rendered)")
      #expect(error.diagnostics[0].location.filePosition?.line == 2)
    }
  }

  @Test(arguments: [
    ("func.func @f() {\n}", "no-terminator"),
    ("func.func @f() -> tensor<4xf32> {\nfunc.return\n}", "return-type"),
    ("func.return", "misplaced"),
    ("func.func private @f()\nfunc.func private @f()", "duplicate-symbol"),
    (
      "\"func.func\"() ({^a(%x: f32): \"func.return\"() : () -> ()}) {sym_name = \"f\", function_type = () -> ()} : () -> ()",
      "argument-type"
    ),
    (
      "\"func.func\"() ({\"func.return\"() : () -> ()}) {sym_name = \"f\", function_type = i32} : () -> ()",
      "attribute-kind"
    ),
  ])
  func brokenFunctionIsRefused(_ text: String, _ code: String) {
    do {
      _ = try Module(verifying: text, path: "t.mlir")
      Issue.record("accepted")
    } catch { #expect(error.codes == [code], "\(error.rendered)") }
  }

  @Test func interpreterRefusesWrongInputsAndAbsentWeights() throws {
    let relu = try Interpreter(Module(verifying: DNN.relu.definition.example, path: "t.mlir"))
    #expect(throws: DiagnosticError.self) { try relu.run([]) }
    #expect(throws: DiagnosticError.self) { try relu.run([.init(scalar: Float(1))]) }
    let absent = """
      func.func @main() -> tensor<4xf32> {
        %w = dnn.constant {value = dense_resource<gone> : tensor<4xf32>} : tensor<4xf32>
        func.return %w : tensor<4xf32>
      }
      """
    let module = try Module(verifying: absent, path: "t.mlir")
    do { _ = try Interpreter(module) } catch { #expect(error.codes == ["missing-weights"]) }
  }
}
