// LeNet-5: handwritten digits, 1x32x32
// Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 1998, figure 2 (C3 fully connected)
// 416520 multiply-accumulates, 61706 weights; batch normalisation is folded.
// Weights follow from their names (see dnn.constant). Written by `pantile import --workload lenet5`.
"builtin.module"() ({
  "func.func"() ({
  ^bb0(%input: tensor<1x1x32x32xf32>):
    %c1.weight = "dnn.constant"() {value = #dnn.seeded<"c1.weight", -0.34641, 0.34641>} : () -> tensor<6x1x5x5xf32> loc("c1.weight")
    %c1.bias = "dnn.constant"() {value = #dnn.seeded<"c1.bias", -0.1, 0.1>} : () -> tensor<6xf32> loc("c1.bias")
    %c1 = "dnn.conv2d"(%input, %c1.weight, %c1.bias) {dilations = [1, 1], groups = 1 : i64, input_zero_point = 0 : i64, pads = [0, 0, 0, 0], strides = [1, 1]} : (tensor<1x1x32x32xf32>, tensor<6x1x5x5xf32>, tensor<6xf32>) -> tensor<1x6x28x28xf32> loc("c1")
    %c1.tanh = "dnn.tanh"(%c1) : (tensor<1x6x28x28xf32>) -> tensor<1x6x28x28xf32> loc("c1.tanh")
    %s2 = "dnn.avg_pool2d"(%c1.tanh) {ceil_mode = false, count_include_pad = true, dilations = [1, 1], kernel = [2, 2], pads = [0, 0, 0, 0], strides = [2, 2]} : (tensor<1x6x28x28xf32>) -> tensor<1x6x14x14xf32> loc("s2")
    %c3.weight = "dnn.constant"() {value = #dnn.seeded<"c3.weight", -0.141421, 0.141421>} : () -> tensor<16x6x5x5xf32> loc("c3.weight")
    %c3.bias = "dnn.constant"() {value = #dnn.seeded<"c3.bias", -0.1, 0.1>} : () -> tensor<16xf32> loc("c3.bias")
    %c3 = "dnn.conv2d"(%s2, %c3.weight, %c3.bias) {dilations = [1, 1], groups = 1 : i64, input_zero_point = 0 : i64, pads = [0, 0, 0, 0], strides = [1, 1]} : (tensor<1x6x14x14xf32>, tensor<16x6x5x5xf32>, tensor<16xf32>) -> tensor<1x16x10x10xf32> loc("c3")
    %c3.tanh = "dnn.tanh"(%c3) : (tensor<1x16x10x10xf32>) -> tensor<1x16x10x10xf32> loc("c3.tanh")
    %s4 = "dnn.avg_pool2d"(%c3.tanh) {ceil_mode = false, count_include_pad = true, dilations = [1, 1], kernel = [2, 2], pads = [0, 0, 0, 0], strides = [2, 2]} : (tensor<1x16x10x10xf32>) -> tensor<1x16x5x5xf32> loc("s4")
    %flatten = "dnn.reshape"(%s4) {shape = [1, 400]} : (tensor<1x16x5x5xf32>) -> tensor<1x400xf32> loc("flatten")
    %c5.weight = "dnn.constant"() {value = #dnn.seeded<"c5.weight", -0.086603, 0.086603>} : () -> tensor<120x400xf32> loc("c5.weight")
    %c5.bias = "dnn.constant"() {value = #dnn.seeded<"c5.bias", -0.1, 0.1>} : () -> tensor<120xf32> loc("c5.bias")
    %c5 = "dnn.fully_connected"(%flatten, %c5.weight, %c5.bias) {input_zero_point = 0 : i64} : (tensor<1x400xf32>, tensor<120x400xf32>, tensor<120xf32>) -> tensor<1x120xf32> loc("c5")
    %c5.tanh = "dnn.tanh"(%c5) : (tensor<1x120xf32>) -> tensor<1x120xf32> loc("c5.tanh")
    %f6.weight = "dnn.constant"() {value = #dnn.seeded<"f6.weight", -0.158114, 0.158114>} : () -> tensor<84x120xf32> loc("f6.weight")
    %f6.bias = "dnn.constant"() {value = #dnn.seeded<"f6.bias", -0.1, 0.1>} : () -> tensor<84xf32> loc("f6.bias")
    %f6 = "dnn.fully_connected"(%c5.tanh, %f6.weight, %f6.bias) {input_zero_point = 0 : i64} : (tensor<1x120xf32>, tensor<84x120xf32>, tensor<84xf32>) -> tensor<1x84xf32> loc("f6")
    %f6.tanh = "dnn.tanh"(%f6) : (tensor<1x84xf32>) -> tensor<1x84xf32> loc("f6.tanh")
    %output.weight = "dnn.constant"() {value = #dnn.seeded<"output.weight", -0.188982, 0.188982>} : () -> tensor<10x84xf32> loc("output.weight")
    %output.bias = "dnn.constant"() {value = #dnn.seeded<"output.bias", -0.1, 0.1>} : () -> tensor<10xf32> loc("output.bias")
    %output = "dnn.fully_connected"(%f6.tanh, %output.weight, %output.bias) {input_zero_point = 0 : i64} : (tensor<1x84xf32>, tensor<10x84xf32>, tensor<10xf32>) -> tensor<1x10xf32> loc("output")
    "func.return"(%output) : (tensor<1x10xf32>) -> ()
  }) {arg_attrs = [{dnn.name = "input"}], function_type = (tensor<1x1x32x32xf32>) -> tensor<1x10xf32>, res_attrs = [{dnn.name = "output"}], sym_name = "main"} : () -> ()
}) {sym_name = "lenet5"} : () -> ()
