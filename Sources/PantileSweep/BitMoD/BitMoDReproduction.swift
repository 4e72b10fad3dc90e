import PantileEngines
import PantileReport
import PantileSupport

/// A study under the published model and with its assumptions put right.
public struct BitMoDReproduction: Sendable {
  /// What putting some assumptions right does to the figures.
  public struct Effect: Sendable {
    /// Empty for the published model.
    public var fixed: [BitMoDAssumption]
    /// In the order of `figures`; nil where a figure cannot be told.
    public var values: [Double?]

    /// `published`, `A1`, `A1+A2+B`, `all`.
    public var name: String {
      if fixed.isEmpty { return "published" }
      return fixed.count == BitMoDAssumption.allCases.count ? "all" : fixed.map(\.rawValue).joined(separator: "+")
    }
  }

  /// Assumptions about attention alone, whose corrections belong together.
  public static let attention: [BitMoDAssumption] = [.a1, .a2, .b]

  public var rows: [BitMoDStudy.Row]
  /// The same rows with attention put right.
  public var attentionRows: [BitMoDStudy.Row]
  /// The same rows with everything put right.
  public var correctedRows: [BitMoDStudy.Row]
  public var figures: [BitMoDFigure]
  /// The published model, each assumption alone, attention's together, attention's with equal areas, all. Empty without
  /// figures.
  public var effects: [Effect]
  /// Nil where there are no published figures.
  public var agreement: BitMoDPublished.Agreement?

  /// - Parameters:
  ///   - figures: what is compared; none for models of one's own.
  ///   - published: what is to be met; nil for models of one's own.
  /// - Throws: `out-of-range`.
  public init(
    _ study: BitMoDStudy, in surroundings: BitMoDStudy.Surroundings, figures: [BitMoDFigure] = [],
    published: BitMoDPublished? = nil
  ) throws(DiagnosticError) {
    rows = try study.rows(in: surroundings)
    attentionRows = try study.rows(in: surroundings, without: Set(BitMoDReproduction.attention))
    correctedRows = try study.rows(in: surroundings, without: Set(BitMoDAssumption.allCases))
    self.figures = figures
    effects = []
    agreement = published?.agreement(with: rows)
    guard !figures.isEmpty else { return }
    let all = BitMoDAssumption.allCases
    let sets =
      [[]] + all.map { [$0] } + [BitMoDReproduction.attention, BitMoDReproduction.attention + [.c], all]
    for fixed in sets {
      let rows = try study.rows(in: surroundings, without: Set(fixed))
      let values = figures.map {
        $0.value(rows, decodeSteps: surroundings.decodeSteps, without: Set(fixed))
      }
      effects.append(Effect(fixed: fixed, values: values))
    }
  }

  /// Figures of the published model outside their tolerance.
  public var missedFigures: [BitMoDFigure] {
    guard let values = effects.first?.values else { return [] }
    return zip(figures, values).filter { figure, value in
      guard let value else { return true }
      return abs(value - figure.published) > figure.tolerance
    }.map(\.0)
  }

  /// Whether everything published is met.
  public var agrees: Bool { (agreement?.isComplete ?? true) && missedFigures.isEmpty }
}
