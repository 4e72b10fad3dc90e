// A quantised model as ONNX holds it.
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %q = dnn.quantize %x {scale = array<f32: 0.1>, zero_point = array<i32: 128>, to = ui8} : (tensor<1x4xf32>) -> tensor<1x4xui8>
  %d = dnn.dequantize %q {scale = array<f32: 0.1>, zero_point = array<i32: 128>} : (tensor<1x4xui8>) -> tensor<1x4xf32>
  %w = dnn.constant {value = dense<[[1, -2, 3, -4], [5, 6, -7, -8]]> : tensor<2x4xi8>} : tensor<2x4xi8>
  %v = dnn.dequantize %w {scale = array<f32: 0.01, 0.02>, axis = 0} : (tensor<2x4xi8>) -> tensor<2x4xf32>
  %y = dnn.fully_connected %d, %v : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  func.return %y : tensor<1x2xf32>
}
