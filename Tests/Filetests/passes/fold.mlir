// PASSES: fold-constants
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = dnn.constant {value = dense<[1.0, 4.0]> : tensor<2xf32>} : tensor<2xf32> loc("a")
  %b = dnn.sqrt %a : tensor<2xf32> loc("b")
  %c = dnn.add %x, %b : tensor<2xf32> loc("c")
  func.return %c : tensor<2xf32>
}
// CHECK: func.func
// CHECK-NEXT: %b = dnn.constant {value = dense<[1.000000e+00, 2.000000e+00]>{{.*}}loc("b")
// CHECK-NEXT: %c = dnn.add %x, %b
// -----
// Results above the limit stay.
// PASSES: fold-constants{max-elements=1}
func.func @main() -> tensor<2xf32> {
  %a = dnn.constant {value = dense<[1.0, 4.0]> : tensor<2xf32>} : tensor<2xf32>
  %b = dnn.sqrt %a : tensor<2xf32>
  func.return %b : tensor<2xf32>
}
// CHECK: dnn.sqrt
// -----
// Quantised weights keep their form.
// PASSES: fold-constants
func.func @main() -> tensor<2xf32> {
  %a = dnn.constant {value = dense<[1.0, 4.0]> : tensor<2xf32>} : tensor<2xf32>
  %q = dnn.quantize %a {scale = array<f32: 0.5>} : (tensor<2xf32>) -> tensor<2xi8>
  %d = dnn.dequantize %q {scale = array<f32: 0.5>} : (tensor<2xi8>) -> tensor<2xf32>
  func.return %d : tensor<2xf32>
}
// CHECK: %q = dnn.constant {value = dense<[2, 8]> : tensor<2xi8>}
// CHECK-NEXT: dnn.dequantize %q
// -----
// PASSES: fold-batch-norm
func.func @main(%x: tensor<1x1x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %w = dnn.constant {value = dense<[[[[1.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32>} : tensor<2x1x1x1xf32>
  %s = dnn.constant {value = dense<[2.0, 4.0]> : tensor<2xf32>} : tensor<2xf32>
  %b = dnn.constant {value = dense<[0.5, 0.25]> : tensor<2xf32>} : tensor<2xf32>
  %m = dnn.constant {value = dense<[1.0, 3.0]> : tensor<2xf32>} : tensor<2xf32>
  %v = dnn.constant {value = dense<[4.0, 16.0]> : tensor<2xf32>} : tensor<2xf32>
  %c = dnn.conv2d %x, %w : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32> loc("conv")
  %n = dnn.batch_norm %c, %s, %b, %m, %v {epsilon = 0.0 : f32} : (tensor<1x2x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32> loc("bn")
  func.return %n : tensor<1x2x2x2xf32>
}
// CHECK: func.func
// CHECK-NEXT: dnn.constant {value = dense<{{.*}}1.000000e+00{{.*}}2.000000e+00{{.*}} : tensor<2x1x1x1xf32>}
// CHECK-NEXT: dnn.constant {value = dense<[-5.000000e-01, -2.750000e+00]> : tensor<2xf32>}
// CHECK-NEXT: dnn.conv2d %x, {{.*}}loc(fused["conv", "bn"])
// CHECK-NEXT: func.return
// -----
// Without a contraction before it: a multiplication and an addition.
// PASSES: fold-batch-norm
func.func @main(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %s = dnn.constant {value = dense<[2.0, 4.0]> : tensor<2xf32>} : tensor<2xf32>
  %b = dnn.constant {value = dense<[0.5, 0.25]> : tensor<2xf32>} : tensor<2xf32>
  %v = dnn.constant {value = dense<[4.0, 16.0]> : tensor<2xf32>} : tensor<2xf32>
  %n = dnn.batch_norm %x, %s, %b, %b, %v {epsilon = 0.0 : f32} : (tensor<1x2x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32> loc("bn")
  func.return %n : tensor<1x2x2x2xf32>
}
// CHECK: dnn.mul %x, {{.*}}loc("bn")
// CHECK: dnn.add {{.*}}loc("bn")
// CHECK-NOT: dnn.batch_norm
// -----
// A convolution that others read keeps its weights.
// PASSES: fold-batch-norm
func.func @main(%x: tensor<1x1x2x2xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %w = dnn.constant {value = dense<1.0> : tensor<2x1x1x1xf32>} : tensor<2x1x1x1xf32>
  %s = dnn.constant {value = dense<[2.0, 4.0]> : tensor<2xf32>} : tensor<2xf32>
  %c = dnn.conv2d %x, %w : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  %n = dnn.batch_norm %c, %s, %s, %s, %s : (tensor<1x2x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  func.return %c, %n : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}
// CHECK: %c = dnn.conv2d %x, %w
// CHECK: dnn.mul %c
