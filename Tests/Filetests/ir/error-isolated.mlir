// Functions see nothing of what is outside.
// ERROR: undefined-value 5:3
%c = "x.make"() : () -> tensor<4xf32>
func.func @main() {
  %y = dnn.relu %c : tensor<4xf32>
  func.return
}
