import Foundation
import Pantile
import Synchronization

/// How far a search is, on stderr: one line that changes on a terminal, now and then a line elsewhere.
///
/// It goes by the clock, which only what is shown depends on.
final class PlanProgress: Sendable {
  private struct State {
    var last: Double
    var text = ""
  }

  private let state: Mutex<State>

  init() {
    state = Mutex(State(last: PlanProgress.now()))
  }

  /// Shows it, unless something was shown just before. Short work shows nothing where no person looks.
  func show(_ progress: ScheduleOptions.Progress) {
    let isInteractive = Terminal.isInteractive
    let now = PlanProgress.now()
    var text = "\(progress.phase): \(progress.incumbent.map { "best \(Table.grouped($0))" } ?? "no plan yet")"
    text += ", bound \(Table.grouped(progress.bound))"
    if let best = progress.incumbent {
      text += ", gap \(Table.percent(Double(max(0, best - progress.bound)) / Double(max(best, 1))))"
    }
    text += ", \(Table.grouped(progress.states)) states"
    let isDue = state.withLock { state in
      let elapsed = now - state.last
      guard elapsed > (isInteractive ? 0.1 : 5) else { return false }
      if text == state.text { return false }
      state.last = now
      state.text = text
      return true
    }
    guard isDue else { return }
    if isInteractive { Terminal.progress(text) } else { Terminal.writeError(text + "\n") }
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
