/// The SVG of one memory of a `PlanPicture`.
struct PlanDrawing {
  let picture: PlanPicture
  let panel: PlanPicture.Panel
  /// Steps from the first to the last, half open.
  private let start: Int
  private let end: Int
  /// Points a step; below one when time is long.
  private let column: Double
  /// The address at the upper edge.
  private let top: Int
  private let kinds: [(name: String, colour: String)]
  private let movesAt: [Int: (spilled: Int, fetched: Int)]

  private static let left = 92.0
  private static let right = 96.0
  private static let height = 440.0
  private static let trafficHeight = 54.0
  private static let axisHeight = 104.0

  init(_ picture: PlanPicture, _ panel: PlanPicture.Panel) {
    self.picture = picture
    self.panel = panel
    let first = picture.steps.isEmpty ? panel.blocks.map(\.from).min() ?? 0 : 0
    start = first
    end = max(first + 1, picture.steps.isEmpty ? panel.blocks.map(\.to).max() ?? 1 : picture.steps.count)
    // Names of ops can be read from nine points on; beyond 400 steps a column is narrower than a name.
    let count = Double(end - first)
    column = picture.steps.isEmpty ? 1080 / count : max(count > 400 ? 4 : 9.5, min(44, 1080 / count))
    let extent = max(panel.capacity ?? 0, panel.peak, 1)
    top = extent + extent / 50
    let known = Self.colours.map(\.name)
    let used = Set(panel.blocks.map(\.kind))
    let further = used.subtracting(known).sorted()
    kinds = Self.colours.filter { used.contains($0.name) } + further.map { (name: $0, colour: "#7f8c8d") }
    var moves: [Int: (spilled: Int, fetched: Int)] = [:]
    for move in panel.moves {
      var entry = moves[move.step] ?? (0, 0)
      if move.direction == .spill { entry.spilled += move.bytes } else { entry.fetched += move.bytes }
      moves[move.step] = entry
    }
    movesAt = moves
  }

  /// One colour a kind; each has lighter neighbours so that blocks side by side can be told apart.
  private static let colours: [(name: String, colour: String)] = [
    ("input", "#3a9d5d"), ("activation", "#4a86b8"), ("output", "#e0903a"), ("weight", "#8e6bb0"),
    ("variable", "#d16ba5"), ("state", "#3fa79c"), ("workspace", "#98a3ae"), ("buffer", "#4a86b8"),
  ]
  private static let spill = "#c0392b"
  private static let fetch = "#1d2733"

  static let style = """
    .plan text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1d2733; font-size: 11px; }
    .plan .note { fill: #64707d; } .plan .name { fill: #fff; pointer-events: none; }
    .plan rect.b { stroke: #fff; stroke-width: 0.7; } .plan .away { fill: none; stroke-width: 1; stroke-dasharray: 2 2.5; opacity: .55; }
    .plan g.thing:hover rect.b { stroke: #1d2733; stroke-width: 1.8; } .plan g.thing:hover .away { opacity: 1; stroke-width: 1.8; }
    .plan rect.step { fill: #1d2733; fill-opacity: 0; } .plan rect.step:hover { fill-opacity: .06; }
    """

  // MARK: Places

  private var width: Double { PlanDrawing.left + Double(end - start) * column + PlanDrawing.right }
  /// The picture has a title of its own as a file, and traffic only when something moves.
  private func traffic(_ isWhole: Bool) -> Double { isWhole ? 66 : 26 }
  private func plotTop(_ isWhole: Bool) -> Double {
    traffic(isWhole) + (panel.moves.isEmpty ? 0 : PlanDrawing.trafficHeight + 10)
  }
  private func x(_ step: Int) -> Double { PlanDrawing.left + Double(step - start) * column }
  private func y(_ address: Int, _ plotTop: Double) -> Double {
    plotTop + PlanDrawing.height * (1 - Double(address) / Double(top))
  }

  // MARK: The element

