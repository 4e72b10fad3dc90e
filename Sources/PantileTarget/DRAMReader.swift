import PantileConfig
import PantileSupport

/// Turns the tree of a memory file into a `DRAMDevice`; adds everything wrong to `issues`.
struct DRAMReader {
  let issues: Issues

  // Bounds that keep sums of times and sizes far inside 64 bits, and tables of banks small.
  private static let clocks = 0...1_000_000
  private static let queues = 1...1024
  private static let maximumCapacity = 1 << 50
  private static let maximumBanks = 1024

  /// Nil only after adding a diagnostic.
  func read(_ root: ConfigNode) -> DRAMDevice? {
    guard let map = ConfigMapping(root, "memory", issues) else { return nil }
    let name = map.required("name")?.name("name of the memory", issues)
    let summary = map.optional("summary")?.text("summary of the memory", issues) ?? ""
    let source = map.required("source")?.text("source of the memory", issues)
    let period = map.required("clock_period").flatMap { readPeriod($0, "clock_period") }
    let organization = readOrganization(map.required("organization"))
    let addressMap = map.required("address_map").flatMap(readAddressMap)
    let controller = readController(map.required("controller"))
    let timing = readTiming(map.required("timing"), organization, controller)
    let power = readPower(map.required("power"), controller)
    map.finish()
    guard let name, let source, let period, let organization, let addressMap, let controller, let timing, let power,
      issues.isEmpty
    else { return nil }
    return DRAMDevice(
      name: name, summary: summary, source: source, clockPeriod: period, organization: organization,
      addressMap: addressMap, timing: timing, power: power, controller: controller)
  }

  private func readPeriod(_ node: ConfigNode, _ what: String) -> ClockPeriod? {
    node.picoseconds(what, issues).map { ClockPeriod(picoseconds: $0.numerator, over: $0.denominator) }
  }

  private func readAddressMap(_ node: ConfigNode) -> DRAMAddressMap? {
    guard let text = node.text("address_map", issues) else { return nil }
    if let map = DRAMAddressMap(text) { return map }
    issues.add(
      "wrong-value", "address_map '\(text)' does not hold each of ro, ch, ra, ba, bg, co once", at: node,
      hint: "write them from most to least significant, as in rochrababgco")
    return nil
  }

  // MARK: Organisation

  private func readOrganization(_ node: ConfigNode?) -> DRAMDevice.Organization? {
    guard let node, let map = ConfigMapping(node, "organization", issues) else { return nil }
    func count(_ key: String, _ range: ClosedRange<Int>) -> Int? {
      guard let node = map.required(key), let value = node.count("\(key) of organization", in: range, issues) else {
        return nil
      }
      guard value & (value - 1) == 0 else {
        issues.add("wrong-value", "\(key) of organization is \(value) but must be a power of two", at: node)
        return nil
      }
      return value
    }
    let channels = count("channels", 1...1024)
    let ranks = count("ranks", 1...64)
    let bankGroups = count("bank_groups", 1...64)
    let banksPerGroup = count("banks_per_group", 1...64)
    let rows = count("rows", 1...(1 << 24))
    let columns = count("columns", 1...(1 << 20))
    let deviceWidth = count("device_width", 1...4096)
    let busWidth = count("bus_width", 8...4096)
    let burstLength = count("burst_length", 1...1024)
    let beats = count("beats_per_clock", 1...64)
    let bus = map.required("command_bus")?.choice("command_bus of organization", among: ["shared", "split"], issues)
    map.finish()
    guard let channels, let ranks, let bankGroups, let banksPerGroup, let rows, let columns, let deviceWidth,
      let busWidth, let burstLength, let beats, let bus
    else { return nil }
    func refuse(_ message: String) { issues.add("wrong-value", message, at: node) }
    if deviceWidth > busWidth { refuse("device_width \(deviceWidth) is above bus_width \(busWidth)") }
    if burstLength > columns { refuse("burst_length \(burstLength) is above the \(columns) columns of a row") }
    if beats > burstLength { refuse("beats_per_clock \(beats) is above burst_length \(burstLength)") }
    let banks = ranks * bankGroups * banksPerGroup
    if banks > DRAMReader.maximumBanks {
      refuse("a channel has \(banks) banks; at most \(DRAMReader.maximumBanks) are supported")
    }
    let bits = [channels, banks, rows, columns, busWidth].map(\.trailingZeroBitCount).reduce(0, +) - 3
    if bits > DRAMReader.maximumCapacity.trailingZeroBitCount {
      refuse("the memory holds 2^\(bits) B; at most 2^\(DRAMReader.maximumCapacity.trailingZeroBitCount) are supported")
    }
    return DRAMDevice.Organization(
      channels: channels, ranks: ranks, bankGroups: bankGroups, banksPerGroup: banksPerGroup, rows: rows,
      columns: columns, deviceWidth: deviceWidth, busWidth: busWidth, burstLength: burstLength, beatsPerClock: beats,
      hasSplitCommandBus: bus == "split")
  }

