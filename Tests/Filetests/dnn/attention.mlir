// Scaled dot products of two heads over five tokens.
func.func @main(%q: tensor<1x2x5x8xf32>, %k: tensor<1x2x5x8xf32>, %v: tensor<1x2x5x8xf32>) -> tensor<1x5x16xf32> {
  %s = dnn.matmul %q, %k {transpose_b = true} : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x5x5xf32>
  %c = dnn.constant {value = dense<0.353553> : tensor<f32>} : tensor<f32>
  %t = dnn.mul %s, %c : (tensor<1x2x5x5xf32>, tensor<f32>) -> tensor<1x2x5x5xf32>
  %p = dnn.softmax %t {axis = 3} : tensor<1x2x5x5xf32>
  %o = dnn.matmul %p, %v : (tensor<1x2x5x5xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  %r = dnn.transpose %o {perm = [0, 2, 1, 3]} : (tensor<1x2x5x8xf32>) -> tensor<1x5x2x8xf32>
  %y = dnn.reshape %r {shape = [1, 5, 16]} : (tensor<1x5x2x8xf32>) -> tensor<1x5x16xf32>
  func.return %y : tensor<1x5x16xf32>
}
