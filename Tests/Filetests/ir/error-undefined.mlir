// ERROR: undefined-value 3:3
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = dnn.relu %z : tensor<4xf32>
  func.return %y : tensor<4xf32>
}
