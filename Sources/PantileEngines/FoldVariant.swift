/// Whether consecutive folds of a command, and consecutive commands, overlap in the array.
public enum FoldVariant: String, Hashable, Sendable, CaseIterable {
  /// One fold after another: no second register.
  case serial
  /// One more register a PE: the next weights load, or the last results drain, behind the stream.
  case overlapped
}
