import PantileSupport

/// A datapath: how numbers are computed, what is claimed of them, and the mistakes that a proof must find.
///
/// A value read from a file in `Targets/datapaths`; nothing about a particular encoding or decoder stands in Swift.
public struct Datapath: Sendable {
  /// What sort of datapath it is, for lists.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    case encoding
    case dotProduct = "dot-product"
    case zeroPoint = "zero-point"
    case dequantisation, decoder, accumulator, alignment
    case columnInversion = "column-inversion"
    case requantisation, rewrite
  }

  /// A whole number that definitions may use; widths, counts, constants.
  public struct Parameter: Sendable {
    public var name: String
    public var value: Int
    /// The values that `prove --sweep` takes; the value alone when empty.
    public var sweep: [Int]
  }

  struct Table: Sendable {
    var name: String
    var values: [Int]
  }

  struct Input: Sendable {
    enum Range: Sendable {
      case signed(Expression)
      case unsigned(Expression)
      case interval(Expression, Expression)
    }
    var name: String
    /// How many of them; nil for a single one.
    var count: Expression?
    var range: Range
    var source: ConfigText
  }

  struct Definition: Sendable {
    var name: String
    var arguments: [String]
    var body: Expression
    var source: ConfigText
  }

  struct Claim: Sendable {
    var name: String
    var statement: Expression
    var source: ConfigText
  }

  /// A mistake: changes of the file after which some claim must be refuted.
  public struct Mutant: Sendable {
    public var name: String
    /// The mistake in words.
    public var summary: String
    /// As `--set` takes them.
    public var settings: [String]
  }

  public var name: String
  public var kind: Kind
  public var summary: String
  /// Whether Z3 is asked first: for statements of comparisons of many inputs, of which there are too many cases.
  public var prefersSolver: Bool
  /// Author, title, venue, year; empty when it is our own.
  public var source: String
  public var parameters: [Parameter]
  var tables: [Table]
  var inputs: [Input]
  var definitions: [Definition]
  /// What holds of the inputs.
  var given: [Claim]
  var claims: [Claim]
  public var mutants: [Mutant]

  /// The names of the claims, in order.
  public var claimNames: [String] { claims.map(\.name) }
}

/// Where the text of an expression stands.
struct ConfigText: Sendable {
  var location: SourceLocation
  var sourceLine: String?

  /// The place of a byte inside the text.
  func place(_ offset: Int) -> SourceLocation {
    guard case .file(let path, let line, let column) = location else { return location }
    return .file(path: path, line: line, column: column + offset)
  }

  func error(_ code: String, _ message: String, offset: Int = 0, hint: String? = nil) -> DiagnosticError {
    DiagnosticError(code, message, at: place(offset), hint: hint, sourceLine: sourceLine)
  }
}
