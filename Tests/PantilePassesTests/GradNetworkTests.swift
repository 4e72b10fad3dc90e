import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import Testing

/// Steps of the shipped networks: every op has a rule, and MACs and bounds are those that shapes give.
@Suite struct GradNetworkTests {
  private func report(_ name: String, _ options: String) throws -> TrainingReport {
    let outcome = try run("grad{\(options)}", GraphPipeline.cleaned(Workload.named(name).make()))
    return try #require(outcome.artifacts[TrainingReport.self])
  }

  @Test(arguments: Workload.all.map(\.name))
  func stepIsThreeForwardsLessTheFirstInputGradient(_ name: String) throws {
    let report = try report(name, "momentum=0.9")
    let first = try #require(report.layers.first)
    #expect(first.backward == 0)
    #expect(report.stepMACs == 3 * report.forwardMACs - first.forward)
    #expect(report.peakBits <= report.peakBitsUpdatesLast)
  }

  /// MACs of a step in all, by shapes.
  @Test(arguments: [
    ("resnet8", 37_062_528), ("ds-cnn", 7_650_304), ("resnet18", 5_324_206_080), ("resnet50", 12_149_538_816),
  ])
  func stepsTakeWhatShapesSay(_ name: String, _ macs: Int) throws {
    #expect(try report(name, "").stepMACs == macs)
  }

  /// The bounds on the speed of a step, first convolution and classifier dense.
  @Test(arguments: [
    ("resnet18", "2:4", 1.467), ("resnet18", "2:8", 1.915), ("resnet18", "2:16", 2.259), ("resnet50", "2:4", 1.485),
    ("resnet50", "2:8", 1.961), ("resnet50", "2:16", 2.335),
  ])
  func patternsBoundTheStep(_ name: String, _ pattern: String, _ bound: Double) throws {
    let report = try report(name, "pattern=\(pattern)")
    let found = Double(report.stepMACs) / Double(report.sparseStepMACs)
    #expect((found - bound).magnitude < 0.0005, "\(found)")
  }
}
