import PantileSolve
import PantileSupport

extension Datapath {
  /// Proves or refutes every claim for all inputs.
  /// - Throws: what elaboration finds wrong in the file: `wrong-expression`, `unknown-name`, `out-of-range`.
  public func prove(_ options: ProofOptions = ProofOptions()) throws(DiagnosticError) -> Proof {
    let elaborated = try ElaboratedDatapath(self)
    return Proof(
      datapath: name, kind: kind, parameters: parameters,
      claims: elaborated.claims.map { Prover(elaborated.circuit, options, prefersSolver: prefersSolver).prove($0) })
  }

  /// The datapath for each combination of the parameters' sweeps; itself where none has one.
  public var swept: [Datapath] {
    var result = [self]
    for (index, parameter) in parameters.enumerated() where !parameter.sweep.isEmpty {
      result = result.flatMap { datapath in
        parameter.sweep.map { value in
          var changed = datapath
          changed.parameters[index].value = value
          return changed
        }
      }
    }
    return result
  }

}

/// Proves the claims of one circuit.
struct Prover {
  typealias Part = (conditions: [Int], part: ElaboratedDatapath.Part)

  let circuit: Circuit
  let options: ProofOptions
  let prefersSolver: Bool

  /// Points tried after a proof that ended without an answer.
  static let lastPoints = 4096
  /// Nothing is claimed then, which Z3 cannot change.
  static let noInputs = "the conditions hold for no inputs"

  init(_ circuit: Circuit, _ options: ProofOptions, prefersSolver: Bool = false) {
    self.circuit = circuit
    self.prefersSolver = prefersSolver
    self.options = options
  }

  func prove(_ claim: ElaboratedDatapath.Claim) -> Proof.Claim {
    var result = Proof.Claim(name: claim.name, status: .proved, method: "normal form", cases: 0)
    switch options.engine {
    case .auto:
      result = prefersSolver ? bySolver(claim) : byCases(claim)
      if result.status == .inconclusive, result.reason != Self.noInputs {
        let second = prefersSolver ? byCases(claim) : bySolver(claim)
        if second.status != .inconclusive {
          result = second
        } else {
          result.solverLimit = options.resourceLimit
          result.reason = [result.reason, second.reason].compactMap { $0 }.joined(separator: "; ")
        }
      }
    case .cases: result = byCases(claim)
    case .z3: result = bySolver(claim)
    case .both:
      result = byCases(claim)
      let second = bySolver(claim)
      result.solverLimit = second.solverLimit
      if result.status == .inconclusive {
        result = second
      } else if second.status != .inconclusive {
        if second.status != result.status {
          result.status = .inconclusive
          result.reason = "cases say \(result.status), Z3 says \(second.status)"
          result.counterexample = nil
        } else {
          result.method += " and z3"
        }
      }
    }
    return result
  }

  // MARK: Own engine

  private func byCases(_ claim: ElaboratedDatapath.Claim) -> Proof.Claim {
    var result = Proof.Claim(name: claim.name, status: .proved, method: "normal form", cases: 0)
    if let point = search(claim.parts, options.probes) {
      return refuted(result, claim, point, method: "search")
    }
    let forms = Forms(tables: circuit.tables)
    let region = Region(
      forms, low: circuit.inputs.map(\.range.lowerBound), high: circuit.inputs.map(\.range.upperBound))
    var cases = CaseSplit(forms, options)
    do throws(ProofLimit) {
      let values = try region.forms(of: circuit)
      var isVacuous = true
      for part in claim.parts {
        var condition = Polynomial.one
        for node in part.conditions { condition = try region.multiply(condition, values[node]) }
        if isVacuous { isVacuous = try cases.isZero(condition, region) == .proved }
        let verdict: CaseSplit.Verdict
        switch part.part {
        case .equal(let a, let b):
          verdict = try cases.isZero(
            region.multiply(condition, values[a].adding(values[b], times: -1)), region)
        case .atMost(let a, let b):
          verdict = try cases.isNonNegative(
            region.multiply(condition, values[b].adding(values[a], times: -1)), region)
        case .holds(let a):
          verdict = try cases.isZero(region.multiply(condition, region.isZero(values[a])), region)
        }
        if case .refuted(let point) = verdict {
          result.cases = cases.cases
          return refuted(result, claim, point, method: result.cases > claim.parts.count * 8 ? "cases" : "normal form")
        }
      }
      result.cases = cases.cases
      if result.cases > claim.parts.count * 8 { result.method = "cases" }
      if isVacuous {
        result.status = .inconclusive
        result.reason = Self.noInputs
      }
    } catch {
      result.cases = cases.cases
      if let point = search(claim.parts, Self.lastPoints) {
        return refuted(result, claim, point, method: "search")
      }
      result.status = .inconclusive
      result.method = "cases"
      switch error {
      case .overflow: result.reason = "numbers of the normal form leave 64 bits"
      case .cases: result.reason = "more than \(options.budget) cases"
      }
    }
    return result
  }

