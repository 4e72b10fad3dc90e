import PantileTarget

/// States of a device as words, and what a stretch of clocks between two of them leaves in its books: how a memory of states goes on
/// without stepping (`StreamMemo` in the simulator).
extension DRAMSystem {
  /// A bank's open row and how often it was used, after a stretch of clocks that changed one of them.
  package struct RowChange: BitwiseCopyable {
    var bank: Int32
    /// From the frame's row.
    var distance: Int32
    var isOpen: Bool
    var hits: Int32
  }

  /// What a stretch of clocks changed in the books of a channel.
  package struct BookChange: BitwiseCopyable {
    package var channel: Int
    /// `activeClocks`: of all ranks with an open row, up to the end of the stretch.
    var counts: DRAMCounts
    var gaps: DRAMGaps
    /// The end of the last data after the end of the stretch, if there were data.
    var dataEnd = 0
    var hasData = false
    /// Whether the bus rested when the stretch began, and since when, relative to the start.
    var isResting = false
    var restStart = 0
    /// Ranks with an open row at the end, a bit each.
    var openRanks: UInt64 = 0
    /// Its rows, in the list of all of them.
    package var firstRow = 0
    var rowCount = 0
  }

  /// The books of all channels in one clock.
  package struct Books {
    var clock: Int
    var counts: [DRAMCounts] = []
    var gaps: [DRAMGaps] = []
    var dataEnds: [Int] = []
    /// After `clock`; nil where the bus is not at rest.
    var restStarts: [Int?] = []
    /// By channel, then bank.
    var rows: [Int32] = []
    var hits: [Int32] = []
    /// By channel, then rank.
    var activeSince: [Int] = []
    /// Writes in front of the banks, by channel.
    var waitingWrites: [[DRAMChannel.Pending]] = []
  }

  // MARK: Rows

  /// Bursts from an address to that of the next row of the same bank; nil when rows are not what the highest bits of an address say, so
  /// that requests cannot be moved from row to row, and for devices of very many banks.
  package var rowBursts: Int? {
    let others = [channelShift, rankShift, groupShift, bankShift, columnShift]
    guard others.allSatisfy({ $0 <= rowShift }) else { return nil }
    // Sets of banks and of ranks are bits.
    guard channels[0].banks.count <= 64, channelCount * channels[0].ranks.count <= 32 else { return nil }
    return 1 << rowShift
  }

  /// Bursts that the device holds.
  package var capacityInBursts: Int { device.organization.capacity >> burstShift }

  /// The banks of all channels, one number each, to which bursts go, in the order of their first burst.
  package func banks(of bursts: [Range<Int>]) -> [Int32] {
    var banks: [Int32] = []
    for range in bursts {
      for burst in range {
        let channel = (burst >> channelShift) & channelMask
        let bank = Int32(channel * channels[channel].banks.count + place(of: burst).bank)
        if banks.last != bank, !banks.contains(bank) { banks.append(bank) }
      }
    }
    return banks
  }

  /// What the row of a bank, numbered as in `banks(of:)`, means to requests for a row and the next one: 0 none is open, 1 another one,
  /// from 2 on one of the two, and how often it was used.
  package func rowCode(_ bank: Int32, row: Int, in books: Books? = nil) -> Int32 {
    let count = channels[0].banks.count
    let (channel, place) = Int(bank).quotientAndRemainder(dividingBy: count)
    let open = Int(books?.rows[Int(bank)] ?? channels[channel].banks[place].openRow)
    if open < 0 { return 0 }
    let distance = open &- row
    guard distance == 0 || distance == 1 else { return 1 }
    let hits = books.map { channels[channel].limited($0.hits[Int(bank)]) } ?? channels[channel].hitsThatCount(place)
    return 2 &+ 2 &* hits &+ Int32(distance)
  }

  /// The ranks of all channels, a bit each, that are held open by a bank besides those that `except` names by channel.
  package func ranksHeldOpen(except banks: (_ channel: Int) -> UInt64) -> UInt32 {
    var bits: UInt32 = 0
    for channel in 0..<channelCount {
      let open = channels[channel].openBanks & ~banks(channel)
      let perRank = channels[channel].banksPerRank
      for rank in 0..<channels[channel].ranks.count {
        let mask: UInt64 = perRank == 64 ? .max : (1 << UInt64(perRank) - 1) << UInt64(rank * perRank)
        bits = bits << 1 | (open & mask != 0 ? 1 : 0)
      }
    }
    return bits
  }

