import Foundation
import PantileDialects
import PantileIR
import PantilePasses
import PantileTensor
import PantileText
import Testing

/// Gradients against those that PyTorch found in double precision, within 1e-4 of the largest.
///
/// The recorded cases are made by `Scripts/compare-torch.py Tests/Filetests/gradients.json 1`; `make grad-torch` compares fresh ones,
/// whose file the variable PANTILE_GRADIENTS names.
@Suite struct GradTorchTests {
  private struct Case: Decodable {
    var name: String
    var text: String
    var options: String
    var target: [Double]
    var values: [[Double]]
    var loss: Double
    var gradients: [[Double]]
  }

  @Test func recordedGradientsAreMet() throws {
    let path = PassFiletests.folder.deletingLastPathComponent().appendingPathComponent("gradients.json").path
    #expect(try compare(path) >= 50)
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["PANTILE_GRADIENTS"] != nil))
  func freshGradientsAreMet() throws {
    let path = try #require(ProcessInfo.processInfo.environment["PANTILE_GRADIENTS"])
    let count = try compare(path)
    print("\(count) cases agree with PyTorch within 1e-4")
    #expect(count > 0)
  }

  /// The number of cases; each that fails is an issue.
  private func compare(_ path: String) throws -> Int {
    let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    for item in cases {
      let step = try MadeStep(item.text, item.options)
      let target = try #require(try step.arguments.first)
      let element = try #require(ElementType(target.element))
      let values = zip(step.report.parameters, item.values).map { parameter, values in
        HostTensor(shape: parameter.shape, values: values).converted(to: .f32)
      }
      #expect(values.count == item.gradients.count, "\(item.name)")
      let results = try step.interpreter.run(
        [HostTensor(shape: target.shape, values: item.target).converted(to: element)] + values)
      let loss = results[0].double(at: 0)
      #expect((loss - item.loss).magnitude <= 1e-4 * max(1, item.loss.magnitude), "\(item.name): loss \(loss)")
      for (gradient, expected) in zip(results.dropFirst(), item.gradients) {
        #expect(gradient.count == expected.count, "\(item.name)")
        let scale = max(expected.map(\.magnitude).max() ?? 0, 1e-6)
        for index in 0..<min(gradient.count, expected.count) {
          #expect(
            (gradient.double(at: index) - expected[index]).magnitude <= 1e-4 * scale,
            "\(item.name) \(item.text) element \(index): \(gradient.double(at: index)), PyTorch \(expected[index])")
        }
      }
    }
    return cases.count
  }
}
