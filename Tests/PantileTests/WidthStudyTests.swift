import Foundation
import Pantile
import Testing

/// The shipped digits network on the shipped bit-serial chip.
struct WidthStudyTests {
  static let folder = "\(ChipEqualsReferenceTests.root)/Workloads/models/digits-cnn"

  static func study(
    _ options: WidthStudy.Options = .init(), chip name: String = "bitserial-16x16", samples: Int = 100
  ) throws -> WidthStudy {
    let chip = try Chip.load(name, schemas: Machine.schemas(), root: ChipEqualsReferenceTests.root)
    let model = try Model(contentsOf: "\(folder)/digits-cnn.onnx")
    let calibration = try Inputs.files(["\(folder)/calibration.npy"]).runs(for: model.inputs)
    return try WidthStudy(model, chip: chip, calibration: Array(calibration.prefix(samples)), options: options)
  }

  /// What uniform 4 bits may take is enough for less error, whichever error is meant.
  @Test(arguments: OutputError.allCases) func beatsUniformWidthAtItsSizeAndLatency(_ error: OutputError) throws {
    let free = try Self.study(.init(widths: [4, 8], error: error))
    let four = try #require(free.uniform.first { $0.bits.allSatisfy { $0 == 4 } })
    let study = try Self.study(.init(error: error, sizeLimit: four.storedBits / 8, cycleLimit: four.cycles))
    let assigned = try #require(study.assigned)
    let assignment = try #require(study.outcome.assignment)
    let taken = try #require(study.taken)
    print("\(error): number \(taken.number) \(assigned.bits), error \(assigned.error), uniform 4 \(four.error)")
    #expect(assignment.status == .optimal)
    #expect(assigned.storedBits <= four.storedBits && assigned.cycles <= four.cycles)
    #expect(assigned.error < four.error && assigned.error == taken.error)
    // Uniform 4 bits are within the limits, so they are among what is measured; costs ascend up to the uniform ones.
    #expect(study.candidates.contains { $0.error == four.error })
    let costs = study.candidates.prefix(16).map(\.assignment.cost)
    #expect(costs.count == 16 && costs == costs.sorted() && costs[0] == assignment.cost)
    #expect(Set(study.candidates.map(\.assignment.choices)).count == study.candidates.count)
    try study.problem.verify(assignment)
    try #require(study.outcome.certificate).check(study.outcome.model)
  }

  /// Cycles of layers add up to those of the run, and sizes of the problem are those of the compilation.
  @Test(arguments: ["bitserial-16x16", "systolic-16x16", "nm-16x16"]) func layersAddUp(_ chip: String) throws {
    let study = try Self.study(.init(widths: [3, 8]), chip: chip, samples: 10)
    for variant in study.uniform {
      #expect(variant.layerCycles.reduce(0, +) == variant.cycles)
      #expect(variant.layerBits.reduce(0, +) == variant.storedBits)
    }
    let assigned = try #require(study.assigned)
    let assignment = try #require(study.outcome.assignment)
    #expect(assigned.layerCycles.reduce(0, +) == assigned.cycles)
    #expect(assigned.storedBits == assignment.storedBits)
    // Nothing limits: every layer has its least error, which is none at 8 bits.
    #expect(assignment.cost == 0 && assigned.error == study.uniform[1].error)
  }

  @Test func refusesQuantisedModels() throws {
    let chip = try Chip.load("bitserial-16x16", schemas: Machine.schemas(), root: ChipEqualsReferenceTests.root)
    let model = try Model(contentsOf: "\(Self.folder)/digits-cnn.onnx")
    var quantised = model
    quantised.module = try GraphPipeline.integer(model.module).module
    #expect {
      try WidthStudy(quantised, chip: chip)
    } throws: {
      ($0 as? DiagnosticError)?.codes == ["not-float"]
    }
  }
}

struct OutputErrorTests {
  private static func tensor(_ values: [Double], columns: Int) -> [NamedTensor] {
    [
      NamedTensor(
        name: "y", tensor: HostTensor(shape: [values.count / columns, columns], values: values.map { Float($0) }))
    ]
  }

  @Test func divergenceOfTwoClasses() throws {
    // Softmax of (log 3, 0) is (3/4, 1/4), of (0, 0) (1/2, 1/2); adding a constant to a row changes nothing.
    let reference = Self.tensor([log(3), 0, 5, 5], columns: 2)
    let other = Self.tensor([0, 0, -700, -700], columns: 2)
    let expected = (0.75 * log(1.5) + 0.25 * log(0.5)) / 2
    #expect(abs(try OutputError.kl.between(reference, other) - expected) < 1e-7)
    #expect(try OutputError.kl.between(reference, reference) == 0)
  }

  @Test func squaredErrorOverPower() throws {
    let reference = Self.tensor([3, 4], columns: 2)
    #expect(try OutputError.mse.between(reference, Self.tensor([3, 3], columns: 2)) == 1.0 / 25)
    #expect(try OutputError.mse.between(reference, reference) == 0)
  }

  @Test func rowsOfOneValueHaveNoDivergence() throws {
    let one = Self.tensor([1, 2], columns: 1)
    #expect {
      try OutputError.kl.between(one, one)
    } throws: {
      ($0 as? DiagnosticError)?.codes == ["no-logits"]
    }
  }
}
