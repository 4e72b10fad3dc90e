import PantileEngines

/// What a DRAM port remembers: states that it was in, and what came of each.
///
/// A *hop* leads from a state to the next one in one stretch of clocks: some bursts are taken, some are answered, counts grow. It was
/// stepped once, burst by burst. States are words that say all that the future depends on (`DRAMChannel.encode`), so a hop that was seen
/// in a state is what happens there again, wherever in time and in the rows of the memory. A refresh would be the exception: its distance
/// is no part of a state, so a hop is good for any distance if it ends before the refresh, and for its own distance alone if it does not.
final class StreamMemo {
  /// Bursts of a hop, about.
  static let segment = 256
  /// Words of all states and lists together: 256 MiB. Behind that nothing new is learnt.
  static let mostWords = 64 << 20

  /// What a hop begins with.
  enum Kind: Int32, BitwiseCopyable {
    /// Bursts are sent: `a` the first one's place behind the row, `b` how many or which, `c` whether they are the transfer's last.
    case take
    /// Nothing is sent; up to the next command that is answered.
    case drain
    /// Nothing is sent for `a` clocks.
    case wait
    /// A transfer begins after `a` clocks: `b` when its link is ready, `c` its queue, `banks` how many rows further on.
    case start
    /// Rows are counted from another one, `a` further on.
    case rebase
  }

  struct Key: Hashable, BitwiseCopyable {
    var state: Int32
    var kind: Kind
    var a: Int32 = 0
    var b: Int32 = 0
    var c: Int32 = 0
    /// The rows of the banks that it goes to (`DRAMSystem.rowCode`), four bits each or the number of their list; with a refresh, of all
    /// banks.
    var banks = 0
    /// Ranks that are held open by other banks than those that the state tells of and that it goes to, a bit each: they are active all
    /// the time.
    var heldRanks: UInt32 = 0
    /// Clocks to the next refresh; `anyRefresh` of hops that end before.
    var refresh: Int32 = Key.anyRefresh

    static let anyRefresh: Int32 = -1

    /// A hash that is the same in every process.
    var mixed: Int {
      var mix: UInt64 = 0
      func add(_ word: some FixedWidthInteger) {
        mix = (mix ^ UInt64(truncatingIfNeeded: word)) &* 0x9E37_79B9_7F4A_7C15
        mix ^= mix >> 29
      }
      add(state)
      add(kind.rawValue)
      add(a)
      add(b)
      add(c)
      add(banks)
      add(heldRanks)
      add(refresh)
      return Int(truncatingIfNeeded: mix >> 1)
    }
  }

  enum Outcome: UInt8, BitwiseCopyable { case none, sent, answered }

  struct Hop {
    var end: Int32
    /// Clocks from state to state.
    var duration = 0
    var taken = 0
    var outcome = Outcome.none
    /// The clock of an answer, from the start.
    var answerClock = 0
    /// As `DRAMWaits.Clocks`: what was added, and what stands at the end, from there.
    var waits = DRAMWaits.Clocks()
    /// By how much the next refresh is later than before.
    var refreshDelay = 0
    /// Stretches of `changes`, `acceptances` and `answers`.
    var changes = 0..<0
    var acceptances = 0..<0
    var answers = 0..<0
  }

  /// Banks, as numbers and as bits by channel.
  private struct Touched {
    var banks: [Int32]
    var masks: [UInt64]
  }

  /// Bursts that a channel took, or that a command (from the first open one) had answered.
  struct Number: BitwiseCopyable {
    var of: Int32
    var count: Int32
  }

  let rowBursts: Int
  @exclusivity(unchecked) var channelStates = WordTable()
  @exclusivity(unchecked) var states = WordTable()
  /// Lists of runs, and of banks' rows.
  @exclusivity(unchecked) var lists = WordTable()
  /// By state: no time in it is later than so many clocks.
  @exclusivity(unchecked) var horizons: [Int] = []

  /// By state, then channel: the banks of which the state tells.
  @exclusivity(unchecked) var told: [UInt64] = []
  /// The longest distance of a hop with a refresh.
  @exclusivity(unchecked) private var mostRefreshed = Int.min
  /// Banks by what a hop sends: the place of its first burst and their number or list.
  @exclusivity(unchecked) private var touched: [Int: Touched] = [:]

  @exclusivity(unchecked) private(set) var hops: [Hop] = []
  @exclusivity(unchecked) private var keys: [Key] = []
  @exclusivity(unchecked) private var places = [Int32](repeating: -1, count: 1 << 10)
  @exclusivity(unchecked) var changes: [DRAMSystem.BookChange] = []
  @exclusivity(unchecked) var rows: [DRAMSystem.RowChange] = []
  @exclusivity(unchecked) var acceptances: [Number] = []
  @exclusivity(unchecked) var answers: [Number] = []

