import Foundation
import PantileConfig
import PantileEngines
import PantileReport
import PantileSupport

/// A headline figure of the paper: one accelerator over another.
public struct BitMoDFigure: Hashable, Sendable {
  public enum Quantity: String, CaseIterable, Sendable {
    /// Cycles over cycles, a mean over the models.
    case speedup
    /// Energies over energies, both means over the models in units of the baseline's.
    case efficiency
  }

  public enum Run: String, CaseIterable, Sendable {
    /// A prefill.
    case discriminative
    /// A prefill and the decode steps.
    case generative
    /// The mean of both.
    case mean
  }

  public var accelerator: String
  public var over: String
  /// What energies are normalised by.
  public var baseline: String
  public var quantity: Quantity
  public var run: Run
  /// As printed in the paper. Ratios are plain numbers.
  public var published: Double
  /// How far a value may be from it.
  public var tolerance: Double

  /// `BitMoD-LY over ANT-LY, speedup, mean`.
  public var name: String { "\(accelerator) over \(over), \(quantity.rawValue), \(run.rawValue)" }

  /// Its value from rows of one context.
  ///
  /// - Returns: nil when the rows lack an accelerator, a task or an energy.
  public func value(
    _ rows: [BitMoDStudy.Row], decodeSteps: Int, without fixed: Set<BitMoDAssumption> = []
  ) -> Double? {
    switch run {
    case .discriminative: value(rows, decodeSteps: 0, fixed)
    case .generative: value(rows, decodeSteps: decodeSteps, fixed)
    case .mean:
      if let short = value(rows, decodeSteps: 0, fixed), let long = value(rows, decodeSteps: decodeSteps, fixed) {
        (short + long) / 2
      } else {
        nil
      }
    }
  }

  private func value(_ rows: [BitMoDStudy.Row], decodeSteps: Int, _ fixed: Set<BitMoDAssumption>) -> Double? {
    func cost(_ name: String, _ model: String) -> Double? {
      func of(_ task: BitMoDTask) -> Double? {
        guard let row = rows.first(where: { $0.configuration == name && $0.model == model && $0.task == task }) else {
          return nil
        }
        switch quantity {
        case .speedup: return Double(row.counts.totalCycles.count)
        case .efficiency: return row.energy?.total.value
        }
      }
      guard let prefill = of(.prefill) else { return nil }
      guard decodeSteps > 0 else { return prefill }
      return of(.generate).map { prefill + Double(decodeSteps) * $0 }
    }
    func mean(of a: String, over b: String, models: [String]) -> Double? {
      var ratios: [Double] = []
      for model in models {
        guard let above = cost(a, model), let below = cost(b, model), below > 0 else { return nil }
        ratios.append(above / below)
      }
      guard !ratios.isEmpty else { return nil }
      guard fixed.contains(.e) else { return ratios.reduce(0, +) / Double(ratios.count) }
      return exp(ratios.map { log($0) }.reduce(0, +) / Double(ratios.count))
    }
    var models: [String] = []
    for row in rows where !models.contains(row.model) { models.append(row.model) }
    switch quantity {
    case .speedup: return mean(of: over, over: accelerator, models: models)
    case .efficiency:
      guard let above = mean(of: over, over: baseline, models: models),
        let below = mean(of: accelerator, over: baseline, models: models), below > 0
      else { return nil }
      return above / below
    }
  }
}

extension BitMoDFigure {
  /// The paper's figures, from the repository's data.
  /// - Throws: `missing-root`, and everything wrong in the file.
  public static func published(root: String?) throws(DiagnosticError) -> [BitMoDFigure] {
    let issues = Issues()
    let node = try ConfigDocument.read(BitMoDStudy.path("figures.yaml", root: root))
    guard let map = ConfigMapping(node, "figures", issues) else {
      try issues.check()
      return []
    }
    let baseline = map.required("baseline")?.text("baseline", issues) ?? ""
    let figures = (map.required("figures")?.list("figures", issues) ?? []).compactMap { node in
      figure(node, baseline: baseline, issues)
    }
    map.finish()
    try issues.check()
    return figures
  }

  private static func figure(_ node: ConfigNode, baseline: String, _ issues: Issues) -> BitMoDFigure? {
    guard let map = ConfigMapping(node, "a figure", issues) else { return nil }
    let accelerator = map.required("of")?.text("of", issues)
    let over = map.required("over")?.text("over", issues)
    let quantity = map.required("quantity")?.choice("quantity", among: Quantity.allCases.map(\.rawValue), issues)
    let run = map.required("run")?.choice("run", among: Run.allCases.map(\.rawValue), issues)
    let published = map.required("published")?.real("published", in: 0...1e6, issues)
    let tolerance = map.required("tolerance")?.real("tolerance", in: 0...1e6, issues)
    map.finish()
    guard let accelerator, let over, let quantity = quantity.flatMap(Quantity.init),
      let run = run.flatMap(Run.init), let published, let tolerance
    else { return nil }
    return BitMoDFigure(
      accelerator: accelerator, over: over, baseline: baseline, quantity: quantity, run: run, published: published,
      tolerance: tolerance)
  }
}
