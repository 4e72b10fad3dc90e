import PantileEngines
import PantileSupport
import PantileTarget

extension DRAMReport {
  /// The report for people.
  public var text: String {
    let device = run.device
    let peak = device.peakBytesPerSecond / 1e9
    func count(_ value: Int) -> String { Format.grouped(value) }
    let seconds = Double(run.cycles) * device.clockPeriod.picoseconds * 1e-12
    var text = "\(device.name): \(device.summary)\n\n"
    var facts: [(String, String)] = [
      ("window", "\(count(run.cycles)) cycles, \(Format.time(seconds: seconds))"),
      (
        "requests",
        "\(count(requestsDone)) done (\(count(run.readsDone)) reads, \(count(run.writesDone)) writes) "
          + "of \(count(offered)), \(device.organization.burstBytes) B each"
      ),
      (
        "bandwidth",
        "\(Format.fixed(gigabytesPerSecond, 2)) GB/s, "
          + "\(Format.percent(gigabytesPerSecond / peak)) of \(Format.fixed(peak, 2)) GB/s"
      ),
    ]
    if let latency = meanReadLatency {
      facts.append(
        (
          "read latency",
          "\(Format.fixed(latency, 1)) cycles on average, "
            + "\(Format.fixed(latency * device.clockPeriod.nanoseconds, 1)) ns"
        ))
    }
    let columns = counts.reads + counts.writes
    let hits = counts.readHits + counts.writeHits
    let share = columns > 0 ? ", \(Format.percent(Double(hits) / Double(columns)))" : ""
    facts.append(("row hits", "\(count(hits)) of \(count(columns)) column commands\(share)"))
    facts.append(
      (
        "commands",
        "\(count(counts.activates)) activates, \(count(counts.precharges)) precharges, "
          + "\(count(counts.reads)) reads, \(count(counts.writes)) writes, "
          + "\(count(counts.refreshes + counts.bankRefreshes)) refreshes"
      ))
    let perBit = picojoulesPerBit.map { ", \(Format.fixed($0, 2)) pJ/bit" } ?? ""
    facts.append(("energy", Format.energy(picojoules: energy.total.value) + perBit))
    let width = facts.map { $0.0.count }.max() ?? 0
    for (name, value) in facts { text += name + String(repeating: " ", count: width + 2 - name.count) + value + "\n" }
    text += "\n" + energyTable
    if run.counts.count > 1 { text += "\n" + channelTable }
    if device.power.energyCycle != device.clockPeriod {
      text +=
        "\nenergies count \(Format.fixed(device.power.energyCycle.nanoseconds, 3)) ns a cycle, as the memory file says; "
      text += "by its clock of \(Format.fixed(device.clockPeriod.nanoseconds, 3)) ns they are "
      text += "\(Format.fixed(device.clockPeriod.picoseconds / device.power.energyCycle.picoseconds, 3)) of this\n"
    }
    if run.wrapped > 0 {
      text +=
        "\n\(count(run.wrapped)) addresses are beyond the \(Bytes(device.organization.capacity)) of the memory and wrap around\n"
    }
    return text
  }

  private var energyTable: String {
    var table = TextTable([("energy", .left), ("count", .right), ("", .left), ("share", .right)])
    let total = energy.total.value
    let ranks = run.device.organization.ranks * run.device.organization.channels
    let rows = [
      ("activate and precharge", counts.activates, energy.activate), ("read", counts.reads, energy.read),
      ("write", counts.writes, energy.write),
      ("refresh", counts.refreshes + counts.bankRefreshes, energy.refresh),
      ("standby, a row open", counts.activeClocks, energy.activeStandby),
      ("standby, precharged", ranks * run.cycles - counts.activeClocks, energy.prechargeStandby),
    ]
    for (name, count, part) in rows {
      table.add([
        name, Format.grouped(count), Format.energy(picojoules: part.value), Format.percent(part.value / total),
      ])
    }
    return table.text
  }

  private var channelTable: String {
    var table = TextTable([
      ("channel", .right), ("requests", .right), ("row hits", .right), ("activates", .right), ("refreshes", .right),
    ])
    for (index, channel) in run.counts.enumerated() {
      table.add([
        "\(index)", Format.grouped(run.doneByChannel[index]), Format.grouped(channel.readHits + channel.writeHits),
        Format.grouped(channel.activates), Format.grouped(channel.refreshes + channel.bankRefreshes),
      ])
    }
    return table.text
  }
}
