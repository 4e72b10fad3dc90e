// ERROR: syntax 4:1
func.func @main(%x: tensor<4xf32>) {
  func.return
