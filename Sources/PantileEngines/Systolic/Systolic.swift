import PantileTarget

extension ArrayFamily {
  /// The systolic array: dense int8, weight or output stationary.
  public static let systolic = ArrayFamily(
    name: "systolic", summary: "systolic array, dense int8, weight or output stationary",
    fields: sizeFields + [
      FieldSchema(
        "dataflow", .choice(SystolicOptions.Dataflow.allCases.map(\.rawValue)),
        default: .choice(SystolicOptions.Dataflow.weightStationary.rawValue),
        summary: "what stays in the array: weights (ws) or outputs (os)"),
      variantField,
    ],
    make: { section in
      guard let dataflow = SystolicOptions.Dataflow(rawValue: section.choice("dataflow")) else {
        preconditionFailure("the schema let dataflow '\(section.choice("dataflow"))' pass")
      }
      return .systolic(
        SystolicOptions(
          rows: section.count("rows"), columns: section.count("columns"), dataflow: dataflow,
          variant: section.foldVariant))
    })
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
      mapping: { _, tile in SystolicMapping.mapping(options, tile) },
      traffic: { extents, _ in SystolicTiming.traffic(options, extents) },
      function: { extents, _, operands, accumulate in
        denseProduct(extents, operands, accumulate: accumulate)
      },
      actions: { extents, format, accumulate in SystolicActions.counts(options, extents, format, accumulate: accumulate)
      },
      stepper: { inputs, _ in
        switch options.dataflow {
        case .weightStationary: return SystolicWeightStepper.run(options, inputs)
        case .outputStationary: return SystolicOutputStepper.run(options, inputs)
        }
      })
  }
}
