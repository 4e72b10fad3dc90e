import PantileReport
import PantileSupport

/// The expected figures of a suite in a text file of one figure a line, so that a change reads well in a diff.
///
/// ```
/// # pantile golden 1
/// case "lenet5.mlir on systolic-16x16"
///   cycles 12345
///   offchip_bytes 23456
///   peak_scratchpad_bytes 3456
///   commands 123
///   action "array.mac.int8" 416520
///   layer "/conv1/Conv" cycles 1234 offchip_bytes 800 commands 12 schedule 0123456789abcdef
/// ```
public struct Golden: Sendable, Equatable {
  /// The figures of one case.
  public struct Entry: Sendable, Equatable {
    public var name: String
    /// `cycles`, `offchip_bytes`, `peak_scratchpad_bytes`, `commands`.
    public var figures: NamedAmounts<Int>
    public var actions: NamedAmounts<Int>
    public var layers: [Layer]

    public init(name: String, figures: NamedAmounts<Int>, actions: NamedAmounts<Int>, layers: [Layer]) {
      self.name = name
      self.figures = figures
      self.actions = actions
      self.layers = layers
    }
  }

  public struct Layer: Sendable, Equatable {
    public var name: String
    /// `cycles`, `offchip_bytes`, `commands`.
    public var figures: NamedAmounts<Int>
    /// Sixteen hexadecimal digits over the layer's commands.
    public var schedule: String

    public init(name: String, figures: NamedAmounts<Int>, schedule: String) {
      self.name = name
      self.figures = figures
      self.schedule = schedule
    }
  }

  /// In the order of the suite.
  public var entries: [Entry]

  public init(entries: [Entry]) { self.entries = entries }

  /// The file's text.
  public var text: String {
    var text = "\(Golden.header)\n"
    for entry in entries {
      text += "case \(quoted(entry.name))\n"
      for item in entry.figures.items { text += "  \(item.name) \(item.amount)\n" }
      for item in entry.actions.items { text += "  action \(quoted(item.name)) \(item.amount)\n" }
      for layer in entry.layers {
        let figures = layer.figures.items.map { "\($0.name) \($0.amount) " }.joined()
        // A schedule line has spaces, a digest has none; one word is what the reader wants.
        let schedule = layer.schedule.contains(" ") ? quoted(layer.schedule) : layer.schedule
        text += "  layer \(quoted(layer.name)) \(figures)schedule \(schedule)\n"
      }
    }
    return text
  }

  private static let header = "# pantile golden 1"

  /// Reads a golden file; `path` names it in locations.
  /// - Throws: `wrong-golden` with the line.
  public init(text: String, path: String) throws(DiagnosticError) {
    entries = []
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    func wrong(_ index: Int, _ reason: String) -> DiagnosticError {
      DiagnosticError(
        "wrong-golden", reason, at: .file(path: path, line: index + 1, column: 1),
        hint: "bless the suite anew if the file was edited by hand")
    }
    guard lines.first.map(String.init) == Golden.header else {
      throw wrong(0, "a golden file starts with '\(Golden.header)'")
    }
    for (index, line) in lines.enumerated().dropFirst() {
      guard let words = Golden.words(line) else { throw wrong(index, "a quote is not closed") }
      if words.isEmpty { continue }
      if words.count == 2, words[0] == "case" {
        entries.append(Entry(name: words[1], figures: .init(), actions: .init(), layers: []))
        continue
      }
      guard !entries.isEmpty else { throw wrong(index, "a figure stands before the first case") }
      let last = entries.count - 1
      if words.count == 3, words[0] == "action", let count = Int(words[2]) {
        entries[last].actions.add(words[1], count)
      } else if words.count >= 4, words[0] == "layer", words.count % 2 == 0, words[words.count - 2] == "schedule" {
        var figures = NamedAmounts<Int>()
        for position in stride(from: 2, to: words.count - 2, by: 2) {
          guard let value = Int(words[position + 1]) else {
            throw wrong(index, "'\(words[position + 1])' is no whole number")
          }
          figures.add(words[position], value)
        }
        entries[last].layers.append(Layer(name: words[1], figures: figures, schedule: words[words.count - 1]))
      } else if words.count == 2, let value = Int(words[1]) {
        entries[last].figures.add(words[0], value)
      } else {
        throw wrong(index, "a line is neither case, figure, action nor layer")
      }
    }
  }

  /// Words of a line; quoted ones may hold spaces. Nil when a quote is not closed.
  private static func words(_ line: Substring) -> [String]? {
    var result: [String] = []
    var rest = line.unicodeScalars[...]
    while true {
      rest = rest.drop { $0 == " " || $0 == "\r" }
      guard let first = rest.first else { return result }
      if first != "\"" {
        let word = rest.prefix { $0 != " " && $0 != "\r" }
        result.append(String(word))
        rest = rest.dropFirst(word.count)
        continue
      }
      rest.removeFirst()
      var word = String.UnicodeScalarView()
      while let next = rest.popFirst(), next != "\"" {
        guard next == "\\" else {
          word.append(next)
          continue
        }
        guard let escaped = rest.popFirst() else { return nil }
        word.append(escaped == "n" ? "\n" : escaped)
      }
      // The loop ends at the closing quote or at the end of the line; only the former leaves a quote behind it.
      guard rest.startIndex > line.unicodeScalars.startIndex,
        line.unicodeScalars[line.unicodeScalars.index(before: rest.startIndex)] == "\""
      else { return nil }
      result.append(String(word))
    }
  }

  private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case "\r": result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

extension Golden.Entry {
  /// The figures of a run.
  /// - Precondition: one schedule digest a layer.
  public init(name: String, report: RunReport, schedules: [String]) {
    precondition(
      schedules.count == report.layers.count,
      "\(schedules.count) schedule digests for \(report.layers.count) layers of '\(name)'")
    self.name = name
    figures = NamedAmounts([
      ("cycles", report.cycles), ("offchip_bytes", report.offchipBytes),
      ("peak_scratchpad_bytes", report.peakScratchpadBytes), ("commands", report.commands),
    ])
    actions = report.actions
    layers = zip(report.layers, schedules).map { layer, schedule in
      let offchip = layer.bytes.items.filter { $0.name.hasPrefix("dram_") }.reduce(0) { $0 + $1.amount }
      return Golden.Layer(
        name: layer.name,
        figures: NamedAmounts([
          ("cycles", layer.cycles), ("offchip_bytes", offchip), ("commands", layer.commands),
        ]), schedule: schedule)
    }
  }
}
