import PantileSupport

/// Choose a bit width for the weights of each layer, so that the summed costs are least under limits of size and cycles: a
/// multiple-choice knapsack with up to two rows.
///
/// Costs, sizes and cycles of layers are taken to add up. That is exact for sizes; for errors and cycles it is a model.
public struct WidthProblem: Hashable, Sendable {
  /// A layer at one width.
  public struct Choice: Hashable, Sendable {
    /// Bits of a weight.
    public var bits: Int
    /// What is minimised, in a whole number of the caller's unit.
    public var cost: Int
    /// Bits of all weights of the layer.
    public var storedBits: Int
    public var cycles: Int

    public init(bits: Int, cost: Int, storedBits: Int, cycles: Int) {
      self.bits = bits
      self.cost = cost
      self.storedBits = storedBits
      self.cycles = cycles
    }
  }

  public struct Layer: Hashable, Sendable {
    public var name: String
    public var choices: [Choice]

    public init(_ name: String, choices: [Choice]) {
      self.name = name
      self.choices = choices
    }
  }

  public var name: String
  public var layers: [Layer]
  /// The most bits of all weights together; nil for any number.
  public var storedBitsLimit: Int?
  /// The most cycles of all layers together; nil for any number.
  public var cycleLimit: Int?

  public init(_ name: String, layers: [Layer], storedBitsLimit: Int? = nil, cycleLimit: Int? = nil) {
    self.name = name
    self.layers = layers
    self.storedBitsLimit = storedBitsLimit
    self.cycleLimit = cycleLimit
  }

  /// Refuses a problem that is not well formed, with all independent errors.
  ///
  /// - Throws: `bad-width-problem`.
  public func check() throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ message: String) {
      if errors.count < 50 { errors.append(Diagnostic("bad-width-problem", "'\(name)': \(message)")) }
    }
    if layers.isEmpty { fail("there is no layer") }
    for (index, layer) in layers.enumerated() {
      let place = "layer \(index) '\(layer.name)'"
      if layer.choices.isEmpty { fail("\(place) has no width to choose") }
      for (number, choice) in layer.choices.enumerated() {
        for (what, value) in [("cost", choice.cost), ("size", choice.storedBits), ("cycles", choice.cycles)]
        where value < 0 || !ProblemLimit.holds(value) {
          fail("\(place) has \(what) \(value) at \(choice.bits) bits")
        }
        if layer.choices[..<number].contains(where: { $0.bits == choice.bits }) {
          fail("\(place) has \(choice.bits) bits twice")
        }
      }
    }
    for (what, limit) in [("bits", storedBitsLimit), ("cycles", cycleLimit)] {
      if let limit, limit < 0 || !ProblemLimit.holds(limit) { fail("the limit is \(limit) \(what)") }
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }

  /// Cost, bits and cycles of one choice a layer, given by its place among the layer's choices.
  ///
  /// **Precondition** One place a layer, each in range.
  public func totals(of choices: [Int]) -> (cost: Int, storedBits: Int, cycles: Int) {
    precondition(choices.count == layers.count, "\(choices.count) choices for \(layers.count) layers")
    return zip(layers, choices).reduce((0, 0, 0)) { sum, entry in
      let choice = entry.0.choices[entry.1]
      return (
        saturatingAdd(sum.0, choice.cost), saturatingAdd(sum.1, choice.storedBits), saturatingAdd(sum.2, choice.cycles)
      )
    }
  }

  /// The totals are within the limits.
  public func holds(_ totals: (cost: Int, storedBits: Int, cycles: Int)) -> Bool {
    totals.storedBits <= storedBitsLimit ?? .max && totals.cycles <= cycleLimit ?? .max
  }

  /// Checks an assignment without regard to how it was found.
  ///
  /// - Throws: `wrong-assignment` for each claim that does not hold.
  public func verify(_ assignment: WidthAssignment) throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ message: String) { errors.append(Diagnostic("wrong-assignment", "'\(name)': \(message)")) }
    guard assignment.choices.count == layers.count,
      zip(assignment.choices, layers).allSatisfy({ $1.choices.indices.contains($0) })
    else { throw DiagnosticError("wrong-assignment", "'\(name)': the choices are not one of each layer") }
    let totals = totals(of: assignment.choices)
    for (what, claimed, actual) in [
      ("cost", assignment.cost, totals.cost), ("bits", assignment.storedBits, totals.storedBits),
      ("cycles", assignment.cycles, totals.cycles),
    ] where claimed != actual {
      fail("\(what) are said to be \(claimed) and are \(actual)")
    }
    if let limit = storedBitsLimit, totals.storedBits > limit { fail("\(totals.storedBits) bits exceed \(limit)") }
    if let limit = cycleLimit, totals.cycles > limit { fail("\(totals.cycles) cycles exceed \(limit)") }
    if assignment.lowerBound > totals.cost { fail("the bound \(assignment.lowerBound) is above cost \(totals.cost)") }
    switch assignment.status {
    case .optimal where assignment.lowerBound != totals.cost:
      fail("it is said to be optimal, with bound \(assignment.lowerBound) and cost \(totals.cost)")
    case .feasible(let gap) where gap != totals.cost - assignment.lowerBound:
      fail("its gap is said to be \(gap), with bound \(assignment.lowerBound) and cost \(totals.cost)")
    case .optimal, .feasible: break
    case .infeasible, .budgetExhausted: fail("it is said to be \(assignment.status)")
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }
}

/// One width a layer.
public struct WidthAssignment: Hashable, Sendable {
  /// The place of each layer's choice among its choices.
  public var choices: [Int]
  public var cost: Int
  public var storedBits: Int
  public var cycles: Int
  /// No assignment costs less.
  public var lowerBound: Int
  public var status: SolutionStatus

  public init(choices: [Int], of problem: WidthProblem, lowerBound: Int) {
    let totals = problem.totals(of: choices)
    self.choices = choices
    cost = totals.cost
    storedBits = totals.storedBits
    cycles = totals.cycles
    self.lowerBound = min(lowerBound, totals.cost)
    status = lowerBound >= totals.cost ? .optimal : .feasible(gap: totals.cost - lowerBound)
  }
}
