import Foundation
import PantileDialects
import PantileIR
import PantileImport
import PantileSupport
import PantileTensor
import PantileTestSupport
import Testing

/// The single-operator conformance cases of the ONNX project.
@Suite struct NodeCaseTests {
  struct Case: Decodable, Sendable {
    var name: String
    var op: String
    var rtol: Double
    var atol: Double
    var ins: Int
    var outs: Int
  }

  /// Cases of supported operators that are left out, each with its reason.
  static let exceptions: [String: String] = {
    let reasons: [(reason: String, cases: [String])] = [
      (
        "the expected values were rounded to f16 after every step; one unit of f16 is more than the tolerance",
        ["attention_4d_causal_fp16"]
      ),
      (
        "lengths of a static cache came with version 24",
        [
          "attention_4d_gqa_causal_nonpad_decode", "attention_4d_causal_nonpad_negative_offset_structural_empty",
          "attention_4d_causal_nonpad_attn_mask_composition", "attention_4d_causal_nonpad_batch_prefill",
          "attention_local_window_ext_cache_rank3_head_mask", "attention_local_window_ext_cache_rank4_batch_mask",
          "attention_local_window_ext_cache_rank2_mask",
        ]
      ),
      (
        "three spatial dimensions are not supported",
        [
          "averagepool_3d_dilations_small", "averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True",
          "averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False", "maxpool_3d_dilations",
          "maxpool_3d_dilations_use_ref_impl",
        ]
      ),
      (
        "dropout in training mode is random",
        ["training_dropout_default_mask", "training_dropout", "training_dropout_mask"]
      ),
      ("operator sets before 7 are refused", ["not_2d"]),
      (
        "cropping and antialiasing resizes are not supported",
        [
          "resize_tf_crop_and_resize", "resize_downsample_scales_linear_antialias",
          "resize_downsample_sizes_linear_antialias",
        ]
      ),
    ]
    var result: [String: String] = [:]
    for (reason, cases) in reasons { for name in cases { result["test_" + name] = reason } }
    return result
  }()

  @Test func supportedOperatorsMeetTheirTolerance() throws {
    guard let folder = SharedFolder.path("models/onnx_node_cases") else {
      return SharedFolder.reportSkipped("single-operator conformance cases")
    }
    let index = try JSONDecoder().decode(
      [Case].self, from: try Data(contentsOf: URL(fileURLWithPath: folder + "/index.json")))
    let supported = Set(ONNXImport.supportedOperators)
    var passed = 0
    var skipped: [String] = []
    for entry in index {
      guard supported.contains(entry.op) else {
        skipped.append("\(entry.name): operator \(entry.op) is not supported")
        continue
      }
      if let reason = Self.exceptions[entry.name] {
        skipped.append("\(entry.name): \(reason)")
        continue
      }
      do {
        if let problem = try Self.run(entry, folder + "/" + entry.name) {
          Issue.record("\(entry.name): \(problem)")
        } else {
          passed += 1
        }
      } catch {
        Issue.record("\(entry.name): \(error)")
      }
    }
    print("node cases: \(passed) of \(index.count) pass, \(skipped.count) skipped")
    for line in skipped { print("  skipped \(line)") }
    for name in Self.exceptions.keys { #expect(index.contains { $0.name == name }, "\(name) is no case") }
  }

  /// What is wrong, or nil.
  static func run(_ entry: Case, _ folder: String) throws -> String? {
    var inputs: [HostTensor] = []
    for i in 0..<entry.ins { inputs.append(try NPY.read("\(folder)/in\(i).npy")) }
    let (module, constants) = try load("\(folder)/model.onnx", inputs)
    try module.verify(Dialects.registry)
    let function = try module.mainFunction()
    // Inputs that were taken as constants are no arguments.
    let given = inputs.indices.filter { !constants.contains($0) }.map { inputs[$0] }
    let outputs = try Interpreter(module, function: function).run(given)
    guard outputs.count == entry.outs else { return "\(outputs.count) outputs, not \(entry.outs)" }
    for (i, output) in outputs.enumerated() {
      let expected = try NPY.read("\(folder)/out\(i).npy")
      guard output.shape == expected.shape else {
        return "output \(i) has shape \(output.shape), not \(expected.shape)"
      }
      guard output.elementType == expected.elementType else {
        return "output \(i) has type \(output.elementType), not \(expected.elementType)"
      }
      for j in 0..<output.count {
        let (a, b) = (output.double(at: j), expected.double(at: j))
        if a == b || a.isNaN && b.isNaN { continue }
        if !(abs(a - b) <= entry.atol + entry.rtol * abs(b)) { return "output \(i)[\(j)] is \(a), not \(b)" }
      }
    }
    return nil
  }

  /// Reads the model; inputs that must be known at import (shapes, axes, bounds) are given as initializers.
  private static func load(_ path: String, _ inputs: [HostTensor]) throws -> (Module, constants: [Int]) {
    let names = try ONNXImport.inputs(path).map(\.name)
    let shapes = Dictionary(uniqueKeysWithValues: zip(names, inputs.map(\.shape)))
    do throws(DiagnosticError) {
      return (try ONNXImport.load(path, options: ImportOptions(shapes: shapes)).module, [])
    } catch {
      guard error.codes.contains("not-constant") else { throw error }
    }
    return try withConstants(path, inputs, shapes)
  }

  private static func withConstants(
    _ path: String, _ inputs: [HostTensor], _ shapes: [String: [Int]]
  ) throws -> (Module, constants: [Int]) {
    let names = try ONNXImport.inputs(path).map(\.name)
    // Parameters follow the data, except where an operator has parameters alone.
    for first in [1, 0] {
      let constants = Array(first..<inputs.count)
      let values = Dictionary(uniqueKeysWithValues: constants.map { (names[$0], inputs[$0]) })
      do throws(DiagnosticError) {
        let options = ImportOptions(shapes: shapes, constants: values)
        return (try ONNXImport.load(path, options: options).module, constants)
      } catch {
        guard error.codes.contains("not-constant"), first == 1 else { throw error }
      }
    }
    return (try ONNXImport.load(path).module, [])
  }
}
