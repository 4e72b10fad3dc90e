// The whole step of a dense layer: gradients, then each update behind its gradient.
// PASSES: grad{loss=mean-squared-error learning-rate=0.5 momentum=0.75}
func.func @main(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<4x3xf32>
  %y = dnn.fully_connected %x, %w : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32> loc("dense")
  func.return %y : tensor<2x4xf32>
}
// CHECK: func.func @train_step(%x: tensor<2x3xf32>, %target: tensor<2x4xf32>, %w: tensor<4x3xf32>, %w_velocity: tensor<4x3xf32>) -> (tensor<f32>, tensor<4x3xf32>, tensor<4x3xf32>)
// CHECK: %y = dnn.fully_connected %x, %w
// CHECK: %loss = dnn.mul
// CHECK: dnn.matmul %{{.*}}, %x {transpose_a = true}
// CHECK-NEXT: dnn.mul %w_velocity
// CHECK-NEXT: %w_velocity_next = dnn.add
// CHECK-NEXT: dnn.mul %w_velocity_next
// CHECK-NEXT: %w_next = dnn.sub %w
// CHECK-NEXT: func.return %loss, %w_next, %w_velocity_next
// CHECK: note: 'dense': FF 24, BP 0, WU 24 MACs [grad-layer]
// CHECK: note: 'input' saves x: tensor<2x3xf32>, 24 B [grad-saved]
// -----
// A ReLU leaves a bit an element behind, right where it is made; nothing goes on to the input.
// PASSES: grad{loss=inner-product optimizer=none}
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<4x4xf32>
  %h = dnn.fully_connected %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32> loc("dense")
  %y = dnn.relu %h : tensor<2x4xf32> loc("relu")
  func.return %y : tensor<2x4xf32>
}
// CHECK: %y = dnn.relu %h
// CHECK-NEXT: %y_mask = dnn.greater %y
// CHECK: dnn.select %y_mask, %target
// CHECK-NEXT: dnn.matmul
// CHECK-NEXT: func.return
// CHECK: 'relu' saves y_mask: tensor<2x4xi1>, 1 B
// -----
// A stride is a dilation of the weight gradient, and a dilation a stride; the input gradient sums over windows.
// PASSES: grad{loss=inner-product optimizer=none}
func.func @main(%x: tensor<1x2x7x8xf32>) -> tensor<1x3x3x4xf32> {
  %v = dnn.constant {value = #dnn.seeded<"v", -1.0, 1.0>} : tensor<2x2x1x1xf32>
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<3x2x2x3xf32>
  %h = dnn.conv2d %x, %v : (tensor<1x2x7x8xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x7x8xf32> loc("first")
  %y = dnn.conv2d %h, %w {strides = [2, 2], pads = [1, 1, 1, 1], dilations = [3, 1]} : (tensor<1x2x7x8xf32>, tensor<3x2x2x3xf32>) -> tensor<1x3x3x4xf32> loc("second")
  func.return %y : tensor<1x3x3x4xf32>
}
// CHECK: dnn.conv_transpose2d %target, %w {dilations = [3, 1]{{.*}}strides = [2, 2]}
// CHECK-NEXT: dnn.transpose %h
// CHECK: dnn.conv2d {{.*}} {dilations = [2, 2], pads = [1, 1, 0, 0], strides = [3, 1]}
// CHECK: 'second': FF 432, BP 432, WU 432 MACs; BP as gemm: gemm 432, full 2016
// -----
// Forward reads weights masked along input channels, backward along output channels, both from the master.
// PASSES: grad{loss=inner-product optimizer=none pattern=2:4 all}
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %v = dnn.constant {value = #dnn.seeded<"v", -1.0, 1.0>} : tensor<4x4xf32>
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<4x4xf32>
  %h = dnn.fully_connected %x, %v : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32> loc("first")
  %y = dnn.fully_connected %h, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32> loc("second")
  func.return %y : tensor<2x4xf32>
}
// CHECK: dnn.nm_mask %v {group = 4, kept = 2}
// CHECK: dnn.nm_mask %w {group = 4, kept = 2}
// CHECK: dnn.nm_mask %w {axis = 0, group = 4, kept = 2}
// CHECK: %w_gradient = dnn.matmul %target, %h {transpose_a = true}
// CHECK: 160 MACs (112 without dropped weights)
// -----
// Every op that a gradient must pass and that has no rule, at once.
// PASSES: grad{loss=inner-product}
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<4x4xf32>
  %a = dnn.cumsum %x {axis = 0} : tensor<2x4xf32> loc("before")
  %h = dnn.fully_connected %a, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32> loc("dense")
  %c = dnn.cumsum %h {axis = 1} : tensor<2x4xf32> loc("sum")
  %y = dnn.round %c : tensor<2x4xf32> loc("round")
  func.return %y : tensor<2x4xf32>
}
// CHECK-NOT: before
// CHECK: 'sum': error: 'dnn.cumsum': there is no gradient rule for this op [no-gradient]
// CHECK: 'round': error: 'dnn.round': there is no gradient rule for this op [no-gradient]
// -----
// PASSES: grad{loss=inner-product update=dens,dense:2}
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<4x4xf32>
  %y = dnn.fully_connected %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32> loc("dense")
  func.return %y : tensor<2x4xf32>
}
// CHECK: error: no node with parameters is called 'dens' [unknown-node]
// CHECK: did you mean 'dense'?
// CHECK: error: 'dense:2' updates '2' of a node [update-scheme]
// -----
// PASSES: grad{loss=inner-product parameters=v}
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<4x4xf32>
  %y = dnn.fully_connected %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32> loc("dense")
  func.return %y : tensor<2x4xf32>
}
// CHECK: error: no constant that the output needs is called 'v' [unknown-parameter]
// -----
// PASSES: grad{loss=inner-product}
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %y = dnn.relu %x : tensor<2x4xf32>
  func.return %y : tensor<2x4xf32>
}
// CHECK: error: no constant of the function is to be trained [no-parameters]
// -----
// PASSES: grad{momentum=1 loss-scale=0}
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  func.return %x : tensor<2x4xf32>
}
// CHECK: error: momentum is 1.0 but must be from 0 to below 1 [attribute-range]
// CHECK: error: loss-scale is 0.0 but must be above 0 [attribute-range]
// -----
// PASSES: grad
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<4xf32>
  %y = dnn.prelu %x, %w : tensor<4xf32>
  func.return %y : tensor<4xf32>
}
// CHECK: the output is tensor<4xf32>, softmax-cross-entropy needs logits [rows, classes] [loss-shape]
// -----
// A grouped convolution has no first share of its channels.
// PASSES: grad{loss=inner-product update=conv:0.5}
func.func @main(%x: tensor<1x4x2x2xf32>) -> tensor<1x4x2x2xf32> {
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<4x2x1x1xf32>
  %y = dnn.conv2d %x, %w {groups = 2} : (tensor<1x4x2x2xf32>, tensor<4x2x1x1xf32>) -> tensor<1x4x2x2xf32> loc("conv")
  func.return %y : tensor<1x4x2x2xf32>
}
// CHECK: a share of its input channels cannot be updated [unsupported-ratio]
// -----
// The batch must stay outermost.
// PASSES: grad{loss=inner-product batch=4}
func.func @main(%x: tensor<2x4xf32>) -> tensor<4x2xf32> {
  %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : tensor<4x4xf32>
  %h = dnn.fully_connected %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32> loc("dense")
  %y = dnn.transpose %h {perm = [1, 0]} : (tensor<2x4xf32>) -> tensor<4x2xf32> loc("turn")
  func.return %y : tensor<4x2xf32>
}
// CHECK: with 4 images its result is [4, 4] but should be [8, 2] [batch-shape]
