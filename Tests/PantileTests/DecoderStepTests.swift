import Foundation
import Pantile
import PantileDialects
import PantileEngines
import PantileIR
import PantileSupport
import PantileTarget
import PantileText
import Testing

/// A decoder's step as a network, and the activations that language models have, on chips.
@Suite struct DecoderStepTests {
  private func check(_ text: String, on chip: String, overrides: [String] = []) throws -> Compiler.Compilation {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("pantile-\(UUID().uuidString).mlir")
    try text.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    return try ChipEqualsReferenceTests().check(file.path, on: chip, overrides: overrides)
  }

  @Test(arguments: ["systolic-16x16", "bitserial-16x16", "datacenter-128x128"])
  func aStepRunsOnChips(_ chip: String) throws {
    let step = try DecoderStep(blocks: 2, width: 64, heads: 4, context: 24)
    let compilation = try check(step.text(), on: chip)
    // Six dense layers and four products a block and head group, at least.
    #expect(compilation.graph.steps.count { $0.kind == "matmul" || $0.kind == "fully_connected" } >= 20)
    #expect(compilation.program.regions.count { $0.kind == .input } == 5)
    #expect(compilation.program.regions.count { $0.kind == .output } == 5)
  }

  /// Weights of a decoder: 4 w² of attention and 2 w h of the dense layers a block, biases and norms.
  @Test func aStepHasTheWeightsOfItsSizes() throws {
    let step = try DecoderStep(blocks: 3, width: 96, heads: 6, hidden: 200, context: 7)
    let module = try Module(verifying: step.text(), path: "step")
    let main = try module.mainFunction()
    let (w, h) = (96, 200)
    #expect(try module.weights(of: main).elements == 3 * (4 * w * w + 2 * w * h + 5 * w + h + 4 * w))
    #expect(try module.macs(of: main) == 3 * (4 * w * w + 2 * w * h + 2 * (7 + 1) * w))
  }

  @Test func wrongSizesAreNamed() {
    for (blocks, width, heads, context) in [(0, 64, 4, 8), (1, 64, 5, 8), (1, 64, 4, 0), (1, -64, 4, 8)] {
      #expect(throws: DiagnosticError.self) {
        try DecoderStep(blocks: blocks, width: width, heads: heads, context: context)
      }
    }
  }

  /// Activations of several steps are computed in the order of the reference: not a bit differs.
  @Test(arguments: [
    "gelu %x", "gelu %x {approximate = \"tanh\"}", "silu %x", "hard_swish %x", "elu %x {alpha = 0.7}", "softplus %x",
  ])
  func curves(_ op: String) throws {
    let text = """
      func.func @main(%x: tensor<5x37xf32>) -> tensor<5x37xf32> {
        %w = dnn.mul %x, %x : tensor<5x37xf32>
        %v = dnn.mul %w, %x : tensor<5x37xf32>
        %u = dnn.add %v, %v : tensor<5x37xf32>
        %y = dnn.\(op.replacingOccurrences(of: "%x", with: "%u")) : tensor<5x37xf32>
        func.return %y : tensor<5x37xf32>
      }

      """
    _ = try check(text, on: "systolic-16x16", overrides: ["memories.spad.size=4KiB"])
  }

  /// Large regions begin at the start of a row of the device, small ones follow one another.
  @Test func regionsBeginWithRows() throws {
    let step = try DecoderStep(blocks: 1, width: 256, heads: 4, context: 24)
    let compilation = try check(step.text(), on: "datacenter-128x128")
    let stripe = 16_384
    let large = compilation.program.regions.filter { $0.bytes >= stripe }
    #expect(large.count >= 6)
    for region in large { #expect(region.base % stripe == 0, "\(region.name)") }
  }
}
