import PantileConfig
import PantileEngines
import PantileSupport
import PantileTensor

extension TermStudy {
  /// The study of the documentation, below the repository's root.
  public static let file = "Workloads/papers/bit-serial/study.yaml"

  /// Reads a study.
  /// - Throws: everything wrong in the file at once.
  public static func load(_ path: String) throws(DiagnosticError) -> TermStudy {
    try parse(AtomicFile.readText(path), path: path)
  }

  /// Reads a study from text; `path` names it in locations.
  /// - Throws: as `load`.
  public static func parse(_ text: String, path: String) throws(DiagnosticError) -> TermStudy {
    try readStudy(text, path: path) { TermStudyReader(issues: $1).read($0) }
  }
}

private struct TermStudyReader {
  let issues: Issues

  func read(_ root: ConfigNode) -> TermStudy? {
    guard let map = ConfigMapping(root, "study", issues) else { return nil }
    let machine = map.required("array").flatMap(readArray)
    let tokens = map.required("tokens")?.count("tokens", in: 1...1 << 16, issues)
    let chip = map.required("chip")?.text("chip", issues)
    let formats = (map.required("formats")?.list("formats", issues) ?? []).compactMap(readFormat)
    let scopes = (map.required("scopes")?.list("scopes", issues) ?? []).compactMap {
      $0.choice("a scope", among: ["pe", "tile", "array"], issues)
    }.map { name -> BitSerialMachine.SyncScope in name == "pe" ? .element : name == "tile" ? .tile : .array }
    let ahead = (map.required("run_ahead")?.list("run_ahead", issues) ?? []).compactMap {
      $0.count("a run-ahead", in: 0...65536, issues)
    }
    let weights = (map.required("weights")?.list("weights", issues) ?? []).compactMap(readWeights)
    map.finish()
    guard let machine, let tokens, let chip else { return nil }
    return TermStudy(
      machine: machine, tokens: tokens, chip: chip, formats: formats, scopes: scopes, runAheads: ahead, weights: weights
    )
  }

  private func readArray(_ node: ConfigNode) -> BitSerialMachine? {
    guard let map = ConfigMapping(node, "array", issues) else { return nil }
    func count(_ key: String, _ range: ClosedRange<Int>) -> Int? { map.required(key)?.count(key, in: range, issues) }
    func option(_ key: String) -> Int { map.optional(key)?.count(key, in: 0...65536, issues) ?? 0 }
    let (rows, columns, dot) = (count("rows", 1...4096), count("columns", 1...4096), count("dot", 1...1024))
    let (tileRows, tileColumns) = (count("tile_rows", 1...4096), count("tile_columns", 1...4096))
    let group = option("group")
    let (dequant, ports, depth) = (option("dequant_cycles"), option("drain_ports"), option("pipeline_depth"))
    map.finish()
    guard let rows, let columns, let dot, let tileRows, let tileColumns else { return nil }
    let machine = BitSerialMachine(
      rows: rows, columns: columns, dotWidth: dot, tileRows: tileRows, tileColumns: tileColumns, encoding: .booth,
      termPolicy: .skipTerms, group: group, dequantCycles: dequant, drainPorts: ports, pipelineDepth: depth)
    for fault in machine.faults { issues.add("wrong-value", fault, at: node) }
    return machine
  }

  private func readFormat(_ node: ConfigNode) -> TermStudy.Formatted? {
    guard let map = ConfigMapping(node, "a format", issues) else { return nil }
    let name = map.required("name")?.text("name of a format", issues)
    let encodings = (map.required("encodings")?.list("encodings", issues) ?? []).compactMap {
      $0.choice("an encoding", among: TermEncoding.allCases.map(\.rawValue), issues).flatMap(TermEncoding.init)
    }
    map.finish()
    guard let name else { return nil }
    do {
      return TermStudy.Formatted(format: try NumberFormat.named(name), encodings: encodings)
    } catch {
      issues.add("unknown-format", error.diagnostics.first?.message ?? "no format '\(name)'", at: node)
      return nil
    }
  }

  private func readWeights(_ node: ConfigNode) -> TermStudy.WeightSet? {
    guard let map = ConfigMapping(node, "weights", issues) else { return nil }
    let name = map.required("name")?.text("name of weights", issues)
    let model = map.optional("model")?.text("model", issues)
    var source = model.map { TermStudy.WeightSet.Source.model($0) }
    if let node = map.optional("gaussian"), let shape = ConfigMapping(node, "gaussian", issues) {
      let n = shape.required("n")?.count("n", in: 1...1 << 17, issues)
      let k = shape.required("k")?.count("k", in: 1...1 << 17, issues)
      let seed = shape.required("seed")?.count("seed", in: 0...Int.max, issues)
      shape.finish()
      if source != nil { issues.add("option-conflict", "weights are of a model and drawn", at: node) }
      if let n, let k, let seed { source = .gaussian(n: n, k: k, seed: UInt64(seed)) }
    } else if source == nil {
      issues.add("missing-key", "weights need model or gaussian", at: node)
    }
    map.finish()
    guard let name, let source else { return nil }
    return TermStudy.WeightSet(name: name, source: source)
  }
}
