import PantileIR
import PantileTensor

/// Arithmetic on sizes that a hostile file may choose freely.
enum Extents {
  /// The largest number of elements that a tensor of a model may have; products of two extents stay inside `Int`.
  static let largestCount = TensorType.elementLimit
  /// The largest constant that the import makes up at once, in elements.
  static let largestMade = 1 << 26

  /// The number of elements; nil when an extent is negative or the number is above `largestCount`.
  static func count(_ shape: [Int]) -> Int? {
    var count = 1
    var isEmpty = false
    for extent in shape {
      if extent < 0 { return nil }
      if extent == 0 { isEmpty = true }
      let (product, overflow) = count.multipliedReportingOverflow(by: max(extent, 1))
      if overflow || product > largestCount { return nil }
      count = product
    }
    return isEmpty ? 0 : count
  }

  /// Whether the import may make a constant of that shape.
  static func isMakeable(_ shape: [Int]) -> Bool { count(shape).map { $0 <= largestMade } ?? false }

  /// The integer part of a number, limited to what `Int` holds; NaN is 0.
  static func integer(_ value: Double) -> Int {
    HostTensor(scalar: value).converted(to: .i64).integer(at: 0)
  }
}
