import Pantile
import Testing

/// Data-dependent cycles of the trained digits network, counted weight by weight.
@Suite struct TrainedTermsTests {
  /// Non-zero terms by arithmetic on the number.
  private static func terms(_ value: Int, _ encoding: TermEncoding) -> Int {
    switch encoding {
    case .naf:
      var rest = value
      var count = 0
      while rest != 0 {
        if rest % 2 != 0 {
          rest -= ((rest % 4) + 4) % 4 == 1 ? 1 : -1
          count += 1
        }
        rest /= 2
      }
      return count
    default: return String(abs(value), radix: 2).filter { $0 == "1" }.count
    }
  }

  @Test(
    arguments: [("int8", TermEncoding.naf), ("int8", .signMagnitude), ("int4", .signMagnitude), ("bitmod-fp3", .lod2)],
    [1, 2, 4, 16])
  func lockStepCyclesAreTheSumOfMaxima(_ point: (format: String, encoding: TermEncoding), scope: Int) throws {
    let layers = try Model(
      contentsOf: "\(repositoryRoot)/Workloads/models/digits-cnn/digits-cnn.onnx"
    ).contractionWeights()
    #expect(layers.count >= 2)
    for layer in layers {
      let matrix = try QuantisedMatrix(
        layer.values, rows: layer.n, columns: layer.k, format: try NumberFormat.named(point.format))
      let numbers = try SerialNumbers(matrix)
      let (rows, lanes) = (16, 4)
      let machine = BitSerialMachine(
        rows: rows, columns: 8, dotWidth: lanes, encoding: point.encoding, termPolicy: .skipTerms,
        syncScope: .rows(scope))
      let tokens = 3
      let product = BitSerialProduct(
        m: tokens, k: layer.k, n: layer.n, activations: [Int16](repeating: 3, count: tokens * layer.k),
        activationBits: 8,
        weights: numbers.values, weightBits: try SerialNumbers.numberRange(of: matrix.format).bits)
      // A fold is over when its slowest scope is; a scope's steps take what its slowest lane needs.
      var expected = 0
      for first in stride(from: 0, to: layer.n, by: rows) {
        var slowest = 0
        for row in stride(from: first, to: first + rows, by: scope) {
          var cycles = 0
          for step in stride(from: 0, to: layer.k, by: lanes) {
            var longest = 1
            for line in row..<max(row, min(row + scope, layer.n)) {
              for position in step..<min(step + lanes, layer.k) {
                longest = max(longest, Self.terms(Int(numbers.values[line * layer.k + position]), point.encoding))
              }
            }
            cycles += longest
          }
          slowest = max(slowest, cycles)
        }
        expected += slowest
      }
      #expect(machine.run(product).cycles == expected)
      let stepped = machine.stepped(product)
      #expect(stepped.cycles == expected)
      #expect(stepped.values == product.reference(group: 0))
    }
  }
}
