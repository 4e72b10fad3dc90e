import PantileSupport

extension TimingModel {
  /// Pantile's own: the closed form of the systolic array, equal to its register-transfer model.
  public static let native = TimingModel(
    name: "native", summary: "the closed form of the described array, equal to its register-transfer model",
    source: "Sources/PantileEngines/Systolic",
    evidence: "equal to the stepper on random shapes (SystolicTests); an RTL twin agreed on twelve shapes",
    evaluate: { question throws(DiagnosticError) in
      var texts = [("rows", "\(question.rows)"), ("columns", "\(question.columns)")]
      if let dataflow = question.dataflow { texts.append(("dataflow", dataflow.rawValue)) }
      if let variant = question.variant { texts.append(("variant", variant)) }
      if question.bandwidth != nil {
        throw DiagnosticError("not-modelled", "a bare array has ideal memory, a bandwidth is given")
      }
      let engine = try ArrayFamily.systolic.make(ArrayFamily.systolic.section(texts))
      return try GemmRun.run(engine, GemmRun.Options(m: question.m, k: question.k, n: question.n)).cycles
    })
}

/// Cycles of a product on our own array, one fold after another: what the figures of other tools are held against.
///
/// **Accuracy** exact for the stated array.
public enum NativeSerialTiming {
  /// **Precondition** The question has no problems.
  public static func cycles(_ question: TimingModel.Question, dataflow: TimingModel.Dataflow) -> Int {
    let (m, k, n) = (question.m, question.k, question.n)
    func duration(_ stationary: SystolicOptions.Dataflow, _ extents: TileExtents) -> Int {
      SystolicTiming.timing(
        SystolicOptions(rows: question.rows, columns: question.columns, dataflow: stationary, variant: .serial), extents
      ).duration
    }
    switch dataflow {
    case .weightStationary: return duration(.weightStationary, TileExtents(m: m, k: k, n: n))
    case .outputStationary: return duration(.outputStationary, TileExtents(m: m, k: k, n: n))
    // Inputs that stay are weights that stay of the transposed product.
    case .inputStationary: return duration(.weightStationary, TileExtents(m: n, k: k, n: m))
    }
  }
}
