import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// Scales and zero points of a quantised tensor, one for all or one for each index of an axis.
struct QuantizationParameters: Hashable, Sendable {
  var scales: [Float]
  /// As many as scales.
  var zeroPoints: [Int]
  /// Counts when there are several scales.
  var axis: Int
  /// Of the quantised side.
  var element: ElementType

  init(scales: [Float], zeroPoints: [Int], axis: Int = 1, element: ElementType) {
    self.scales = scales
    self.zeroPoints = zeroPoints
    self.axis = axis
    self.element = element
  }

  /// One scale for the whole tensor.
  init(scale: Float, zeroPoint: Int, element: ElementType = .i8) {
    self.init(scales: [scale], zeroPoints: [zeroPoint], element: element)
  }

  /// Of a `dnn.quantize` or `dnn.dequantize`.
  /// - Throws: for missing attributes and types.
  init(_ op: OpView) throws(DiagnosticError) {
    let scales = try op.numbers("scale").map { Float($0) }
    let zeros = try op.integers("zero_point")
    let quantised = op.name == "dnn.quantize" ? try op.resultTensor() : try op.operandTensor(0)
    self.init(
      scales: scales, zeroPoints: zeros.count == 1 ? Array(repeating: zeros[0], count: scales.count) : zeros,
      axis: try op.integer("axis"), element: try ElementType(quantised.element, at: op.location))
    // Equal parameters for all indices are one.
    if let scale = scales.first, let zero = zeroPoints.first, scales.allSatisfy({ $0 == scale }),
      zeroPoints.allSatisfy({ $0 == zero })
    {
      self.scales = [scale]
      self.zeroPoints = [zero]
    }
  }

  var isPerTensor: Bool { scales.count == 1 }
  /// The only scale.
  /// - Precondition: per tensor.
  var scale: Float { scales[0] }
  /// The only zero point.
  /// - Precondition: per tensor.
  var zeroPoint: Int { zeroPoints[0] }

  /// As attributes of `dnn.dequantize`.
  var attributes: AttributeDictionary {
    let zeros = zeroPoints.allSatisfy { $0 == zeroPoints[0] } ? [zeroPoints[0]] : zeroPoints
    return ["scale": .floats32(scales), "zero_point": .integers32(zeros), "axis": .integer(axis)]
  }

  /// As attributes of `dnn.quantize`.
  var quantizeAttributes: AttributeDictionary {
    var result = attributes
    result["to"] = .type(element.syntax)
    return result
  }

  /// The quantised value of a real number, as `dnn.quantize` rounds and saturates.
  /// - Precondition: per tensor, and an integer element type.
  func quantised(_ value: Double) -> Int {
    let range = element.integerRange ?? 0...0
    let scaled = Float(value) / scale
    if scaled.isNaN { return zeroPoint }
    let rounded = Double(scaled.rounded(.toNearestOrEven)) + Double(zeroPoint)
    return Int(min(max(rounded, Double(range.lowerBound)), Double(range.upperBound)))
  }

  /// Asymmetric int8 parameters of a range: zero is exact, both ends are representable up to half a step.
  ///
  /// The range is widened to hold zero; an empty one gets scale 1.
  static func asymmetric(low: Double, high: Double) -> QuantizationParameters {
    let low = min(low, 0)
    let high = max(high, 0)
    let scale = Float((high - low) / 255)
    guard scale > 0, scale.isFinite, scale.isNormal else { return QuantizationParameters(scale: 1, zeroPoint: 0) }
    let zero = (-128 - low / Double(scale)).rounded(.toNearestOrEven)
    return QuantizationParameters(scale: scale, zeroPoint: Int(min(max(zero, -128), 127)))
  }

  /// Per tensor, for values up to `magnitude` on both sides of zero; an empty range gets scale 1.
  static func symmetric(magnitude: Double) -> QuantizationParameters {
    let scale = Float(magnitude / 127)
    guard scale > 0, scale.isFinite, scale.isNormal else { return QuantizationParameters(scale: 1, zeroPoint: 0) }
    return QuantizationParameters(scale: scale, zeroPoint: 0)
  }
}