  /// Banks of all channels, numbered as in `banks(of:)`, as bits by channel.
  package func masks(of banks: [Int32]) -> [UInt64] {
    var masks = [UInt64](repeating: 0, count: channelCount)
    for bank in banks {
      let (channel, place) = Int(bank).quotientAndRemainder(dividingBy: channels[0].banks.count)
      masks[channel] |= 1 << UInt64(place)
    }
    return masks
  }

  /// As `rowCode`, of all banks.
  package func rowCodes(row: Int, in books: Books? = nil) -> [Int32] {
    (0..<Int32(channelCount * channels[0].banks.count)).map { rowCode($0, row: row, in: books) }
  }

  /// Whether a write that waits in front of the banks is to one of these bursts.
  package func hasWaitingWrite(in bursts: Range<Int>) -> Bool {
    for channel in 0..<channelCount {
      for position in 0..<channels[channel].writes.count {
        let request = Int(channels[channel].writes[position].request)
        if bursts.contains(channels[channel].pending[request].address >> burstShift) { return true }
      }
    }
    return false
  }

  /// Whether writes wait in front of the banks.
  package var hasWaitingWrites: Bool {
    for channel in 0..<channelCount where channels[channel].writes.count > 0 { return true }
    return false
  }

  /// The first clock in which a refresh falls due in any channel.
  package var refreshDue: Int {
    var first = Int.max
    for channel in 0..<channelCount { first = min(first, channels[channel].nextRefreshDue) }
    return first
  }

  // MARK: Words

  /// Appends the words of a channel's state, as `DRAMChannel.encode`.
  ///
  /// - Parameters:
  ///   - row: the row that rows are counted from, and `tag` what tags are.
  ///   - due: what `refreshDue` says.
  package func encode(
    channel: Int, at clock: Int, row: Int, tag: Int, refreshDue due: Int, horizon: inout Int, told: inout UInt64,
    into words: inout [Int32]
  ) -> Bool {
    let frame = DRAMChannel.Frame(clock: clock, row: row, burst: row << rowShift, tag: tag, refreshDue: due)
    return channels[channel].encode(frame, burstShift: burstShift, horizon: &horizon, told: &told, into: &words)
  }

  /// Everything that the device's future depends on, relative to a clock before which everything is done; nil when it cannot be told in
  /// words. No request is on its way.
  package func wholeState(at clock: Int) -> [Int32]? {
    var words: [Int32] = []
    var horizon = 0
    var told: UInt64 = 0
    func append(_ number: Int) {
      words.append(Int32(truncatingIfNeeded: number))
      words.append(Int32(truncatingIfNeeded: number >> 32))
    }
    append(refreshDue == Int.max ? -1 : refreshDue - clock)
    for index in 0..<channelCount {
      let frame = DRAMChannel.Frame(clock: clock, row: 0, burst: 0, tag: 0, refreshDue: refreshDue)
      guard
        channels[index].encode(
          frame, burstShift: burstShift, tellsDrain: true, horizon: &horizon, told: &told, into: &words)
      else { return nil }
      append(channels[index].drain)
      for bank in 0..<channels[index].banks.count {
        words.append(channels[index].banks[bank].openRow)
        words.append(channels[index].hitsThatCount(bank))
      }
      append(channels[index].writes.count)
      for request in channels[index].waitingWrites { append(request.address) }
    }
    return words
  }

  /// Takes up a channel's state.
  package func decode(
    channel: Int, _ words: UnsafeBufferPointer<Int32>, at clock: Int, row: Int, tag: Int, refreshDue due: Int
  ) {
    let frame = DRAMChannel.Frame(clock: clock, row: row, burst: row << rowShift, tag: tag, refreshDue: due)
    channels[channel].decode(words, frame, burstShift: burstShift) { place(of: $0) }
    nextEvents[channel] = channels[channel].nextEvent
  }

  package var channelTotal: Int { channelCount }

  // MARK: Books

  /// The books as they stand, for `changes` and `restore`.
  package func books(at clock: Int) -> Books {
    var books = Books(clock: clock)
    for index in 0..<channelCount {
      for rank in 0..<channels[index].ranks.count {
        // Rows that stay open are counted up to here.
        let since = channels[index].ranks[rank].activeSince
        if since >= 0 {
          channels[index].count.activeClocks += clock - since
          channels[index].ranks[rank].activeSince = clock
        }
        books.activeSince.append(channels[index].ranks[rank].activeSince)
      }
      books.counts.append(channels[index].count)
      books.gaps.append(channels[index].gaps)
      books.dataEnds.append(channels[index].bus.dataEnd)
      books.restStarts.append(
        channels[index].isResting(at: clock) ? channels[index].restStart(at: clock) - clock : nil)
      for bank in 0..<channels[index].banks.count {
        books.rows.append(channels[index].banks[bank].openRow)
        books.hits.append(channels[index].banks[bank].hits)
      }
      books.waitingWrites.append(channels[index].waitingWrites)
    }
    return books
  }