  /// The state that the port is in, and since when; -1: it is stepped.
  @exclusivity(unchecked) var state: Int32 = -1
  @exclusivity(unchecked) var clock = 0
  /// The row that rows are counted from.
  @exclusivity(unchecked) var row = 0
  @exclusivity(unchecked) var refreshDue = 0
  /// Nothing comes of the state before the end of this clock; 0 when that is not known.
  @exclusivity(unchecked) var upcoming = 0
  /// A transfer has begun since the state was last asked for.
  @exclusivity(unchecked) var mayEnter = false

  /// So many transfers are stepped from now on.
  @exclusivity(unchecked) private var pause = 0
  /// How many hops were done from memory; those that were stepped for it are `hops`.
  @exclusivity(unchecked) var recalled = 0

  /// Nil for a memory whose requests cannot be moved from row to row.
  init?(_ memory: DRAMSystem) {
    guard let rowBursts = memory.rowBursts, rowBursts >= 2 * Self.segment else { return nil }
    self.rowBursts = rowBursts
  }

  private var isFull: Bool {
    channelStates.wordCount + states.wordCount + lists.wordCount + 32 * hops.count + 64 * changes.count > Self.mostWords
  }

  /// Whether a hop may be stepped to be known; if not, some transfers are stepped without asking.
  func mayLearn() -> Bool {
    if !isFull { return true }
    pause = 64
    return false
  }

  /// Whether the next transfer is stepped without asking.
  func skipsTransfer() -> Bool {
    if pause == 0 { return false }
    pause -= 1
    return true
  }

  // MARK: Hops

  /// Completes the key of a segment, which goes to `count` bursts from `first` behind the row on, neighbours or a list.
  func locate(_ key: inout Key, first: Int, count: Int, list: Int32, _ memory: DRAMSystem) {
    let name = first << 32 | Int(UInt32(bitPattern: list))
    let found = touched[name] ?? findBanks(name, first: first, count: count, list: list, memory)
    var bits = 0
    var isShort = found.banks.count < 16
    for bank in found.banks where isShort {
      let code = memory.rowCode(bank, row: row)
      isShort = code < 16
      bits = bits << 4 | Int(code)
    }
    key.banks = isShort ? bits : -1 - Int(lists.number(of: found.banks.map { memory.rowCode($0, row: row) }))
    let start = Int(state) * memory.channelTotal
    key.heldRanks = memory.ranksHeldOpen { told[start + $0] | found.masks[$0] }
  }

  /// Completes the key of a hop that goes to no banks but those that the state tells of.
  func locate(_ key: inout Key, _ memory: DRAMSystem) {
    let start = Int(state) * memory.channelTotal
    key.heldRanks = memory.ranksHeldOpen { told[start + $0] }
  }

  private func findBanks(_ name: Int, first: Int, count: Int, list: Int32, _ memory: DRAMSystem) -> Touched {
    var runs = [first..<(first + count)]
    if list < 0 {
      let words = lists.words(of: -1 - list)
      runs = stride(from: 0, to: words.count, by: 2).map {
        (first + Int(words[$0]))..<(first + Int(words[$0]) + Int(words[$0 + 1]))
      }
    }
    let banks = memory.banks(of: runs)
    let found = Touched(banks: banks, masks: memory.masks(of: banks))
    touched[name] = found
    return found
  }

  /// The hop of a state, `distance` clocks before the next refresh.
  ///
  /// - Parameter key: with any refresh.
  /// - Parameter duration: of a hop that takes as long as it is told; it must end before the refresh too.
  func hop(_ key: Key, refreshIn distance: Int, lasting duration: Int = 0, _ memory: DRAMSystem) -> Int? {
    if duration < distance, let found = find(key), hops[found].duration < distance { return found }
    guard let exact = Int32(exactly: distance) else { return nil }
    // Short distances: further off than this no hop has met a refresh.
    guard distance <= mostRefreshed else { return nil }
    var key = key
    key.refresh = exact
    key.banks = refreshed(key, memory.rowCodes(row: row))
    return find(key)
  }

  private func find(_ key: Key) -> Int? {
    var place = key.mixed & (places.count - 1)
    while places[place] >= 0 {
      let number = Int(places[place])
      if keys[number] == key { return number }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }

  /// What `banks` is of a hop with a refresh: all banks, and what it was.
  func refreshed(_ key: Key, _ rowCodes: [Int32]) -> Int {
    Int(
      lists.number(of: [Int32(truncatingIfNeeded: key.banks), Int32(truncatingIfNeeded: key.banks >> 32)] + rowCodes))
  }

  func add(_ hop: Hop, for key: Key) -> Int {
    if key.refresh != Key.anyRefresh { mostRefreshed = max(mostRefreshed, Int(key.refresh)) }
    if 2 * hops.count >= places.count {
      places = [Int32](repeating: -1, count: 2 * places.count)
      for number in hops.indices { put(number) }
    }
    hops.append(hop)
    keys.append(key)
    put(hops.count - 1)
    return hops.count - 1
  }

  private func put(_ number: Int) {
    var place = keys[number].mixed & (places.count - 1)
    while places[place] >= 0 { place = (place + 1) & (places.count - 1) }
    places[place] = Int32(number)
  }
}
