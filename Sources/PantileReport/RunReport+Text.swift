extension RunReport {
  /// The report for a terminal of 100 columns: a summary, the array's way from its peak to what it achieved, one row a layer, then what
  /// the energy figure leaves out.
  public func text() -> String {
    let steps = waterfallTable()
    return summaryText() + "\n" + (steps.isEmpty ? "" : steps + "\n") + layerTable() + "\n" + footnote()
  }

  /// The lines above the layer table.
  public func summaryText() -> String {
    var lines = [
      "\(model) on \(chip)  (\(Format.clock(hertz: clockHertz)), chip \(chipHash), model \(modelHash))"
    ]
    func add(_ name: String, _ value: String) {
      lines.append("  " + name + String(repeating: " ", count: max(1, 14 - name.count)) + value)
    }
    if let accuracy {
      let float = accuracy.floatTop1.map { ", float \(Format.percent($0))" } ?? ""
      add("accuracy", "\(Format.percent(accuracy.top1)) (\(accuracy.correct) of \(accuracy.samples))\(float)")
    }
    add("cycles", "\(Format.grouped(cycles))  (\(Format.time(seconds: seconds)))")
    if let values { add("", values.text) }
    if let repeats {
      add(
        "\(repeats.count) times",
        "\(Format.grouped(repeats.cycles)) cycles  (\(Format.time(seconds: repeats.seconds))), "
          + "\(Format.grouped(repeats.least)) to \(Format.grouped(repeats.most)) a time")
    }
    add("MACs", "\(Format.grouped(macs)), utilization \(Format.percent(utilization))")
    let idle = stalls.descending.filter { $0.amount > 0 }
    add(
      "array stalls",
      idle.isEmpty ? "none" : RunReport.shares(idle.map { ($0.name, Double($0.amount)) }, of: Double(cycles)))
    add("energy", Format.energy(picojoules: energy.totalPicojoules))
    add(
      "",
      RunReport.shares(energy.components.descending.map { ($0.name, $0.amount) }, of: energy.totalPicojoules))
    add("scratchpad", "peak \(Format.bytes(peakScratchpadBytes))")
    add("off-chip", Format.bytes(offchipBytes))
    add("plan", plan.status)
    add("plan gaps", plan.gaps.text)
    for output in outputs {
      let shape = output.shape.map(String.init).joined(separator: "x")
      let details = [output.hash.map { "hash \($0)" }, output.file].compactMap { $0 }
      add(
        "output",
        "\(output.name) \(shape)x\(output.elementType)"
          + (details.isEmpty ? "" : "  \(details.joined(separator: ", "))"))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func waterfallTable() -> String {
    guard let waterfall, !waterfall.isEmpty else { return "" }
    var table = TextTable([("array", .left), ("PE-cycles", .right), ("share", .right), ("", .left)])
    for step in waterfall {
      table.add([
        step.name, Format.count(step.peCycles), Format.percent(step.share), step.meaning(of: stalledEngine ?? "array"),
      ])
    }
    return table.text
  }

  private func layerTable() -> String {
    var table = TextTable([
      ("layer", .left), ("cycles", .right), ("share", .right), ("MACs", .right), ("util", .right),
      ("limited by", .left), ("off-chip", .right), ("energy", .right),
    ])
    for layer in layers {
      let offchip = layer.bytes.items.filter { $0.name.hasPrefix("dram_") }.reduce(0) { $0 + $1.amount }
      table.add([
        Format.shortened(layer.name, to: 24), Format.grouped(layer.cycles),
        Format.percent(cycles > 0 ? Double(layer.cycles) / Double(cycles) : 0), Format.count(layer.macs),
        layer.macs > 0 ? Format.percent(layer.utilization) : "-", Format.shortened(layer.limit, to: 16),
        Format.bytes(offchip), Format.energy(picojoules: layer.energy.totalPicojoules),
      ])
    }
    return table.text
  }

  private func footnote() -> String {
    var text = "energy: table \(energy.table), an estimate (lowest confidence \(energy.confidence)); not included:\n"
    for category in energy.unmodelled { text += "  - \(category)\n" }
    return text
  }

  /// `data 12.3 %, dram 4.5 %`; the smallest are gathered when there are more than `limit`.
  private static func shares(_ parts: [(name: String, amount: Double)], of total: Double, limit: Int = 5) -> String {
    guard total > 0 else { return "none" }
    var texts = parts.prefix(limit).map { "\($0.name) \(Format.percent($0.amount / total))" }
    if parts.count > limit {
      texts.append("other \(Format.percent(parts.dropFirst(limit).reduce(0) { $0 + $1.amount } / total))")
    }
    return texts.joined(separator: ", ")
  }

  /// One row a report: the table of a demo or a comparison of chips.
  public static func comparison(of reports: [RunReport]) -> String {
    var table = TextTable([
      ("chip", .left), ("accuracy", .right), ("float", .right), ("cycles", .right), ("time", .right), ("util", .right),
      ("energy", .right), ("peak spad", .right), ("off-chip", .right),
    ])
    for report in reports {
      table.add([
        report.chip, report.accuracy.map { Format.percent($0.top1) } ?? "-",
        report.accuracy?.floatTop1.map { Format.percent($0) } ?? "-", Format.grouped(report.cycles),
        Format.time(seconds: report.seconds), Format.percent(report.utilization),
        Format.energy(picojoules: report.energy.totalPicojoules), Format.bytes(report.peakScratchpadBytes),
        Format.bytes(report.offchipBytes),
      ])
    }
    var details = TextTable([("chip", .left), ("", .left), ("", .left)])
    for report in reports {
      let idle = report.stalls.descending.filter { $0.amount > 0 }
      details.add([
        report.chip, "stalls", shares(idle.map { ($0.name, Double($0.amount)) }, of: Double(report.cycles), limit: 4),
      ])
      details.add([
        "", "energy",
        shares(
          report.energy.components.descending.map { ($0.name, $0.amount) }, of: report.energy.totalPicojoules, limit: 4),
      ])
      details.add(["", "plan", report.plan.status])
      details.add(["", "gaps", report.plan.gaps.text])
    }
    return table.text + "\n" + details.text
  }
}

extension RunReport.Plan.Gaps {
  /// `tiling 0.0 %, residency 0.0 %, packing unknown, network 3.1 %`.
  var text: String {
    [("tiling", tiling), ("residency", residency), ("packing", packing), ("network", network)].map { name, gap in
      "\(name) \(gap.map { Format.percent($0) } ?? "unknown")"
    }.joined(separator: ", ")
  }
}

extension RunReport.Values {
  /// What it says beside the cycles.
  var text: String {
    isMeasured
      ? "with the values of the first run; \(Format.grouped(longestCycles)) when nothing is skipped"
      : "no values are given, so nothing is skipped or gated; --input or --seed gives some"
  }
}
