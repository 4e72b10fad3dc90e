import PantileConfig
import PantileSupport
import PantileTensor

/// Turns the tree of a datapath file into a `Datapath`; every mistake is reported.
struct DatapathReader {
  let issues: Issues

  /// Whole numbers of parameters and tables.
  static let numbers = -(1 << 48)...1 << 48
  /// Values of a parameter that a sweep takes.
  static let longestSweep = 64

  func read(_ node: ConfigNode) -> Datapath? {
    guard let map = ConfigMapping(node, "the datapath", issues) else { return nil }
    let name = map.required("name")?.name("name", issues)
    let kind = map.required("kind")?.choice("kind", among: Datapath.Kind.allCases.map(\.rawValue), issues)
    let summary = map.required("summary")?.text("summary", issues)
    let source = map.optional("source")?.text("source", issues)
    let prefer = map.optional("prefer")?.choice("prefer", among: ["cases", "z3"], issues)
    let parameters = entries(map.optional("parameters"), "parameters").compactMap { parameter($0) }
    let tables = entries(map.optional("tables"), "tables").flatMap { table($0) }
    let inputs = entries(map.required("inputs"), "inputs").compactMap { input($0) }
    let definitions = entries(map.optional("define"), "define").compactMap { definition($0) }
    let given = entries(map.optional("given"), "given").compactMap { claim($0) }
    let claimed = map.required("claims")
    let claims = entries(claimed, "claims").compactMap { claim($0) }
    if let node = claimed, case .mapping(let list) = node.content, list.isEmpty {
      issues.add(
        "wrong-value", "the datapath claims nothing", at: node, hint: "write for example product: result == a * b")
    }
    let mutants = entries(map.optional("mutants"), "mutants").compactMap { mutant($0) }
    map.finish()
    checkNames(map, parameters.map(\.name) + tables.map(\.name) + inputs.map(\.name) + definitions.map(\.name), node)
    guard let name, let kind = kind.flatMap(Datapath.Kind.init(rawValue:)), let summary else { return nil }
    return Datapath(
      name: name, kind: kind, summary: summary, prefersSolver: prefer == "z3", source: source ?? "",
      parameters: parameters, tables: tables,
      inputs: inputs, definitions: definitions, given: given, claims: claims, mutants: mutants)
  }

  private func entries(_ node: ConfigNode?, _ what: String) -> [ConfigNode.Entry] {
    node?.entries(what, issues) ?? []
  }

  /// One name stands for one thing.
  private func checkNames(_ map: ConfigMapping, _ names: [String], _ node: ConfigNode) {
    var seen: Set<String> = []
    for name in names {
      if Elaboration.functions.contains(name) {
        issues.add("wrong-value", "'\(name)' is the name of a function", at: node, hint: "choose another name")
      } else if !seen.insert(name).inserted {
        issues.add("duplicate-key", "'\(name)' is defined twice", at: node, hint: "choose another name")
      }
    }
  }

  private func parameter(_ entry: ConfigNode.Entry) -> Datapath.Parameter? {
    let what = "parameter '\(entry.key)'"
    guard isName(entry) else { return nil }
    if case .mapping = entry.value.content {
      guard let map = ConfigMapping(entry.value, what, issues) else { return nil }
      let value = map.required("value")?.count(what, in: Self.numbers, issues)
      let items = map.required("sweep")?.list("sweep of \(what)", issues) ?? []
      let sweep = items.compactMap { $0.count("sweep of \(what)", in: Self.numbers, issues) }
      if items.count > Self.longestSweep {
        issues.add(
          "out-of-range", "\(what) sweeps \(items.count) values, the limit is \(Self.longestSweep)", at: entry.value)
      }
      map.finish()
      return value.map { Datapath.Parameter(name: entry.key, value: $0, sweep: sweep) }
    }
    return entry.value.count(what, in: Self.numbers, issues).map {
      Datapath.Parameter(name: entry.key, value: $0, sweep: [])
    }
  }

  private func isName(_ entry: ConfigNode.Entry) -> Bool {
    if case .name(let name)? = try? ExpressionParser.parse(entry.key).content, name == entry.key { return true }
    issues.add(
      Diagnostic(
        "wrong-value", "'\(entry.key)' is not a name", at: entry.keyLocation,
        hint: "use letters, digits and '_', a letter first", sourceLine: entry.keyLine))
    return false
  }

