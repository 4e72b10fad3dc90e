import PantileTensor

/// How a resized tensor is sampled.
public struct ResizeRule: Hashable, Sendable {
  public enum Mode: String, CaseIterable, Hashable, Sendable { case nearest, linear, cubic }
  public enum Coordinates: String, CaseIterable, Hashable, Sendable {
    case halfPixel = "half_pixel"
    case asymmetric
    case alignCorners = "align_corners"
    case pytorchHalfPixel = "pytorch_half_pixel"
    case halfPixelSymmetric = "half_pixel_symmetric"
  }
  public enum Rounding: String, CaseIterable, Hashable, Sendable {
    case roundPreferFloor = "round_prefer_floor"
    case roundPreferCeil = "round_prefer_ceil"
    case floor, ceil
  }

  public var mode: Mode
  public var coordinates: Coordinates
  /// For nearest alone.
  public var rounding: Rounding
  /// For cubic alone.
  public var cubicCoefficient: Double
  /// Weights of samples outside the tensor are dropped and the rest scaled up; else edges repeat.
  public var excludesOutside: Bool

  public init(
    mode: Mode, coordinates: Coordinates = .halfPixel, rounding: Rounding = .roundPreferFloor,
    cubicCoefficient: Double = -0.75, excludesOutside: Bool = false
  ) {
    self.mode = mode
    self.coordinates = coordinates
    self.rounding = rounding
    self.cubicCoefficient = cubicCoefficient
    self.excludesOutside = excludesOutside
  }
}

extension Reference {
  /// Resamples each dimension in turn (outermost first); `scales` are output over input extents as given by the user.
  ///
  /// Linear and cubic samples are weighted sums in `Float`, neighbours in ascending order; coordinates are doubles.
  public static func resize(_ x: HostTensor, to shape: [Int], scales: [Double], rule: ResizeRule) -> HostTensor {
    if rule.mode == .nearest {
      let sources = x.shape.indices.map { axis in
        (0..<shape[axis]).map { index in
          let place = coordinate(index, x.shape[axis], shape[axis], scales[axis], rule.coordinates)
          return min(max(rounded(place, rule.rounding), 0), x.shape[axis] - 1)
        }
      }
      return gatherIndexed(x, sources: sources, filler: HostTensor(shape: [1], elementType: x.elementType))
    }
    var values = x.converted(to: .f32)
    for axis in x.shape.indices where shape[axis] != x.shape[axis] || scales[axis] != 1 {
      values = resampled(values, axis: axis, count: shape[axis], scale: scales[axis], rule)
    }
    if x.elementType.isInteger {
      values = unary(.round, values)
    }
    return values.converted(to: x.elementType)
  }

  private static func resampled(
    _ x: HostTensor, axis: Int, count: Int, scale: Double, _ rule: ResizeRule
  ) -> HostTensor {
    let extent = x.shape[axis]
    let step = x.shape[(axis + 1)...].reduce(1, *)
    let outer = x.shape[..<axis].reduce(1, *)
    var shape = x.shape
    shape[axis] = count
    let samples = (0..<count).map { index in
      sample(coordinate(index, extent, count, scale, rule.coordinates), extent, rule)
    }
    return x.withValues(as: Float.self) { input in
      HostTensor(shape: shape, elementType: .f32) { (output: UnsafeMutableBufferPointer<Float>) in
        for line in 0..<outer {
          for (index, taps) in samples.enumerated() {
            for inner in 0..<step {
              var sum: Float = 0
              for tap in taps { sum += input[(line * extent + tap.place) * step + inner] * tap.weight }
              output[(line * count + index) * step + inner] = sum
            }
          }
        }
      }
    }
  }

  /// Places and weights of the samples around a coordinate.
  private static func sample(_ place: Double, _ extent: Int, _ rule: ResizeRule) -> [(place: Int, weight: Float)] {
    let base = Int(place.rounded(.down))
    let t = place - Double(base)
    var taps: [(place: Int, weight: Double)]
    if rule.mode == .linear {
      taps = [(base, 1 - t), (base + 1, t)]
    } else {
      let a = rule.cubicCoefficient
      func near(_ d: Double) -> Double { ((a + 2) * d - (a + 3)) * d * d + 1 }
      func far(_ d: Double) -> Double { ((a * d - 5 * a) * d + 8 * a) * d - 4 * a }
      taps = [(base - 1, far(1 + t)), (base, near(t)), (base + 1, near(1 - t)), (base + 2, far(2 - t))]
    }
    if rule.excludesOutside {
      taps = taps.map { $0.place < 0 || $0.place >= extent ? ($0.place, 0) : $0 }
      let sum = taps.reduce(0) { $0 + $1.weight }
      if sum != 0 { taps = taps.map { ($0.place, $0.weight / sum) } }
    }
    return taps.map { (min(max($0.place, 0), extent - 1), Float($0.weight)) }
  }

  private static func coordinate(
    _ index: Int, _ input: Int, _ output: Int, _ scale: Double, _ rule: ResizeRule.Coordinates
  ) -> Double {
    let i = Double(index)
    switch rule {
    case .halfPixel: return (i + 0.5) / scale - 0.5
    case .asymmetric: return i / scale
    case .alignCorners: return output == 1 ? 0 : i * Double(input - 1) / Double(output - 1)
    case .pytorchHalfPixel: return output > 1 ? (i + 0.5) / scale - 0.5 : 0
    case .halfPixelSymmetric:
      let adjustment = Double(output) / (scale * Double(input))
      let centre = Double(input) / 2
      return centre * (1 - adjustment) + (i + 0.5) / scale - 0.5
    }
  }

  private static func rounded(_ place: Double, _ rule: ResizeRule.Rounding) -> Int {
    switch rule {
    case .roundPreferFloor: return Int((place - 0.5).rounded(.up))
    case .roundPreferCeil: return Int((place + 0.5).rounded(.down))
    case .floor: return Int(place.rounded(.down))
    case .ceil: return Int(place.rounded(.up))
    }
  }
}
