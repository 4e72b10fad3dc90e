import PantileProblem
import PantileSupport
import Testing

/// A matmul on an array of 16 by 16 with one link in and one out.
func matmulProblem(m: Int, n: Int, k: Int, capacity: Int) -> TilingProblem {
  let (tm, tn, tk) = (CostExpr.tile("m"), CostExpr.tile("n"), CostExpr.tile("k"))
  return TilingProblem(
    name: "matmul",
    dims: [.init("m", extent: m), .init("n", extent: n, granule: 16), .init("k", extent: k, granule: 16)],
    orders: [["m", "n", "k"], ["n", "m", "k"], ["n", "k", "m"]],
    memories: [.init("spad", capacity: capacity), .init("acc", capacity: 4096)],
    links: [.init("load", rate: .init(bytes: 8), latency: 40), .init("store", rate: .init(bytes: 8), latency: 20)],
    resources: [
      .init(
        "array",
        busy: .overTiles(of: "n") { .ceilDiv($0, 16) } * .overTiles(of: "k") { .ceilDiv($0, 16) }
          * (.extent("m") + 46 * .trips("m")), tripOverhead: 2)
    ],
    operands: [
      .init(
        "a", kind: .read, relevant: ["m", "k"], footprints: [.init("spad", bytes: tm * tk)], bytesPerLoad: tm * tk,
        sweepBytes: .extent("m") * .extent("k"), link: "load"),
      .init(
        "b", kind: .read, relevant: ["k", "n"], footprints: [.init("spad", bytes: tk * tn)], bytesPerLoad: tk * tn,
        sweepBytes: .extent("n") * .extent("k"), link: "load"),
      .init(
        "c", kind: .accumulate, relevant: ["m", "n"], footprints: [.init("acc", bytes: 4 * (tm * tn))],
        bytesPerLoad: tm * tn, sweepBytes: .extent("m") * .extent("n"), link: "store", reloadLink: "load"),
    ])
}

struct TilingProblemTests {
  @Test(arguments: [1, 2, 7, 16, 17, 100, 224, 3137]) func keepsTheSmallestTileOfEachTripCount(extent: Int) {
    for granule in [1, 4, 16] {
      var problem = matmulProblem(m: extent, n: 16, k: 16, capacity: 1)
      problem.dims[0].granule = granule
      var smallest: [Int: Int] = [:]
      var tile = granule
      while tile < extent {
        let trips = TileExtent(extent: extent, tile: tile).trips
        smallest[trips] = min(smallest[trips] ?? Int.max, tile)
        tile += granule
      }
      smallest[1] = min(smallest[1] ?? Int.max, extent)
      #expect(problem.tileSizes(of: 0) == smallest.values.sorted())
    }
  }

  @Test func countsClassicalReuse() {
    let problem = matmulProblem(m: 64, n: 64, k: 64, capacity: 1 << 20)
    // Order m, n, k with 4, 2, 1 trips: a moves with m only, b with m and n, c with m and n.
    let first = problem.evaluate(tiles: [16, 32, 64], order: 0, slots: [2, 2, 2])
    #expect(first.loads == [4, 8, 8])
    #expect(first.bytes == [64 * 64 + 4 * 64 * 64, 64 * 64])
    // Order n, k, m with 2, 4, 4 trips: c is visited for each k, three visits of four fetch it back.
    let second = problem.evaluate(tiles: [16, 32, 16], order: 2, slots: [2, 2, 2])
    #expect(second.loads == [32, 8, 32])
    #expect(second.bytes == [2 * 4096 + 4096 + 3 * 4096, 4 * 4096])
    // Nothing is tiled: each operand moves once.
    let whole = problem.evaluate(tiles: [64, 64, 64], order: 1, slots: [1, 1, 1])
    #expect(whole.loads == [1, 1, 1])
    #expect(whole.footprint == [2 * 4096, 4 * 4096])
    #expect(whole.lowerBound <= whole.cycles)
  }

