import Foundation
import PantileTensor

/// Writes the bytes of ONNX models field by field, sharing no code with the reader.
struct ProtoWriter {
  private(set) var bytes: [UInt8] = []

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func integer(_ field: Int, _ value: Int) {
    varint(UInt64(field << 3))
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func float(_ field: Int, _ value: Float) {
    varint(UInt64(field << 3 | 5))
    for i in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * i))) }
  }

  mutating func data(_ field: Int, _ value: [UInt8]) {
    varint(UInt64(field << 3 | 2))
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func text(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }

  mutating func message(_ field: Int, _ build: (inout ProtoWriter) -> Void) {
    var inner = ProtoWriter()
    build(&inner)
    data(field, inner.bytes)
  }
}

/// A small ONNX model for tests.
struct TestModel {
  enum Dim {
    case fixed(Int)
    case named(String)
    case open
  }
  enum Attribute {
    case int(Int)
    case ints([Int])
    case float(Float)
    case string(String)
    case tensor(HostTensor)
  }
  struct Node {
    var op: String
    var inputs: [String]
    var outputs: [String]
    var name = ""
    var domain = ""
    var attributes: [(String, Attribute)] = []
  }

  var opset = 17
  var inputs: [(name: String, type: Int, dims: [Dim]?)] = []
  var outputs = ["y"]
  var nodes: [Node] = []
  var initializers: [(name: String, tensor: HostTensor)] = []
  /// Further initializers, as written by the closures.
  var rawInitializers: [(inout ProtoWriter) -> Void] = []

  static let typeNumbers: [ElementType: Int] = [
    .f32: 1, .ui8: 2, .i8: 3, .ui16: 4, .i16: 5, .i32: 6, .i64: 7, .i1: 9, .f16: 10, .f64: 11, .ui32: 12, .ui64: 13,
    .bf16: 16,
  ]

  static func write(_ tensor: HostTensor, name: String, _ w: inout ProtoWriter) {
    for extent in tensor.shape { w.integer(1, extent) }
    w.integer(2, typeNumbers[tensor.elementType] ?? 0)
    w.text(8, name)
    w.data(9, tensor.withUnsafeBytes { Array($0) })
  }

  private static func write(_ name: String, _ attribute: Attribute, _ w: inout ProtoWriter) {
    w.text(1, name)
    switch attribute {
    case .int(let value):
      w.integer(3, value)
      w.integer(20, 2)
    case .ints(let values):
      for value in values { w.integer(8, value) }
      w.integer(20, 7)
    case .float(let value):
      w.float(2, value)
      w.integer(20, 1)
    case .string(let value):
      w.text(4, value)
      w.integer(20, 3)
    case .tensor(let tensor):
      w.message(5) { write(tensor, name: "", &$0) }
      w.integer(20, 4)
    }
  }

  private static func write(_ input: (name: String, type: Int, dims: [Dim]?), _ w: inout ProtoWriter) {
    w.text(1, input.name)
    w.message(2) { type in
      type.message(1) { tensor in
        tensor.integer(1, input.type)
        guard let dims = input.dims else { return }
        tensor.message(2) { shape in
          for dim in dims {
            shape.message(1) { entry in
              switch dim {
              case .fixed(let extent): entry.integer(1, extent)
              case .named(let name): entry.text(2, name)
              case .open: break
              }
            }
          }
        }
      }
    }
  }

  var data: Data {
    var w = ProtoWriter()
    w.integer(1, 8)
    w.message(7) { graph in
      for node in nodes {
        graph.message(1) { n in
          for input in node.inputs { n.text(1, input) }
          for output in node.outputs { n.text(2, output) }
          if !node.name.isEmpty { n.text(3, node.name) }
          n.text(4, node.op)
          for (name, attribute) in node.attributes { n.message(5) { Self.write(name, attribute, &$0) } }
          if !node.domain.isEmpty { n.text(7, node.domain) }
        }
      }
      graph.text(2, "test")
      for (name, tensor) in initializers { graph.message(5) { Self.write(tensor, name: name, &$0) } }
      for raw in rawInitializers { graph.message(5, raw) }
      for input in inputs { graph.message(11) { Self.write(input, &$0) } }
      for output in outputs { graph.message(12) { $0.text(1, output) } }
    }
    w.message(8) { $0.integer(2, opset) }
    return Data(w.bytes)
  }
}
