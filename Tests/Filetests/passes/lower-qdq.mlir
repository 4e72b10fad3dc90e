// Convolution, bias, clamp: one integer convolution and one requantisation; bounds are 0/0.5-10 and 6/0.5-10.
// PASSES: lower-qdq
func.func @main(%x: tensor<1x1x2x2xi8>) -> tensor<1x2x2x2xi8> {
  %w = dnn.constant {value = dense<[[[[3]]], [[[-4]]]]> : tensor<2x1x1x1xi8>} : tensor<2x1x1x1xi8>
  %b = dnn.constant {value = dense<[5, 6]> : tensor<2xi32>} : tensor<2xi32>
  %xf = dnn.dequantize %x {scale = array<f32: 0.25>, zero_point = array<i32: 7>} : (tensor<1x1x2x2xi8>) -> tensor<1x1x2x2xf32> loc("dx")
  %wf = dnn.dequantize %w {scale = array<f32: 1.0, 0.5>, axis = 0} : (tensor<2x1x1x1xi8>) -> tensor<2x1x1x1xf32> loc("dw")
  %bf = dnn.dequantize %b {scale = array<f32: 0.25, 0.125>, axis = 0} : (tensor<2xi32>) -> tensor<2xf32> loc("db")
  %c = dnn.conv2d %xf, %wf, %bf : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32> loc("conv")
  %r = dnn.clamp %c {min = 0.0 : f32, max = 6.0 : f32} : tensor<1x2x2x2xf32> loc("relu6")
  %q = dnn.quantize %r {scale = array<f32: 0.5>, zero_point = array<i32: -10>} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xi8> loc("q")
  func.return %q : tensor<1x2x2x2xi8>
}
// CHECK: dnn.conv2d %x, %w, %b {input_zero_point = 7}{{.*}}-> tensor<1x2x2x2xi32> loc(fused["conv", "dx", "dw", "db"])
// CHECK-NEXT: %q = dnn.requantize{{.*}}max = 2, min = -10, multiplier = array<i32: 1073741824, 1073741824>, shift = array<i32: 31, 32>, zero_point = -10}{{.*}}loc(fused["relu6", "q"])
// CHECK-NEXT: func.return %q
// -----
// uint8 becomes int8 with zero points less 128; the border stays uint8.
// PASSES: lower-qdq
func.func @main(%x: tensor<1x2xui8>) -> tensor<1x2xui8> {
  %a = dnn.dequantize %x {scale = array<f32: 0.5>, zero_point = array<i32: 100>} : (tensor<1x2xui8>) -> tensor<1x2xf32>
  %s = dnn.add %a, %a : tensor<1x2xf32>
  %q = dnn.quantize %s {scale = array<f32: 1.0>, zero_point = array<i32: 128>, to = ui8} : (tensor<1x2xf32>) -> tensor<1x2xui8>
  func.return %q : tensor<1x2xui8>
}
// CHECK: dnn.dequantize %x
// CHECK-NEXT: %x_signed = dnn.quantize
// CHECK: dnn.quantized_add %x_signed, %x_signed {a_multiplier = 1073741824, a_zero_point = -28, b_multiplier = 1073741824, b_zero_point = -28, shift = 31}
// CHECK: dnn.dequantize
// CHECK-NEXT: dnn.quantize{{.*}}to = ui8
// -----
// Equal parameters: the pair vanishes. Different ones: a change of scale.
// PASSES: lower-qdq
func.func @main(%x: tensor<4xi8>) -> (tensor<4xi8>, tensor<4xi8>, tensor<4xi8>) {
  %a = dnn.dequantize %x {scale = array<f32: 0.5>, zero_point = array<i32: 3>} : (tensor<4xi8>) -> tensor<4xf32>
  %p = dnn.quantize %a {scale = array<f32: 0.5>, zero_point = array<i32: 3>} : (tensor<4xf32>) -> tensor<4xi8>
  %q = dnn.quantize %a {scale = array<f32: 0.25>, zero_point = array<i32: 4>} : (tensor<4xf32>) -> tensor<4xi8>
  %r = dnn.relu %a : tensor<4xf32>
  %s = dnn.quantize %r {scale = array<f32: 0.5>, zero_point = array<i32: 3>} : (tensor<4xf32>) -> tensor<4xi8>
  func.return %p, %q, %s : tensor<4xi8>, tensor<4xi8>, tensor<4xi8>
}
// CHECK: func.func
// CHECK-NEXT: %q = dnn.requantize %x {input_zero_point = 3, multiplier = array<i32: 1073741824>, shift = array<i32: 29>, zero_point = 4}
// CHECK-NEXT: %s = dnn.clamp %x {max = 1.270000e+02 : f32, min = 3.000000e+00 : f32}
// CHECK-NEXT: func.return %x, %q, %s
// -----
// Mean pooling divides in the requantisation; the windows of a strided pool are a depthwise convolution with ones.
// PASSES: lower-qdq
func.func @main(%x: tensor<1x2x4x4xi8>) -> (tensor<1x2x1x1xi8>, tensor<1x2x2x2xi8>) {
  %a = dnn.dequantize %x {scale = array<f32: 0.5>, zero_point = array<i32: 3>} : (tensor<1x2x4x4xi8>) -> tensor<1x2x4x4xf32>
  %g = dnn.global_avg_pool %a : (tensor<1x2x4x4xf32>) -> tensor<1x2x1x1xf32>
  %p = dnn.quantize %g {scale = array<f32: 0.5>} : (tensor<1x2x1x1xf32>) -> tensor<1x2x1x1xi8>
  %m = dnn.avg_pool2d %a {kernel = [2, 2], strides = [2, 2]} : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  %q = dnn.quantize %m {scale = array<f32: 0.5>} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xi8>
  func.return %p, %q : tensor<1x2x1x1xi8>, tensor<1x2x2x2xi8>
}
// CHECK: dnn.reduce_sum %x {axes = [2, 3], input_zero_point = 3}
// CHECK-NEXT: %p = dnn.requantize{{.*}}multiplier = array<i32: 1073741824>, shift = array<i32: 34>
// CHECK: dnn.conv2d %x, %ones {groups = 2, input_zero_point = 3, strides = [2, 2]}
// CHECK-NEXT: %q = dnn.requantize{{.*}}shift = array<i32: 32>
// -----
// Padding makes the divisor change along the image: the pool stays float.
// PASSES: lower-qdq
func.func @main(%x: tensor<1x2x4x4xi8>) -> tensor<1x2x3x3xi8> {
  %a = dnn.dequantize %x {scale = array<f32: 0.5>} : (tensor<1x2x4x4xi8>) -> tensor<1x2x4x4xf32>
  %m = dnn.avg_pool2d %a {kernel = [2, 2], strides = [2, 2], pads = [1, 1, 1, 1]} : (tensor<1x2x4x4xf32>) -> tensor<1x2x3x3xf32>
  %q = dnn.quantize %m {scale = array<f32: 0.5>} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xi8>
  func.return %q : tensor<1x2x3x3xi8>
}
// CHECK: dnn.dequantize
// CHECK-NEXT: dnn.avg_pool2d
// CHECK-NEXT: dnn.quantize
// -----
// Parts of another scale than the result's change theirs before they are joined.
// PASSES: lower-qdq
func.func @main(%x: tensor<1x2xi8>, %y: tensor<1x2xi8>) -> tensor<1x4xi8> {
  %a = dnn.dequantize %x {scale = array<f32: 0.5>} : (tensor<1x2xi8>) -> tensor<1x2xf32>
  %b = dnn.dequantize %y {scale = array<f32: 0.25>} : (tensor<1x2xi8>) -> tensor<1x2xf32>
  %c = dnn.concat %a, %b {axis = 1} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
  %q = dnn.quantize %c {scale = array<f32: 0.5>} : (tensor<1x4xf32>) -> tensor<1x4xi8>
  func.return %q : tensor<1x4xi8>
}
// CHECK: %0 = dnn.requantize %y
// CHECK-NEXT: %q = dnn.concat %x, %0
// -----
// Padding of floats is padding with the quantised value.
// PASSES: lower-qdq
func.func @main(%x: tensor<2xi8>) -> tensor<4xi8> {
  %a = dnn.dequantize %x {scale = array<f32: 0.5>, zero_point = array<i32: 3>} : (tensor<2xi8>) -> tensor<2xf32>
  %p = dnn.pad %a {low = [1], high = [1], value = 2.0 : f32} : (tensor<2xf32>) -> tensor<4xf32>
  %q = dnn.quantize %p {scale = array<f32: 0.5>, zero_point = array<i32: 3>} : (tensor<4xf32>) -> tensor<4xi8>
  func.return %q : tensor<4xi8>
}
// CHECK: func.func
// CHECK-NEXT: %q = dnn.pad %x {high = [1], low = [1], value = 7.000000e+00 : f32}
// CHECK-NEXT: func.return
// -----
// A result that is not quantised is an integer product and its real value, channel by channel.
// PASSES: lower-qdq
func.func @main(%x: tensor<1x2xi8>) -> tensor<1x2xf32> {
  %w = dnn.constant {value = dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>} : tensor<2x2xi8>
  %a = dnn.dequantize %x {scale = array<f32: 0.5>} : (tensor<1x2xi8>) -> tensor<1x2xf32>
  %wf = dnn.dequantize %w {scale = array<f32: 1.0, 0.5>, axis = 0} : (tensor<2x2xi8>) -> tensor<2x2xf32>
  %y = dnn.fully_connected %a, %wf : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  func.return %y : tensor<1x2xf32>
}
// CHECK: dnn.fully_connected %x, %w{{.*}}-> tensor<1x2xi32>
// CHECK-NEXT: dnn.dequantize{{.*}}scale = array<f32: 1.000000e+00>
// CHECK: dnn.mul
// -----
// A float bias and one of another scale are rounded to the accumulator's.
// PASSES: lower-qdq
func.func @main(%x: tensor<1x2xi8>) -> tensor<1x1xi8> {
  %w = dnn.constant {value = dense<[[1, 2]]> : tensor<1x2xi8>} : tensor<1x2xi8>
  %b = dnn.constant {value = dense<[3.1]> : tensor<1xf32>} : tensor<1xf32>
  %a = dnn.dequantize %x {scale = array<f32: 0.5>} : (tensor<1x2xi8>) -> tensor<1x2xf32>
  %wf = dnn.dequantize %w {scale = array<f32: 0.5>} : (tensor<1x2xi8>) -> tensor<1x2xf32>
  %y = dnn.fully_connected %a, %wf, %b : (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xf32>) -> tensor<1x1xf32>
  %q = dnn.quantize %y {scale = array<f32: 0.5>} : (tensor<1x1xf32>) -> tensor<1x1xi8>
  func.return %q : tensor<1x1xi8>
}
// CHECK: dnn.constant {value = dense<12> : tensor<1xi32>}
// -----
// Weights with a zero point cannot run.
// PASSES: lower-qdq
func.func @main(%x: tensor<1x2xi8>) -> tensor<1x1xi8> {
  %w = dnn.constant {value = dense<[[1, 2]]> : tensor<1x2xui8>} : tensor<1x2xui8>
  %a = dnn.dequantize %x {scale = array<f32: 0.5>} : (tensor<1x2xi8>) -> tensor<1x2xf32>
  %wf = dnn.dequantize %w {scale = array<f32: 0.5>, zero_point = array<i32: 130>} : (tensor<1x2xui8>) -> tensor<1x2xf32>
  %y = dnn.fully_connected %a, %wf : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32> loc("dense")
  %q = dnn.quantize %y {scale = array<f32: 0.5>} : (tensor<1x1xf32>) -> tensor<1x1xi8>
  func.return %q : tensor<1x1xi8>
}
// CHECK: 'dense': error: {{.*}}zero point 2{{.*}}[unsupported-weight-zero-point]
// -----
// uint8 weights around 128 are int8 weights around 0.
// PASSES: lower-qdq
func.func @main(%x: tensor<1x2xi8>) -> tensor<1x1xi8> {
  %w = dnn.constant {value = dense<[[129, 126]]> : tensor<1x2xui8>} : tensor<1x2xui8>
  %a = dnn.dequantize %x {scale = array<f32: 0.5>} : (tensor<1x2xi8>) -> tensor<1x2xf32>
  %wf = dnn.dequantize %w {scale = array<f32: 0.5>, zero_point = array<i32: 128>} : (tensor<1x2xui8>) -> tensor<1x2xf32>
  %y = dnn.fully_connected %a, %wf : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
  %q = dnn.quantize %y {scale = array<f32: 0.5>} : (tensor<1x1xf32>) -> tensor<1x1xi8>
  func.return %q : tensor<1x1xi8>
}
// CHECK: dnn.constant {value = dense<{{.*}}[1, -2]{{.*}} : tensor<1x2xi8>}
