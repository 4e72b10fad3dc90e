// ERROR: syntax 2:30
func.func @main(%x: tensor<4xq32>) {
  func.return
}
