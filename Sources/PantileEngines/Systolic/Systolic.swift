import PantileSupport
import PantileTarget

extension ArrayFamily {
  /// The systolic array: dense int8, on request 16-bit floats; weights, outputs or activations stay.
  public static let systolic = ArrayFamily(
    name: "systolic", summary: "systolic array, dense int8; weights, outputs or activations stay",
    fields: sizeFields + [
      FieldSchema(
        "dataflow", .choice(SystolicOptions.Dataflow.allCases.map(\.rawValue)),
        default: .choice(SystolicOptions.Dataflow.weightStationary.rawValue),
        summary: "what stays in the array: weights (ws), outputs (os) or activations (is)"),
      FieldSchema(
        "variant", .choice(SystolicOptions.Variant.allCases.map(\.rawValue)),
        default: .choice(SystolicOptions.Variant.overlapped.rawValue),
        summary: "whether the next fold starts behind the running one; skewed: its load follows the stream's skew"),
      FieldSchema(
        "pe_latency", .cycles(1...64), default: .cycles(Cycles(1)),
        summary: "pipeline stages of a processing element, the last one adds"),
      FieldSchema(
        "operands", .choice(SystolicOptions.Operands.allCases.map(\.rawValue)),
        default: .choice(SystolicOptions.Operands.int8.rawValue),
        summary: "what is multiplied: 8-bit integers alone, or also 16-bit floats with sums of 32 bits"),
    ],
    check: { section in
      let kind = kind(of: section)
      guard !SystolicOptions.isKnown(kind.dataflow, kind.variant) else { return nil }
      return Diagnostic(
        "option-conflict",
        "engine '\(section.name)' has dataflow '\(kind.dataflow.rawValue)' and variant '\(kind.variant.rawValue)', but an "
          + "output-stationary array loads nothing that could be skewed",
        at: section.location, hint: "write variant: overlapped, or dataflow: ws")
    },
    make: { section in
      let kind = kind(of: section)
      guard let operands = SystolicOptions.Operands(rawValue: section.choice("operands")) else {
        preconditionFailure("the schema let operands '\(section.choice("operands"))' pass")
      }
      return .systolic(
        SystolicOptions(
          rows: section.count("rows"), columns: section.count("columns"), dataflow: kind.dataflow,
          variant: kind.variant, peLatency: section.cycles("pe_latency").count, operands: operands))
    })

  private static func kind(
    of section: EngineSection
  ) -> (dataflow: SystolicOptions.Dataflow, variant: SystolicOptions.Variant) {
    guard let dataflow = SystolicOptions.Dataflow(rawValue: section.choice("dataflow")),
      let variant = SystolicOptions.Variant(rawValue: section.choice("variant"))
    else {
      preconditionFailure(
        "the schema let dataflow '\(section.choice("dataflow"))' or variant '\(section.choice("variant"))' pass")
    }
    return (dataflow, variant)
  }
}

extension ArrayEngine {
  /// Sums run down the rows of one fold, or stay for the whole reduction.
  private static func floatFunction(_ options: SystolicOptions) -> FloatFunction? {
    guard options.operands.float != nil else { return nil }
    let staysWhole = options.dataflow == .outputStationary
    return { extents, operands, accumulate in
      floatProduct(extents, operands, chain: staysWhole ? extents.k : options.rows, accumulate: accumulate)
    }
  }

  /// A systolic array with these options.
  public static func systolic(_ options: SystolicOptions) -> ArrayEngine {
    ArrayEngine(
      family: ArrayFamily.systolic.name, rows: options.rows, columns: options.columns,
      summary: "systolic \(options.rows)x\(options.columns) \(options.dataflow.rawValue) \(options.variant.rawValue)"
        + (options.peLatency == 1 ? "" : " latency \(options.peLatency)")
        + (options.operands == .int8 ? "" : " \(options.operands.rawValue)"),
      peakMACs: { _ in Double(options.rows * options.columns) },
      capability: { SystolicCapability.capability(options, of: $0) },
      granules: { SystolicCapability.granules(options, $0) },
      timing: { extents, _ in SystolicTiming.timing(options, extents) },
      occupancy: { extents, _ in SystolicTiming.occupancy(options, extents) },
      mapping: { _, tile in SystolicMapping.mapping(options, tile) },
      traffic: { extents, _ in SystolicTiming.traffic(options, extents) },
      function: { extents, _, operands, accumulate in
        denseProduct(extents, operands, accumulate: accumulate)
      },
      actions: { extents, format, accumulate in SystolicActions.counts(options, extents, format, accumulate: accumulate)
      },
      stepper: { inputs, _ in SystolicStepper.run(options, inputs.map { SystolicCommand($0) }).result },
      floatFunction: floatFunction(options))
  }
}
