// Every pattern of `canonicalize` on the least graph that needs it.
// PASSES: canonicalize
func.func @main(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  %a = dnn.reshape %x {shape = [6]} : (tensor<2x3xf32>) -> tensor<6xf32> loc("a")
  %b = dnn.reshape %a {shape = [3, 2]} : (tensor<6xf32>) -> tensor<3x2xf32> loc("b")
  %c = dnn.reshape %b {shape = [3, 2]} : (tensor<3x2xf32>) -> tensor<3x2xf32> loc("c")
  func.return %c : tensor<3x2xf32>
}
// CHECK: func.func @main
// CHECK-NEXT: %b = dnn.reshape %x {shape = [3, 2]}{{.*}}loc(fused["b", "a", "c"])
// CHECK-NEXT: func.return %b
// -----
// PASSES: canonicalize
func.func @main(%x: tensor<2x3x4xf32>) -> tensor<4x2x3xf32> {
  %a = dnn.transpose %x {perm = [1, 0, 2]} : (tensor<2x3x4xf32>) -> tensor<3x2x4xf32>
  %b = dnn.transpose %a {perm = [2, 1, 0]} : (tensor<3x2x4xf32>) -> tensor<4x2x3xf32>
  func.return %b : tensor<4x2x3xf32>
}
// CHECK: %b = dnn.transpose %x {perm = [2, 0, 1]}
// CHECK-NEXT: func.return %b
// -----
// A transpose that moves dimensions of size 1 alone is a reshape.
// PASSES: canonicalize
func.func @main(%x: tensor<1x3x4xf32>) -> tensor<3x4x1xf32> {
  %a = dnn.transpose %x {perm = [1, 2, 0]} : (tensor<1x3x4xf32>) -> tensor<3x4x1xf32>
  func.return %a : tensor<3x4x1xf32>
}
// CHECK: %a = dnn.reshape %x {shape = [3, 4, 1]}
// -----
// PASSES: canonicalize
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = dnn.relu %x : tensor<4xf32>
  %b = dnn.clamp %a {min = -1.0 : f32, max = 6.0 : f32} : tensor<4xf32>
  %c = dnn.relu %b : tensor<4xf32>
  func.return %c : tensor<4xf32>
}
// CHECK: func.func
// CHECK-NEXT: dnn.clamp %x {max = 6.000000e+00 : f32, min = 0.000000e+00 : f32}
// CHECK-NEXT: func.return
// -----
// Ranges that do not meet stay two ops.
// PASSES: canonicalize
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = dnn.clamp %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<4xf32>
  %b = dnn.clamp %a {min = 2.0 : f32, max = 3.0 : f32} : tensor<4xf32>
  func.return %b : tensor<4xf32>
}
// CHECK: %a = dnn.clamp %x
// CHECK-NEXT: %b = dnn.clamp %a
// -----
// PASSES: canonicalize
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %z = dnn.constant {value = dense<0.0> : tensor<f32>} : tensor<f32>
  %s = dnn.constant {value = dense<6.0> : tensor<1xf32>} : tensor<1xf32>
  %a = dnn.max %x, %z : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %b = dnn.min %a, %s : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  func.return %b : tensor<4xf32>
}
// CHECK: func.func
// CHECK-NEXT: %b = dnn.clamp %x {max = 6.000000e+00 : f32, min = 0.000000e+00 : f32}
// CHECK-NEXT: func.return
// -----
// A minimum with a constant that widens the shape stays.
// PASSES: canonicalize
func.func @main(%x: tensor<4xf32>) -> tensor<2x4xf32> {
  %z = dnn.constant {value = dense<0.0> : tensor<2x1xf32>} : tensor<2x1xf32>
  %a = dnn.max %x, %z : (tensor<4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  func.return %a : tensor<2x4xf32>
}
// CHECK: dnn.max
// -----
// PASSES: canonicalize
func.func @main(%x: tensor<1x2x4x4xf32>) -> tensor<1x3x5x4xf32> {
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<3x2x3x3xf32>
  %p = dnn.pad %x {low = [0, 0, 1, 0], high = [0, 0, 2, 1]} : (tensor<1x2x4x4xf32>) -> tensor<1x2x7x5xf32> loc("pad")
  %c = dnn.conv2d %p, %w {pads = [0, 1, 0, 0]} : (tensor<1x2x7x5xf32>, tensor<3x2x3x3xf32>) -> tensor<1x3x5x4xf32> loc("conv")
  func.return %c : tensor<1x3x5x4xf32>
}
// CHECK: %c = dnn.conv2d %x, %w {pads = [1, 1, 2, 1]}{{.*}}loc(fused["conv", "pad"])
// -----
// Padding with another value than the convolution's stays.
// PASSES: canonicalize
func.func @main(%x: tensor<1x2x4x4xf32>) -> tensor<1x3x4x4xf32> {
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<3x2x3x3xf32>
  %p = dnn.pad %x {low = [0, 0, 1, 1], high = [0, 0, 1, 1], value = 1.0 : f32} : (tensor<1x2x4x4xf32>) -> tensor<1x2x6x6xf32>
  %c = dnn.conv2d %p, %w : (tensor<1x2x6x6xf32>, tensor<3x2x3x3xf32>) -> tensor<1x3x4x4xf32>
  func.return %c : tensor<1x3x4x4xf32>
}
// CHECK: dnn.pad
// -----
// PASSES: canonicalize
func.func @main(%x: tensor<2x5x3xf32>) -> tensor<2x5x2xf32> {
  %w = dnn.constant {value = dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>} : tensor<3x2xf32>
  %b = dnn.constant {value = dense<[7.0, 8.0]> : tensor<2xf32>} : tensor<2xf32>
  %m = dnn.matmul %x, %w : (tensor<2x5x3xf32>, tensor<3x2xf32>) -> tensor<2x5x2xf32> loc("m")
  %a = dnn.add %b, %m : (tensor<2xf32>, tensor<2x5x2xf32>) -> tensor<2x5x2xf32> loc("a")
  func.return %a : tensor<2x5x2xf32>
}
// CHECK: %w = dnn.constant {value = dense<{{.*}}[1.000000e+00, 3.000000e+00, 5.000000e+00], [2.000000e+00, 4.000000e+00, 6.000000e+00]{{.*}}> : tensor<2x3xf32>}
// CHECK: dnn.reshape %x {shape = [10, 3]}
// CHECK: dnn.fully_connected %{{.*}}, %w, %b{{.*}}loc(fused["m", "a"])
// CHECK-NEXT: dnn.reshape{{.*}}{shape = [2, 5, 2]}
// CHECK-NEXT: func.return
// -----
// Quantised weights are turned before they are dequantised.
// PASSES: canonicalize
func.func @main(%x: tensor<5x3xf32>) -> tensor<5x2xf32> {
  %w = dnn.constant {value = dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8>} : tensor<3x2xi8>
  %d = dnn.dequantize %w {scale = array<f32: 0.5, 0.25>, axis = 1} : (tensor<3x2xi8>) -> tensor<3x2xf32>
  %m = dnn.matmul %x, %d : (tensor<5x3xf32>, tensor<3x2xf32>) -> tensor<5x2xf32>
  func.return %m : tensor<5x2xf32>
}
// CHECK: %w = dnn.constant {value = dense<{{.*}}[1, 3, 5], [2, 4, 6]{{.*}}tensor<2x3xi8>
// CHECK: dnn.dequantize %w {axis = 0
// CHECK-NEXT: dnn.fully_connected
// -----
// PASSES: canonicalize
func.func @main(%x: tensor<1x2x4x4xf32>) -> tensor<1x2xf32> {
  %m = dnn.reduce_mean %x {axes = [3, 2], keepdims = false} : (tensor<1x2x4x4xf32>) -> tensor<1x2xf32>
  func.return %m : tensor<1x2xf32>
}
// CHECK: dnn.global_avg_pool %x
// CHECK-NEXT: dnn.reshape %{{.*}}{shape = [1, 2]}
// -----
// A mean over one direction of the plane stays.
// PASSES: canonicalize
func.func @main(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4xf32> {
  %m = dnn.reduce_mean %x {axes = [3], keepdims = false} : (tensor<1x2x4x4xf32>) -> tensor<1x2x4xf32>
  func.return %m : tensor<1x2x4xf32>
}
// CHECK: dnn.reduce_mean
// -----
// PASSES: canonicalize
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %z = dnn.constant {value = dense<0.0> : tensor<4xf32>} : tensor<4xf32>
  %o = dnn.constant {value = dense<1.0> : tensor<f32>} : tensor<f32>
  %a = dnn.add %z, %x : tensor<4xf32> loc("a")
  %b = dnn.div %a, %o : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32> loc("b")
  %c = dnn.div %o, %b : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32> loc("c")
  func.return %c : tensor<4xf32>
}
// CHECK: %o = dnn.constant
// CHECK-NEXT: %c = dnn.div %o, %x
// -----
// Taking neighbours by constant indices is a slice; a scalar index drops the axis.
// PASSES: canonicalize
func.func @main(%x: tensor<5x4xf32>) -> (tensor<2x4xf32>, tensor<5xf32>) {
  %i = dnn.constant {value = dense<[-4, 2]> : tensor<2xi64>} : tensor<2xi64>
  %j = dnn.constant {value = dense<3> : tensor<i64>} : tensor<i64>
  %a = dnn.gather %x, %i : (tensor<5x4xf32>, tensor<2xi64>) -> tensor<2x4xf32>
  %b = dnn.gather %x, %j {axis = 1} : (tensor<5x4xf32>, tensor<i64>) -> tensor<5xf32>
  func.return %a, %b : tensor<2x4xf32>, tensor<5xf32>
}
// CHECK: dnn.slice %x {ends = [3, 4], starts = [1, 0], steps = [1, 1]}
// CHECK: dnn.slice %x {ends = [5, 4], starts = [0, 3], steps = [1, 1]}
// CHECK: dnn.reshape
// -----
// Indices that are no neighbours, or out of place, stay.
// PASSES: canonicalize
func.func @main(%x: tensor<5x4xf32>) -> tensor<2x4xf32> {
  %i = dnn.constant {value = dense<[2, 1]> : tensor<2xi64>} : tensor<2xi64>
  %a = dnn.gather %x, %i : (tensor<5x4xf32>, tensor<2xi64>) -> tensor<2x4xf32>
  func.return %a : tensor<2x4xf32>
}
// CHECK: dnn.gather
