import PantileEngines
import PantileSim

extension RunReport {
  /// One step from an array's peak down to what it achieved.
  ///
  /// The first step is `peak`, every multiplier in every cycle; the last is `achieved`; the steps between are what is lost, and `peak`
  /// is the sum of all others.
  public struct WaterfallStep: Codable, Sendable, Equatable {
    public var name: String
    /// Multipliers times cycles.
    public var peCycles: Int
    /// Of the peak, 0 ... 1.
    public var share: Double

    public init(name: String, peCycles: Int, share: Double) {
      self.name = name
      self.peCycles = peCycles
      self.share = share
    }

    enum CodingKeys: String, CodingKey {
      case name, share
      case peCycles = "pe_cycles"
    }

    /// In words, of the engine that the steps speak of.
    public func meaning(of engine: String) -> String { Waterfall.meaning(of: name, engine) }
  }
}

/// Builds and names the steps of a utilisation waterfall.
enum Waterfall {
  /// Every loss in the order in which it is told, from the machine around the array down to the array's edges.
  static let losses: [(name: String, meaning: String)] = [
    ("no-work", "the layer has nothing (more) for ENGINE"),
    ("order", "ENGINE waits for the layer before"),
    ("space", "ENGINE waits for a free buffer"),
    ("bank", "ENGINE waits for a scratchpad bank that another engine owns"),
    ("data", "ENGINE waits for operands"),
    ("transfer", "ENGINE waits for operands that move at full rate"),
    ("credit", "bursts wait because all that may be in flight are"),
    ("queue-full", "bursts wait in front of a full DRAM queue"),
    ("row-miss", "the DRAM precharges and activates rows"),
    ("refresh", "the DRAM refreshes"),
    ("turnaround", "the DRAM's bus changes its direction or its rank"),
    ("bank-group", "the DRAM spaces commands of one bank group"),
    ("bus", "other engines' bursts hold the DRAM's bus"),
    ("load", "ENGINE loads the operand that stays in it"),
    ("fill", "the first operands spread over ENGINE"),
    ("drain", "results leave ENGINE"),
    ("adder", "PEs of ENGINE wait for their own adder"),
    ("feed", "PEs of ENGINE wait for operands at its own ports"),
    ("sync", "lanes of ENGINE wait for those of the same step that have more terms"),
    ("edge-rows", "rows of ENGINE that edge folds leave unused"),
    ("edge-columns", "columns of ENGINE that edge folds leave unused"),
    ("edge-depth", "multipliers of a PE beyond the end of the reduction"),
  ]

  static func meaning(of name: String, _ engine: String) -> String {
    switch name {
    case "peak": return "every multiplier of \(engine) in every cycle"
    case "achieved": return "products of the network that \(engine) makes"
    default:
      let known = losses.first { $0.name == name }?.meaning ?? "ENGINE waits"
      return known.replacing("ENGINE", with: engine)
    }
  }

  /// PE-cycles by name of one stretch of a run, `achieved` included.
  ///
  /// Waits for operands of a DMA engine are split over what that engine did in the stretch: its transfers, and each cause of the DRAM.
  /// **Accuracy** exact but for that split, which is by share.
  ///
  /// - Parameter copying: whether each queue copies.
  static func amounts(
    _ activity: TimingResult.Activity, multipliers: Int, activities: [TimingResult.Activity], copying: [Bool]
  ) -> NamedAmounts<Int> {
    var result = NamedAmounts<Int>()
    for stall in activity.stalls {
      let amount = stall.cycles * multipliers
      guard stall.cause.kind == .data, let source = stall.cause.source, copying[source] else {
        result.add(stall.cause.name, amount)
        continue
      }
      let memory = activities[source].stalls.filter { $0.cause.kind.isMemory }
      let names = ["transfer"] + memory.map(\.cause.name)
      let weights = [activities[source].busy] + memory.map(\.cycles)
      guard weights.contains(where: { $0 > 0 }) else {
        // Its copies were over before the stretch began: what it waits for is not told.
        result.add("data", amount)
        continue
      }
      let parts = Shares.split(amount, over: weights)
      for (name, part) in zip(names, parts) { result.add(name, part) }
    }
    let occupancy = activity.occupancy
    for (name, amount) in [
      ("load", occupancy.load), ("fill", occupancy.fill), ("drain", occupancy.drain), ("adder", occupancy.adder),
      ("feed", occupancy.feed), ("sync", occupancy.sync),
      ("edge-rows", occupancy.edgeRows), ("edge-columns", occupancy.edgeColumns), ("edge-depth", occupancy.edgeDepth),
      ("achieved", occupancy.work),
    ] { result.add(name, amount) }
    return result
  }

  /// The steps of a stretch; losses of nothing are left out.
  static func steps(_ amounts: NamedAmounts<Int>) -> [RunReport.WaterfallStep] {
    let peak = amounts.total
    guard peak > 0 else { return [] }
    func step(_ name: String, _ amount: Int) -> RunReport.WaterfallStep {
      .init(name: name, peCycles: amount, share: Double(amount) / Double(peak))
    }
    return [step("peak", peak)] + losses.filter { amounts[$0.name] > 0 }.map { step($0.name, amounts[$0.name]) }
      + [step("achieved", amounts["achieved"])]
  }
}
