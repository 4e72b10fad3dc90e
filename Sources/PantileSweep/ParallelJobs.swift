import Foundation
import PantileSupport
import Synchronization

/// Runs jobs `0 ..< count`, each exactly once, on `workers` threads; returns when all are done.
///
/// Threads, not tasks: a job computes for seconds without a pause and must not hold up the cooperative pool, and
/// compiling recurses deeper than a small stack allows. `body` returns false to stop further jobs from starting.
func runInParallel(count: Int, workers: Int, body: @escaping @Sendable (Int) -> Bool) {
  let state = WorkerState()
  let group = DispatchGroup()
  for _ in 0..<max(1, min(workers, count)) {
    group.enter()
    let thread = Thread {
      while let job = state.take(below: count) {
        if !body(job) { state.stop() }
      }
      group.leave()
    }
    thread.stackSize = 64 << 20
    thread.start()
  }
  group.wait()
}

/// What `body` gives for `0 ..< count`, in order; the same for any number of workers.
/// - Throws: what the first failing job in order threw; jobs that had not begun by then never run.
package func mapInParallel<Value: Sendable>(
  count: Int, workers: Int, _ body: @escaping @Sendable (Int) throws(DiagnosticError) -> Value
) throws(DiagnosticError) -> [Value] {
  let results = JobResults<Result<Value, DiagnosticError>>(count: count)
  runInParallel(count: count, workers: workers) { index in
    do throws(DiagnosticError) {
      results.set(index, .success(try body(index)))
      return true
    } catch {
      results.set(index, .failure(error))
      return false
    }
  }
  var values: [Value] = []
  // A job that never began stands behind one that failed.
  for result in results.all { values.append(try result.get()) }
  return values
}

/// Which job is next.
private final class WorkerState: Sendable {
  private let next: Mutex<Int>

  init() { next = Mutex(0) }

  func take(below count: Int) -> Int? {
    next.withLock { value in
      guard value < count else { return nil }
      value += 1
      return value - 1
    }
  }

  func stop() { next.withLock { $0 = Int.max } }
}

/// Results of jobs that end in any order, by position.
final class JobResults<Value: Sendable>: Sendable {
  private let state: Mutex<[Value?]>

  init(count: Int) { state = Mutex(Array(repeating: nil, count: count)) }

  func set(_ index: Int, _ value: Value) { state.withLock { $0[index] = value } }

  /// Those of the jobs that were run, in order.
  var all: [Value] { state.withLock { $0.compactMap { $0 } } }
}
