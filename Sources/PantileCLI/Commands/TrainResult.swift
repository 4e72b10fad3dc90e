import Pantile

/// What `pantile train` reports.
struct TrainResult {
  var model: String
  var seed: UInt64
  var batch: Int
  var grad: GradOptions
  var result: Trainer.Result

  private var report: TrainingReport { result.report }
  private var pattern: NMPattern? {
    guard !grad.pattern.isEmpty, let text = PruneNMOptions.NMPatternText(optionText: grad.pattern) else { return nil }
    return try? text.pattern()
  }

  private static func bytes(_ bits: Int) -> Int { (bits + 7) / 8 }

  private func score(_ score: Trainer.Score?) -> [OrderedJSON.Entry] {
    [
      .init("test_correct", .optional(score?.correct)), .init("test_count", .optional(score?.count)),
      .init("test_accuracy", score.map { .number($0.accuracy) } ?? .null),
    ]
  }

  var json: OrderedJSON {
    let epochs = result.epochs.enumerated().map { index, epoch in
      OrderedJSON.object(
        [
          .init("epoch", .integer(index + 1)), .init("loss", .number(epoch.loss)),
          .init("largest_loss", .number(epoch.largestLoss)),
        ] + score(epoch.test))
    }
    let layers = report.layers.map { layer in
      OrderedJSON.object([
        .init("name", .string(layer.name)), .init("kind", .string(layer.kind)),
        .init("forward", .integer(layer.forward)), .init("backward", .integer(layer.backward)),
        .init("weight_update", .integer(layer.weightUpdate)),
        .init("input_gradient", layer.inputGradient.map { .string($0.form.rawValue) } ?? .null),
        .init("dense_because", layer.denseReason.map { .string($0) } ?? .null),
      ])
    }
    let saved = report.saved.map { value in
      OrderedJSON.object([
        .init("node", .string(value.node)), .init("value", .string(value.name)), .init("type", .string(value.type)),
        .init("bytes", .integer(Self.bytes(value.bits))),
      ])
    }
    let parameters = report.parameters.map { parameter in
      OrderedJSON.object([
        .init("name", .string(parameter.name)), .init("node", .string(parameter.node)),
        .init("shape", .integers(parameter.shape)), .init("updated_shape", .integers(parameter.updatedShape)),
      ])
    }
    return .object([
      .init("schema", .string("pantile.train/1")), .init("version", .string(pantileVersion)),
      .init("model", .string(model)), .init("format", .string(grad.format.rawValue)),
      .init("seed", .string(String(seed))), .init("batch", .integer(batch)), .init("steps", .integer(result.steps)),
      .init("start", .object(score(result.start))), .init("epochs", .list(epochs)),
      .init("loss", result.epochs.last.map { .number($0.loss) } ?? .null),
      .init("test_accuracy", (result.epochs.last?.test ?? result.start).map { .number($0.accuracy) } ?? .null),
      .init("macs_per_step", .integer(report.stepMACs)), .init("forward_macs", .integer(report.forwardMACs)),
      .init("sparse_macs_per_step", .integer(report.sparseStepMACs)),
      .init("pattern", pattern.map { .string("\($0)") } ?? .null),
      .init("masks", pattern == nil ? .null : .string(grad.masks.rawValue)),
      .init("pattern_bound", pattern.map { .number(TrainingReport.bound($0, masks: grad.masks)) } ?? .null),
      .init("step_bound", .number(Double(report.stepMACs) / Double(max(1, report.sparseStepMACs)))),
      .init("saved_bytes", .integer(Self.bytes(report.savedBits))),
      .init("peak_bytes", .integer(Self.bytes(report.peakBitsUpdatesLast))),
      .init("peak_bytes_reordered", .integer(Self.bytes(report.peakBits))), .init("layers", .list(layers)),
      .init("saved", .list(saved)), .init("parameters", .list(parameters)), .init("chip", chip),
    ])
  }

  private var chip: OrderedJSON {
    guard let chip = result.chip else { return .null }
    return .object([
      .init("name", .string(chip.chip)), .init("cycles_per_step", .integer(chip.cycles)),
      .init("seconds_per_step", .number(chip.seconds)), .init("energy_pj_per_step", .number(chip.picojoules)),
      .init("utilization", .number(chip.utilization)),
      .init("cycles_by_kind", .object(chip.kinds.map { .init($0.kind, .integer($0.cycles)) })),
    ])
  }

  private static func percent(_ score: Trainer.Score?) -> String {
    score.map { "\(Table.percent($0.accuracy)) (\($0.correct) of \($0.count))" } ?? "-"
  }

  var text: String {
    var rows = [["start", "-", Self.percent(result.start)]]
    for (index, epoch) in result.epochs.enumerated() {
      rows.append([String(index + 1), Format.fixed(epoch.loss, 4), Self.percent(epoch.test)])
    }
    var text = "\(model), \(grad.format.rawValue), batch \(batch), \(Table.grouped(result.steps)) steps\n\n"
    text += Table.text(["epoch", "loss", "test"], rows)
    text += "\nstep      \(Table.grouped(report.stepMACs)) MACs, forward \(Table.grouped(report.forwardMACs))\n"
    if let pattern {
      let bound = Double(report.stepMACs) / Double(max(1, report.sparseStepMACs))
      text += """
        \(pattern)       \(Table.grouped(report.sparseStepMACs)) MACs without dropped weights: at most \
        \(Format.fixed(bound, 3)) times as fast, the pattern alone \
        \(Format.fixed(TrainingReport.bound(pattern, masks: grad.masks), 3))

        """
    }
    text += """
      saved     \(Table.grouped(Self.bytes(report.savedBits))) bytes for backward
      live      at most \(Table.grouped(Self.bytes(report.peakBits))) bytes, \
      \(Table.grouped(Self.bytes(report.peakBitsUpdatesLast))) with all updates at the end

      """
    if let chip = result.chip {
      text += "chip      \(chip.chip): \(Table.grouped(chip.cycles)) cycles a step, "
      text += "\(Format.fixed(chip.picojoules / 1e6, 2)) uJ, \(Table.percent(chip.utilization)) of the array's peak\n"
    }
    return text
  }
}
