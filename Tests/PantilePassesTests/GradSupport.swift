import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTensor
import PantileText
import Testing

/// A function of constants as text, for judging gradients.
struct GradCase: Sendable, CustomStringConvertible {
  var name: String
  /// Constants by name, shape and range.
  var operands: [(name: String, shape: [Int], low: Double, high: Double)]
  var op: String
  var result: [Int]
  var element = "f64"

  var description: String { name }

  func type(_ shape: [Int]) -> String { "tensor<\((shape.map(String.init) + [element]).joined(separator: "x"))>" }

  /// All operands are constants made from their names.
  var text: String {
    var lines = operands.map {
      "  %\($0.name) = dnn.constant {value = #dnn.seeded<\"\(name) \($0.name)\", \($0.low), \($0.high)>} : \(type($0.shape))"
    }
    let inputs = operands.map { "%\($0.name)" }.joined(separator: ", ")
    let types = operands.map { type($0.shape) }.joined(separator: ", ")
    let parts = op.split(separator: " ", maxSplits: 1).map(String.init)
    lines.append(
      "  %y = dnn.\(parts[0]) \(inputs)\(parts.count > 1 ? " " + parts[1] : "") : (\(types)) -> \(type(result)) loc(\"node\")"
    )
    return
      "func.func @main() -> \(type(result)) {\n\(lines.joined(separator: "\n"))\n  func.return %y : \(type(result))\n}\n"
  }
}

/// A module and the step that `grad` makes of it.
struct MadeStep {
  var interpreter: Interpreter
  var report: TrainingReport
  var outcome: PassManager.Outcome

  /// - Parameter options: of `grad`, as pipeline text.
  init(_ text: String, _ options: String) throws {
    let module = try Module(verifying: text, path: "step.mlir")
    outcome = try run("grad{\(options)}", module)
    interpreter = try Interpreter(outcome.module)
    report = try #require(outcome.artifacts[TrainingReport.self])
  }

  /// Types of the arguments.
  var arguments: [TensorType] {
    get throws {
      let module = interpreter.module
      return try module.inputs(of: interpreter.function).map { try module.tensor(of: $0) }
    }
  }

  /// The parameters' values in the model.
  var initial: [HostTensor] { report.parameters.compactMap(\.initial) }

  /// Values for the target, from -1 to 1.
  func target(_ seed: String) throws -> HostTensor {
    let place = try arguments.count - report.parameters.count * (report.hasVelocity ? 2 : 1) - 1
    let type = try arguments[place]
    return SeededValues.tensor(
      name: "target \(seed)", shape: type.shape, elementType: try #require(ElementType(type.element)), low: -1, high: 1)
  }
}

/// Gradients of a case by the step, and by central differences of the loss that the step gives.
func compareWithDifferences(_ item: GradCase, options: String = "", tolerance: Double = 2e-6) throws {
  let names = item.operands.map(\.name).joined(separator: ",")
  let step = try MadeStep(item.text, "loss=inner-product optimizer=none parameters=\(names) \(options)")
  let target = try step.target(item.name)
  let values = step.initial
  #expect(values.count == item.operands.count, "\(item.name)")
  let results = try step.interpreter.run([target] + values)
  for (place, value) in values.enumerated() {
    let gradient = results[1 + place]
    #expect(gradient.shape == value.shape, "\(item.name) \(place)")
    var scale = 1e-3
    for index in 0..<gradient.count { scale = max(scale, gradient.double(at: index).magnitude) }
    for index in 0..<value.count {
      let h = 1e-5
      func loss(_ shift: Double) throws -> Double {
        var moved = values
        moved[place].withMutableValues(as: Double.self) { $0[index] += shift }
        return try step.interpreter.run([target] + moved)[0].double(at: 0)
      }
      let difference = (try loss(h) - loss(-h)) / (2 * h)
      let got = gradient.double(at: index)
      #expect(
        (got - difference).magnitude <= tolerance * scale,
        "\(item.name): operand \(place) element \(index): \(got) but differences give \(difference)")
    }
  }
}