  // MARK: Tables

  private func table(_ entry: ConfigNode.Entry) -> [Datapath.Table] {
    guard isName(entry) else { return [] }
    let what = "table '\(entry.key)'"
    switch entry.value.content {
    case .mapping:
      if entry.value["format"] != nil { return formatTable(entry, what) }
      return binaryTable(entry, what).map { [Datapath.Table(name: entry.key, values: $0)] } ?? []
    default:
      guard let items = entry.value.list(what, issues) else { return [] }
      if items.isEmpty { issues.add("incomplete-table", "\(what) is empty", at: entry.value) }
      return [
        Datapath.Table(name: entry.key, values: items.compactMap { $0.count(what, in: Self.numbers, issues) })
      ]
    }
  }

  /// Keys are codes in binary, all of them.
  private func binaryTable(_ entry: ConfigNode.Entry, _ what: String) -> [Int]? {
    guard let rows = entry.value.entries(what, issues), let width = rows.first?.key.utf8.count else {
      issues.add("incomplete-table", "\(what) is empty", at: entry.value)
      return nil
    }
    var values: [Int: Int] = [:]
    for row in rows {
      guard row.key.utf8.count == width, width <= 12, let code = Int(row.key, radix: 2), row.key.first != "-" else {
        issues.add(
          Diagnostic(
            "wrong-value", "'\(row.key)' of \(what) is no code of \(width) bits", at: row.keyLocation,
            hint: "write codes in binary, as 011, all of the same width", sourceLine: row.keyLine))
        continue
      }
      values[code] = row.value.count("'\(row.key)' of \(what)", in: Self.numbers, issues)
    }
    let missing = (0..<1 << min(width, 12)).filter { values[$0] == nil }
    if !missing.isEmpty, issues.isEmpty {
      let names = missing.prefix(4).map { ElementCode.binary($0, width) }.joined(separator: ", ")
      issues.add("incomplete-table", "\(what) has no value for \(names)", at: entry.value)
    }
    return missing.isEmpty ? (0..<1 << width).map { values[$0] ?? 0 } : nil
  }

  /// The values of a number format, selectors one after another, times `scale`; `NAME_valid` tells codes with a number.
  private func formatTable(_ entry: ConfigNode.Entry, _ what: String) -> [Datapath.Table] {
    guard let map = ConfigMapping(entry.value, what, issues), let node = map.required("format") else { return [] }
    let name = node.text("format of \(what)", issues)
    let scale = map.optional("scale")?.count("scale of \(what)", in: 1...1 << 40, issues) ?? 1
    let part = map.optional("part")?.choice("part of \(what)", among: ["normal", "outlier"], issues) ?? "normal"
    map.finish()
    guard let name else { return [] }
    let format: NumberFormat
    do throws(DiagnosticError) { format = try NumberFormat.named(name) } catch {
      for diagnostic in error.diagnostics {
        issues.add(diagnostic.code, diagnostic.message, at: node, hint: diagnostic.hint)
      }
      return []
    }
    guard format.code.bits <= 12 else {
      issues.add("out-of-range", "\(what): \(name) has codes of \(format.code.bits) bits, the limit is 12", at: node)
      return []
    }
    var numbers: [Double?] = []
    if part == "outlier" {
      guard let pairs = format.pairs else {
        issues.add("wrong-value", "\(what): \(name) has no outliers", at: node)
        return []
      }
      numbers = (0..<format.code.count).map { pairs.outlier($0) }
    } else {
      for selector in format.code.selectors.indices {
        for code in 0..<format.code.count {
          let value = format.code.meaning(of: code, selector: selector).double
          numbers.append(value.flatMap { $0.isFinite ? $0 : nil })
        }
      }
    }
    var values: [Int] = []
    for number in numbers {
      let scaled = (number ?? 0) * Double(scale)
      guard abs(scaled) <= 0x1p48, scaled == scaled.rounded() else {
        issues.add(
          "wrong-value", "\(what): \(number ?? 0) times \(scale) is no whole number below 2^48", at: node,
          hint: "choose a scale that makes all values whole")
        return []
      }
      values.append(Int(scaled))
    }
    return [
      Datapath.Table(name: entry.key, values: values),
      Datapath.Table(name: "\(entry.key)_valid", values: numbers.map { $0 == nil ? 0 : 1 }),
    ]
  }

