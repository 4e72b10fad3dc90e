import PantileSupport
import Synchronization

/// Energy tables that were read before, so that a sweep of a thousand chips does not parse the same file a thousand times.
///
/// An entry counts as long as the texts of all its files are what they were; a file that changes is read anew. Only whole tables are
/// kept, never a diagnostic.
final class EnergyTableCache: Sendable {
  /// A file that a table was made of.
  struct File: Sendable, Equatable {
    var path: String
    var text: String
  }

  private struct Entry {
    /// The table's own file first.
    var files: [File]
    var table: EnergyTable
  }

  static let shared = EnergyTableCache()

  private let entries = Mutex<[String: Entry]>([:])

  /// The table of a file with this text, when it and all that it names are unchanged.
  func table(of file: File) -> EnergyTable? {
    guard let entry = entries.withLock({ $0[file.path] }), entry.files.first == file else { return nil }
    for other in entry.files.dropFirst() {
      guard let text = try? AtomicFile.readText(other.path), text == other.text else { return nil }
    }
    return entry.table
  }

  func keep(_ table: EnergyTable, of files: [File]) {
    guard let first = files.first else { return }
    entries.withLock { $0[first.path] = Entry(files: files, table: table) }
  }
}
