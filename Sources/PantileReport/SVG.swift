/// Elements of SVG as text; numbers have two decimals, texts are escaped.
enum SVG {
  static func text(
    _ content: String, _ x: Double, _ y: Double, anchor: String = "start", class name: String? = nil,
    style: String? = nil
  ) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\"\(anchored(anchor))\(optional("class", name))\(optional("style", style))>"
      + "\(HTML.escaped(content))</text>\n"
  }

  /// Text from the bottom up, around a point on its line.
  static func upright(
    _ content: String, _ x: Double, _ y: Double, anchor: String, class name: String? = nil, size: Double
  ) -> String {
    "<text transform=\"translate(\(number(x)) \(number(y))) rotate(-90)\"\(anchored(anchor))\(optional("class", name)) "
      + "style=\"font-size:\(number(size))px\">\(HTML.escaped(content))</text>\n"
  }

  static func line(
    _ from: (x: Double, y: Double), _ to: (x: Double, y: Double), _ attributes: String, title: String? = nil
  ) -> String {
    "<line x1=\"\(number(from.x))\" y1=\"\(number(from.y))\" x2=\"\(number(to.x))\" y2=\"\(number(to.y))\" "
      + "\(attributes)\(closing("line", title))"
  }

  static func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ attributes: String, title: String? = nil
  ) -> String {
    "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" height=\"\(number(height))\" "
      + "\(attributes)\(closing("rect", title))"
  }

  static func polygon(_ points: [(x: Double, y: Double)], _ attributes: String, title: String? = nil) -> String {
    let list = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    return "<polygon points=\"\(list)\" \(attributes)\(closing("polygon", title))"
  }

  static func number(_ value: Double) -> String { Format.fixed(value, 2) }

  private static func closing(_ element: String, _ title: String?) -> String {
    title.map { "><title>\(HTML.escaped($0))</title></\(element)>\n" } ?? "/>\n"
  }

  private static func anchored(_ anchor: String) -> String { anchor == "start" ? "" : " text-anchor=\"\(anchor)\"" }

  private static func optional(_ attribute: String, _ value: String?) -> String {
    value.map { " \(attribute)=\"\($0)\"" } ?? ""
  }
}
