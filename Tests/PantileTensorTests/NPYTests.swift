import Foundation
import PantileSupport
import PantileTensor
import Testing

@Suite struct NPYTests {
  @Test func everyTypeComesBack() throws {
    for type in ElementType.allCases where type != .i4 {
      for shape in [[], [3], [2, 3], [0, 4], [1, 1, 2]] {
        let count = shape.reduce(1, *)
        let tensor = HostTensor(shape: shape, values: (0..<count).map { Float($0 % 2) }).converted(to: type)
        let data = NPY.data(of: tensor)
        #expect(try NPY.parse(data, name: "x") == tensor, "\(type) \(shape)")
        #expect((data.count - tensor.byteCount) % 64 == 0)
      }
    }
  }

  @Test func writesAndReadsFiles() throws {
    let path = NSTemporaryDirectory() + "pantile-npy-\(UUID().uuidString).npy"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let tensor = HostTensor(shape: [2, 2], values: [Float](arrayLiteral: 1, 2, 3, 4))
    try NPY.write(tensor, to: path)
    #expect(try NPY.read(path) == tensor)
    #expect(throws: DiagnosticError.self) { try NPY.read(path + ".missing") }
    #expect(throws: DiagnosticError.self) { try NPY.write(tensor, to: "/nonexistent/folder/x.npy") }
  }

  private func file(_ header: String, version: UInt8 = 1, payload: [UInt8]) -> Data {
    let text = Array(header.utf8) + [10]
    let length =
      version == 1
      ? [UInt8(text.count & 255), UInt8(text.count >> 8)] : [UInt8(text.count & 255), UInt8(text.count >> 8), 0, 0]
    return Data([0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + payload)
  }

  @Test func readsFortranOrderAndBigEndian() throws {
    let fortran = file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}", payload: [1, 4, 2, 5, 3, 6])
    #expect(try NPY.parse(fortran, name: "x").values(as: UInt8.self) == [1, 2, 3, 4, 5, 6])
    let big = file("{\"shape\": (1,), \"descr\": \">i2\", \"fortran_order\": False}", version: 3, payload: [1, 2])
    #expect(try NPY.parse(big, name: "x").values(as: Int16.self) == [258])
  }

  @Test(arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "{'descr': '<f4', 'fortran_order': False}",
    "{'fortran_order': False, 'shape': (1,)}", "{'descr': '<f4', 'fortran_order': 7, 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (x,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904)}",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "",
  ])
  func damagedHeadersAreDiagnosed(_ header: String) {
    #expect { try NPY.parse(file(header, payload: [0, 0, 0, 0]), name: "x") } throws: {
      ($0 as? DiagnosticError)?.codes == ["npy-format"]
    }
  }

  @Test func unknownTypesAreDiagnosed() {
    #expect {
      try NPY.parse(file("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", payload: [0]), name: "x")
    } throws: { ($0 as? DiagnosticError)?.codes == ["npy-type"] }
  }

  @Test func truncatedAndRandomBytesNeverCrash() {
    let whole = NPY.data(of: HostTensor(shape: [3], values: [Float](arrayLiteral: 1, 2, 3)))
    for length in 0..<whole.count {
      #expect(throws: DiagnosticError.self) { try NPY.parse(whole.prefix(length), name: "x") }
    }
    for seed in 0..<2000 {
      var generator = SplitMix64(seed: UInt64(seed))
      var damaged = [UInt8](whole)
      for _ in 0..<3 { damaged[generator.next(below: damaged.count)] = UInt8(generator.next(below: 256)) }
      _ = try? NPY.parse(Data(damaged), name: "x")
    }
  }
}
