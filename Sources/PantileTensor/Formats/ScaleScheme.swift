import PantileSupport

/// What a format stores beside its codes.
///
/// Weights are a matrix of output channels (rows) by input channels (columns); groups are consecutive columns of a row,
/// the last one of a row may be short.
public struct ScaleScheme: Hashable, Sendable {
  /// How many values share a scale.
  public enum Granularity: Hashable, Sendable {
    case tensor, channel
    case group(Int)
  }

  /// How scales are stored.
  public enum Scale: Hashable, Sendable {
    /// None: the values are what the codes say.
    case none
    /// A binary floating-point number of so many bits.
    case real(bits: Int)
    /// A power of two in E8M0, `2^(e - 127)`, where 255 is NaN for the whole block and zero has no code.
    case sharedExponent
    /// An E4M3 number, times one FP32 number for the tensor.
    case fp8TimesTensor
    /// A signed whole number of so many bits, times one FP16 number a row.
    case integerTimesChannel(bits: Int)
    /// An 8-bit code of the scale's difference to a mean, with one FP32 number for `per` scales and one FP32 mean for
    /// the tensor.
    case doublyQuantised(per: Int)
  }

  public var scale: Scale
  public var granularity: Granularity
  /// Bits of a zero point beside each scale; 0 for none.
  public var zeroPointBits: Int
  /// Bits that say how codes are read, beside each scale or once for the tensor; 0 for none.
  public var selectorBits: Int
  /// Whether one selector serves the tensor.
  public var hasOneSelector: Bool

  public init(
    _ scale: Scale, per granularity: Granularity, zeroPointBits: Int = 0, selectorBits: Int = 0,
    hasOneSelector: Bool = false
  ) {
    self.scale = scale
    self.granularity = granularity
    self.zeroPointBits = zeroPointBits
    self.selectorBits = selectorBits
    self.hasOneSelector = hasOneSelector
  }

  /// Nothing but codes.
  public static let none = ScaleScheme(.none, per: .tensor)

  /// The scales of a matrix.
  public func scaleCount(rows: Int, columns: Int) -> Int {
    guard scale != .none else { return 0 }
    switch granularity {
    case .tensor: return 1
    case .channel: return rows
    case .group(let size): return rows * ((columns + size - 1) / size)
    }
  }

  /// All bits of a matrix that are not codes: scales, zero points, selectors, second levels.
  public func overheadBits(rows: Int, columns: Int) -> Int {
    let count = scaleCount(rows: rows, columns: columns)
    let selectors = (hasOneSelector ? 1 : count) * selectorBits
    let beside = count * zeroPointBits + selectors
    switch scale {
    case .none: return 0
    case .real(let bits): return beside + count * bits
    case .sharedExponent: return beside + count * 8
    case .fp8TimesTensor: return beside + count * 8 + 32
    case .integerTimesChannel(let bits): return beside + count * bits + rows * 16
    case .doublyQuantised(let per): return beside + count * 8 + (count + per - 1) / per * 32 + 32
    }
  }
}

extension ScaleScheme: CustomStringConvertible {
  /// `8-bit integer per 128 x FP16 per channel, 2-bit selector`.
  public var description: String {
    let place: String
    switch granularity {
    case .tensor: place = "per tensor"
    case .channel: place = "per channel"
    case .group(let size): place = "per \(size)"
    }
    var text: String
    switch scale {
    case .none: return "none"
    case .real(let bits): text = "FP\(bits) \(place)"
    case .sharedExponent: text = "E8M0 \(place)"
    case .fp8TimesTensor: text = "E4M3 \(place) x FP32 per tensor"
    case .integerTimesChannel(let bits): text = "\(bits)-bit integer \(place) x FP16 per channel"
    case .doublyQuantised(let per):
      text = "8-bit code \(place), FP32 per \(per) scales, FP32 mean per tensor"
    }
    if zeroPointBits > 0 { text += ", \(zeroPointBits)-bit zero point" }
    if selectorBits > 0 { text += ", \(selectorBits)-bit selector" + (hasOneSelector ? " per tensor" : "") }
    return text
  }
}
