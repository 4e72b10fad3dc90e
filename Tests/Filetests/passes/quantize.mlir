// Without inputs ranges are made up, and the result says so. Pools and reshapes share the scale of what they read.
// PASSES: quantize
func.func @main(%x: tensor<1x2x4x4xf32>) -> tensor<1x3xf32> {
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<3x8xf32>
  %p = dnn.max_pool2d %x {kernel = [2, 2], strides = [2, 2]} : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32> loc("pool")
  %f = dnn.reshape %p {shape = [1, 8]} : (tensor<1x2x2x2xf32>) -> tensor<1x8xf32> loc("flat")
  %y = dnn.fully_connected %f, %w : (tensor<1x8xf32>, tensor<3x8xf32>) -> tensor<1x3xf32> loc("dense")
  %s = dnn.softmax %y {axis = 1} : tensor<1x3xf32> loc("softmax")
  func.return %s : tensor<1x3xf32>
}
// CHECK: %x_quantized = dnn.quantize %x
// CHECK-NEXT: %x_dequantized = dnn.dequantize %x_quantized
// CHECK: dnn.max_pool2d %x_dequantized
// CHECK-NEXT: %p_quantized = dnn.quantize %p
// CHECK: dnn.reshape %p_dequantized
// CHECK: dnn.dequantize %w_quantized
// CHECK-NEXT: dnn.fully_connected %f_dequantized, %w_dequantized
// CHECK: dnn.softmax %y_dequantized
// CHECK: warning: {{.*}}[synthetic-calibration]
// -----
// A relu behind a contraction stands between it and its quantisation; an addition takes both sides quantised.
// PASSES: quantize
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = dnn.constant {value = dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf32>} : tensor<2x2xf32>
  %y = dnn.fully_connected %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %r = dnn.relu %y : tensor<1x2xf32>
  %a = dnn.add %r, %x : tensor<1x2xf32>
  func.return %a : tensor<1x2xf32>
}
// CHECK: %y = dnn.fully_connected
// CHECK-NEXT: %r = dnn.relu %y
// CHECK-NEXT: %r_quantized = dnn.quantize %r
// CHECK-NEXT: dnn.dequantize
// CHECK-NEXT: dnn.add %r_dequantized, %x_dequantized
// CHECK-NEXT: %a_quantized = dnn.quantize %a
// CHECK-NEXT: dnn.dequantize
// CHECK-NEXT: func.return %a_dequantized
// -----
// Fewer bits are said by the weight's type.
// PASSES: quantize{weight-bits=4}
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = dnn.constant {value = dense<[[0.7, 0.0], [0.2, -0.7]]> : tensor<2x2xf32>} : tensor<2x2xf32>
  %y = dnn.fully_connected %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  func.return %y : tensor<1x2xf32>
}
// CHECK: dnn.constant {value = dense<{{.*}}[7, 0], [2, -7]{{.*}}} : tensor<2x2xi8, #dnn.bits<4>>
