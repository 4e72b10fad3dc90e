import PantileProblem
import PantileSupport
import Testing

@Suite struct SparseUpdateTests {
  private static let network = TrainingNetwork(
    name: "small",
    convolutions: [
      .init(inputChannels: 3, outputChannels: 8, kernel: 3, stride: 2, groups: 1, inputSize: 16, outputSize: 8),
      .init(inputChannels: 8, outputChannels: 8, kernel: 3, stride: 1, groups: 8, inputSize: 8, outputSize: 8),
      .init(inputChannels: 8, outputChannels: 12, kernel: 1, stride: 1, groups: 1, inputSize: 8, outputSize: 8),
    ], classifierInputs: 12)

  /// Part by part, worked out by hand.
  @Test func partsAreThoseOfTheRule() throws {
    let scheme = UpdateScheme(
      name: "s", biasesFromTheEnd: 2, weights: [.init(convolution: 1, ratio: 0.5), .init(convolution: 2, ratio: 0.3)])
    let memory = try UpdateMemory(scheme, of: Self.network)
    #expect(memory.classifierInputBits == 96)
    #expect(memory.maskBits == 8 * 64 + 12 * 64)
    #expect(memory.biasBits == 32 * (8 + 12))
    // Four depthwise channels; floor(0.3 · 8) = 2 channels of the last.
    #expect(memory.inputBits == 8 * 4 * 64 + 8 * 2 * 64)
    #expect(memory.weightBits == 8 * 4 * 9 + 8 * 2 * 12)
    #expect(memory.total == 96 + 1280 + 640 + 3072 + 480)
    #expect(memory.layers.map(\.convolution) == [1, 2])
  }

  @Test func nothingButTheClassifierIsTheLeast() throws {
    let memory = try UpdateMemory(.last(0, of: Self.network), of: Self.network)
    #expect(memory.total == 96 && memory.layers.isEmpty)
    let full = try UpdateMemory(.last(3, of: Self.network), of: Self.network)
    #expect(full.total > memory.total && full.layers.count == 3)
  }

  @Test func schemesOfOtherNetworksAreRefusedWithAllFaults() {
    let scheme = UpdateScheme(
      name: "s", biasesFromTheEnd: 9,
      weights: [.init(convolution: 3, ratio: 1), .init(convolution: 0, ratio: 1.5), .init(convolution: 0, ratio: 1)])
    #expect {
      try UpdateMemory(scheme, of: Self.network)
    } throws: { error in
      (error as? DiagnosticError)?.diagnostics.count == 4
    }
  }
}
