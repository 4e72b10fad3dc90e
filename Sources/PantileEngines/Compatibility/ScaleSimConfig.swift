import PantileSupport

/// What a configuration file of SCALE-Sim says that its cycles without stalls depend on.
///
/// The file is an ini file: `[section]`, `key = value` or `key : value`, comment lines with `#` or `;`. Keys are not case
/// sensitive. Keys that have no influence here (sizes of memories, offsets, buffers) may be missing; sections and keys that are
/// unknown are passed over, since versions of the tool differ in them.
public struct ScaleSimConfig: Hashable, Sendable {
  /// `run_name`; empty when it is not there.
  public var runName: String
  public var rows: Int
  public var columns: Int
  public var dataflow: TimingModel.Dataflow
  /// Of `[sparsity]`, when `SparsitySupport` is on.
  public var sparsity: Sparsity?

  /// How filters are sparse; the topology says how much.
  public struct Sparsity: Hashable, Sendable {
    /// `SparseRep`.
    public var storage: ScaleSimSparsity.Storage
    /// `BlockSize` with `OptimizedMapping`; nil: layer-wise.
    public var block: Int?
  }

  /// - Throws: `ini-syntax`, `duplicate-key`, `missing-key`, `wrong-type`, `out-of-range`, `unknown-value`; `not-reproduced` for
  ///   `InterfaceBandwidth: USER`, custom layouts, sparse `is` and Ramulator traces. All at once.
  public init(_ text: String, path: String) throws(DiagnosticError) {
    var reader = ScaleSimConfigReader(ScaleSimText(text, path: path))
    reader.readEntries()
    runName = reader.value("general", "run_name")?.value ?? ""
    rows = reader.side("ArrayHeight")
    columns = reader.side("ArrayWidth")
    dataflow = .weightStationary
    if let entry = reader.required("architecture_presets", "Dataflow") {
      if let known = TimingModel.Dataflow(rawValue: entry.value) {
        dataflow = known
      } else {
        reader.text.fail(
          "unknown-value", "Dataflow is '\(entry.value)', known are \(TimingModel.Dataflow.names)", at: entry.line)
      }
    }
    reader.checkCounts()
    reader.checkMode()
    sparsity = reader.sparsity(rows: rows, dataflow: dataflow)
    try reader.text.check()
  }
}

/// Reads the entries of a configuration file.
private struct ScaleSimConfigReader {
  struct Entry {
    var value: String
    var line: ScaleSimText.Line
  }

  var text: ScaleSimText
  private var entries: [String: Entry] = [:]
  private var sections: Set<String> = []

  init(_ text: ScaleSimText) { self.text = text }

  /// One name for a key of a section; neither holds a line end.
  private static func name(_ section: String, _ key: String) -> String { "\(section)\n\(key.lowercased())" }

  mutating func readEntries() {
    var section: String?
    for line in text.lines {
      if line.text.utf8.first == 0x5B {
        guard let end = line.text.utf8.firstIndex(of: 0x5D) else {
          text.fail("ini-syntax", "a section starts with '[' and has no ']'", at: line)
          continue
        }
        let name = String(line.text[line.text.index(after: line.text.startIndex)..<end])
        if !sections.insert(name).inserted {
          text.fail("duplicate-key", "section [\(name)] is there twice", at: line)
        }
        section = name
        continue
      }
      guard let separator = line.text.utf8.firstIndex(where: { $0 == 0x3D || $0 == 0x3A }) else {
        text.fail("ini-syntax", "the line is neither '[section]' nor 'key = value'", at: line)
        continue
      }
      guard let section else {
        text.fail("ini-syntax", "a key stands before the first '[section]'", at: line)
        continue
      }
      let key = ScaleSimText.trimmed(line.text.utf8[..<separator])
      let value = withoutComment(line.text.utf8[line.text.utf8.index(after: separator)...])
      let name = ScaleSimConfigReader.name(section, key)
      if let first = entries[name] {
        text.fail("duplicate-key", "key '\(key)' is already on line \(first.line.number)", at: line)
      } else {
        entries[name] = Entry(value: value, line: line)
      }
    }
  }

  /// The value up to ` #` or ` ;`.
  private func withoutComment(_ bytes: Substring.UTF8View) -> String {
    var previous: UInt8 = 0x20
    var end = bytes.startIndex
    while end < bytes.endIndex {
      let byte = bytes[end]
      if byte == 0x23 || byte == 0x3B, previous == 0x20 || previous == 0x09 { break }
      previous = byte
      end = bytes.index(after: end)
    }
    return ScaleSimText.trimmed(bytes[..<end])
  }

  func value(_ section: String, _ key: String) -> Entry? { entries[ScaleSimConfigReader.name(section, key)] }

