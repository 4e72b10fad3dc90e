import PantileTarget

/// Judges the command trace of a DRAM by its rules: distances, four-activate window, command and data bus, row states, refreshes.
///
/// Slow and plain on purpose, and without anything of the controller, whose traces it judges.
public struct DRAMChecker {
  /// A broken rule.
  public struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// The parameter or the rule: `tFAW`, `row state`, `data bus`.
    public var rule: String
    /// The command that breaks it; nil where one is missing.
    public var command: DRAMCommand?
    public var message: String

    public var description: String { "\(rule): \(message)" + (command.map { " at '\($0)'" } ?? "") }
  }

  private struct Bank {
    var openRow: Int32?
    var activated = Int.min / 2
    /// When it may be activated or refreshed after it closed by itself.
    var closedFrom = Int.min / 2
    var last = [Int](repeating: Int.min / 2, count: DRAMCommand.Kind.allCases.count)
  }

  private struct Data {
    var start: Int
    var rank: Int32
    var isWrite: Bool
    var command: DRAMCommand
  }

  private let device: DRAMDevice
  private let rules: DRAMRules
  private let limit: Int
  private var violations: [Violation] = []

  private init(_ device: DRAMDevice, limit: Int) {
    self.device = device
    rules = DRAMRules(device)
    self.limit = limit
  }

  /// The broken rules of a trace that covers the clocks `0 ..< end`, in order of commands; at most `limit`.
  public static func violations(
    in commands: [DRAMCommand], on device: DRAMDevice, until end: Int, limit: Int = 20
  ) -> [Violation] {
    var checker = DRAMChecker(device, limit: limit)
    for channel in 0..<device.organization.channels {
      checker.check(commands.filter { $0.channel == Int32(channel) }, until: end)
    }
    for command in commands where command.channel < 0 || command.channel >= Int32(device.organization.channels) {
      checker.add("address", command, "there is no such channel")
    }
    return checker.violations
  }

  private mutating func add(_ rule: String, _ command: DRAMCommand?, _ message: String) {
    if violations.count < limit { violations.append(Violation(rule: rule, command: command, message: message)) }
  }

  private mutating func check(_ commands: [DRAMCommand], until end: Int) {
    let shape = device.organization
    var banks = [Bank](repeating: Bank(), count: shape.ranks * shape.banksPerRank)
    var groupLast = [[Int]](
      repeating: [Int](repeating: Int.min / 2, count: DRAMCommand.Kind.allCases.count),
      count: shape.ranks * shape.bankGroups)
    var rankLast = [[Int]](
      repeating: [Int](repeating: Int.min / 2, count: DRAMCommand.Kind.allCases.count), count: shape.ranks)
    var activates = [[Int]](repeating: [], count: shape.ranks)
    var data: [Data] = []
    var previous: (cycle: Int, columns: Int, rows: Int) = (-1, 0, 0)
    for command in commands {
      guard isInside(command) else {
        add("address", command, "a rank, group, bank, row or column that the device does not have")
        continue
      }
      checkCommandBus(command, &previous)
      if command.cycle >= end { add("window", command, "the trace ends before clock \(end)") }
      let rank = Int(command.rank)
      let group = rank * shape.bankGroups + Int(command.group)
      let bank = group * shape.banksPerGroup + Int(command.bank)
      for rule in rules.spacings where rule.to.contains(command.kind) {
        let times: [Int]
        switch rule.scope {
        case .bank: times = banks[bank].last
        case .group: times = groupLast[group]
        case .rank: times = rankLast[rank]
        }
        for kind in rule.from where command.cycle - times[Int(kind.rawValue)] < rule.distance {
          add(
            rule.name, command,
            "\(command.cycle - times[Int(kind.rawValue)]) clocks after \(kind.text), at least \(rule.distance) are needed"
          )
        }
      }
      let isRankCommand = command.kind == .refresh
      let touched = isRankCommand ? rank * shape.banksPerRank..<(rank + 1) * shape.banksPerRank : bank..<(bank + 1)
      for index in touched {
        checkState(command, &banks[index])
        banks[index].last[Int(command.kind.rawValue)] = command.cycle
      }
      if !isRankCommand { groupLast[group][Int(command.kind.rawValue)] = command.cycle }
      rankLast[rank][Int(command.kind.rawValue)] = command.cycle
      switch command.kind {
      case .activate:
        activates[rank].append(command.cycle)
        let count = activates[rank].count
        if count > rules.activatesInWindow {
          let span = command.cycle - activates[rank][count - 1 - rules.activatesInWindow]
          if span < rules.fourActivates {
            add("tFAW", command, "the fifth activate in \(span) clocks, four fit \(rules.fourActivates)")
          }
        }
      case .read, .readClosing:
        data.append(Data(start: command.cycle + rules.readStart, rank: command.rank, isWrite: false, command: command))
      case .write, .writeClosing:
        data.append(Data(start: command.cycle + rules.writeStart, rank: command.rank, isWrite: true, command: command))
      case .precharge, .refresh, .refreshBank: break
      }
    }
    checkDataBus(data)
    checkRefreshes(commands, until: end)
  }

  private func isInside(_ command: DRAMCommand) -> Bool {
    let shape = device.organization
    return (0..<shape.ranks).contains(Int(command.rank)) && (0..<shape.bankGroups).contains(Int(command.group))
      && (0..<shape.banksPerGroup).contains(Int(command.bank)) && (0..<shape.rows).contains(Int(command.row))
      && (0..<shape.columns / shape.burstLength).contains(Int(command.column)) && command.cycle >= 0
  }

  private mutating func checkCommandBus(_ command: DRAMCommand, _ previous: inout (cycle: Int, columns: Int, rows: Int))
  {
    if command.cycle < previous.cycle { add("command bus", command, "commands are not in order of time") }
    if command.cycle != previous.cycle { previous = (command.cycle, 0, 0) }
    switch command.kind {
    case .read, .write, .readClosing, .writeClosing: previous.columns += 1
    case .activate, .precharge, .refresh, .refreshBank: previous.rows += 1
    }
    let isLegal =
      device.organization.hasSplitCommandBus
      ? previous.columns <= 1 && previous.rows <= 1 : previous.columns + previous.rows <= 1
    if !isLegal { add("command bus", command, "two commands in one clock") }
  }

  private mutating func checkState(_ command: DRAMCommand, _ bank: inout Bank) {
    switch command.kind {
    case .activate:
      if let row = bank.openRow { add("row state", command, "row \(row) is open") }
      if command.cycle < bank.closedFrom { add("tRP", command, "closed from clock \(bank.closedFrom) on") }
      bank.openRow = command.row
      bank.activated = command.cycle
    case .precharge:
      if bank.openRow == nil { add("row state", command, "no row is open") }
      bank.openRow = nil
    case .read, .write, .readClosing, .writeClosing:
      if bank.openRow != command.row {
        add("row state", command, bank.openRow.map { "row \($0) is open" } ?? "no row is open")
      }
      if command.kind == .readClosing || command.kind == .writeClosing {
        let recovery = command.kind == .readClosing ? rules.closingRead : rules.closingWrite
        bank.closedFrom = max(command.cycle + recovery, bank.activated + rules.activeTime) + rules.precharge
        bank.openRow = nil
      }
    case .refresh, .refreshBank:
      if let row = bank.openRow { add("row state", command, "row \(row) is open") }
      if command.cycle < bank.closedFrom { add("tRP", command, "closed from clock \(bank.closedFrom) on") }
    }
  }

  /// No two bursts at once, and free clocks between bursts of different drivers.
  private mutating func checkDataBus(_ data: [Data]) {
    let sorted = data.enumerated().sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }.map(
      \.element)
    for (first, second) in zip(sorted, sorted.dropFirst()) {
      let isReadThenWrite = !first.isWrite && second.isWrite
      let isRankSwitch = first.rank != second.rank && !(first.isWrite && second.isWrite)
      let needed = rules.dataClocks + (isReadThenWrite || isRankSwitch ? rules.turnaround : 0)
      if second.start - first.start < needed {
        add(
          "data bus", second.command,
          "data \(second.start - first.start) clocks after that of '\(first.command)', at least \(needed) are needed")
      }
    }
  }

  /// Refreshes come when due, neither earlier nor an interval later. (JEDEC lets a controller move up to eight; this one does not.)
  private mutating func checkRefreshes(_ commands: [DRAMCommand], until end: Int) {
    let shape = device.organization
    let unit: Int
    let interval: Int
    let targets: Int
    let kind: DRAMCommand.Kind
    switch device.controller.refresh {
    case .never: return
    case .rankStaggered:
      (unit, targets, kind) = (device.timing.refreshInterval / shape.ranks, shape.ranks, .refresh)
      interval = unit * shape.ranks
    case .rankSimultaneous:
      (unit, targets, kind) = (device.timing.refreshInterval, shape.ranks, .refresh)
      interval = unit
    case .bankStaggered:
      (unit, targets, kind) = (device.timing.bankRefreshInterval, shape.ranks * shape.banksPerRank, .refreshBank)
      interval = unit * targets
    }
    for target in 0..<targets {
      let mine = commands.filter { command in
        guard command.kind == kind else { return false }
        if kind == .refresh { return Int(command.rank) == target }
        let group = Int(command.rank) * shape.bankGroups + Int(command.group)
        return group * shape.banksPerGroup + Int(command.bank) == target
      }
      for (index, command) in mine.enumerated() {
        if command.cycle < unit + index * interval {
          add("tREFI", command, "refresh \(index + 1) of its rank or bank, not due before \(unit + index * interval)")
        }
        if command.cycle > (index + 2) * interval {
          add("tREFI", command, "refresh \(index + 1) of its rank or bank is later than \((index + 2) * interval)")
        }
      }
      if mine.count < end / interval - 1 {
        add(
          "tREFI", nil, "\(mine.count) refreshes of rank or bank \(target) in \(end) clocks, one in \(interval) is due")
      }
    }
  }
}
