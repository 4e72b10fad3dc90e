import Pantile
import Testing

/// How tensors find their inputs.
struct InputsTests {
  private let image = Model.Port(name: "image", shape: [1, 2], elementType: .f32)
  private let mask = Model.Port(name: "mask", shape: [1, 3], elementType: .i8)

  private func entry(_ name: String?, _ tensor: HostTensor) -> Inputs.Entry {
    Inputs.Entry(name: name, tensor: tensor, origin: "test")
  }

  private func floats(_ shape: [Int]) -> HostTensor {
    HostTensor(shape: shape, values: (0..<HostTensor.count(of: shape)).map(Float.init))
  }

  private func codes(_ inputs: Inputs, _ ports: [Model.Port]) -> [String] {
    do throws(DiagnosticError) {
      _ = try inputs.runs(for: ports)
      return []
    } catch {
      return error.codes
    }
  }

  @Test func namesComeBeforePositions() throws {
    let bytes = HostTensor(shape: [1, 3], values: [Int8](repeating: 1, count: 3))
    let runs = try Inputs([entry(nil, bytes), entry("image", floats([1, 2]))]).runs(for: [image, mask])
    #expect(runs.count == 1)
    #expect(runs[0][0].shape == [1, 2] && runs[0][1] == bytes)
  }

  @Test func batchesBecomeRuns() throws {
    let runs = try Inputs([entry(nil, floats([3, 2]))]).runs(for: [image])
    #expect(runs.map { $0[0].values(as: Float.self) } == [[0, 1], [2, 3], [4, 5]])
  }

  @Test func batchesMustAgree() {
    let bytes = HostTensor(shape: [2, 3], values: [Int8](repeating: 1, count: 6))
    #expect(codes(Inputs([entry(nil, floats([3, 2])), entry(nil, bytes)]), [image, mask]) == ["batch-mismatch"])
  }

  @Test func refusesWhatDoesNotFit() {
    #expect(codes(Inputs([entry("imgae", floats([1, 2]))]), [image]) == ["unknown-input"])
    #expect(codes(Inputs([entry(nil, floats([1, 3]))]), [image]) == ["input-shape"])
    #expect(codes(Inputs([entry(nil, floats([2]))]), [image]) == ["input-shape"])
    #expect(codes(Inputs([entry(nil, floats([0, 2]))]), [image]) == ["input-shape"])
    #expect(codes(Inputs([entry(nil, floats([1, 3]))]), [mask]) == ["input-type"])
    #expect(codes(Inputs([]), [image]) == ["missing-input"])
    #expect(
      codes(Inputs([entry("image", floats([1, 2])), entry("image", floats([1, 2]))]), [image]) == ["input-twice"])
  }

  @Test func seededInputsFollowFromNameAndSeed() throws {
    let a = try Inputs.seeded([image, mask], seed: 3).runs(for: [image, mask])
    let b = try Inputs.seeded([mask, image], seed: 3).runs(for: [image, mask])
    #expect(a == b)
    #expect(try Inputs.seeded([image], seed: 4).runs(for: [image])[0][0] != a[0][0])
  }

  @Test func countsCorrectRows() throws {
    let output = NamedTensor(
      name: "y", tensor: HostTensor(shape: [3, 2], values: [Float](arrayLiteral: 1, 2, 2, 2, 5, 4)))
    #expect(try output.correct(HostTensor(shape: [3], values: [Int64](arrayLiteral: 1, 0, 1))) == 2)
    #expect(throws: DiagnosticError.self) {
      try output.correct(HostTensor(shape: [2], values: [Int64](arrayLiteral: 1, 0)))
    }
    #expect(throws: DiagnosticError.self) {
      try output.correct(HostTensor(shape: [3], values: [Float](arrayLiteral: 1, 0, 1)))
    }
  }
}
