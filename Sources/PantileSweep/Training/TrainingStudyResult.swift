import PantileReport
import PantileTensor

/// The figures of a study: of its chip, and of every machine of its sweep.
public struct TrainingStudyResult: Sendable {
  public var study: TrainingStudy
  public var rows: [TrainingStudy.Row]
  /// In the order of the sweep: machine, network, pattern with dense first.
  public var sweep: [TrainingStudy.Row]

  public init(_ study: TrainingStudy, rows: [TrainingStudy.Row], sweep: [TrainingStudy.Row]) {
    self.study = study
    self.rows = rows
    self.sweep = sweep
  }

  /// A network on the study's chip; nil is dense.
  func row(_ network: String, _ pattern: NMPattern?) -> TrainingStudy.Row? {
    rows.first { $0.network == network && $0.pattern == pattern }
  }

  /// How many times as fast as dense weights on the study's chip.
  public func speedup(_ network: String, _ pattern: NMPattern) -> Double? {
    guard let dense = row(network, nil), let sparse = row(network, pattern) else { return nil }
    return Double(dense.step.cycles) / Double(sparse.step.cycles)
  }

  /// Mean speed-up over the networks of the published figure.
  public func mean(_ pattern: NMPattern) -> Double {
    let all = study.published.networks.compactMap { speedup($0, pattern) }
    return all.isEmpty ? 0 : all.reduce(0, +) / Double(all.count)
  }

  /// The bound of a network, by multiply-accumulates alone.
  public func bound(_ network: String, _ pattern: NMPattern) -> Double? {
    study.networks.first { $0.name == network }.map { TrainingMACs($0, pattern: pattern).bound }
  }

  /// One machine of the sweep with one network and pattern, beside its own dense step.
  struct SweepPoint {
    var row: TrainingStudy.Row
    var denseCycles: Int
    var isPareto = false

    var speedup: Double { Double(denseCycles) / Double(row.step.cycles) }
  }

  /// The sweep with its fronts: of each network and pattern, over time and energy of a sample, multipliers and width of the activation
  /// edge. A pattern is a choice of the training, not of the machine.
  var sweepPoints: [SweepPoint] {
    var points: [SweepPoint] = []
    var dense = 0
    for row in sweep {
      if row.pattern == nil { dense = row.step.cycles }
      points.append(SweepPoint(row: row, denseCycles: dense))
    }
    // An edge without limit takes what the sparsest pattern asks for.
    let widest = study.patterns.map { ($0.group + $0.kept - 1) / $0.kept }.max() ?? 1
    for (network, pattern) in study.networks.flatMap({ network in ([nil] + study.patterns).map { (network.name, $0) } })
    {
      let members = points.indices.filter { points[$0].row.network == network && points[$0].row.pattern == pattern }
      let front = SweepResult.paretoFront(
        members.map { index in
          let row = points[index].row
          let port = row.point.activationPort > 0 ? row.point.activationPort : widest
          return [
            Double(row.step.cycles), row.energyPicojoules, Double(row.point.rows * row.point.columns),
            Double(row.point.rows * port),
          ]
        })
      for (index, isPareto) in zip(members, front) { points[index].isPareto = isPareto }
    }
    return points
  }

  // MARK: Files

  private static let sweepHeader =
    "network,batch,pattern,rows,columns,interleave,adder_latency,activation_port,dataflow,cycles,cycles_per_sample,"
    + "speedup,bound,energy_uj_per_sample,share_outside_products,binding,pareto\n"

  /// Every machine, network and pattern of the sweep.
  public var csv: String {
    TrainingStudyResult.sweepHeader
      + sweepPoints.map { item in
        let (row, point) = (item.row, item.row.point)
        let batch = study.networks.first { $0.name == row.network }?.batch ?? 1
        let bound = row.pattern.flatMap { self.bound(row.network, $0) } ?? 1
        let binding = row.step.byBinding.max { $0.cycles < $1.cycles }?.binding
        return [
          row.network, "\(batch)", row.pattern?.description ?? "dense", "\(point.rows)", "\(point.columns)",
          "\(point.interleave)", "\(point.adderLatency)",
          point.activationPort > 0 ? "\(point.activationPort * point.rows)" : "", point.dataflow.rawValue,
          "\(row.step.cycles)", Format.fixed(Double(row.step.cycles) / Double(batch), 0), Format.fixed(item.speedup, 4),
          Format.fixed(bound, 4), Format.fixed(row.energyPicojoules / 1e6 / Double(batch), 2),
          Format.fixed(row.step.shareOutsideProducts, 4), binding?.rawValue ?? "", item.isPareto ? "yes" : "",
        ].joined(separator: ",") + "\n"
      }.joined()
  }

  private static let layerHeader =
    "network,pattern,layer,count,phase,dataflow,cycles,array_cycles,macs,binding,dense_cycles,speedup\n"

  /// Every phase of every layer on the study's chip.
  public var layers: String {
    var text = TrainingStudyResult.layerHeader
    for row in rows {
      guard let dense = self.row(row.network, nil) else { continue }
      for (phase, other) in zip(row.step.phases, dense.step.phases) {
        text +=
          [
            row.network, row.pattern?.description ?? "dense", phase.layer, "\(phase.count)", phase.kind,
            phase.dataflow, "\(phase.cycles)", "\(phase.arrayCycles)", "\(phase.macs)", phase.binding.rawValue,
            "\(other.cycles)", Format.fixed(Double(other.cycles) / Double(phase.cycles), 3),
          ].joined(separator: ",") + "\n"
      }
    }
    return text
  }

  public var json: OrderedJSON {
    .object([
      .init("schema", .string("pantile.training-study/1")),
      .init("chip", .string(study.chip)),
      .init(
        "macs",
        .list(
          study.networks.flatMap { network in
            study.patterns.map { pattern in
              let macs = TrainingMACs(network, pattern: pattern)
              return .object([
                .init("network", .string(network.name)), .init("pattern", .string("\(pattern)")),
                .init("forward_macs", .integer(macs.forward)), .init("step_macs", .integer(macs.step)),
                .init("kept_macs", .integer(macs.kept)), .init("cut", .number(macs.cut)),
                .init("bound", .number(macs.bound)), .init("limit", .number(TrainingMACs.limit(pattern))),
              ])
            }
          })),
      .init(
        "steps",
        .list(
          rows.map { row in
            let macs = row.pattern.map { pattern in bound(row.network, pattern) ?? 1 }
            return .object([
              .init("network", .string(row.network)),
              .init("batch", .integer(study.networks.first { $0.name == row.network }?.batch ?? 1)),
              .init("pattern", row.pattern.map { .string("\($0)") } ?? .null),
              .init("cycles", .integer(row.step.cycles)), .init("array_cycles", .integer(row.step.arrayCycles)),
              .init("macs", .integer(row.step.macs)),
              .init("share_outside_products", .number(row.step.shareOutsideProducts)),
              .init("speedup", row.pattern.flatMap { speedup(row.network, $0) }.map { .number($0) } ?? .null),
              .init("bound", macs.map { .number($0) } ?? .null),
              .init("energy_pj", .number(row.energyPicojoules)),
              .init(
                "cycles_by_binding",
                .object(row.step.byBinding.map { .init($0.binding.rawValue, .integer($0.cycles)) })),
            ])
          })),
      .init(
        "mean_speedup",
        .object(study.patterns.map { .init("\($0)", .number(mean($0))) })),
      .init(
        "published",
        .object([
          .init("pattern", .string("\(study.published.pattern)")), .init("mean", .number(study.published.mean)),
        ])),
    ])
  }
}
