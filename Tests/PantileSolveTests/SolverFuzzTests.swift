import Dispatch
import Foundation
import PantileSolve
import PantileSupport
import Testing

/// Hostile models and formulas: an answer that is right or a diagnostic, never an abort, a hang or a wrong answer.
///
/// `PANTILE_FUZZ_RUNS` says how many, `PANTILE_FUZZ_SEED` where the random numbers start; each failure prints its number, and the
/// seed with the number makes it again. Runs are spread over threads, each of which uses GLPK or Z3 by itself.
struct SolverFuzzTests {
  private static let runs = number("PANTILE_FUZZ_RUNS") ?? 2_000
  private static let seed = number("PANTILE_FUZZ_SEED") ?? 1

  private static func number(_ variable: String) -> Int? {
    ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
  }

  /// Runs a body for each number, on all threads; the body returns what is wrong.
  private func fuzz(_ runs: Int, _ stream: Int, _ body: @Sendable (Int, inout SplitMix64) -> String?) {
    let failures = Failures()
    DispatchQueue.concurrentPerform(iterations: runs) { run in
      var random = SplitMix64(seed: UInt64(SolverFuzzTests.seed) &* 1_000_003 &+ UInt64(run * 3 + stream))
      if let failure = body(run, &random) { failures.add("seed \(SolverFuzzTests.seed) run \(run): \(failure)") }
    }
    #expect(failures.list.isEmpty, "\(failures.list.sorted().prefix(5).joined(separator: "\n"))")
  }

  @Test func hostileLinearModels() {
    fuzz(SolverFuzzTests.runs, 0) { _, random in
      var model = HostileModel(&random)
      return model.failure(&random)
    }
  }

  @Test func hostileFormulas() {
    fuzz(SolverFuzzTests.runs / 4, 1) { run, random in
      run % 4 == 0 ? hostileFormulaFailure(&random) : WordFormula(&random).failure()
    }
  }
}

/// A list that threads may add to.
private final class Failures: @unchecked Sendable {
  private let queue = DispatchQueue(label: "failures")
  private var items: [String] = []
  func add(_ item: String) { queue.sync { items.append(item) } }
  var list: [String] { queue.sync { items } }
}

/// A linear model with numbers of every kind.
private struct HostileModel {
  var model: LinearModel
  /// All data are finite and moderate: answers can be trusted and checked.
  var isTame = true
  var isWhole = true
  var hasWrongIndex = false
  var ranges: [ClosedRange<Int>]? = []
  var rows: [(low: Double, high: Double, terms: [(Int, Double)])] = []
  var objective: [Double] = []

  init(_ random: inout SplitMix64) {
    model = LinearModel(random.next(below: 2) == 0 ? .maximise : .minimise)
    let hostility = [0, 0, 0, 1, 4][random.next(below: 5)]
    var isTame = true
    var isWhole = true
    func value(_ random: inout SplitMix64, _ size: Int) -> Double {
      if hostility > 0, random.next(below: 20) < hostility {
        isTame = false
        isWhole = false
        let odd: [Double] = [
          .nan, .infinity, -.infinity, 1e300, -1e300, 1e-300, 1e15, -1e18, 0x1p53, 0x1p63, .leastNonzeroMagnitude, 1e9,
        ]
        return odd[random.next(below: odd.count)]
      }
      if hostility > 0, random.next(below: 10) == 0 {
        isWhole = false
        return Double(random.next(below: 4 * size) - 2 * size) / 4
      }
      return Double(random.next(below: 2 * size + 1) - size)
    }
    let columnCount = random.next(below: 7)
    let rowCount = random.next(below: 6)
    for index in 0..<columnCount {
      let isInteger = random.next(below: 4) != 0
      let kind = random.next(below: 12)
      var low = kind < 6 ? 0 : value(&random, 3)
      var high = kind < 6 ? 1 : low + Double(random.next(below: 4))
      // Free, half free, crossed, huge.
      if hostility > 0 {
        if kind == 8 { low = -.infinity }
        if kind == 9 { high = .infinity }
        if kind == 10 { (low, high) = (high + 1, low) }
        if kind == 11 {
          (low, high) = (-1e12, 1e12)
          isTame = false
        }
      }
      let cost = value(&random, 20)
      objective.append(cost)
      _ = model.addVariable("x\(index)", lower: low, upper: high, isInteger: isInteger, objective: cost)
      if isInteger, low.isFinite, high.isFinite, low <= high, high - low <= 5, low.magnitude < 100, low == low.rounded()
      {
        ranges?.append(Int(low)...Int(high.rounded(.down)))
      } else {
        ranges = nil
      }
    }
    for index in 0..<rowCount {
      var terms: [(Int, Double)] = []
      for column in 0..<columnCount where random.next(below: 3) != 0 { terms.append((column, value(&random, 9))) }
      if hostility > 0, random.next(below: 40) == 0 {
        isTame = false
        hasWrongIndex = true
        terms.append(([-1, columnCount, .max, .min, 1 << 32][random.next(below: 5)], 1))
      }
      if hostility > 0, random.next(below: 40) == 0, let first = terms.first {
        isTame = false
        terms.append(first)
      }
      let middle = value(&random, 12)
      let kind = random.next(below: 6)
      let low = kind < 3 ? -.infinity : middle
      let high = kind == 3 ? Double.infinity : kind == 4 ? middle : middle + Double(random.next(below: 3))
      rows.append((low, high, terms))
      model.addRow("r\(index)", lower: low, upper: high, terms.map { .init($0.1, .init(index: $0.0)) })
    }
    self.isTame = isTame
    self.isWhole = isWhole
  }

