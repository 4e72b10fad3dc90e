extension RunReport {
  /// The report as one HTML file without any reference to elsewhere: figures as inline SVG, tooltips by `title`.
  public func html() -> String {
    var body = "<h1>\(HTML.escaped(model)) <small>on \(HTML.escaped(chip))</small></h1>\n"
    body += tiles()
    if let values { body += "<p>Cycles: \(HTML.escaped(values.text)).</p>\n" }
    if let waterfall, !waterfall.isEmpty {
      body += section(
        "From the array's peak to what it achieved",
        "Every multiplier in every cycle of the run, less what each cause takes. Waits for operands are split over what their DMA "
          + "engine did in the layer, by share; all else is exact.", waterfallBars(waterfall).svg)
      body += section(
        "The array's peak by layer", "The same for the stretch of each layer, as shares of its peak.",
        layerWaterfallBars().svg)
    }
    body += section(
      "Cycles by layer", "For each layer the engine that was busy longest: busy, then its idle cycles by cause.",
      layerBars().svg)
    body += section(
      "Energy by component",
      "Table \(energy.table), an estimate (lowest confidence \(energy.confidence)). Not included: "
        + energy.unmodelled.joined(separator: "; ") + ".", energyBars().svg)
    body += section("Energy by layer", "", layerEnergyBars().svg)
    body += section("Layers", "", layerTableHTML())
    body += "<footer>Pantile \(HTML.escaped(version)) · chip \(HTML.escaped(chipHash)) · model "
    body += "\(HTML.escaped(modelHash)) · schema \(HTML.escaped(schema))</footer>\n"
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><title>\(HTML.escaped("\(model) on \(chip)"))</title>
      <style>
      :root { color-scheme: light; }
      body { font: 15px/1.45 system-ui, sans-serif; color: #1d2733; max-width: 960px; margin: 28px auto; padding: 0 20px; }
      h1 { font-size: 24px; margin: 0 0 14px; } h1 small { color: #64707d; font-weight: 400; }
      h2 { font-size: 17px; margin: 30px 0 4px; } p { margin: 2px 0 10px; color: #64707d; font-size: 13.5px; }
      .tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px; }
      .tile { border: 1px solid #dde2e7; border-radius: 6px; padding: 9px 12px; }
      .tile b { display: block; font-size: 18px; } .tile span { color: #64707d; font-size: 12.5px; }
      svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: #1d2733; }
      svg .note { fill: #64707d; } .scroll { overflow-x: auto; }
      table { border-collapse: collapse; font-size: 13px; width: 100%; }
      th, td { text-align: right; padding: 4px 8px; border-bottom: 1px solid #e8ecef; white-space: nowrap; }
      th:first-child, td:first-child, .left { text-align: left; } th { color: #64707d; font-weight: 600; }
      footer { margin: 30px 0; color: #64707d; font-size: 12.5px; }
      </style></head><body>
      \(body)</body></html>

      """
  }

  private func section(_ title: String, _ text: String, _ content: String) -> String {
    let paragraph = text.isEmpty ? "" : "<p>\(HTML.escaped(text))</p>\n"
    return "<h2>\(HTML.escaped(title))</h2>\n\(paragraph)\(content)"
  }

  private func tiles() -> String {
    var tiles: [(String, String)] = []
    if let accuracy {
      let float = accuracy.floatTop1.map { ", float \(Format.percent($0))" } ?? ""
      tiles.append((Format.percent(accuracy.top1), "accuracy, \(accuracy.samples) samples\(float)"))
    }
    tiles += [
      (Format.grouped(cycles), "cycles, \(Format.time(seconds: seconds)) at \(Format.clock(hertz: clockHertz))"),
      (Format.percent(utilization), "utilization, \(Format.count(macs)) MACs"),
      (Format.energy(picojoules: energy.totalPicojoules), "energy, estimate"),
      (Format.bytes(peakScratchpadBytes), "peak scratchpad"), (Format.bytes(offchipBytes), "off-chip traffic"),
      (plan.status, "plan; gaps: \(plan.gaps.text)"),
    ]
    let items = tiles.map {
      "<div class=\"tile\"><b>\(HTML.escaped($0.0))</b><span>\(HTML.escaped($0.1))</span></div>\n"
    }
    return "<div class=\"tiles\">\n\(items.joined())</div>\n"
  }

  /// The whole peak, then what each cause takes away, down to what is achieved: every row ends where the last one began.
  private func waterfallBars(_ steps: [WaterfallStep]) -> StackedBars {
    let engine = stalledEngine ?? "the array"
    var left = 1.0
    var rows: [StackedBars.Row] = []
    for step in steps {
      let isLoss = step.name != "peak" && step.name != "achieved"
      if isLoss { left -= step.share }
      let detail = "\(Format.grouped(step.peCycles)) PE-cycles: \(step.meaning(of: engine))"
      var segments = [StackedBars.Segment(name: step.name, amount: step.share, detail: detail)]
      if isLoss { segments.insert(.init(name: "", amount: max(0, left), detail: ""), at: 0) }
      rows.append(.init(label: step.name, segments: segments, note: (isLoss ? "−" : "") + Format.percent(step.share)))
    }
    var chart = StackedBars(rows: rows, maximum: 1, colours: Palette.forStalls(steps.map(\.name)))
    // Each row has its name beside it.
    chart.colours.append((name: "", colour: "#ffffff00"))
    chart.hasLegend = false
    return chart
  }

  private func layerWaterfallBars() -> StackedBars {
    let order = ["achieved"] + Waterfall.losses.map(\.name).reversed()
    let colours = Palette.forStalls(order)
    let rows = layers.compactMap { layer -> StackedBars.Row? in
      guard let steps = layer.waterfall, let last = steps.last else { return nil }
      let sorted = order.compactMap { name in steps.first { $0.name == name } }
      return StackedBars.Row(
        label: layer.name,
        segments: sorted.map {
          .init(
            name: $0.name, amount: $0.share,
            detail: "\(Format.percent($0.share)), \(Format.grouped($0.peCycles)) PE-cycles")
        }, note: Format.percent(last.share))
    }
    return StackedBars(rows: rows, maximum: 1, colours: order.compactMap { name in colours.first { $0.name == name } })
  }

  private func layerBars() -> StackedBars {
    let colours = Palette.forStalls(Array(Set(layers.flatMap { $0.stalls.items.map(\.name) })).sorted())
    let order = colours.map(\.name)
    let rows = layers.map { layer in
      let parts = [("busy", layer.busy)] + layer.stalls.items.map { ($0.name, $0.amount) }
      let sorted = parts.sorted { (order.firstIndex(of: $0.0) ?? 0) < (order.firstIndex(of: $1.0) ?? 0) }
      return StackedBars.Row(
        label: layer.name,
        segments: sorted.map {
          .init(name: $0.0, amount: Double($0.1), detail: "\(Format.grouped($0.1)) cycles (\(layer.engine))")
        }, note: "\(Format.grouped(layer.cycles))")
    }
    return StackedBars(rows: rows, maximum: nil, colours: colours)
  }

  private func energyBars() -> StackedBars {
    let parts = energy.components.descending
    let rows = parts.map { part in
      let share = energy.totalPicojoules > 0 ? Format.percent(part.amount / energy.totalPicojoules) : ""
      return StackedBars.Row(
        label: part.name,
        segments: [.init(name: part.name, amount: part.amount, detail: Format.energy(picojoules: part.amount))],
        note: "\(Format.energy(picojoules: part.amount)), \(share)")
    }
    return StackedBars(rows: rows, maximum: nil, colours: Palette.assign(parts.map(\.name)))
  }

  private func layerEnergyBars() -> StackedBars {
    let names = energy.components.descending.map(\.name)
    let rows = layers.map { layer in
      StackedBars.Row(
        label: layer.name,
        segments: names.map {
          let amount = layer.energy.components[$0]
          return .init(name: $0, amount: amount, detail: Format.energy(picojoules: amount))
        }, note: Format.energy(picojoules: layer.energy.totalPicojoules))
    }
    return StackedBars(rows: rows, maximum: nil, colours: Palette.assign(names))
  }

  private func layerTableHTML() -> String {
    let titles = ["layer", "kind", "engine", "cycles", "MACs", "utilization", "limited by", "off-chip", "energy"]
    var text = "<div class=\"scroll\"><table><tr>\(titles.map { "<th>\($0)</th>" }.joined())</tr>\n"
    for layer in layers {
      let offchip = layer.bytes.items.filter { $0.name.hasPrefix("dram_") }.reduce(0) { $0 + $1.amount }
      let cells = [
        layer.name, layer.kind, layer.engine, Format.grouped(layer.cycles), Format.grouped(layer.macs),
        layer.macs > 0 ? Format.percent(layer.utilization) : "–", layer.limit, Format.bytes(offchip),
        Format.energy(picojoules: layer.energy.totalPicojoules),
      ]
      let nodes = HTML.escaped(layer.nodes.joined(separator: ", "))
      text += "<tr title=\"\(nodes)\">\(cells.map { "<td>\(HTML.escaped($0))</td>" }.joined())</tr>\n"
    }
    return text + "</table></div>\n"
  }
}