  /// - Parameter isWhole: A file of its own: with title, figures, style and a white ground.
  func element(isWhole: Bool) -> String {
    let plotTop = plotTop(isWhole)
    let total = plotTop + PlanDrawing.height + (picture.steps.isEmpty ? 40 : PlanDrawing.axisHeight)
    var text =
      "<svg class=\"plan\" xmlns=\"http://www.w3.org/2000/svg\" width=\"\(point(width))\" height=\"\(point(total))\" "
      + "viewBox=\"0 0 \(point(width)) \(point(total))\" role=\"img\">\n"
    if isWhole {
      text += "<style>\(PlanDrawing.style)</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
      text += "<text x=\"\(point(PlanDrawing.left))\" y=\"20\" style=\"font-size:15px;font-weight:600\">"
      text += "\(HTML.escaped(picture.title)), \(HTML.escaped(picture.subtitle))</text>\n"
      let facts = picture.facts.map { "\($0.label) \($0.value)" }.joined(separator: "   ·   ")
      text += "<text class=\"note\" x=\"\(point(PlanDrawing.left))\" y=\"38\">\(HTML.escaped(facts))</text>\n"
    }
    text += legend(isWhole ? 48 : 4)
    if !panel.moves.isEmpty { text += trafficBars(traffic(isWhole)) }
    text += grid(plotTop) + columns(plotTop, isWhole) + things(plotTop) + limits(plotTop) + axis(plotTop)
    return text + "</svg>\n"
  }

  private func legend(_ y: Double) -> String {
    var text = ""
    var x = PlanDrawing.left
    func add(_ name: String, _ symbol: (Double) -> String) {
      text += symbol(x)
      text += "<text class=\"note\" x=\"\(point(x + 16))\" y=\"\(point(y + 10))\">\(HTML.escaped(name))</text>\n"
      x += 34 + Double(name.count) * 6.4
    }
    for kind in kinds {
      add(kind.name) {
        "<rect x=\"\(point($0))\" y=\"\(point(y))\" width=\"11\" height=\"11\" fill=\"\(kind.colour)\"/>"
      }
    }
    guard !panel.moves.isEmpty else { return text }
    add("spill") { triangle($0 + 5.5, y + 5.5, 5, isUp: true, PlanDrawing.spill) }
    add("fetch") { triangle($0 + 5.5, y + 5.5, 5, isUp: false, PlanDrawing.fetch) }
    add("off chip meanwhile") {
      "<line class=\"away\" x1=\"\(point($0 - 2))\" y1=\"\(point(y + 6))\" x2=\"\(point($0 + 13))\" y2=\"\(point(y + 6))\" "
        + "stroke=\"\(PlanDrawing.spill)\"/>"
    }
    return text
  }

  /// Bytes over the edge before each step: spills over fetches.
  private func trafficBars(_ y: Double) -> String {
    let most = movesAt.values.reduce(1) { max($0, $1.spilled + $1.fetched) }
    let height = PlanDrawing.trafficHeight
    let base = y + height
    var text =
      "<text class=\"note\" x=\"\(point(PlanDrawing.left - 8))\" y=\"\(point(y + 9))\" text-anchor=\"end\">\(Format.bytes(most))</text>\n"
      + "<text class=\"note\" x=\"\(point(PlanDrawing.left - 8))\" y=\"\(point(base))\" text-anchor=\"end\">moved</text>\n"
      + "<line x1=\"\(point(PlanDrawing.left))\" y1=\"\(point(base))\" x2=\"\(point(x(end)))\" y2=\"\(point(base))\" stroke=\"#c7ced5\"/>\n"
    let width = max(2, min(column * 0.62, 16))
    for step in movesAt.keys.sorted() {
      guard let moved = movesAt[step] else { continue }
      let fetched = Double(moved.fetched) / Double(most) * (height - 2)
      let spilled = Double(moved.spilled) / Double(most) * (height - 2)
      let left = x(step) - width / 2
      if moved.fetched > 0 { text += bar(left, base - fetched, width, fetched, PlanDrawing.fetch) }
      if moved.spilled > 0 { text += bar(left, base - fetched - spilled, width, spilled, PlanDrawing.spill) }
    }
    return text
  }

