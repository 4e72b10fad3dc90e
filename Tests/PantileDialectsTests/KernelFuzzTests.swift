import PantileDialects
import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText
import Testing

/// Whatever shape and attribute the verifier accepts, the kernel must compute and the work rule must describe: random
/// variations of every op's example, with empty dimensions, other element types and extreme numbers.
@Suite struct KernelFuzzTests {
  static let numbers = [0, 1, 2, 3, 4, 5, 7, -1, -2, 100, 1 << 20, Int.max, Int.min]
  static let elements: [TypeSyntax] = [.f32, .f64, .float(.f16), .float(.bf16), .i8, .ui8, .i32, .i64, .i1]

  @Test(arguments: DNN.ops.map(\.name).filter { $0 != "dnn.constant" })
  func acceptedVariationsRun(_ name: String) throws {
    let op = try #require(DNN.op(name))
    let module = try Module(verifying: op.definition.example, path: "e.mlir")
    let id = try #require(module.walk(module.root).first { module.name(of: $0) == name })
    var random = SplitMix64(seed: StableHash.fnv1a(name))
    var accepted = 0
    for _ in 0..<150 {
      var signature = module[id].signature
      for index in signature.operandTypes.indices where random.next(below: 2) == 0 {
        signature.operandTypes[index] = Self.vary(signature.operandTypes[index], &random)
      }
      for entry in signature.attributes where random.next(below: 3) == 0 {
        signature.attributes[entry.key] = Self.vary(entry.value, &random)
      }
      guard try runs(op, signature, &random) else { continue }
      accepted += 1
    }
    #expect(accepted > 0, "no variation of \(name) was accepted")
  }

  /// Whether the op verifies; if so it has run.
  private func runs(_ op: GraphOp, _ signature: OpSignature, _ random: inout SplitMix64) throws -> Bool {
    let lists = signature.operandTypes.enumerated().map { "%a\($0.offset): \($0.element)" }.joined(separator: ", ")
    var rewrite: RewriteContext
    let new: OpID
    do throws(DiagnosticError) {
      rewrite = RewriteContext(
        try Module(parsing: "func.func @main(\(lists)) {\nfunc.return\n}", path: "v.mlir", registry: Dialects.registry),
        registry: Dialects.registry)
      let main = try rewrite.module.mainFunction()
      let last = rewrite.module.ops(inBodyOf: main)[0]
      new = try rewrite.insert(
        op.name, operands: rewrite.module.inputs(of: main), attributes: signature.attributes, at: .before(last),
        location: .unknown)
      try rewrite.module.verify(Dialects.registry)
      let sizes = try (rewrite.module[new].operands + rewrite.module[new].results).map {
        value throws(DiagnosticError) in
        try rewrite.module.tensor(of: value).count
      }
      guard sizes.allSatisfy({ $0 <= 4096 }) else { return false }
    } catch { return false }
    try op.work(rewrite.module[new])?.check()
    var inputs: [HostTensor] = []
    for (index, type) in signature.operandTypes.enumerated() {
      let tensor = try #require(TensorType(type))
      let element = try #require(ElementType(tensor.element))
      inputs.append(
        SeededValues.tensor(
          name: "\(index)", shape: tensor.shape, elementType: element,
          low: element == .i1 || element == .ui8 ? 0 : -3, high: element == .i1 ? 1 : 3))
    }
    do throws(DiagnosticError) {
      let view = rewrite.module[new]
      var types: [TensorType] = []
      for index in view.results.indices { types.append(try view.resultTensor(index)) }
      let outputs = try op.kernel(
        KernelCall(
          name: op.name, inputs: inputs, attributes: view.attributes, resultTypes: types, location: .unknown))
      #expect(
        outputs.map { TensorType($0.shape, $0.elementType.syntax) } == types, "\(rewrite.module.syntax(of: new))")
    } catch {
      // An index may be outside: only values tell.
      #expect(error.codes == ["index-range"])
    }
    return true
  }

  private static func vary(_ type: TypeSyntax, _ random: inout SplitMix64) -> TypeSyntax {
    guard let tensor = TensorType(type) else { return type }
    var shape = tensor.shape
    switch random.next(below: 4) {
    case 0 where !shape.isEmpty: shape[random.next(below: shape.count)] = random.next(below: 6)
    case 1 where !shape.isEmpty: shape.remove(at: random.next(below: shape.count))
    case 2: shape.insert(1 + random.next(below: 3), at: random.next(below: shape.count + 1))
    default: return .tensor(shape, elements[random.next(below: elements.count)])
    }
    return .tensor(shape, tensor.element)
  }

  private static func vary(_ attribute: AttributeSyntax, _ random: inout SplitMix64) -> AttributeSyntax {
    switch attribute {
    case .integer(_, let type): return .integer(numbers[random.next(below: numbers.count)], type)
    case .bool(let value): return .bool(!value)
    case .float(_, let type):
      let values = [0, 1, -1, 0.5, 1e30, -1e30, .infinity, .nan]
      return .float(values[random.next(below: values.count)], type)
    case .type: return .type(elements[random.next(below: elements.count)])
    case .array(var items) where !items.isEmpty:
      switch random.next(below: 5) {
      case 0: items.removeLast()
      case 1: items.append(items[0])
      default:
        let index = random.next(below: items.count)
        items[index] = vary(items[index], &random)
      }
      return .array(items)
    case .denseArray(let element, var items) where !items.isEmpty:
      let index = random.next(below: items.count)
      items[index] = vary(items[index], &random)
      return .denseArray(element, items)
    case .string:
      let values = [
        "none", "tanh", "constant", "edge", "reflect", "wrap", "linear", "cubic", "nearest", "crd", "floor", "x",
      ]
      return .string(values[random.next(below: values.count)])
    case .unit, .symbol, .array, .dictionary, .denseArray, .dense, .resource, .dialect, .verbatim, .typed:
      return attribute
    }
  }
}
