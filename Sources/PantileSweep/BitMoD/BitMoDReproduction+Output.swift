import PantileEngines
import PantileReport
import PantileSupport

extension BitMoDReproduction {
  /// The result in the schema `pantile.bitmod/1`.
  public var json: OrderedJSON {
    var entries: [OrderedJSON.Entry] = [
      .init("schema", .string("pantile.bitmod/1")),
      .init("rows", .list(rows.map { .object($0.key + $0.figures) })),
    ]
    if let agreement {
      entries.append(
        .init(
          "agreement",
          .object([
            .init("cycles", .integer(agreement.cycles)), .init("equal_cycles", .integer(agreement.equalCycles)),
            .init("energies", .integer(agreement.energies)),
            .init("energies_within_1_uJ", .integer(agreement.equalEnergies)),
          ])))
    }
    if !figures.isEmpty {
      entries.append(.init("figures", .list(figureObjects)))
      entries.append(.init("effects", .list(effects.map(effectObject))))
    }
    entries.append(.init("corrected", .list(correctedObjects)))
    return .object(entries)
  }

  private var figureObjects: [OrderedJSON] {
    zip(figures, effects.first?.values ?? []).map { figure, value in
      .object([
        .init("name", .string(figure.name)), .init("of", .string(figure.accelerator)),
        .init("over", .string(figure.over)),
        .init("quantity", .string(figure.quantity.rawValue)), .init("run", .string(figure.run.rawValue)),
        .init("published", .number(figure.published)), .init("tolerance", .number(figure.tolerance)),
        .init("value", value.map { .number($0) } ?? .null),
        .init("holds", .bool(!missedFigures.contains(figure))),
      ])
    }
  }

  private func effectObject(_ effect: Effect) -> OrderedJSON {
    let single = effect.fixed.count == 1 ? effect.fixed.first : nil
    var entries: [OrderedJSON.Entry] = [.init("fixed", .string(effect.name))]
    if let single {
      entries.append(.init("published_model", .string(single.published)))
      entries.append(.init("corrected_model", .string(single.corrected)))
    }
    for (figure, value) in zip(figures, effect.values) {
      entries.append(.init(figure.name, value.map { .number($0) } ?? .null))
    }
    return .object(entries)
  }

  private var correctedObjects: [OrderedJSON] {
    zip(rows, zip(attentionRows, correctedRows)).map { row, corrected in
      .object(
        row.key + [
          .init("attention_corrected", .object(corrected.0.figures)),
          .init("all_corrected", .object(corrected.1.figures)),
        ])
    }
  }

  /// The corrected table as CSV: cycles and energies of the published model, with attention put right, with everything
  /// put right.
  public var correctedCSV: String {
    let quantities = ["compute_cycles", "dram_cycles", "total_cycles", "onchip_energy_uJ", "dram_energy_uJ"]
    let header =
      ["model", "context", "task", "configuration"]
      + ["published", "attention_corrected", "all_corrected"].flatMap { set in quantities.map { "\(set)_\($0)" } }
    var text = header.joined(separator: ",") + "\n"
    for (row, corrected) in zip(rows, zip(attentionRows, correctedRows)) {
      var cells = [row.model, "\(row.context)", row.task.rawValue, row.configuration]
      for item in [row, corrected.0, corrected.1] {
        cells += [
          "\(item.counts.computeCycles.count)", "\(item.counts.dramCycles.count)", "\(item.counts.totalCycles.count)",
          item.energy.map { Format.fixed($0.onChip.value / 1e6, 3) } ?? "",
          item.energy.map { Format.fixed($0.dram.value / 1e6, 3) } ?? "",
        ]
      }
      text += cells.joined(separator: ",") + "\n"
    }
    return text
  }

  /// What people read: what is met, the effect of each assumption, then the rows.
  public var text: String {
    var text = ""
    if let agreement {
      text += "cycles equal to the published ones: \(agreement.equalCycles) of \(agreement.cycles)\n"
      text += "energies within 1 uJ of the simulator's: \(agreement.equalEnergies) of \(agreement.energies)\n\n"
    }
    if !figures.isEmpty { text += [figureTable, effectTable, assumptionLines, ""].joined(separator: "\n") }
    return text + rowTable
  }

  private var rowTable: String {
    var table = TextTable([
      ("model", .left), ("context", .right), ("task", .left), ("configuration", .left), ("compute", .right),
      ("cycles", .right), ("corrected", .right), ("on chip", .right), ("DRAM", .right),
    ])
    for (row, corrected) in zip(rows, attentionRows) {
      let energy = row.energy
      table.add([
        row.model, "\(row.context)", row.task.rawValue, row.configuration,
        Format.grouped(row.counts.computeCycles.count), Format.grouped(row.counts.totalCycles.count),
        Format.grouped(corrected.counts.totalCycles.count),
        energy.map { Format.energy(picojoules: $0.onChip.value) } ?? "-",
        energy.map { Format.energy(picojoules: $0.dram.value) } ?? "-",
      ])
    }
    return table.text
  }

  private var figureTable: String {
    var table = TextTable([
      ("figure", .left), ("published", .right), ("here", .right), ("tolerance", .right), ("holds", .left),
    ])
    for (figure, value) in zip(figures, effects.first?.values ?? []) {
      table.add([
        figure.name, Format.fixed(figure.published, 2), value.map { Format.fixed($0, 4) } ?? "-",
        Format.fixed(figure.tolerance, 3), missedFigures.contains(figure) ? "no" : "yes",
      ])
    }
    return table.text
  }

  private var effectTable: String {
    var text = figures.enumerated().map { "(\($0 + 1)) \($1.name)\n" }.joined() + "\n"
    var table = TextTable([("put right", .left)] + figures.indices.map { ("(\($0 + 1))", .right) })
    for effect in effects {
      table.add([effect.name] + effect.values.map { $0.map { Format.fixed($0, 3) } ?? "-" })
    }
    text += table.text
    return text
  }

  private var assumptionLines: String {
    BitMoDAssumption.allCases.map { "\($0.rawValue): \($0.published); put right: \($0.corrected)\n" }.joined()
  }
}

extension BitMoDStudy.Row {
  fileprivate var key: [OrderedJSON.Entry] {
    [
      .init("model", .string(model)), .init("context", .integer(context)), .init("task", .string(task.rawValue)),
      .init("configuration", .string(configuration)),
    ]
  }

  fileprivate var figures: [OrderedJSON.Entry] {
    func microjoules(_ value: Picojoules?) -> OrderedJSON { value.map { .number($0.value / 1e6) } ?? .null }
    return [
      .init("compute_cycles", .integer(counts.computeCycles.count)),
      .init("dram_cycles", .integer(counts.dramCycles.count)),
      .init("total_cycles", .integer(counts.totalCycles.count)),
      .init("weight_dram_bytes", .integer(counts.weightBytes.count)),
      .init("input_dram_bytes", .integer(counts.inputBytes.count)),
      .init("output_dram_bytes", .integer(counts.outputBytes.count)),
      .init("pe_energy_uJ", microjoules(energy?.pe)),
      .init("sram_read_energy_uJ", microjoules(energy?.sramRead)),
      .init("sram_write_energy_uJ", microjoules(energy?.sramWrite)),
      .init("onchip_energy_uJ", microjoules(energy?.onChip)),
      .init("dram_energy_uJ", microjoules(energy?.dram)),
    ]
  }
}
