import PantileSupport

/// At most `kept` nonzeros in each group of `group` consecutive weights along the reduction, written `2:4`.
public struct NMPattern: Hashable, Sendable, CustomStringConvertible {
  public let kept: Int
  public let group: Int

  /// - Throws: `nm-pattern` unless `1 ≤ kept ≤ group` and the group is 1, 2, 4, 8, 16 or 32.
  public init(kept: Int, group: Int) throws(DiagnosticError) {
    guard [1, 2, 4, 8, 16, 32].contains(group), (1...group).contains(kept) else {
      throw DiagnosticError(
        "nm-pattern", "\(kept):\(group) is not a sparsity pattern",
        hint: "N:M needs 1 <= N <= M and M in 1, 2, 4, 8, 16, 32")
    }
    self.kept = kept
    self.group = group
  }

  /// Bits of one index within a group.
  public var indexBits: Int { group.trailingZeroBitCount }

  /// Kept slots for a reduction of `k`, the last group padded.
  public func slots(for k: Int) -> Int { (k + group - 1) / group * kept }

  public var description: String { "\(kept):\(group)" }
}

/// The rows of a matrix packed by an N:M pattern: kept values and their places within each group.
public struct NMPacked<Value: TensorScalar>: Sendable {
  public let pattern: NMPattern
  public let rows: Int
  /// The reduction length before packing.
  public let k: Int
  /// `[rows][slots]`, ascending place in each group; slots beyond the nonzeros hold zero.
  public let values: [Value]
  /// `[rows][slots]`, each `0 ..< group`.
  public let indices: [UInt8]
  /// Σ kept² / Σ all², 1 for an all-zero matrix.
  public let retainedEnergy: Double

  /// Slots of one row.
  public var slots: Int { pattern.slots(for: k) }

  /// The indices as fields of `indexBits` bits, low bits first, each row padded to a whole 32-bit word.
  public var packedIndices: [UInt8] {
    let bits = pattern.indexBits
    let stride = (slots * bits + 31) / 32 * 4
    var result = [UInt8](repeating: 0, count: rows * stride)
    for row in 0..<rows {
      for slot in 0..<slots {
        for bit in 0..<bits where indices[row * slots + slot] >> UInt8(bit) & 1 == 1 {
          let position = slot * bits + bit
          result[row * stride + position / 8] |= 1 << UInt8(position % 8)
        }
      }
    }
    return result
  }
}

/// Pruning, packing and unpacking by an N:M pattern.
///
/// The `kept` largest magnitudes of each group stay; ties go to the lower index; the last group is padded with zeros that
/// are never kept over a real weight. Groups run along the rows (contiguous memory).
public enum NMSparse {
  /// Prunes and packs an integer matrix `[rows, k]`.
  public static func pack(_ values: [Int8], rows: Int, pattern: NMPattern) -> NMPacked<Int8> {
    packed(values, rows: rows, pattern: pattern, zero: 0) { Double(Int($0).magnitude) }
  }

  /// Prunes and packs a float matrix `[rows, k]`.
  /// - Throws: `not-finite` with the first NaN or infinity.
  public static func pack(_ values: [Float], rows: Int, pattern: NMPattern) throws(DiagnosticError) -> NMPacked<Float> {
    if let position = values.firstIndex(where: { !$0.isFinite }) {
      throw DiagnosticError("not-finite", "weight \(position) is \(values[position]); N:M pruning needs finite weights")
    }
    return packed(values, rows: rows, pattern: pattern, zero: 0) { Double($0.magnitude) }
  }

  /// Prunes and packs a matrix `[rows, k]` of wide floats.
  /// - Precondition: all values are finite.
  public static func pack(_ values: [Double], rows: Int, pattern: NMPattern) -> NMPacked<Double> {
    packed(values, rows: rows, pattern: pattern, zero: 0) { $0.magnitude }
  }

  /// The dense matrix `[rows, k]` with zeros where weights were dropped.
  public static func unpack<Value: TensorScalar & Numeric>(_ packed: NMPacked<Value>) -> [Value] {
    var result = [Value](repeating: 0, count: packed.rows * packed.k)
    let pattern = packed.pattern
    for row in 0..<packed.rows {
      for slot in 0..<packed.slots {
        let column = slot / pattern.kept * pattern.group + Int(packed.indices[row * packed.slots + slot])
        if column < packed.k { result[row * packed.k + column] = packed.values[row * packed.slots + slot] }
      }
    }
    return result
  }

  private static func packed<Value: TensorScalar>(
    _ values: [Value], rows: Int, pattern: NMPattern, zero: Value, magnitude: (Value) -> Double
  ) -> NMPacked<Value> {
    precondition(rows > 0 && values.count % rows == 0, "\(values.count) values in \(rows) rows")
    let k = values.count / rows
    let slots = pattern.slots(for: k)
    var kept = [Value](repeating: zero, count: rows * slots)
    var indices = [UInt8](repeating: 0, count: rows * slots)
    var all = 0.0
    var retained = 0.0
    var order = [Int](repeating: 0, count: pattern.group)
    var sizes = [Double](repeating: 0, count: pattern.group)
    for row in 0..<rows {
      for first in stride(from: 0, to: k, by: pattern.group) {
        for i in 0..<pattern.group {
          order[i] = i
          // Padding is smaller than any weight, so it is kept only when nothing else is left.
          sizes[i] = first + i < k ? magnitude(values[row * k + first + i]) : -1
          if sizes[i] > 0 { all += sizes[i] * sizes[i] }
        }
        // Insertion sort by magnitude, larger first; equal ones keep their order.
        for i in 1..<max(1, pattern.group) {
          var j = i
          while j > 0, sizes[order[j - 1]] < sizes[order[j]] {
            order.swapAt(j - 1, j)
            j -= 1
          }
        }
        let base = row * slots + first / pattern.group * pattern.kept
        for (slot, i) in order.prefix(pattern.kept).sorted().enumerated() {
          indices[base + slot] = UInt8(i)
          guard first + i < k else { continue }
          kept[base + slot] = values[row * k + first + i]
          retained += sizes[i] * sizes[i]
        }
      }
    }
    return NMPacked(
      pattern: pattern, rows: rows, k: k, values: kept, indices: indices, retainedEnergy: all == 0 ? 1 : retained / all)
  }
}
