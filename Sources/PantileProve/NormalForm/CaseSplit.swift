import PantileSupport

/// Decides statements about forms for every point of a box: by comparing normal forms, by bounds, and by cases where those do not tell.
///
/// "Proved" and "refuted" are certain; nothing is sampled for a proof. What costs more than the budget has no answer.
struct CaseSplit {
  enum Verdict: Equatable {
    case proved
    /// False at this point.
    case refuted([Int])
  }

  let forms: Forms
  /// Cases and points that may still be looked at.
  private(set) var budget: Int
  private let start: Int
  private var splits = 0
  private let enumerated: Int

  /// Values of an input that become a case each; wider ones are halved.
  static let listed = 512
  /// Cases of symbolic work; it costs more than a point.
  static let mostSplits = 1 << 16

  init(_ forms: Forms, _ options: ProofOptions) {
    self.forms = forms
    budget = options.budget
    start = options.budget
    enumerated = options.enumerated
  }

  /// Cases and points looked at so far.
  var cases: Int { start - budget }

  // MARK: Equality

  /// Whether the form is 0 everywhere in the region.
  mutating func isZero(_ form: Polynomial, _ region: Region) throws(ProofLimit) -> Verdict {
    try spendSplit()
    let form = try region.simplify(form)
    if form.isZero { return .proved }
    let range = try region.interval(form)
    if range == 0...0 { return .proved }
    if range.lowerBound > 0 || range.upperBound < 0 { return .refuted(region.low) }
    if let point = try probe(form, region, { $0 != 0 }) { return .refuted(point) }
    // From here on the form is known to be 0 at the lowest corner.

    // x*G + H with neither G nor H depending on x, which has two values: 0 everywhere when G and H are.
    if let (input, factor, rest) = try linearInput(form, region) {
      for part in [factor, rest] {
        guard case .refuted(var point) = try isZero(part, region) else { continue }
        for end in [region.low[Int(input)], region.high[Int(input)]] {
          point[Int(input)] = end
          if try value(form, point) != 0 { return .refuted(point) }
        }
        preconditionFailure("a form is 0 at both ends of an input with a factor that is not")
      }
      return .proved
    }

    // A sum of parts without common inputs is constant only when each part is.
    let parts = components(form)
    if parts.count > 1 {
      for part in parts {
        let level = try value(part, region.low)
        if case .refuted(let point) = try isZero(part.adding(-level), region) {
          // The others stay at the corner, where all together are 0.
          var mixed = region.low
          for input in forms.support([part]) { mixed[Int(input)] = point[Int(input)] }
          return .refuted(mixed)
        }
      }
      return .proved
    }

    if let points = points(form, region) {
      return try enumerate(form, region, points) { $0 != 0 }.map { .refuted($0) } ?? .proved
    }
    for part in split(form, region) {
      let verdict = try isZero(form, part)
      if verdict != .proved { return verdict }
    }
    return .proved
  }

  // MARK: Order

  /// Whether the form is at least 0 everywhere in the region.
  mutating func isNonNegative(_ form: Polynomial, _ region: Region) throws(ProofLimit) -> Verdict {
    try spendSplit()
    let form = try region.simplify(form)
    let range = try region.interval(form)
    if range.lowerBound >= 0 { return .proved }
    if range.upperBound < 0 { return .refuted(region.low) }
    if let point = try probe(form, region, { $0 < 0 }) { return .refuted(point) }
    let parts = components(form)
    if parts.count > 1 {
      var sum = form.constant
      var point = region.low
      for part in parts {
        var best: (value: Int, point: [Int])?
        try minimum(part, region, &best)
        guard let best else { preconditionFailure("a form of a region has no least value") }
        sum = try exact(sum.addingReportingOverflow(best.value))
        for input in forms.support([part]) { point[Int(input)] = best.point[Int(input)] }
      }
      return sum >= 0 ? .proved : .refuted(point)
    }
    if let points = points(form, region) {
      return try enumerate(form, region, points) { $0 < 0 }.map { .refuted($0) } ?? .proved
    }
    for part in split(form, region) {
      let verdict = try isNonNegative(form, part)
      if verdict != .proved { return verdict }
    }
    return .proved
  }

