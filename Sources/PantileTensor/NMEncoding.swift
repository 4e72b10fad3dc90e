import PantileSupport

/// How the places of kept weights within their groups are written.
///
/// **Layout** of each: one field a group (`index`: one field a slot), groups in order, low bits first; the stream of each row is padded to
/// a whole 32-bit word.
public enum NMEncoding: String, Hashable, Sendable, CaseIterable {
  /// Each slot's place: N fields of ceil(log2 M) bits. What the multiplexers of an array want.
  case index
  /// One bit a place, set where a weight is kept: M bits.
  case bitmap
  /// The number of the set of places among all C(M, N): ceil(log2 C(M, N)) bits, the fewest that a fixed width can have.
  ///
  /// Places p0 < p1 < ... have the number C(p0, 1) + C(p1, 2) + ...: the combinatorial number system, in colexicographic order.
  /// **Source** Lehmer, "The machine tools of combinatorics", in Applied Combinatorial Mathematics, 1964.
  case combinatorial

  /// Bits of one group.
  public func bits(_ pattern: NMPattern) -> Int {
    switch self {
    case .index: return pattern.kept * pattern.indexBits
    case .bitmap: return pattern.group
    case .combinatorial: return Self.width(of: Self.binomial(pattern.group, pattern.kept))
    }
  }

  /// Bytes that `encode` gives for so many rows of a reduction of `k`.
  public func byteCount(_ pattern: NMPattern, rows: Int, k: Int) -> Int {
    let groups = (k + pattern.group - 1) / pattern.group
    return rows * ((groups * bits(pattern) + 31) / 32 * 4)
  }

  /// The places of all slots as bytes.
  ///
  /// **Shape** `places: [rows][slots]`, N for each group, ascending within a group, each below M.
  /// **Precondition** That shape.
  public func encode(_ places: [UInt8], rows: Int, pattern: NMPattern) -> [UInt8] {
    precondition(rows > 0 && places.count % (rows * pattern.kept) == 0, "\(places.count) places in \(rows) rows")
    let groups = places.count / rows / pattern.kept
    var stream = BitStream(rows: rows, bitsOfRow: groups * bits(pattern))
    for row in 0..<rows {
      for group in 0..<groups {
        let first = (row * groups + group) * pattern.kept
        stream.append(field(places[first..<first + pattern.kept], pattern), row: row)
      }
    }
    return stream.bytes
  }

  /// The places that `encode` wrote.
  ///
  /// - Throws: `nm-encoding` for another number of bytes than the shape has, set padding bits, and fields that stand for no set of places.
  public func decode(
    _ bytes: [UInt8], rows: Int, k: Int, pattern: NMPattern
  ) throws(DiagnosticError) -> [UInt8] {
    guard bytes.count == byteCount(pattern, rows: rows, k: k), rows > 0 else {
      throw DiagnosticError(
        "nm-encoding",
        "\(rows) rows of \(k) in \(pattern) take \(byteCount(pattern, rows: rows, k: k)) bytes as \(rawValue), there are \(bytes.count)"
      )
    }
    let groups = (k + pattern.group - 1) / pattern.group
    let words = bytes.count / rows
    var places: [UInt8] = []
    places.reserveCapacity(rows * groups * pattern.kept)
    for row in 0..<rows {
      func bit(_ position: Int) -> UInt64 { UInt64(bytes[row * words + position / 8] >> UInt8(position % 8) & 1) }
      for group in 0..<groups {
        // An index field of 32 slots has 160 bits, so fields are read in pieces of one slot.
        let pieces = self == .index ? pattern.kept : 1
        let width = bits(pattern) / pieces
        let values = (0..<pieces).map { piece in
          (0..<width).reduce(UInt64(0)) { $0 | bit(group * bits(pattern) + piece * width + $1) << UInt64($1) }
        }
        guard let own = Self.places(values, self, pattern) else {
          throw DiagnosticError(
            "nm-encoding",
            "row \(row), group \(group): the field \(values) stands for no \(pattern.kept) of \(pattern.group) places")
        }
        places += own
      }
      for position in groups * bits(pattern)..<words * 8 where bit(position) != 0 {
        throw DiagnosticError("nm-encoding", "row \(row): bit \(position) of the padding is set")
      }
    }
    return places
  }

  // MARK: Fields

  /// The words of one group's field, 32 bits each at most, low first.
  private func field(_ places: ArraySlice<UInt8>, _ pattern: NMPattern) -> [(value: UInt64, bits: Int)] {
    switch self {
    case .index: return places.map { (UInt64($0), pattern.indexBits) }
    case .bitmap: return [(places.reduce(UInt64(0)) { $0 | 1 << UInt64($1) }, pattern.group)]
    case .combinatorial:
      let number = places.enumerated().reduce(UInt64(0)) { $0 + Self.binomial(Int($1.element), $1.offset + 1) }
      return [(number, bits(pattern))]
    }
  }

  /// The places of a field; nil when it stands for none.
  private static func places(_ values: [UInt64], _ encoding: NMEncoding, _ pattern: NMPattern) -> [UInt8]? {
    switch encoding {
    case .index:
      let places = values.map { UInt8($0) }
      return zip(places, places.dropFirst()).allSatisfy { $0 < $1 } ? places : nil
    case .bitmap:
      guard values[0].nonzeroBitCount == pattern.kept else { return nil }
      return (0..<UInt8(pattern.group)).filter { values[0] >> UInt64($0) & 1 == 1 }
    case .combinatorial:
      var rest = values[0]
      guard rest < binomial(pattern.group, pattern.kept) else { return nil }
      var places: [UInt8] = []
      var place = pattern.group
      for kept in stride(from: pattern.kept, through: 1, by: -1) {
        // The largest place whose sets of so many lower ones are not more than what is left.
        repeat { place -= 1 } while binomial(place, kept) > rest
        places.append(UInt8(place))
        rest -= binomial(place, kept)
      }
      return places.reversed()
    }
  }

  /// Ways to choose; 0 when there are too few to choose from. Exact up to 32 of which 16.
  static func binomial(_ all: Int, _ chosen: Int) -> UInt64 {
    if chosen > all { return 0 }
    var result: UInt64 = 1
    for step in 0..<chosen { result = result * UInt64(all - step) / UInt64(step + 1) }
    return result
  }

  /// Bits that tell so many things apart.
  private static func width(of count: UInt64) -> Int { count <= 1 ? 0 : 64 - (count - 1).leadingZeroBitCount }
}

/// Bits in rows of whole 32-bit words.
private struct BitStream {
  private(set) var bytes: [UInt8]
  private let bytesOfRow: Int
  private var ends: [Int]

  init(rows: Int, bitsOfRow: Int) {
    bytesOfRow = (bitsOfRow + 31) / 32 * 4
    bytes = Array(repeating: 0, count: rows * bytesOfRow)
    ends = Array(repeating: 0, count: rows)
  }

  mutating func append(_ fields: [(value: UInt64, bits: Int)], row: Int) {
    for field in fields {
      for bit in 0..<field.bits {
        let position = ends[row]
        if field.value >> UInt64(bit) & 1 == 1 { bytes[row * bytesOfRow + position / 8] |= 1 << UInt8(position % 8) }
        ends[row] += 1
      }
    }
  }
}
