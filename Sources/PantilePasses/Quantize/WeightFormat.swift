import PantileSupport
import PantileTensor
import PantileText

/// What a weight tensor's encoding says about its values: an N:M pattern along the input channels, and how many bits suffice.
///
/// Written `#dnn.nm<2:4>`, `#dnn.bits<4>`, or both, `#dnn.nm<2:4, bits = 4>`. The pattern holds in every group of `M`
/// consecutive input channels at one filter tap, groups counted from channel 0, the last one padded.
public struct WeightFormat: Hashable, Sendable {
  /// At most N nonzeros in each group of M; nil for dense weights.
  public var pattern: NMPattern?
  /// Bits of the narrowest two's complement integers that hold all values; nil when the element type says it.
  public var bits: Int?

  public init(pattern: NMPattern? = nil, bits: Int? = nil) {
    self.pattern = pattern
    self.bits = bits
  }

  /// Nothing for no encoding.
  /// - Throws: `weight-format` for an encoding of another kind.
  public init(_ encoding: AttributeSyntax?, at location: SourceLocation) throws(DiagnosticError) {
    self.init()
    guard let encoding else { return }
    guard case .dialect(let text) = encoding, let format = Self.parse(text) else {
      throw DiagnosticError(
        "weight-format", "'\(encoding)' is no encoding of weights", at: location,
        hint: "write #dnn.nm<2:4>, #dnn.bits<4> or #dnn.nm<2:4, bits = 4>")
    }
    self = format
  }

  private static func parse(_ text: String) -> WeightFormat? {
    let parts = text.split(separator: "<", maxSplits: 1)
    guard parts.count == 2, parts[1].hasSuffix(">") else { return nil }
    let fields = parts[1].dropLast().split(separator: ",").map { $0.filter { $0 != " " } }
    var format = WeightFormat()
    switch parts[0] {
    case "dnn.nm":
      guard let first = fields.first, fields.count <= 2 else { return nil }
      let numbers = first.split(separator: ":").compactMap { Int($0) }
      guard numbers.count == 2, let pattern = try? NMPattern(kept: numbers[0], group: numbers[1]) else { return nil }
      format.pattern = pattern
      if fields.count == 2 {
        guard fields[1].hasPrefix("bits="), let bits = Int(fields[1].dropFirst(5)) else { return nil }
        format.bits = bits
      }
    case "dnn.bits":
      guard fields.count == 1, let bits = Int(fields[0]) else { return nil }
      format.bits = bits
    default: return nil
    }
    guard format.bits.map({ (2...8).contains($0) }) ?? true else { return nil }
    return format
  }

  /// The encoding; nil when there is nothing to say.
  public var encoding: AttributeSyntax? {
    switch (pattern, bits) {
    case (nil, nil): return nil
    case (let pattern?, nil): return .dialect("dnn.nm<\(pattern)>")
    case (nil, let bits?): return .dialect("dnn.bits<\(bits)>")
    case (let pattern?, let bits?): return .dialect("dnn.nm<\(pattern), bits = \(bits)>")
    }
  }
}
