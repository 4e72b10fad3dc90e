import PantileSupport

extension DRAMDevice {
  /// Everything that bears on timing and energy, as 16 hexadecimal digits; name, summary and source do not count.
  public var hash: String {
    var hash = StableHash()
    let o = organization
    for number in [
      clockPeriod.numerator, clockPeriod.denominator, o.channels, o.ranks, o.bankGroups, o.banksPerGroup, o.rows,
      o.columns,
      o.deviceWidth, o.busWidth, o.burstLength, o.beatsPerClock, o.hasSplitCommandBus ? 1 : 0,
    ] {
      hash.combine(number)
    }
    hash.combine(addressMap.text)
    for parameter in Timing.parameters { hash.combine(timing[keyPath: parameter.path]) }
    for figure in [
      power.supply, power.activate, power.prechargeStandby, power.activeStandby, power.read, power.write, power.refresh,
      power.bankRefresh,
    ] {
      hash.combine(Int(truncatingIfNeeded: figure.bitPattern))
    }
    hash.combine(power.energyCycle.numerator)
    hash.combine(power.energyCycle.denominator)
    let c = controller
    for number in [c.readQueue, c.writeQueue, c.bankQueue, c.writeHigh, c.writeIdle, c.rowHitLimit] {
      hash.combine(number)
    }
    for text in [c.scheduling.rawValue, c.rowPolicy.rawValue, c.refresh.rawValue] { hash.combine(text) }
    return hash.hexadecimal
  }
}
