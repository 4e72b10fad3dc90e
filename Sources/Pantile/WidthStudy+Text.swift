import PantilePlan
import PantileProblem
import PantileReport
import PantileSupport

extension WidthStudy {
  /// For a terminal: errors and cycles of layers, the assignment with its bound, the variants side by side.
  ///
  /// - Parameter labels: how many were given.
  public func text(model: String, chip: String, labels: Int?) -> String {
    var text = "\(model) on \(chip): \(layers.count) layers with weights, \(samples) "
    text += isSynthetic ? "made-up calibration inputs\n\n" : "calibration inputs\n\n"
    text += "error (\(options.error.rawValue)) with one layer at a width, the others at \(WidthStudy.baseBits) bits\n"
    text += widthTable { layer, width in WidthStudy.short(errors[layer][width]) }.text
    text += "\ncycles with all layers at a width\n"
    text += widthTable { layer, width in Format.grouped(problem.layers[layer].choices[width].cycles) }.text
    text += "\n" + assignmentText + "\n"
    if let assigned { text += assignedTable(assigned).text + "\n" }
    text += variantTable(labels: labels).text
    if let floatCorrect, let labels, labels > 0 {
      text += "float accuracy \(Format.percent(Double(floatCorrect) / Double(labels)))\n"
    }
    if assigned != nil {
      let bits = layerBits.map(\.optionText)
      text += "\nuse  \(bits.map { "--layer-bits \($0)" }.joined(separator: " "))\n"
      text += "     quantize{layer-bits=\(bits.joined(separator: ","))}\n"
    }
    return text
  }

  private func widthTable(_ cell: (_ layer: Int, _ width: Int) -> String) -> TextTable {
    var table = TextTable([("layer", .left)] + options.widths.map { ("\($0) bits", .right) })
    for layer in layers.indices { table.add([layers[layer].name] + options.widths.indices.map { cell(layer, $0) }) }
    return table
  }

  private func assignedTable(_ assigned: Variant) -> TextTable {
    var table = TextTable([
      ("layer", .left), ("bits", .right), ("size", .right), ("error", .right), ("cycles", .right), ("compiled", .right),
    ])
    for (layer, choice) in (taken?.assignment.choices ?? []).enumerated() {
      let chosen = problem.layers[layer].choices[choice]
      table.add([
        layers[layer].name, "\(chosen.bits)", Format.bytes((chosen.storedBits + 7) / 8),
        WidthStudy.short(errors[layer][choice]), Format.grouped(chosen.cycles),
        Format.grouped(assigned.layerCycles[layer]),
      ])
    }
    return table
  }

  private var assignmentText: String {
    func limit(_ text: String?) -> String { text.map { " of \($0) allowed" } ?? ", no limit" }
    guard let assignment = outcome.assignment else {
      guard let shortfall = outcome.shortfall else { return "status   \(outcome.status)\n" }
      let text: (Int) -> String = { value in
        shortfall.limit == .storedBits
          ? "\(Format.grouped((value + 7) / 8)) bytes" : "\(Format.grouped(value)) cycles"
      }
      return """
        status   infeasible
        limits   \(text(shortfall.least)) at least\(shortfall.isJoint ? " within the size" : ""), \
        \(text(shortfall.allowed)) allowed: \(text(shortfall.excess)) too few

        """
    }
    func error(_ cost: Int) -> String { WidthStudy.short(Double(cost) / Double(WidthStudy.costScale)) }
    var text = "status   \(statusName): summed error \(error(assignment.cost)), no less than "
    text += "\(error(assignment.lowerBound)), gap \(assignment.cost - assignment.lowerBound) billionths\n"
    guard let taken, let assigned, let first = candidates.first else { return text }
    text += "measured \(candidates.count) assignments: number \(taken.number) taken, summed error "
    text += "\(error(taken.assignment.cost)), error to float \(WidthStudy.short(taken.error))"
    text += taken.number == 1 ? "\n" : " (number 1: \(WidthStudy.short(first.error)))\n"
    text += "size     \(Format.grouped((taken.assignment.storedBits + 7) / 8)) bytes of weights"
    text += limit(options.sizeLimit.map { Format.grouped($0) }) + "\n"
    text += "latency  \(Format.grouped(assigned.cycles)) cycles compiled"
    text += limit(options.cycleLimit.map { Format.grouped($0) })
    text += ", \(Format.grouped(taken.assignment.cycles)) summed over layers\n"
    if let most = options.cycleLimit, assigned.cycles > most {
      text += "         above the limit, as all that were measured: the sum is a model of the compilation\n"
    }
    return text
  }

  private func variantTable(labels: Int?) -> TextTable {
    var table = TextTable(
      [("weights", .left), ("size", .right), ("summed cycles", .right), ("cycles", .right), ("error to float", .right)]
        + (labels == nil ? [] : [("accuracy", .right)]))
    func add(_ name: String, _ variant: Variant, summed: Int) {
      table.add(
        [
          name, Format.bytes((variant.storedBits + 7) / 8), Format.grouped(summed), Format.grouped(variant.cycles),
          WidthStudy.short(variant.error),
        ]
          + (labels.map { count in
            [variant.correct.map { Format.percent(Double($0) / Double(max(1, count))) } ?? "-"]
          } ?? []))
    }
    for variant in uniform.reversed() {
      add("\(variant.bits.first ?? 0) bits", variant, summed: variant.layerCycles.reduce(0, +))
    }
    if let assigned, let taken { add("assigned", assigned, summed: taken.assignment.cycles) }
    return table
  }

  /// Three significant digits: `0.0123`, `1.2e-05`.
  static func short(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    var exponent = 0
    var mantissa = value
    while mantissa.magnitude >= 9.995 {
      mantissa /= 10
      exponent += 1
    }
    while mantissa.magnitude < 0.9995 {
      mantissa *= 10
      exponent -= 1
    }
    if exponent < -4 || exponent > 5 { return Format.fixed(mantissa, 2) + "e\(exponent)" }
    return Format.fixed(value, max(0, 2 - exponent))
  }
}
