import PantileSupport

/// One engine of a core: its family and the values of all fields of the family's schema, defaults filled in.
public struct EngineSection: Sendable {
  /// One field of the section.
  public struct Field: Sendable {
    public var key: String
    public var value: FieldValue
    /// Where the value stands; the section when it is a default.
    public var location: SourceLocation

    public init(key: String, value: FieldValue, location: SourceLocation = .unknown) {
      self.key = key
      self.value = value
      self.location = location
    }
  }

  /// The name by which commands and reports speak of it: `array0`.
  public var name: String
  /// The family: `systolic`.
  public var family: String
  /// In the order of the family's schema.
  public var values: [Field]
  public var location: SourceLocation

  public init(name: String, family: String, values: [Field], location: SourceLocation = .unknown) {
    self.name = name
    self.family = family
    self.values = values
    self.location = location
  }

  /// The field `key`, or nil.
  public func field(_ key: String) -> Field? { values.first { $0.key == key } }

  /// The place of a field, for diagnostics; the section's when there is none.
  public func location(of key: String) -> SourceLocation { field(key)?.location ?? location }

  /// A `count` or `powerOfTwo` field.
  /// - Precondition: the family's schema has the field with this kind; so it is with all getters here.
  public func count(_ key: String) -> Int {
    guard case .count(let value) = field(key)?.value else { mismatch(key, "count") }
    return value
  }

  /// A `cycles` field.
  public func cycles(_ key: String) -> Cycles {
    guard case .cycles(let value) = field(key)?.value else { mismatch(key, "cycles") }
    return value
  }

  /// A `bytes` field.
  public func bytes(_ key: String) -> Bytes {
    guard case .bytes(let value) = field(key)?.value else { mismatch(key, "bytes") }
    return value
  }

  /// A `bandwidth` field.
  public func bandwidth(_ key: String) -> BytesPerCycle {
    guard case .bandwidth(let value) = field(key)?.value else { mismatch(key, "bandwidth") }
    return value
  }

  /// A `choice` or `memory` field.
  public func choice(_ key: String) -> String {
    guard case .choice(let value) = field(key)?.value else { mismatch(key, "choice") }
    return value
  }

  /// A `choices` field.
  public func choices(_ key: String) -> [String] {
    guard case .choices(let value) = field(key)?.value else { mismatch(key, "choices") }
    return value
  }

  /// A `flag` field.
  public func flag(_ key: String) -> Bool {
    guard case .flag(let value) = field(key)?.value else { mismatch(key, "flag") }
    return value
  }

  /// A `patterns` field.
  public func patterns(_ key: String) -> [SparsityPattern] {
    guard case .patterns(let value) = field(key)?.value else { mismatch(key, "patterns") }
    return value
  }

  private func mismatch(_ key: String, _ kind: String) -> Never {
    preconditionFailure(
      "engine '\(name)' of family '\(family)' has no \(kind) field '\(key)': \(values.map { "\($0.key)=\($0.value)" })")
  }
}
