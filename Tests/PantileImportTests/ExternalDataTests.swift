import Foundation
import PantileDialects
import PantileIR
import PantileImport
import PantileSupport
import PantileTensor
import Testing

/// Weights outside the model file: found, refused, made by a rule, or absent.
@Suite struct ExternalDataTests {
  /// A folder that is removed with the value.
  final class Folder {
    let path = NSTemporaryDirectory() + "pantile-import-\(UUID().uuidString)"
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func write(_ bytes: [UInt8], _ name: String) throws {
      try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }
  }

  static func model(location: String, offset: String? = nil, length: String? = nil) -> TestModel {
    var model = TestModel(
      inputs: [("x", 1, [.fixed(2)])], nodes: [.init(op: "Add", inputs: ["x", "w"], outputs: ["y"])])
    model.rawInitializers = [
      { w in
        w.integer(1, 2)
        w.integer(2, 1)
        w.text(8, "w")
        for (key, value) in [("location", location), ("offset", offset), ("length", length)] {
          guard let value else { continue }
          w.message(13) {
            $0.text(1, key)
            $0.text(2, value)
          }
        }
        w.integer(14, 1)
      }
    ]
    return model
  }

  static func load(
    _ model: TestModel, in folder: Folder, requiresWeights: Bool = false
  ) throws -> (weights: [Float]?, warnings: [String]) {
    let path = folder.path + "/m.onnx"
    try model.data.write(to: URL(fileURLWithPath: path))
    let (module, warnings) = try ONNXImport.load(path, options: ImportOptions(requiresWeights: requiresWeights))
    var weights: [Float]?
    for op in module.ops(inBodyOf: try module.mainFunction()) where module.name(of: op) == "dnn.constant" {
      weights = try module.constantTensor(of: op)?.floats
    }
    return (weights, warnings.map(\.code))
  }

  static func codes(_ model: TestModel, in folder: Folder, requiresWeights: Bool = false) -> [String] {
    do {
      _ = try load(model, in: folder, requiresWeights: requiresWeights)
      return []
    } catch {
      return (error as? DiagnosticError)?.codes ?? ["\(error)"]
    }
  }

  static let bytes: [UInt8] = [9, 9, 9, 9, 0, 0, 128, 63, 0, 0, 0, 64]

  @Test func weightsAreReadFromTheirPlace() throws {
    let folder = try Folder()
    try folder.write(Self.bytes, "m.weights")
    let (weights, warnings) = try Self.load(Self.model(location: "m.weights", offset: "4", length: "8"), in: folder)
    #expect(weights == [1, 2])
    #expect(warnings.isEmpty)
  }

  @Test func rangesOutsideTheFileAreRefused() throws {
    let folder = try Folder()
    try folder.write(Self.bytes, "m.weights")
    let cases = [("8", "8"), ("13", nil), ("9223372036854775807", "8"), ("0", "4")]
    for (offset, length) in cases {
      let model = Self.model(location: "m.weights", offset: offset, length: length)
      #expect(Self.codes(model, in: folder) == ["external-data-range"], "\(offset) \(length ?? "")")
    }
    #expect(Self.codes(Self.model(location: "m.weights", offset: "-4"), in: folder) == ["external-data"])
    #expect(Self.codes(Self.model(location: "m.weights", offset: "x"), in: folder) == ["external-data"])
    #expect(Self.codes(Self.model(location: ""), in: folder) == ["external-data"])
  }

  @Test(arguments: [
    "/etc/passwd", "../m.weights", "a/../../m.weights", "..", "sub/../../x", "..\\m.weights", "link", "link/m.weights",
  ])
  func pathsThatLeaveTheFolderAreRefused(_ location: String) throws {
    let outside = try Folder()
    try outside.write(Self.bytes, "m.weights")
    let folder = try Folder()
    let target = location == "link" ? outside.path + "/m.weights" : outside.path
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: target)
    #expect(Self.codes(Self.model(location: location), in: folder) == ["external-data-path"])
  }

  @Test func missingFilesAreAWarningOrAnError() throws {
    let folder = try Folder()
    let (weights, warnings) = try Self.load(Self.model(location: "gone.weights"), in: folder)
    #expect(weights == nil)
    #expect(warnings == ["weights-absent"])
    #expect(Self.codes(Self.model(location: "gone.weights"), in: folder, requiresWeights: true) == ["weights-absent"])
  }

  @Test func aRuleBesideTheModelMakesTheWeights() throws {
    let folder = try Folder()
    func rule(_ dims: String, _ prng: String) throws {
      try folder.write(
        Array(#"{"prng": "\#(prng)", "tensors": [{"name": "w", "dims": \#(dims), "lo": -1, "hi": 1}]}"#.utf8), "m.json")
    }
    let model = Self.model(location: "gone.weights")
    try rule("[2]", "fnv1a64(name) seeds splitmix64; …")
    let (weights, warnings) = try Self.load(model, in: folder)
    #expect(weights == SeededValues.tensor(name: "w", shape: [2], elementType: .f32, low: -1, high: 1).floats)
    #expect(warnings.isEmpty)
    try rule("[3]", "fnv1a64(name) seeds splitmix64; …")
    #expect(Self.codes(model, in: folder) == ["weight-rule"])
    // A description with another rule, or damaged, is none.
    try rule("[2]", "mersenne twister")
    #expect(try Self.load(model, in: folder).warnings == ["weights-absent"])
    try folder.write(Array("{".utf8), "m.json")
    #expect(try Self.load(model, in: folder).warnings == ["weights-absent"])
  }
}
