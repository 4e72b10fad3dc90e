/// The SVG of one memory of a `PlanPicture`.
struct PlanDrawing {
  let picture: PlanPicture
  let panel: PlanPicture.Panel
  /// A file of its own: with title, figures, style and a white ground.
  let isWhole: Bool
  /// Steps from the first to the last, half open.
  private let start: Int
  private let end: Int
  /// Points a step; below one when time is long.
  private let column: Double
  /// The address at the upper edge.
  private let top: Int
  private let kinds: [(name: String, colour: Int)]
  private let movedBefore: [Int: (spilled: Int, fetched: Int)]
  /// Things that leave and come back.
  private let moving: Set<Int>
  /// Room under the plot, for numbers and names of steps.
  private let axisHeight: Double

  private static let left = 92.0
  private static let right = 96.0
  private static let height = 440.0
  private static let trafficHeight = 54.0
  /// Characters of an op's name under the axis.
  private static let longestName = 14

  init(_ picture: PlanPicture, _ panel: PlanPicture.Panel, isWhole: Bool) {
    self.picture = picture
    self.panel = panel
    self.isWhole = isWhole
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
    kinds =
      Self.colours.filter { used.contains($0.name) }
      + used.subtracting(known).sorted().map { (name: $0, colour: Self.otherColour) }
    var moves: [Int: (spilled: Int, fetched: Int)] = [:]
    for move in panel.moves {
      var entry = moves[move.step] ?? (0, 0)
      if move.direction == .spill { entry.spilled += move.bytes } else { entry.fetched += move.bytes }
      moves[move.step] = entry
    }
    movedBefore = moves
    moving = Set(panel.moves.filter { !$0.isStreamed }.map(\.thing))
    let longest = picture.steps.map { min($0.count, Self.longestName) }.max() ?? 0
    axisHeight = column >= 9 && longest > 0 ? 30 + Double(longest) * min(10, column * 0.85) * 0.66 : 40
  }

  // MARK: Colours

  private static let colours: [(name: String, colour: Int)] = [
    ("input", 0x3A9D5D), ("activation", 0x4A86B8), ("output", 0xE0903A), ("weight", 0x8E6BB0), ("variable", 0xD16BA5),
    ("state", 0x3FA79C), ("workspace", 0x98A3AE), ("buffer", 0x4A86B8),
  ]
  private static let otherColour = 0x7F8C8D
  private static let white = 0xFFFFFF
  private static let ink = 0x10243A
  private static let spill = "#c0392b"
  private static let fetch = "#1d2733"

  /// The colour of a kind: one of four shades, by the number of the thing, so that neighbours differ; dark for what moves.
  private func colour(_ kind: String, thing: Int) -> String {
    let base = kinds.first { $0.name == kind }?.colour ?? PlanDrawing.otherColour
    if moving.contains(thing) { return PlanDrawing.mixed(base, PlanDrawing.ink, 0.5) }
    return PlanDrawing.mixed(base, PlanDrawing.white, [0.02, 0.2, 0.11, 0.28][Int(thing.magnitude % 4)])
  }

  private static func mixed(_ colour: Int, _ other: Int, _ share: Double) -> String {
    var text = "#"
    for shift in [16, 8, 0] {
      let (a, b) = (Double(colour >> shift & 255), Double(other >> shift & 255))
      let digits = String(Int((a + (b - a) * share).rounded()), radix: 16)
      text += digits.count == 1 ? "0\(digits)" : digits
    }
    return text
  }

  static let style = """
    .plan text { font: 11px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1d2733; }
    .plan .note { fill: #64707d; } .plan .name { fill: #fff; pointer-events: none; }
    .plan rect.b { stroke: #fff; stroke-width: .7; }
    .plan .away { stroke: \(spill); stroke-dasharray: 2 2.5; opacity: .5; }
    .plan g.thing:hover rect.b { stroke: #1d2733; stroke-width: 1.8; }
    .plan g.thing:hover .away { opacity: 1; stroke-width: 1.8; }
    .plan rect.step { fill: #1d2733; fill-opacity: 0; } .plan rect.step:hover { fill-opacity: .06; }
    """

  // MARK: Places

