import PantileDialects
import PantileIR
import PantilePasses
import PantileTensor
import Testing

@Suite struct GraphPassTests {
  /// Every clean-up pass alone and all together leave what a graph computes.
  @Test(arguments: 0..<40)
  func randomGraphsKeepTheirMeaning(_ seed: Int) throws {
    let (module, inputs) = try RandomNetwork.make(seed: seed, isQuantizable: false)
    let before = try Interpreter(module).run(inputs)
    for passes in [
      "fold-constants", "canonicalize", "fold-constants,fold-batch-norm", "cse", "dce", GraphPipeline.clean.description,
    ] {
      let after = try Interpreter(run(passes, module).module).run(inputs)
      expectClose(before, after, "seed \(seed), \(passes)")
    }
    let clean = try GraphPipeline.cleaned(module)
    let names = clean.ops(inBodyOf: try clean.mainFunction()).map { clean.name(of: $0) }
    #expect(!names.contains("dnn.batch_norm") && !names.contains("dnn.matmul"), "seed \(seed)")
    // A second round finds nothing.
    #expect(try GraphPipeline.cleaned(clean).print() == clean.print(), "seed \(seed)")
  }

  private func expectClose(_ a: [HostTensor], _ b: [HostTensor], _ label: String) {
    for (a, b) in zip(a, b) {
      #expect(a.shape == b.shape)
      let scale = a.floats.map(\.magnitude).max() ?? 0
      for (x, y) in zip(a.floats, b.floats) { #expect((x - y).magnitude <= 1e-4 * max(scale, 1e-3), "\(label)") }
    }
  }

  @Test func absentWeightsStayAbsent() throws {
    let text = """
      func.func @main(%x: tensor<1x2x4x4xf32>) -> tensor<1x3x4x4xf32> {
        %w = dnn.constant {value = dense_resource<w> : tensor<3x2x1x1xf32>} : tensor<3x2x1x1xf32>
        %s = dnn.constant {value = dense_resource<s> : tensor<3xf32>} : tensor<3xf32>
        %n = dnn.neg %s : tensor<3xf32>
        %c = dnn.conv2d %x, %w : (tensor<1x2x4x4xf32>, tensor<3x2x1x1xf32>) -> tensor<1x3x4x4xf32>
        %b = dnn.batch_norm %c, %s, %n, %s, %s : (tensor<1x3x4x4xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3x4x4xf32>
        func.return %b : tensor<1x3x4x4xf32>
      }
      """
    let clean = try GraphPipeline.cleaned(Module(verifying: text, path: "t.mlir"))
    let ops = clean.ops(inBodyOf: try clean.mainFunction())
    #expect(ops.map { clean.name(of: $0) } == ["dnn.constant", "dnn.constant", "dnn.conv2d", "func.return"])
    #expect(ops.prefix(2).allSatisfy { !clean.hasValues($0) })
  }
}