  mutating func required(_ section: String, _ key: String) -> Entry? {
    if let entry = value(section, key) { return entry }
    let prefix = "\(section)\n"
    let keys = entries.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
    text.fail(
      "missing-key",
      sections.contains(section)
        ? "section [\(section)] has no key '\(key)'" : "there is no section [\(section)] with the key '\(key)'",
      at: nil, hint: nearestName(to: key.lowercased(), among: keys).map { "it has '\($0)'" })
    return nil
  }

  /// The extent of the array; 1 when something is wrong with it.
  mutating func side(_ key: String) -> Int {
    guard let entry = required("architecture_presets", key) else { return 1 }
    guard let value = Int(entry.value) else {
      text.fail("wrong-type", "\(key) is '\(entry.value)', not a whole number", at: entry.line)
      return 1
    }
    let range = 1...TimingModel.Question.largestSide
    if !range.contains(value) {
      text.fail("out-of-range", "\(key) is \(value), it must be in 1...\(range.upperBound)", at: entry.line)
    }
    return value
  }

  /// Counts without influence on cycles have to be counts all the same: the tool stops at them.
  mutating func checkCounts() {
    for key in ["IfmapSramSzkB", "FilterSramSzkB", "OfmapSramSzkB", "IfmapOffset", "FilterOffset", "OfmapOffset"] {
      guard let entry = value("architecture_presets", key) else { continue }
      if Int(entry.value) == nil {
        text.fail("wrong-type", "\(key) is '\(entry.value)', not a whole number", at: entry.line)
      }
    }
  }

  /// Whether a key is on; nil when it says neither.
  private func flag(_ entry: Entry) -> Bool? {
    switch entry.value.lowercased() {
    case "false", "no", "off", "0": return false
    case "true", "yes", "on", "1": return true
    default: return nil
    }
  }

  private mutating func unknown(_ key: String, _ entry: Entry, _ known: String) {
    text.fail("unknown-value", "\(key) is '\(entry.value)', known are \(known)", at: entry.line)
  }

  /// What `[sparsity]` says; nil when it is off, or wrong.
  mutating func sparsity(rows: Int, dataflow: TimingModel.Dataflow) -> ScaleSimConfig.Sparsity? {
    guard let support = value("sparsity", "SparsitySupport") else { return nil }
    guard let isOn = flag(support) else {
      unknown("SparsitySupport", support, "True, False")
      return nil
    }
    guard isOn, let representation = required("sparsity", "SparseRep"),
      let mapping = required("sparsity", "OptimizedMapping")
    else { return nil }
    guard let storage = ScaleSimSparsity.Storage(rawValue: representation.value) else {
      unknown(
        "SparseRep", representation, ScaleSimSparsity.Storage.allCases.map(\.rawValue).joined(separator: ", "))
      return nil
    }
    guard let isRowWise = flag(mapping) else {
      unknown("OptimizedMapping", mapping, "True, False")
      return nil
    }
    if dataflow == .inputStationary || isRowWise && dataflow != .weightStationary {
      text.fail(
        "not-reproduced",
        "sparse filters are reproduced for ws and os, OptimizedMapping for ws; Dataflow is '\(dataflow.rawValue)'",
        at: support.line, hint: "write Dataflow: ws")
      return nil
    }
    guard isRowWise else { return ScaleSimConfig.Sparsity(storage: storage, block: nil) }
    guard let size = required("sparsity", "BlockSize") else { return nil }
    guard let block = Int(size.value), (1...rows).contains(block) else {
      text.fail(
        "out-of-range", "BlockSize is '\(size.value)', it must be a whole number in 1...\(rows), the rows of the array",
        at: size.line)
      return nil
    }
    return ScaleSimConfig.Sparsity(storage: storage, block: block)
  }

  /// Refuses what changes the tool's cycles in ways that are not reproduced.
  mutating func checkMode() {
    if let mode = required("run_presets", "InterfaceBandwidth") {
      switch mode.value {
      case "CALC": break
      case "USER":
        text.fail(
          "not-reproduced", "InterfaceBandwidth is USER, only the cycles of CALC are reproduced: stalls are left out",
          at: mode.line, hint: "write InterfaceBandwidth: CALC for the cycles without stalls")
      default:
        text.fail("unknown-value", "InterfaceBandwidth is '\(mode.value)', known are CALC, USER", at: mode.line)
      }
    }
    let switches = [
      ("run_presets", "UseRamulatorTrace", "traces of Ramulator"),
      ("layout", "IfmapCustomLayout", "bank conflicts of a custom layout"),
      ("layout", "FilterCustomLayout", "bank conflicts of a custom layout"),
    ]
    for (section, key, what) in switches {
      guard let entry = value(section, key) else { continue }
      switch entry.value.lowercased() {
      case "false", "no", "off", "0": break
      case "true", "yes", "on", "1":
        text.fail(
          "not-reproduced", "\(key) is \(entry.value), \(what) are not reproduced", at: entry.line,
          hint: "write \(key): False for the dense cycles without stalls")
      default:
        text.fail("unknown-value", "\(key) is '\(entry.value)', known are True, False", at: entry.line)
      }
    }
  }
}