  /// Lowers `best` to the least value of the form in the region, and a point that has it.
  private mutating func minimum(
    _ form: Polynomial, _ region: Region, _ best: inout (value: Int, point: [Int])?
  ) throws(ProofLimit) {
    try spendSplit()
    let form = try region.simplify(form)
    let least = try region.interval(form).lowerBound
    if let best, best.value <= least { return }
    let point = try descent(form, region)
    let value = try value(form, point)
    if best.map({ value < $0.value }) ?? true { best = (value, point) }
    if value == least { return }
    if let points = points(form, region) {
      var found = best
      _ = try enumerate(form, region, points) { value in
        value < (found?.value ?? Int.max)
      } seen: { value, point in
        found = (value, point)
        return false
      }
      best = found
      return
    }
    for part in split(form, region) { try minimum(form, part, &best) }
  }

  // MARK: Pieces of a form

  /// An input that occurs only as itself: the form as `input * factor + rest`.
  private func linearInput(
    _ form: Polynomial, _ region: Region
  ) throws(ProofLimit) -> (input: Int32, factor: Polynomial, rest: Polynomial)? {
    var inside: Set<Int32> = []
    var plain: [Int32] = []
    for term in form.variableTerms {
      var seen: [Int32] = []
      for atom in forms.monomials[Int(term.monomial)] {
        if case .input(let index) = forms.atoms[Int(atom)].operation, !seen.contains(Int32(index)) {
          seen.append(Int32(index))
          if !plain.contains(Int32(index)) { plain.append(Int32(index)) }
        } else {
          inside.formUnion(forms.supports[Int(atom)])
        }
      }
    }
    guard let input = plain.first(where: { !inside.contains($0) }) else { return nil }
    var (factor, rest) = (Polynomial.zero, Polynomial.zero)
    for term in form.terms {
      var atoms = forms.monomials[Int(term.monomial)]
      let place = atoms.firstIndex { atom in
        if case .input(let index) = forms.atoms[Int(atom)].operation { return Int32(index) == input }
        return false
      }
      if let place {
        atoms.remove(at: place)
        factor = try factor.adding(
          Polynomial(terms: [.init(monomial: forms.monomial(atoms), coefficient: term.coefficient)]))
      } else {
        rest = try rest.adding(Polynomial(terms: [term]))
      }
    }
    return (input, factor, rest)
  }

  /// The terms but the constant, in groups that have no input in common.
  private func components(_ form: Polynomial) -> [Polynomial] {
    // Each input leads to another of its group, the first to itself.
    var leaders: [Int32: Int32] = [:]
    func leader(_ input: Int32) -> Int32 {
      var input = input
      while let next = leaders[input], next != input { input = next }
      return input
    }
    func inputs(_ term: Polynomial.Term) -> [Int32] {
      forms.monomials[Int(term.monomial)].flatMap { forms.supports[Int($0)] }
    }
    for term in form.variableTerms {
      let members = inputs(term)
      let first = leader(members[0])
      for member in members {
        let other = leader(member)
        leaders[other] = first
        leaders[member] = first
      }
    }
    var order: [Int32] = []
    var groups: [Int32: [Polynomial.Term]] = [:]
    for term in form.variableTerms {
      let group = leader(inputs(term)[0])
      if groups[group] == nil { order.append(group) }
      groups[group, default: []].append(term)
    }
    return order.map { Polynomial(terms: groups[$0] ?? []) }
  }

  // MARK: Points

  private func value(_ form: Polynomial, _ point: [Int]) throws(ProofLimit) -> Int {
    var evaluator = FormEvaluator(forms, form)
    return try evaluator.value(at: point)
  }

  /// A few points at which a false statement is often false; they prove nothing.
  private func probe(
    _ form: Polynomial, _ region: Region, _ fails: (Int) -> Bool
  ) throws(ProofLimit) -> [Int]? {
    var evaluator = FormEvaluator(forms, form)
    let middle = zip(region.low, region.high).map { $0 + ($1 - $0) / 2 }
    for point in [region.low, region.high, middle] where fails(try evaluator.value(at: point)) { return point }
    return nil
  }

