import PantileIR
import PantileSupport
import PantileText

extension Workload {
  /// MobileNetV2 with width 1 at 224x224.
  public static let mobilenetV2 = Workload(
    "mobilenet-v2", summary: "MobileNetV2: image classification on 3x224x224, 1000 classes",
    source:
      "Sandler, Howard, Zhu, Zhmoginov, Chen, \"MobileNetV2: inverted residuals and linear bottlenecks\", CVPR 2018, "
      + "table 2"
  ) { () throws(DiagnosticError) -> Module in
    var net = try NetworkBuilder("mobilenet_v2", input: [1, 3, 224, 224])
    let gain = NetworkBuilder.beforeRelu
    func relu6(_ x: ValueID, _ name: String) throws(DiagnosticError) -> ValueID {
      try net.op("dnn.clamp", [x], ["min": .float32(0), "max": .float32(6)], name: name)
    }
    var x = try relu6(
      try net.conv(net.input, 32, .init(3, stride: 2), gain: gain, name: "features.0"), "features.0.relu6")
    // Expansion, output channels, repeats, stride of the first.
    let stages = [
      (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]
    var index = 1
    for (expansion, width, repeats, firstStride) in stages {
      for number in 0..<repeats {
        let stride = number == 0 ? firstStride : 1
        let name = "features.\(index)"
        let depth = try net.channels(x)
        var y = x
        if expansion > 1 {
          y = try net.conv(y, depth * expansion, .init(1), gain: gain, name: "\(name).expand")
          y = try relu6(y, "\(name).expand.relu6")
        }
        y = try net.depthwise(y, .init(3, stride: stride), gain: gain, name: "\(name).depthwise")
        y = try relu6(y, "\(name).depthwise.relu6")
        y = try net.conv(y, width, .init(1), name: "\(name).project")
        x = stride == 1 && depth == width ? try net.add(x, y, name: "\(name).add") : y
        index += 1
      }
    }
    x = try relu6(try net.conv(x, 1280, .init(1), gain: gain, name: "features.18"), "features.18.relu6")
    return try net.finish(try net.classifier(x, classes: 1000))
  }
}
