/// The register-transfer models of the systolic arrays: cycle by cycle, every register of every PE.
package enum SystolicStepper {
  /// What to watch, and what to do to the array while it runs.
  package struct Options: Sendable {
    /// Whether every use of every port is listed.
    package var recordsEvents = false
    /// Whether the array's enable is low in a cycle; it is high beyond the end.
    package var freeze: [Bool] = []
    package var fault = Fault.none

    package init(recordsEvents: Bool = false, freeze: [Bool] = [], fault: Fault = .none) {
      self.recordsEvents = recordsEvents
      self.freeze = freeze
      self.fault = fault
    }
  }

  /// An interval of the machine shortened by one cycle. The numbers are the RTL twins' parameter `FAULT`.
  package enum Fault: Int, Sendable, CaseIterable {
    case none = 0
    /// `ws`, `is` overlapped, skewed: the next load starts a cycle before the swap wave lets it.
    case reload = 1
    /// `ws`, `is`: weights count as standing one beat before the last has entered.
    case load = 2
    /// A stream ends one beat early.
    case stream = 3
    /// The last row's skew is one register short.
    case skew = 4
    /// A PE has one stage less than stated.
    case stage = 5
    /// `os` overlapped: slots are a cycle shorter than 2R-1.
    case slot = 6
    /// Serial: the next fold starts in the last cycle of the running one.
    case turn = 7
    /// `os`: the drain starts a cycle early.
    case drain = 8
  }

  package struct Run: Sendable {
    package var result: ArrayStepResult
    /// In the order of cycle and port; empty unless asked for.
    package var events: [EdgeEvent]
    /// Cycles in which the array was frozen.
    package var frozenCycles: Int
  }

  /// Runs commands in order, each as early as the array allows.
  package static func run(
    _ options: SystolicOptions, _ commands: [SystolicCommand], _ run: Options = Options()
  ) -> Run {
    switch options.dataflow {
    case .weightStationary, .inputStationary: return SystolicWeightStepper.run(options, commands, run)
    case .outputStationary: return SystolicOutputStepper.run(options, commands, run)
    }
  }
}

/// The clock of a run: array time stands still while the enable is low.
struct SystolicClock {
  let freeze: [Bool]
  /// Cycles since the start.
  var cycle = 0
  /// Of them those in which the array moved.
  var time = 0

  init(freeze: [Bool]) { self.freeze = freeze }

  /// Skips the cycles in which nothing moves.
  @inline(__always) mutating func skipFrozen() {
    while cycle < freeze.count && freeze[cycle] { cycle += 1 }
  }

  @inline(__always) mutating func advance() {
    cycle += 1
    time += 1
  }
}

/// Which wavefronts are alive: the PEs (r, c) with r + c inside see real operands or the zeros between two streams.
struct SystolicWaves {
  var first = 0
  var last = -1

  /// The columns of row r that are alive.
  @inline(__always) func columns(ofRow r: Int, _ columns: Int) -> Range<Int> {
    let low = max(0, first - r)
    return low..<max(low, min(columns, last - r + 1))
  }
}