  private var width: Double {
    let plot = PlanDrawing.left + Double(end - start) * column + PlanDrawing.right
    // Titles and legend need their room beside short plots.
    return max(plot, 640, isWhole ? PlanDrawing.left + Double(facts.count) * 6.1 : 0)
  }
  private var facts: String { picture.facts.map { "\($0.label) \($0.value)" }.joined(separator: "  ·  ") }
  private var trafficTop: Double { isWhole ? 74 : 28 }
  /// Traffic is drawn only when something moves.
  private var plotTop: Double { trafficTop + (panel.moves.isEmpty ? 0 : PlanDrawing.trafficHeight + 10) }
  private var base: Double { y(0) }
  private func x(_ step: Int) -> Double { PlanDrawing.left + Double(step - start) * column }
  private func y(_ address: Int) -> Double {
    plotTop + PlanDrawing.height * (1 - Double(address) / Double(top))
  }

  // MARK: The element

  var element: String {
    let (width, height) = (SVG.number(width), SVG.number(plotTop + PlanDrawing.height + axisHeight))
    var text = "<svg class=\"plan\" xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
    text += "viewBox=\"0 0 \(width) \(height)\" role=\"img\">\n"
    if isWhole {
      text += "<style>\n\(PlanDrawing.style)\n</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
      let title = "\(picture.title), \(picture.subtitle)"
      text += SVG.text(title, PlanDrawing.left, 20, style: "font-size:15px;font-weight:600")
      text += SVG.text(facts, PlanDrawing.left, 39, class: "note")
    }
    text += legend(isWhole ? 50 : 4)
    if !panel.moves.isEmpty { text += trafficBars() }
    text += grid() + columns() + things() + limits() + axis()
    return text + "</svg>\n"
  }

  private func legend(_ y: Double) -> String {
    var text = ""
    var x = PlanDrawing.left
    func add(_ name: String, _ symbol: (Double) -> String) {
      text += symbol(x) + SVG.text(name, x + 16, y + 10, class: "note")
      x += 34 + Double(name.count) * 6.4
    }
    for kind in kinds {
      add(kind.name) {
        SVG.rectangle($0, y, 11, 11, "fill=\"\(PlanDrawing.mixed(kind.colour, PlanDrawing.white, 0.1))\"")
      }
    }
    guard !panel.moves.isEmpty else { return text }
    if let kind = kinds.first(where: { $0.name == "activation" }) ?? kinds.first, !moving.isEmpty {
      add("leaves and comes back") {
        SVG.rectangle($0, y, 11, 11, "fill=\"\(PlanDrawing.mixed(kind.colour, PlanDrawing.ink, 0.5))\"")
      }
    }
    add("spill") { triangle($0 + 5.5, y + 5.5, 5, isUp: true, PlanDrawing.spill) }
    add("fetch") { triangle($0 + 5.5, y + 5.5, 5, isUp: false, PlanDrawing.fetch) }
    if !moving.isEmpty { add("off chip") { SVG.line(($0 - 2, y + 6), ($0 + 13, y + 6), "class=\"away\"") } }
    return text
  }

  /// Bytes over the edge before each step: spills over fetches.
  private func trafficBars() -> String {
    let most = movedBefore.values.reduce(1) { max($0, $1.spilled + $1.fetched) }
    let base = trafficTop + PlanDrawing.trafficHeight
    let label = PlanDrawing.left - 8
    var text = SVG.text(Format.bytes(most), label, trafficTop + 9, anchor: "end", class: "note")
    text += SVG.text("moved", label, base - 12, anchor: "end", class: "note")
    text += SVG.text("before step", label, base, anchor: "end", class: "note")
    text += SVG.line((PlanDrawing.left, base), (x(end), base), "stroke=\"#c7ced5\"")
    let width = max(2, min(column * 0.62, 16))
    let scale = (PlanDrawing.trafficHeight - 2) / Double(most)
    for step in movedBefore.keys.sorted() {
      guard let moved = movedBefore[step] else { continue }
      let (fetched, spilled) = (Double(moved.fetched) * scale, Double(moved.spilled) * scale)
      let left = x(step) - width / 2
      if moved.fetched > 0 {
        text += SVG.rectangle(left, base - fetched, width, fetched, "fill=\"\(PlanDrawing.fetch)\"")
      }
      if moved.spilled > 0 {
        text += SVG.rectangle(left, base - fetched - spilled, width, spilled, "fill=\"\(PlanDrawing.spill)\"")
      }
    }
    return text
  }

