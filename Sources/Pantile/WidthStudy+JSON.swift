import PantilePlan
import PantileProblem
import PantileReport
import PantileSolve
import PantileSupport
import PantileTarget

extension WidthStudy {
  /// `pantile.widths/1`: what was measured, the assignment with its proof, and the compiled variants.
  ///
  /// `proof` holds the integer program and the certificate of its bound, in whole numbers; `Scripts/check-certificate.py` checks them.
  /// - Throws: `not-whole` for a model that has no text in whole numbers.
  public func json(version: String, model: String, modelHash: String, chip: Chip) throws(DiagnosticError) -> OrderedJSON
  {
    var entries: [OrderedJSON.Entry] = [
      .init("schema", .string("pantile.widths/1")), .init("version", .string(version)), .init("model", .string(model)),
      .init("model_hash", .string(modelHash)), .init("chip", .string(chip.name)),
      .init("chip_hash", .string(chip.hash)), .init("error", .string(options.error.rawValue)),
      .init("samples", .integer(samples)), .init("synthetic_calibration", .bool(isSynthetic)),
      .init("cost_scale", .integer(WidthStudy.costScale)), .init("widths", .integers(options.widths)),
      .init("size_limit_bytes", .optional(options.sizeLimit)),
      .init("latency_limit_cycles", .optional(options.cycleLimit)),
      .init("status", .string(statusName)),
    ]
    let assignment = outcome.assignment
    entries += [
      .init("cost", .optional(assignment?.cost)), .init("lower_bound", .optional(assignment?.lowerBound)),
      .init("gap", .optional(assignment.map { $0.cost - $0.lowerBound })),
      .init("stored_bits", .optional(taken?.assignment.storedBits)),
      .init("summed_cycles", .optional(taken?.assignment.cycles)),
      .init("compiled_cycles", .optional(assigned?.cycles)), .init("nodes", .integer(outcome.nodes)),
    ]
    if let shortfall = outcome.shortfall {
      entries.append(
        .init(
          "shortfall",
          .object([
            .init("limit", .string(shortfall.limit == .storedBits ? "stored_bits" : "cycles")),
            .init("least", .integer(shortfall.least)), .init("allowed", .integer(shortfall.allowed)),
            .init("excess", .integer(shortfall.excess)), .init("both_limits", .bool(shortfall.isJoint)),
          ])))
    }
    entries += [
      .init("taken", .optional(taken?.number)), .init("candidates", .list(candidateRows)),
      .init("layer_bits", .list(layerBits.map { .string($0.optionText) })), .init("layers", .list(layerRows)),
      .init("variants", .list(variantRows)), .init("float_correct", .optional(floatCorrect)),
      .init(
        "proof",
        try outcome.certificate.map { certificate throws(DiagnosticError) in
          .object([
            .init("model", .verbatim(try outcome.model.wholeText())), .init("certificate", .verbatim(certificate.text)),
          ])
        } ?? .null),
    ]
    return .object(entries)
  }

  /// `optimal`, `feasible`, `infeasible`, `budget-exhausted`.
  public var statusName: String {
    switch outcome.status {
    case .optimal: return "optimal"
    case .feasible: return "feasible"
    case .infeasible: return "infeasible"
    case .budgetExhausted: return "budget-exhausted"
    }
  }

  private var candidateRows: [OrderedJSON] {
    candidates.map { candidate in
      .object([
        .init("number", .integer(candidate.number)),
        .init("bits", .integers(zip(problem.layers, candidate.assignment.choices).map { $0.choices[$1].bits })),
        .init("cost", .integer(candidate.assignment.cost)), .init("error", .number(candidate.error)),
        .init("stored_bits", .integer(candidate.assignment.storedBits)),
        .init("summed_cycles", .integer(candidate.assignment.cycles)),
      ])
    }
  }

  private var layerRows: [OrderedJSON] {
    layers.indices.map { layer in
      .object([
        .init("name", .string(layers[layer].name)), .init("kind", .string(layers[layer].kind)),
        .init("bits", .optional(assigned?.bits[layer])),
        .init("compiled_cycles", .optional(assigned?.layerCycles[layer])),
        .init(
          "choices",
          .list(
            zip(problem.layers[layer].choices, errors[layer]).map { choice, error in
              .object([
                .init("bits", .integer(choice.bits)), .init("error", .number(error)),
                .init("cost", .integer(choice.cost)),
                .init("stored_bits", .integer(choice.storedBits)), .init("cycles", .integer(choice.cycles)),
              ])
            })),
      ])
    }
  }

  private var variantRows: [OrderedJSON] {
    let all =
      uniform.map { (name: "uniform", variant: $0) } + (assigned.map { [(name: "assigned", variant: $0)] } ?? [])
    return all.map { name, variant in
      .object([
        .init("weights", .string(name)), .init("bits", .integers(variant.bits)),
        .init("stored_bits", .integer(variant.storedBits)), .init("cycles", .integer(variant.cycles)),
        .init("layer_cycles", .integers(variant.layerCycles)), .init("error", .number(variant.error)),
        .init("correct", .optional(variant.correct)),
      ])
    }
  }
}
