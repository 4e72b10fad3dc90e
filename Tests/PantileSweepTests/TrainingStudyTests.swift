import Foundation
import PantileEngines
import PantileSupport
import PantileSweep
import PantileTarget
import PantileTensor
import Testing

/// The study of training steps: bounds on record, and what must hold of any machine.
@Suite struct TrainingStudyTests {
  private static let load: TrainingStudy.Loader = { name, settings throws(DiagnosticError) in
    try Chip.load(name, overrides: settings, schemas: Machine.schemas(), root: repositoryRoot)
  }

  private static func shipped() throws -> TrainingStudy {
    try TrainingStudy.load(repositoryRoot + "/" + TrainingStudy.file)
  }

  private static func pattern(_ kept: Int, _ group: Int) throws -> NMPattern { try NMPattern(kept: kept, group: group) }

  /// MACs of the public networks, computed apart from this code: forward and step in GMAC, then cut in percent and bound at
  /// 2:4, 2:8 and 2:16.
  @Test(arguments: [
    ("resnet9", 0.3793, 1.1360, [33.2, 49.8, 58.2], [1.498, 1.994, 2.390]),
    ("vgg19", 0.3982, 1.1928, [33.2, 49.8, 58.2], [1.498, 1.994, 2.390]),
    ("resnet18-64", 2.2218, 6.6582, [33.3, 49.9, 58.2], [1.498, 1.996, 2.393]),
    ("resnet18", 1.8141, 5.3242, [31.8, 47.8, 55.7], [1.467, 1.915, 2.259]),
    ("resnet50", 4.0892, 12.1495, [32.7, 49.0, 57.2], [1.485, 1.961, 2.335]),
    ("vit-s16", 4.2412 + 0.3577, 13.7388, [30.4, 45.7, 53.3], [1.438, 1.841, 2.140]),
    ("vit-b16", 16.8485 + 0.7154, 52.5759, [31.8, 47.7, 55.7], [1.467, 1.913, 2.257]),
  ])
  func bounds(_ name: String, _ forward: Double, _ step: Double, _ cuts: [Double], _ bounds: [Double]) throws {
    let network = try #require(Self.shipped().networks.first { $0.name == name })
    for (index, group) in [4, 8, 16].enumerated() {
      let macs = TrainingMACs(network, pattern: try Self.pattern(2, group))
      #expect(abs(Double(macs.forward) / 1e9 - forward) < 1e-4)
      #expect(abs(Double(macs.step) / 1e9 - step) < 0.5e-4)
      #expect(abs(macs.cut * 100 - cuts[index]) < 0.0501, "\(macs.cut)")
      #expect(abs(macs.bound - bounds[index]) < 0.501e-3, "\(macs.bound)")
    }
    let dense = TrainingMACs(network, pattern: nil)
    #expect(dense.kept == dense.step)
  }

  /// A loop over all filter taps of all outputs counts as many products.
  @Test func macsAreThoseOfTheLoops() throws {
    let shape = TrainingStudy.Network.Shape.convolution(inputs: 3, outputs: 5, kernel: 3, stride: 2, size: 7)
    var count = 0
    for _ in stride(from: 0, to: 7, by: 2) {
      for _ in stride(from: 0, to: 7, by: 2) {
        for _ in 0..<5 { for _ in 0..<9 { for _ in 0..<3 { count += 1 } } }
      }
    }
    #expect(shape.forwardMACs == count)
    // Ten channels are two groups of eight: four slots of which N are kept, and the first layer and the classifier stay dense.
    let network = TrainingStudy.Network(
      name: "n", batch: 1,
      layers: [
        .init(name: "a", shape: .linear(inputs: 4, outputs: 10, tokens: 1), denseReason: "first layer", isFirst: true),
        .init(name: "b", shape: .linear(inputs: 10, outputs: 16, tokens: 1)),
        .init(name: "c", shape: .linear(inputs: 16, outputs: 4, tokens: 1), denseReason: "classifier"),
      ])
    let macs = TrainingMACs(network, pattern: try Self.pattern(2, 8))
    #expect(macs.step == 2 * 40 + 3 * 160 + 3 * 64)
    #expect(macs.kept == 2 * 40 + (4 * 16) + (4 * 10) + 160 + 3 * 64)
  }