  /// Points at the ends of the inputs' ranges and between: the first at which a part fails.
  private func search(_ parts: [Part], _ count: Int) -> [Int]? {
    var random = SplitMix64(seed: 1)
    // A large circuit gets fewer points.
    for index in 0..<min(count, max(8, 4_000_000 / max(1, circuit.nodes.count))) {
      let point = circuit.inputs.map { input -> Int in
        let range = input.range
        if index == 0 { return range.lowerBound }
        if index == 1 { return range.upperBound }
        switch random.next(below: 6) {
        case 0: return range.lowerBound
        case 1: return range.upperBound
        case 2: return min(max(0, range.lowerBound), range.upperBound)
        case 3: return min(max(1, range.lowerBound), range.upperBound)
        default: return range.lowerBound + random.next(below: range.upperBound - range.lowerBound + 1)
        }
      }
      if fails(parts, point) { return point }
    }
    return nil
  }

  // MARK: Functional model

  private func fails(_ parts: [Part], _ point: [Int]) -> Bool {
    guard let values = values(at: point) else { return false }
    return parts.contains { Self.fails($0, values) }
  }

  private func values(at point: [Int]) -> [Int]? {
    do throws(CircuitError) { return try circuit.evaluate(inputs: point) } catch { return nil }
  }

  /// Whether the conditions hold and the statement does not.
  static func fails(_ part: Part, _ values: [Int]) -> Bool {
    guard part.conditions.allSatisfy({ values[$0] != 0 }) else { return false }
    switch part.part {
    case .equal(let a, let b): return values[a] != values[b]
    case .atMost(let a, let b): return values[a] > values[b]
    case .holds(let a): return values[a] == 0
    }
  }

  /// The result with the point as counterexample, made small and computed by the functional model.
  private func refuted(
    _ result: Proof.Claim, _ claim: ElaboratedDatapath.Claim, _ point: [Int], method: String
  ) -> Proof.Claim {
    var result = result
    result.method = method
    let small = shrunk(point, claim.parts)
    guard let values = values(at: small), let part = claim.parts.first(where: { Self.fails($0, values) }) else {
      // The engine and the functional model contradict each other: then nothing is known.
      result.status = .inconclusive
      result.reason = "the functional model does not confirm the counterexample"
      return result
    }
    result.status = .refuted
    let (got, expected, relation) =
      switch part.part {
      case .equal(let a, let b): (values[a], values[b], "==")
      case .atMost(let a, let b): (values[a], values[b], "<=")
      case .holds(let a): (values[a], 0, "!=")
      }
    result.counterexample = Proof.Counterexample(
      values: support(part).map { .init(name: circuit.inputs[$0].name, value: small[$0]) }, got: got,
      expected: expected, relation: relation)
    return result
  }

  /// The inputs that a part depends on, in their order.
  private func support(_ part: Part) -> [Int] {
    var pending = part.conditions
    switch part.part {
    case .equal(let a, let b), .atMost(let a, let b): pending += [a, b]
    case .holds(let a): pending.append(a)
    }
    var seen = Set(pending)
    var inputs: [Int] = []
    while let next = pending.popLast() {
      if case .input(let index) = circuit.nodes[next].operation { inputs.append(index) }
      for argument in circuit.nodes[next].arguments where seen.insert(argument).inserted { pending.append(argument) }
    }
    return inputs.sorted()
  }

  /// Inputs nearer to 0 for which the claim still fails.
  private func shrunk(_ point: [Int], _ parts: [Part]) -> [Int] {
    var point = point
    var tries = max(16, min(4096, 8_000_000 / max(1, circuit.nodes.count)))
    for (index, input) in circuit.inputs.enumerated() {
      for value in [0, 1, -1, point[index] / 16, point[index] / 4, point[index] / 2]
      where input.range.contains(value) && value.magnitude < point[index].magnitude && tries > 0 {
        tries -= 1
        var other = point
        other[index] = value
        if fails(parts, other) {
          point = other
          break
        }
      }
    }
    return point
  }

  // MARK: Z3

  private func bySolver(_ claim: ElaboratedDatapath.Claim) -> Proof.Claim {
    var result = Proof.Claim(name: claim.name, status: .proved, method: "z3", cases: 0)
    result.solverLimit = options.resourceLimit
    do throws(DiagnosticError) {
      let translation = try CircuitWords(circuit, claim.parts)
      switch try translation.query.solve(resourceLimit: options.resourceLimit) {
      case .unsatisfiable:
        // A condition that never holds would make everything true.
        guard claim.parts.contains(where: { $0.conditions.isEmpty }) == false else { return result }
        let conditions = try CircuitWords(circuit, claim.parts, .conditions)
        if try conditions.query.solve(resourceLimit: options.resourceLimit).isUnsatisfiable {
          result.status = .inconclusive
          result.reason = Self.noInputs
        }
        return result
      case .satisfiable(let model): return refuted(result, claim, translation.point(model), method: "z3")
      case .unknown(let reason):
        result.status = .inconclusive
        result.reason = "Z3: \(reason)"
      }
    } catch {
      result.status = .inconclusive
      result.reason = "Z3: \(error.diagnostics[0].message)"
    }
    return result
  }
}
