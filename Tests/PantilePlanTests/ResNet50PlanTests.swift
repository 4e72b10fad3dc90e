import Foundation
import PantilePlan
import PantileProblem
import Testing

struct ResNet50PlanTests {
  @Test func everyLayerIsSearchedToTheEnd() throws {
    var shapes: [ConvolutionLayer] = []
    for (layer, _) in resNet50Layers() where !shapes.contains(layer) { shapes.append(layer) }
    var nodes = 0
    var slowest = 0
    var count = 0
    let start = clock()
    do {
      for layer in shapes {
        for mask in 0..<8 {
          let problem = layer.tiling(
            inputResident: mask & 1 != 0, outputResident: mask & 2 != 0, residual: true, residualResident: mask & 4 != 0
          )
          let before = clock()
          let solution = try problem.search()
          slowest = max(slowest, clock() - before)
          nodes += solution.evaluated
          count += 1
          #expect(solution.status == .optimal)
        }
      }
    }
    print(
      "\(shapes.count) shapes, \(count) searches, \(nodes) nodes, \((clock() - start) / 1000) ms, slowest \(slowest) us of CPU time"
    )
  }

  /// The schedule of all convolutions, with the activations between them as tensors.
  static func schedule(capacity: Int) throws -> (problem: ChoiceProblem, tilings: [[Int]: TilingSolution]) {
    let layers = resNet50Layers()
    var tensors: [ChoiceProblem.Tensor] = [
      .init(
        "image", bytes: layers[0].layer.inputBytes, kind: .input, producer: nil, consumers: [0], memory: "spad",
        loadLink: "load")
    ]
    // Who reads what: the main path is a chain; a projection reads its block's input; the last of a block adds the shortcut.
    var reads: [[Int]] = []
    var blockInput = 0
    var previous = 0
    var shortcut = 0
    for (index, entry) in layers.enumerated() {
      let isProjection = index > 1 && layers[index].layer.r == 1 && !entry.residual && layers[index - 1].layer.r == 3
      if entry.residual {
        reads.append([isProjectionBlock(layers, index) ? previousMain(index) + 1 : previous, shortcut])
      } else if isProjection {
        reads.append([blockInput])
        shortcut = index + 1
      } else {
        if layers[index].layer.r == 1 {
          blockInput = previous
          shortcut = previous
        }
        reads.append([previous])
      }
      tensors.append(
        .init(
          "t\(index)", bytes: entry.layer.outputBytes, kind: .intermediate, producer: index, consumers: [],
          memory: "spad", storeLink: "store"))
      previous = index + 1
    }
    for (step, list) in reads.enumerated() {
      for tensor in list where tensor > 0 { tensors[tensor].consumers.append(step) }
    }
    tensors[tensors.count - 1].kind = .output
    var known: [[Int]: TilingSolution] = [:]
    var steps: [ChoiceProblem.Step] = []
    for (step, entry) in layers.enumerated() {
      var alternatives: [ChoiceProblem.StepAlternative] = []
      for mask in 0..<(entry.residual ? 8 : 4) {
        let l = entry.layer
        let key = [l.p, l.q, l.n, l.c, l.r, l.stride, entry.residual ? 1 : 0, mask, capacity]
        if known[key] == nil {
          known[key] = try l.tiling(
            inputResident: mask & 1 != 0, outputResident: mask & 2 != 0, residual: entry.residual,
            residualResident: mask & 4 != 0, capacity: capacity
          ).search()
        }
        var resident: [Int] = []
        if mask & 1 != 0 { resident.append(reads[step][0]) }
        if mask & 4 != 0 { resident.append(reads[step][1]) }
        if mask & 1 != 0 && reads[step][0] == 0 { continue }
        if mask & 2 != 0 && tensors[step + 1].consumers.isEmpty { continue }
        for (origin, alternative) in (known[key]?.alternatives ?? []).enumerated() {
          alternatives.append(
            .init(
              alternative, origin: origin, residentReads: resident, residentWrites: mask & 2 != 0 ? [step + 1] : [],
              links: l.tiling(inputResident: false, outputResident: false).links))
        }
      }
      steps.append(.init("conv\(step)", alternatives: alternatives))
    }
    return (
      ChoiceProblem(
        name: "resnet50",
        memories: [.init("spad", capacity: capacity), .init("acc", capacity: 64 << 10, isShared: false)],
        resources: ["array", "drain"],
        links: [
          .init("load", rate: .init(bytes: 16), latency: 100, commandCycles: 2),
          .init("store", rate: .init(bytes: 16), latency: 60, commandCycles: 2),
        ], tensors: tensors, steps: steps), known
    )
  }

  private static func isProjectionBlock(_ layers: [(layer: ConvolutionLayer, residual: Bool)], _ index: Int) -> Bool {
    layers[index - 1].layer.r == 1
  }

  /// The 3x3 convolution before the projection of the same block.
  private static func previousMain(_ index: Int) -> Int { index - 2 }

  @Test(arguments: [256 << 10, 512 << 10, 1 << 20]) func wholeNetworkIsScheduledToOptimality(capacity: Int) throws {
    let start = clock()
    let (problem, tilings) = try Self.schedule(capacity: capacity)
    try problem.check()
    let mapped = clock()
    let dynamic = try #require(try problem.solve().solution)
    let solved = clock()
    let greedy = try #require(try ChoiceMethod.greedy.solve(problem, .init()).solution)
    let greedyDone = clock()
    try problem.verify(dynamic)
    try problem.verify(greedy)
    #expect(dynamic.status == .optimal)
    #expect(dynamic.cycles <= greedy.cycles)
    let ilpStart = clock()
    let ilp = try #require(try ChoiceMethod.gapILP.solve(problem, .init(nodeBudget: 200)).solution)
    let ilpDone = clock()
    try problem.verify(ilp)
    #expect(ilp.lowerBound <= dynamic.cycles && dynamic.cycles <= ilp.cycles)
    let bounds = try problem.bounds()
    #expect(bounds.allSatisfy { $0.cycles <= dynamic.cycles })
    let counts = problem.steps.map(\.alternatives.count)
    print(
      """
      \(capacity >> 10) KiB: \(tilings.count) tilings \((mapped - start) / 1000) ms; \(problem.steps.count) steps, \
      \(counts.reduce(0, +)) alternatives; optimal \(dynamic.cycles) cycles, kept \(dynamic.kept.reduce(0, +)), \
      \((solved - mapped) / 1000) ms; greedy \(greedy.cycles), \((greedyDone - solved) / 1000) ms; \
      gap ILP \(ilp.cycles) \(ilp.status) in \((ilpDone - ilpStart) / 1000) ms; \
      \(bounds.map { "\($0.name) \($0.cycles)" }.joined(separator: ", "))
      """)
  }
}
