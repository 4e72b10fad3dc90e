import PantileSupport
import PantileTarget

/// The definition value of an array family: what a chip file may say about it, and how to make a configured array from that.
public final class ArrayFamily: Sendable {
  public typealias Check = @Sendable (EngineSection) -> Diagnostic?
  public typealias Make = @Sendable (EngineSection) throws(DiagnosticError) -> ArrayEngine

  /// What a section of the family looks like; the family's name and summary stand there.
  public let schema: EngineSchema
  /// The configured array of a section that the schema has accepted.
  public let make: Make

  /// - Parameters:
  ///   - name: as in a chip file: `systolic`.
  ///   - summary: one line for lists and generated references.
  ///   - fields: the section's keys, in the order in which they are printed.
  ///   - check: conditions between fields; returns the complaint, or nil.
  public init(
    name: String, summary: String, fields: [FieldSchema], check: @escaping Check = { _ in nil },
    make: @escaping Make
  ) {
    self.schema = EngineSchema(family: name, summary: summary, fields: fields, check: check)
    self.make = make
  }

  public var name: String { schema.family }
  public var summary: String { schema.summary }
}

extension ArrayFamily {
  /// The families that ship; one line each. Every user of families takes a list, so that others can add theirs.
  public static let all: [ArrayFamily] = [
    .systolic,
    .bitSerial,
    .bitSerialBroadcast,
    .nmSparse,
  ]

  /// The array of a section, by the name of its family.
  /// - Throws: `unknown-family` with the nearest known name; what the family's `make` throws.
  public static func engine(
    of section: EngineSection, among families: [ArrayFamily] = .all
  ) throws(DiagnosticError) -> ArrayEngine {
    guard let family = families.first(where: { $0.name == section.family }) else {
      let names = families.map(\.name)
      throw DiagnosticError(
        "unknown-family",
        "engine '\(section.name)' is of array family '\(section.family)', known are \(names.joined(separator: ", "))",
        at: section.location, hint: nearestName(to: section.family, among: names).map { "did you mean '\($0)'?" })
    }
    return try family.make(section)
  }

  /// The fields that every array has.
  public static let sizeFields: [FieldSchema] = [
    FieldSchema("rows", .count(1...1024), summary: "rows of processing elements"),
    FieldSchema("columns", .count(1...1024), summary: "columns of processing elements"),
  ]

  /// The field that says whether folds overlap.
  public static let variantField = FieldSchema(
    "variant", .choice(FoldVariant.allCases.map(\.rawValue)), default: .choice(FoldVariant.overlapped.rawValue),
    summary: "whether the next fold starts behind the running one")
}

extension [ArrayFamily] {
  /// The shipped families.
  public static var all: [ArrayFamily] { ArrayFamily.all }
}

extension EngineSection {
  /// The `variant` field of an array section.
  /// - Precondition: the schema has `ArrayFamily.variantField`.
  var foldVariant: FoldVariant {
    guard let variant = FoldVariant(rawValue: choice("variant")) else {
      preconditionFailure("the schema let variant '\(choice("variant"))' pass")
    }
    return variant
  }
}
