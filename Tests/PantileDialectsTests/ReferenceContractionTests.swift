import PantileDialects
import PantileSupport
import PantileTensor
import Testing

/// The fast kernels against plain loops written from the definition.
@Suite struct ReferenceContractionTests {
  struct ConvCase: Sendable {
    var x: [Int]
    var w: [Int]
    var window: Window2D
    var groups = 1
  }

  static let cases: [ConvCase] = [
    ConvCase(x: [1, 3, 7, 9], w: [5, 3, 3, 3], window: Window2D(kernel: [3, 3], pads: [1, 1, 1, 1])),
    ConvCase(
      x: [2, 4, 8, 8], w: [6, 2, 3, 2], window: Window2D(kernel: [3, 2], strides: [2, 3], pads: [0, 1, 2, 0]), groups: 2
    ),
    ConvCase(
      x: [1, 6, 9, 9], w: [6, 1, 3, 3], window: Window2D(kernel: [3, 3], pads: [2, 2, 2, 2], dilations: [2, 2]),
      groups: 6),
    ConvCase(
      x: [1, 1, 1, 20], w: [3, 1, 1, 5], window: Window2D(kernel: [1, 5], strides: [1, 2], pads: [0, 4, 0, 4])),
    ConvCase(x: [1, 700, 2, 2], w: [9, 700, 1, 1], window: Window2D(kernel: [1, 1])),
  ]

  static func naive(_ x: HostTensor, _ w: HostTensor, _ window: Window2D, _ groups: Int, zeroPoint: Int) -> [Double] {
    let (n, c, h, v) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let (m, g, r, s) = (w.shape[0], w.shape[1], w.shape[2], w.shape[3])
    let (p, q) = (window.outputExtent(h, dimension: 0), window.outputExtent(v, dimension: 1))
    let xs = (0..<x.count).map { x.double(at: $0) - Double(zeroPoint) }
    let ws = (0..<w.count).map { w.double(at: $0) }
    var result: [Double] = []
    for image in 0..<n {
      for filter in 0..<m {
        for row in 0..<p {
          for column in 0..<q {
            var sum = 0.0
            for channel in 0..<g {
              for i in 0..<r {
                for j in 0..<s {
                  let y = row * window.strides[0] + i * window.dilations[0] - window.pads[0]
                  let z = column * window.strides[1] + j * window.dilations[1] - window.pads[1]
                  guard y >= 0, y < h, z >= 0, z < v else { continue }
                  let source = filter / (m / groups) * g + channel
                  sum += xs[((image * c + source) * h + y) * v + z] * ws[((filter * g + channel) * r + i) * s + j]
                }
              }
            }
            result.append(sum)
          }
        }
      }
    }
    return result
  }

  @Test(arguments: 0..<5) func convolutionEqualsPlainLoops(index: Int) {
    let entry = Self.cases[index]
    let x = SeededValues.tensor(name: "x", shape: entry.x, elementType: .f32, low: -1, high: 1)
    let w = SeededValues.tensor(name: "w", shape: entry.w, elementType: .f32, low: -1, high: 1)
    let b = SeededValues.tensor(name: "b", shape: [entry.w[0]], elementType: .f32, low: -1, high: 1).floats
    let plain = Reference.conv2d(x, w, bias: nil, window: entry.window, groups: entry.groups)
    let expected = Self.naive(x, w, entry.window, entry.groups, zeroPoint: 0)
    #expect(plain.count == expected.count)
    for (a, e) in zip(plain.floats, expected) { #expect(abs(Double(a) - e) < 1e-4) }
    let biased = Reference.conv2d(
      x, w, bias: HostTensor(shape: [b.count], values: b), window: entry.window, groups: entry.groups)
    let inner = plain.shape[2] * plain.shape[3]
    for (i, value) in plain.floats.enumerated() { #expect(biased.floats[i] == value + b[i / inner % b.count]) }
  }

  @Test(arguments: 0..<5) func integerConvolutionIsExact(index: Int) {
    let entry = Self.cases[index]
    for (type, zeroPoint) in [(ElementType.i8, -128), (.i8, 7), (.ui8, 200)] {
      let range = type.integerRange ?? 0...0
      let x = SeededValues.tensor(
        name: "x", shape: entry.x, elementType: type, low: Double(range.lowerBound), high: Double(range.upperBound))
      let w = SeededValues.tensor(name: "w", shape: entry.w, elementType: .i8, low: -128, high: 127)
      let y = Reference.conv2d(
        x, w, bias: nil, window: entry.window, groups: entry.groups, inputZeroPoint: zeroPoint)
      #expect(y.elementType == .i32)
      #expect(y.integers.map(Double.init) == Self.naive(x, w, entry.window, entry.groups, zeroPoint: zeroPoint))
    }
  }

  @Test func worstCaseIntegerSumsAreExact() {
    // 255·−128 over 4,000 terms is far beyond what one Float sum holds exactly.
    let x = HostTensor(shape: [1, 4000], values: [UInt8](repeating: 255, count: 4000))
    let w = HostTensor(shape: [3, 4000], values: [Int8](repeating: -128, count: 12000))
    let y = Reference.fullyConnected(x, w, bias: HostTensor(shape: [3], values: [Int32](arrayLiteral: 0, 1, -1)))
    #expect(y.integers == [-130_560_000, -130_559_999, -130_560_001])
  }

  @Test func matmulBroadcastsAndTransposes() {
    let a = SeededValues.tensor(name: "a", shape: [2, 1, 5, 11], elementType: .f32, low: -1, high: 1)
    let b = SeededValues.tensor(name: "b", shape: [3, 11, 9], elementType: .f32, low: -1, high: 1)
    let y = Reference.matmul(a, b)
    #expect(y.shape == [2, 3, 5, 9])
    let (x, w) = (a.floats, b.floats)
    for i in 0..<2 {
      for j in 0..<3 {
        for m in 0..<5 {
          for n in 0..<9 {
            var sum: Float = 0
            for k in 0..<11 { sum += x[(i * 5 + m) * 11 + k] * w[(j * 11 + k) * 9 + n] }
            #expect(y.floats[((i * 3 + j) * 5 + m) * 9 + n] == sum)
          }
        }
      }
    }
    #expect(Reference.matmul(a.transposed([0, 1, 3, 2]), b, transposeA: true) == y)
    #expect(Reference.matmul(a, b.transposed([0, 2, 1]), transposeB: true) == y)
    // One matrix on the right of a batch: the same as each product for itself.
    let shared = SeededValues.tensor(name: "b", shape: [1, 11, 9], elementType: .f32, low: -1, high: 1)
    let joint = Reference.matmul(a, shared)
    #expect(joint.shape == [2, 1, 5, 9])
    for i in 0..<2 {
      let part = Reference.slice(a, starts: [i, 0, 0, 0], counts: [1, 1, 5, 11], steps: [1, 1, 1, 1])
      let own = Reference.matmul(part.reshaped(to: [5, 11]), shared.reshaped(to: [11, 9]))
      #expect(Array(joint.floats[(i * 45)..<((i + 1) * 45)]) == own.floats)
    }
    let row = HostTensor(shape: [2], values: [Float](arrayLiteral: 1, 2))
    #expect(Reference.matmul(row, row).floats == [5])
    #expect(Reference.matmul(row, row).shape == [])
    #expect(Reference.matmul(row, HostTensor(shape: [2, 1], values: [Float](arrayLiteral: 3, 4))).shape == [1])
    #expect(Reference.matmul(HostTensor(shape: [1, 2], values: [Float](arrayLiteral: 3, 4)), row).shape == [1])
  }
}