  /// A corner from which no change of one input to another end makes the form less.
  private func descent(_ form: Polynomial, _ region: Region) throws(ProofLimit) -> [Int] {
    var evaluator = FormEvaluator(forms, form)
    let inputs = forms.support([form])
    var best = region.low
    var value = try evaluator.value(at: best)
    for start in [region.high, zip(region.low, region.high).map { min(max(0, $0), $1) }] {
      let other = try evaluator.value(at: start)
      if other < value { (best, value) = (start, other) }
    }
    for _ in 0..<4 {
      try forms.spend(evaluator.size * inputs.count * 2)
      let before = value
      for input in inputs {
        for end in [region.low[Int(input)], region.high[Int(input)]] {
          let old = best[Int(input)]
          best[Int(input)] = end
          let other = try evaluator.value(at: best)
          if other < value { value = other } else { best[Int(input)] = old }
        }
      }
      if value == before { break }
    }
    return best
  }

  /// The number of points over the inputs of a form, when few enough to go through.
  private func points(_ form: Polynomial, _ region: Region) -> Int? {
    var count = 1
    for input in forms.support([form]) {
      let (product, overflow) = count.multipliedReportingOverflow(
        by: region.high[Int(input)] - region.low[Int(input)] + 1)
      if overflow || product > enumerated { return nil }
      count = product
    }
    return count
  }

  /// The first point at which the form `fails` and `seen` agrees to stop; nil when there is none.
  private mutating func enumerate(
    _ form: Polynomial, _ region: Region, _ count: Int, _ fails: (Int) -> Bool,
    seen: (Int, [Int]) -> Bool = { _, _ in true }
  ) throws(ProofLimit) -> [Int]? {
    try spend(count)
    let inputs = forms.support([form])
    var evaluator = FormEvaluator(forms, form)
    try forms.spend(evaluator.size * count)
    var point = region.low
    while true {
      let value = try evaluator.value(at: point)
      if fails(value), seen(value, point) { return point }
      var index = 0
      while index < inputs.count {
        let input = Int(inputs[index])
        if point[input] < region.high[input] {
          point[input] += 1
          break
        }
        point[input] = region.low[input]
        index += 1
      }
      if index == inputs.count { return nil }
    }
  }

  // MARK: Cases

  /// Regions that together are this one: one a value of the input with the fewest, or two halves of the one with the most.
  private func split(_ form: Polynomial, _ region: Region) -> [Region] {
    // What stands inside atoms is what keeps forms apart.
    var inputs: Set<Int32> = []
    for term in form.variableTerms {
      let atoms = forms.monomials[Int(term.monomial)]
      for atom in atoms {
        if case .input = forms.atoms[Int(atom)].operation, atoms.count == 1 { continue }
        inputs.formUnion(forms.supports[Int(atom)])
      }
    }
    if inputs.isEmpty { inputs = Set(forms.support([form])) }
    func size(_ input: Int32) -> Int { region.high[Int(input)] - region.low[Int(input)] + 1 }
    let ordered = inputs.filter { size($0) > 1 }.sorted { (size($0), $0) < (size($1), $1) }
    guard let smallest = ordered.first, let largest = ordered.last else {
      preconditionFailure("a form without free inputs is a number")
    }
    if size(smallest) <= Self.listed {
      return (region.low[Int(smallest)]...region.high[Int(smallest)]).map { region.restricted(smallest, to: $0...$0) }
    }
    let (low, high) = (region.low[Int(largest)], region.high[Int(largest)])
    let middle = low + (high - low) / 2
    return [region.restricted(largest, to: low...middle), region.restricted(largest, to: middle + 1...high)]
  }

  private mutating func spend(_ count: Int) throws(ProofLimit) {
    budget -= count
    if budget < 0 { throw .cases }
  }

  private mutating func spendSplit() throws(ProofLimit) {
    try spend(1)
    splits += 1
    if splits > Self.mostSplits { throw .cases }
  }
}
