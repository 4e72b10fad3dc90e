import PantileProblem
import PantileSupport
import Testing

@Suite struct UpdateGraphTests {
  private static let network = TrainingNetwork(
    name: "small",
    convolutions: [
      .init(inputChannels: 1, outputChannels: 2, kernel: 3, stride: 1, groups: 1, inputSize: 4, outputSize: 4),
      .init(inputChannels: 2, outputChannels: 4, kernel: 1, stride: 1, groups: 1, inputSize: 4, outputSize: 4),
      .init(inputChannels: 4, outputChannels: 2, kernel: 1, stride: 2, groups: 1, inputSize: 4, outputSize: 2),
    ], classifierInputs: 2)

  /// Step by step, worked out by hand for the last two convolutions, bytes.
  @Test func peaksAreThoseOfTheRules() throws {
    let graph = try UpdateGraph(.last(2, of: Self.network), of: Self.network)
    #expect(
      graph.steps == [
        "forward 0", "forward 1", "forward 2", "head", "input-gradient 2", "weight-gradient 2", "weight-gradient 1",
      ])
    // Forward 1: input 32, output 64, its mask 8. Forward 2: input 64, output 8, saved input of 1 32, masks 8 + 1.
    // Head: output 8, its gradient 32, saved 32 + 64, masks 9. Input gradient 2: gradients 32 + 256, saved 96, masks 9.
    // Weight gradient 2: gradients 288, saved 96, mask 8, weights' gradient 4·8 + 4·2 = 40: 432.
    // Weight gradient 1: gradient 256, saved 32, mask 8, weights' gradient 4·8 + 4·4 = 48.
    let first = graph.peak(.immediate)
    #expect(first.bits == 8 * 432 && first.step == "weight-gradient 2")
    // All weights' gradients at the end: 256 + 32 + 8 + 48 + 40 = 384 is still less.
    #expect(graph.peak(.last) == first)
    // With the last convolution's gradient too: 384 + 32.
    #expect(graph.peak(.allLast).bits == 8 * 432)
    #expect(graph.peak(.immediate, backwardOnly: true) == first)
  }

  @Test func keepingGradientsNeverTakesLess() throws {
    for count in 0...3 {
      for bits in [8, 16, 32] {
        let graph = try UpdateGraph(.last(count, of: Self.network), of: Self.network, gradientBits: bits)
        for backwardOnly in [false, true] {
          let orders: [UpdateGraph.Order] = [.immediate, .last, .allLast]
          let peaks = orders.map { graph.peak($0, backwardOnly: backwardOnly).bits }
          #expect(peaks == peaks.sorted())
        }
      }
    }
  }

  /// Nothing is saved and no gradient is made when the classifier alone is updated.
  @Test func classifierAloneNeedsNoMoreThanInference() throws {
    let graph = try UpdateGraph(.last(0, of: Self.network), of: Self.network)
    #expect(graph.tensors.allSatisfy { $0.kind == .activation } && graph.steps.last == "head")
    // The second convolution: 32 bytes in, 64 out.
    let peak = graph.peak(.last)
    #expect(peak.bits == 8 * 96 && peak.step == "forward 1")
  }

  @Test func refusesOtherWidths() {
    #expect {
      try UpdateGraph(.last(1, of: Self.network), of: Self.network, gradientBits: 12)
    } throws: { ($0 as? DiagnosticError)?.diagnostics.map(\.code) == ["out-of-range"] }
  }
}
