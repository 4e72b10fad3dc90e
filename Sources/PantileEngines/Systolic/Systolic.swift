extension ArrayFamily {
  /// The systolic array: dense int8, weight or output stationary.
  public static let systolic = ArrayFamily(
    name: "systolic", summary: "systolic array, dense int8, weight or output stationary")
}

extension ArrayEngine {
  /// A systolic array with these options.
  public static func systolic(_ options: SystolicOptions) -> ArrayEngine {
    ArrayEngine(
      family: ArrayFamily.systolic.name, rows: options.rows, columns: options.columns,
      summary: "systolic \(options.rows)x\(options.columns) \(options.dataflow.rawValue) \(options.variant.rawValue)",
      peakMACs: { _ in Double(options.rows * options.columns) },
      capability: { SystolicCapability.capability(of: $0) },
      granules: { SystolicCapability.granules(options, $0) },
      timing: { extents, _ in SystolicTiming.timing(options, extents) },
      function: { extents, _, operands, accumulate in
        denseProduct(extents, operands, accumulate: accumulate)
      },
      actions: { extents, _, accumulate in SystolicActions.counts(options, extents, accumulate: accumulate) },
      stepper: { inputs, _ in
        switch options.dataflow {
        case .weightStationary: return SystolicWeightStepper.run(options, inputs)
        case .outputStationary: return SystolicOutputStepper.run(options, inputs)
        }
      })
  }
}
