/// Horizontal stacked bars as SVG: one row a thing, segments with a colour and a tooltip.
struct StackedBars {
  struct Segment {
    var name: String
    var amount: Double
    /// What the tooltip says beside the name.
    var detail: String
  }

  struct Row {
    var label: String
    var segments: [Segment]
    /// Written behind the bar.
    var note: String
  }

  var rows: [Row]
  /// The amount that fills the whole width; nil: the largest row.
  var maximum: Double?
  /// A colour for each segment name, in legend order.
  var colours: [(name: String, colour: String)]
  var hasLegend = true

  private static let labelWidth = 190.0
  private static let barWidth = 560.0
  private static let noteWidth = 150.0
  private static let rowHeight = 22.0

  /// An `<svg>` element with legend, labels, bars and notes.
  var svg: String {
    let used = colours.filter { colour in
      rows.contains { row in row.segments.contains { $0.name == colour.name && $0.amount > 0 } }
    }
    let legend = legendText(hasLegend ? used : [])
    let top = legend.height + 6
    let width = StackedBars.labelWidth + StackedBars.barWidth + StackedBars.noteWidth
    let height = top + Double(rows.count) * StackedBars.rowHeight + 4
    let full = maximum ?? rows.map { $0.segments.reduce(0) { $0 + $1.amount } }.max() ?? 0
    var text = "<svg viewBox=\"0 0 \(point(width)) \(point(height))\" role=\"img\">\n" + legend.text
    for (index, row) in rows.enumerated() {
      let y = top + Double(index) * StackedBars.rowHeight
      text +=
        "<text class=\"label\" x=\"\(point(StackedBars.labelWidth - 8))\" y=\"\(point(y + 15))\" text-anchor=\"end\">"
      text += "\(HTML.escaped(Format.shortened(row.label, to: 28)))<title>\(HTML.escaped(row.label))</title></text>\n"
      var x = StackedBars.labelWidth
      for segment in row.segments where segment.amount > 0 && full > 0 {
        let length = segment.amount / full * StackedBars.barWidth
        let colour = colours.first { $0.name == segment.name }?.colour ?? "#999999"
        text +=
          "<rect x=\"\(point(x))\" y=\"\(point(y + 3))\" width=\"\(point(length))\" height=\"16\" fill=\"\(colour)\">"
        text += "<title>\(HTML.escaped("\(row.label): \(segment.name) \(segment.detail)"))</title></rect>\n"
        x += length
      }
      text += "<text class=\"note\" x=\"\(point(x + 6))\" y=\"\(point(y + 15))\">\(HTML.escaped(row.note))</text>\n"
    }
    return text + "</svg>\n"
  }

  private func legendText(_ items: [(name: String, colour: String)]) -> (text: String, height: Double) {
    guard !items.isEmpty else { return ("", 0) }
    var text = ""
    var x = StackedBars.labelWidth
    var y = 4.0
    for item in items {
      let width = 26 + Double(item.name.count) * 7.2
      if x + width > StackedBars.labelWidth + StackedBars.barWidth + StackedBars.noteWidth {
        x = StackedBars.labelWidth
        y += 20
      }
      text += "<rect x=\"\(point(x))\" y=\"\(point(y))\" width=\"12\" height=\"12\" fill=\"\(item.colour)\"/>"
      text += "<text class=\"note\" x=\"\(point(x + 17))\" y=\"\(point(y + 10.5))\">\(HTML.escaped(item.name))</text>\n"
      x += width
    }
    return (text, y + 20)
  }

  private func point(_ value: Double) -> String { Format.fixed(value, 2) }
}

/// Colours of the report: one for each stall cause and loss, and a fixed order for everything else.
enum Palette {
  private static let stalls = [
    ("peak", "#64707d"), ("achieved", "#1b6ca8"), ("busy", "#1b6ca8"), ("load", "#3a9d5d"), ("fill", "#86c99a"),
    ("drain", "#4db6ac"), ("adder", "#b7ddc3"), ("edge-rows", "#9cc3de"), ("edge-columns", "#6fa4cc"),
    ("edge-depth", "#c9ddec"), ("data", "#e07b39"), ("transfer", "#f0a875"), ("space", "#d9b310"),
    ("order", "#8e5ea2"), ("bank", "#c0392b"), ("dram", "#6b4f3a"), ("credit", "#8a6d55"), ("queue-full", "#a98b72"),
    ("row-miss", "#6b4f3a"), ("refresh", "#4a3426"), ("turnaround", "#c4a98f"), ("bank-group", "#b08968"),
    ("bus", "#d16ba5"), ("no-work", "#d5d8dc"),
  ]
  private static let others = [
    "#1b6ca8", "#e07b39", "#3a9d5d", "#8e5ea2", "#c0392b", "#d9b310", "#6b4f3a", "#d16ba5", "#4db6ac", "#7f8c8d",
  ]

  /// Known causes in their order, then the given further ones.
  static func forStalls(_ names: [String]) -> [(name: String, colour: String)] {
    let known = stalls.map { (name: $0.0, colour: $0.1) }
    let further = names.filter { name in !known.contains { $0.name == name } }
    return known + assign(further)
  }

  /// One colour a name; they repeat when there are more than ten.
  static func assign(_ names: [String]) -> [(name: String, colour: String)] {
    names.enumerated().map { (name: $0.element, colour: others[$0.offset % others.count]) }
  }
}

/// Text inside HTML and SVG.
enum HTML {
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      // Control characters are no legal HTML.
      case _ where scalar.value < 32 && scalar != "\n" && scalar != "\t": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
