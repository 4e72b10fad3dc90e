import PantileEngines
import PantileReport
import PantileTensor

/// The rows of a study as table, CSV and plot.
public struct TermStudyResult: Sendable {
  public var study: TermStudy
  public var rows: [TermStudy.Row]

  public init(_ study: TermStudy, rows: [TermStudy.Row]) {
    self.study = study
    self.rows = rows
  }

  private static let csvHeader =
    "weights,format,sqnr_db,encoding,sync,run_ahead,cycles,fixed_cycles,cycles_of_fixed,mean_step_cycles,mean_terms,energy_uj\n"

  public var csv: String {
    TermStudyResult.csvHeader
      + rows.map { row in
        [
          row.weights, row.format, row.signalToNoise.map { Format.fixed($0, 2) } ?? "", row.encoding.rawValue,
          "\(row.scope)", "\(row.runAhead)", "\(row.cycles)", "\(row.fixedCycles)",
          Format.fixed(Double(row.cycles) / Double(row.fixedCycles), 4), Format.fixed(row.meanStepCycles, 4),
          Format.fixed(row.meanTerms, 4), Format.fixed(row.energyPicojoules / 1e6, 4),
        ].joined(separator: ",") + "\n"
      }.joined()
  }

  public var json: OrderedJSON {
    .object([
      .init("schema", .string("pantile.term-study/1")),
      .init(
        "rows",
        .list(
          rows.map { row in
            .object([
              .init("weights", .string(row.weights)), .init("format", .string(row.format)),
              .init("sqnr_db", row.signalToNoise.map { .number($0) } ?? .null),
              .init("encoding", .string(row.encoding.rawValue)), .init("sync", .string("\(row.scope)")),
              .init("run_ahead", .integer(row.runAhead)), .init("cycles", .integer(row.cycles)),
              .init("fixed_cycles", .integer(row.fixedCycles)), .init("mean_step_cycles", .number(row.meanStepCycles)),
              .init("mean_terms", .number(row.meanTerms)), .init("energy_pj", .number(row.energyPicojoules)),
            ])
          })),
    ])
  }

  /// Rows of one curve: the same weights, format and encoding.
  private struct Curve {
    var weights: String
    var format: String
    var encoding: TermEncoding
    var rows: [TermStudy.Row]

    func row(_ scope: BitSerialMachine.SyncScope, ahead: Int) -> TermStudy.Row? {
      rows.first { $0.scope == scope && $0.runAhead == (scope == .element ? 0 : ahead) }
    }
  }

  private var curves: [Curve] {
    var result: [Curve] = []
    for row in rows {
      if let last = result.last, last.weights == row.weights, last.format == row.format, last.encoding == row.encoding {
        result[result.count - 1].rows.append(row)
      } else {
        result.append(Curve(weights: row.weights, format: row.format, encoding: row.encoding, rows: [row]))
      }
    }
    return result
  }

  /// Tables for a terminal: cycles of those without skipping.
  public var text: String {
    let machine = study.machine
    let ahead = study.runAheads.max() ?? 0
    var text =
      "\(machine.rows)x\(machine.columns) elements of \(machine.dotWidth) lanes, tiles of "
      + "\(machine.tileRows)x\(machine.tileColumns), \(study.tokens) tokens; cycles as a share of those without skipping\n\n"
    var columns: [(String, TextTable.Alignment)] = [
      ("weights", .left), ("format", .left), ("SQNR", .right), ("encoding", .left), ("T", .right), ("terms", .right),
    ]
    for scope in study.scopes {
      columns.append(("\(scope)", .right))
      if scope != .element { columns.append(("\(scope)+\(ahead)", .right)) }
    }
    columns.append(("energy", .right))
    var table = TextTable(columns)
    for curve in curves {
      guard let first = curve.rows.first else { continue }
      func share(_ scope: BitSerialMachine.SyncScope, _ ahead: Int) -> String {
        curve.row(scope, ahead: ahead).map { Format.percent(Double($0.cycles) / Double($0.fixedCycles)) } ?? "-"
      }
      let bits = study.formats.first { $0.format.name == curve.format }.flatMap {
        try? SerialNumbers.numberRange(of: $0.format).bits
      }
      var cells = [curve.weights, curve.format]
      cells.append(first.signalToNoise.map { "\(Format.fixed($0, 1)) dB" } ?? "exact")
      cells.append(curve.encoding.rawValue)
      cells.append(bits.map { "\(curve.encoding.fixedTerms(bits: $0))" } ?? "")
      cells.append(Format.fixed(first.meanTerms, 2))
      for scope in study.scopes {
        cells.append(share(scope, 0))
        if scope != .element { cells.append(share(scope, ahead)) }
      }
      cells.append(Format.energy(picojoules: first.energyPicojoules))
      table.add(cells)
    }
    text += table.text + "\n"
    text +=
      "terms: mean of a number's, T: cycles of a step without skipping; +\(ahead): with so many steps of run-ahead.\n"
    return text + verdict
  }

  /// Which curves gain more than a third where elements are alone, and how much run-ahead keeps nine tenths of that gain in a tile.
  private var verdict: String {
    var text = ""
    for curve in curves {
      guard let alone = curve.row(.element, ahead: 0), let locked = curve.row(.array, ahead: 0) else { continue }
      let gain = 1 - Double(alone.cycles) / Double(alone.fixedCycles)
      guard gain > 1.0 / 3 else { continue }
      let kept = 1 - Double(locked.cycles) / Double(locked.fixedCycles)
      let enough = study.runAheads.sorted().first { ahead in
        curve.row(.tile, ahead: ahead).map { 1 - Double($0.cycles) / Double($0.fixedCycles) >= 0.9 * gain } ?? false
      }
      text +=
        "\n\(curve.weights), \(curve.format) in \(curve.encoding.rawValue): \(Format.fixed(alone.meanStepCycles, 2)) cycles a "
        + "step where no element waits, \(Format.percent(gain)) fewer; \(Format.percent(kept)) in lock step; "
        + (enough.map { "a tile keeps nine tenths of it with a run-ahead of \($0)" }
          ?? "a tile does not keep nine tenths of it with a run-ahead of \(study.runAheads.max() ?? 0)")
    }
    return text.isEmpty ? "" : text + "\n"
  }

  /// Cycles over run-ahead, a panel for each set of weights and scope; each format in its encoding of fewest fixed cycles.
  public var plot: String {
    let aheads = study.runAheads.sorted()
    var panels: [LinePanels.Panel] = []
    for set in study.weights {
      for scope in study.scopes where scope != .element {
        var lines: [LinePanels.Line] = []
        for formatted in study.formats {
          let candidates = curves.filter { $0.weights == set.name && $0.format == formatted.format.name }
          let best = candidates.min { a, b in
            (a.rows.map(\.fixedCycles).min() ?? 0, a.rows.map(\.cycles).min() ?? 0)
              < (b.rows.map(\.fixedCycles).min() ?? 0, b.rows.map(\.cycles).min() ?? 0)
          }
          guard let best else { continue }
          lines.append(
            .init(
              name: "\(best.format) \(best.encoding.rawValue)",
              values: aheads.map { best.row(scope, ahead: $0).map { Double($0.cycles) / Double($0.fixedCycles) } }))
        }
        panels.append(.init(title: "\(set.name), \(scope)", lines: lines))
      }
    }
    return LinePanels(
      panels: panels, xLabels: aheads.map(String.init), xTitle: "run-ahead, steps", yTitle: "cycles / without skipping",
      maximum: 1, step: 0.2, across: max(1, study.scopes.filter { $0 != .element }.count)
    ).document
  }
}
