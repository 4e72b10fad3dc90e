import Pantile

/// Splits what stands without an option: the model, further input files, further chip settings.
///
/// `run net.onnx --input a.npy b.npy --set x=1 y=2` means what it says, although each option takes one value.
struct Operands {
  var model: String
  var inputs: [String] = []
  var settings: [String] = []

  /// - Throws: `missing-model`, `two-models`.
  init(_ texts: [String]) throws(DiagnosticError) {
    var models: [String] = []
    for text in texts {
      if text.hasSuffix(".npy") {
        inputs.append(text)
      } else if text.contains("=") {
        settings.append(text)
      } else {
        models.append(text)
      }
    }
    guard let model = models.first else {
      throw DiagnosticError("missing-model", "no model is named", hint: "give an .onnx or .mlir file, or a workload")
    }
    guard models.count == 1 else {
      throw DiagnosticError("two-models", "two models are named: '\(models[0])' and '\(models[1])'")
    }
    self.model = model
  }
}