  /// The ground, with a line at about six round addresses.
  private func grid() -> String {
    var text = SVG.rectangle(PlanDrawing.left, plotTop, x(end) - PlanDrawing.left, base - plotTop, "fill=\"#f5f7f9\"")
    let limit = max(panel.capacity ?? 0, panel.peak)
    var gap = 1
    while limit / gap > 8 { gap *= 2 }
    for address in stride(from: 0, through: limit, by: gap) {
      let line = y(address)
      text += SVG.line((PlanDrawing.left, line), (x(end), line), "stroke=\"#e1e6ea\" stroke-width=\"0.8\"")
      text += SVG.text(Format.bytes(address), PlanDrawing.left - 8, line + 4, anchor: "end", class: "note")
    }
    return text
  }

  /// A strip a step under everything, that says what runs.
  private func columns() -> String {
    let from = panel.moves.isEmpty ? plotTop : trafficTop
    var use = Array(repeating: 0, count: picture.steps.count)
    for block in panel.blocks {
      for step in use.indices.clamped(to: block.from..<max(block.from, block.to)) { use[step] += block.bytes }
    }
    return picture.steps.enumerated().map { step, name in
      var title = "step \(step): \(name)\n\(Format.grouped(use[step])) bytes in use"
      if let moved = movedBefore[step] {
        if moved.spilled > 0 { title += "\n\(Format.grouped(moved.spilled)) bytes spilled before" }
        if moved.fetched > 0 { title += "\n\(Format.grouped(moved.fetched)) bytes fetched before" }
      }
      return SVG.rectangle(x(step), from, column, base - from + axisHeight - 4, "class=\"step\"", title: title)
    }.joined()
  }

  // MARK: Things

  private func things() -> String {
    var order: [Int] = []
    var blocks: [Int: [PlanPicture.Block]] = [:]
    for block in panel.blocks {
      if blocks[block.thing] == nil { order.append(block.thing) }
      blocks[block.thing, default: []].append(block)
    }
    var moves: [Int: [PlanPicture.Move]] = [:]
    for move in panel.moves where !move.isStreamed { moves[move.thing, default: []].append(move) }
    // What moves is drawn last, over what stays.
    let sorted = order.filter { !moving.contains($0) } + order.filter { moving.contains($0) }
    return sorted.map { thing in
      let own = (blocks[thing] ?? []).sorted { ($0.from, $0.offset) < ($1.from, $1.offset) }
      return "<g class=\"thing\">\n" + own.map(rectangle).joined() + marks(own, moves[thing] ?? []) + "</g>\n"
    }.joined()
  }

  private func rectangle(_ block: PlanPicture.Block) -> String {
    let (left, right) = (x(block.from), x(block.to))
    let (low, high) = (y(block.offset), y(block.offset + block.bytes))
    let last = block.to - 1
    var title = "\(block.name) (\(block.kind))"
    title += "\n\(Format.grouped(block.bytes)) bytes at offset \(Format.grouped(block.offset))"
    title += last <= block.from ? "\nstep \(block.from)" : "\nsteps \(block.from) to \(last)"
    if picture.steps.indices.contains(block.from), picture.steps.indices.contains(last) {
      title += ": \(picture.steps[block.from])" + (last > block.from ? " … \(picture.steps[last])" : "")
    }
    return SVG.rectangle(
      left, high, max(right - left, 0.4), max(low - high, 0.4),
      "class=\"b\" fill=\"\(colour(block.kind, thing: block.thing))\"", title: title)
      + label(block.name, left, right, high, low)
  }

  /// The name, where it fits along or upright.
  private func label(_ name: String, _ left: Double, _ right: Double, _ high: Double, _ low: Double) -> String {
    let (width, height) = (right - left, low - high)
    let size = min(11, max(7.5, min(width, height) * 0.8))
    let length = Double(name.count) * size * 0.58 + 5
    let (centreX, centreY) = ((left + right) / 2, (high + low) / 2)
    if width >= length, height >= size + 1 {
      let style = "font-size:\(SVG.number(size))px"
      return SVG.text(name, centreX, centreY + size * 0.35, anchor: "middle", class: "name", style: style)
    }
    if height >= length, width >= size + 1 {
      return SVG.upright(name, centreX + size * 0.35, centreY, anchor: "middle", class: "name", size: size)
    }
    return ""
  }

