import Foundation
import Synchronization

/// Runs `body` on a thread of its own with a call stack that definitions inside each other do not exhaust.
///
/// The stack of the calling thread may be small; nothing runs at the same time.
func withDeepStack<R: Sendable>(_ body: @escaping @Sendable () -> R) -> R {
  let result = Holder<R>()
  let done = DispatchSemaphore(value: 0)
  // The caller waits, so that what it holds outlives the thread.
  let thread = Thread {
    let value = body()
    result.value.withLock { $0 = value }
    done.signal()
  }
  thread.stackSize = 128 << 20
  thread.start()
  done.wait()
  guard let value = result.value.withLock({ $0 }) else { preconditionFailure("a thread ended without a result") }
  return value
}

private final class Holder<R: Sendable>: Sendable {
  let value = Mutex<R?>(nil)
}
