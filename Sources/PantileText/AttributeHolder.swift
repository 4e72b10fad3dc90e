import PantileSupport

/// Something with named attributes and a place: gives typed getters whose errors name both.
public protocol AttributeHolder {
  func attribute(_ key: String) -> AttributeSyntax?
  /// What messages call the holder: the op's name.
  var attributeOwner: String { get }
  var location: SourceLocation { get }
}

extension AttributeHolder {
  /// Whether an attribute of that name is there.
  public func has(_ key: String) -> Bool { attribute(key) != nil }

  /// - Throws: `missing-attribute`.
  public func requiredAttribute(_ key: String) throws(DiagnosticError) -> AttributeSyntax {
    guard let value = attribute(key) else {
      throw DiagnosticError("missing-attribute", "'\(attributeOwner)' needs attribute '\(key)'", at: location)
    }
    return value
  }

  private func get<T>(_ key: String, _ expected: String, _ read: (AttributeSyntax) -> T?) throws(DiagnosticError) -> T {
    let value = try requiredAttribute(key)
    guard let result = read(value) else {
      throw DiagnosticError(
        "attribute-kind", "attribute '\(key)' of '\(attributeOwner)' must be \(expected) but is \(value.kindName)",
        at: location)
    }
    return result
  }

  /// - Throws: `missing-attribute`, `attribute-kind`.
  public func integer(_ key: String) throws(DiagnosticError) -> Int { try get(key, "an integer", \.asInteger) }

  /// The integer, or `fallback` when the attribute is absent.
  /// - Throws: `attribute-kind`.
  public func integer(_ key: String, default fallback: Int) throws(DiagnosticError) -> Int {
    has(key) ? try integer(key) : fallback
  }

  /// An integer that is at least `least`.
  /// - Throws: `missing-attribute`, `attribute-kind`, `attribute-range`.
  public func integer(_ key: String, atLeast least: Int) throws(DiagnosticError) -> Int {
    let value = try integer(key)
    guard value >= least else {
      throw DiagnosticError(
        "attribute-range", "attribute '\(key)' of '\(attributeOwner)' must be at least \(least) but is \(value)",
        at: location)
    }
    return value
  }

  /// - Throws: `missing-attribute`, `attribute-kind`.
  public func integers(_ key: String) throws(DiagnosticError) -> [Int] {
    try get(key, "a list of integers", \.asIntegers)
  }

  /// - Throws: `attribute-kind`.
  public func integers(_ key: String, default fallback: [Int]) throws(DiagnosticError) -> [Int] {
    has(key) ? try integers(key) : fallback
  }

  /// - Throws: `missing-attribute`, `attribute-kind`.
  public func number(_ key: String) throws(DiagnosticError) -> Double { try get(key, "a number", \.asDouble) }

  /// - Throws: `attribute-kind`.
  public func number(_ key: String, default fallback: Double) throws(DiagnosticError) -> Double {
    has(key) ? try number(key) : fallback
  }

  /// - Throws: `missing-attribute`, `attribute-kind`.
  public func numbers(_ key: String) throws(DiagnosticError) -> [Double] {
    try get(key, "a list of numbers", \.asDoubles)
  }

  /// - Throws: `missing-attribute`, `attribute-kind`.
  public func string(_ key: String) throws(DiagnosticError) -> String { try get(key, "a string", \.asString) }

  /// - Throws: `attribute-kind`.
  public func string(_ key: String, default fallback: String) throws(DiagnosticError) -> String {
    has(key) ? try string(key) : fallback
  }

  /// - Throws: `missing-attribute`, `attribute-kind`.
  public func strings(_ key: String) throws(DiagnosticError) -> [String] {
    try get(key, "a list of strings", \.asStrings)
  }

  /// True or false; a bare key is true, an absent one false.
  /// - Throws: `attribute-kind`.
  public func flag(_ key: String) throws(DiagnosticError) -> Bool {
    has(key) ? try get(key, "a boolean", \.asBool) : false
  }

  /// The last component of a symbol reference.
  /// - Throws: `missing-attribute`, `attribute-kind`.
  public func symbol(_ key: String) throws(DiagnosticError) -> String { try get(key, "a symbol", \.asSymbol) }

  /// - Throws: `missing-attribute`, `attribute-kind`.
  public func type(_ key: String) throws(DiagnosticError) -> TypeSyntax { try get(key, "a type", \.asType) }

  /// - Throws: `missing-attribute`, `attribute-kind`.
  public func array(_ key: String) throws(DiagnosticError) -> [AttributeSyntax] { try get(key, "an array", \.asArray) }

  /// - Throws: `missing-attribute`, `attribute-kind`.
  public func dictionary(_ key: String) throws(DiagnosticError) -> AttributeDictionary {
    try get(key, "a dictionary", \.asDictionary)
  }

  /// One of the cases of a string enumeration, written as a string.
  /// - Throws: `missing-attribute`, `attribute-kind`, `attribute-choice` with the nearest valid name.
  public func choice<T: RawRepresentable & CaseIterable>(_ key: String, of: T.Type = T.self) throws(DiagnosticError)
    -> T where T.RawValue == String
  {
    let text = try string(key)
    if let value = T(rawValue: text) { return value }
    let names = T.allCases.map(\.rawValue)
    throw DiagnosticError(
      "attribute-choice",
      "attribute '\(key)' of '\(attributeOwner)' must be one of \(names.joined(separator: ", ")) but is '\(text)'",
      at: location, hint: nearestName(to: text, among: names).map { "did you mean '\($0)'?" })
  }
}
