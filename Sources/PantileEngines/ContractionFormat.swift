import PantileProgram
import PantileTensor

/// The number formats of one contraction: all that capability, mapping and timing may know about its values.
public struct ContractionFormat: Hashable, Sendable {
  /// Bits of one activation.
  public var activationBits: Int
  /// Bits of one weight.
  public var weightBits: Int
  /// What the bits of both mean.
  public var numbers: Contract.Numbers
  /// The pattern of the weights; nil for dense weights.
  public var pattern: NMPattern?

  public init(activationBits: Int = 8, weightBits: Int = 8, pattern: NMPattern? = nil) {
    numbers = .integer
    self.activationBits = activationBits
    self.weightBits = weightBits
    self.pattern = pattern
  }

  /// Dense operands in 16-bit floats, or in bytes for integers.
  public init(numbers: Contract.Numbers) {
    self.numbers = numbers
    activationBits = numbers == .integer ? 8 : 16
    weightBits = activationBits
  }

  /// The share of dense weights that is stored: 1 when dense, N/M with a pattern.
  public var keptShare: Double { pattern.map { Double($0.kept) / Double($0.group) } ?? 1 }

  /// Dense 8-bit activations and weights.
  public static let int8 = ContractionFormat()

  /// Rows of the stored weight operand for a reduction of `k`: k when dense, k·N/M when compressed.
  /// - Precondition: `k` is a multiple of the group length.
  public func storedRows(k: Int) -> Int {
    guard let pattern else { return k }
    precondition(k % pattern.group == 0, "k = \(k) is no multiple of the group \(pattern.group)")
    return k / pattern.group * pattern.kept
  }
}

extension ContractionFormat: CustomStringConvertible {
  /// As in `a8w4`, `a8w8 2:4` or `bf16`.
  public var description: String {
    if numbers != .integer { return numbers.rawValue }
    return "a\(activationBits)w\(weightBits)" + (pattern.map { " \($0)" } ?? "")
  }
}

/// The sizes of one macro tile of a contraction: acc[m][n] (+)= Σ_k A[m][k]·B[k][n].
public struct TileExtents: Hashable, Sendable, BitwiseCopyable {
  /// Rows of A and of the accumulators.
  public var m: Int
  /// Length of the dense (padded) reduction; a multiple of the group length for N:M weights.
  public var k: Int
  /// Columns of B and of the accumulators.
  public var n: Int

  /// - Precondition: all positive.
  public init(m: Int, k: Int, n: Int) {
    precondition(m > 0 && k > 0 && n > 0, "tile extents must be positive, got m=\(m) k=\(k) n=\(n)")
    self.m = m
    self.k = k
    self.n = n
  }

  /// Multiply-accumulates of the dense product.
  public var macs: Int { m * k * n }
}
