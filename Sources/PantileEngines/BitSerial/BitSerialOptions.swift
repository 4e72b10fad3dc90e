/// What distinguishes one fixed-term bit-serial array from another.
public struct BitSerialOptions: Hashable, Sendable {
  public var rows: Int
  public var columns: Int
  /// Products whose terms a PE adds in one cycle; with bricks, products of 8 by 8 bits.
  public var dotWidth: Int
  /// Which operand is serial, if any.
  public var multiplication: BitSerialMultiplication
  /// How the serial operand becomes terms; every term has its cycle, zero or not.
  public var encoding: TermEncoding
  /// Widest weight, at most 8 bits.
  public var largestWeightBits: Int
  public var variant: FoldVariant

  /// Widest dot product a PE may have.
  public static let widestDot = 64

  /// - Precondition: positive sizes, `dotWidth` at most `widestDot`.
  public init(
    rows: Int, columns: Int, dotWidth: Int = 4, encoding: TermEncoding = .booth, largestWeightBits: Int = 8,
    multiplication: BitSerialMultiplication = .serialWeight,
    variant: FoldVariant = .overlapped
  ) {
    precondition(rows > 0 && columns > 0, "an array needs rows and columns")
    precondition((1...Self.widestDot).contains(dotWidth), "dot width \(dotWidth) is outside 1...\(Self.widestDot)")
    self.rows = rows
    self.columns = columns
    precondition((2...8).contains(largestWeightBits), "weights of \(largestWeightBits) bits are outside 2...8")
    self.dotWidth = dotWidth
    self.multiplication = multiplication
    self.encoding = encoding
    self.largestWeightBits = largestWeightBits
    self.variant = variant
  }

  /// Terms of a serial weight of `bits` bits, one a cycle.
  ///
  /// **Source** Chen et al., "BitMoD: Bit-serial Mixture-of-Datatype LLM Acceleration", HPCA 2025, section on the unified
  /// bit-serial representation: ceil(bits / 2) for Booth, 2 for two leading ones.
  public func terms(weightBits bits: Int) -> Int { encoding.fixedTerms(bits: bits) }
}
