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

  /// N:M sparse weights: utilisation counts kept weights, as a run's report does, and a run does not take fewer cycles.
  @Test func sparseUtilizationIsThatOfTheReport() throws {
    let model = try Model(
      contentsOf: "\(Self.root)/Workloads/models/resnet8/resnet8.mlir", options: .init(weightSeed: 1))
    var options = GraphPipeline.Options()
    options.prune = PruneNMOptions()
    options.prune?.pattern = try #require(PruneNMOptions.NMPatternText(optionText: "2:4"))
    let module = try GraphPipeline.integer(model.module, calibration: nil, options: options).module
    let chip = try Chip.load("nm-16x16", schemas: Machine.schemas(), root: Self.root)
    let figures = try ArrayEstimate(integer: module, name: "resnet8", on: chip).figures(on: chip)
    let compilation = try Compiler(chip: chip).compile(integer: module, name: "resnet8", modelHash: "")
    let report = try Session(chip: chip).report(
      of: CompiledModel(compilation, model: "resnet8"), timing: compilation.timing)
    #expect(figures.macs == report.macs)
    #expect(figures.cycles <= report.cycles)
    let work = report.utilization * Double(report.cycles)
    #expect(abs(figures.utilization * Double(figures.cycles) - work) < 1e-6 * work)
  }
}