  /// The published mean is within the band, and no network beats the bound of its multiply-accumulates.
  @Test func meanIsInTheBandAndBoundsHold() throws {
    let study = try Self.shipped()
    let result = TrainingStudyResult(study, rows: try study.rows(load: Self.load), sweep: [])
    let mean = result.mean(study.published.pattern)
    #expect((1.60...1.95).contains(mean), "\(mean)")
    for network in study.networks {
      for pattern in study.patterns {
        let speedup = try #require(result.speedup(network.name, pattern))
        let bound = try #require(result.bound(network.name, pattern))
        #expect(speedup > 1 && speedup <= bound, "\(network.name) at \(pattern): \(speedup) of \(bound)")
        #expect(bound <= TrainingMACs.limit(pattern))
      }
    }
  }

  /// What a step multiplies is what its formula says, unless a strided convolution took the form that multiplies zeros.
  @Test func stepsCarryOutTheMACs() throws {
    let study = try Self.shipped()
    for row in try study.rows(load: Self.load) {
      let network = try #require(study.networks.first { $0.name == row.network })
      let macs = TrainingMACs(network, pattern: row.pattern).kept * network.batch
      let hasStride = network.layers.contains {
        if case .convolution(_, _, let kernel, let stride, _) = $0.shape { return kernel > 1 && stride > 1 }
        return false
      }
      if hasStride { #expect(row.step.macs >= macs) } else { #expect(row.step.macs == macs, "\(row.network)") }
      #expect(row.step.byBinding.reduce(0) { $0 + $1.cycles } == row.step.cycles)
      #expect(row.step.phases.allSatisfy { $0.cycles >= $0.arrayCycles })
    }
  }

  /// One layer without anything around it takes what the array takes.
  @Test func arrayCyclesAreThoseOfTheArray() throws {
    var study = try Self.shipped()
    study.networks = [
      TrainingStudy.Network(
        name: "one", batch: 8,
        layers: [.init(name: "fc", shape: .linear(inputs: 64, outputs: 96, tokens: 4), isFirst: true)])
    ]
    study.published.networks = ["one"]
    let row = try #require(try study.rows(load: Self.load).first)
    #expect(row.step.phases.count == 2, "no gradient to the input of the first layer")
    var least = Int.max
    for dataflow in ["os", "ws"] {
      let settings = ["engines.array0.dataflow=\(dataflow)"] + (dataflow == "ws" ? ["engines.array0.interleave=1"] : [])
      let chip = try Self.load(study.chip, settings)
      let section = try #require(chip.engines.first { $0.family == "nm" })
      let array = try ArrayFamily.engine(of: section)
      least = min(least, array.timing(TileExtents(m: 32, k: 64, n: 96), ContractionFormat()).duration)
    }
    #expect(row.step.phases[0].arrayCycles == least)
  }

  /// A wider edge is never slower, and the faster of two dataflows is as fast as either.
  @Test func machinesAreOrdered() throws {
    var study = try Self.shipped()
    study.networks = study.networks.filter { $0.name == "resnet9" }
    study.published.networks = ["resnet9"]
    study.axes.arrays = [[32, 32], [64, 16]]
    study.axes.interleaves = [4]
    study.axes.adderLatencies = [4]
    let rows = try study.sweep(load: Self.load, workers: 2)
    #expect(rows.count == study.axes.points.count * 4)
    for row in rows {
      for other in rows
      where other.pattern == row.pattern && other.point.rows == row.point.rows
        && other.point.dataflow == row.point.dataflow
      {
        let (narrow, wide) = (row.point.activationPort, other.point.activationPort)
        if narrow > 0 && (wide == 0 || wide > narrow) { #expect(other.step.cycles <= row.step.cycles) }
      }
      if row.point.dataflow == .best {
        let single = rows.filter {
          $0.pattern == row.pattern && $0.point.rows == row.point.rows
            && $0.point.activationPort == row.point.activationPort && $0.point.dataflow != .best
        }
        #expect(single.count == 2 && single.allSatisfy { $0.step.cycles >= row.step.cycles })
      }
    }
    // The number of workers decides nothing.
    let alone = try study.sweep(load: Self.load, workers: 1)
    #expect(alone.map(\.step) == rows.map(\.step))
  }

  /// A pattern that the chip's array has no slots for is refused, not timed; also where its groups would not fit the rows.
  @Test func foreignPatternsAreRefused() throws {
    var study = try Self.shipped()
    study.chip = "nm-16x16"
    #expect {
      _ = try study.rows(load: Self.load)
    } throws: { error in
      let found = (error as? DiagnosticError)?.diagnostics ?? []
      return found.count == 1 && found[0].code == "unsupported" && found[0].message.contains("2:16")
    }
    study.patterns = [try Self.pattern(8, 16)]
    study.axes.arrays = [[4, 4]]
    #expect(throws: DiagnosticError.self) { _ = try study.sweep(load: Self.load, workers: 2) }
  }

  /// A point without limit lifts the limit of the chip's own edge; the chip as it is keeps it.
  @Test func pointsDecideTheEdge() throws {
    var study = try Self.shipped()
    study.networks = study.networks.filter { $0.name == "resnet9" }
    study.published.networks = ["resnet9"]
    study.axes.arrays = [[32, 32]]
    study.axes.interleaves = [4]
    study.axes.adderLatencies = [4]
    study.axes.activationPorts = [0]
    study.axes.dataflows = [.weightStationary]
    let narrow: TrainingStudy.Loader = { name, settings throws(DiagnosticError) in
      try Self.load(name, ["engines.array0.activation_port=8"] + settings)
    }
    #expect(
      try study.sweep(load: narrow, workers: 1).map(\.step) == study.sweep(load: Self.load, workers: 1).map(\.step))
    let (own, wide) = (try study.rows(load: narrow), try study.rows(load: Self.load))
    #expect(zip(own, wide).allSatisfy { $0.step.cycles > $1.step.cycles })
  }

