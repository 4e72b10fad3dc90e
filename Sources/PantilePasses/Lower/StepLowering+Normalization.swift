import PantileDialects
import PantileIR
import PantileProgram
import PantileSupport
import PantileText

extension StepLowering {
  /// Layer and root-mean-square norm over the last axes: mean, differences, their root mean square, quotient with scale and bias.
  ///
  /// In the reference's order of operations, so that the bits are the same: sums in index order, a factor `1 / sqrt(...)` that multiplies.
  mutating func lowerNormalisation(_ op: OpView) throws(DiagnosticError) {
    let x = try op.operandTensor(0)
    guard x.element == .f32 else { throw unsupported(op, "a norm of \(x.element)") }
    let axes = Array(try op.integer("axis")..<x.rank)
    let others = x.shape.indices.filter { !axes.contains($0) }
    let count = Float(axes.reduce(1) { $0 * x.shape[$1] })
    let hasMean = op.name == "dnn.layer_norm"
    func immediate(_ value: Float) -> Int { Int(Int32(bitPattern: value.bitPattern)) }
    let identity = OperandMap(x.shape.indices.map { .along($0) })
    let point = Kernel.Input(.f32, .point, register: 0)
    let each = Kernel.Input(.f32, .result, register: 0)
    let one = immediate(1)

    var inputs = [MapStep.Input(.tensor(try tensor(of: op.operands[0], for: op)), identity)]
    var constants: [StepGraph.Constant] = []
    // Scale, then bias, each along its own dims.
    for (position, value) in op.operands.dropFirst().enumerated() {
      let type = try module.tensor(of: value)
      guard type.element == .f32 else { throw unsupported(op, "a scale or bias of type \(type.element)") }
      let map = broadcastMap(from: type.shape, to: x.shape)
      if let constant = try constant(value) {
        inputs.append(.init(.constant(constants.count), map))
        constants.append(constantTensor(position == 0 ? "scale" : "bias", type.shape, .f32, constant.bytes))
      } else {
        inputs.append(.init(.tensor(try tensor(of: value, for: op)), map))
      }
    }

    var stages: [MapStep.Stage] = []
    var temporaries: [MapStep.Temporary] = []
    func temporary(_ dims: [Int]) -> Int {
      temporaries.append(.init(dims: dims, format: .f32))
      return temporaries.count - 1
    }
    var centred = MapStep.Operand.input(0)
    if hasMean {
      let (mean, differences) = (temporary(others), temporary(Array(x.shape.indices)))
      stages.append(
        .init(
          Kernel(
            name: "norm_mean", inputs: [point], reduced: 0, reduction: .addF32,
            epilogue: [.init(.divImmediateF32, 0, 0, 0, [immediate(count)])], output: 0, outputFormat: .f32),
          [.input(0)], reduced: axes, target: mean))
      stages.append(
        .init(
          Kernel(
            name: "norm_centre", inputs: [each, .init(.f32, .result, register: 1)], epilogue: [.init(.subF32, 0, 0, 1)],
            output: 0, outputFormat: .f32), [.input(0), .temporary(mean)], target: differences))
      centred = .temporary(differences)
    }
    let factor = temporary(others)
    stages.append(
      .init(
        Kernel(
          name: "norm_factor", inputs: [point], prologue: [.init(.mulF32, 0, 0, 0)], reduced: 0, reduction: .addF32,
          epilogue: [
            .init(.divImmediateF32, 0, 0, 0, [immediate(count)]),
            .init(.addImmediateF32, 0, 0, 0, [immediate(Float(try op.number("epsilon")))]), .init(.sqrtF32, 0, 0),
            .init(.clampF32, 1, 0, 0, [one, one]), .init(.divF32, 0, 1, 0),
          ], output: 0, outputFormat: .f32), [centred], reduced: axes, target: factor))
    var body: [Kernel.Instruction] = [.init(.mulF32, 0, 0, 1)]
    if inputs.count > 1 { body.append(.init(.mulF32, 0, 0, 2)) }
    if inputs.count > 2 { body.append(.init(.addF32, 0, 0, 3)) }
    stages.append(
      .init(
        Kernel(
          name: "norm_scale_\(inputs.count - 1)",
          inputs: [each, .init(.f32, .result, register: 1)]
            + inputs.indices.dropFirst().map { .init(.f32, .result, register: $0 + 1) },
          epilogue: body, output: 0, outputFormat: .f32),
        [centred, .temporary(factor)] + inputs.indices.dropFirst().map { .input($0) }))
    addMap(
      op, kind: String(op.name.dropFirst(4)), shape: x.shape, inputs: inputs, constants: constants,
      temporaries: temporaries, stages: stages, untiled: Set(axes), output: try newTensor(for: op.result))
  }
}