  /// The best objective by trying every point; nil when there is none. For models whose `ranges` are known.
  func best(_ ranges: [ClosedRange<Int>]) -> Double? {
    var best: Double?
    var point = ranges.map { Double($0.lowerBound) }
    while true {
      let isFeasible = rows.allSatisfy { row in
        let sum = row.terms.reduce(0) { $0 + $1.1 * point[$1.0] }
        return sum >= row.low && sum <= row.high
      }
      if isFeasible {
        let value = zip(objective, point).reduce(0) { $0 + $1.0 * $1.1 }
        if best.map({ model.direction == .maximise ? value > $0 : value < $0 }) ?? true { best = value }
      }
      guard let place = point.indices.first(where: { point[$0] < Double(ranges[$0].upperBound) }) else { return best }
      for lower in 0..<place { point[lower] = Double(ranges[lower].lowerBound) }
      point[place] += 1
    }
  }

  /// What is wrong with the answers; nil when nothing is.
  mutating func failure(_ random: inout SplitMix64) -> String? {
    var options = LinearModel.Options(nodeBudget: 500)
    options.cuts = [.none, .cheap, .all][random.next(below: 3)]
    if random.next(below: 6) == 0 { options.nodeBudget = random.next(below: 6) }
    if random.next(below: 6) == 0 { options.iterationBudget = random.next(below: 10) }
    options.relaxed = random.next(below: 8) == 0
    if random.next(below: 12) == 0 {
      options.cancellation = Cancellation()
      options.cancellation?.cancel()
    }
    let truth = isTame ? ranges.map { Optional(best($0)) } ?? nil : nil
    let allowed = ["bad-linear-model", "solver-fault", "wrong-solution", "not-whole"]
    do {
      let isUnchecked = hasWrongIndex || random.next(below: 20) == 0
      if isUnchecked { isTame = false }
      let solution = try isUnchecked ? model.solveUnchecked(options) : model.solve(options)
      if hasWrongIndex { return "a wrong index was accepted" }
      if !options.relaxed, let wrong = mistake(solution, truth) { return "solve: \(wrong)" }
    } catch {
      if !error.codes.allSatisfy(allowed.contains) { return "solve: \(error)" }
      if isTame, !error.codes.allSatisfy({ $0 == "bad-linear-model" }) { return "solve: \(error)" }
    }
    do {
      var incumbent: [Double]?
      if random.next(below: 4) == 0 {
        incumbent = (0..<max(0, objective.count)).map { _ in Double(random.next(below: 2)) }
      }
      if random.next(below: 30) == 0 { incumbent = [.nan] }
      let result = try model.solveCertified(options, incumbent: incumbent)
      if let wrong = mistake(result.solution, truth) { return "certified: \(wrong)" }
      if let certificate = result.certificate {
        try certificate.check(model)
        if let truth {
          if certificate.bound == nil, truth != nil { return "certified infeasible, the best is \(truth ?? 0)" }
          if let bound = certificate.bound?.value, let truth,
            model.direction == .maximise ? bound < truth : bound > truth
          {
            return "certified \(bound), the best is \(truth)"
          }
        }
      }
    } catch {
      if !error.codes.allSatisfy(allowed.contains) { return "certified: \(error)" }
    }
    return nil
  }

