import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTensor
import PantileText
import Testing

/// What the step of `grad` is made of, and what it does with weights.
@Suite struct GradStepTests {
  /// Three convolutions, pools, two dense layers.
  static let network = """
    func.func @main(%x: tensor<2x2x8x8xf32>) -> tensor<2x4xf32> {
      %w1 = dnn.constant {value = #dnn.seeded<"w1", -0.5, 0.5>} : tensor<8x2x3x3xf32>
      %b1 = dnn.constant {value = #dnn.seeded<"b1", -0.5, 0.5>} : tensor<8xf32>
      %w2 = dnn.constant {value = #dnn.seeded<"w2", -0.5, 0.5>} : tensor<8x1x3x3xf32>
      %b2 = dnn.constant {value = #dnn.seeded<"b2", -0.5, 0.5>} : tensor<8xf32>
      %w3 = dnn.constant {value = #dnn.seeded<"w3", -0.5, 0.5>} : tensor<16x8x1x1xf32>
      %b3 = dnn.constant {value = #dnn.seeded<"b3", -0.5, 0.5>} : tensor<16xf32>
      %w4 = dnn.constant {value = #dnn.seeded<"w4", -0.5, 0.5>} : tensor<4x64xf32>
      %b4 = dnn.constant {value = #dnn.seeded<"b4", -0.5, 0.5>} : tensor<4xf32>
      %c1 = dnn.conv2d %x, %w1, %b1 {pads = [1, 1, 1, 1]} : (tensor<2x2x8x8xf32>, tensor<8x2x3x3xf32>, tensor<8xf32>) -> tensor<2x8x8x8xf32> loc("conv1")
      %r1 = dnn.relu %c1 : tensor<2x8x8x8xf32> loc("relu1")
      %c2 = dnn.conv2d %r1, %w2, %b2 {strides = [2, 2], pads = [1, 1, 1, 1], groups = 8} : (tensor<2x8x8x8xf32>, tensor<8x1x3x3xf32>, tensor<8xf32>) -> tensor<2x8x4x4xf32> loc("conv2")
      %r2 = dnn.relu %c2 : tensor<2x8x4x4xf32> loc("relu2")
      %c3 = dnn.conv2d %r2, %w3, %b3 : (tensor<2x8x4x4xf32>, tensor<16x8x1x1xf32>, tensor<16xf32>) -> tensor<2x16x4x4xf32> loc("conv3")
      %r3 = dnn.relu %c3 : tensor<2x16x4x4xf32> loc("relu3")
      %p = dnn.max_pool2d %r3 {kernel = [2, 2], strides = [2, 2]} : (tensor<2x16x4x4xf32>) -> tensor<2x16x2x2xf32> loc("pool")
      %f = dnn.reshape %p {shape = [2, 64]} : (tensor<2x16x2x2xf32>) -> tensor<2x64xf32> loc("flatten")
      %y = dnn.fully_connected %f, %w4, %b4 : (tensor<2x64xf32>, tensor<4x64xf32>, tensor<4xf32>) -> tensor<2x4xf32> loc("fc")
      func.return %y : tensor<2x4xf32>
    }
    """

  static let images = SeededValues.tensor(
    name: "images", shape: [2, 2, 8, 8], elementType: .f32, low: 0, high: 1)
  static let labels = HostTensor(shape: [2], values: [Int64(1), 3])

  @Test func stepTakesThreeForwardsLessTheFirstInputGradient() throws {
    let report = try MadeStep(Self.network, "").report
    #expect(report.layers.map(\.name) == ["conv1", "conv2", "conv3", "fc"])
    let forward = report.layers.map(\.forward)
    #expect(forward == [2 * 8 * 64 * 2 * 9, 2 * 8 * 16 * 9, 2 * 16 * 16 * 8, 2 * 4 * 64])
    #expect(report.layers.map(\.backward) == [0] + forward.dropFirst())
    #expect(report.layers.map(\.weightUpdate) == forward)
    #expect(report.stepMACs == 3 * report.forwardMACs - forward[0])
    #expect(report.layers.map { $0.inputGradient?.form } == [nil, .gemm, .full, nil])
  }

