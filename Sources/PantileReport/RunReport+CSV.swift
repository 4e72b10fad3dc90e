extension RunReport {
  /// One line a layer with exact numbers; stalls, steps of the waterfall, bytes and energy have a column for each name that any layer has.
  public func layersCSV() -> String {
    func names(_ pick: (Layer) -> [String]) -> [String] { Array(Set(layers.flatMap(pick))).sorted() }
    let stallNames = names { $0.stalls.items.map(\.name) }
    let stepNames = names { ($0.waterfall ?? []).map(\.name) }
    let byteNames = names { $0.bytes.items.map(\.name) }
    let componentNames = names { $0.energy.components.items.map(\.name) }
    var header = ["layer", "kind", "nodes", "engine", "start", "cycles", "busy", "macs", "utilization", "limit"]
    header += stallNames.map { "stall_\($0)" } + stepNames.map { "pe_cycles_\($0)" }
    header += byteNames.map { "\($0)_bytes" }
    header += ["energy_pj"] + componentNames.map { "energy_\($0)_pj" }
    var text = CSV.line(header)
    for layer in layers {
      var cells = [layer.name, layer.kind, layer.nodes.joined(separator: " "), layer.engine, "\(layer.start)"]
      cells += ["\(layer.cycles)", "\(layer.busy)", "\(layer.macs)", "\(layer.utilization)", layer.limit]
      cells += stallNames.map { "\(layer.stalls[$0])" }
      cells += stepNames.map { name in "\(layer.waterfall?.first { $0.name == name }?.peCycles ?? 0)" }
      cells += byteNames.map { "\(layer.bytes[$0])" }
      cells += ["\(layer.energy.totalPicojoules)"] + componentNames.map { "\(layer.energy.components[$0])" }
      text += CSV.line(cells)
    }
    return text
  }
}

/// Comma-separated values as in RFC 4180, with plain newlines.
public enum CSV {
  /// The cells with commas between and a newline; cells with commas, quotes or line breaks are quoted.
  public static func line(_ cells: [String]) -> String {
    cells.map(quoted).joined(separator: ",") + "\n"
  }

  private static func quoted(_ cell: String) -> String {
    let isPlain = cell.utf8.allSatisfy { $0 != 44 && $0 != 34 && $0 != 10 && $0 != 13 }
    return isPlain
      ? cell : "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