  /// Where a thing leaves and comes back, and a line between.
  private func marks(_ blocks: [PlanPicture.Block], _ moves: [PlanPicture.Move]) -> String {
    let size = min(5, max(2.6, column * 0.45))
    // Near the upper edge, out of the way of the name.
    func level(_ block: PlanPicture.Block) -> Double {
      let (low, high) = (y(block.offset), y(block.offset + block.bytes))
      return min((low + high) / 2, high + size + 3)
    }
    var text = ""
    for (before, after) in zip(blocks, blocks.dropFirst()) where !moves.isEmpty && before.to < after.from {
      text += SVG.line(
        (x(before.to), level(before)), (x(after.from), level(after)), "class=\"away\"",
        title: "\(before.name)\noff chip in steps \(before.to) to \(after.from - 1)")
    }
    for move in moves {
      let isSpill = move.direction == .spill
      let place =
        isSpill
        ? blocks.last { $0.from < move.step } ?? blocks.first
        : blocks.first { $0.from == move.step } ?? blocks.first { $0.from <= move.step && move.step < $0.to }
      guard let place else { continue }
      let centre = isSpill ? min(x(move.step), x(place.to)) - size * 0.9 : x(move.step) + size * 0.9
      let title =
        "\(move.name)\n\(isSpill ? "spilled" : "fetched") before step \(move.step), \(Format.grouped(move.bytes)) bytes"
      text += triangle(
        centre, level(place), size, isUp: isSpill, isSpill ? PlanDrawing.spill : PlanDrawing.fetch, title: title)
    }
    return text
  }

  private func triangle(
    _ x: Double, _ y: Double, _ size: Double, isUp: Bool, _ colour: String, title: String? = nil
  ) -> String {
    let (tip, base) = isUp ? (y - size, y + size * 0.8) : (y + size, y - size * 0.8)
    return SVG.polygon(
      [(x, tip), (x + size, base), (x - size, base)], "fill=\"\(colour)\" stroke=\"#fff\" stroke-width=\"0.9\"",
      title: title)
  }

  // MARK: Limits and the axis

  private func limits() -> String {
    var text = ""
    if let capacity = panel.capacity, panel.tileBytes > 0 {
      let (high, low) = (y(capacity), y(capacity - panel.tileBytes))
      let title = "tile buffer\n\(Format.grouped(panel.tileBytes)) bytes"
      text += SVG.rectangle(
        PlanDrawing.left, high, x(end) - PlanDrawing.left, low - high, "fill=\"#d9b38c\" fill-opacity=\"0.45\"",
        title: title)
      if low - high > 12 { text += SVG.text("tile buffer", PlanDrawing.left + 6, (low + high) / 2 + 4, class: "note") }
    }
    func limit(_ name: String, _ address: Int, _ colour: String, _ dashes: String, labelY: Double) {
      text += SVG.line(
        (PlanDrawing.left, y(address)), (x(end) + 4, y(address)), "stroke=\"\(colour)\" stroke-width=\"1.4\"\(dashes)",
        title: "\(name) \(Format.grouped(address)) bytes")
      text += SVG.text(name, x(end) + 8, labelY, style: "fill:\(colour)")
      text += SVG.text(Format.bytes(address), x(end) + 8, labelY + 12, style: "fill:\(colour)")
    }
    var peakLabel = y(panel.peak) + 3
    if let capacity = panel.capacity {
      let label = y(capacity) + 3
      peakLabel = max(peakLabel, label + 27)
      limit("capacity", capacity, PlanDrawing.spill, "", labelY: label)
    }
    limit("peak", panel.peak, PlanDrawing.fetch, " stroke-dasharray=\"5 3\"", labelY: peakLabel)
    return text
  }

  private func axis() -> String {
    var text = SVG.line((PlanDrawing.left, base), (x(end), base), "stroke=\"#64707d\"")
    let isNamed = !picture.steps.isEmpty
    text += SVG.text(isNamed ? "step" : "time", PlanDrawing.left - 8, base + 18, anchor: "end", class: "note")
    let gap = numberGap
    for step in stride(from: (start + gap - 1) / gap * gap, to: end, by: gap) {
      let centre = isNamed ? x(step) + column / 2 : x(step)
      text += SVG.text("\(step)", centre, base + 13, anchor: "middle", class: "note")
    }
    guard isNamed, column >= 9 else { return text }
    let size = min(10, column * 0.85)
    for (step, name) in picture.steps.enumerated() {
      text += SVG.upright(
        Format.shortened(name, to: PlanDrawing.longestName), x(step) + column / 2 + size * 0.35, base + 19,
        anchor: "end", size: size)
    }
    return text
  }

  /// Steps between numbers, 1, 2 or 5 times a power of ten: as wide apart as they need.
  private var numberGap: Int {
    let room = Double(String(end).count) * 7 + 10
    var unit = 1
    while true {
      for gap in [unit, 2 * unit, 5 * unit] where Double(gap) * column >= room { return gap }
      unit *= 10
    }
  }
}
