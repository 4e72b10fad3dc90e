import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText
import Testing

@Suite struct WorkloadTests {
  /// What was published about a network.
  struct Published: Sendable {
    var name: String
    var macs: Int
    /// Parameters with a scale and a shift for each normalised channel, or with `statistics` four numbers (Keras counts
    /// mean and variance).
    var parameters: Int
    /// Channels that pass a batch normalisation, which folding leaves with one number.
    var normalised: Int
    var perChannel = 2
    var source: String
  }

  static let published: [Published] = [
    Published(
      name: "lenet5", macs: 416_520, parameters: 61_706, normalised: 0,
      source: "closed form: 28²·6·25 + 10²·16·150 + 400·120 + 120·84 + 84·10"),
    Published(
      name: "ds-cnn", macs: 2_656_768, parameters: 24_908, normalised: 9 * 64, perChannel: 5,
      source: "MLPerf Tiny keyword spotting: 2.66 M MACs; Keras summary 24,908 parameters"),
    Published(
      name: "resnet8", macs: 12_501_632, parameters: 78_666, normalised: 240, perChannel: 5,
      source: "MLPerf Tiny image classification: 12.5 M MACs; Keras summary 78,666 parameters"),
    Published(
      name: "mobilenet-v2", macs: 300_774_272, parameters: 3_504_872, normalised: 17_056,
      source: "torchvision mobilenet_v2: 0.30 G MACs, 3,504,872 parameters"),
    Published(
      name: "resnet18", macs: 1_814_073_344, parameters: 11_689_512, normalised: 4_800,
      source: "torchvision resnet18: 1.814 G MACs, 11,689,512 parameters"),
    Published(
      name: "resnet50", macs: 4_089_184_256, parameters: 25_557_032, normalised: 26_560,
      source: "torchvision resnet50: 4.089 G MACs, 25,557,032 parameters"),
  ]

  /// Folding leaves a bias where a layer had no bias and a normalisation of `perChannel` numbers; where the layer had a bias
  /// of its own (Keras counts 4 numbers and the bias: `perChannel` 5) it leaves the same bias.
  @Test(arguments: published)
  func sizesAreThePublishedOnes(_ expected: Published) throws {
    let module = try Workload.named(expected.name).make()
    let main = try module.mainFunction()
    let weights = try module.weights(of: main)
    #expect(try module.macs(of: main) == expected.macs, "\(expected.source)")
    #expect(weights.elements == expected.parameters - expected.normalised * (expected.perChannel - 1))
    #expect(weights.bytes == Bytes(4 * weights.elements))
  }

  /// DARTS (Liu et al., table 1): 3.3 M parameters for both searched networks with 20 cells from 36 channels.
  @Test(arguments: [0, 1])
  func searchedNetworkHasThePublishedSize(_ order: Int) throws {
    let network = DARTSNetwork(
      normal: .secondOrderNormal, reduction: order == 0 ? .secondOrderReduction : .firstOrderReduction, cells: 20,
      channels: 36)
    let module = try network.module()
    let elements = try module.weights(of: module.mainFunction()).elements
    #expect((3_250_000..<3_400_000).contains(elements), "\(elements)")
  }

  @Test(arguments: Workload.all.map(\.name))
  func committedFileIsWhatTheGeneratorWrites(_ name: String) throws {
    let workload = try Workload.named(name)
    let text = try workload.text()
    #expect(try Repository.golden(workload.path, actual: text) == text)
    #expect(try workload.text() == text)
    let module = try Module(verifying: text, path: workload.path)
    #expect(try text.hasSuffix(module.print()))
    let short = try module.print(.init(form: .short), registry: Dialects.registry)
    #expect(try Module(verifying: short, path: "short.mlir").print() == module.print())
  }

  @Test(arguments: ["lenet5", "ds-cnn", "resnet8", "nas-darts"])
  func smallNetworkRunsAndItsOutputsDiffer(_ name: String) throws {
    let interpreter = try Interpreter(Workload.named(name).make())
    let shape = try interpreter.module.tensor(of: interpreter.module.inputs(of: interpreter.function)[0]).shape
    let run = { (seed: String) in
      try interpreter.run([
        SeededValues.tensor(name: seed, shape: shape, elementType: .f32, low: -1, high: 1)
      ])[0].floats
    }
    let (first, second) = (try run("a"), try run("b"))
    #expect(first.allSatisfy { $0.isFinite && abs($0) < 1000 })
    #expect(first != second && Set(first).count > 1, "\(first)")
  }

  @Test func unknownNameIsRefusedWithANearOne() {
    do { _ = try Workload.named("resnet19") } catch {
      #expect(error.codes == ["unknown-workload"])
      #expect(error.diagnostics[0].hint?.contains("resnet18") == true)
    }
  }
}
