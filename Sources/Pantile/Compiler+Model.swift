import PantileSupport
import PantileTensor

extension Compiler {
  /// Compiles a model in any form.
  ///
  /// - Parameter calibration: input sets to quantise a float model on; empty uses seeded inputs and says so.
  /// - Throws: as `compile(module:name:modelHash:calibration:)`; what fetching weights throws.
  public func compile(
    _ model: Model, calibration: [[HostTensor]] = []
  ) throws(DiagnosticError) -> Compilation {
    try compile(
      module: model.module, name: model.name, modelHash: try model.hash(), calibration: calibration)
  }
}
