import PantileSolve
import PantileSupport
import Testing

/// A small model of whole numbers, and its best objective by trying every point; nil when there is none.
struct SmallModel {
  var model: LinearModel
  var best: Int?

  init(_ random: inout SplitMix64) {
    model = LinearModel(random.next(below: 3) == 0 ? .maximise : .minimise)
    model.objectiveConstant = Double(random.next(below: 11) - 5)
    let count = 1 + random.next(below: 7)
    let isBinary = random.next(below: 2) == 0
    let scale = [1, 1, 7, 1000][random.next(below: 4)]
    var ranges: [ClosedRange<Int>] = []
    var objective: [Int] = []
    for index in 0..<count {
      let low = isBinary ? 0 : random.next(below: 4) - 2
      let range = low...(low + (isBinary ? 1 : random.next(below: 3)))
      ranges.append(range)
      objective.append(scale * (random.next(below: 21) - 10))
      _ = model.addVariable(
        "x\(index)", lower: Double(range.lowerBound), upper: Double(range.upperBound), isInteger: true,
        objective: Double(objective[index]))
    }
    var rows: [(low: Int?, high: Int?, coefficients: [Int])] = []
    for _ in 0..<random.next(below: 5) {
      let isKnapsack = random.next(below: 2) == 0
      let coefficients = (0..<count).map { _ in
        scale * (isKnapsack ? 1 + random.next(below: 12) : random.next(below: 13) - 6)
      }
      let middle = coefficients.reduce(0, +) / 2 + random.next(below: 5)
      let kind = random.next(below: 8)
      rows.append((kind == 1 || kind == 2 ? middle : nil, kind == 1 ? nil : middle + (kind == 2 ? 2 : 0), coefficients))
    }
    for row in rows {
      model.addRow(
        "r", lower: row.low.map(Double.init) ?? -.infinity, upper: row.high.map(Double.init) ?? .infinity,
        row.coefficients.enumerated().map { .init(Double($0.element), .init(index: $0.offset)) })
    }
    var point = ranges.map(\.lowerBound)
    let sign = model.direction == .maximise ? -1 : 1
    while true {
      let isFeasible = rows.allSatisfy { row in
        let sum = zip(row.coefficients, point).reduce(0) { $0 + $1.0 * $1.1 }
        return sum >= row.low ?? sum && sum <= row.high ?? sum
      }
      if isFeasible {
        let value = zip(objective, point).reduce(Int(model.objectiveConstant)) { $0 + $1.0 * $1.1 }
        if best.map({ sign * value < sign * $0 }) ?? true { best = value }
      }
      guard let place = point.indices.first(where: { point[$0] < ranges[$0].upperBound }) else { break }
      for lower in 0..<place { point[lower] = ranges[lower].lowerBound }
      point[place] += 1
    }
  }
}

struct CertificateTests {
  @Test func certifiedBoundIsTheBestOfAllPoints() throws {
    for seed in 0..<2_000 {
      var random = SplitMix64(seed: UInt64(seed))
      let small = SmallModel(&random)
      let result = try small.model.solveCertified()
      guard let certificate = result.certificate else {
        Issue.record("seed \(seed): no certificate")
        continue
      }
      try certificate.check(small.model)
      #expect(certificate.bound == small.best.map { .init($0) }, "seed \(seed)")
      #expect(result.solution.status == (small.best == nil ? .infeasible : .optimal), "seed \(seed)")
      if let best = small.best { #expect(result.solution.objective == Double(best), "seed \(seed)") }
      #expect(try BoundCertificate(text: certificate.text) == certificate, "seed \(seed)")
    }
  }
}
