import PantileTarget

/// Shortest distances from command to command, made from the parameters of a device. **Units**: memory clocks.
///
/// **Source** JEDEC JESD79-4 (DDR4), JESD209-4 (LPDDR4), JESD235 (HBM): timing tables; data of two commands may not overlap, and
/// tRTRS lies between data of different drivers.
struct DRAMDistances {
  let readToReadShort, readToReadLong, readToReadOtherRank: Int
  let readToWrite, readToWriteOtherRank: Int
  let writeToReadShort, writeToReadLong, writeToReadOtherRank: Int
  let writeToWriteShort, writeToWriteLong, writeToWriteOtherRank: Int
  let readToPrecharge, writeToPrecharge: Int
  let activateToRead, activateToWrite: Int
  /// Read command to the end of its data.
  let readDone: Int
  /// Column command to the first clock of its data, and clocks of the data.
  let readLatency, writeLatency, burst: Int

  init(_ device: DRAMDevice) {
    let timing = device.timing
    let burst = device.organization.burstClocks
    let readLatency = timing.additiveLatency + timing.readLatency
    let writeLatency = timing.additiveLatency + timing.writeLatency
    readToReadShort = max(burst, timing.columnShort)
    readToReadLong = max(burst, timing.columnLong)
    readToReadOtherRank = burst + timing.busTurnaround
    readToWrite = max(1, readLatency + burst + timing.busTurnaround - writeLatency)
    readToWriteOtherRank = readToWrite
    writeToReadShort = writeLatency + burst + timing.writeToReadShort
    writeToReadLong = writeLatency + burst + timing.writeToReadLong
    writeToReadOtherRank = max(1, writeLatency + burst + timing.busTurnaround - readLatency)
    writeToWriteShort = max(burst, timing.columnShort)
    writeToWriteLong = max(burst, timing.columnLong)
    // The controller drives the bus for either rank.
    writeToWriteOtherRank = burst
    readToPrecharge = timing.additiveLatency + timing.readToPrecharge
    writeToPrecharge = writeLatency + burst + timing.writeRecovery
    activateToRead = timing.activateToRead - timing.additiveLatency
    activateToWrite = timing.activateToWrite - timing.additiveLatency
    readDone = readLatency + burst
    self.readLatency = readLatency
    self.writeLatency = writeLatency
    self.burst = burst
  }
}
