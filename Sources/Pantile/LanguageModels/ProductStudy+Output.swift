import PantileEngines
import PantileReport
import PantileSupport
import PantileSweep

extension ProductStudy {
  /// Sums of a model's task on a machine.
  public struct Total: Hashable, Sendable {
    public var model: String
    public var task: BitMoDTask
    public var context: Int
    public var machine: String
    public var cycles = 0
    public var attentionCycles = 0
    public var seconds = 0.0
    public var macs = 0
    public var offchipBytes = 0
    public var picojoules = 0.0
  }

  /// One a model, task, context and machine, in the order of the rows.
  public static func totals(_ rows: [Row]) -> [Total] {
    var totals: [Total] = []
    for row in rows {
      let isSame = totals.last.map {
        ($0.model, $0.task, $0.context, $0.machine) == (row.model, row.task, row.context, row.machine)
      }
      if isSame != true {
        totals.append(Total(model: row.model, task: row.task, context: row.context, machine: row.machine))
      }
      let (last, count) = (totals.count - 1, row.product.count)
      totals[last].cycles += row.metrics.cycles * count
      if row.product.isComputed { totals[last].attentionCycles += row.metrics.cycles * count }
      totals[last].seconds += row.metrics.seconds * Double(count)
      totals[last].macs += row.product.macs
      totals[last].offchipBytes += row.metrics.offchipBytes * count
      totals[last].picojoules += row.metrics.energyPicojoules * Double(count)
    }
    return totals
  }

  /// Sums of models; with `products`, each product too.
  public func text(_ rows: [Row], products: Bool) -> String {
    var text = ""
    var current = ""
    var table = Self.totalTable
    let totals = Self.totals(rows)
    for total in totals {
      let title = "\(total.model), \(total.task.rawValue), context \(total.context)"
      if title != current {
        if !current.isEmpty { text += "\(current)\n\(table.text)\n" }
        (current, table) = (title, Self.totalTable)
      }
      let first = totals.first { ($0.model, $0.task, $0.context) == (total.model, total.task, total.context) }
      table.add([
        total.machine, Format.count(total.cycles), Format.time(seconds: total.seconds),
        Format.fixed((first?.seconds ?? 0) / total.seconds, 2),
        Format.percent(Double(total.attentionCycles) / Double(max(1, total.cycles))),
        Format.bytes(total.offchipBytes), Format.energy(picojoules: total.picojoules),
      ])
    }
    if !current.isEmpty { text += "\(current)\n\(table.text)" }
    guard products else { return text }
    var list = TextTable([
      ("model", .left), ("task", .left), ("machine", .left), ("product", .left), ("m", .right), ("k", .right),
      ("n", .right), ("count", .right), ("cycles", .right), ("used", .right),
    ])
    for row in rows {
      let product = row.product
      list.add([
        row.model, row.task.rawValue, row.machine, product.name, "\(product.m)", "\(product.k)", "\(product.n)",
        "\(product.count)", Format.grouped(row.metrics.cycles), Format.percent(row.metrics.utilization),
      ])
    }
    return text + "\n" + list.text
  }

  private static var totalTable: TextTable {
    TextTable([
      ("machine", .left), ("cycles", .right), ("time", .right), ("speed-up", .right), ("attention", .right),
      ("off chip", .right), ("energy", .right),
    ])
  }

  /// All products, one a line.
  public static func csv(_ rows: [Row]) -> String {
    var text =
      "model,task,context,machine,product,m,k,n,count,cycles,seconds,utilization,offchip_bytes,energy_pj,plan\n"
    for row in rows {
      let (product, metrics) = (row.product, row.metrics)
      text += "\(row.model),\(row.task.rawValue),\(row.context),\(row.machine),\(product.name),\(product.m),"
      text += "\(product.k),\(product.n),\(product.count),\(metrics.cycles),\(metrics.seconds),\(metrics.utilization),"
      text += "\(metrics.offchipBytes),\(metrics.energyPicojoules),\(metrics.plan)\n"
    }
    return text
  }

  /// `pantile.llm/1`: sums and products.
  public func json(_ rows: [Row], version: String) -> OrderedJSON {
    .object([
      .init("schema", .string("pantile.llm/1")), .init("version", .string(version)),
      .init(
        "machines",
        .list(
          machines.map {
            .object([
              .init("name", .string($0.name)), .init("chip", .string($0.chip)), .init("weights", .string($0.weights)),
              .init("set", .list($0.settings.map { .string($0) })),
              .init("computed_set", .list($0.computedSettings.map { .string($0) })),
            ])
          })),
      .init(
        "totals",
        .list(
          Self.totals(rows).map { total in
            .object([
              .init("model", .string(total.model)), .init("task", .string(total.task.rawValue)),
              .init("context", .integer(total.context)), .init("machine", .string(total.machine)),
              .init("cycles", .integer(total.cycles)), .init("attention_cycles", .integer(total.attentionCycles)),
              .init("seconds", .number(total.seconds)), .init("macs", .integer(total.macs)),
              .init("offchip_bytes", .integer(total.offchipBytes)), .init("energy_pj", .number(total.picojoules)),
            ])
          })),
      .init(
        "products",
        .list(
          rows.map { row in
            .object([
              .init("model", .string(row.model)), .init("task", .string(row.task.rawValue)),
              .init("context", .integer(row.context)), .init("machine", .string(row.machine)),
              .init("product", .string(row.product.name)), .init("m", .integer(row.product.m)),
              .init("k", .integer(row.product.k)), .init("n", .integer(row.product.n)),
              .init("count", .integer(row.product.count)), .init("cycles", .integer(row.metrics.cycles)),
              .init("utilization", .number(row.metrics.utilization)),
              .init("offchip_bytes", .integer(row.metrics.offchipBytes)),
              .init("energy_pj", .number(row.metrics.energyPicojoules)), .init("plan", .string(row.metrics.plan)),
            ])
          })),
    ])
  }
}
