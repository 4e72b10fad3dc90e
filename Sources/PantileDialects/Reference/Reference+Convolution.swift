import PantileTensor

/// The window of a convolution or pooling over two spatial dimensions.
public struct Window2D: Hashable, Sendable {
  /// Rows and columns of the kernel.
  public var kernel: [Int]
  public var strides: [Int]
  /// Top, left, bottom, right.
  public var pads: [Int]
  public var dilations: [Int]

  /// - Precondition: two kernel extents, two strides, four pads, two dilations.
  public init(kernel: [Int], strides: [Int] = [1, 1], pads: [Int] = [0, 0, 0, 0], dilations: [Int] = [1, 1]) {
    precondition(kernel.count == 2 && strides.count == 2 && pads.count == 4 && dilations.count == 2, "a 2-D window")
    self.kernel = kernel
    self.strides = strides
    self.pads = pads
    self.dilations = dilations
  }

  /// Output extent along a spatial dimension (0 rows, 1 columns), rounded down.
  public func outputExtent(_ input: Int, dimension: Int) -> Int {
    let covered = dilations[dimension] * (kernel[dimension] - 1) + 1
    return (input + pads[dimension] + pads[dimension + 2] - covered) / strides[dimension] + 1
  }
}

extension Reference {
  /// 2-D convolution with groups.
  ///
  /// **Shape** `x: [N, C, H, W], w: [M, C/groups, R, S], bias: [M] -> [N, M, P, Q]`.
  ///
  /// Floats: each output starts at 0, takes `x·w` for `(c, r, s)` ascending in `Float` (`f64` in `Double`), then the bias. Integers: `(x − zero point)·w`
  /// summed in 32 bits (wrapping), bias added; the result is `i32`. Padding contributes 0.
  public static func conv2d(
    _ x: HostTensor, _ w: HostTensor, bias: HostTensor?, window: Window2D, groups: Int, inputZeroPoint: Int = 0,
    weightZeroPoint: Int = 0
  ) -> HostTensor {
    if x.elementType == .f64 { return wideConv(x, w, bias: bias, window: window, groups: groups) }
    if x.elementType.isFloat {
      let wide = conv(
        x.converted(to: .f32), w.converted(to: .f32), bias: bias?.converted(to: .f32), window: window, groups: groups)
      return wide.converted(to: x.elementType)
    }
    return integerConv(
      x, w, bias: bias, window: window, groups: groups, inputZeroPoint: inputZeroPoint, weightZeroPoint: weightZeroPoint
    )
  }

  private static func conv(
    _ x: HostTensor, _ w: HostTensor, bias: HostTensor?, window: Window2D, groups: Int
  ) -> HostTensor {
    let geometry = ConvGeometry(x.shape, w.shape, window, groups)
    let biases = bias?.values(as: Float.self)
    return HostTensor(shape: geometry.outputShape, elementType: .f32) { (output: UnsafeMutableBufferPointer<Float>) in
      guard let out = output.baseAddress, output.count > 0 else { return }
      x.withValues(as: Float.self) { input in
        w.withValues(as: Float.self) { weights in
          geometry.forEachTile(input: input, weights: weights, terms: Int.max) {
            tile, channel, rows, position, columns, _ in
            for row in 0..<rows {
              let target = out + geometry.outputOffset(channel: channel + row, position: position)
              let sums = tile.sums[row]
              let base = biases.map { $0[geometry.plainChannel(channel + row)] } ?? 0
              for j in 0..<columns { target[j] = biases == nil ? sums[j] : sums[j] + base }
            }
          }
        }
      }
    }
  }

  private static func integerConv(
    _ x: HostTensor, _ w: HostTensor, bias: HostTensor?, window: Window2D, groups: Int, inputZeroPoint: Int,
    weightZeroPoint: Int
  ) -> HostTensor {
    let geometry = ConvGeometry(x.shape, w.shape, window, groups)
    let input = centred(x, zeroPoint: inputZeroPoint)
    let weights = centred(w, zeroPoint: weightZeroPoint)
    // Sums of integers in Float are exact below 2^24; longer sums are cut into exact parts that are added in Int32.
    guard let terms = exactFloatTerms(largest(x, inputZeroPoint), largest(w, weightZeroPoint)) else {
      preconditionFailure("integer convolution of \(x.elementType) and \(w.elementType)")
    }
    let biases = bias?.converted(to: .i32).values(as: Int32.self)
    return HostTensor(shape: geometry.outputShape, elementType: .i32) { (output: UnsafeMutableBufferPointer<Int32>) in
      guard let out = output.baseAddress, output.count > 0 else { return }
      input.withValues(as: Float.self) { input in
        weights.withValues(as: Float.self) { weights in
          geometry.forEachTile(input: input, weights: weights, terms: terms) {
            tile, channel, rows, position, columns, isFirst in
            for row in 0..<rows {
              let target = out + geometry.outputOffset(channel: channel + row, position: position)
              let sums = tile.sums[row]
              let base = isFirst ? (biases.map { $0[geometry.plainChannel(channel + row)] } ?? 0) : 0
              for j in 0..<columns { target[j] = (isFirst ? base : target[j]) &+ Int32(sums[j]) }
            }
          }
        }
      }
    }
  }