  /// What has changed since, with rows relative to `row`; nil when writes that waited in front of the banks have moved, which no
  /// state in words allows.
  package func changes(
    since books: Books, at clock: Int, row: Int
  ) -> (changes: [BookChange], rows: [RowChange])? {
    var changes: [BookChange] = []
    var rows: [RowChange] = []
    for index in 0..<channelCount {
      guard channels[index].waitingWrites == books.waitingWrites[index] else { return nil }
      var change = BookChange(
        channel: index, counts: channels[index].count - books.counts[index],
        gaps: channels[index].gaps - books.gaps[index])
      change.firstRow = rows.count
      let count = channels[index].banks.count
      for bank in 0..<count {
        let state = channels[index].banks[bank]
        let place = index * count + bank
        if state.openRow == books.rows[place], state.hits == books.hits[place] { continue }
        rows.append(
          RowChange(
            bank: Int32(bank), distance: Int32(truncatingIfNeeded: Int(state.openRow) - row),
            isOpen: state.openRow >= 0,
            hits: channels[index].hitsThatCount(bank)))
      }
      change.rowCount = rows.count - change.firstRow
      guard change.counts != DRAMCounts() || change.gaps != DRAMGaps() || change.rowCount > 0 else { continue }
      let ranks = channels[index].ranks.count
      for rank in 0..<ranks {
        let since = channels[index].ranks[rank].activeSince
        guard since >= 0 else { continue }
        change.openRanks |= 1 << UInt64(rank)
        change.counts.activeClocks += clock - since
      }
      if change.counts.reads + change.counts.writes > 0 {
        change.hasData = true
        change.dataEnd = channels[index].bus.dataEnd - clock
        if let rest = books.restStarts[index] {
          change.isResting = true
          change.restStart = rest
          change.gaps.idle -= books.clock + rest + channels[index].leastLatency - books.dataEnds[index]
        }
      }
      changes.append(change)
    }
    return (changes, rows)
  }

  /// Puts the books back, and the writes in front of the banks.
  package func restore(_ books: Books) {
    for index in 0..<channelCount {
      channels[index].count = books.counts[index]
      channels[index].gaps = books.gaps[index]
      channels[index].bus.dataEnd = books.dataEnds[index]
      channels[index].waitingWrites = books.waitingWrites[index]
      let (banks, ranks) = (channels[index].banks.count, channels[index].ranks.count)
      for bank in 0..<banks {
        let row = books.rows[index * banks + bank]
        channels[index].banks[bank].openRow = row
        channels[index].note(bank, isOpen: row >= 0)
        channels[index].banks[bank].hits = books.hits[index * banks + bank]
      }
      for rank in 0..<ranks { channels[index].ranks[rank].activeSince = books.activeSince[index * ranks + rank] }
    }
  }

  /// Does in the books what a stretch of clocks from `start` to `end` did, with rows relative to `row`.
  package func apply(
    _ change: BookChange, _ rows: UnsafePointer<RowChange>, from start: Int, to end: Int, row: Int
  ) {
    let index = change.channel
    channels[index].count += change.counts
    channels[index].gaps += change.gaps
    for rank in 0..<channels[index].ranks.count {
      let since = channels[index].ranks[rank].activeSince
      if since >= 0 { channels[index].count.activeClocks += start - since }
      channels[index].ranks[rank].activeSince = change.openRanks & 1 << UInt64(rank) != 0 ? end : -1
    }
    if change.hasData {
      if change.isResting {
        channels[index].gaps.idle +=
          start + change.restStart + channels[index].leastLatency - channels[index].bus.dataEnd
      }
      channels[index].bus.dataEnd = end + change.dataEnd
    }
    for place in change.firstRow..<(change.firstRow + change.rowCount) {
      let new = rows[place]
      channels[index].banks[Int(new.bank)].openRow = new.isOpen ? Int32(row + Int(new.distance)) : -1
      channels[index].banks[Int(new.bank)].hits = new.hits
      channels[index].note(Int(new.bank), isOpen: new.isOpen)
    }
  }
}
