/// Which terms the lanes of a step add in which cycle.
enum TermRounds {
  struct Pick: Hashable, Sendable {
    var lane: Int
    var power: Int
    var isNegative: Bool
  }

  /// The cycles of one step. With the policy `fixed` every digit has its own: place c of plain and sign-magnitude bits, places 2c and
  /// 2c+1 of Booth's and of non-adjacent digits, the c-th leading one. Else each lane gives its lowest pending term, if the policy lets it.
  static func rounds(_ machine: BitSerialMachine, _ lanes: [TermEncoding.Terms], bits: Int) -> [[Pick]] {
    if machine.termPolicy == .fixed {
      return (0..<machine.encoding.fixedTerms(bits: bits)).map { round in
        lanes.indices.compactMap { lane in
          power(of: lanes[lane], round: round, machine.encoding).map {
            Pick(lane: lane, power: $0, isNegative: lanes[lane].minus >> UInt32($0) & 1 == 1)
          }
        }
      }
    }
    var pending = lanes.map(\.positions)
    var result: [[Pick]] = []
    while true {
      let all = pending.reduce(0, |)
      if all == 0 { return result }
      let lowest = all.trailingZeroBitCount
      var round: [Pick] = []
      for lane in lanes.indices where pending[lane] != 0 {
        let power = pending[lane].trailingZeroBitCount
        if machine.termPolicy == .skipColumns && power != lowest { continue }
        if let reach = machine.shiftReach, power > lowest + reach { continue }
        pending[lane] &= pending[lane] - 1
        round.append(Pick(lane: lane, power: power, isNegative: lanes[lane].minus >> UInt32(power) & 1 == 1))
      }
      result.append(round)
    }
  }

  private static func power(of terms: TermEncoding.Terms, round: Int, _ encoding: TermEncoding) -> Int? {
    switch encoding {
    case .plain, .signMagnitude, .bitColumn:
      return terms.positions >> UInt32(round) & 1 == 1 ? round : nil
    case .booth, .naf:
      let pair = terms.positions >> UInt32(2 * round) & 3
      return pair == 0 ? nil : 2 * round + pair.trailingZeroBitCount
    case .lod2:
      var rest = terms.positions
      for _ in 0..<round where rest != 0 { rest &= ~(1 << UInt32(31 - rest.leadingZeroBitCount)) }
      return rest == 0 ? nil : 31 - rest.leadingZeroBitCount
    }
  }
}
