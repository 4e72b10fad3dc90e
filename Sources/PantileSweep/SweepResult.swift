import PantileReport
import PantileSupport

/// A figure that a sweep may optimise.
public enum SweepObjective: String, Hashable, Sendable, CaseIterable {
  case cycles, seconds, energy
  case offchipBytes = "offchip_bytes"
  case peakScratchpadBytes = "peak_scratchpad_bytes"
  case utilization

  /// The figure so that less is better. Plain double: figures of several units are compared each with its own kind.
  func cost(of metrics: SweepMetrics) -> Double {
    switch self {
    case .cycles: return Double(metrics.cycles)
    case .seconds: return metrics.seconds
    case .energy: return metrics.energyPicojoules
    case .offchipBytes: return Double(metrics.offchipBytes)
    case .peakScratchpadBytes: return Double(metrics.peakScratchpadBytes)
    case .utilization: return -metrics.utilization
    }
  }
}

/// What a table row keeps of a run report.
public struct SweepMetrics: Codable, Hashable, Sendable {
  public var cycles: Int
  public var seconds: Double
  public var energyPicojoules: Double
  public var utilization: Double
  public var macs: Int
  public var peakScratchpadBytes: Int
  public var offchipBytes: Int
  public var plan: String
  public var chipHash: String

  public init(
    cycles: Int, seconds: Double, energyPicojoules: Double, utilization: Double, macs: Int, peakScratchpadBytes: Int,
    offchipBytes: Int, plan: String, chipHash: String
  ) {
    self.cycles = cycles
    self.seconds = seconds
    self.energyPicojoules = energyPicojoules
    self.utilization = utilization
    self.macs = macs
    self.peakScratchpadBytes = peakScratchpadBytes
    self.offchipBytes = offchipBytes
    self.plan = plan
    self.chipHash = chipHash
  }

  public init(_ report: RunReport) {
    cycles = report.cycles
    seconds = report.seconds
    energyPicojoules = report.energy.totalPicojoules
    utilization = report.utilization
    macs = report.macs
    peakScratchpadBytes = report.peakScratchpadBytes
    offchipBytes = report.offchipBytes
    plan = report.plan.status
    chipHash = report.chipHash
  }

  enum CodingKeys: String, CodingKey {
    case cycles, seconds
    case energyPicojoules = "energy_pj"
    case utilization, macs
    case peakScratchpadBytes = "peak_scratchpad_bytes"
    case offchipBytes = "offchip_bytes"
    case plan
    case chipHash = "chip_hash"
  }
}

/// What became of one point.
public enum SweepOutcome: Hashable, Sendable {
  case done(SweepMetrics)
  /// The chip is not possible or the model does not fit it: the first diagnostic.
  case infeasible(code: String, message: String)
}

/// All points of a finished sweep, in the order of the spec.
public struct SweepResult: Sendable {
  public struct Row: Sendable {
    public var point: SweepSpec.Point
    public var outcome: SweepOutcome
    /// Whether no other point is at least as good in all objectives and better in one.
    public var isPareto: Bool
  }

  public var spec: SweepSpec
  public var rows: [Row]
  /// Points taken from the journal of an earlier run.
  public var resumedCount: Int

  init(spec: SweepSpec, outcomes: [(point: SweepSpec.Point, outcome: SweepOutcome)], resumedCount: Int) {
    self.spec = spec
    self.resumedCount = resumedCount
    let costs: [[Double]?] = outcomes.map { item in
      guard case .done(let metrics) = item.outcome else { return nil }
      return spec.objectives.map { $0.cost(of: metrics) }
    }
    let front = SweepResult.paretoFront(costs)
    rows = zip(outcomes, front).map { Row(point: $0.point, outcome: $0.outcome, isPareto: $1) }
  }

  /// Which costs no other dominates. Points without costs are never in the front; equal points are all in it.
  static func paretoFront(_ costs: [[Double]?]) -> [Bool] {
    // In lexicographic order a point can only be dominated by an earlier one, and then by one of the front.
    let order = costs.indices.filter { costs[$0] != nil }.sorted { a, b in
      guard let x = costs[a], let y = costs[b] else { return false }
      return x == y ? a < b : x.lexicographicallyPrecedes(y)
    }
    var isFront = [Bool](repeating: false, count: costs.count)
    var front: [[Double]] = []
    for index in order {
      guard let cost = costs[index] else { continue }
      let isDominated = front.contains { other in
        other != cost && zip(other, cost).allSatisfy { $0 <= $1 }
      }
      if isDominated { continue }
      isFront[index] = true
      if front.last != cost { front.append(cost) }
    }
    return isFront
  }

  /// The table: one line a point in the order of the spec, exact numbers, the Pareto set marked `yes`, infeasible points
  /// with their diagnostic.
  public func csv() -> String {
    var header = ["point"] + spec.keys
    header += [
      "status", "pareto", "cycles", "seconds", "energy_pj", "utilization", "macs", "peak_scratchpad_bytes",
      "offchip_bytes", "plan", "chip_hash", "code", "message",
    ]
    var text = CSV.line(header)
    for row in rows {
      var cells = ["\(row.point.index)"]
      cells += row.point.settings.map { String($0.drop { $0 != "=" }.dropFirst()) }
      switch row.outcome {
      case .done(let metrics):
        cells += [
          "ok", row.isPareto ? "yes" : "no", "\(metrics.cycles)", "\(metrics.seconds)", "\(metrics.energyPicojoules)",
          "\(metrics.utilization)", "\(metrics.macs)", "\(metrics.peakScratchpadBytes)", "\(metrics.offchipBytes)",
          metrics.plan, metrics.chipHash, "", "",
        ]
      case .infeasible(let code, let message):
        cells += ["infeasible", "no", "", "", "", "", "", "", "", "", "", code, message]
      }
      text += CSV.line(cells)
    }
    return text
  }
}
