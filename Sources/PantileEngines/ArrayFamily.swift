/// The definition value of an array family: what a chip file may say about it, and how to make a configured array from that.
public final class ArrayFamily: Sendable {
  /// As in a chip file: `systolic`.
  public let name: String
  /// One line for lists and generated references.
  public let summary: String

  public init(name: String, summary: String) {
    self.name = name
    self.summary = summary
  }
}

extension ArrayFamily {
  /// The families that ship; one line each. Every user of families takes a list, so that others can add theirs.
  public static let all: [ArrayFamily] = [
    .systolic,
    .bitSerial,
    .nmSparse,
  ]
}
