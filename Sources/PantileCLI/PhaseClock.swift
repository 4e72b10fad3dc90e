import Foundation
import Pantile

/// CPU seconds of the phases of a command, for `--timing`.
struct PhaseClock {
  private let isOn: Bool
  private var last: Double

  init(isOn: Bool) {
    self.isOn = isOn
    last = PhaseClock.now()
  }

  /// Ends a phase and says on stderr how long it took.
  mutating func end(_ phase: String) {
    let now = PhaseClock.now()
    if isOn {
      let thousandths = Int(((now - last) * 1000).rounded())
      let fraction = String(thousandths % 1000)
      let padding = String(repeating: "0", count: 3 - fraction.count)
      Terminal.writeError("\(phase): \(thousandths / 1000).\(padding)\(fraction) CPU s\n")
    }
    last = now
  }

  /// CPU seconds of this process; plain double, for people.
  static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
