import Foundation
import Pantile
import PantileDialects
import PantileEngines
import PantileIR
import PantilePasses
import PantileProblem
import Testing

/// The array alone, against the loop nests of the ops.
struct ArrayEstimateTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  @Test(arguments: ["lenet5", "resnet8"], ["systolic-16x16", "gemmini-like-16x16", "bitserial-16x16"])
  func isTheSumOfTheProducts(_ network: String, _ chipName: String) throws {
    let model = try Model(
      contentsOf: "\(Self.root)/Workloads/models/\(network)/\(network).mlir", options: .init(weightSeed: 1))
    let module = try GraphPipeline.integer(model.module, calibration: nil, options: .init()).module
    let chip = try Chip.load(chipName, schemas: Machine.schemas(), root: Self.root)
    let figures = try ArrayEstimate(integer: module, name: network, on: chip).figures(on: chip)
    let array = try #require(Machine(chip).array)
    let function = try module.mainFunction()
    var cycles = 0
    var macs = 0
    for op in module.ops(inBodyOf: function) {
      guard let graphOp = DNN.op(module.name(of: op)), let work = try graphOp.work(module[op]),
        work.kind == .contraction
      else { continue }
      func product(_ role: Work.Role) -> Int { work.dims.filter { $0.role == role }.reduce(1) { $0 * $1.extent } }
      macs += work.macs
      cycles +=
        product(.batch)
        * array.timing(TileExtents(m: product(.row), k: product(.reduced), n: product(.column)), .int8).duration
    }
    #expect(figures.macs == macs)
    #expect(figures.cycles == cycles)
    #expect(figures.utilization == Double(macs) / array.peakMACs(.int8) / Double(cycles))
  }
}
