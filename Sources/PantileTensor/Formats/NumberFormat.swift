import PantileSupport

/// A number format: its codes, what stands beside them, how they are packed.
///
/// A definition value: immutable, one a format, all in `NumberFormat.all`.
public struct NumberFormat: Sendable {
  /// Kebab case, as users write it: `bitmod-fp4`.
  public let name: String
  /// One line.
  public let summary: String
  /// Author, title, venue or standard.
  public let source: String
  public let code: ElementCode
  /// What is stored beside the codes; its granularity is a default that users may change where `groupIsFixed` is false.
  public let scheme: ScaleScheme
  /// Whether the format's definition fixes how many values share a scale.
  public let groupIsFixed: Bool
  public let packing: CodePacking
  /// What hardware does to turn codes into values.
  public let dequantisation: String
  /// Rules and limits that a user should know, a sentence each.
  public let notes: [String]
  /// Set where codes are read in pairs (OliVe).
  public let pairs: OutlierPairs?

  init(
    _ name: String, _ summary: String, source: String, code: ElementCode, scheme: ScaleScheme,
    groupIsFixed: Bool = false, packing: CodePacking = .fields, dequantisation: String,
    notes: [String] = [],
    pairs: OutlierPairs? = nil
  ) {
    self.name = name
    self.summary = summary
    self.source = source
    self.code = code
    self.scheme = scheme
    self.groupIsFixed = groupIsFixed
    self.packing = packing
    self.dequantisation = dequantisation
    self.notes = notes
    self.pairs = pairs
  }

  /// All bits of a matrix `[rows, columns]`: packed codes, scales, zero points, selectors, second levels.
  public func storageBits(rows: Int, columns: Int) -> Int {
    rows * packing.rowBits(rowLength: columns, bits: code.bits)
      + scheme.overheadBits(rows: rows, columns: columns)
  }

  /// Bits of a value with its share of the group's scale, zero point and selector; what channels and tensors share is
  /// left out.
  public var bitsPerWeight: Double {
    let bits: Double
    switch packing {
    case .fields, .splitPlanes: bits = Double(code.bits)
    case .baseThree: bits = 1.6
    }
    guard case .group(let size) = scheme.granularity else { return bits }
    let beside = Double(scheme.zeroPointBits + (scheme.hasOneSelector ? 0 : scheme.selectorBits))
    let scale: Double
    switch scheme.scale {
    case .none: scale = 0
    case .real(let width): scale = Double(width)
    case .sharedExponent, .fp8TimesTensor: scale = 8
    case .integerTimesChannel(let width): scale = Double(width)
    case .doublyQuantised(let per): scale = 8 + 32 / Double(per)
    }
    return bits + (scale + beside) / Double(size)
  }

  /// The format with another group size.
  /// - Throws: `wrong-group` for a size below 1, or where the format fixes it.
  public func withGroup(_ size: Int) throws(DiagnosticError) -> NumberFormat {
    guard size >= 1 else {
      throw DiagnosticError("wrong-group", "groups of \(size) values", hint: "give at least 1")
    }
    var scheme = scheme
    if case .group(size) = scheme.granularity { return self }
    guard !groupIsFixed, scheme.scale != .none else {
      throw DiagnosticError(
        "wrong-group", "groups of \(size) values, but \(name) has its scales fixed: \(scheme)",
        hint: "leave the group out")
    }
    scheme.granularity = .group(size)
    return NumberFormat(
      name, summary, source: source, code: code, scheme: scheme, groupIsFixed: groupIsFixed,
      packing: packing,
      dequantisation: dequantisation, notes: notes, pairs: pairs)
  }
}
