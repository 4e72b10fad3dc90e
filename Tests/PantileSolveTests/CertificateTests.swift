import Dispatch
import Foundation
import PantileSolve
import PantileSupport
import Testing

/// A small model of whole numbers, and its best objective by trying every point; nil when there is none.
struct SmallModel {
  var model: LinearModel
  var best: Int?
  var ranges: [ClosedRange<Int>] = []
  var objective: [Int] = []
  var rows: [(low: Int?, high: Int?, coefficients: [Int])] = []

  init(_ random: inout SplitMix64) {
    model = LinearModel(random.next(below: 3) == 0 ? .maximise : .minimise)
    model.objectiveConstant = Double(random.next(below: 11) - 5)
    let count = 1 + random.next(below: 7)
    let isBinary = random.next(below: 2) == 0
    let scale = [1, 1, 7, 1000][random.next(below: 4)]
    for index in 0..<count {
      let low = isBinary ? 0 : random.next(below: 4) - 2
      let range = low...(low + (isBinary ? 1 : random.next(below: 3)))
      ranges.append(range)
      objective.append(scale * (random.next(below: 21) - 10))
      _ = model.addVariable(
        "x\(index)", lower: Double(range.lowerBound), upper: Double(range.upperBound), isInteger: true,
        objective: Double(objective[index]))
    }
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
    let (ranges, rows, objective) = (ranges, rows, objective)
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

/// Tensors with gaps in their life, of which each is kept (`x`) within the capacity of every step or fetched again (`y`).
private func residency(tensors: Int, steps: Int, width: Int, seed: UInt64) -> LinearModel {
  var random = SplitMix64(seed: seed)
  var model = LinearModel()
  var terms: [[LinearModel.Term]] = Array(repeating: [], count: steps)
  var load = Array(repeating: 0, count: steps)
  for tensor in 0..<tensors {
    let size = 64 * (1 + random.next(below: 150_000))
    var step = random.next(below: steps - width)
    let y = model.addBinary("y\(tensor)", objective: Double(size))
    for gap in 0...random.next(below: 3) where step < steps {
      let end = min(steps, step + 1 + random.next(below: width))
      let x = model.addBinary("x\(tensor).\(gap)", objective: -Double(size))
      for s in step..<end {
        terms[s].append(.init(Double(size), x))
        load[s] += size
      }
      model.addRow("link", lower: 1, [.init(1, y), .init(1, x)])
      step = end
    }
  }
  let capacity = (load.max() ?? 0) * 7 / 10
  for step in 0..<steps where load[step] > 0 {
    model.addRow("room\(step)", upper: Double(capacity - random.next(below: capacity / 4)), terms[step])
  }
  return model
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

  /// Whatever is changed in a certificate, it never proves a bound that a point beats.
  @Test func noDamagedCertificateProvesAFalseBound() throws {
    for seed in 0..<700 {
      var random = SplitMix64(seed: UInt64(seed))
      let small = SmallModel(&random)
      let certificate = try #require(try small.model.solveCertified().certificate)
      guard let best = small.best else { continue }
      let worse = best + (small.model.direction == .minimise ? 1 : -1)
      for round in 0..<20 {
        var damaged = certificate
        if round > 0 { for _ in 0...random.next(below: 3) { damaged.damage(&random, small.ranges.count) } }
        let claims: [BoundCertificate.Ratio?] = [
          .init(worse), nil, .init(2 * best + (worse - best), over: 2), .init(worse, over: 1),
        ]
        damaged.bound = claims[round % claims.count]
        #expect(throws: DiagnosticError.self, "seed \(seed) round \(round)") { try damaged.check(small.model) }
      }
    }
  }

  @Test func missingAndExtraPartsAreRejected() throws {
    var count = 0
    for seed in 0..<300 {
      var random = SplitMix64(seed: UInt64(seed))
      let small = SmallModel(&random)
      let certificate = try #require(try small.model.solveCertified().certificate)
      func rejects(_ change: (inout BoundCertificate) -> Void) {
        var damaged = certificate
        change(&damaged)
        count += 1
        #expect { try damaged.check(small.model) } throws: { ($0 as? DiagnosticError)?.codes == ["bad-certificate"] }
      }
      rejects { $0.tree.removeLast() }
      rejects { $0.tree.append(.leaf(0)) }
      rejects { $0.tree = [] }
      rejects { $0.tree = [.branch(column: 99, value: 0)] + $0.tree + $0.tree }
      if certificate.tree.count == 1 {
        rejects { $0.proofs[0].rows.append(1_000) }
        rejects { $0.proofs[0] = .init(denominator: -1, rows: [], multipliers: []) }
        rejects { $0.tree = [.leaf(7)] }
      }
      rejects { $0.cuts.append(.cover(.init(row: 0, isUpperSide: true, columns: [0], limit: -1))) }
      rejects { $0.cuts.append(.cover(.init(row: -1, isUpperSide: true, columns: [0, 0], limit: 1))) }
      rejects {
        $0.cuts.append(
          .rounding(.init(rows: [], multipliers: [], isUpperSide: [], divisor: 0, complemented: [])))
      }
    }
    #expect(count > 2_000)
  }

  @Test func hugeNumbersAreRejectedNotTrapped() throws {
    var model = LinearModel()
    let big = 0x1p53
    let x = model.addVariable("x", lower: -big, upper: big, isInteger: true, objective: big)
    let y = model.addVariable("y", lower: -big, upper: big, objective: -big + 1)
    model.addRow("r", lower: -big, upper: big, [.init(big, x), .init(big - 1, y)])
    let odd: [Int] = [.max, .min, .max - 1, 1, -1]
    for denominator in odd where denominator > 0 {
      for multiplier in odd {
        for branch in odd {
          let certificate = BoundCertificate(
            bound: .init(.max, over: .max),
            cuts: [
              .rounding(
                .init(
                  rows: [0], multipliers: [multiplier], isUpperSide: [true], divisor: denominator, complemented: [0]))
            ], proofs: [.init(denominator: denominator, rows: [0, 1], multipliers: [multiplier, -.max])],
            tree: [.branch(column: 0, value: branch), .leaf(0), .leaf(0)])
          #expect(throws: DiagnosticError.self) { try certificate.check(model) }
          let plain = BoundCertificate(
            bound: .init(.min, over: .max),
            proofs: [.init(denominator: denominator, rows: [0], multipliers: [multiplier])],
            tree: [.leaf(0)])
          _ = try? plain.check(model)
        }
      }
    }
  }

  @Test func fractionsAndUnknownTextAreRefused() throws {
    var model = LinearModel()
    let x = model.addBinary("x", objective: 0.5)
    model.addRow("r", upper: 1, [.init(1, x)])
    #expect { try model.solveCertified() } throws: { ($0 as? DiagnosticError)?.codes == ["not-whole"] }
    for text in [
      "", "{}", "[]", #"{"bound":[1],"cuts":[],"proofs":[],"tree":[]}"#,
      #"{"bound":[1,1],"cuts":[],"proofs":[],"tree":[[1,2,3]]}"#,
      #"{"bound":[1,1],"cuts":[],"proofs":[],"tree":[[1.5]]}"#,
      #"{"bound":[1,1],"cuts":[],"proofs":[[1,[1],[]]],"tree":[]}"#, #"{"bound":[1,9223372036854775808]}"#,
      #"{"bound":[1,1],"cuts":[[0,2,1,[0]]],"proofs":[],"tree":[]}"#, String(repeating: "[", count: 100_000),
    ] {
      #expect { try BoundCertificate(text: text) } throws: {
        ($0 as? DiagnosticError)?.codes == ["bad-certificate-text"]
      }
    }
  }

  /// Z3 agrees that no point of a leaf's box beats the bound, and that no point of a row violates a cover from it.
  @Test func solverOfAnotherKindAgreesAboutLeavesAndCovers() throws {
    var covers = 0
    var leaves = 0
    for seed in 0..<150 {
      var random = SplitMix64(seed: UInt64(seed))
      let small = SmallModel(&random)
      let certificate = try #require(try small.model.solveCertified().certificate)
      let x = small.ranges.indices.map { SMTInt.variable("x\($0)") }
      func weighted(_ coefficients: [Int]) -> SMTInt { zip(coefficients, x).reduce(SMTInt(0)) { $0 + $1.0 * $1.1 } }
      func query(_ ranges: [ClosedRange<Int>], _ rows: [(low: Int?, high: Int?, coefficients: [Int])]) -> SMTQuery {
        var query = SMTQuery()
        for (variable, range) in zip(x, ranges) {
          query.require(variable >= range.lowerBound)
          query.require(variable <= range.upperBound)
        }
        for row in rows {
          if let low = row.low { query.require(weighted(row.coefficients) >= low) }
          if let high = row.high { query.require(weighted(row.coefficients) <= high) }
        }
        return query
      }
      for case .cover(let cover) in certificate.cuts {
        var violated = query(small.ranges, [small.rows[cover.row]])
        var literals = SMTInt(0)
        for column in cover.columns {
          let isPlain = (small.rows[cover.row].coefficients[column] > 0) == cover.isUpperSide
          literals = literals + (isPlain ? x[column] : SMTInt(1) - x[column])
        }
        violated.require(literals >= cover.limit + 1)
        #expect(try violated.solve().isUnsatisfiable, "seed \(seed)")
        covers += 1
      }
      certificate.forEachLeaf(small.ranges) { ranges in
        guard let ranges else { return }
        var better = query(ranges, small.rows)
        if let bound = certificate.bound {
          let value = weighted(small.objective) + Int(small.model.objectiveConstant)
          better.require(
            small.model.direction == .minimise ? value <= bound.numerator - 1 : value >= bound.numerator + 1)
        }
        #expect((try? better.solve().isUnsatisfiable) == true, "seed \(seed)")
        leaves += 1
      }
    }
    #expect(covers > 20 && leaves >= 100)
  }

  @Test func scriptInPythonAgrees() throws {
    let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("certificates-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var random = SplitMix64(seed: 77)
    var paths: [String] = []
    var answers: [Bool] = []
    for round in 0..<100 {
      let small = SmallModel(&random)
      let model = round == 0 ? residency(tensors: 40, steps: 60, width: 6, seed: 3) : small.model
      var certificate = try #require(try model.solveCertified().certificate)
      let modelPath = folder.appendingPathComponent("\(round).model").path
      try model.wholeText().write(toFile: modelPath, atomically: false, encoding: .utf8)
      for damage in 0..<4 {
        if damage > 0 { certificate.damage(&random, small.ranges.count) }
        paths += [modelPath, folder.appendingPathComponent("\(round).\(damage)").path]
        try certificate.text.write(toFile: paths[paths.count - 1], atomically: false, encoding: .utf8)
        answers.append((try? certificate.check(model)) != nil)
      }
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", root.appendingPathComponent("Scripts/check-certificate.py").path] + paths
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    if process.terminationStatus == 127 {
      print("skipped, no python3: certificates by another checker")
      return
    }
    let lines = output.split(separator: "\n")
    #expect(lines.count == answers.count)
    for (index, (line, answer)) in zip(lines, answers).enumerated() {
      #expect(line.hasPrefix("proven: ") == answer, "round \(index / 4) damage \(index % 4): \(line)")
    }
    #expect(answers.contains(false) && answers.count { $0 } >= 100)
  }

  @Test func residencyModelsNeedFewNodes() throws {
    for (seed, limit) in [(UInt64(1), 60), (2, 60), (3, 60)] {
      let model = residency(tensors: 150, steps: 400, width: 6, seed: seed)
      let result = try model.solveCertified()
      #expect(result.solution.status == .optimal && result.solution.nodes <= limit, "\(result.solution.nodes) nodes")
      let plain = try model.solve()
      #expect(plain.objective == result.solution.objective)
    }
  }

  @Test func resultDoesNotDependOnTheThread() throws {
    let model = residency(tensors: 60, steps: 90, width: 8, seed: 9)
    let texts = Texts()
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      texts.add((try? model.solveCertified())?.certificate?.text ?? "none")
    }
    #expect(texts.set.count == 1 && texts.set != ["none"])
  }

  @Test func incumbentIsCheckedAndUsed() throws {
    let model = residency(tensors: 60, steps: 90, width: 8, seed: 9)
    let best = try model.solveCertified().solution
    let budget = LinearModel.Options(nodeBudget: 1, cuts: .none)
    let result = try model.solveCertified(budget, incumbent: best.values)
    #expect(result.solution.objective == best.objective && result.solution.bound <= best.objective)
    try #require(result.certificate).check(model)
    let wrong = Array(repeating: 1.0, count: model.variableCount)
    #expect { try model.solveCertified(incumbent: wrong) } throws: {
      ($0 as? DiagnosticError)?.codes.first == "wrong-solution"
    }
  }

  /// Shadow prices belong to the rows as stated, not to their normal form.
  @Test func dualsAreThoseOfTheModel() throws {
    for direction in [LinearModel.Direction.minimise, .maximise] {
      let sign = direction == .minimise ? -1.0 : 1.0
      var model = LinearModel(direction)
      let x = model.addVariable("x", upper: 10, isInteger: true, objective: -6 * sign)
      let y = model.addVariable("y", upper: 10, isInteger: true, objective: -4 * sign)
      model.addRow("r1", upper: 24, [.init(4, x), .init(2, y)])
      model.addRow("r2", upper: 15, [.init(3, y)])
      let relaxed = try model.solve(.init(relaxed: true)).duals
      let duals = try model.solveCertified().solution.duals
      #expect(duals.count == 2 && zip(duals, relaxed).allSatisfy { ($0 - $1).magnitude < 1e-9 }, "\(duals) \(relaxed)")
    }
  }

  @Test func boundStopsAtItsTarget() throws {
    let model = residency(tensors: 60, steps: 90, width: 8, seed: 9)
    let best = Int(try model.solveCertified().solution.objective)
    let certificate = try #require(try model.proveBound(target: best))
    try certificate.check(model)
    #expect(certificate.bound == .init(best))
    let easy = try #require(try model.proveBound(target: best - abs(best)))
    #expect(easy.tree.count == 1)
  }

  @Test func continuousVariablesAreAllowed() throws {
    var model = LinearModel(.maximise)
    let x = model.addVariable("x", objective: 3)
    let y = model.addVariable("y", objective: 5)
    let z = model.addVariable("z", upper: 7, isInteger: true, objective: 1)
    model.addRow("r1", upper: 13, [.init(2, y), .init(3, z)])
    model.addRow("r2", upper: 18, [.init(3, x), .init(2, y)])
    let result = try model.solveCertified()
    let certificate = try #require(result.certificate)
    try certificate.check(model)
    let plain = try model.solve()
    #expect((result.solution.objective - plain.objective).magnitude < 1e-6)
    #expect(result.solution.bound >= plain.objective - 1e-9 && result.solution.bound < plain.objective + 1e-3)
  }

  @Test func cancelledSolveEndsWithAValidBound() throws {
    // Equal weights just above a half and odd capacity: hopeless without cuts.
    var model = LinearModel(.maximise)
    let weights = (0..<60).map { Double(2 * (50_000 + ($0 * 37_337) % 23_011)) }
    let items = weights.map { model.addBinary("item", objective: $0) }
    model.addRow("weight", upper: Double(Int(weights.reduce(0, +) / 2) | 1), zip(weights, items).map { .init($0, $1) })
    let cancellation = Cancellation()
    let options = LinearModel.Options(
      nodeBudget: 10_000_000, iterationBudget: 1_000_000_000, cuts: .none, cancellation: cancellation)
    DispatchQueue.global().asyncAfter(deadline: .now() + 0.2) { cancellation.cancel() }
    let result = try model.solveCertified(options)
    try result.certificate?.check(model)
    if result.solution.hasValues { #expect(result.solution.objective <= result.solution.bound) }
    #expect(cancellation.isCancelled || result.solution.status == .optimal)
    let after = try model.solveCertified(options)
    #expect(after.certificate == nil || after.solution.nodes <= 1)
  }
}

/// Texts that threads add.
private final class Texts: @unchecked Sendable {
  private let queue = DispatchQueue(label: "texts")
  private var texts: Set<String> = []
  func add(_ text: String) { queue.sync { _ = texts.insert(text) } }
  var set: Set<String> { queue.sync { texts } }
}

extension BoundCertificate {
  /// Changes one number or part.
  fileprivate mutating func damage(_ random: inout SplitMix64, _ columns: Int) {
    func change(_ number: inout Int) {
      switch random.next(below: 4) {
      case 0: number = -number
      case 1: number += 1
      case 2: number -= 1
      default: number = random.next(below: 20) - 5
      }
    }
    switch random.next(below: 8) {
    case 0, 1:
      guard let proof = proofs.indices.randomElement(using: &random), !proofs[proof].rows.isEmpty else { return }
      let place = random.next(below: proofs[proof].rows.count)
      if random.next(below: 3) == 0 {
        change(&proofs[proof].rows[place])
      } else {
        change(&proofs[proof].multipliers[place])
      }
    case 2:
      guard let proof = proofs.indices.randomElement(using: &random) else { return }
      change(&proofs[proof].denominator)
    case 3, 4:
      guard let cut = cuts.indices.randomElement(using: &random) else {
        cuts.append(
          .cover(.init(row: 0, isUpperSide: true, columns: Array(0..<columns), limit: random.next(below: columns))))
        proofs.append(.init(denominator: 1, rows: [0, 1, 2, 3], multipliers: [0, 0, -1, -2]))
        return
      }
      switch cuts[cut] {
      case .cover(var cover):
        switch random.next(below: 4) {
        case 0: change(&cover.limit)
        case 1: change(&cover.row)
        case 2: cover.isUpperSide.toggle()
        default: cover.columns.append(random.next(below: columns))
        }
        cuts[cut] = .cover(cover)
      case .rounding(var rounding):
        switch random.next(below: 4) {
        case 0: change(&rounding.divisor)
        case 1: change(&rounding.multipliers[random.next(below: rounding.multipliers.count)])
        case 2: rounding.isUpperSide[0].toggle()
        default: rounding.complemented.append(random.next(below: columns))
        }
        cuts[cut] = .rounding(rounding)
      }
    case 5:
      // A branch is dropped: its left subtree stands for both.
      guard let place = tree.indices.filter({ if case .branch = tree[$0] { true } else { false } }).first else {
        return
      }
      tree.remove(at: place)
      tree.removeLast()
    default:
      let place = random.next(below: tree.count)
      switch tree[place] {
      case .branch(var column, var value):
        if random.next(below: 2) == 0 { change(&column) } else { change(&value) }
        tree[place] = .branch(column: column, value: value)
      case .leaf(var proof):
        change(&proof)
        tree[place] = .leaf(proof)
      }
    }
  }

  /// Calls with the box of each leaf; nil for one without points.
  fileprivate func forEachLeaf(_ ranges: [ClosedRange<Int>], _ body: ([ClosedRange<Int>]?) -> Void) {
    var position = 0
    func walk(_ ranges: [ClosedRange<Int>]?) {
      position += 1
      switch tree[position - 1] {
      case .leaf: body(ranges)
      case .branch(let column, let value):
        for isLeft in [true, false] {
          var child = ranges
          if let range = ranges?[column] {
            let low = isLeft ? range.lowerBound : max(range.lowerBound, value + 1)
            let high = isLeft ? min(range.upperBound, value) : range.upperBound
            if low <= high { child?[column] = low...high } else { child = nil }
          }
          walk(child)
        }
      }
    }
    walk(ranges)
  }
}