  @Test(arguments: [
    ("missing-key", "chip: sat-like\n"),
    ("wrong-value", "layers: []"),
    ("wrong-value", "layers: [{conv: [3, 4, 5], size: 8}]"),
    ("wrong-value", "layers: [{conv: [3, 4], linear: [3, 4], size: 8}]"),
    ("unknown-value", "layers: [{conv: [3, 4], size: 8, follows: [dance]}]"),
    ("missing-key", "layers: [{conv: [3, 4]}]"),
    ("wrong-pattern", "patterns: ['2-8']"),
    ("unknown-key", "layers: [{conv: [3, 4], size: 8, colour: red}]"),
  ])
  func mistakesAreNamed(_ code: String, _ text: String) throws {
    var patterns = "patterns: ['2:8']\n"
    var layers = "layers: [{linear: [8, 8]}]"
    if text.hasPrefix("patterns") { patterns = text + "\n" } else if text.hasPrefix("layers") { layers = text }
    let whole = """
      chip: sat-like
      costs: {element_bytes: 2, master_bytes: 4, update_operations: 4, reduction_operations: 1}
      vector_work: {}
      \(patterns)published: {pattern: '2:8', mean_percent: 175, networks: [net]}
      sweep: {arrays: [8x8], interleave: [1], adder_latency: [1], activation_port: [0], dataflow: [os]}
      networks:
        - name: net
          batch: 1
          \(layers)

      """
    do {
      _ = try TrainingStudy.parse(text.hasPrefix("chip") ? text : whole, path: "study.yaml")
      Issue.record("accepted")
    } catch {
      #expect(error.diagnostics.contains { $0.code == code }, "\(error)")
      #expect(error.diagnostics.allSatisfy { "\($0)".contains("study.yaml") })
    }
  }
}
