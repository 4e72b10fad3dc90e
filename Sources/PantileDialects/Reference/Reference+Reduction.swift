import Foundation
import PantileTensor

/// Functions of many numbers.
public enum ReductionFunction: String, CaseIterable, Hashable, Sendable {
  case sum, mean, max, min, prod
}

extension Reference {
  /// Reduces some axes (sorted or not, none twice), in index order.
  ///
  /// Floats accumulate in their own type (`f16`, `bf16` in `f32`). Integers accumulate in 64 bits and wrap to the result
  /// type, which is `i32` for `sum` of 8-bit integers with `widens`, else that of `x`; an integer mean truncates. An empty
  /// reduction gives 0, 1, or the end of the type's range.
  public static func reduce(
    _ function: ReductionFunction, _ x: HostTensor, axes: [Int], keepsDimensions: Bool, inputZeroPoint: Int = 0,
    widens: Bool = false
  ) -> HostTensor {
    let reduced = Set(axes)
    let kept = x.shape.indices.filter { !reduced.contains($0) }
    let inner = x.shape.indices.filter { reduced.contains($0) }
    let shape = x.shape.indices.compactMap { reduced.contains($0) ? (keepsDimensions ? 1 : nil) : x.shape[$0] }
    let count = inner.reduce(1) { $0 * x.shape[$1] }
    let flat = x.transposed(kept + inner)
    let result: HostTensor
    switch x.elementType {
    case .f32: result = floats(function, flat, shape, count, Float.self)
    case .f64: result = floats(function, flat, shape, count, Double.self)
    case .f16, .bf16:
      result = floats(function, flat.converted(to: .f32), shape, count, Float.self).converted(to: x.elementType)
    case .i1, .i4, .i8, .i16, .i32, .i64, .ui8, .ui16, .ui32, .ui64:
      let wide = integers(
        function, flat.converted(to: .i64), shape, count, zeroPoint: inputZeroPoint, type: x.elementType)
      result = wide.converted(to: widens && x.elementType.bitWidth <= 8 ? .i32 : x.elementType)
    }
    return result
  }

  /// The index (`i64`) of the largest or smallest element along an axis; ties go to the first, or the last.
  public static func argument(
    _ x: HostTensor, axis: Int, isMaximum: Bool, keepsDimensions: Bool, selectsLast: Bool
  ) -> HostTensor {
    let count = x.shape[axis]
    let step = x.shape[(axis + 1)...].reduce(1, *)
    let outer = x.shape[..<axis].reduce(1, *)
    var shape = x.shape
    if keepsDimensions { shape[axis] = 1 } else { shape.remove(at: axis) }
    // Doubles hold all but the largest 64-bit integers exactly.
    return x.converted(to: .f64).withValues(as: Double.self) { values in
      HostTensor(shape: shape, elementType: .i64) { (output: UnsafeMutableBufferPointer<Int64>) in
        for line in 0..<outer {
          for inner in 0..<step {
            var best = 0
            var bestValue = values[line * count * step + inner]
            for i in 1..<max(count, 1) {
              let value = values[(line * count + i) * step + inner]
              let isBetter = isMaximum ? value > bestValue : value < bestValue
              if isBetter || selectsLast && value == bestValue {
                best = i
                bestValue = value
              }
            }
            output[line * step + inner] = Int64(best)
          }
        }
      }
    }
  }

  private static func floats<T: TensorScalar & BinaryFloatingPoint>(
    _ function: ReductionFunction, _ x: HostTensor, _ shape: [Int], _ count: Int, _ type: T.Type
  ) -> HostTensor {
    x.withValues(as: T.self) { values in
      HostTensor(shape: shape, elementType: x.elementType) { (output: UnsafeMutableBufferPointer<T>) in
        for o in output.indices {
          let line = UnsafeBufferPointer(rebasing: values[(o * count)..<((o + 1) * count)])
          switch function {
          case .sum, .mean:
            var sum: T = 0
            for value in line { sum += value }
            output[o] = function == .mean ? sum / T(count) : sum
          case .prod:
            var product: T = 1
            for value in line { product *= value }
            output[o] = product
          case .max:
            var best = -T.infinity
            for value in line where value > best || value.isNaN { best = value }
            output[o] = best
          case .min:
            var best = T.infinity
            for value in line where value < best || value.isNaN { best = value }
            output[o] = best
          }
        }
      }
    }
  }

  private static func integers(
    _ function: ReductionFunction, _ x: HostTensor, _ shape: [Int], _ count: Int, zeroPoint: Int, type: ElementType
  ) -> HostTensor {
    let range = type.integerRange ?? Int.min...Int.max
    return x.withValues(as: Int64.self) { values in
      HostTensor(shape: shape, elementType: .i64) { (output: UnsafeMutableBufferPointer<Int64>) in
        for o in output.indices {
          let line = UnsafeBufferPointer(rebasing: values[(o * count)..<((o + 1) * count)])
          switch function {
          case .sum, .mean:
            var sum: Int64 = 0
            for value in line { sum &+= value &- Int64(zeroPoint) }
            output[o] = function == .mean && count > 0 ? sum / Int64(count) : sum
          case .prod:
            var product: Int64 = 1
            for value in line { product = product &* value }
            output[o] = product
          case .max:
            var best = Int64(range.lowerBound)
            for value in line { best = Swift.max(best, value) }
            output[o] = best
          case .min:
            var best = Int64(range.upperBound)
            for value in line { best = Swift.min(best, value) }
            output[o] = best
          }
        }
      }
    }
  }
}
