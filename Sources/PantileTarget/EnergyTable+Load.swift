import PantileConfig
import PantileSupport

extension EnergyTable {
  /// Reads the energy table called `nameOrPath`, looked for in `Targets/energy` below the working directory and `root`.
  /// - Throws: `unknown-energy`, and everything wrong in the file at once.
  public static func load(_ nameOrPath: String, root: String? = nil) throws(DiagnosticError) -> EnergyTable {
    try load(nameOrPath, folder: TargetFolder(root: root), beside: nil, at: .unknown)
  }

  static func load(
    _ nameOrPath: String, folder finder: TargetFolder, beside: String?, at location: SourceLocation
  ) throws(DiagnosticError) -> EnergyTable {
    let path = try finder.energy(nameOrPath, beside: beside, at: location)
    let text = try AtomicFile.readText(path)
    let file = EnergyTableCache.File(path: path, text: text)
    if let known = EnergyTableCache.shared.table(of: file) { return known }
    let root = try ConfigDocument.parse(text, path: path)
    let issues = Issues()
    let reader = EnergyTableReader(file, issues: issues)
    let table = reader.read(root)
    try issues.check()
    // Without issues the reader returned a table.
    guard let table else { preconditionFailure("energy table '\(path)' gave neither a table nor a diagnostic") }
    EnergyTableCache.shared.keep(table, of: reader.files)
    return table
  }
}

/// Reads one energy file. A class because its files grow while tables are read.
private final class EnergyTableReader {
  private let path: String
  private let issues: Issues
  /// Everything that was read, the table's own file first.
  private(set) var files: [EnergyTableCache.File]

  init(_ file: EnergyTableCache.File, issues: Issues) {
    path = file.path
    self.issues = issues
    files = [file]
  }

  func read(_ root: ConfigNode) -> EnergyTable? {
    guard let map = ConfigMapping(root, "energy table", issues) else { return nil }
    let name = map.required("name")?.name("name of the energy table", issues)
    let summary = map.optional("summary")?.text("summary of the energy table", issues) ?? ""
    let sources = readSources(map.required("sources"))
    let ids = sources.map(\.id)
    let entries = readEntries(map.required("entries"), unit: "pJ", sources: ids)
    let dram = readEntries(map.optional("dram"), unit: "pJ/bit", sources: ids)
    let sram = readMemories(map.optional("sram"), sources: ids)
    let actions = readActions(map.required("actions"), entries: entries.map(\.key))
    let unmodelled = map.required("unmodelled")?.list("unmodelled", issues)?.compactMap {
      $0.text("a category of unmodelled", issues)
    }
    map.finish()
    guard let name, issues.isEmpty else { return nil }
    var hash = StableHash()
    for file in files { hash.combine(file.text) }
    return EnergyTable(
      name: name, summary: summary, sources: sources, entries: entries, dram: dram, sram: sram, actions: actions,
      unmodelled: unmodelled ?? [], hash: hash.hexadecimal)
  }

  private func readSources(_ node: ConfigNode?) -> [(id: String, text: String)] {
    (node?.entries("sources", issues) ?? []).compactMap { entry in
      entry.value.text("source '\(entry.key)'", issues).map { (entry.key, $0) }
    }
  }

  private func readSource(_ map: ConfigMapping, _ sources: [String]) -> String? {
    guard let node = map.required("source") else { return nil }
    guard let id = node.text("source of \(map.what)", issues) else { return nil }
    guard sources.contains(id) else {
      issues.add(
        "unknown-value", "source '\(id)' of \(map.what) is not listed under 'sources'", at: node,
        hint: "sources: \(sources.joined(separator: ", "))")
      return nil
    }
    return id
  }

  private func readConfidence(_ map: ConfigMapping) -> EnergyTable.Confidence? {
    let choices = EnergyTable.Confidence.allCases.map(\.rawValue)
    return map.required("confidence")?.choice("confidence of \(map.what)", among: choices, issues)
      .flatMap(EnergyTable.Confidence.init)
  }

  private func readEntries(_ node: ConfigNode?, unit: String, sources: [String]) -> [EnergyTable.Entry] {
    (node?.entries(unit == "pJ" ? "entries" : "dram", issues) ?? []).compactMap { item in
      let what = "entry '\(item.key)'"
      guard let map = ConfigMapping(item.value, what, issues) else { return nil }
      let energy = map.required("energy").flatMap { readEnergy($0, what, unit) }
      let node = map.optional("node").flatMap { readNode($0, what) }
      let source = readSource(map, sources)
      let confidence = readConfidence(map)
      let note = map.optional("note")?.text("note of \(what)", issues) ?? ""
      map.finish()
      guard let energy, let source, let confidence else { return nil }
      let perAction = unit == "pJ" ? energy : energy * 8
      return EnergyTable.Entry(
        key: item.key, energy: Picojoules(perAction), node: node, source: source, confidence: confidence, note: note)
    }
  }

