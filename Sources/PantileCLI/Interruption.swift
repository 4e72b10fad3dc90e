import Foundation
import Pantile

/// Ctrl-C and SIGTERM as a wish to end with what there is.
enum Interruption {
  /// From now on the first signal ends all solves early, so that the best result so far is written; the second ends the process.
  static func endsSolves() {
    var action = sigaction()
    // Only what is safe in a handler: a store to an atomic, and giving both signals back.
    action.__sigaction_handler.sa_handler = { _ in
      Cancellation.cancelAll()
      signal(SIGINT, SIG_DFL)
      signal(SIGTERM, SIG_DFL)
    }
    action.sa_flags = SA_RESTART
    sigaction(SIGINT, &action, nil)
    sigaction(SIGTERM, &action, nil)
    // Who started the process may have passed on a mask that keeps them out, as threads of Dispatch do.
    var both = sigset_t()
    sigemptyset(&both)
    sigaddset(&both, SIGINT)
    sigaddset(&both, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &both, nil)
  }
}