  private func bar(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ colour: String) -> String {
    "<rect x=\"\(point(x))\" y=\"\(point(y))\" width=\"\(point(width))\" height=\"\(point(height))\" fill=\"\(colour)\"/>\n"
  }

  private func grid(_ plotTop: Double) -> String {
    let bottom = y(0, plotTop)
    var text =
      "<rect x=\"\(point(PlanDrawing.left))\" y=\"\(point(plotTop))\" width=\"\(point(x(end) - PlanDrawing.left))\" "
      + "height=\"\(point(bottom - plotTop))\" fill=\"#f5f7f9\"/>\n"
    for address in ticks(upTo: max(panel.capacity ?? 0, panel.peak)) {
      let line = y(address, plotTop)
      text +=
        "<line x1=\"\(point(PlanDrawing.left))\" y1=\"\(point(line))\" x2=\"\(point(x(end)))\" y2=\"\(point(line))\" "
      text += "stroke=\"#e1e6ea\" stroke-width=\"0.8\"/>\n"
      text += "<text class=\"note\" x=\"\(point(PlanDrawing.left - 8))\" y=\"\(point(line + 4))\" text-anchor=\"end\">"
      text += "\(Format.bytes(address))</text>\n"
    }
    return text
  }

  /// About six round addresses.
  private func ticks(upTo limit: Int) -> [Int] {
    var step = 1
    while limit / step > 8 { step *= 2 }
    return Array(stride(from: 0, through: limit, by: step))
  }

  /// A strip a step under everything, that says what runs.
  private func columns(_ plotTop: Double, _ isWhole: Bool) -> String {
    guard !picture.steps.isEmpty else { return "" }
    let from = panel.moves.isEmpty ? plotTop : traffic(isWhole)
    let height = y(0, plotTop) - from + PlanDrawing.axisHeight - 14
    var use = Array(repeating: 0, count: picture.steps.count)
    for block in panel.blocks {
      for step in max(0, block.from)..<min(max(0, block.from, block.to), use.count) { use[step] += block.bytes }
    }
    return picture.steps.enumerated().map { step, name in
      var title = "step \(step): \(name)\n\(Format.grouped(use[step])) bytes in use"
      if let moved = movesAt[step] {
        if moved.spilled > 0 { title += "\n\(Format.grouped(moved.spilled)) bytes spilled" }
        if moved.fetched > 0 { title += "\n\(Format.grouped(moved.fetched)) bytes fetched" }
      }
      return "<rect class=\"step\" x=\"\(point(x(step)))\" y=\"\(point(from))\" width=\"\(point(column))\" "
        + "height=\"\(point(height))\"><title>\(HTML.escaped(title))</title></rect>\n"
    }.joined()
  }

  // MARK: Things

  private func things(_ plotTop: Double) -> String {
    var order: [Int] = []
    var blocks: [Int: [PlanPicture.Block]] = [:]
    var moves: [Int: [PlanPicture.Move]] = [:]
    for block in panel.blocks {
      if blocks[block.thing] == nil { order.append(block.thing) }
      blocks[block.thing, default: []].append(block)
    }
    for move in panel.moves where !move.isStreamed { moves[move.thing, default: []].append(move) }
    // What moves is drawn last, over what stays.
    let sorted = order.filter { moves[$0] == nil } + order.filter { moves[$0] != nil }
    return sorted.map { thing in
      let own = (blocks[thing] ?? []).sorted { ($0.from, $0.offset) < ($1.from, $1.offset) }
      var text = "<g class=\"thing\">"
      text += own.map { rectangle($0, plotTop) }.joined()
      if let moved = moves[thing] { text += marks(own, moved, plotTop) }
      return text + "</g>\n"
    }.joined()
  }