  // MARK: Timing

  /// Keys that stand for two parameters where a device does not tell them apart.
  private static let shortForms = [
    "tRCDRD": "tRCD", "tRCDWR": "tRCD", "tRRD_S": "tRRD", "tRRD_L": "tRRD", "tCCD_S": "tCCD", "tCCD_L": "tCCD",
    "tWTR_S": "tWTR", "tWTR_L": "tWTR",
  ]

  private func readTiming(
    _ node: ConfigNode?, _ organization: DRAMDevice.Organization?, _ controller: DRAMDevice.Controller?
  ) -> DRAMDevice.Timing? {
    guard let node, let map = ConfigMapping(node, "timing", issues) else { return nil }
    var timing = DRAMDevice.Timing()
    var shortValues: [String: Int?] = [:]
    for parameter in DRAMDevice.Timing.parameters {
      let what = "\(parameter.key) of timing"
      if let short = DRAMReader.shortForms[parameter.key], let shortNode = map.optional(short) {
        if let long = map.optional(parameter.key) {
          issues.add(
            "duplicate-key", "timing has both '\(short)' and '\(parameter.key)'", at: long, hint: "keep one of them")
        }
        let value = shortValues[short] ?? shortNode.count("\(short) of timing", in: DRAMReader.clocks, issues)
        shortValues[short] = .some(value)
        timing[keyPath: parameter.path] = value ?? 0
      } else if let value = parameter.isOptional ? map.optional(parameter.key) : map.required(parameter.key) {
        timing[keyPath: parameter.path] = value.count(what, in: DRAMReader.clocks, issues) ?? 0
      }
    }
    map.finish()
    guard issues.isEmpty, let organization, let controller else { return nil }
    check(timing, organization, controller, at: node)
    return timing
  }

  private func check(
    _ timing: DRAMDevice.Timing, _ organization: DRAMDevice.Organization, _ controller: DRAMDevice.Controller,
    at node: ConfigNode
  ) {
    func place(_ key: String) -> ConfigNode { node[key] ?? node }
    let pairs = [
      ("tRRD_S", timing.activateShort, "tRRD_L", timing.activateLong),
      ("tCCD_S", timing.columnShort, "tCCD_L", timing.columnLong),
      ("tWTR_S", timing.writeToReadShort, "tWTR_L", timing.writeToReadLong),
    ]
    for (short, shortValue, long, longValue) in pairs {
      if shortValue > longValue {
        issues.add("wrong-value", "\(short) is \(shortValue), above \(long), which is \(longValue)", at: place(short))
      } else if organization.bankGroups == 1, shortValue != longValue {
        issues.add(
          "wrong-value", "\(short) is \(shortValue) and \(long) is \(longValue), but there is one bank group only",
          at: place(short), hint: "write '\(short.dropLast(2)): \(shortValue)'")
      }
    }
    for key in ["CL", "CWL", "tRCDRD", "tRCDWR", "tRP", "tRAS", "tFAW", "tRFC", "tREFI"] {
      let value = DRAMDevice.Timing.parameters.first { $0.key == key }.map { timing[keyPath: $0.path] } ?? 0
      if value == 0 { issues.add("out-of-range", "\(key) of timing is 0 but must be at least 1", at: place(key)) }
    }
    if timing.additiveLatency > min(timing.activateToRead, timing.activateToWrite) {
      issues.add(
        "wrong-value",
        "AL is \(timing.additiveLatency), above tRCD, which is \(min(timing.activateToRead, timing.activateToWrite))",
        at: place("AL"))
    }
    switch controller.refresh {
    case .rankStaggered, .rankSimultaneous, .never:
      for (key, value) in [("tRFCb", timing.bankRefreshTime), ("tREFIb", timing.bankRefreshInterval)] where value != 0 {
        issues.add(
          "no-effect", "\(key) of timing has no effect with refresh '\(controller.refresh.rawValue)'", at: place(key),
          hint: "leave it out, or write 'refresh: bank-staggered'")
      }
      // A rank that is due again before it was refreshed would never get to work.
      if timing.refreshInterval <= timing.refreshTime {
        issues.add(
          "wrong-value",
          "tREFI is \(timing.refreshInterval), too little for refreshes of \(timing.refreshTime) clocks (tRFC)",
          at: place("tREFI"))
      }
    case .bankStaggered:
      if timing.bankRefreshTime == 0 || timing.bankRefreshInterval == 0 {
        issues.add(
          "missing-key", "refresh 'bank-staggered' needs tRFCb and tREFIb above 0", at: node,
          hint: "add both to timing, or choose another refresh")
      } else if timing.bankRefreshInterval * organization.ranks * organization.banksPerRank <= timing.bankRefreshTime {
        issues.add(
          "wrong-value",
          "tREFIb is \(timing.bankRefreshInterval), too little for refreshes of \(timing.bankRefreshTime)"
            + " clocks (tRFCb)", at: place("tREFIb"))
      }
    }
  }

