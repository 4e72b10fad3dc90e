// Two of each four input channels stay; of equal magnitudes the lower channel.
// PASSES: prune-nm{all}
func.func @main(%x: tensor<1x6xf32>) -> tensor<1x1xf32> {
  %w = dnn.constant {value = dense<[[1.0, -3.0, 2.0, -2.0, 0.5, 0.0]]> : tensor<1x6xf32>} : tensor<1x6xf32>
  %y = dnn.fully_connected %x, %w : (tensor<1x6xf32>, tensor<1x6xf32>) -> tensor<1x1xf32> loc("dense")
  func.return %y : tensor<1x1xf32>
}
// CHECK: dnn.constant {value = dense<{{.*}}[0.000000e+00, -3.000000e+00, 2.000000e+00, 0.000000e+00, 5.000000e-01, 0.000000e+00]{{.*}} : tensor<1x6xf32, #dnn.nm<2:4>>
// CHECK: 'dense': note: 'dense' pruned to 2:4: retained energy 72.6 % [nm-pruned]
// -----
// PASSES: prune-nm
func.func @main(%x: tensor<1x6xf32>) -> tensor<1x1xf32> {
  %w = dnn.constant {value = dense<[[1.0, -3.0, 2.0, -2.0, 0.5, 0.0]]> : tensor<1x6xf32>} : tensor<1x6xf32>
  %y = dnn.fully_connected %x, %w : (tensor<1x6xf32>, tensor<1x6xf32>) -> tensor<1x1xf32> loc("dense")
  func.return %y : tensor<1x1xf32>
}
// CHECK-NOT: #dnn.nm
// CHECK: 'dense': note: 'dense' stays dense: it is the first contraction, which sees raw inputs [nm-dense]