  private func rectangle(_ block: PlanPicture.Block, _ plotTop: Double) -> String {
    let (left, right) = (x(block.from), x(block.to))
    let (low, high) = (y(block.offset, plotTop), y(block.offset + block.bytes, plotTop))
    let base = kinds.first { $0.name == block.kind }?.colour ?? "#7f8c8d"
    // Four shades, by the number of the thing, so that neighbours differ.
    let shade = [1, 0.82, 0.9, 0.74][positive(block.thing) % 4]
    let last = block.to - 1
    let steps = block.from >= last ? "step \(block.from)" : "steps \(block.from) to \(last)"
    var title =
      "\(block.name) (\(block.kind))\n\(Format.grouped(block.bytes)) bytes at offset \(Format.grouped(block.offset))"
    title += "\n\(steps)"
    if let first = name(of: block.from) {
      title += ": \(first)" + (last > block.from ? " … \(name(of: last) ?? "")" : "")
    }
    var text =
      "<rect class=\"b\" x=\"\(point(left))\" y=\"\(point(high))\" width=\"\(point(max(right - left, 0.4)))\" "
      + "height=\"\(point(max(low - high, 0.4)))\" fill=\"\(base)\" fill-opacity=\"\(Format.fixed(shade, 2))\">"
      + "<title>\(HTML.escaped(title))</title></rect>"
    text += label(block.name, left, right, high, low)
    return text
  }

  /// The name, where it fits along or upright.
  private func label(_ name: String, _ left: Double, _ right: Double, _ high: Double, _ low: Double) -> String {
    let (width, height) = (right - left, low - high)
    let size = min(11, max(7.5, min(width, height) * 0.8))
    let length = Double(name.count) * size * 0.58 + 5
    let (centreX, centreY) = ((left + right) / 2, (high + low) / 2)
    let escaped = HTML.escaped(name)
    if width >= length, height >= size + 1 {
      return
        "<text class=\"name\" x=\"\(point(centreX))\" y=\"\(point(centreY + size * 0.35))\" text-anchor=\"middle\" "
        + "style=\"font-size:\(point(size))px\">\(escaped)</text>"
    }
    if height >= length, width >= size + 1 {
      return "<text class=\"name\" x=\"0\" y=\"0\" text-anchor=\"middle\" style=\"font-size:\(point(size))px\" "
        + "transform=\"translate(\(point(centreX + size * 0.35)) \(point(centreY))) rotate(-90)\">\(escaped)</text>"
    }
    return ""
  }

  /// Where a thing leaves and comes back, and a line between.
  private func marks(_ blocks: [PlanPicture.Block], _ moves: [PlanPicture.Move], _ plotTop: Double) -> String {
    func middle(_ block: PlanPicture.Block) -> Double {
      (y(block.offset, plotTop) + y(block.offset + block.bytes, plotTop)) / 2
    }
    var text = ""
    // A thing that is away between two stays.
    for (before, after) in zip(blocks, blocks.dropFirst()) where before.to < after.from {
      text +=
        "<line class=\"away\" x1=\"\(point(x(before.to)))\" y1=\"\(point(middle(before)))\" x2=\"\(point(x(after.from)))\" "
      text += "y2=\"\(point(middle(after)))\" stroke=\"\(PlanDrawing.spill)\"><title>"
      text += HTML.escaped("\(before.name)\noff chip in steps \(before.to) to \(after.from - 1)") + "</title></line>"
    }
    for move in moves {
      let isSpill = move.direction == .spill
      let place =
        isSpill
        ? blocks.last { $0.from < move.step } ?? blocks.first
        : blocks.first { $0.from == move.step } ?? blocks.first { $0.from <= move.step && move.step < $0.to }
      guard let place else { continue }
      let size = min(5, max(2.6, column * 0.45))
      let centre = isSpill ? min(x(move.step), x(place.to)) - size * 0.9 : x(move.step) + size * 0.9
      let title =
        "\(move.name)\n\(isSpill ? "spilled" : "fetched") before step \(move.step), \(Format.grouped(move.bytes)) bytes"
      text += triangle(
        centre, middle(place), size, isUp: isSpill, isSpill ? PlanDrawing.spill : PlanDrawing.fetch, title: title)
    }
    return text
  }

