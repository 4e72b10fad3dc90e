import Foundation
import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor

/// A constant of the model: its type, and where its values come from.
struct ImportedConstant: Sendable {
  var shape: [Int]
  var elementType: ElementType
  var resource: Resource
  /// The rule that makes the values, when it is short enough to stand in text.
  var rule: SeededRule?

  /// The values; nil when they are absent.
  /// - Throws: what fetching them throws; `resource-size`, `too-large`.
  func tensor() throws(DiagnosticError) -> HostTensor? {
    guard let count = Extents.count(shape), count <= 1 << 33 else {
      throw DiagnosticError("too-large", "a constant of shape \(shape) has too many values to compute with")
    }
    guard let data = try resource.data() else { return nil }
    let needed = HostTensor.count(of: shape) * elementType.storageBytes
    guard data.count == needed else {
      throw DiagnosticError("resource-size", "a constant of \(needed) bytes has \(data.count) bytes of values")
    }
    return data.withUnsafeBytes { HostTensor(shape: shape, elementType: elementType, bytes: $0) }
  }

  init(shape: [Int], elementType: ElementType, resource: Resource) {
    self.shape = shape
    self.elementType = elementType
    self.resource = resource
  }

  /// One value for all elements, made when asked for; nil when the shape is impossible.
  init?(repeating value: HostTensor, shape: [Int]) {
    guard Extents.isMakeable(shape) else { return nil }
    let flat = value.reshaped(to: [])
    let resource = Resource(
      .generated(summary: "one value repeated") { () throws(DiagnosticError) -> Data in
        flat.broadcast(to: shape).withUnsafeBytes { Data($0) }
      }, alignment: value.elementType.storageBytes)
    self.init(shape: shape, elementType: value.elementType, resource: resource)
  }

  init(_ tensor: HostTensor) {
    self.init(
      shape: tensor.shape, elementType: tensor.elementType,
      resource: Resource(.bytes(tensor.withUnsafeBytes { Data($0) }), alignment: tensor.elementType.storageBytes))
  }
}

/// Turns the tensors of an ONNX file into constants.
final class TensorDecoder {
  let modelPath: String
  private let rule: WeightRule?
  /// Files outside the model that are not there, in order of first mention, with the number of tensors each lacks.
  private(set) var missingFiles: [(location: String, tensors: Int)] = []

  init(modelPath: String) {
    self.modelPath = modelPath
    rule = WeightRule(modelPath: modelPath)
  }

  /// - Throws: `tensor-type`, `tensor-shape`, `tensor-data`, `external-data`, `external-data-path`, `external-data-range`,
  ///   `weight-rule`.
  func decode(_ tensor: ONNXTensor, name: String) throws(DiagnosticError) -> ImportedConstant {
    guard let type = ONNXElementType.elementType(Int(tensor.dataType)) else {
      throw DiagnosticError(
        "tensor-type", "tensor '\(name)' has elements of type \(ONNXElementType.name(Int(tensor.dataType)))")
    }
    let shape = try Self.shape(of: tensor, name: name)
    let count = shape.reduce(1, *)
    guard tensor.dataLocation == 1 else {
      let values = try Self.values(of: tensor, type, shape, count, name: name)
      return ImportedConstant(shape: shape, elementType: type, resource: values)
    }
    return try external(tensor, type, shape, count, name: name)
  }

  /// - Throws: `tensor-shape` when an extent is negative or the size does not fit.
  private static func shape(of tensor: ONNXTensor, name: String) throws(DiagnosticError) -> [Int] {
    let shape = tensor.dims.map { Int($0) }
    guard Extents.count(shape) != nil else {
      throw DiagnosticError("tensor-shape", "tensor '\(name)' has the impossible shape \(shape)")
    }
    return shape
  }

