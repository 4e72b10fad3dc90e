/// The part of the reference page that describes memory files.
extension ChipReference {
  /// The keys at the top of a memory file.
  public static let memoryKeys: [Key] = [
    Key(name: "name", value: "name", isRequired: true, summary: "how reports call the memory"),
    Key(name: "summary", value: "text", isRequired: false, summary: "one line about the memory"),
    Key(name: "source", value: "text", isRequired: true, summary: "where the figures are from"),
    Key(name: "clock_period", value: "time", isRequired: true, summary: "of the memory clock, `0.83 ns`"),
    Key(name: "organization", value: "mapping", isRequired: true, summary: "channels, banks, rows, see below"),
    Key(
      name: "address_map", value: "text", isRequired: true,
      summary: "`ro ch ra ba bg co` (row, channel, rank, bank, group, column) in any order, most significant first: "
        + "`rochrababgco`"),
    Key(name: "timing", value: "mapping", isRequired: true, summary: "shortest distances, see below"),
    Key(name: "power", value: "mapping", isRequired: true, summary: "voltage and currents, see below"),
    Key(name: "controller", value: "mapping", isRequired: true, summary: "queues and policies, see below"),
  ]

  /// The keys under `organization`; all counts are powers of two.
  public static let organizationKeys: [Key] = [
    Key(name: "channels", value: "1 ... 1024", isRequired: true, summary: "each with its own command and data bus"),
    Key(name: "ranks", value: "1 ... 64", isRequired: true, summary: "of a channel"),
    Key(name: "bank_groups", value: "1 ... 64", isRequired: true, summary: "of a rank; 1 where there are none"),
    Key(name: "banks_per_group", value: "1 ... 64", isRequired: true, summary: "at most 1024 banks in a channel"),
    Key(name: "rows", value: "1 ... 2^24", isRequired: true, summary: "of a bank"),
    Key(
      name: "columns", value: "1 ... 2^20", isRequired: true,
      summary: "beats of the bus in a row; an HBM column address stands for two"),
    Key(name: "device_width", value: "1 ... 4096", isRequired: true, summary: "data bits of one device"),
    Key(name: "bus_width", value: "8 ... 4096", isRequired: true, summary: "data bits of a channel"),
    Key(name: "burst_length", value: "1 ... 1024", isRequired: true, summary: "beats of one access"),
    Key(name: "beats_per_clock", value: "1 ... 64", isRequired: true, summary: "2 for double data rate"),
    Key(
      name: "command_bus", value: "`shared`, `split`", isRequired: true,
      summary: "one command a clock, or one row and one column command (HBM)"),
  ]

  /// The keys under `power`.
  public static let powerKeys: [Key] = [
    Key(name: "VDD", value: "V", isRequired: true, summary: "core supply"),
    Key(
      name: "IDD0", value: "mA", isRequired: true, summary: "of one device: a bank activated and precharged each tRC"),
    Key(name: "IDD2N", value: "mA", isRequired: true, summary: "standby, all banks precharged"),
    Key(name: "IDD3N", value: "mA", isRequired: true, summary: "standby, a row open"),
    Key(name: "IDD4W", value: "mA", isRequired: true, summary: "writing without pause"),
    Key(name: "IDD4R", value: "mA", isRequired: true, summary: "reading without pause"),
    Key(name: "IDD5AB", value: "mA", isRequired: true, summary: "refreshing without pause"),
    Key(
      name: "IDD5PB", value: "mA", isRequired: false,
      summary: "refreshing single banks without pause; with `refresh: bank-staggered` only, and required there"),
    Key(
      name: "energy_cycle", value: "time", isRequired: true,
      summary: "what a clock counts in energies: `clock_period`, or 1 ns to follow DRAMsim3 (`Docs/adr/0009`)"),
  ]

  /// The keys under `controller`.
  public static let controllerKeys: [Key] = [
    Key(name: "read_queue", value: "1 ... 1024", isRequired: true, summary: "reads that wait before the bank queues"),
    Key(name: "write_queue", value: "1 ... 1024", isRequired: true, summary: "writes that wait before the bank queues"),
    Key(
      name: "write_high", value: "1 ... `write_queue`", isRequired: true,
      summary: "as many waiting writes start a drain"),
    Key(
      name: "write_idle", value: "0 ... 1024", isRequired: true,
      summary: "more waiting writes than this start a drain when no bank has work"),
    Key(
      name: "unified_queue", value: "1 ... 1024", isRequired: false,
      summary: "one queue of reads and writes in place of the four keys above"),
    Key(name: "bank_queue", value: "1 ... 1024", isRequired: true, summary: "requests that wait at a bank"),
    Key(
      name: "scheduling", value: "`fr-fcfs`, `in-order`", isRequired: true,
      summary: "of the requests of a bank: those to the open row first, or the oldest only"),
    Key(
      name: "row_policy", value: "`open`, `closed`", isRequired: true,
      summary: "rows stay open until another is wanted, or close with each access"),
    Key(
      name: "row_hit_limit", value: "1 ... 1000000", isRequired: false,
      summary:
        "column commands of an open row after which an older request to another row goes first; required, and allowed, "
        + "with `fr-fcfs` and `open` only"),
    Key(
      name: "refresh", value: "`rank-staggered`, `rank-simultaneous`, `bank-staggered`, `never`", isRequired: true,
      summary: "what is refreshed together"),
  ]

  /// The sections of the page about memory files.
  static var memorySections: String {
    var text =
      "\n## Memory files\n\n`memories/NAME.yaml` describes a DRAM and its controller, for `pantile dram` and for the `device` of a chip; the model stands in "
    text += "`Docs/dram.md`.\n\n" + table(memoryKeys)
    text += "\n### `organization`\n\n" + table(organizationKeys)
    text +=
      "\n### `timing`\n\nWhole memory clocks. `tRCD`, `tRRD`, `tCCD`, `tWTR` stand for both of their two forms.\n\n"
    text += table(
      DRAMDevice.Timing.parameters.map {
        Key(name: $0.key, value: "clocks", isRequired: !$0.isOptional, summary: $0.summary)
      })
    text += "\n### `power`\n\n" + table(powerKeys)
    text += "\n### `controller`\n\n" + table(controllerKeys)
    return text
  }
}
