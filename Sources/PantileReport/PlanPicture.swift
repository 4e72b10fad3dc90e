/// What is where in a memory, and when: time to the right, addresses upwards, as SVG or as one HTML page.
///
/// Plain values, so that whatever has lifetimes and addresses can be drawn.
public struct PlanPicture: Sendable {
  /// Bytes that are at one place from a step up to another.
  public struct Block: Hashable, Sendable {
    /// Blocks and moves of one thing carry the same number.
    public var thing: Int
    public var name: String
    /// What gives the colour and stands in the legend, for example `activation`.
    public var kind: String
    public var from: Int
    public var to: Int
    public var offset: Int
    public var bytes: Int

    public init(thing: Int, name: String, kind: String, from: Int, to: Int, offset: Int, bytes: Int) {
      self.thing = thing
      self.name = name
      self.kind = kind
      self.from = from
      self.to = to
      self.offset = offset
      self.bytes = bytes
    }
  }

  /// Bytes over the memory's edge, just before a step.
  public struct Move: Hashable, Sendable {
    public enum Direction: String, Hashable, Sendable { case spill, fetch }

    public var direction: Direction
    public var thing: Int
    public var name: String
    public var step: Int
    public var bytes: Int
    /// Through the tile buffer, during the step.
    public var isStreamed: Bool

    public init(
      _ direction: Direction, thing: Int, name: String, step: Int, bytes: Int, isStreamed: Bool = false
    ) {
      self.direction = direction
      self.thing = thing
      self.name = name
      self.step = step
      self.bytes = bytes
      self.isStreamed = isStreamed
    }
  }

  /// One memory.
  public struct Panel: Hashable, Sendable {
    public var name: String
    /// Nil when there is no limit.
    public var capacity: Int?
    /// Bytes at the top through which things stream; 0 when there are none.
    public var tileBytes: Int
    public var blocks: [Block]
    public var moves: [Move]

    public init(name: String, capacity: Int?, tileBytes: Int = 0, blocks: [Block], moves: [Move] = []) {
      self.name = name
      self.capacity = capacity
      self.tileBytes = tileBytes
      self.blocks = blocks
      self.moves = moves
    }

    var peak: Int { blocks.reduce(0) { max($0, $1.offset + $1.bytes) } }
  }

  public var title: String
  /// Beside the title, for example the method.
  public var subtitle: String
  /// Figures over the picture.
  public var facts: [(value: String, label: String)]
  /// What runs in each step; empty when steps are only numbers.
  public var steps: [String]
  public var panels: [Panel]

  public init(
    title: String, subtitle: String, facts: [(value: String, label: String)], steps: [String], panels: [Panel]
  ) {
    self.title = title
    self.subtitle = subtitle
    self.facts = facts
    self.steps = steps
    self.panels = panels
  }

  /// One page without any reference to elsewhere. Things light up under the pointer; titles say the rest.
  public func html() -> String {
    var body = "<h1>\(HTML.escaped(title)) <small>\(HTML.escaped(subtitle))</small></h1>\n<div class=\"tiles\">\n"
    for fact in facts {
      body += "<div class=\"tile\"><b>\(HTML.escaped(fact.value))</b><span>\(HTML.escaped(fact.label))</span></div>\n"
    }
    body += "</div>\n"
    for panel in panels {
      if panels.count > 1 { body += "<h2>\(HTML.escaped(panel.name))</h2>\n" }
      body += "<div class=\"scroll\">\n\(PlanDrawing(self, panel, isWhole: false).element)</div>\n"
    }
    body += movesTable()
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><title>\(HTML.escaped("\(title), \(subtitle)"))</title>
      <style>
      :root { color-scheme: light; }
      body { font: 15px/1.45 system-ui, sans-serif; color: #1d2733; background: #fff; margin: 24px 28px; }
      h1 { font-size: 22px; margin: 0 0 12px; } h1 small { color: #64707d; font-weight: 400; font-size: 16px; }
      h2 { font-size: 16px; margin: 24px 0 4px; }
      .tiles { display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 14px; }
      .tile { border: 1px solid #dde2e7; border-radius: 6px; padding: 6px 14px 7px; }
      .tile b { display: block; font-size: 16px; font-weight: 600; } .tile span { color: #64707d; font-size: 12.5px; }
      .scroll { overflow-x: auto; }
      table { border-collapse: collapse; font-size: 13px; margin-top: 18px; }
      th, td { text-align: right; padding: 3px 14px 3px 0; border-bottom: 1px solid #e8ecef; }
      th:first-child, td:first-child, td.steps, th.steps { text-align: left; } th { color: #64707d; font-weight: 600; }
      \(PlanDrawing.style)
      </style></head><body>
      \(body)</body></html>

      """
  }

  /// The first memory alone, as an SVG file.
  public func svg() -> String {
    guard let panel = panels.first else { return "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n" }
    return PlanDrawing(self, panel, isWhole: true).element
  }

  /// Things by bytes over the edge, at most twenty.
  private func movesTable() -> String {
    var order: [Int] = []
    var spills: [Int: [Move]] = [:]
    var fetches: [Int: [Move]] = [:]
    for move in panels.flatMap(\.moves) {
      if spills[move.thing] == nil, fetches[move.thing] == nil { order.append(move.thing) }
      if move.direction == .spill {
        spills[move.thing, default: []].append(move)
      } else {
        fetches[move.thing, default: []].append(move)
      }
    }
    if order.isEmpty { return "" }
    func total(_ thing: Int) -> Int {
      ((spills[thing] ?? []) + (fetches[thing] ?? [])).reduce(0) { $0 + $1.bytes }
    }
    let sorted = order.sorted { (total($0), -$0) > (total($1), -$1) }
    func list(_ moves: [Move]?) -> String {
      (moves ?? []).map { "\($0.step)\($0.isStreamed ? " (streamed)" : "")" }.joined(separator: ", ")
    }
    var text = "<table><tr><th>tensor</th><th>bytes</th><th class=\"steps\">spilled before</th>"
    text += "<th class=\"steps\">fetched before</th><th>moved</th></tr>\n"
    for thing in sorted.prefix(20) {
      guard let first = (spills[thing] ?? fetches[thing])?.first else { continue }
      text += "<tr><td>\(HTML.escaped(first.name))</td><td>\(Format.grouped(first.bytes))</td>"
      text += "<td class=\"steps\">\(list(spills[thing]))</td><td class=\"steps\">\(list(fetches[thing]))</td>"
      text += "<td>\(Format.grouped(total(thing)))</td></tr>\n"
    }
    return text + "</table>\n" + (sorted.count > 20 ? "<p>… and \(sorted.count - 20) more.</p>\n" : "")
  }
}
