import Foundation
import Synchronization

/// The three things that a command may say: results, diagnostics, and progress that only a person at a terminal sees.
enum Terminal {
  /// Whether a progress line stands on the terminal.
  private static let isProgressShown = Mutex(false)

  /// Whether a person may be looking at stderr.
  static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes to stdout, in full.
  static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

  /// Writes to stderr, after removing a progress line.
  static func writeError(_ text: String) {
    endProgress()
    write(text, to: STDERR_FILENO)
  }

  /// Shows how far long work is, in place of the line before; nothing when stderr is no terminal.
  static func progress(_ text: String) {
    guard isInteractive else { return }
    isProgressShown.withLock { shown in
      write("\r\u{1B}[K" + text.prefix(100), to: STDERR_FILENO)
      shown = true
    }
  }

  /// Removes the progress line.
  static func endProgress() {
    isProgressShown.withLock { shown in
      if shown { write("\r\u{1B}[K", to: STDERR_FILENO) }
      shown = false
    }
  }

  private static func write(_ text: some StringProtocol, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        // Nobody listens any more.
        return
      }
      bytes = bytes.dropFirst(written)
    }
  }
}
