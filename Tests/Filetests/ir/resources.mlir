// A blob behind an attribute, and one that is absent.
func.func @main() -> tensor<2xf32> {
  %a = dnn.constant {value = dense_resource<w.a> : tensor<2xf32>} : tensor<2xf32>
  %b = dnn.constant {value = dense_resource<w.b> : tensor<2xf32>} : tensor<2xf32>
  %y = dnn.add %a, %b : tensor<2xf32>
  func.return %y : tensor<2xf32>
}
{-#
  dialect_resources: {
    builtin: {
      w.a: "0x040000000000803F00000040"
    }
  },
  external_resources: {
    tool: {
      version: "1.2"
    }
  }
#-}
