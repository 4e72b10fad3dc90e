// All independent mistakes at once.
// ERROR: unknown-attribute 5:3
// ERROR: axis-range 6:3
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %a = dnn.leaky_relu %x {alhpa = 0.1 : f32} : tensor<2x4xf32>
  %b = dnn.softmax %a {axis = 2} : tensor<2x4xf32>
  func.return %b : tensor<2x4xf32>
}
