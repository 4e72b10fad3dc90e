import PantilePlan
import PantileProblem
import PantileSupport
import Testing

@Suite struct UpdateSelectionTests {
  private static let network = TrainingNetwork(
    name: "small",
    convolutions: [
      .init(inputChannels: 3, outputChannels: 8, kernel: 3, stride: 2, groups: 1, inputSize: 16, outputSize: 8),
      .init(inputChannels: 8, outputChannels: 8, kernel: 3, stride: 1, groups: 8, inputSize: 8, outputSize: 8),
      .init(inputChannels: 8, outputChannels: 12, kernel: 1, stride: 1, groups: 1, inputSize: 8, outputSize: 8),
      .init(inputChannels: 12, outputChannels: 4, kernel: 1, stride: 1, groups: 1, inputSize: 8, outputSize: 8),
    ], classifierInputs: 12)

  /// Against every combination.
  @Test(arguments: 0..<30)
  func choosesWhatTryingAllSchemesChooses(_ seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed) + 17)
    let gains = UpdateGains(
      biases: (1...4).map { .init(count: $0, gain: Double(random.next(below: 50))) },
      weights: (0..<4).flatMap { convolution in
        [0.25, 0.5, 1].map { .init(convolution: convolution, ratio: $0, gain: Double(random.next(below: 100)) - 10) }
      })
    let limit = 96 + random.next(below: 16000)
    let selection = try UpdateSelection(gains, of: Self.network, limitBits: limit)
    var best = -Double.infinity
    for depth in 0...4 {
      for choice in 0..<256 {
        var gain = depth == 0 ? 0 : gains.biases[depth - 1].gain
        var weights: [UpdateScheme.Weights] = []
        for convolution in 0..<4 {
          let option = choice >> (2 * convolution) & 3
          guard option > 0 else { continue }
          let item = gains.weights[convolution * 3 + option - 1]
          weights.append(.init(convolution: convolution, ratio: item.ratio))
          gain += item.gain
        }
        guard weights.allSatisfy({ $0.convolution >= 4 - depth }) else { continue }
        let scheme = UpdateScheme(name: "all", biasesFromTheEnd: depth, weights: weights)
        if try UpdateMemory(scheme, of: Self.network).total <= limit { best = max(best, gain) }
      }
    }
    #expect((selection.gain - best).magnitude < 1e-9, "seed \(seed): \(selection.gain), best \(best)")
    #expect(selection.memory.total <= limit && selection.bound >= selection.gain - 1e-9)
  }

  @Test func refusesWhatTheNetworkHasNot() {
    #expect {
      try UpdateSelection(
        UpdateGains(
          biases: [.init(count: 5, gain: 1), .init(count: 1, gain: .nan)],
          weights: [.init(convolution: 4, ratio: 0.5, gain: 1), .init(convolution: 0, ratio: 2, gain: 1)]),
        of: Self.network, limitBits: 1000)
    } throws: { error in
      let codes = (error as? DiagnosticError)?.diagnostics.map(\.code)
      return codes == [String](repeating: "scheme-mismatch", count: 4)
    }
    #expect {
      try UpdateSelection(UpdateGains(biases: [], weights: []), of: Self.network, limitBits: 95)
    } throws: { ($0 as? DiagnosticError)?.diagnostics.map(\.code) == ["no-scheme"] }
  }
}