  // MARK: Inputs, definitions, claims

  private func input(_ entry: ConfigNode.Entry) -> Datapath.Input? {
    let key = ConfigText(location: entry.keyLocation, sourceLine: entry.keyLine)
    guard let left = expression(entry.key, key), let text = entry.value.text("input '\(entry.key)'", issues) else {
      return nil
    }
    let source = ConfigText(location: entry.value.location, sourceLine: entry.value.sourceLine)
    var name = ""
    var count: Expression?
    switch left.content {
    case .name(let text): name = text
    case .element(let text, let extent): (name, count) = (text, extent)
    default:
      issues.add(
        key.error(
          "wrong-expression", "'\(entry.key)' is neither a name nor a name with a count",
          hint: "write weight, or weight[lanes]"))
      return nil
    }
    let words = text.split(separator: " ", maxSplits: 1).map(String.init)
    if words.count == 2, words[0] == "signed" || words[0] == "unsigned" {
      guard let width = expression(words[1], source, offset: words[0].utf8.count + 1) else { return nil }
      return Datapath.Input(
        name: name, count: count, range: words[0] == "signed" ? .signed(width) : .unsigned(width), source: source)
    }
    let ends = text.split(separator: "...", omittingEmptySubsequences: false).map(String.init)
    guard ends.count == 2 else {
      issues.add(
        source.error(
          "wrong-value", "input '\(entry.key)' is '\(text)'",
          hint: "write 'signed BITS', 'unsigned BITS' or 'LOWEST ... HIGHEST'"))
      return nil
    }
    guard let low = expression(ends[0], source), let high = expression(ends[1], source, offset: ends[0].utf8.count + 3)
    else { return nil }
    return Datapath.Input(name: name, count: count, range: .interval(low, high), source: source)
  }

  private func definition(_ entry: ConfigNode.Entry) -> Datapath.Definition? {
    let key = ConfigText(location: entry.keyLocation, sourceLine: entry.keyLine)
    let source = ConfigText(location: entry.value.location, sourceLine: entry.value.sourceLine)
    guard let text = entry.value.text("definition '\(entry.key)'", issues) else { return nil }
    do throws(ExpressionError) {
      let (name, arguments) = try ExpressionParser.parseSignature(entry.key)
      guard let body = expression(text, source) else { return nil }
      return Datapath.Definition(name: name, arguments: arguments, body: body, source: source)
    } catch {
      issues.add(key.error("wrong-expression", error.message, offset: error.offset, hint: error.hint))
      return nil
    }
  }

  private func claim(_ entry: ConfigNode.Entry) -> Datapath.Claim? {
    let source = ConfigText(location: entry.value.location, sourceLine: entry.value.sourceLine)
    guard let text = entry.value.text("'\(entry.key)'", issues), let statement = expression(text, source) else {
      return nil
    }
    return Datapath.Claim(name: entry.key, statement: statement, source: source)
  }

  private func expression(_ text: String, _ source: ConfigText, offset: Int = 0) -> Expression? {
    do throws(ExpressionError) {
      var result = try ExpressionParser.parse(text)
      result.offset += offset
      return result
    } catch {
      issues.add(source.error("wrong-expression", error.message, offset: offset + error.offset, hint: error.hint))
      return nil
    }
  }

  private func mutant(_ entry: ConfigNode.Entry) -> Datapath.Mutant? {
    let what = "mutant '\(entry.key)'"
    guard let map = ConfigMapping(entry.value, what, issues) else { return nil }
    let summary = map.required("what")?.text("what of \(what)", issues)
    // A list of texts; a text may hold commas, so that one alone is not taken apart.
    var settings: [String] = []
    if let node = map.required("set") {
      let items: [ConfigNode]
      if case .sequence(let elements) = node.content { items = elements } else { items = [node] }
      settings = items.compactMap { $0.text("set of \(what)", issues) }
    }
    map.finish()
    return summary.map { Datapath.Mutant(name: entry.key, summary: $0, settings: settings) }
  }
}
