import Foundation
import PantileSupport

/// Bytes behind a `dense_resource` attribute, fetched only when asked for.
public struct Resource: Sendable {
  public enum Source: Sendable {
    case bytes(Data)
    /// `length` bytes of a file from `offset`; mapped, so that only what is read costs memory.
    case file(path: String, offset: Int, length: Int)
    /// Made by a rule that `summary` states.
    case generated(summary: String, @Sendable () throws(DiagnosticError) -> Data)
    /// The model came without them: compiling and timing still work.
    case absent
  }

  public var source: Source
  /// Bytes to which text asks the data to be aligned.
  public var alignment: Int

  public init(_ source: Source, alignment: Int = 4) {
    self.source = source
    self.alignment = alignment
  }

  /// Whether values can be had.
  public var isAbsent: Bool {
    if case .absent = source { return true }
    return false
  }

  /// The bytes; nil when absent.
  /// - Throws: `cannot-read`, `resource-size` when the file is shorter than promised; what a rule throws.
  public func data() throws(DiagnosticError) -> Data? {
    switch source {
    case .bytes(let data): return data
    case .absent: return nil
    case .generated(_, let make): return try make()
    case .file(let path, let offset, let length):
      let whole: Data
      do {
        whole = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
      } catch {
        throw DiagnosticError("cannot-read", "cannot read weights from '\(path)'", hint: "check the path")
      }
      guard offset >= 0, length >= 0, length <= whole.count, offset <= whole.count - length else {
        throw DiagnosticError(
          "resource-size", "'\(path)' has \(whole.count) bytes but bytes \(offset)..<\(offset + length) are needed")
      }
      return whole[offset..<offset + length]
    }
  }
}

/// Named resources in a fixed order: that of their first mention.
public struct ResourceTable: Sendable {
  public private(set) var keys: [String] = []
  private var entries: [String: Resource] = [:]

  public init() {}

  /// The resource; assigning nil removes it.
  public subscript(key: String) -> Resource? {
    get { entries[key] }
    set {
      if newValue != nil, entries[key] == nil { keys.append(key) }
      if newValue == nil { keys.removeAll { $0 == key } }
      entries[key] = newValue
    }
  }

  /// A key that is not taken, made of `[A-Za-z0-9_.$]` as every MLIR version reads.
  public func freeKey(_ name: String) -> String {
    let base = Module.valueName(name)
    guard entries[base] != nil else { return base }
    var number = 1
    while entries["\(base).\(number)"] != nil { number += 1 }
    return "\(base).\(number)"
  }
}