  private func triangle(
    _ x: Double, _ y: Double, _ size: Double, isUp: Bool, _ colour: String, title: String? = nil
  ) -> String {
    let tip = isUp ? y - size : y + size
    let base = isUp ? y + size * 0.8 : y - size * 0.8
    let points =
      "\(point(x)),\(point(tip)) \(point(x + size)),\(point(base)) \(point(x - size)),\(point(base))"
    let inside = title.map { "<title>\(HTML.escaped($0))</title>" } ?? ""
    return "<polygon points=\"\(points)\" fill=\"\(colour)\" stroke=\"#fff\" stroke-width=\"0.8\">\(inside)</polygon>"
  }

  // MARK: Limits and the axis

  private func limits(_ plotTop: Double) -> String {
    var text = ""
    func line(_ address: Int, _ name: String, _ colour: String, dash: String, labelY: Double) {
      let place = y(address, plotTop)
      text +=
        "<line x1=\"\(point(PlanDrawing.left))\" y1=\"\(point(place))\" x2=\"\(point(x(end) + 4))\" y2=\"\(point(place))\" "
      text +=
        "stroke=\"\(colour)\" stroke-width=\"1.4\"\(dash)><title>\(name) \(Format.grouped(address)) bytes</title></line>\n"
      text += "<text x=\"\(point(x(end) + 7))\" y=\"\(point(labelY))\" style=\"fill:\(colour)\">\(name)</text>\n"
      text +=
        "<text x=\"\(point(x(end) + 7))\" y=\"\(point(labelY + 12))\" style=\"fill:\(colour)\">\(Format.bytes(address))</text>\n"
    }
    let peak = panel.peak
    var peakLabel = y(peak, plotTop) + 3
    if let capacity = panel.capacity {
      let place = y(capacity, plotTop) + 3
      peakLabel = max(peakLabel, place + 27)
      line(capacity, "capacity", PlanDrawing.spill, dash: "", labelY: place)
    }
    line(peak, "peak", "#1d2733", dash: " stroke-dasharray=\"5 3\"", labelY: peakLabel)
    return text
  }

  private func axis(_ plotTop: Double) -> String {
    let base = y(0, plotTop)
    var text =
      "<line x1=\"\(point(PlanDrawing.left))\" y1=\"\(point(base))\" x2=\"\(point(x(end)))\" y2=\"\(point(base))\" stroke=\"#64707d\"/>\n"
    // Numbers as wide apart as they need.
    var gap = 1
    let digits = Double(String(end).count) * 7 + 10
    for factor in [1, 2, 5, 10, 20, 50, 100, 200, 500]
      + (3...15).map({ power in
        (0..<power).reduce(1) { total, _ in total * 10 }
      }) where Double(gap) * column < digits
    { gap = factor }
    let isNamed = !picture.steps.isEmpty
    let first = (start + gap - 1) / gap * gap
    for step in stride(from: first, to: end, by: gap) {
      let centre = isNamed ? x(step) + column / 2 : x(step)
      text +=
        "<text class=\"note\" x=\"\(point(centre))\" y=\"\(point(base + 13))\" text-anchor=\"middle\">\(step)</text>\n"
    }
    guard isNamed, column >= 9 else { return text + caption(base) }
    let size = min(10, column * 0.85)
    for (step, name) in picture.steps.enumerated() {
      let place = "translate(\(point(x(step) + column / 2 + size * 0.35)) \(point(base + 19))) rotate(-90)"
      text += "<text text-anchor=\"end\" transform=\"\(place)\" style=\"font-size:\(point(size))px\">"
      text += "\(HTML.escaped(Format.shortened(name, to: 14)))</text>\n"
    }
    return text + caption(base)
  }

  private func caption(_ base: Double) -> String {
    "<text class=\"note\" x=\"\(point(PlanDrawing.left - 8))\" y=\"\(point(base + 26))\" text-anchor=\"end\">"
      + "\(picture.steps.isEmpty ? "time" : "step")</text>\n"
  }

  private func name(of step: Int) -> String? { picture.steps.indices.contains(step) ? picture.steps[step] : nil }

  private func positive(_ value: Int) -> Int { Int(value.magnitude % 1024) }

  private func point(_ value: Double) -> String { Format.fixed(value, 2) }
}
