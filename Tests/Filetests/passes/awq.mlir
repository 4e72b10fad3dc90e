// The first channel is far larger than the second: its weights get a factor, the row and the bias before it the divisor; powers of two.
// PASSES: awq{weight-bits=3 grid=2 power-of-two}
func.func @main(%x: tensor<1x1xf32>) -> tensor<1x2xf32> {
  %w = dnn.constant {value = dense<[[64.0], [1.0]]> : tensor<2x1xf32>} : tensor<2x1xf32>
  %b = dnn.constant {value = dense<[64.0, 1.0]> : tensor<2xf32>} : tensor<2xf32>
  %v = dnn.constant {value = dense<[[0.25, 1.0], [0.25, -1.0]]> : tensor<2x2xf32>} : tensor<2x2xf32>
  %1 = dnn.fully_connected %x, %w, %b : (tensor<1x1xf32>, tensor<2x1xf32>, tensor<2xf32>) -> tensor<1x2xf32> loc("first")
  %2 = dnn.relu %1 : tensor<1x2xf32>
  %3 = dnn.fully_connected %2, %v : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("second")
  func.return %3 : tensor<1x2xf32>
}
// CHECK: dense<{{.*}}[3.200000e+01], [4.000000e+00]{{.*}} : tensor<2x1xf32>
// CHECK: dense<{{.*}}3.200000e+01, 4.000000e+00{{.*}} : tensor<2xf32>
// CHECK: dnn.fully_connected {{.*}} loc("first")
// CHECK: dense<{{.*}}[5.000000e-01, 2.500000e-01], [5.000000e-01, -2.500000e-01]{{.*}} : tensor<2x2xf32>
// CHECK: dnn.fully_connected {{.*}} loc("second")
// CHECK: 'first': note: 'dnn.fully_connected' keeps its weights: it reads the network's input [keeps-scales]
// -----
// A clamp at fixed numbers is not the clamp of what is divided.
// PASSES: awq{weight-bits=3}
func.func @main(%x: tensor<1x1xf32>) -> tensor<1x2xf32> {
  %w = dnn.constant {value = dense<[[64.0], [1.0]]> : tensor<2x1xf32>} : tensor<2x1xf32>
  %v = dnn.constant {value = dense<[[0.25, 1.0], [0.25, -1.0]]> : tensor<2x2xf32>} : tensor<2x2xf32>
  %1 = dnn.fully_connected %x, %w : (tensor<1x1xf32>, tensor<2x1xf32>) -> tensor<1x2xf32> loc("first")
  %2 = dnn.clamp %1 {min = 0.0 : f32, max = 6.0 : f32} : tensor<1x2xf32>
  %3 = dnn.fully_connected %2, %v : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("second")
  func.return %3 : tensor<1x2xf32>
}
// CHECK: dense<{{.*}}[6.400000e+01], [1.000000e+00]{{.*}} : tensor<2x1xf32>
// CHECK: dense<{{.*}}[2.500000e-01, 1.000000e+00], [2.500000e-01, -1.000000e+00]{{.*}} : tensor<2x2xf32>
// CHECK: 'second': note: 'dnn.fully_connected' keeps its weights: {{.*}}'dnn.clamp'{{.*}} [keeps-scales]
