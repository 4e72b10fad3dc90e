import PantilePasses
import PantileReport
import PantileSupport

extension ScaleStudy {
  /// For a terminal: layers with their factors and errors, forms of the network side by side.
  ///
  /// - Parameter labels: how many were given.
  public func text(model: String, weights: String, labels: Int?) -> String {
    var text = "\(model), weights \(weights): \(report.scaledCount) of \(report.layers.count) layers scaled, "
    text += "\(report.sampleCount) \(report.isSynthetic ? "made-up calibration inputs" : "calibration inputs"), "
    text += "exponents 0 to 1 in \(options.grid) steps\(options.powerOfTwo ? ", factors powers of two" : "")\n\n"
    var table = TextTable([
      ("layer", .left), ("divided", .left), ("exponent", .right), ("factors", .right), ("SQNR", .right),
      ("scaled", .right), ("MSE", .right), ("scaled", .right),
    ])
    for layer in report.layers {
      let isKept = layer.origin == nil
      table.add([
        layer.name, layer.origin ?? "-", isKept ? "-" : Format.fixed(layer.alpha, 3),
        isKept ? "-" : "\(Format.fixed(layer.scales.lowerBound, 2)) to \(Format.fixed(layer.scales.upperBound, 2))",
        Self.decibels(layer.before.decibels), isKept ? "-" : Self.decibels(layer.after.decibels),
        WidthStudy.short(layer.before.meanSquaredError),
        isKept ? "-" : WidthStudy.short(layer.after.meanSquaredError),
      ])
    }
    text += table.text
    for layer in report.layers {
      if let reason = layer.reason { text += "\(layer.name) keeps its weights: \(reason)\n" }
    }
    var forms = TextTable(
      [("network", .left), ("error (\(error.rawValue))", .right), ("SQNR", .right)]
        + (labels == nil ? [] : [("accuracy", .right)]))
    for variant in variants {
      forms.add(
        [variant.form.rawValue, WidthStudy.short(variant.error), Self.decibels(variant.decibels)]
          + (labels.map { count in
            [variant.correct.map { Format.percent(Double($0) / Double(max(1, count))) } ?? "-"]
          } ?? []))
    }
    return text + "\n" + forms.text
  }

  private static func decibels(_ value: Double) -> String {
    value.isFinite ? Format.fixed(value, 1) + " dB" : "exact"
  }

  /// `pantile.awq/1`.
  public func json(version: String, model: String, modelHash: String, weights: String) -> OrderedJSON {
    func distortion(_ value: ScaleReport.Distortion) -> OrderedJSON {
      .object([
        .init("mse", .number(value.meanSquaredError)), .init("power", .number(value.power)),
        .init("sqnr_db", .number(value.decibels)),
      ])
    }
    return .object([
      .init("schema", .string("pantile.awq/1")), .init("version", .string(version)), .init("model", .string(model)),
      .init("model_hash", .string(modelHash)), .init("weights", .string(weights)),
      .init("grid", .integer(options.grid)), .init("power_of_two", .bool(options.powerOfTwo)),
      .init("samples", .integer(report.sampleCount)), .init("synthetic_calibration", .bool(report.isSynthetic)),
      .init("error", .string(error.rawValue)),
      .init(
        "layers",
        .list(
          report.layers.map { layer in
            .object([
              .init("name", .string(layer.name)), .init("kind", .string(layer.kind)),
              .init("divided", layer.origin.map { .string($0) } ?? .null), .init("alpha", .number(layer.alpha)),
              .init("least_factor", .number(layer.scales.lowerBound)),
              .init("greatest_factor", .number(layer.scales.upperBound)),
              .init("plain", distortion(layer.before)), .init("scaled", distortion(layer.after)),
              .init("reason", layer.reason.map { .string($0) } ?? .null),
            ])
          })),
      .init(
        "networks",
        .list(
          variants.map { variant in
            .object([
              .init("form", .string(variant.form.rawValue)), .init("error", .number(variant.error)),
              .init("sqnr_db", .number(variant.decibels)), .init("correct", .optional(variant.correct)),
            ])
          })),
    ])
  }
}