  @Test func reluSavesBitsAndPoolsSaveTaps() throws {
    let saved = try MadeStep(Self.network, "").report.saved
    // The inputs of updated weights as values, what only backward needs as a bit or a byte.
    let names = saved.map { "\($0.node) \($0.name) \($0.type) \($0.bits)" }
    #expect(
      names == [
        "input x tensor<2x2x8x8xf32> 8192", "relu1 r1 tensor<2x8x8x8xf32> 32768",
        "relu1 r1_mask tensor<2x8x8x8xi1> 1024", "relu2 r2 tensor<2x8x4x4xf32> 8192",
        "relu2 r2_mask tensor<2x8x4x4xi1> 256", "relu3 r3_mask tensor<2x16x4x4xi1> 512",
        "pool r3_tap tensor<2x16x2x2xui8> 1024", "pool p tensor<2x16x2x2xf32> 4096",
      ])
  }

  @Test func nothingIsSavedOrComputedBelowTheLowestUpdatedLayer() throws {
    let step = try MadeStep(Self.network, "update=conv3:0.5,fc:bias")
    let report = step.report
    #expect(report.parameters.map(\.name) == ["w3", "b3", "b4"])
    #expect(report.parameters[0].updatedShape == [16, 4, 1, 1])
    #expect(report.layers.map(\.backward) == [0, 0, 0, 512])
    #expect(report.layers.map(\.weightUpdate) == [0, 0, report.layers[2].forward / 2, 0])
    #expect(
      report.saved.map { "\($0.node) \($0.type)" } == [
        "conv3 tensor<2x4x4x4xf32>", "relu3 tensor<2x16x4x4xi1>", "pool tensor<2x16x2x2xui8>",
      ])
  }

  /// A sparse update changes what it names exactly as a full one would and leaves the rest.
  @Test(arguments: ["conv3:0.5", "conv2:0.25", "fc:0.5", "conv1:bias", "conv1,fc:bias"])
  func sparseUpdateIsAPartOfTheFullOne(_ update: String) throws {
    let full = try run("")
    let sparse = try run("update=\(update)")
    let initial = try MadeStep(Self.network, "")
    #expect(sparse.loss == full.loss)
    for (name, tensor) in sparse.weights {
      let after = try #require(full.weights.first { $0.name == name }?.tensor)
      let place = try #require(initial.report.parameters.firstIndex { $0.name == name })
      let before = initial.initial[place]
      var changed = 0
      for index in 0..<tensor.count {
        let value = tensor.double(at: index)
        if value == before.double(at: index) { continue }
        changed += 1
        // Sums of fewer channels run in another blocking of the same order: the same bits.
        #expect(value == after.double(at: index), "\(name) \(index)")
      }
      #expect(changed > 0, "\(name)")
      if update.contains(":0"), tensor.shape.count > 1 { #expect(changed <= tensor.count / 2, "\(name)") }
    }
    #expect(sparse.weights.count < full.weights.count)
  }

  private func run(
    _ options: String
  ) throws -> (loss: Double, weights: [(name: String, tensor: HostTensor)]) {
    let step = try MadeStep(Self.network, "learning-rate=0.1 \(options)")
    let results = try step.interpreter.run([Self.images, Self.labels] + step.initial)
    return (
      results[0].double(at: 0), Array(zip(step.report.parameters.map(\.name), results.dropFirst()))
    )
  }

  /// A share of a product's rows, in both layouts of the matrix and with a batch before it.
  @Test(arguments: [false, true])
  func shareOfAProductIsAPartOfTheFullGradient(_ isTransposed: Bool) throws {
    let matrix = isTransposed ? "5x4" : "4x5"
    let text = """
      func.func @main(%x: tensor<2x3x4xf32>) -> tensor<2x3x5xf32> {
        %w = dnn.constant {value = #dnn.seeded<"w", -0.5, 0.5>} : tensor<\(matrix)xf32>
        %y = dnn.matmul %x, %w {transpose_b = \(isTransposed)} : (tensor<2x3x4xf32>, tensor<\(matrix)xf32>) -> tensor<2x3x5xf32> loc("product")
        func.return %y : tensor<2x3x5xf32>
      }
      """
    let full = try MadeStep(text, "loss=inner-product optimizer=none")
    let part = try MadeStep(text, "loss=inner-product optimizer=none update=product:0.5")
    let x = SeededValues.tensor(name: "x", shape: [2, 3, 4], elementType: .f32, low: -1, high: 1)
    let inputs = [x, try full.target("t")] + full.initial
    let whole = try full.interpreter.run(inputs)[1]
    let half = try part.interpreter.run(inputs)[1]
    #expect(half.shape == (isTransposed ? [5, 2] : [2, 5]))
    for row in 0..<2 {
      for column in 0..<5 {
        let (a, b) = isTransposed ? (column * 4 + row, column * 2 + row) : (row * 5 + column, row * 5 + column)
        #expect(whole.double(at: a) == half.double(at: b))
      }
    }
  }

  @Test func updateIsMomentumAndDecay() throws {
    let gradients = try MadeStep(Self.network, "optimizer=none")
    let step = try MadeStep(Self.network, "learning-rate=0.1 momentum=0.5 weight-decay=0.25")
    let slopes = try gradients.interpreter.run([Self.images, Self.labels] + gradients.initial)
    var state: [HostTensor] = []
    for (index, value) in step.initial.enumerated() {
      let velocity = SeededValues.tensor(
        name: "v\(index)", shape: value.shape, elementType: .f32, low: -0.1, high: 0.1)
      state += [value, velocity]
    }
    let results = try step.interpreter.run([Self.images, Self.labels] + state)
    for place in step.initial.indices {
      for index in 0..<step.initial[place].count {
        let w = Float(step.initial[place].double(at: index))
        let g = Float(slopes[1 + place].double(at: index))
        let v = Float(state[2 * place + 1].double(at: index)) * 0.5 + (g + w * 0.25)
        #expect(Float(results[2 + 2 * place].double(at: index)) == v)
        #expect(Float(results[1 + 2 * place].double(at: index)) == w - v * 0.1)
      }
    }
  }

  @Test func lossScaleIsTakenBack() throws {
    let plain = try run("")
    let scaled = try run("loss-scale=1024")
    for (a, b) in zip(plain.weights, scaled.weights) { #expect(a.tensor == b.tensor, "\(a.name)") }
  }

  @Test func batchIsTheMeanOverItsImages() throws {
    let one = try MadeStep(Self.network, "optimizer=none")
    let two = try MadeStep(Self.network, "optimizer=none batch=4")
    let doubled = HostTensor(shape: [4, 2, 8, 8], values: Self.images.floats + Self.images.floats)
    let labels = HostTensor(shape: [4], values: [Int64(1), 3, 1, 3])
    let a = try one.interpreter.run([Self.images, Self.labels] + one.initial)
    let b = try two.interpreter.run([doubled, labels] + two.initial)
    for (x, y) in zip(a, b) {
      let scale = x.floats.map(\.magnitude).max() ?? 0
      for (p, q) in zip(x.floats, y.floats) { #expect((p - q).magnitude <= 1e-5 * scale) }
    }
    #expect(two.report.stepMACs == 2 * one.report.stepMACs)
  }

  @Test func updatesBehindTheirGradientsKeepLessAlive() throws {
    let first = try MadeStep(Self.network, "momentum=0.9")
    let last = try MadeStep(Self.network, "momentum=0.9 order=last")
    #expect(first.report.peakBits <= first.report.peakBitsUpdatesLast)
    // The order of the text is the order that is counted.
    #expect(last.report.peakBits == last.report.peakBitsUpdatesLast)
    let state = first.initial.flatMap { [$0, HostTensor(shape: $0.shape, elementType: .f32)] }
    #expect(
      try first.interpreter.run([Self.images, Self.labels] + state)
        == last.interpreter.run([Self.images, Self.labels] + state))
  }

  @Test func patternSkipsTwoOfThreeProducts() throws {
    let report = try MadeStep(Self.network, "pattern=2:8 all").report
    #expect(report.layers.map { $0.denseReason == nil } == [false, false, true, false])
    let layer = report.layers[2]
    #expect(layer.sparseForward == layer.forward / 4 && layer.sparseBackward == layer.backward / 4)
    let forward = try MadeStep(Self.network, "pattern=2:8 all masks=forward").report.layers[2]
    #expect(forward.sparseForward == layer.sparseForward && forward.sparseBackward == layer.backward)
    let pattern = try NMPattern(kept: 2, group: 8)
    #expect(TrainingReport.bound(pattern, masks: .bdwp) == 2)
    #expect(TrainingReport.bound(pattern, masks: .forward) == 3 / 2.25)
  }

  @Test(arguments: ["bf16", "f16"])
  func formatsRoundOperandsAlone(_ format: String) throws {
    let step = try MadeStep(Self.network, "format=\(format)")
    let module = step.interpreter.module
    for op in module.ops(inBodyOf: step.interpreter.function) {
      let view = module[op]
      guard ["dnn.conv2d", "dnn.matmul", "dnn.fully_connected", "dnn.conv_transpose2d"].contains(view.name) else {
        continue
      }
      for index in 0..<2 { #expect(try rounds(view, index, format), "\(view.name) \(index)") }
      #expect(try view.resultTensor().element == .f32)
    }
    // What backward reads of the forward part is the rounded copy.
    #expect(step.report.saved.contains { $0.type.contains(format) })
    #expect(!step.report.saved.contains { $0.type.hasSuffix("f32>") && $0.node != "input" })
  }

  /// Whether an operand is a narrow value made wide again, perhaps moved about since.
  private func rounds(_ op: OpView, _ index: Int, _ format: String) throws -> Bool {
    var value = op.operands[index]
    while let maker = op.module.definingOp(of: value) {
      let view = op.module[maker]
      if view.name == "dnn.cast" { return try view.operandTensor(0).element.description == format }
      guard ["dnn.transpose", "dnn.reshape", "dnn.slice", "dnn.pad"].contains(view.name) else { return false }
      value = view.operands[0]
    }
    return false
  }
}
