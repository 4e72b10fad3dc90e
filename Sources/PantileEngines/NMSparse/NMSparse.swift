import PantileSupport
import PantileTarget
import PantileTensor

extension ArrayFamily {
  /// The N:M weight-sparse array: int8, outputs or weights stay, one select and one multiplier a PE.
  public static let nmSparse = ArrayFamily(
    name: "nm", summary: "array for N:M sparse int8 weights, dense weights too; outputs or weights stay",
    fields: sizeFields + [
      FieldSchema(
        "dataflow", .choice(NMSparseOptions.Dataflow.allCases.map(\.rawValue)),
        default: .choice(NMSparseOptions.Dataflow.outputStationary.rawValue),
        summary: "what stays in the array: outputs (os) or weights (ws)"),
      FieldSchema(
        "interleave", .count(1...NMSparseOptions.mostContexts), default: .count(1),
        summary: "output channels that a processing element serves in turn; os"),
      FieldSchema(
        "adder_latency", .cycles(1...64), default: .cycles(Cycles(1)), summary: "cycles until a sum can be added to"),
      FieldSchema(
        "multiplier_latency", .cycles(0...64), default: .cycles(Cycles(0)),
        summary: "pipeline stages of the multiplier"),
      FieldSchema(
        "patterns", .patterns(maximumGroup: 32),
        summary: "sparsity patterns that the array takes besides dense weights"),
      FieldSchema(
        "activation_port", .count(0...NMSparseOptions.mostOfPort), default: .count(0),
        summary: "activations that enter a cycle; 0: as many as the array takes"),
      FieldSchema(
        "weight_port", .count(0...NMSparseOptions.mostOfPort), default: .count(0),
        summary: "bits of weights that enter a cycle, their indices included; 0: as many as the array takes"),
      FieldSchema(
        "metadata_port", .count(0...NMSparseOptions.mostOfPort), default: .count(0),
        summary: "bits of indices that enter a cycle through a port of their own; 0: they share the weights' port"),
      FieldSchema(
        "gating", .choice(NMSparseOptions.Gating.allCases.map(\.rawValue)),
        default: .choice(NMSparseOptions.Gating.none.rawValue),
        summary:
          "products that cost no energy, though a cycle: none, those of a kept zero (weights), those of a zero on either side (operands)"
      ),
      variantField,
    ],
    check: { check($0) },
    make: { section throws(DiagnosticError) in
      var patterns: [NMPattern] = []
      for pattern in section.patterns("patterns") {
        patterns.append(try NMPattern(kept: pattern.kept, group: pattern.group))
      }
      return .nmSparse(
        NMSparseOptions(
          rows: section.count("rows"), columns: section.count("columns"), dataflow: dataflow(of: section),
          interleave: section.count("interleave"), adderLatency: section.cycles("adder_latency").count,
          multiplierLatency: section.cycles("multiplier_latency").count, patterns: patterns,
          variant: section.foldVariant,
          ports: NMSparseOptions.Ports(
            activation: section.count("activation_port"), weight: section.count("weight_port"),
            metadata: section.count("metadata_port")),
          gating: NMSparseOptions.Gating(rawValue: section.choice("gating")) ?? .none))
    })

  private static func dataflow(of section: EngineSection) -> NMSparseOptions.Dataflow {
    guard let dataflow = NMSparseOptions.Dataflow(rawValue: section.choice("dataflow")) else {
      preconditionFailure("the schema let dataflow '\(section.choice("dataflow"))' pass")
    }
    return dataflow
  }

