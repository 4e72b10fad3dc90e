import Pantile
import Testing

/// What is remembered of tiling problems against a search for each.
struct TilingAnswersTests {
  /// A product of random extents for a random scratchpad: few enough of both that problems come again, and that neighbours differ in one
  /// number.
  private func problem(_ random: inout SplitMix64) -> TilingProblem {
    let m = 8 << random.next(below: 3)
    let cost = 1 + random.next(below: 2)
    return TilingProblem(
      name: "product", dims: [.init("m", extent: m), .init("n", extent: 12)], orders: [["m", "n"], ["n", "m"]],
      memories: [.init("spad", capacity: 64 << random.next(below: 2))],
      links: [.init("dram", rate: .init(bytes: 4), latency: 5)],
      resources: [.init("array", busy: .trips("m") * .trips("n") * cost)],
      operands: [
        .init(
          "x", kind: .read, relevant: ["m"], footprints: [.init("spad", bytes: .tile("m"))], bytesPerLoad: .tile("m"),
          link: "dram"),
        .init(
          "y", kind: .write, relevant: ["m", "n"], footprints: [.init("spad", bytes: .tile("m") * .tile("n"))],
          bytesPerLoad: .tile("m") * .tile("n"), link: "dram"),
      ])
  }

  @Test func areThoseOfASearch() throws {
    var random = SplitMix64(seed: 1)
    var answers = TilingAnswers()
    var found: Set<TilingSolution> = []
    for _ in 0..<60 {
      let problem = problem(&random)
      let answer = try answers.solution(of: problem)
      #expect(answer == (try problem.search()))
      found.insert(answer)
    }
    #expect(found.count >= 8)
  }
}
