/// Line plots side by side as SVG: one panel a thing, the same axes in all.
package struct LinePanels {
  package struct Line {
    package var name: String
    /// One value for each label of the x axis; nil leaves a gap.
    package var values: [Double?]

    package init(name: String, values: [Double?]) {
      self.name = name
      self.values = values
    }
  }

  package struct Panel {
    package var title: String
    package var lines: [Line]

    package init(title: String, lines: [Line]) {
      self.title = title
      self.lines = lines
    }
  }

  package var panels: [Panel]
  package var xLabels: [String]
  package var xTitle: String
  package var yTitle: String
  /// From 0 to this.
  package var maximum: Double
  package var step: Double
  /// Panels in one row.
  package var across: Int

  package init(
    panels: [Panel], xLabels: [String], xTitle: String, yTitle: String, maximum: Double, step: Double, across: Int
  ) {
    self.panels = panels
    self.xLabels = xLabels
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.maximum = maximum
    self.step = step
    self.across = across
  }

  private static let width = 300.0
  private static let height = 210.0
  private static let left = 46.0
  private static let top = 30.0
  private static let bottom = 40.0
  private static let right = 12.0
  /// Told apart by people who see fewer colours, too (Okabe and Ito).
  private static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]

  private var names: [String] {
    var result: [String] = []
    for panel in panels { for line in panel.lines where !result.contains(line.name) { result.append(line.name) } }
    return result
  }

  /// A whole SVG document.
  package var document: String {
    let columns = min(across, max(1, panels.count))
    let rows = (panels.count + columns - 1) / columns
    let width = Double(columns) * LinePanels.width
    // Names in as many lines as they need.
    var places: [(x: Double, y: Double)] = []
    var next = (x: LinePanels.left, y: 14.0)
    for name in names {
      let length = 40 + 7.2 * Double(name.count)
      if next.x + length > width && next.x > LinePanels.left { next = (LinePanels.left, next.y + 18) }
      places.append(next)
      next.x += length
    }
    let legend = next.y + 14
    let height = legend + Double(rows) * LinePanels.height
    var text =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(SVG.number(width)) \(SVG.number(height))\" role=\"img\">\n"
      + "<style>text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.tick{font-size:11px;fill:#666}</style>\n"
      + "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    for (index, name) in names.enumerated() {
      let place = places[index]
      text += SVG.line(place, (place.x + 18, place.y), stroke(index, 2))
      text += SVG.text(name, place.x + 23, place.y + 4)
    }
    for (index, panel) in panels.enumerated() {
      let origin = (
        x: Double(index % columns) * LinePanels.width, y: legend + Double(index / columns) * LinePanels.height
      )
      text += draw(panel, at: origin)
    }
    return text + "</svg>\n"
  }

  private func stroke(_ index: Int, _ width: Double) -> String {
    "stroke=\"\(LinePanels.colours[index % LinePanels.colours.count])\" stroke-width=\"\(SVG.number(width))\""
  }

  private func draw(_ panel: Panel, at origin: (x: Double, y: Double)) -> String {
    let (x0, x1) = (origin.x + LinePanels.left, origin.x + LinePanels.width - LinePanels.right)
    let (y0, y1) = (origin.y + LinePanels.height - LinePanels.bottom, origin.y + LinePanels.top)
    func x(_ index: Int) -> Double {
      xLabels.count < 2 ? (x0 + x1) / 2 : x0 + (x1 - x0) * Double(index) / Double(xLabels.count - 1)
    }
    func y(_ value: Double) -> Double { y0 - (y0 - y1) * value / maximum }
    var text = SVG.text(panel.title, x0, origin.y + 18, class: "title")
    var tick = 0.0
    while tick <= maximum + step / 2 {
      text += SVG.line((x0, y(tick)), (x1, y(tick)), "stroke=\"#ddd\"")
      text += SVG.text(Format.fixed(tick, step < 1 ? 1 : 0), x0 - 6, y(tick) + 4, anchor: "end", class: "tick")
      tick += step
    }
    for (index, label) in xLabels.enumerated() {
      text += SVG.text(label, x(index), y0 + 15, anchor: "middle", class: "tick")
    }
    text += SVG.text(xTitle, (x0 + x1) / 2, y0 + 32, anchor: "middle", class: "tick")
    text += SVG.upright(yTitle, origin.x + 12, (y0 + y1) / 2, anchor: "middle", size: 11)
    for line in panel.lines {
      let colour = names.firstIndex(of: line.name) ?? 0
      var previous: (Double, Double)?
      for (index, value) in line.values.enumerated() {
        guard let value else {
          previous = nil
          continue
        }
        let point = (x(index), y(value))
        if let previous { text += SVG.line(previous, point, stroke(colour, 2)) }
        text += SVG.rectangle(
          point.0 - 2, point.1 - 2, 4, 4, "fill=\"\(LinePanels.colours[colour % LinePanels.colours.count])\"",
          title: "\(line.name), \(xLabels[index]): \(Format.fixed(value, 3))")
        previous = point
      }
    }
    return text
  }
}