  // MARK: Power

  private func readPower(_ node: ConfigNode?, _ controller: DRAMDevice.Controller?) -> DRAMDevice.Power? {
    guard let node, let map = ConfigMapping(node, "power", issues) else { return nil }
    func current(_ key: String) -> Double? { map.required(key).flatMap { measured($0, "\(key) of power", "mA") } }
    let supply = map.required("VDD").flatMap { measured($0, "VDD of power", "V") }
    let activate = current("IDD0")
    let prechargeStandby = current("IDD2N")
    let activeStandby = current("IDD3N")
    let write = current("IDD4W")
    let read = current("IDD4R")
    let refresh = current("IDD5AB")
    let bankRefresh = controller?.refresh == .bankStaggered ? current("IDD5PB") : 0
    let cycle = map.required("energy_cycle").flatMap { readPeriod($0, "energy_cycle of power") }
    map.finish()
    guard let supply, let activate, let prechargeStandby, let activeStandby, let write, let read, let refresh,
      let bankRefresh, let cycle
    else { return nil }
    for (key, value) in [("IDD0", activate), ("IDD4W", write), ("IDD4R", read), ("IDD5AB", refresh)]
    where value < max(activeStandby, prechargeStandby) {
      issues.add(
        "wrong-value",
        "\(key) is \(value) mA, below the standby current of \(max(activeStandby, prechargeStandby)) mA",
        at: node[key] ?? node,
        hint: "currents are totals, not the part above standby")
    }
    return DRAMDevice.Power(
      supply: supply, activate: activate, prechargeStandby: prechargeStandby, activeStandby: activeStandby, read: read,
      write: write, refresh: refresh, bankRefresh: bankRefresh, energyCycle: cycle)
  }

  /// `1.2 V`, `48 mA`: the unit is mandatory.
  private func measured(_ node: ConfigNode, _ what: String, _ unit: String) -> Double? {
    guard let text = node.text(what, issues) else { return nil }
    let pieces = text.split(separator: " ")
    guard pieces.count == 2, pieces[1] == unit, let value = Double(pieces[0]), value.isFinite, value > 0, value <= 1e6
    else {
      issues.add(
        "wrong-unit", "\(what) must be a positive number with the unit \(unit), found '\(text)'", at: node,
        hint: "write for example 1.2 \(unit)")
      return nil
    }
    return value
  }

  // MARK: Controller

  private func readController(_ node: ConfigNode?) -> DRAMDevice.Controller? {
    guard let node, let map = ConfigMapping(node, "controller", issues) else { return nil }
    func count(_ key: String, _ range: ClosedRange<Int> = DRAMReader.queues) -> Int? {
      map.required(key)?.count("\(key) of controller", in: range, issues)
    }
    func choice<Value: RawRepresentable<String> & CaseIterable>(_ key: String, _: Value.Type) -> Value? {
      let names = Value.allCases.map(\.rawValue)
      return map.required(key)?.choice("\(key) of controller", among: names, issues).flatMap(Value.init)
    }
    let readQueue: Int?
    let writeQueue: Int?
    let writeHigh: Int?
    let writeIdle: Int?
    if map.optional("unified_queue") != nil {
      (readQueue, writeQueue, writeHigh, writeIdle) = (count("unified_queue"), 0, 0, 0)
    } else {
      (readQueue, writeQueue) = (count("read_queue"), count("write_queue"))
      (writeHigh, writeIdle) = (count("write_high"), count("write_idle", 0...1024))
    }
    let bankQueue = count("bank_queue")
    let scheduling = choice("scheduling", DRAMDevice.Controller.Scheduling.self)
    let rowPolicy = choice("row_policy", DRAMDevice.Controller.RowPolicy.self)
    // Only requests that overtake others have something to limit.
    let hasLimit = scheduling != .inOrder && rowPolicy != .closed
    let limit = hasLimit ? count("row_hit_limit", 1...1_000_000) : 1
    let refresh = choice("refresh", DRAMDevice.Controller.Refresh.self)
    map.finish()
    guard let readQueue, let writeQueue, let writeHigh, let writeIdle, let bankQueue, let scheduling, let rowPolicy,
      let limit, let refresh
    else { return nil }
    if writeHigh > writeQueue {
      issues.add(
        "wrong-value", "write_high is \(writeHigh), above the \(writeQueue) entries of write_queue",
        at: node["write_high"] ?? node)
    }
    return DRAMDevice.Controller(
      readQueue: readQueue, writeQueue: writeQueue, bankQueue: bankQueue, writeHigh: writeHigh, writeIdle: writeIdle,
      scheduling: scheduling, rowPolicy: rowPolicy, rowHitLimit: limit, refresh: refresh)
  }
}
