import PantileSupport

extension DRAMDevice {
  /// What one command, or one rank for one clock, costs.
  ///
  /// Currents above standby times the time that they flow, of all devices of a rank:
  /// ```
  /// activate  V (IDD0 (tRAS + tRP) - IDD3N tRAS - IDD2N tRP)    with its precharge
  /// read      V (IDD4R - IDD3N) burst
  /// write     V (IDD4W - IDD3N) burst
  /// refresh   V (IDD5 - IDD3N) tRFC
  /// standby   V IDD3N a clock with an open row, V IDD2N without
  /// ```
  /// **Accuracy** estimate: data-sheet maxima, core supply only; termination, input/output drivers and VPP are left out.
  /// **Source** Micron, "TN-40-07: Calculating memory power for DDR4 SDRAM", 2014; the same sums in Li et al., "DRAMsim3: a
  /// cycle-accurate, thermal-capable DRAM simulator", IEEE CAL 19(2), 2020.
  public struct Energies: Hashable, Sendable {
    public var activate: Picojoules
    public var read: Picojoules
    public var write: Picojoules
    public var refresh: Picojoules
    public var bankRefresh: Picojoules
    /// One rank, one clock, a row open.
    public var activeClock: Picojoules
    /// One rank, one clock, all banks precharged.
    public var idleClock: Picojoules
  }

  /// The costs of this device; a clock counts as `power.energyCycle`.
  public var energies: Energies {
    // mA x V x ns = pJ
    let scale = power.supply * Double(organization.devicesPerRank) * power.energyCycle.nanoseconds
    let active = Double(timing.activeTime)
    let precharge = Double(timing.precharge)
    let burst = Double(organization.burstClocks)
    let activate =
      power.activate * (active + precharge) - power.activeStandby * active - power.prechargeStandby * precharge
    return Energies(
      activate: Picojoules(scale * activate), read: Picojoules(scale * (power.read - power.activeStandby) * burst),
      write: Picojoules(scale * (power.write - power.activeStandby) * burst),
      refresh: Picojoules(scale * (power.refresh - power.activeStandby) * Double(timing.refreshTime)),
      bankRefresh: Picojoules(scale * (power.bankRefresh - power.activeStandby) * Double(timing.bankRefreshTime)),
      activeClock: Picojoules(scale * power.activeStandby), idleClock: Picojoules(scale * power.prechargeStandby))
  }
}
