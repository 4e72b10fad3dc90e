import PantileSupport

/// The options of a pass: stored properties with defaults, and how text names them.
public protocol PassOptions: Sendable {
  /// All defaults.
  init()
  /// The properties that text can set, in the order of the documentation.
  static var fields: [PassOptionField<Self>] { get }
}

/// For passes without options.
public struct NoPassOptions: PassOptions {
  public init() {}
  public static let fields: [PassOptionField<NoPassOptions>] = []
}

/// One option of a pass, for tables and `--help`.
public struct PassOption: Hashable, Sendable {
  /// Kebab-case.
  public var name: String
  /// What a value looks like: `integer`, `minmax|percentile`.
  public var kind: String
  /// The default as text; empty when it is an empty list.
  public var defaultText: String
  public var summary: String
}

/// `name=value` as a pipeline's text has it.
public struct PassOptionText: Hashable, Sendable {
  public var name: String
  public var value: String
  public var location: SourceLocation

  public init(_ name: String, _ value: String, at location: SourceLocation = .unknown) {
    self.name = name
    self.value = value
    self.location = location
  }
}

/// A stored property of an options struct that text can set.
public struct PassOptionField<Options>: Sendable {
  public let description: PassOption
  let set: @Sendable (inout Options, String) -> Bool
  let text: @Sendable (Options) -> String

  public init<Value: PassOptionValue>(
    _ name: String, _ path: any WritableKeyPath<Options, Value> & Sendable, _ summary: String
  ) where Options: PassOptions {
    description = PassOption(
      name: name, kind: Value.optionKind, defaultText: Options()[keyPath: path].optionText, summary: summary)
    set = { options, text in
      guard let value = Value(optionText: text) else { return false }
      options[keyPath: path] = value
      return true
    }
    text = { $0[keyPath: path].optionText }
  }
}

extension PassOptions {
  /// Defaults with the given texts applied in order.
  /// - Throws: `unknown-option` with the nearest name, `option-value`; all at once.
  init(_ texts: [PassOptionText], pass: String) throws(DiagnosticError) {
    self.init()
    var diagnostics: [Diagnostic] = []
    for text in texts {
      guard let field = Self.fields.first(where: { $0.description.name == text.name }) else {
        let names = Self.fields.map(\.description.name)
        let near = nearestName(to: text.name, among: names).map { "did you mean '\($0)'?" }
        diagnostics.append(
          Diagnostic(
            "unknown-option", "pass '\(pass)' has no option '\(text.name)'", at: text.location,
            hint: near ?? (names.isEmpty ? "it has no options" : "its options are \(names.joined(separator: ", "))")))
        continue
      }
      if !field.set(&self, text.value) {
        diagnostics.append(
          Diagnostic(
            "option-value",
            "option '\(text.name)' of pass '\(pass)' needs \(field.description.kind) but is '\(text.value)'",
            at: text.location))
      }
    }
    if !diagnostics.isEmpty { throw DiagnosticError(diagnostics) }
  }

  /// The options that differ from their defaults, as text.
  public var texts: [PassOptionText] {
    let defaults = Self()
    return Self.fields.compactMap { field in
      let text = field.text(self)
      return text == field.text(defaults) ? nil : PassOptionText(field.description.name, text)
    }
  }
}

/// A type whose values option text can spell.
public protocol PassOptionValue: Sendable {
  /// What a value looks like, for messages and tables.
  static var optionKind: String { get }
  init?(optionText: String)
  var optionText: String { get }
}

extension Int: PassOptionValue {
  public static var optionKind: String { "an integer" }
  public init?(optionText: String) { self.init(optionText) }
  public var optionText: String { String(self) }
}

extension Double: PassOptionValue {
  public static var optionKind: String { "a number" }
  public init?(optionText: String) {
    guard let value = Double(optionText), value.isFinite else { return nil }
    self = value
  }
  public var optionText: String { String(self) }
}

extension Bool: PassOptionValue {
  public static var optionKind: String { "true or false" }
  /// An empty text is true, so that a bare option name switches it on.
  public init?(optionText: String) {
    switch optionText {
    case "true", "": self = true
    case "false": self = false
    default: return nil
    }
  }
  public var optionText: String { String(self) }
}

extension String: PassOptionValue {
  public static var optionKind: String { "a text" }
  public init?(optionText: String) { self = optionText }
  public var optionText: String { self }
}

extension Array: PassOptionValue where Element: PassOptionValue {
  public static var optionKind: String { "a list, each \(Element.optionKind)," }
  public init?(optionText: String) {
    self = []
    for part in optionText.split(separator: ",") {
      guard let value = Element(optionText: String(part)) else { return nil }
      append(value)
    }
  }
  public var optionText: String { map(\.optionText).joined(separator: ",") }
}

extension PassOptionValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  public static var optionKind: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
  public init?(optionText: String) { self.init(rawValue: optionText) }
  public var optionText: String { rawValue }
}