  @Test func verifyFindsPlantedFaults() throws {
    let problem = matmulProblem(m: 64, n: 64, k: 64, capacity: 1 << 16)
    try problem.check()
    let good = TilingSolution(
      alternatives: [problem.evaluate(tiles: [16, 16, 64], order: 0, slots: [2, 2, 2])], status: .optimal,
      lowerBound: 10, boundName: "hand", evaluated: 1)
    try problem.verify(good)
    func refuses(_ change: (inout TilingSolution, inout TilingProblem) -> Void) {
      var solution = good
      var changed = problem
      change(&solution, &changed)
      #expect { try changed.verify(solution) } throws: {
        ($0 as? DiagnosticError)?.codes.contains("wrong-tiling") == true
      }
    }
    refuses { solution, _ in solution.alternatives[0].cycles -= 1 }
    refuses { solution, _ in solution.alternatives[0].tiles[1] = 17 }
    refuses { solution, _ in solution.alternatives[0].slots[0] = 3 }
    refuses { solution, _ in solution.alternatives[0].order = 9 }
    refuses { solution, _ in solution.lowerBound = Int.max }
    refuses { solution, _ in solution.alternatives.append(solution.alternatives[0]) }
    refuses { _, problem in problem.memories[0].capacity = good.alternatives[0].footprint[0] - 1 }
    refuses { _, problem in problem.dims[1].mayTile = false }
  }

  @Test func checkReportsAllErrorsAtOnce() {
    var problem = matmulProblem(m: 64, n: 64, k: 64, capacity: 1)
    problem.dims[0].extent = 0
    problem.orders.append(["m", "n"])
    problem.operands[0].link = "lode"
    problem.operands[1].footprints[0].memory = "spud"
    problem.resources[0].busy = .tile("q")
    #expect { try problem.check() } throws: {
      Set(($0 as? DiagnosticError)?.codes ?? [])
        == ["bad-tiling-problem", "unknown-link", "unknown-memory", "unknown-dimension"]
    }
  }
}

struct WorkTests {
  /// A 3x3 convolution with stride 2 and padding 1 on 8 channels of 9x9.
  let work = Work(
    kind: .contraction,
    dims: [
      .init("p", extent: 5, role: .row), .init("q", extent: 5, role: .row), .init("n", extent: 4, role: .column),
      .init("r", extent: 3, role: .reduced), .init("s", extent: 3, role: .reduced),
      .init("c", extent: 8, role: .reduced),
    ],
    operands: [
      .init(
        "x", kind: .read,
        map: .init([
          .init([.init(dim: 0, coefficient: 2), .init(dim: 3)], offset: -1, extent: 9),
          .init([.init(dim: 1, coefficient: 2), .init(dim: 4)], offset: -1, extent: 9), .init(dim: 5, extent: 8),
        ]), format: "i8", elementBits: 8),
      .init(
        "w", kind: .read,
        map: .init([
          .init(dim: 3, extent: 3), .init(dim: 4, extent: 3), .init(dim: 5, extent: 8), .init(dim: 2, extent: 4),
        ]),
        format: "i4", elementBits: 4),
      .init(
        "y", kind: .write,
        map: .init([.init(dim: 0, extent: 5), .init(dim: 1, extent: 5), .init(dim: 2, extent: 4)]), format: "i8",
        elementBits: 8),
    ])

  @Test func countsMacsAndBytes() throws {
    try work.check()
    #expect(work.macs == 5 * 5 * 4 * 9 * 8)
    #expect(work.operands.map { work.tensorBytes(of: $0) } == [9 * 9 * 8, 3 * 3 * 8 * 2, 100])
    let tile = ["p": 2, "q": 5, "n": 3, "r": 3, "s": 3, "c": 8]
    var point: [String: TileExtent] = [:]
    for dim in work.dims { point[dim.name] = TileExtent(extent: dim.extent, tile: tile[dim.name]!) }
    // Two output rows with stride 2 touch five input rows; five columns touch eleven, of which nine exist.
    #expect(work.tileBytes(of: work.operands[0]).evaluate(at: point) == 5 * 9 * 8)
    #expect(work.tileBytes(of: work.operands[1]).evaluate(at: point) == 3 * 3 * 8 * 2)
    #expect(work.operands[0].map.dims == [0, 1, 3, 4, 5])
  }

  @Test func refusesBadNests() {
    var bad = work
    bad.dims[0].extent = 0
    bad.operands[2].kind = .read
    #expect { try bad.check() } throws: { ($0 as? DiagnosticError)?.codes == ["bad-work", "bad-work"] }
  }
}
