import PantileReport
import PantileTensor

extension TrainingStudyResult {
  /// The tables for a terminal.
  public var text: String { boundsText + "\n" + chipText + "\n" + bindingText + "\n" + layersText + "\n" + sweepText }

  /// How far multiply-accumulates alone can take a step.
  private var boundsText: String {
    var columns: [(String, TextTable.Alignment)] = [("network", .left), ("FF GMAC", .right), ("step GMAC", .right)]
    for pattern in study.patterns {
      columns.append(("cut \(pattern)", .right))
      columns.append(("bound", .right))
    }
    var table = TextTable(columns)
    for network in study.networks {
      let all = study.patterns.map { TrainingMACs(network, pattern: $0) }
      guard let first = all.first else { continue }
      var cells = [
        network.name, Format.fixed(Double(first.forward) / 1e9, 4), Format.fixed(Double(first.step) / 1e9, 4),
      ]
      for macs in all { cells += [Format.percent(macs.cut), Format.fixed(macs.bound, 3)] }
      table.add(cells)
    }
    var limits = ["limit 3/(1+2N/M)", "", ""]
    for pattern in study.patterns { limits += ["", Format.fixed(TrainingMACs.limit(pattern), 3)] }
    table.add(limits)
    return "multiply-accumulates of a training step, a sample; first layer and classifier dense\n\n" + table.text
  }

  /// The study's chip.
  private var chipText: String {
    var columns: [(String, TextTable.Alignment)] = [
      ("network", .left), ("batch", .right), ("dense Mcycles", .right), ("outside", .right),
    ]
    for pattern in study.patterns {
      columns += [("\(pattern)", .right), ("of bound", .right), ("outside", .right)]
    }
    var table = TextTable(columns)
    for network in study.networks {
      guard let dense = row(network.name, nil) else { continue }
      var cells = [
        network.name, "\(network.batch)", Format.fixed(Double(dense.step.cycles) / 1e6, 1),
        Format.percent(dense.step.shareOutsideProducts),
      ]
      for pattern in study.patterns {
        guard let sparse = row(network.name, pattern), let speedup = speedup(network.name, pattern),
          let bound = bound(network.name, pattern)
        else { continue }
        cells += [
          Format.fixed(speedup, 3), Format.percent(speedup / bound), Format.percent(sparse.step.shareOutsideProducts),
        ]
      }
      table.add(cells)
    }
    let published = study.published
    let means = study.patterns.map { "\(Format.fixed(mean($0), 3)) at \($0)" }.joined(separator: ", ")
    return
      "\(study.chip): speed-up over dense weights; outside: cycles without products on the array\n\n" + table.text
      + "\nmean of \(published.networks.joined(separator: ", ")): \(means); published "
      + "\(Format.fixed(published.mean, 2)) at \(published.pattern)\n"
  }

  /// What the cycles of the published pattern wait for.
  private var bindingText: String {
    let pattern = study.published.pattern
    let kinds = StepTime.Binding.allCases
    var table = TextTable(
      [("network", .left), ("weights", .left)] + kinds.map { ($0.rawValue, TextTable.Alignment.right) })
    for network in study.networks {
      for pattern in [nil, pattern] {
        guard let row = row(network.name, pattern) else { continue }
        table.add(
          [network.name, pattern?.description ?? "dense"]
            + row.step.byBinding.map {
              $0.cycles == 0 ? "-" : Format.percent(Double($0.cycles) / Double(row.step.cycles))
            })
      }
    }
    return "share of the cycles by what binds their phase\n\n" + table.text
  }

  /// Phases of one kind of layers of one shape.
  private struct Gain {
    var phase: StepTime.Phase
    var count: Int
    var cycles: Int
    var denseCycles: Int
  }

  /// The phases that the published pattern hardly helps, those that take most of a step first.
  private var layersText: String {
    let pattern = study.published.pattern
    var table = TextTable([
      ("network", .left), ("layer", .left), ("phase", .left), ("binding", .left), ("of the step", .right),
      ("speed-up", .right),
    ])
    for network in study.networks where study.published.networks.contains(network.name) {
      guard let sparse = row(network.name, pattern), let dense = row(network.name, nil) else { continue }
      var gains: [Gain] = []
      for (phase, other) in zip(sparse.step.phases, dense.step.phases)
      where phase.kind != TrainingStep.Kind.update.rawValue && other.cycles * 2 < phase.cycles * 3 {
        let cycles = phase.cycles * phase.count
        // Layers of one shape are one line.
        if let index = gains.firstIndex(where: { $0.phase.layer == phase.layer && $0.phase.kind == phase.kind }) {
          gains[index].cycles += cycles
          gains[index].denseCycles += other.cycles * phase.count
          gains[index].count += phase.count
        } else {
          gains.append(
            Gain(phase: phase, count: phase.count, cycles: cycles, denseCycles: other.cycles * phase.count))
        }
      }
      // Of equal shares the earlier layer.
      let sorted = gains.enumerated().sorted { ($1.element.cycles, $0.offset) < ($0.element.cycles, $1.offset) }
      for (_, gain) in sorted.prefix(4) {
        table.add([
          network.name, gain.phase.layer + (gain.count > 1 ? " (\(gain.count)x)" : ""), gain.phase.kind,
          gain.phase.binding.rawValue, Format.percent(Double(gain.cycles) / Double(sparse.step.cycles)),
          Format.fixed(Double(gain.denseCycles) / Double(gain.cycles), 2),
        ])
      }
    }
    return "forward and backward phases that gain less than 1.5 at \(pattern), the longest of each network\n\n"
      + table.text
  }

