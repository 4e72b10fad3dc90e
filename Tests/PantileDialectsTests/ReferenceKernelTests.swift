import PantileDialects
import PantileSupport
import PantileTensor
import Testing

/// Points of the definitions that the ONNX conformance cases do not reach.
@Suite struct ReferenceKernelTests {
  private func f(_ values: [Float], _ shape: [Int]? = nil) -> HostTensor {
    HostTensor(shape: shape ?? [values.count], values: values)
  }

  @Test func quantizeRoundsHalvesToEvenAndSaturates() {
    let x = f([0.5, 1.5, 2.5, -0.5, 1000, -1000, .nan, .infinity])
    #expect(
      Reference.quantize(x, scales: [1], zeroPoints: [0], axis: 0, to: .i8).integers == [0, 2, 2, 0, 127, -128, 0, 127])
    let unsigned = Reference.quantize(f([-100, 100]), scales: [1], zeroPoints: [200], axis: 0, to: .ui8)
    #expect(unsigned.integers == [100, 255])
    let perAxis = Reference.quantize(
      f([1, 1, 1, 1], [2, 2]), scales: [1, 0.5], zeroPoints: [0, 1], axis: 0, to: .i8)
    #expect(perAxis.integers == [1, 1, 3, 3])
    #expect(Reference.dequantize(perAxis, scales: [1, 0.5], zeroPoints: [0, 1], axis: 0).floats == [1, 1, 1, 1])
  }

  @Test func requantizeRoundsHalvesUpInSixtyFourBits() throws {
    let half = try Requantisation(factor: 0.5)
    let x = HostTensor(shape: [6], values: [Int32](arrayLiteral: -3, -1, 1, 3, .max, .min))
    let y = Reference.requantize(
      x, factors: [half], axis: 0, inputZeroPoint: 0, zeroPoint: 1, minimum: -128, maximum: 127)
    #expect(y.integers == [0, 1, 2, 3, 127, -128])
  }

  @Test func quantizedAddFollowsItsFormula() {
    let rule = Reference.QuantizedAddition(
      aZeroPoint: 3, bZeroPoint: -5, aMultiplier: 1 << 30, bMultiplier: 1 << 29, shift: 30, zeroPoint: 2, minimum: -10,
      maximum: 120)
    let a = HostTensor(shape: [4], values: [Int8](arrayLiteral: 3, 10, -128, 127))
    let b = HostTensor(shape: [1], values: [Int8](arrayLiteral: 0))
    // (a − 3) + 5/2, halves up, + 2
    #expect(Reference.quantizedAdd(a, b, rule).integers == [5, 12, -10, 120])
  }

  @Test func poolingIgnoresPadding() {
    let x = f([1, 2, 3, 4], [1, 1, 2, 2])
    let window = Window2D(kernel: [2, 2], strides: [1, 1], pads: [1, 1, 1, 1])
    #expect(
      Reference.maxPool2d(f([-1, -2, -3, -4], [1, 1, 2, 2]), window: window, outputExtents: [3, 3]).floats
        == [-1, -1, -2, -1, -1, -2, -3, -3, -4])
    #expect(
      Reference.averagePool2d(x, window: window, outputExtents: [3, 3], countsPadding: false).floats
        == [1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4])
    #expect(Reference.averagePool2d(x, window: window, outputExtents: [3, 3], countsPadding: true).floats[0] == 0.25)
    let bytes = HostTensor(shape: [1, 1, 1, 1], values: [Int8(-100)])
    #expect(Reference.maxPool2d(bytes, window: window, outputExtents: [2, 2]).integers == [-100, -100, -100, -100])
  }

  @Test func integersWrapAndDivisionByZeroIsZero() {
    let a = HostTensor(shape: [3], values: [Int8](arrayLiteral: 127, -128, 7))
    let b = HostTensor(shape: [3], values: [Int8](arrayLiteral: 1, -1, 0))
    #expect(Reference.binary(.add, a, b).integers == [-128, 127, 7])
    #expect(Reference.binary(.div, a, b).integers == [127, -128, 0])
    #expect(
      Reference.binary(
        .mod, HostTensor(shape: [2], values: [Int8](arrayLiteral: -7, 7)),
        HostTensor(shape: [2], values: [Int8](arrayLiteral: 3, -3))
      ).integers == [2, -2])
    #expect(
      Reference.binary(
        .fmod, HostTensor(shape: [2], values: [Int8](arrayLiteral: -7, 7)),
        HostTensor(shape: [2], values: [Int8](arrayLiteral: 3, -3))
      ).integers == [-1, 1])
  }

  @Test func notANumberPassesThrough() {
    let x = f([.nan, 1])
    #expect(Reference.unary(.relu, x).floats[0].isNaN)
    #expect(Reference.binary(.max, x, f([0, 0])).floats[0].isNaN)
    #expect(Reference.binary(.max, f([0, 0]), x).floats[0].isNaN)
    #expect(Reference.clamp(x, low: 0, high: 0.5).floats[0].isNaN)
    #expect(Reference.clamp(x, low: 0, high: 0.5).floats[1] == 0.5)
  }

  @Test func softmaxRowsSumToOne() {
    let y = Reference.softmax(f([1000, 1001, 1002, -5, 0, 5], [2, 3]), axis: 1).floats
    #expect(abs(y[0] + y[1] + y[2] - 1) < 1e-6 && abs(y[3] + y[4] + y[5] - 1) < 1e-6)
    let first = Reference.softmax(f([0, 0, 0, 0], [2, 2]), axis: 0).floats
    #expect(first == [0.5, 0.5, 0.5, 0.5])
  }

  @Test func gatherRejectsIndicesOutside() {
    let x = f([1, 2, 3])
    #expect(Reference.gather(x, indices: HostTensor(scalar: Int64(3)), axis: 0) == nil)
    #expect(Reference.gather(x, indices: HostTensor(scalar: Int64(-1)), axis: 0)?.floats == [3])
    #expect(Reference.gather(x, indices: HostTensor(scalar: Int64(-4)), axis: 0) == nil)
  }

  @Test func padModesMatchTheirNames() {
    let x = f([1, 2, 3])
    func padded(_ mode: PadMode) -> [Float] { Reference.pad(x, low: [2], high: [2], mode: mode, value: 9).floats }
    #expect(padded(.constant) == [9, 9, 1, 2, 3, 9, 9])
    #expect(padded(.edge) == [1, 1, 1, 2, 3, 3, 3])
    #expect(padded(.reflect) == [3, 2, 1, 2, 3, 2, 1])
    #expect(padded(.wrap) == [2, 3, 1, 2, 3, 1, 2])
    #expect(Reference.pad(x, low: [-1], high: [0], mode: .constant).floats == [2, 3])
  }

  @Test func reductionsKeepTheirOrder() {
    // 2^24 + 1 + 1: in index order each 1 is lost, in any pairwise order it is not.
    let x = f([16_777_216, 1, 1])
    #expect(Reference.reduce(.sum, x, axes: [0], keepsDimensions: false).floats == [16_777_216])
    let bytes = HostTensor(shape: [1, 2, 2], values: [Int8](arrayLiteral: 127, 127, -128, 100))
    let sums = Reference.reduce(.sum, bytes, axes: [1, 2], keepsDimensions: true, inputZeroPoint: -128, widens: true)
    #expect(sums.elementType == .i32 && sums.integers == [738] && sums.shape == [1, 1, 1])
  }
}
