import Pantile
import Testing

@Suite struct TrainerTests {
  private static let model = """
    func.func @main(%x: tensor<1x4xf32>) -> tensor<1x3xf32> {
      %w1 = dnn.constant {value = #dnn.seeded<"w1", -0.5, 0.5>} : tensor<16x4xf32>
      %b1 = dnn.constant {value = #dnn.seeded<"b1", -0.5, 0.5>} : tensor<16xf32>
      %w2 = dnn.constant {value = #dnn.seeded<"w2", -0.5, 0.5>} : tensor<3x16xf32>
      %b2 = dnn.constant {value = #dnn.seeded<"b2", -0.5, 0.5>} : tensor<3xf32>
      %h = dnn.fully_connected %x, %w1, %b1 : (tensor<1x4xf32>, tensor<16x4xf32>, tensor<16xf32>) -> tensor<1x16xf32> loc("one")
      %r = dnn.relu %h : tensor<1x16xf32> loc("relu")
      %y = dnn.fully_connected %r, %w2, %b2 : (tensor<1x16xf32>, tensor<3x16xf32>, tensor<3xf32>) -> tensor<1x3xf32> loc("two")
      func.return %y : tensor<1x3xf32>
    }
    """

  /// Three classes by the sign of two numbers.
  private static func data(_ count: Int, _ name: String) -> (images: HostTensor, labels: HostTensor) {
    let images = SeededValues.tensor(name: name, shape: [count, 4], elementType: .f32, low: -1, high: 1)
    let labels = (0..<count).map { row -> Int64 in
      images.double(at: row * 4) > 0 ? 0 : images.double(at: row * 4 + 1) > 0 ? 1 : 2
    }
    return (images, HostTensor(shape: [count], values: labels))
  }

  private static func train(_ change: (inout Trainer.Options) -> Void = { _ in }) throws -> Trainer.Result {
    var options = Trainer.Options()
    options.epochs = 8
    options.batch = 16
    options.grad.learningRate = 0.2
    options.grad.momentum = 0.9
    change(&options)
    let module = try Module(verifying: model, path: "m.mlir")
    let (images, labels) = data(200, "training")
    return try Trainer(module, options: options).run(images: images, labels: labels, test: data(100, "test"))
  }

  @Test func learnsAndRepeatsBitByBit() throws {
    let result = try Self.train()
    // 200 images in batches of 16: twelve whole ones and one of 8.
    #expect(result.steps == 8 * 13 && result.epochs.count == 8)
    #expect(result.epochs[7].loss < result.epochs[0].loss / 2)
    #expect(try #require(result.epochs[7].test).accuracy >= 0.9)
    #expect(try #require(result.start).accuracy < 0.8)
    #expect(try Self.train().parameters == result.parameters)
    #expect(try Self.train { $0.seed = 2 }.parameters != result.parameters)
  }

  @Test(arguments: [GradOptions.Format.bf16, .f16])
  func narrowFormatsLearnAsWell(_ format: GradOptions.Format) throws {
    let result = try Self.train {
      $0.grad.format = format
      $0.grad.lossScale = format == .f16 ? 256 : 1
    }
    #expect(try #require(result.epochs[7].test).accuracy >= 0.9)
    #expect(try Self.train().parameters != result.parameters)
  }

  @Test(arguments: [GradOptions.Masks.bdwp, .forward, .transposable])
  func maskedWeightsLearn(_ masks: GradOptions.Masks) throws {
    let result = try Self.train {
      $0.grad.pattern = "2:4"
      $0.grad.masks = masks
      $0.grad.all = true
    }
    #expect(result.epochs[7].loss < result.epochs[0].loss)
    #expect(try #require(result.epochs[7].test).accuracy >= 0.8)
  }

  @Test func startsAnewFromTheSeed() throws {
    let result = try Self.train {
      $0.startsAnew = true
      $0.epochs = 0
    }
    #expect(result.parameters[0] != result.report.parameters[0].initial)
    let limit = Float(6.0 / 4).squareRoot()
    #expect(result.parameters[0].floats.allSatisfy { $0.magnitude <= limit })
    #expect(result.parameters[1].floats.allSatisfy { $0 == 0 })
  }

  @Test func ordersAreShufflesOfTheSeed() {
    let order = Trainer.order(50, seed: 3, epoch: 1)
    #expect(order.sorted() == Array(0..<50) && order != Array(0..<50))
    #expect(order == Trainer.order(50, seed: 3, epoch: 1) && order != Trainer.order(50, seed: 3, epoch: 2))
  }

  @Test func refusesDataThatDoesNotFit() throws {
    let trainer = try Trainer(Module(verifying: Self.model, path: "m.mlir"), options: .init())
    let (images, labels) = Self.data(4, "x")
    func codes(_ images: HostTensor, _ labels: HostTensor) -> [String] {
      do {
        _ = try trainer.run(images: images, labels: labels)
        return []
      } catch { return error.diagnostics.map(\.code) }
    }
    #expect(codes(images, labels) == [])
    #expect(codes(images.reshaped(to: [2, 8]), labels) == ["input-shape"])
    #expect(codes(images, images.reshaped(to: [16])) == ["input-shape"])
    #expect(codes(images, HostTensor(shape: [4], values: [Int64(0), 1, 2, 3])) == ["label-range"])
  }

  @Test func divergenceIsSaid() throws {
    #expect {
      try Self.train { $0.grad.learningRate = 1e30 }
    } throws: { ($0 as? DiagnosticError)?.diagnostics.map(\.code) == ["diverged"] }
  }

  /// A scheme in the published form names convolutions by number.
  @Test func schemesBecomeNodes() throws {
    let text = """
      func.func @main(%x: tensor<1x2x2x2xf32>) -> tensor<1x2xf32> {
        %a = dnn.constant {value = #dnn.seeded<"a", -0.5, 0.5>} : tensor<2x2x1x1xf32>
        %b = dnn.constant {value = #dnn.seeded<"b", -0.5, 0.5>} : tensor<2x8xf32>
        %c = dnn.conv2d %x, %a : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32> loc("c0")
        %d = dnn.conv2d %c, %a : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32> loc("c1")
        %f = dnn.reshape %d {shape = [1, 8]} : (tensor<1x2x2x2xf32>) -> tensor<1x8xf32>
        %y = dnn.fully_connected %f, %b : (tensor<1x8xf32>, tensor<2x8xf32>) -> tensor<1x2xf32> loc("fc")
        func.return %y : tensor<1x2xf32>
      }
      """
    let module = try Module(verifying: text, path: "m.mlir")
    let scheme = UpdateScheme(name: "s", biasesFromTheEnd: 2, weights: [.init(convolution: 1, ratio: 0.5)])
    #expect(try scheme.nodes(of: module) == ["c0:bias", "c1:0.5", "fc"])
    let wrong = UpdateScheme(
      name: "s", biasesFromTheEnd: 1, weights: [.init(convolution: 0, ratio: 1), .init(convolution: 2, ratio: 1)])
    #expect {
      try wrong.nodes(of: module)
    } throws: { ($0 as? DiagnosticError)?.diagnostics.map(\.code) == ["scheme-mismatch", "scheme-mismatch"] }
  }
}
