// PASSES: cse,dce
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = dnn.relu %x : tensor<4xf32> loc("a")
  %b = dnn.relu %x : tensor<4xf32> loc("b")
  %c = dnn.sigmoid %x : tensor<4xf32> loc("c")
  %d = dnn.add %a, %b : tensor<4xf32> loc("d")
  func.return %d : tensor<4xf32>
}
// CHECK: func.func
// CHECK-NEXT: %a = dnn.relu %x : tensor<4xf32> loc(fused["a", "b"])
// CHECK-NEXT: %d = dnn.add %a, %a
// CHECK-NEXT: func.return
// -----
// Equal ops of different attributes are different.
// PASSES: cse
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = dnn.leaky_relu %x {alpha = 0.5 : f32} : tensor<4xf32>
  %b = dnn.leaky_relu %x {alpha = 0.25 : f32} : tensor<4xf32>
  %d = dnn.add %a, %b : tensor<4xf32>
  func.return %d : tensor<4xf32>
}
// CHECK: dnn.add %a, %b