  private func external(
    _ tensor: ONNXTensor, _ type: ElementType, _ shape: [Int], _ count: Int, name: String
  ) throws(DiagnosticError) -> ImportedConstant {
    func constant(_ resource: Resource) -> ImportedConstant {
      ImportedConstant(shape: shape, elementType: type, resource: resource)
    }
    let place = try ExternalData(tensor)
    let needed = type == .i4 ? (count + 1) / 2 : count * type.storageBytes
    guard place.length == nil || place.length == needed else {
      throw DiagnosticError(
        "external-data-range",
        "tensor '\(name)' of \(type) and shape \(shape) needs \(needed) bytes but \(place.length ?? 0) are given for it"
      )
    }
    guard let file = try place.resolve(modelPath: modelPath) else {
      if let entry = try rule?.entry(for: name, shape: shape, type: type) {
        var result = constant(
          Resource(
            .generated(summary: "seeded by the tensor name, \(entry.low) to \(entry.high)") {
              () throws(DiagnosticError) -> Data in
              let tensor = SeededValues.tensor(
                name: name, shape: shape, elementType: type, low: entry.low, high: entry.high)
              return tensor.withUnsafeBytes { Data($0) }
            }, alignment: type.storageBytes))
        result.rule = SeededRule(name: name, low: entry.low, high: entry.high)
        return result
      }
      if let index = missingFiles.firstIndex(where: { $0.location == place.location }) {
        missingFiles[index].tensors += 1
      } else {
        missingFiles.append((place.location, 1))
      }
      return constant(Resource(.absent))
    }
    let mapped = try MappedFile(path: file)
    guard place.offset <= mapped.byteCount, needed <= mapped.byteCount - place.offset else {
      throw DiagnosticError(
        "external-data-range",
        "tensor '\(name)' needs \(needed) bytes from \(place.offset) on of '\(place.location)', which has \(mapped.byteCount)"
      )
    }
    if type == .i4 || type == .i1 {
      let bytes = mapped.withUnsafeBytes { Array($0[place.offset..<(place.offset + needed)]) }
      return constant(Resource(.bytes(Data(Self.unpacked(bytes, type, count)))))
    }
    return constant(
      Resource(.file(path: file, offset: place.offset, length: needed), alignment: type.storageBytes))
  }

  /// The values that stand in the file itself, as our storage.
  /// - Throws: `tensor-data` when their number does not fit the shape.
  private static func values(
    of tensor: ONNXTensor, _ type: ElementType, _ shape: [Int], _ count: Int, name: String
  ) throws(DiagnosticError) -> Resource {
    let packed = type == .i4 ? (count + 1) / 2 : count * type.storageBytes
    if tensor.hasRawData {
      guard tensor.rawData.count == packed else {
        throw mismatch(name, type, shape, needs: "\(packed) bytes", has: "\(tensor.rawData.count)")
      }
      if type == .i4 || type == .i1 {
        return Resource(.bytes(Data(unpacked([UInt8](tensor.rawData), type, count))))
      }
      return Resource(.bytes(tensor.rawData), alignment: type.storageBytes)
    }
    func check(_ given: Int, _ needed: Int) throws(DiagnosticError) {
      guard given == needed else { throw mismatch(name, type, shape, needs: "\(needed) values", has: "\(given)") }
    }
    let decoded: HostTensor
    switch type {
    case .f32:
      try check(tensor.floatData.count, count)
      decoded = HostTensor(shape: shape, values: tensor.floatData)
    case .f64:
      try check(tensor.doubleData.count, count)
      decoded = HostTensor(shape: shape, values: tensor.doubleData)
    case .i64:
      try check(tensor.int64Data.count, count)
      decoded = HostTensor(shape: shape, values: tensor.int64Data)
    case .ui64, .ui32:
      try check(tensor.uint64Data.count, count)
      decoded = HostTensor(shape: shape, values: tensor.uint64Data).converted(to: type)
    case .f16, .bf16:
      try check(tensor.int32Data.count, count)
      let bits = tensor.int32Data.map { UInt16(truncatingIfNeeded: $0) }
      decoded = bits.withUnsafeBytes { HostTensor(shape: shape, elementType: type, bytes: $0) }
    case .i4:
      try check(tensor.int32Data.count, packed)
      let bytes = tensor.int32Data.map { UInt8(truncatingIfNeeded: $0) }
      return Resource(.bytes(Data(unpacked(bytes, type, count))))
    case .i1, .i8, .i16, .i32, .ui8, .ui16:
      try check(tensor.int32Data.count, count)
      decoded = HostTensor(shape: shape, values: tensor.int32Data).converted(to: type)
    }
    return ImportedConstant(decoded).resource
  }

  /// One byte for each 4-bit value (two in a byte, the first in the low half) or truth value.
  private static func unpacked(_ bytes: [UInt8], _ type: ElementType, _ count: Int) -> [UInt8] {
    if type == .i1 { return bytes.map { $0 == 0 ? 0 : 1 } }
    return (0..<count).map { index in
      let nibble = index % 2 == 0 ? bytes[index / 2] << 4 : bytes[index / 2] & 0xF0
      return UInt8(bitPattern: Int8(bitPattern: nibble) >> 4)
    }
  }

  private static func mismatch(
    _ name: String, _ type: ElementType, _ shape: [Int], needs: String, has: String
  ) -> DiagnosticError {
    DiagnosticError("tensor-data", "tensor '\(name)' of \(type) and shape \(shape) needs \(needs) but has \(has)")
  }
}
