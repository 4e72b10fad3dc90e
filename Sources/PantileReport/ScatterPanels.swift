import Foundation

/// Scatter plots side by side as SVG, both axes logarithmic and of each panel's own extent; the lower left edge of each group is joined.
package struct ScatterPanels {
  package struct Point {
    package var x: Double
    package var y: Double

    package init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  package struct Group {
    package var name: String
    package var points: [Point]

    package init(name: String, points: [Point]) {
      self.name = name
      self.points = points
    }
  }

  package struct Panel {
    package var title: String
    package var groups: [Group]

    package init(title: String, groups: [Group]) {
      self.title = title
      self.groups = groups
    }
  }

  package var panels: [Panel]
  package var xTitle: String
  package var yTitle: String
  package var across: Int

  package init(panels: [Panel], xTitle: String, yTitle: String, across: Int) {
    self.panels = panels
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.across = across
  }

  private static let width = 300.0
  private static let height = 230.0
  private static let left = 52.0
  private static let top = 30.0
  private static let bottom = 40.0
  private static let right = 12.0
  /// Told apart by people who see fewer colours, too (Okabe and Ito).
  private static let colours = ["#999999", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]

  /// A whole SVG document.
  package var document: String {
    let columns = min(across, max(1, panels.count))
    let rows = (panels.count + columns - 1) / columns
    let legend = 30.0
    let width = Double(columns) * ScatterPanels.width
    let height = legend + Double(rows) * ScatterPanels.height
    var text =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(SVG.number(width)) \(SVG.number(height))\" role=\"img\">\n"
      + "<style>text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.tick{font-size:11px;fill:#666}</style>\n"
      + "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    for (index, group) in (panels.first?.groups ?? []).enumerated() {
      let x = ScatterPanels.left + Double(index) * 90
      text += SVG.rectangle(x, 10, 8, 8, "fill=\"\(colour(index))\"")
      text += SVG.text(group.name, x + 13, 18)
    }
    for (index, panel) in panels.enumerated() {
      text += draw(
        panel,
        x: Double(index % columns) * ScatterPanels.width, y: legend + Double(index / columns) * ScatterPanels.height)
    }
    return text + "</svg>\n"
  }

  private func colour(_ index: Int) -> String { ScatterPanels.colours[index % ScatterPanels.colours.count] }

  /// A logarithmic axis from `low` to `high`, with ticks at round numbers.
  private struct Axis {
    var low: Double
    var high: Double
    var ticks: [Double] = []

    init(_ values: [Double]) {
      let positive = values.filter { $0 > 0 }
      low = (positive.min() ?? 1) * 0.9
      high = max((positive.max() ?? 1) * 1.1, low * 1.5)
      // A short axis has closer ticks.
      for steps in [[1.0, 2, 5], [1, 1.5, 2, 3, 4, 5, 7]] where ticks.count < 3 {
        ticks = []
        var power = pow(10, log10(low).rounded(.down))
        while power < high {
          for step in steps where power * step >= low && power * step <= high { ticks.append(power * step) }
          power *= 10
        }
      }
    }

    /// 0 at the low end, 1 at the high one.
    func place(_ value: Double) -> Double { log(value / low) / log(high / low) }

    static func label(_ value: Double) -> String {
      Format.fixed(value, value < 0.1 ? 2 : value < 10 && value != value.rounded() ? 1 : 0)
    }
  }

  private func draw(_ panel: Panel, x: Double, y: Double) -> String {
    let (x0, x1) = (x + ScatterPanels.left, x + ScatterPanels.width - ScatterPanels.right)
    let (y0, y1) = (y + ScatterPanels.height - ScatterPanels.bottom, y + ScatterPanels.top)
    let all = panel.groups.flatMap(\.points)
    let (across, up) = (Axis(all.map(\.x)), Axis(all.map(\.y)))
    func at(_ point: Point) -> (x: Double, y: Double) {
      (x0 + (x1 - x0) * across.place(point.x), y0 - (y0 - y1) * up.place(point.y))
    }
    var text = SVG.text(panel.title, x0, y + 18, class: "title")
    for tick in across.ticks {
      let place = x0 + (x1 - x0) * across.place(tick)
      text += SVG.line((place, y0), (place, y1), "stroke=\"#eee\"")
      text += SVG.text(Axis.label(tick), place, y0 + 15, anchor: "middle", class: "tick")
    }
    for tick in up.ticks {
      let place = y0 - (y0 - y1) * up.place(tick)
      text += SVG.line((x0, place), (x1, place), "stroke=\"#eee\"")
      text += SVG.text(Axis.label(tick), x0 - 6, place + 4, anchor: "end", class: "tick")
    }
    text += SVG.text(xTitle, (x0 + x1) / 2, y0 + 32, anchor: "middle", class: "tick")
    text += SVG.upright(yTitle, x + 12, (y0 + y1) / 2, anchor: "middle", size: 11)
    for (index, group) in panel.groups.enumerated() {
      var squares = ""
      for point in group.points where point.x > 0 && point.y > 0 {
        let place = at(point)
        squares += "M\(Format.fixed(place.x - 1, 1)) \(Format.fixed(place.y - 1, 1))h2v2h-2z"
      }
      text += "<path d=\"\(squares)\" fill=\"\(colour(index))\" fill-opacity=\"0.5\"/>\n"
      // From left to right, each lower than all before.
      var previous: (x: Double, y: Double)?
      var lowest = Double.infinity
      for point in group.points.sorted(by: { ($0.x, $0.y) < ($1.x, $1.y) }) where point.y < lowest {
        lowest = point.y
        let place = at(point)
        if let previous { text += SVG.line(previous, place, "stroke=\"\(colour(index))\" stroke-width=\"1.5\"") }
        previous = place
      }
    }
    return text
  }
}