  /// The values minus the zero point, as `f32` (exact for 8- and 16-bit types).
  static func centred(_ tensor: HostTensor, zeroPoint: Int) -> HostTensor {
    let values = tensor.converted(to: .f32)
    if zeroPoint == 0 { return values }
    var result = values
    let shift = Float(zeroPoint)
    result.withMutableValues(as: Float.self) { for i in $0.indices { $0[i] -= shift } }
    return result
  }

  /// The largest magnitude that an element minus the zero point can have.
  static func largest(_ tensor: HostTensor, _ zeroPoint: Int) -> Int {
    guard let range = tensor.elementType.integerRange else { return Int.max }
    return max(abs(max(range.lowerBound, -(1 << 40)) - zeroPoint), abs(min(range.upperBound, 1 << 40) - zeroPoint))
  }
}

/// Sizes of a convolution and the walk over its tiles.
private struct ConvGeometry {
  let batch: Int, channels: Int, height: Int, width: Int
  let filters: Int, groupChannels: Int
  let window: Window2D
  let groups: Int
  let rows: Int, columns: Int

  init(_ x: [Int], _ w: [Int], _ window: Window2D, _ groups: Int) {
    precondition(x.count == 4 && w.count == 4, "conv2d of \(x) and \(w)")
    (batch, channels, height, width) = (x[0], x[1], x[2], x[3])
    (filters, groupChannels) = (w[0], w[1])
    precondition(groups > 0 && filters % groups == 0 && channels == groupChannels * groups, "conv2d of \(x) and \(w)")
    precondition(window.kernel == [w[2], w[3]], "conv2d window \(window.kernel) for \(w)")
    self.window = window
    self.groups = groups
    rows = window.outputExtent(height, dimension: 0)
    columns = window.outputExtent(width, dimension: 1)
  }

  var outputShape: [Int] { [batch, filters, rows, columns] }

  /// `channel` counts through the batch: image · filters + filter.
  func outputOffset(channel: Int, position: Int) -> Int { channel * rows * columns + position }

  func plainChannel(_ channel: Int) -> Int { channel % filters }

  /// Visits tiles of up to 4 filters and 8 output positions; `terms` products are summed in one visit, and the last
  /// argument says whether it is the first visit of the tile.
  @inline(__always)
  func forEachTile(
    input: UnsafeBufferPointer<Float>, weights: UnsafeBufferPointer<Float>, terms: Int,
    _ body: (borrowing ContractionTile, _ channel: Int, _ rows: Int, _ position: Int, _ columns: Int, _ isFirst: Bool)
      -> Void
  ) {
    guard let x = input.baseAddress, let w = weights.baseAddress else { return }
    let taps = window.kernel[0] * window.kernel[1]
    let k = groupChannels * taps
    let groupFilters = filters / groups
    let positions = rows * columns
    let tile = ContractionTile()
    let panel = ContractionPanel(k: k)
    for image in 0..<batch {
      for group in 0..<groups {
        let source = x + (image * channels + group * groupChannels) * height * width
        let filter = w + group * groupFilters * k
        for position in stride(from: 0, to: positions, by: ContractionTile.columns) {
          let count = min(ContractionTile.columns, positions - position)
          fill(panel, from: source, position: position, count: count, taps: taps)
          for first in stride(from: 0, to: groupFilters, by: ContractionTile.rows) {
            let rowCount = min(ContractionTile.rows, groupFilters - first)
            let channel = image * filters + group * groupFilters + first
            var start = 0
            repeat {
              let end = k - start <= terms ? k : start + terms
              tile.run(
                a: filter + first * k, rowStride: k, rowCount: rowCount, panel: UnsafePointer(panel.vectors),
                k: start..<end)
              body(tile, channel, rowCount, position, count, start == 0)
              start = end
            } while start < k
          }
        }
      }
    }
  }

  /// Gathers the inputs of 8 output positions: `panel[(c, r, s)][j]`, zero outside the image.
  private func fill(
    _ panel: borrowing ContractionPanel, from source: UnsafePointer<Float>, position: Int, count: Int, taps: Int
  ) {
    let target = panel.scalars
    let plane = height * width
    withUnsafeTemporaryAllocation(of: Int.self, capacity: ContractionTile.columns) { offsets in
      for tap in 0..<taps {
        let r = tap / window.kernel[1]
        let s = tap % window.kernel[1]
        var isWhole = true
        for j in 0..<ContractionTile.columns {
          let p = (position + j) / columns
          let q = (position + j) % columns
          let row = p * window.strides[0] - window.pads[0] + r * window.dilations[0]
          let column = q * window.strides[1] - window.pads[1] + s * window.dilations[1]
          let isInside = j < count && row >= 0 && row < height && column >= 0 && column < width
          offsets[j] = isInside ? row * width + column : -1
          if !isInside { isWhole = false }
        }
        var write = target + tap * ContractionTile.columns
        var read = source
        if isWhole {
          for _ in 0..<groupChannels {
            for j in 0..<ContractionTile.columns { write[j] = read[offsets[j]] }
            write += taps * ContractionTile.columns
            read += plane
          }
        } else {
          for _ in 0..<groupChannels {
            for j in 0..<ContractionTile.columns { write[j] = offsets[j] >= 0 ? read[offsets[j]] : 0 }
            write += taps * ContractionTile.columns
            read += plane
          }
        }
      }
    }
  }
}
