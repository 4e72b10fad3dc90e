/// The ports of an N:M array, numbered in the order in which events of one cycle are listed.
///
/// Rows and columns are the array's edges, behind the skew registers. Padding lanes bring zeros to the edges, but touch no memory.
package struct NMPorts: Hashable, Sendable, BitwiseCopyable {
  package var rows: Int
  package var columns: Int
  /// Activations of a group (M); 1 when weights are dense.
  package var group: Int

  package init(rows: Int, columns: Int, group: Int) {
    self.rows = rows
    self.columns = columns
    self.group = group
  }

  /// A vector of activations enters; the value is the address of its first element in A.
  package var activationMemory: Int { 0 }
  /// A beat of C pairs enters; the value is the row that takes it (`ws`), or the row of B (`os`).
  package var weightMemory: Int { 1 }
  /// Element e of the group that PE (r, 0) sees.
  package func row(_ r: Int, _ e: Int) -> Int { 2 + r * group + e }
  /// The value and the index that PE (0, c) sees.
  package func value(_ c: Int) -> Int { 2 + rows * group + c }
  package func index(_ c: Int) -> Int { value(c) + columns }
  /// The sum that leaves column c.
  package func result(_ c: Int) -> Int { value(c) + 2 * columns }
  /// The accumulator written by column c, word m·N + n, and the one read in the same cycle.
  package func write(_ c: Int) -> Int { value(c) + 3 * columns }
  package func read(_ c: Int) -> Int { value(c) + 4 * columns }

  package var count: Int { 2 + rows * group + 5 * columns }

  /// As in `row 3.1` or `write 0`.
  package func name(_ port: Int) -> String {
    switch port {
    case 0: return "activation memory"
    case 1: return "weight memory"
    case ..<(2 + rows * group): return "row \((port - 2) / group).\((port - 2) % group)"
    default:
      let at = port - 2 - rows * group
      return "\(["value", "index", "result", "write", "read"][min(at / columns, 4)]) \(at % columns)"
    }
  }
}

/// What to watch, and what to do to an N:M array while it runs.
package struct NMStepperOptions: Sendable, BitwiseCopyable {
  /// Whether every use of every port is listed.
  package var recordsEvents = false
  package var fault = NMFault.none

  package init(recordsEvents: Bool = false, fault: NMFault = .none) {
    self.recordsEvents = recordsEvents
    self.fault = fault
  }
}

/// An interval of the machine shortened by one cycle. The numbers are the RTL twin's parameter `FAULT`.
package enum NMFault: Int, Sendable, CaseIterable, BitwiseCopyable {
  case none = 0
  /// `ws`: pairs count as standing one beat before the last has entered.
  case load = 1
  /// A stream ends one beat early.
  case stream = 2
  /// The last row's skew is one register short.
  case skew = 3
  /// The adder has one stage less than stated.
  case stage = 4
  /// Serial: the next fold starts in the last cycle of the running one.
  case turn = 5
  /// `os` overlapped: slots are a cycle shorter than R·I + R-1.
  case slot = 6
  /// `os`: contexts are used again a cycle too early.
  case period = 7
  /// `os`: the drain starts a cycle early.
  case drain = 8
  /// What the activation port brings enters a part too early; planted in the RTL twin alone.
  case port = 9
}

package struct NMStepperRun: Sendable {
  package var result: ArrayStepResult
  /// In the order of cycle and port; empty unless asked for.
  package var events: [EdgeEvent]
}

extension [EdgeEvent] {
  /// By cycle, then port; no port has two events in a cycle.
  var inOrder: [EdgeEvent] { sorted { ($0.cycle, $0.port) < ($1.cycle, $1.port) } }
}