  private func mistake(_ solution: LinearSolution, _ truth: Double??) -> String? {
    if solution.hasValues, (try? model.verify(solution.values, tolerance: 1e-6)) == nil, !hasWrongIndex {
      return "a point that violates the model"
    }
    guard let truth else { return nil }
    let isMaximised = model.direction == .maximise
    switch solution.status {
    case .optimal:
      if truth.map({ ($0 - solution.objective).magnitude > 1e-6 * max(1, $0.magnitude) }) ?? true {
        return "optimal \(solution.objective), the best is \(truth.map { "\($0)" } ?? "none")"
      }
    case .feasible, .budgetExhausted:
      if let truth, isMaximised ? solution.bound < truth - 1e-6 : solution.bound > truth + 1e-6 {
        return "\(solution.status) with bound \(solution.bound), the best is \(truth)"
      }
    case .infeasible: if let truth { return "infeasible, the best is \(truth)" }
    case .unbounded: return "unbounded in a box"
    }
    return nil
  }
}

/// A formula over two words, with its own evaluation.
private struct WordFormula {
  indirect enum Word {
    case variable(Int)
    case constant(UInt64)
    case unary(Int, Word)
    case binary(Int, Word, Word)
  }
  indirect enum Truth {
    case compare(Int, Word, Word)
    case not(Truth)
    case both(Int, Truth, Truth)
  }

  let width: Int
  let assertions: [Truth]

  init(_ random: inout SplitMix64) {
    let width = 1 + random.next(below: 4)
    self.width = width
    func word(_ depth: Int, _ random: inout SplitMix64) -> Word {
      switch depth == 0 ? random.next(below: 3) : random.next(below: 10) {
      case 0, 1: return .variable(random.next(below: 2))
      case 2: return .constant(UInt64(random.next(below: 1 << width)))
      case 3: return .unary(random.next(below: 2), word(depth - 1, &random))
      default: return .binary(random.next(below: 11), word(depth - 1, &random), word(depth - 1, &random))
      }
    }
    func truth(_ depth: Int, _ random: inout SplitMix64) -> Truth {
      switch depth == 0 ? 0 : random.next(below: 5) {
      case 0, 1: return .compare(random.next(below: 4), word(3, &random), word(3, &random))
      case 2: return .not(truth(depth - 1, &random))
      default: return .both(random.next(below: 4), truth(depth - 1, &random), truth(depth - 1, &random))
      }
    }
    assertions = (0..<(1 + random.next(below: 3))).map { _ in truth(2, &random) }
  }

  private var mask: UInt64 { (1 << UInt64(width)) - 1 }
  private func signed(_ x: UInt64) -> Int64 { Int64(bitPattern: x << UInt64(64 - width)) >> Int64(64 - width) }

  private func value(_ word: Word, _ v: [UInt64]) -> UInt64 {
    switch word {
    case .variable(let index): return v[index]
    case .constant(let value): return value
    case .unary(let op, let a): return (op == 0 ? ~value(a, v) : 0 &- value(a, v)) & mask
    case .binary(let op, let a, let b):
      let (x, y) = (value(a, v), value(b, v))
      let shift = min(y, 63)
      switch op {
      case 0: return (x &+ y) & mask
      case 1: return (x &- y) & mask
      case 2: return (x &* y) & mask
      case 3: return x & y
      case 4: return x | y
      case 5: return x ^ y
      case 6: return (x << shift) & mask
      case 7: return x >> shift
      case 8: return UInt64(bitPattern: signed(x) >> Int64(shift)) & mask
      // The standard's division by zero: all ones, and the dividend.
      case 9: return y == 0 ? mask : x / y
      default: return y == 0 ? x : x % y
      }
    }
  }

  private func value(_ truth: Truth, _ v: [UInt64]) -> Bool {
    switch truth {
    case .compare(let op, let a, let b):
      let (x, y) = (value(a, v), value(b, v))
      switch op {
      case 0: return x == y
      case 1: return x < y
      case 2: return signed(x) < signed(y)
      default: return signed(x) <= signed(y)
      }
    case .not(let a): return !value(a, v)
    case .both(let op, let a, let b):
      let (x, y) = (value(a, v), value(b, v))
      return [x && y, x || y, x != y, !x || y][op]
    }
  }