  /// Least, median and most of the speed-ups at the published pattern among some points.
  private func spread(_ points: [SweepPoint]) -> [String] {
    let speedups = points.filter {
      $0.row.pattern == study.published.pattern && study.published.networks.contains($0.row.network)
    }.map(\.speedup).sorted()
    guard let least = speedups.first, let most = speedups.last else { return ["0", "-", "-", "-", "-"] }
    return [
      "\(speedups.count)", Format.fixed(least, 2), Format.fixed(speedups[speedups.count / 2], 2),
      Format.fixed(most, 2), "\(speedups.count { $0 < 1.1 })",
    ]
  }

  /// Where the published pattern pays and where it does not, over the machines of the sweep.
  private var sweepText: String {
    let pattern = study.published.pattern
    let points = sweepPoints
    let figures: [(String, TextTable.Alignment)] = [
      ("points", .right), ("least", .right), ("median", .right), ("most", .right), ("below 1.1", .right),
    ]
    var edges = TextTable([("dataflow", .left), ("edge", .right)] + figures)
    for dataflow in study.axes.dataflows {
      for port in study.axes.activationPorts {
        edges.add(
          [dataflow.rawValue, port == 0 ? "any" : "\(port)R"]
            + spread(points.filter { $0.row.point.dataflow == dataflow && $0.row.point.activationPort == port }))
      }
    }
    var sizes = TextTable([("array", .left)] + figures)
    for array in study.axes.arrays {
      sizes.add(
        ["\(array[0])x\(array[1])"]
          + spread(
            points.filter {
              $0.row.point.rows == array[0] && $0.row.point.columns == array[1] && $0.row.point.dataflow == .best
                && $0.row.point.activationPort == 0
            }))
    }
    var fronts = TextTable([
      ("network", .left), ("dense front", .right), ("\(pattern) front", .right), ("in both", .right),
      ("least energy x time, dense", .left), ("\(pattern)", .left),
    ])
    for network in study.networks where study.published.networks.contains(network.name) {
      let mine = points.filter { $0.row.network == network.name }
      func front(_ pattern: NMPattern?) -> [SweepPoint] { mine.filter { $0.row.pattern == pattern && $0.isPareto } }
      func best(_ pattern: NMPattern?) -> String {
        let product = { (item: SweepPoint) in Double(item.row.step.cycles) * item.row.energyPicojoules }
        return front(pattern).min { product($0) < product($1) }.map { Self.name($0.row.point) } ?? "-"
      }
      let dense = front(nil)
      let sparse = front(pattern)
      fronts.add([
        network.name, "\(dense.count)", "\(sparse.count)",
        "\(sparse.count { item in dense.contains { $0.row.point == item.row.point } })", best(nil), best(pattern),
      ])
    }
    return """
      speed-up at \(pattern) over \(study.axes.points.count) machines and \(study.published.networks.count) networks; edge: \
      activations a cycle, in multiples of the rows R

      \(edges.text)
      the faster dataflow, an edge without limit, by array

      \(sizes.text)
      Pareto sets of time, energy, multipliers and edge: machines

      \(fronts.text)
      """
  }

  /// A machine in a word: `32x32 best I4 L4 2R`.
  private static func name(_ point: TrainingStudy.Point) -> String {
    let port = point.activationPort == 0 ? "any" : "\(point.activationPort)R"
    return
      "\(point.rows)x\(point.columns) \(point.dataflow.rawValue) I\(point.interleave) L\(point.adderLatency) \(port)"
  }

  /// Speed-up of the published pattern over the width of the activation edge, a panel a network: the study's array size in each
  /// dataflow, and the bound.
  public var portPlot: String {
    let pattern = study.published.pattern
    guard let base = rows.first?.point else { return "" }
    let points = sweepPoints.filter {
      $0.row.pattern == pattern && $0.row.point.rows == base.rows && $0.row.point.columns == base.columns
        && $0.row.point.adderLatency == base.adderLatency
        && ($0.row.point.interleave == base.interleave || $0.row.point.dataflow == .weightStationary)
    }
    let ports = study.axes.activationPorts
    let panels = study.published.networks.map { network in
      var lines = study.axes.dataflows.map { dataflow in
        LinePanels.Line(
          name: dataflow.rawValue,
          values: ports.map { port in
            points.first {
              $0.row.network == network && $0.row.point.dataflow == dataflow && $0.row.point.activationPort == port
            }?.speedup
          })
      }
      lines.append(.init(name: "bound by MACs", values: ports.map { _ in bound(network, pattern) }))
      return LinePanels.Panel(title: network, lines: lines)
    }
    return LinePanels(
      panels: panels, xLabels: ports.map { $0 == 0 ? "any" : "\($0)R" }, xTitle: "activations a cycle",
      yTitle: "speed-up at \(pattern)", maximum: 2.2, step: 0.5, across: 3
    ).document
  }

  /// Energy over time of a sample, a panel a published network, a colour a pattern, the Pareto set joined.
  public var paretoPlot: String {
    let points = sweepPoints
    let panels = study.published.networks.map { network in
      let batch = Double(study.networks.first { $0.name == network }?.batch ?? 1)
      let groups = ([nil] + study.patterns).map { pattern in
        ScatterPanels.Group(
          name: pattern?.description ?? "dense",
          points: points.filter { $0.row.network == network && $0.row.pattern == pattern }.map {
            .init(x: Double($0.row.step.cycles) / 1e6 / batch, y: $0.row.energyPicojoules / 1e9 / batch)
          })
      }
      return ScatterPanels.Panel(title: network, groups: groups)
    }
    return ScatterPanels(panels: panels, xTitle: "Mcycles a sample", yTitle: "mJ a sample", across: 3).document
  }
}
