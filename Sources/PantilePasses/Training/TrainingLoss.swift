import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// The end of the forward part: the loss and the gradient that it starts with.
struct TrainingLoss {
  /// A scalar.
  var value: ValueID
  /// Of the output's shape, times the loss scale.
  var gradient: ValueID

  /// The type of the target beside an output.
  static func targetType(_ options: GradOptions, output: TensorType) -> TensorType {
    switch options.loss {
    case .softmaxCrossEntropy: TensorType(Array(output.shape.dropLast()), options.labels == .i64 ? .i64 : .i32)
    case .meanSquaredError, .innerProduct: output
    }
  }

  init(
    _ context: inout GradientContext, output: ValueID, target: ValueID
  ) throws(DiagnosticError) {
    let type = context.type(output)
    let all = Array(type.shape.indices)
    let scale = context.options.lossScale
    switch context.options.loss {
    case .softmaxCrossEntropy:
      let classes = type.shape[type.rank - 1]
      let rows = type.count / classes
      let logs = try context.emit("log_softmax", [output], ["axis": .integer(type.rank - 1)])
      let count = HostTensor(shape: [classes], values: (0..<classes).map { Int64($0) })
      let numbers = try context.constant(
        context.options.labels == .i64 ? count : count.converted(to: .i32), name: "classes")
      let labels = try context.reshape(target, Array(type.shape.dropLast()) + [1])
      let isLabel = try context.emit("equal", [labels, numbers])
      let sum = try context.sum(try context.masked(logs, by: isLabel), axes: all, keepsDimensions: false)
      value = try context.mul(sum, -1 / Double(rows))
      let hot = try context.emit("cast", [isLabel], ["to": .type(type.element)])
      let difference = try context.sub(try context.emit("exp", [logs]), hot)
      gradient = try context.mul(difference, scale / Double(rows))
    case .meanSquaredError:
      let difference = try context.sub(output, target)
      let sum = try context.sum(try context.mul(difference, difference), axes: all, keepsDimensions: false)
      value = try context.mul(sum, 1 / Double(type.count))
      gradient = try context.mul(difference, 2 * scale / Double(type.count))
    case .innerProduct:
      value = try context.sum(try context.mul(output, target), axes: all, keepsDimensions: false)
      gradient = try context.mul(target, scale)
    }
  }

  /// - Throws: `loss-shape` where an output does not suit the loss.
  static func check(_ loss: GradOptions.Loss, output: TensorType, at location: SourceLocation) throws(DiagnosticError) {
    guard case .float = output.element else {
      throw DiagnosticError("loss-shape", "the output is \(output), a loss needs floats", at: location)
    }
    guard loss == .softmaxCrossEntropy else { return }
    guard output.rank >= 2, output.count > 0 else {
      throw DiagnosticError(
        "loss-shape", "the output is \(output), softmax-cross-entropy needs logits [rows, classes]", at: location,
        hint: "take loss=mean-squared-error")
    }
  }
}