  private func term(_ word: Word) -> SMTBits {
    switch word {
    case .variable(let index): return SMTBits.variable("v\(index)", width: width)
    case .constant(let value): return SMTBits(Int(value), width: width)
    case .unary(let op, let a): return op == 0 ? ~term(a) : -term(a)
    case .binary(let op, let a, let b):
      let (x, y) = (term(a), term(b))
      switch op {
      case 0: return x &+ y
      case 1: return x &- y
      case 2: return x &* y
      case 3: return x & y
      case 4: return x | y
      case 5: return x ^ y
      case 6: return x.shiftedLeft(by: y)
      case 7: return x.logicallyShiftedRight(by: y)
      case 8: return x.arithmeticallyShiftedRight(by: y)
      case 9: return x.unsignedDivided(by: y)
      default: return x.unsignedRemainder(by: y)
      }
    }
  }

  private func term(_ truth: Truth) -> SMTBool {
    switch truth {
    case .compare(let op, let a, let b):
      let (x, y) = (term(a), term(b))
      return [x == y, x.unsignedLess(y), x.signedLess(y), x.signedLessOrEqual(y)][op]
    case .not(let a): return !term(a)
    case .both(let op, let a, let b):
      let (x, y) = (term(a), term(b))
      return [x && y, x || y, x ^ y, x.implies(y)][op]
    }
  }

  func failure() -> String? {
    var query = SMTQuery()
    for assertion in assertions { query.require(term(assertion)) }
    let size = UInt64(1) << UInt64(width)
    let canHold = (0..<(size * size)).contains { n in assertions.allSatisfy { value($0, [n % size, n / size]) } }
    do {
      switch try query.solve(resourceLimit: 2_000_000) {
      case .satisfiable(let model):
        let v = [model.bits("v0") ?? 0, model.bits("v1") ?? 0]
        return assertions.allSatisfy { value($0, v) } ? nil : "the model \(v) violates \(assertions)"
      case .unsatisfiable: return canHold ? "unsatisfiable: \(assertions)" : nil
      case .unknown: return nil
      }
    } catch { return "\(error)" }
  }
}

/// A formula of odd widths, sorts, depths and products.
private func hostileFormulaFailure(_ random: inout SplitMix64) -> String? {
  var query = SMTQuery()
  let widths = [1, 8, 9, 32, 64, 65, 0, -1, 300, 5_000, 1 << 20, .max, .min]
  var words: [SMTBits] = (0..<3).map { .variable("w\($0)", width: widths[random.next(below: widths.count)]) }
  var integers: [SMTInt] = [.variable("i"), .variable("j"), SMTInt(.max), SMTInt(.min), .variable("w0")]
  if random.next(below: 6) != 0 { integers.removeLast() }
  for _ in 0..<(2 + random.next(below: 12)) {
    let a = words[random.next(below: words.count)]
    // Often of the same width, so that some formulas get through to Z3.
    let same = words.filter { $0.width == a.width }
    let b = random.next(below: 8) == 0 ? words[random.next(below: words.count)] : same[random.next(below: same.count)]
    let (i, j) = (integers[random.next(below: integers.count)], integers[random.next(below: integers.count)])
    switch random.next(below: 16) {
    case 0: words.append(a &+ b)
    case 1: words.append(a &* b)
    case 2: words.append(a.unsignedDivided(by: b))
    case 3: words.append(a.signedRemainder(by: b))
    case 4:
      let low = random.next(below: 70) - 2
      words.append(a.bits(low...(low + random.next(below: 70))))
    case 5: words.append(a.concatenated(with: b))
    case 6: words.append(a.signExtended(to: widths[random.next(below: widths.count)]))
    case 7: words.append(SMTBits(random.next(below: 1000), width: widths[random.next(below: widths.count)]))
    case 8: integers.append(i * j)
    case 9: integers.append(.choose(i <= j, i, j))
    case 10:
      var sum = i
      for _ in 0..<(random.next(below: 20) == 0 ? 20_000 : 30) { sum = sum + j }
      integers.append(sum)
    case 11: query.require(i == random.next(below: 100))
    case 12: query.require(i * i + j * j == SMTInt(random.next(below: 1000)))
    case 13: query.require(a == b, named: "same")
    case 14: query.require(!(a == a))
    default: query.require(a.unsignedLess(b) || i < j)
    }
  }
  do {
    _ = try query.solve(resourceLimit: 200_000)
    return nil
  } catch {
    let allowed = ["bad-query", "query-too-large", "solver-fault"]
    return error.codes.allSatisfy(allowed.contains) ? nil : "\(error)"
  }
}
