import PantileSupport

/// A weight-sparsity pattern: at most `kept` nonzeros in each group of `group` neighbours; written `2:4`.
public struct SparsityPattern: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
  public var kept: Int
  public var group: Int

  public init(kept: Int, group: Int) {
    self.kept = kept
    self.group = group
  }

  public var description: String { "\(kept):\(group)" }
}

/// The value of one field of an engine section.
public enum FieldValue: Hashable, Sendable {
  case count(Int)
  case cycles(Cycles)
  case bytes(Bytes)
  case bandwidth(BytesPerCycle)
  /// One word, of a choice or the name of a memory.
  case choice(String)
  /// Several words of one set.
  case choices([String])
  case flag(Bool)
  case patterns([SparsityPattern])
}

extension FieldValue: CustomStringConvertible {
  /// As a chip file writes it, unit included.
  public var description: String {
    switch self {
    case .count(let value): return "\(value)"
    case .cycles(let value): return value.count == 1 ? "1 cycle" : "\(value.count) cycles"
    case .bytes(let value): return exactSize(value)
    case .bandwidth(let value): return value.description
    case .choice(let value): return value
    case .choices(let values): return "[" + values.joined(separator: ", ") + "]"
    case .flag(let value): return "\(value)"
    case .patterns(let values): return "[" + values.map { "'\($0)'" }.joined(separator: ", ") + "]"
    }
  }
}

/// A size without loss: the largest binary unit that divides it.
func exactSize(_ size: Bytes) -> String {
  for (unit, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
  where size.count > 0 && size.count % factor == 0 {
    return "\(size.count / factor) \(unit)"
  }
  return "\(size.count) B"
}

/// One field that an engine family understands; the chip loader checks sections against these values.
public struct FieldSchema: Sendable {
  /// What a field may hold.
  public enum Kind: Hashable, Sendable {
    /// A whole number in a range, no unit.
    case count(ClosedRange<Int>)
    /// A power of two in a range, no unit.
    case powerOfTwo(ClosedRange<Int>)
    /// A time in cycles, or in seconds turned to cycles by the chip's clock.
    case cycles(ClosedRange<Int>)
    /// A size, range in bytes.
    case bytes(ClosedRange<Int>)
    /// Bytes per cycle or per second.
    case bandwidth
    /// One of these words.
    case choice([String])
    /// A non-empty list of these words, without repeats.
    case choices([String])
    /// `true` or `false`.
    case flag
    /// A non-empty list of N:M sparsity patterns, groups up to this size.
    case patterns(maximumGroup: Int)
    /// The name of a memory of the chip.
    case memory
  }

  /// As written in the chip file, snake_case.
  public var key: String
  public var kind: Kind
  /// Used when the file is silent; nil makes the field mandatory.
  public var defaultValue: FieldValue?
  /// One line for the generated reference.
  public var summary: String

  public init(_ key: String, _ kind: Kind, default defaultValue: FieldValue? = nil, summary: String) {
    self.key = key
    self.kind = kind
    self.defaultValue = defaultValue
    self.summary = summary
  }
}

/// What sections of one engine family look like. `PantileTarget` knows no engine: callers hand these in by family name.
public struct EngineSchema: Sendable {
  /// As written after `family:`.
  public var family: String
  /// One line for the generated reference.
  public var summary: String
  public var fields: [FieldSchema]
  /// Conditions between fields, checked when all fields are right: each returns the complaint, or nil.
  public var check: @Sendable (EngineSection) -> Diagnostic?

  public init(
    family: String, summary: String, fields: [FieldSchema],
    check: @escaping @Sendable (EngineSection) -> Diagnostic? = { _ in nil }
  ) {
    self.family = family
    self.summary = summary
    self.fields = fields
    self.check = check
  }
}
