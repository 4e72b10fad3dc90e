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
}
