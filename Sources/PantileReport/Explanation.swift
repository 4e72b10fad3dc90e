/// Where the cycles of a run, or of one layer, went, from what the array could do at its peak down to what it took.
///
/// The parts add up to `cycles`: the work at full use, what the engine was busy beyond it, and each cause of its waiting.
public struct Explanation: Codable, Sendable, Equatable {
  /// One step of the waterfall.
  public struct Part: Codable, Sendable, Equatable {
    /// `peak`, `busy`, or the cause of a stall: `data from dma0`.
    public var name: String
    /// In words of this page.
    public var meaning: String
    public var cycles: Int

    public init(name: String, meaning: String, cycles: Int) {
      self.name = name
      self.meaning = meaning
      self.cycles = cycles
    }
  }

  /// The same Program on a changed machine.
  public struct WhatIf: Codable, Sendable, Equatable {
    /// `twice the DRAM bandwidth`.
    public var change: String
    /// Of the whole run, or of the layer that is explained.
    public var cycles: Int
    /// Against the unchanged machine: -0.18 is 18 % less.
    public var relative: Double

    public init(change: String, cycles: Int, relative: Double) {
      self.change = change
      self.cycles = cycles
      self.relative = relative
    }
  }

  public static let currentSchema = "pantile.explain/1"
  public var schema = Explanation.currentSchema
  public var model: String
  public var chip: String
  /// nil for the whole run.
  public var layer: String?
  public var cycles: Int
  /// The engine that the parts speak of.
  public var engine: String
  public var parts: [Part]
  /// Layers of the run that take the most cycles, or nothing when one layer is explained.
  public var largest: [Part]
  /// Empty when only a report was at hand.
  public var whatIfs: [WhatIf] = []

  /// The explanation of a whole report.
  ///
  /// - Parameter largest: how many layers are named.
  public init(_ report: RunReport, largest count: Int = 5) {
    model = report.model
    chip = report.chip
    cycles = report.cycles
    // The array speaks for the run where there is one: its stalls are the report's own.
    let main = Explanation.array(of: report)
    engine = main?.name ?? ""
    let ideal = Int((report.utilization * Double(report.cycles)).rounded())
    parts = Explanation.parts(
      ideal: ideal, busy: main?.busy ?? 0, stalls: report.stalls, engine: engine, ofArray: ideal > 0)
    largest = report.layers.sorted { ($1.cycles, $0.start) < ($0.cycles, $1.start) }.prefix(count).map {
      Part(name: $0.name, meaning: "\($0.kind), limited by \($0.limit)", cycles: $0.cycles)
    }
  }

  /// The explanation of one layer.
  public init(_ report: RunReport, layer: RunReport.Layer) {
    model = report.model
    chip = report.chip
    self.layer = layer.name
    cycles = layer.cycles
    engine = layer.engine
    let ideal = Int((layer.utilization * Double(layer.cycles)).rounded())
    parts = Explanation.parts(
      ideal: min(ideal, layer.busy), busy: layer.busy, stalls: layer.stalls, engine: layer.engine,
      ofArray: layer.macs > 0 && layer.engine == Explanation.array(of: report)?.name)
    largest = []
  }

  /// The engine whose stalls the report shows as those of the array.
  private static func array(of report: RunReport) -> RunReport.Engine? {
    report.engines.first { $0.name == report.stalledEngine } ?? report.engines.first { $0.stalls == report.stalls }
  }

  private static func parts(
    ideal: Int, busy: Int, stalls: NamedAmounts<Int>, engine: String, ofArray: Bool
  ) -> [Part] {
    var parts: [Part] = []
    if ofArray {
      parts.append(Part(name: "peak", meaning: "the multiplications at full use of the array", cycles: ideal))
      parts.append(
        Part(
          name: "busy", meaning: "\(engine) at work beyond that: tile edges, fill and drain, weight loads",
          cycles: busy - ideal))
    } else {
      parts.append(Part(name: "busy", meaning: "\(engine) at work", cycles: busy))
    }
    for stall in stalls.descending where stall.amount > 0 {
      parts.append(Part(name: stall.name, meaning: meaning(of: stall.name, engine), cycles: stall.amount))
    }
    return parts
  }

  private static func meaning(of cause: String, _ engine: String) -> String {
    switch cause {
    case "data": return "\(engine) waits for operands"
    case "space": return "\(engine) waits for a free buffer"
    case "order": return "\(engine) waits for the layer before"
    case "bank": return "\(engine) waits for a scratchpad bank that another engine owns"
    case "dram": return "\(engine) waits for the DRAM"
    case "no-work": return "the layer has nothing (more) for \(engine)"
    default: return "\(engine) waits"
    }
  }

  enum CodingKeys: String, CodingKey {
    case schema, model, chip, layer, cycles, engine, parts, largest
    case whatIfs = "what_ifs"
  }

  /// For a terminal.
  public var text: String {
    var text = "\(layer.map { "layer '\($0)' of " } ?? "")\(model) on \(chip): \(Format.grouped(cycles)) cycles\n\n"
    text += table("where they went", parts)
    if !largest.isEmpty { text += "\n" + table("largest layers", largest) }
    if let binding = parts.filter({ $0.name != "peak" }).max(by: { $0.cycles < $1.cycles }), cycles > 0 {
      text += "\nbinds: \(binding.meaning) (\(Format.percent(Double(binding.cycles) / Double(cycles))))\n"
    }
    guard !whatIfs.isEmpty else { return text }
    var table = TextTable([("what if", .left), ("cycles", .right), ("change", .right)])
    for whatIf in whatIfs {
      let change = whatIf.relative * 100
      let tenths = Int((change * 10).rounded())
      let digits = "\(abs(tenths) / 10).\(abs(tenths) % 10) %"
      table.add([
        whatIf.change, Format.grouped(whatIf.cycles),
        whatIf.cycles == cycles ? "none" : (whatIf.cycles < cycles ? "-" : "+") + digits,
      ])
    }
    return text + "\n" + table.text + "the same program on the changed machine; a new compile may do better\n"
  }

  private func table(_ title: String, _ parts: [Part]) -> String {
    var table = TextTable([(title, .left), ("cycles", .right), ("share", .right), ("", .left)])
    for part in parts {
      table.add([
        Format.shortened(part.name, to: 24), Format.grouped(part.cycles),
        Format.percent(cycles > 0 ? Double(part.cycles) / Double(cycles) : 0), part.meaning,
      ])
    }
    return table.text
  }
}
