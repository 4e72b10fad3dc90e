import PantileIR
import PantileSupport
import PantileText

extension Workload {
  /// The CIFAR residual network of MLPerf Tiny.
  public static let resnet8 = Workload(
    "resnet8", summary: "ResNet-8: image classification on 3x32x32, 10 classes",
    source: "Banbury et al., \"MLPerf Tiny benchmark\", NeurIPS 2021 (image classification, ResNetv1 with 3 stacks)"
  ) { () throws(DiagnosticError) -> Module in
    var net = try NetworkBuilder("resnet8", input: [1, 3, 32, 32])
    var x = try net.conv(net.input, 16, .init(3), gain: NetworkBuilder.beforeRelu, name: "conv1")
    x = try net.relu(x, name: "relu1")
    for (index, width) in [16, 32, 64].enumerated() {
      let stride = index == 0 ? 1 : 2
      // Keras' 'same' at stride 2 on even extents pads at the end alone.
      let window =
        stride == 1
        ? NetworkBuilder.Window(3) : NetworkBuilder.Window(kernel: [3, 3], stride: 2, pads: [0, 0, 1, 1])
      x = try basicBlock(&net, x, width, window, name: "stack\(index + 1)")
    }
    let logits = try net.classifier(x, classes: 10)
    return try net.finish(try net.op("dnn.softmax", [logits], ["axis": 1], name: "softmax"))
  }

  /// ResNet-18 at 224x224.
  public static let resnet18 = Workload(
    "resnet18", summary: "ResNet-18: image classification on 3x224x224, 1000 classes", source: resnetSource
  ) { () throws(DiagnosticError) -> Module in
    try imageNet("resnet18", blocks: [2, 2, 2, 2]) { net, x, width, stride, name throws(DiagnosticError) in
      try basicBlock(&net, x, width, .init(3, stride: stride), name: name)
    }
  }

  /// ResNet-50 at 224x224; the stride is in the 3x3 convolution, as torchvision has it.
  public static let resnet50 = Workload(
    "resnet50", summary: "ResNet-50: image classification on 3x224x224, 1000 classes", source: resnetSource
  ) { () throws(DiagnosticError) -> Module in
    try imageNet("resnet50", blocks: [3, 4, 6, 3]) { net, x, width, stride, name throws(DiagnosticError) in
      let gain = NetworkBuilder.beforeRelu
      var y = try net.conv(x, width, .init(1), gain: gain, name: "\(name).conv1")
      y = try net.relu(y, name: "\(name).relu1")
      y = try net.conv(y, width, .init(3, stride: stride), gain: gain, name: "\(name).conv2")
      y = try net.relu(y, name: "\(name).relu2")
      y = try net.conv(y, 4 * width, .init(1), gain: NetworkBuilder.residual, name: "\(name).conv3")
      return try join(&net, x, y, stride: stride, name: name)
    }
  }

  private static let resnetSource =
    "He, Zhang, Ren, Sun, \"Deep residual learning for image recognition\", CVPR 2016, table 1; layer order of torchvision"

  /// A block: (network, input, width, stride, name) -> output.
  private typealias Block =
    (inout NetworkBuilder, ValueID, Int, Int, String) throws(DiagnosticError) -> ValueID

  private static func imageNet(_ name: String, blocks: [Int], block: Block) throws(DiagnosticError) -> Module {
    var net = try NetworkBuilder(name, input: [1, 3, 224, 224])
    var x = try net.conv(net.input, 64, .init(7, stride: 2), gain: NetworkBuilder.beforeRelu, name: "conv1")
    x = try net.relu(x, name: "relu1")
    x = try net.pool("max", x, .init(3, stride: 2), name: "maxpool")
    for (stage, count) in blocks.enumerated() {
      for index in 0..<count {
        let stride = stage > 0 && index == 0 ? 2 : 1
        x = try block(&net, x, 64 << stage, stride, "layer\(stage + 1).\(index)")
      }
    }
    return try net.finish(try net.classifier(x, classes: 1000))
  }

  /// Two 3x3 convolutions and the shortcut.
  private static func basicBlock(
    _ net: inout NetworkBuilder, _ x: ValueID, _ width: Int, _ window: NetworkBuilder.Window, name: String
  ) throws(DiagnosticError) -> ValueID {
    var y = try net.conv(x, width, window, gain: NetworkBuilder.beforeRelu, name: "\(name).conv1")
    y = try net.relu(y, name: "\(name).relu1")
    y = try net.conv(y, width, .init(3), gain: NetworkBuilder.residual, name: "\(name).conv2")
    return try join(&net, x, y, stride: window.stride, name: name)
  }

  /// Adds the shortcut: the input itself, or a 1x1 convolution of it where the shape changes.
  private static func join(
    _ net: inout NetworkBuilder, _ x: ValueID, _ y: ValueID, stride: Int, name: String
  ) throws(DiagnosticError) -> ValueID {
    var shortcut = x
    if try net.shape(x) != net.shape(y) {
      shortcut = try net.conv(x, try net.channels(y), .init(1, stride: stride), name: "\(name).downsample")
    }
    return try net.relu(try net.add(y, shortcut, name: "\(name).add"), name: "\(name).relu")
  }
}
