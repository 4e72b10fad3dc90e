import PantilePlan
import PantileProblem
import Testing

struct ResNet50PlanTests {
  @Test func everyLayerIsSearchedToTheEnd() throws {
    var shapes: [ConvolutionLayer] = []
    for (layer, _) in resNet50Layers() where !shapes.contains(layer) { shapes.append(layer) }
    let clock = ContinuousClock()
    var nodes = 0
    var slowest = Duration.zero
    var count = 0
    let total = try clock.measure {
      for layer in shapes {
        for mask in 0..<8 {
          let problem = layer.tiling(
            inputResident: mask & 1 != 0, outputResident: mask & 2 != 0, residual: true, residualResident: mask & 4 != 0
          )
          var solution: TilingSolution?
          slowest = max(slowest, try clock.measure { solution = try problem.search() })
          nodes += solution?.evaluated ?? 0
          count += 1
          #expect(solution?.status == .optimal)
        }
      }
    }
    print("\(shapes.count) shapes, \(count) searches, \(nodes) nodes, \(total), slowest \(slowest)")
  }
}
