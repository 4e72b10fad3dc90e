import PantileEngines

/// Where the cycles of a run, or of one layer, went, from what the array could do at its peak down to what it took.
///
/// The parts add up to `cycles`: the work at full use, each loss inside the array's busy time, and each cause of its waiting. Of
/// reports without a waterfall, and of engines that are no array, busy time is one part.
public struct Explanation: Codable, Sendable, Equatable {
  /// One step of the waterfall.
  public struct Part: Codable, Sendable, Equatable {
    /// `achieved`, `busy`, a loss or the cause of a stall: `load`, `row-miss`.
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
  /// The array's way from its peak to what it achieved, in PE-cycles; nil without an array.
  public var waterfall: [RunReport.WaterfallStep]?
  /// The array that `waterfall` speaks of.
  public var array: String?
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
    waterfall = report.waterfall.flatMap { $0.isEmpty ? nil : $0 }
    array = waterfall == nil ? nil : report.stalledEngine
    parts = Explanation.parts(
      waterfall, cycles: report.cycles, ideal: ideal, busy: main?.busy ?? 0, stalls: report.stalls, engine: engine,
      ofArray: ideal > 0)
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
    let isArray = layer.macs > 0 && layer.engine == Explanation.array(of: report)?.name
    waterfall = layer.waterfall.flatMap { $0.isEmpty ? nil : $0 }
    array = waterfall == nil ? nil : report.stalledEngine
    parts = Explanation.parts(
      isArray ? waterfall : nil, cycles: layer.cycles, ideal: min(ideal, layer.busy), busy: layer.busy,
      stalls: layer.stalls,
      engine: layer.engine, ofArray: isArray)
    largest = []
  }

  /// The engine whose stalls the report shows as those of the array.
  private static func array(of report: RunReport) -> RunReport.Engine? {
    report.engines.first { $0.name == report.stalledEngine } ?? report.engines.first { $0.stalls == report.stalls }
  }

  private static func parts(
    _ waterfall: [RunReport.WaterfallStep]?, cycles: Int, ideal: Int, busy: Int, stalls: NamedAmounts<Int>,
    engine: String, ofArray: Bool
  ) -> [Part] {
    var parts: [Part] = []
    if let steps = waterfall?.filter({ $0.name != "peak" }), !steps.isEmpty {
      // PE-cycles as cycles of the whole array: the rounding of one part is made good by another.
      let shares = Shares.split(cycles, over: steps.map(\.peCycles))
      parts = zip(steps, shares).map { Part(name: $0.name, meaning: $0.meaning(of: engine), cycles: $1) }
      return [parts[parts.count - 1]]
        + parts.dropLast().sorted { ($1.cycles, $0.name) < ($0.cycles, $1.name) }
    }
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
    // Of reports that were written before the DRAM's causes were told apart.
    cause == "dram" ? "\(engine) waits for the DRAM" : Waterfall.meaning(of: cause, engine)
  }

  enum CodingKeys: String, CodingKey {
    case schema, model, chip, layer, cycles, engine, parts, waterfall, array, largest
    case whatIfs = "what_ifs"
  }

  /// For a terminal.
  public var text: String {
    var text = "\(layer.map { "layer '\($0)' of " } ?? "")\(model) on \(chip): \(Format.grouped(cycles)) cycles\n\n"
    text += table("where they went", parts)
    if !largest.isEmpty { text += "\n" + table("largest layers", largest) }
    if let binding = parts.filter({ $0.name != "peak" && $0.name != "achieved" }).max(by: { $0.cycles < $1.cycles }),
      cycles > 0
    {
      text += "\nbinds: \(binding.meaning) (\(Format.percent(Double(binding.cycles) / Double(cycles))))\n"
    }
    if let waterfall, let achieved = waterfall.last {
      let lost = waterfall.filter { $0.name != "peak" && $0.name != "achieved" }
      let largest = lost.sorted { ($1.peCycles, $0.name) < ($0.peCycles, $1.name) }.prefix(4)
      text +=
        "of the peak of \(array ?? engine): \(Format.percent(achieved.share)) achieved; lost "
        + largest.map { "\(Format.percent($0.share)) \($0.name)" }.joined(separator: ", ") + "\n"
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
