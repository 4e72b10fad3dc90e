import Foundation
import PantileSupport

/// A file mapped read-only into memory; pages are read when touched, so opening costs the same for any size.
public final class MappedFile: @unchecked Sendable {
  // Sendable by hand: the mapping is read-only and lives as long as the object.
  let base: UnsafeMutableRawPointer
  /// The size of the file in bytes.
  public let byteCount: Int
  public let path: String

  /// - Throws: `cannot-read` when the file is missing, refused, or not a regular file.
  public init(path: String) throws(DiagnosticError) {
    // Non-blocking, so that a pipe of that name is refused instead of waited for.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw DiagnosticError("cannot-read", "cannot open '\(path)'", hint: "check the path") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw DiagnosticError("cannot-read", "'\(path)' is not a regular file")
    }
    byteCount = Int(status.st_size)
    self.path = path
    // A mapping of no bytes is refused by the system; one spare byte stands for it.
    if byteCount == 0 {
      base = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 16)
      return
    }
    guard let address = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw DiagnosticError("cannot-read", "cannot map '\(path)' into memory")
    }
    base = address
  }

  deinit {
    if byteCount == 0 { base.deallocate() } else { munmap(base, byteCount) }
  }

  /// All bytes of the file, valid during the call.
  public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: base, count: byteCount))
  }
}
