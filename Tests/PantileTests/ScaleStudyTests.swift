import Foundation
import Pantile
import Testing

/// Scaling of input channels on the shipped digits network: what it promises, and what the chip computes with it.
struct ScaleStudyTests {
  private static let folder = "\(ChipEqualsReferenceTests.root)/Workloads/models/digits-cnn"

  private static func model() throws -> (model: Model, calibration: [[HostTensor]], labelled: WidthStudy.Labelled) {
    let model = try Model(contentsOf: "\(folder)/digits-cnn.onnx")
    let calibration = try Inputs.files(["\(folder)/calibration.npy"]).runs(for: model.inputs)
    let images = try Inputs.files(["\(folder)/test-images.npy"]).runs(for: model.inputs)
    return (model, calibration, .init(runs: images, labels: try NPY.read("\(folder)/test-labels.npy")))
  }

  private static func study(
    bits: Int? = nil, format: String? = nil, powerOfTwo: Bool = false, samples: Int = 30
  ) throws -> ScaleStudy {
    let (model, calibration, labelled) = try model()
    var graph = GraphPipeline.Options()
    if let bits { graph.quantize.weightBits = bits }
    if let format { graph.quantize.weightFormat = format }
    var awq = AWQOptions()
    awq.powerOfTwo = powerOfTwo
    graph.awq = awq
    return try ScaleStudy(
      model, calibration: Array(calibration.prefix(samples)), labelled: labelled, graph: graph)
  }

  private static func variant(_ study: ScaleStudy, _ form: ScaleStudy.Variant.Form) throws -> ScaleStudy.Variant {
    try #require(study.variants.first { $0.form == form })
  }

  /// The float network is the same within rounding, layers lose nothing, and all but the first have a layer before them.
  @Test(arguments: [3, 4]) func layersGainAndTheFloatNetworkStays(_ bits: Int) throws {
    let study = try Self.study(bits: bits)
    #expect(study.report.layers.map(\.name) == ["conv1", "conv2", "conv3", "fc1", "fc2"])
    #expect(study.report.layers.map { $0.origin != nil } == [false, true, true, true, true])
    for layer in study.report.layers {
      #expect(layer.after.meanSquaredError <= layer.before.meanSquaredError, "\(layer.name)")
      #expect(layer.before.power > 0 && layer.before.meanSquaredError > 0)
    }
    #expect(study.report.scaledCount > 0)
    let (float, scaled) = (try Self.variant(study, .float), try Self.variant(study, .floatScaled))
    #expect(float.error == 0 && scaled.error < 1e-9 && scaled.decibels > 100)
    #expect(scaled.correct == float.correct && float.correct == 495)
  }

  /// Factors that are powers of two change no bit.
  @Test func powersOfTwoChangeNoBit() throws {
    let study = try Self.study(bits: 3, powerOfTwo: true)
    let scaled = try Self.variant(study, .floatScaled)
    #expect(study.report.scaledCount > 0 && scaled.error == 0 && scaled.decibels == .infinity)
    for layer in study.report.layers {
      #expect(log2(layer.scales.lowerBound) == log2(layer.scales.lowerBound).rounded())
    }
  }

  /// One scale for all weights: nothing is divided, and the quantised networks are one.
  @Test func ternaryWeightsAreLeftAlone() throws {
    let study = try Self.study(format: "ternary", samples: 5)
    #expect(study.report.scaledCount == 0)
    #expect(try Self.variant(study, .quantised).error == Self.variant(study, .quantisedScaled).error)
  }

  /// The compile path takes the same scales, and the chip computes what the integer graph says.
  @Test(arguments: ["bitmod-fp3", ""]) func chipEqualsReferenceWithScales(_ format: String) throws {
    let (model, calibration, labelled) = try Self.model()
    let name = format.isEmpty ? "bitserial-16x16" : "bitmod-like"
    let chip = try Chip.load(name, schemas: Machine.schemas(), root: ChipEqualsReferenceTests.root)
    var options = Compiler.Options()
    options.graph.quantize.weightFormat = format
    if format.isEmpty { options.graph.quantize.weightBits = 3 }
    options.graph.awq = AWQOptions()
    let compilation = try Compiler(chip: chip, options: options).compile(
      model, calibration: Array(calibration.prefix(20)))
    let compiled = CompiledModel(compilation, model: model.name)
    let images = Array(labelled.runs.prefix(20))
    let found = try Session(chip: chip).outputs(of: compiled, runs: images)
    let expected = try Session.interpret(compilation.module, runs: images)
    #expect(found[0].tensor == expected[0].tensor)
    options.graph.awq = nil
    let plain = try Compiler(chip: chip, options: options).compile(
      model, calibration: Array(calibration.prefix(20)))
    #expect(try Session.interpret(plain.module, runs: images)[0].tensor != expected[0].tensor)
    // Scales cost nothing on the chip.
    #expect(plain.timing.cycles == compilation.timing.cycles)
  }

  @Test func refusesQuantisedModels() throws {
    var (model, _, _) = try Self.model()
    model.module = try GraphPipeline.integer(model.module).module
    let quantised = model
    let error = try #require(throws: DiagnosticError.self) { try ScaleStudy(quantised) }
    #expect(error.codes == ["not-float"])
  }
}
