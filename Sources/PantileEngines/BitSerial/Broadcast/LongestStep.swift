/// The most cycles that any operands keep a step of a bit-serial machine busy: what plans count on.
///
/// - `fixed`: T, all terms of a number.
/// - `skip-zero-terms`: T as well, since some number has that many; with a short shift reach, which makes lanes wait for one another, the most
///   rounds of any set of numbers.
/// - `skip-zero-columns`: all bit positions that some number has.
///
/// **Accuracy** exact for steps of as many lanes as there are positions, and no less than any step takes.
struct LongestStep: Hashable, Sendable {
  private let machine: BitSerialMachine
  /// By bits of the serial number; what a fixed step takes for the policy `fixed`.
  private let cycles: [Int]

  /// Widest number of a chip's array.
  static let widest = 8

  init(_ machine: BitSerialMachine) {
    self.machine = machine
    cycles = [0] + (1...LongestStep.widest).map { LongestStep.cycles(machine, bits: $0) }
  }

  /// Cycles of a step with a format of at most `widest` bits.
  func cycles(_ format: ContractionFormat) -> Int {
    switch machine.serialOperand {
    case .weight: cycles[format.weightBits]
    case .activation: cycles[format.activationBits]
    case .both: cycles[format.weightBits] * cycles[format.activationBits]
    }
  }

  private static func cycles(_ machine: BitSerialMachine, bits: Int) -> Int {
    let encoding = machine.encoding
    if machine.termPolicy == .fixed { return encoding.fixedTerms(bits: bits) }
    let limit = 1 << (bits - 1)
    let numbers = Set(
      (-limit..<limit).filter { encoding.refusal(of: $0, bits: bits, allowsLowest: false) == nil }
        .map { encoding.terms($0, bits: bits).positions })
    if machine.termPolicy == .skipColumns { return max(1, numbers.reduce(0, |).nonzeroBitCount) }
    let most = numbers.reduce(1) { max($0, $1.nonzeroBitCount) }
    guard let reach = machine.shiftReach, reach + 1 < UInt32.bitWidth - numbers.reduce(0, |).leadingZeroBitCount else {
      return most
    }
    return max(1, rounds(Array(numbers), reach: reach))
  }

  /// The most rounds that lanes of these numbers take, each round giving what is within `reach` of the lowest pending position of all.
  ///
  /// What a lane does follows from those lowest positions alone. So the search is over rising sequences of them: one more may follow when some
  /// number, which was never pending below the ones before, is pending there.
  private static func rounds(_ numbers: [UInt32], reach: Int) -> Int {
    func longest(_ pending: [UInt32]) -> Int {
      var best = 0
      for lowest in Set(pending.filter { $0 != 0 }.map(\.trailingZeroBitCount)) {
        // Lanes that are pending further down are none of the set; the others give their lowest if it is within reach.
        let next = Set(
          pending.filter { $0 == 0 || $0.trailingZeroBitCount >= lowest }.map { lane in
            lane != 0 && lane.trailingZeroBitCount <= lowest + reach ? lane & (lane - 1) : lane
          })
        best = max(best, 1 + longest(Array(next)))
      }
      return best
    }
    return longest(numbers)
  }
}
