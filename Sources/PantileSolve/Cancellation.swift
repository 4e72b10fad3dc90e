import CGuard

/// A wish that running solves end early: they return the best point so far and its bound.
public final class Cancellation: Hashable, @unchecked Sendable {
  /// One atomic integer, which lives as long as this object.
  let flag: OpaquePointer

  public init() {
    guard let flag = cguard_flag_create() else { preconditionFailure("out of memory for a cancellation flag") }
    self.flag = flag
  }

  deinit { cguard_flag_delete(flag) }

  /// May be called from any thread, any number of times.
  public func cancel() { cguard_flag_set(flag) }

  public var isCancelled: Bool { cguard_is_cancelled(flag) != 0 }

  /// True while `cancelAll` holds.
  public static var isAllCancelled: Bool { cguard_is_cancelled(nil) != 0 }

  /// Cancels all solves of the process, or allows them again. A single store to an atomic: safe in a signal handler.
  public static func cancelAll(_ cancelled: Bool = true) { cguard_cancel_all(cancelled ? 1 : 0) }

  public static func == (a: Cancellation, b: Cancellation) -> Bool { a === b }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