  /// `0.2 pJ`, `9 fJ`, `8 pJ/bit`: the unit is mandatory; the result is in picojoules.
  private func readEnergy(_ node: ConfigNode, _ what: String, _ unit: String) -> Double? {
    guard let text = node.text("energy of \(what)", issues) else { return nil }
    let pieces = text.split(separator: " ").map(String.init)
    let scale =
      unit.hasSuffix("/bit") ? [("pJ/bit", 1.0), ("fJ/bit", 1e-3)] : [("pJ", 1.0), ("fJ", 1e-3), ("nJ", 1e3)]
    guard pieces.count == 2, let value = Double(pieces[0]), value.isFinite, value > 0,
      let factor = scale.first(where: { $0.0 == pieces[1] })?.1
    else {
      issues.add(
        "wrong-unit", "energy of \(what) must be a positive number with a unit, found '\(text)'", at: node,
        hint: "write for example 0.2 \(unit); units: \(scale.map { $0.0 }.joined(separator: ", "))")
      return nil
    }
    return value * factor
  }

  private func readNode(_ node: ConfigNode, _ what: String) -> Int? {
    guard let text = node.text("node of \(what)", issues) else { return nil }
    let pieces = text.split(separator: " ")
    guard pieces.count == 2, pieces[1] == "nm", let value = Int(pieces[0]), (1...1000).contains(value) else {
      issues.add(
        "wrong-unit", "node of \(what) must be nanometres, found '\(text)'", at: node, hint: "write for example 45 nm")
      return nil
    }
    return value
  }

  private func readMemories(_ node: ConfigNode?, sources: [String]) -> [SRAMTable] {
    (node?.entries("sram", issues) ?? []).compactMap { item -> SRAMTable? in
      let what = "memory table '\(item.key)'"
      guard let map = ConfigMapping(item.value, what, issues) else { return nil }
      let file = map.required("table")
      let fileName = file?.text("table of \(what)", issues)
      let cells = map.required("cells")?.text("cells of \(what)", issues)
      let node = map.required("node").flatMap { readNode($0, what) }
      let source = readSource(map, sources)
      let confidence = readConfidence(map)
      let summary = map.optional("summary")?.text("summary of \(what)", issues) ?? ""
      map.finish()
      guard let file, let fileName, let cells, let node, let source, let confidence else { return nil }
      do throws(DiagnosticError) {
        let points = try readPoints(file, fileName, node: node, cells: cells)
        return SRAMTable(
          key: item.key, summary: summary, node: node, source: source, confidence: confidence, points: points)
      } catch {
        issues.add(error)
        return nil
      }
    }
  }

  private func readPoints(
    _ file: ConfigNode, _ fileName: String, node: Int, cells: String
  ) throws(DiagnosticError) -> [SRAMTable.Point] {
    let tablePath = fileName.hasPrefix("/") ? fileName : "\(folder(of: path))/\(fileName)"
    let text: String
    do {
      text = try AtomicFile.readText(tablePath)
    } catch {
      throw DiagnosticError(
        error.diagnostics.map {
          Diagnostic($0.code, $0.message, at: file.location, hint: $0.hint, sourceLine: file.sourceLine)
        })
    }
    files.append(.init(path: tablePath, text: text))
    return try SRAMTable.points(csv: text, path: tablePath, node: node, cells: cells)
  }

  private func readActions(_ node: ConfigNode?, entries: [String]) -> [EnergyTable.Action] {
    let accesses = MemorySpec.Kind.allCases.flatMap { kind in
      EnergyTable.MemoryAccess.allCases.map { "\(kind.rawValue).\($0.rawValue)" }
    }
    return (node?.entries("actions", issues) ?? []).compactMap { item in
      if case .scalar("unmodelled", _) = item.value.content {
        return EnergyTable.Action(name: item.key, terms: [], location: item.keyLocation)
      }
      guard let terms = item.value.entries("action '\(item.key)'", issues) else { return nil }
      if terms.isEmpty {
        issues.add(
          "wrong-value", "action '\(item.key)' has no entry", at: item.value,
          hint: "name its entries, or write 'unmodelled'")
      }
      var result: [EnergyTable.Term] = []
      for term in terms {
        guard entries.contains(term.key) || accesses.contains(term.key) else {
          let nearest = nearestName(to: term.key, among: entries + accesses).map { "did you mean '\($0)'?" }
          issues.add(
            Diagnostic(
              "unknown-key", "action '\(item.key)' uses the unknown entry '\(term.key)'", at: term.keyLocation,
              hint: nearest, sourceLine: term.keyLine))
          continue
        }
        let factor = term.value.real("factor of '\(term.key)' in action '\(item.key)'", in: 1e-9...1e9, issues)
        if let factor { result.append(.init(entry: term.key, factor: factor)) }
      }
      return EnergyTable.Action(name: item.key, terms: result, location: item.keyLocation)
    }
  }
}
