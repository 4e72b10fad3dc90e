import PantileIR
import PantileSupport

extension Workload {
  /// LeNet-5 with every C3 map reading every S2 map, average pooling and tanh.
  public static let lenet5 = Workload(
    "lenet5", summary: "LeNet-5: handwritten digits, 1x32x32",
    source:
      "LeCun, Bottou, Bengio, Haffner, \"Gradient-based learning applied to document recognition\", Proc. IEEE 1998, "
      + "figure 2 (C3 fully connected)"
  ) { () throws(DiagnosticError) -> Module in
    var net = try NetworkBuilder("lenet5", input: [1, 1, 32, 32])
    var x = net.input
    for (index, filters) in [6, 16].enumerated() {
      let layer = 2 * index + 1
      x = try net.conv(x, filters, .init(5, pad: 0), name: "c\(layer)")
      x = try net.op("dnn.tanh", [x], name: "c\(layer).tanh")
      x = try net.pool("avg", x, .init(2, stride: 2, pad: 0), name: "s\(layer + 1)")
    }
    x = try net.flatten(x)
    x = try net.op("dnn.tanh", [try net.dense(x, 120, name: "c5")], name: "c5.tanh")
    x = try net.op("dnn.tanh", [try net.dense(x, 84, name: "f6")], name: "f6.tanh")
    return try net.finish(try net.dense(x, 10, name: "output"))
  }
}
