import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTensor
import PantileText
import Testing

@Suite struct QuantizeTests {
  @Test(arguments: 0..<40)
  func integerGraphsEqualTheirPairsToOneStep(_ seed: Int) throws {
    let (module, inputs) = try RandomNetwork.make(seed: seed, isQuantizable: true)
    let clean = try GraphPipeline.cleaned(module)
    let pairs = try run("quantize", clean, Calibration(samples: [inputs])).module
    let integer = try run("lower-qdq,canonicalize,fold-constants,cse,dce", pairs).module
    let comparison = try StepComparison(pairs, integer, inputs)
    #expect(comparison.valueCount >= 2, "seed \(seed)")
    #expect(comparison.largest <= 1, "seed \(seed): \(comparison.worst)")
    // Contractions all became integers.
    for op in integer.ops(inBodyOf: try integer.mainFunction()) {
      let view = integer[op]
      guard ["dnn.conv2d", "dnn.fully_connected"].contains(view.name) else { continue }
      #expect(try view.operandTensor(0).element == .i8, "seed \(seed)")
    }
    // Quantisation itself stays near the float graph.
    let float = try Interpreter(clean).run(inputs)[0].floats
    let quantised = try Interpreter(integer).run(inputs)[0].floats
    let scale = float.map(\.magnitude).max() ?? 0
    for (a, b) in zip(float, quantised) { #expect((a - b).magnitude <= 0.15 * scale + 0.02, "seed \(seed)") }
  }

  @Test(arguments: 0..<12)
  func fewBitsAndOneScaleForAllChannelsAlsoLower(_ seed: Int) throws {
    let (module, inputs) = try RandomNetwork.make(seed: seed, isQuantizable: true)
    let clean = try GraphPipeline.cleaned(module)
    let options = "weight-bits=\(2 + seed % 7) per-channel=\(seed % 2 == 0) method=percentile percentile=99.5"
    let pairs = try run("quantize{\(options)}", clean, Calibration(samples: [inputs])).module
    let integer = try run("lower-qdq", pairs).module
    let comparison = try StepComparison(pairs, integer, inputs)
    #expect(comparison.largest <= 1, "seed \(seed): \(comparison.worst)")
    let limit = (1 << (1 + seed % 7)) - 1
    for op in integer.ops(inBodyOf: try integer.mainFunction()) where integer.isConstant(op) {
      let type = try integer[op].resultTensor()
      guard type.element == .i8, let tensor = try integer.constantTensor(of: op) else { continue }
      let isOnes = tensor.values(as: Int8.self).allSatisfy { $0 == 1 }
      #expect(isOnes || tensor.values(as: Int8.self).allSatisfy { abs(Int($0)) <= limit })
      if seed % 7 != 6, !isOnes { #expect(type.encoding == .dialect("dnn.bits<\(2 + seed % 7)>")) }
    }
  }

  static let small = """
    func.func @main(%x: tensor<1x1x2x2xf32>) -> tensor<1x2x2x2xf32> {
      %w = dnn.constant {value = dense<[[[[1.0]]], [[[-0.5]]]]> : tensor<2x1x1x1xf32>} : tensor<2x1x1x1xf32>
      %b = dnn.constant {value = dense<[0.5, 0.0]> : tensor<2xf32>} : tensor<2xf32>
      %c = dnn.conv2d %x, %w, %b : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32> loc("conv")
      %r = dnn.relu %c : tensor<1x2x2x2xf32> loc("relu")
      func.return %r : tensor<1x2x2x2xf32>
    }
    """

  @Test func parametersFollowFromTheRanges() throws {
    let module = try Module(verifying: Self.small, path: "t.mlir")
    let sample = HostTensor(shape: [1, 1, 2, 2], values: [-1, 0, 2, 4.1] as [Float])
    let outcome = try run("quantize", module, Calibration(samples: [[sample]]))
    let ops = outcome.module.ops(inBodyOf: try outcome.module.mainFunction()).map { outcome.module[$0] }
    let quantize = ops.filter { $0.name == "dnn.quantize" }
    #expect(quantize.count == 2)
    // Input: -1 ... 4.1 in 255 steps of 0.02; zero is 50 steps above the least.
    #expect(try quantize[0].numbers("scale").map { Float($0) } == [Float(5.1 / 255)])
    #expect(try quantize[0].integers("zero_point") == [-78])
    // Behind the relu the range starts at 0, so the zero point is the least value.
    #expect(try quantize[1].integers("zero_point") == [-128])
    #expect(try quantize[1].numbers("scale").map { Float($0) } == [Float(4.6 / 255)])
    let weights = ops.filter {
      $0.name == "dnn.dequantize" && $0.operands.count == 1 && outcome.module.isConstant($0.operands[0])
    }
    #expect(try weights.map { try $0.numbers("scale").map { Float($0) } }[0] == [1 / 127, 0.5 / 127])
    let report = try #require(outcome.artifacts[QuantizeReport.self])
    #expect(!report.isSynthetic && report.layers.count == 1 && report.quantizedCount == 1)
    #expect(report.layers[0].name == "conv" && report.layers[0].weightBits == 8)
  }

  @Test func reluBecomesABoundAndNodesAreKept() throws {
    let module = try Module(verifying: Self.small, path: "t.mlir")
    let sample = HostTensor(shape: [1, 1, 2, 2], values: [-1, 0, 2, 4] as [Float])
    let integer = try GraphPipeline.integer(module, calibration: Calibration(samples: [[sample]])).module
    #expect(try opNames(integer) == ["dnn.quantize", "dnn.conv2d", "dnn.requantize", "dnn.dequantize"])
    let requantize = integer[
      integer.ops(inBodyOf: try integer.mainFunction()).first { integer.name(of: $0) == "dnn.requantize" }!]
    #expect(try requantize.integer("min") == -128 && requantize.integer("max") == 127)
    #expect(requantize.location.names == ["relu"])
    #expect(try requantize.integers("multiplier").allSatisfy { (1 << 30..<1 << 31).contains($0) })
  }

  @Test func missingCalibrationAndMissingWeightsAreFlagged() throws {
    let module = try Module(verifying: Self.small, path: "t.mlir")
    let made = try GraphPipeline.quantized(module)
    #expect(made.quantization?.isSynthetic == true && made.diagnostics.map(\.code) == ["synthetic-calibration"])
    let text = Self.small.replacing("dense<[[[[1.0]]], [[[-0.5]]]]>", with: "dense_resource<w>")
    let absent = try GraphPipeline.integer(Module(verifying: text, path: "t.mlir"))
    #expect(absent.quantization?.hasUnitScales == true && absent.diagnostics.map(\.code) == ["unit-scales"])
    #expect(try opNames(absent.module) == ["dnn.quantize", "dnn.conv2d", "dnn.requantize", "dnn.dequantize"])
  }

  @Test(arguments: [
    ("quantize{weight-bits=1}", "option-value"), ("quantize{layer-bits=conv:9}", "option-value"),
    ("quantize{skip=con}", "unknown-node"), ("quantize{percentile=0 method=percentile}", "option-value"),
    ("quantize{samples=0}", "option-value"),
  ])
  func wrongOptionsHaveTheirCode(_ passes: String, _ code: String) throws {
    let module = try Module(verifying: Self.small, path: "t.mlir")
    #expect { try run(passes, module) } throws: { ($0 as? DiagnosticError)?.codes == [code] }
  }

  @Test func skippedNodesStayFloat() throws {
    let module = try Module(verifying: Self.small, path: "t.mlir")
    let outcome = try run("quantize{skip=conv}", module)
    #expect(try opNames(outcome.module) == ["dnn.conv2d", "dnn.relu"])
    #expect(outcome.diagnostics.map(\.code) == ["synthetic-calibration", "stays-float"])
  }

  @Test func calibrationNamesAreChecked() throws {
    let module = try Module(verifying: Self.small, path: "t.mlir")
    let tensor = HostTensor(shape: [1, 1, 2, 2], elementType: .f32)
    #expect(try Calibration(named: [["x": tensor]], for: module).samples.count == 1)
    #expect { try Calibration(named: [["y": tensor]], for: module) } throws: {
      ($0 as? DiagnosticError)?.codes == ["unknown-input"]
    }
    #expect { try Calibration(named: [[:]], for: module) } throws: {
      ($0 as? DiagnosticError)?.codes == ["missing-input"]
    }
    let wrong = HostTensor(shape: [1, 1, 2, 3], elementType: .f32)
    #expect { try run("quantize", module, Calibration(samples: [[wrong]])) } throws: {
      ($0 as? DiagnosticError)?.codes == ["input-type"]
    }
  }

  /// A bias far beyond what 31 bits of the fine accumulator scale hold raises that scale.
  @Test func hugeBiasesFit() throws {
    let text = Self.small.replacing("dense<[0.5, 0.0]>", with: "dense<[1.0e9, 0.0]>").replacing(
      "[[[[1.0]]]", with: "[[[[1.0e-6]]]")
    let module = try Module(verifying: text, path: "t.mlir")
    let sample = HostTensor(shape: [1, 1, 2, 2], values: [-1, 0, 2, 4] as [Float])
    let integer = try GraphPipeline.integer(module, calibration: Calibration(samples: [[sample]])).module
    let output = try Interpreter(integer).run([sample])[0].floats
    #expect(output.prefix(4).allSatisfy { ($0 - 1e9).magnitude < 1e7 })
  }

  @Test func weightFormatsRoundTrip() throws {
    for text in ["dnn.nm<2:4>", "dnn.bits<4>", "dnn.nm<1:8, bits = 3>"] {
      #expect(try WeightFormat(.dialect(text), at: .unknown).encoding == .dialect(text))
    }
    #expect(try WeightFormat(nil, at: .unknown).encoding == nil)
    for text in ["dnn.nm<5:4>", "dnn.bits<9>", "dnn.other<2:4>", "dnn.nm<2:4, bits=1>", "dnn.nm"] {
      #expect(throws: DiagnosticError.self) { try WeightFormat(.dialect(text), at: .unknown) }
    }
  }
}
