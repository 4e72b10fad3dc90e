// The custom form of modules, functions and plain ops; the generic form means the same.
module @net {
  func.func private @callee(%x: tensor<4xf32> {dnn.name = "in"}) -> tensor<4xf32> {
    %y = dnn.relu %x : tensor<4xf32>
    func.return %y : tensor<4xf32>
  }
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %0 = "func.call"(%x) {callee = @callee} : (tensor<4xf32>) -> tensor<4xf32>
    %1:2 = "other.two"(%0) : (tensor<4xf32>) -> (tensor<4xf32>, i8)
    return %1#0 : tensor<4xf32>
  }
}
