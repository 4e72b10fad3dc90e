import PantileIR
import PantileSupport
import PantileText

extension Workload {
  /// The depthwise-separable keyword spotter of MLPerf Tiny.
  public static let dscnn = Workload(
    "ds-cnn", summary: "DS-CNN: keyword spotting on a 49x10 spectrogram, 12 words",
    source: "Banbury et al., \"MLPerf Tiny benchmark\", NeurIPS 2021; Zhang et al., \"Hello edge\", arXiv:1711.07128"
  ) { () throws(DiagnosticError) -> Module in
    var net = try NetworkBuilder("ds_cnn", input: [1, 1, 49, 10])
    let gain = NetworkBuilder.beforeRelu
    // 'same' padding at stride 2: 49 -> 25 needs 9 rows, 10 -> 5 needs 2 columns, the odd one at the end.
    var x = try net.conv(
      net.input, 64, .init(kernel: [10, 4], stride: 2, pads: [4, 1, 5, 1]), gain: gain, name: "conv1")
    x = try net.relu(x, name: "relu1")
    for block in 1...4 {
      x = try net.depthwise(x, .init(3), gain: gain, name: "block\(block).depthwise")
      x = try net.relu(x, name: "block\(block).relu1")
      x = try net.conv(x, 64, .init(1), gain: gain, name: "block\(block).pointwise")
      x = try net.relu(x, name: "block\(block).relu2")
    }
    let logits = try net.classifier(x, classes: 12)
    return try net.finish(try net.op("dnn.softmax", [logits], ["axis": 1], name: "softmax"))
  }
}
