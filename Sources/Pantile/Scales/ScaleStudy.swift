import Foundation
import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTensor

/// What scaling input channels by their activations does for a network whose weights are quantised: error of each layer, of the
/// outputs, and accuracy.
public struct ScaleStudy: Sendable {
  /// A form of the network.
  public struct Variant: Sendable {
    public enum Form: String, CaseIterable, Sendable {
      case float
      case floatScaled = "float, scaled"
      case quantised
      case quantisedScaled = "quantised, scaled"
    }

    public var form: Form
    /// Of the outputs against the float network, on the calibration inputs.
    public var error: Double
    /// Power of the float network's outputs over their squared error, in decibels; infinite for none.
    public var decibels: Double
    /// Labels that are met.
    public var correct: Int?
  }

  public let report: ScaleReport
  public let variants: [Variant]
  /// The float network with its scales folded in.
  public let scaled: Module
  public let options: AWQOptions
  public let error: OutputError
  /// Remarks of the graph passes.
  public let remarks: [Diagnostic]

  /// - Parameters:
  ///   - calibration: made up when empty.
  ///   - labelled: to count what each form gets right.
  ///   - graph: how weights become integers; its `awq` says how scales are searched.
  /// - Throws: `not-float` for a model that is quantised already; what passes and interpreter throw, `missing-weights` among it.
  public init(
    _ model: Model, calibration: [[HostTensor]] = [], labelled: WidthStudy.Labelled? = nil,
    graph: GraphPipeline.Options = .init(), error: OutputError = .kl
  ) throws(DiagnosticError) {
    guard try GraphPipeline.form(of: model.module) == .float else {
      throw DiagnosticError(
        "not-float", "the weights of '\(model.name)' are integers already: they cannot be scaled",
        hint: "give the float model")
    }
    var with = graph
    with.awq = graph.awq ?? AWQOptions()
    var without = graph
    without.awq = nil
    let samples =
      try calibration.isEmpty
      ? Calibration.synthetic(for: model.module, function: model.module.mainFunction(), count: 16, seed: 1)
      : Calibration(samples: calibration)
    let scaled = try GraphPipeline.scaled(model.module, calibration: samples, options: with)
    let modules: [(Variant.Form, Module)] = [
      (.float, model.module), (.floatScaled, scaled.module),
      (.quantised, try GraphPipeline.integer(model.module, calibration: samples, options: without).module),
      (.quantisedScaled, try GraphPipeline.integer(model.module, calibration: samples, options: with).module),
    ]
    let reference = try Session.interpret(model.module, runs: samples.samples)
    var variants: [Variant] = []
    for (form, module) in modules {
      let outputs = try Session.interpret(module, runs: samples.samples)
      let ratio = try OutputError.mse.between(reference, outputs)
      variants.append(
        Variant(
          form: form, error: try error.between(reference, outputs), decibels: -10 * log10(ratio),
          correct: try labelled.map { labelled throws(DiagnosticError) in
            try Session.interpret(module, runs: labelled.runs).first?.correct(labelled.labels) ?? 0
          }))
    }
    self.variants = variants
    self.error = error
    options = with.awq ?? AWQOptions()
    report = scaled.scaling ?? ScaleReport()
    self.scaled = scaled.module
    remarks = scaled.diagnostics
  }
}
