import ArgumentParser
import Pantile

/// Whose way of counting cycles.
struct TimingModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How cycles are counted: as Pantile does, or as another tool does ('pantile list timing-models').",
      valueName: TimingModel.all.map(\.name).joined(separator: "|")))
  var timingModel = TimingModel.native.name

  /// The model of another tool; nil for our own.
  /// - Throws: `unknown-timing-model`.
  func peer() throws(DiagnosticError) -> TimingModel? {
    let model = try TimingModel.named(timingModel)
    return model.isNative ? nil : model
  }
}
