// A convolution in integers with its requantisation, residual sum and mean.
func.func @main(%x: tensor<1x4x8x8xi8>, %w: tensor<4x4x3x3xi8>, %b: tensor<4xi32>) -> tensor<1x4xi8> {
  %0 = dnn.conv2d %x, %w, %b {pads = [1, 1, 1, 1], input_zero_point = -7} : (tensor<1x4x8x8xi8>, tensor<4x4x3x3xi8>, tensor<4xi32>) -> tensor<1x4x8x8xi32>
  %1 = dnn.requantize %0 {multiplier = array<i32: 1073741824, 1073741825, 1073741826, 0>, shift = array<i32: 40, 41, 42, 62>, zero_point = 3} : (tensor<1x4x8x8xi32>) -> tensor<1x4x8x8xi8>
  %2 = dnn.quantized_add %1, %x {a_zero_point = 3, b_zero_point = -7, a_multiplier = 1073741824, b_multiplier = 5, shift = 31} : tensor<1x4x8x8xi8>
  %3 = dnn.reduce_sum %2 {axes = [2, 3], keepdims = false} : (tensor<1x4x8x8xi8>) -> tensor<1x4xi32>
  %4 = dnn.requantize %3 {multiplier = array<i32: 1073741824>, shift = array<i32: 36>} : (tensor<1x4xi32>) -> tensor<1x4xi8>
  func.return %4 : tensor<1x4xi8>
}