  /// What a weight-stationary array cannot have.
  private static func check(_ section: EngineSection) -> Diagnostic? {
    guard dataflow(of: section) == .weightStationary else { return nil }
    let (rows, contexts) = (section.count("rows"), section.count("interleave"))
    if contexts != 1 {
      return Diagnostic(
        "option-conflict",
        "engine '\(section.name)' has dataflow 'ws' and interleave \(contexts), but a weight-stationary element adds to the "
          + "one sum that passes it",
        at: section.location, hint: "leave interleave out, or write dataflow: os")
    }
    if let pattern = section.patterns("patterns").first(where: { $0.kept > rows }) {
      return Diagnostic(
        "pattern-rows",
        "a group of \(pattern) stands in \(pattern.kept) rows of a weight-stationary array, engine '\(section.name)' has "
          + "\(rows)",
        at: section.location, hint: "give the array \(pattern.kept) rows, or write dataflow: os")
    }
    return nil
  }
}

extension ArrayEngine {
  /// An N:M array with these options.
  public static func nmSparse(_ options: NMSparseOptions) -> ArrayEngine {
    let weightsStay = options.dataflow == .weightStationary
    var measure: Measure?
    if options.gating != .none {
      measure = { extents, format, operands, accumulate in
        NMGating.measure(options, extents, format, operands, accumulate: accumulate)
      }
    }
    return ArrayEngine(
      family: ArrayFamily.nmSparse.name, rows: options.rows, columns: options.columns, summary: options.summary,
      peakMACs: { _ in Double(options.rows * options.columns) },
      capability: { NMSparseCapability.capability(of: $0, options) },
      granules: { format in
        let (kept, group) = (format.pattern?.kept ?? 1, format.pattern?.group ?? 1)
        return weightsStay
          ? TileExtents(m: 1, k: options.rows / kept * group, n: options.columns)
          : TileExtents(m: options.rows, k: group, n: options.columns * options.interleave)
      },
      timing: { extents, format in options.timing(extents, format) },
      occupancy: { extents, format in options.occupancy(extents, format) },
      mapping: { format, tile in NMSparseMapping.mapping(options, format, tile) },
      traffic: { extents, format in
        weightsStay
          ? NMWeightTiming.traffic(options, extents, format) : NMSparseTiming.traffic(options, extents, format)
      },
      function: { extents, format, operands, accumulate in
        if let pattern = format.pattern {
          compressedProduct(extents, pattern, operands, accumulate: accumulate)
        } else {
          denseProduct(extents, operands, accumulate: accumulate)
        }
      },
      actions: { extents, format, accumulate in
        NMSparseActions.counts(options, extents, format, accumulate: accumulate)
      },
      stepper: { inputs, format in
        weightsStay
          ? NMWeightStepper.run(options, inputs, format).result : NMSparseStepper.run(options, inputs, format).result
      },
      measure: measure)
  }
}

extension NMSparseOptions {
  /// The closed form of the dataflow.
  func timing(_ extents: TileExtents, _ format: ContractionFormat) -> TileTiming {
    dataflow == .weightStationary
      ? NMWeightTiming.timing(self, extents, format) : NMSparseTiming.timing(self, extents, format)
  }

  func occupancy(_ extents: TileExtents, _ format: ContractionFormat) -> TileOccupancy {
    dataflow == .weightStationary
      ? NMWeightTiming.occupancy(self, extents, format) : NMSparseTiming.occupancy(self, extents, format)
  }

  /// As in `nm 16x16 interleave 4 patterns 2:4,2:8 latency 1+1 overlapped` or `nm 16x16 ws patterns 2:4 latency 0+1 serial`.
  fileprivate var summary: String {
    let kind = dataflow == .weightStationary ? "ws" : "interleave \(interleave)"
    var limits: [String] = []
    if ports.activation > 0 { limits.append("\(ports.activation) activations") }
    if ports.weight > 0 { limits.append("\(ports.weight) bits of weights") }
    if ports.metadata > 0 { limits.append("\(ports.metadata) bits of indices") }
    return "nm \(rows)x\(columns) \(kind) patterns \(patterns.map(\.description).joined(separator: ","))"
      + " latency \(multiplierLatency)+\(adderLatency) \(variant.rawValue)"
      + (limits.isEmpty ? "" : ", a cycle " + limits.joined(separator: ", "))
      + (gating == .none ? "" : ", gated by \(gating.rawValue)")
  }
}
