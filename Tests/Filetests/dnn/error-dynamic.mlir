// Shapes must be bound before the graph is used.
// ERROR: dynamic-shape 4:3
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = dnn.relu %x : tensor<?x4xf32>
  func.return %y : tensor<?x4xf32>
}
