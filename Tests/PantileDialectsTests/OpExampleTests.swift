import PantileDialects
import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText
import Testing

/// Tests that follow from the lists of ops alone.
@Suite struct OpExampleTests {
  static let definitions = Dialects.all.flatMap(\.ops)

  @Test(arguments: definitions.map(\.name))
  func exampleVerifiesAndRoundTrips(_ name: String) throws {
    let definition = try #require(Dialects.registry.definition(of: name))
    let module = try Module(verifying: definition.example, path: "\(name).mlir")
    #expect(module.walk(module.root).contains { module.name(of: $0) == name })
    let generic = try module.print()
    let short = try module.print(.init(form: .short), registry: Dialects.registry)
    #expect(try Module(verifying: generic, path: "g.mlir").print() == generic)
    #expect(try Module(verifying: short, path: "s.mlir").print() == generic)
    #expect(
      try Module(verifying: generic, path: "g.mlir").print(.init(form: .short), registry: Dialects.registry) == short)
  }

  @Test(arguments: DNN.ops.map(\.name))
  func exampleRunsAndGivesThePromisedType(_ name: String) throws {
    let module = try Module(verifying: try #require(DNN.op(name)).definition.example, path: "\(name).mlir")
    let interpreter = try Interpreter(module)
    let inputs = try module.inputs(of: interpreter.function).enumerated().map { index, value in
      let type = try module.tensor(of: value)
      let element = try #require(ElementType(type.element))
      return SeededValues.tensor(
        name: "input\(index)", shape: type.shape, elementType: element, low: element.isFloat ? 0.1 : 0,
        high: element.isFloat ? 1 : 1)
    }
    var observed = 0
    let outputs = try interpreter.run(inputs) { _, _, _ throws(DiagnosticError) in observed += 1 }
    let types = try module.outputs(of: interpreter.function).map { try module.tensor(of: $0) }
    #expect(outputs.map { TensorType($0.shape, $0.elementType.syntax) } == types)
    #expect(observed == inputs.count + 1)
    #expect(try interpreter.run(inputs) == outputs)
  }

  @Test(arguments: DNN.ops.map(\.name))
  func exampleWorkIsANest(_ name: String) throws {
    let op = try #require(DNN.op(name))
    let module = try Module(verifying: op.definition.example, path: "\(name).mlir")
    let id = try #require(module.walk(module.root).first { module.name(of: $0) == name })
    guard let work = try op.work(module[id]) else { return }
    try work.check()
    let written = try #require(work.operands.first { $0.kind == .write })
    let result = try module[id].resultTensor()
    // Reduced axes may vanish from the nest, but the elements are all written.
    #expect(written.map.axes.map(\.extent).reduce(1, *) == result.count)
  }

  @Test func everyOpHasDocumentationAndExample() {
    for definition in Self.definitions {
      #expect(!definition.summary.isEmpty && !definition.example.isEmpty, "\(definition.name)")
      #expect(definition.name.split(separator: ".").count == 2)
    }
  }

  @Test func countsMultiplications() throws {
    func macs(_ body: String) throws -> Int {
      let module = try Module(verifying: body, path: "t.mlir")
      return try module.macs(of: module.mainFunction())
    }
    #expect(try macs(DNN.conv2d.definition.example) == 16 * 4 * 4 * 27)
    #expect(try macs(DNN.fullyConnected.definition.example) == 640)
    #expect(try macs(DNN.matmul.definition.example) == 2 * 4 * 6 * 8)
    #expect(
      try macs(
        """
        func.func @main(%x: tensor<2x8x5x5xf32>, %w: tensor<8x1x3x3xf32>) -> tensor<2x8x3x3xf32> {
          %y = dnn.conv2d %x, %w {groups = 8} : (tensor<2x8x5x5xf32>, tensor<8x1x3x3xf32>) -> tensor<2x8x3x3xf32>
          func.return %y : tensor<2x8x3x3xf32>
        }
        """) == 2 * 8 * 9 * 9)
  }
}
