import PantileSupport

/// A datapath for fixed parameters: a circuit and what is claimed of its nodes.
struct ElaboratedDatapath: Sendable {
  /// A claim is a list of parts that all must hold.
  enum Part: Sendable {
    /// Both nodes have the same value.
    case equal(Int, Int)
    /// The first is at most the second.
    case atMost(Int, Int)
    /// The node is not 0.
    case holds(Int)
  }

  struct Claim: Sendable {
    var name: String
    /// With the conditions under which each has to hold.
    var parts: [(conditions: [Int], part: Part)]
  }

  var circuit = Circuit()
  var claims: [Claim] = []
  /// Nodes of further expressions.
  var observed: [Int] = []

  /// - Throws: `wrong-expression`, `unknown-name`, `out-of-range` at the place in the file.
  init(_ datapath: Datapath, observing texts: [String] = []) throws(DiagnosticError) {
    let result = withDeepStack { () -> Result<ElaboratedDatapath, DiagnosticError> in
      do throws(DiagnosticError) { return .success(try ElaboratedDatapath(unrolling: datapath, texts)) } catch {
        return .failure(error)
      }
    }
    self = try result.get()
  }

  private init(unrolling datapath: Datapath, _ texts: [String]) throws(DiagnosticError) {
    var elaboration = Elaboration(datapath)
    try elaboration.declareInputs()
    var given: [Int] = []
    for condition in datapath.given {
      given.append(
        try elaboration.within(condition.source) { (e) throws(DiagnosticError) in
          try e.truth(condition.statement, [:])
        })
    }
    for claim in datapath.claims {
      let parts = try elaboration.within(claim.source) { (e) throws(DiagnosticError) in
        try e.parts(claim.statement, [:], given)
      }
      claims.append(Claim(name: claim.name, parts: parts))
    }
    for text in texts {
      let source = ConfigText(location: .named(text))
      let expression: Expression
      do throws(ExpressionError) { expression = try ExpressionParser.parse(text) } catch {
        throw source.error("wrong-expression", error.message, hint: error.hint)
      }
      observed.append(try elaboration.within(source) { (e) throws(DiagnosticError) in try e.node(expression, [:]) })
    }
    circuit = elaboration.circuit
  }
}

/// Unrolls sums and definitions into a circuit.
package struct Elaboration {
  /// Functions of the language; no definition may have such a name.
  package static let functions: Set<String> = [
    "if", "min", "max", "abs", "clamp", "bit", "bits", "signed", "unsigned", "saturate", "lod", "sum", "count", "all",
    "any",
    "bitand", "bitor", "bitxor", "implies", "and", "or", "not",
  ]
  /// Turns of a sum.
  static let longestSum = 4096
  /// Definitions inside each other; the call stack bears it.
  static let deepest = 512
  /// Expressions inside each other, through definitions; the call stack bears it.
  static let mostNested = 4000
  /// Expressions looked at, each time that a sum or definition is unrolled.
  static let mostSteps = 1 << 20
  /// Bits of the words that `signed` and its like make.
  static let widths = 1...62

  private let datapath: Datapath
  private(set) var circuit = Circuit()
  private var parameters: [String: Int] = [:]
  private var tables: [String: Int] = [:]
  private var inputs: [String: [Int]] = [:]
  private var isSingle: [String: Bool] = [:]
  private var definitions: [String: Datapath.Definition] = [:]
  private struct Call: Hashable {
    var name: String
    var arguments: [Int]
  }
  private var made: [Call: Int] = [:]
  private var source = ConfigText(location: .unknown)
  private var depth = 0
  private var steps = 0
  private var nested = 0

  typealias Scope = [String: Int]

  init(_ datapath: Datapath) {
    self.datapath = datapath
    for parameter in datapath.parameters { parameters[parameter.name] = parameter.value }
    for table in datapath.tables { tables[table.name] = circuit.addTable(table.values) }
    for definition in datapath.definitions { definitions[definition.name] = definition }
  }

  /// Runs `body` with messages that speak of `text`.
  mutating func within<R>(
    _ text: ConfigText, _ body: (inout Elaboration) throws(DiagnosticError) -> R
  ) throws(DiagnosticError) -> R {
    let outer = source
    source = text
    defer { source = outer }
    return try body(&self)
  }

  mutating func declareInputs() throws(DiagnosticError) {
    for input in datapath.inputs {
      try within(input.source) { (e) throws(DiagnosticError) in
        let count = try input.count.map { (c) throws(DiagnosticError) in try e.constant(c, [:], in: 1...4096) }
        let range: ClosedRange<Int>
        switch input.range {
        case .signed(let width): range = Interval.signed(try e.constant(width, [:], in: 1...48))
        case .unsigned(let width): range = Interval.unsigned(try e.constant(width, [:], in: 1...48))
        case .interval(let low, let high):
          let lowest = try e.constant(low, [:], in: DatapathReader.numbers)
          let highest = try e.constant(high, [:], in: DatapathReader.numbers)
          guard lowest <= highest else {
            throw e.source.error("out-of-range", "input '\(input.name)' is \(lowest) ... \(highest)")
          }
          range = lowest...highest
        }
        e.isSingle[input.name] = count == nil
        e.inputs[input.name] = (0..<(count ?? 1)).map { index in
          e.circuit.addInput(count == nil ? input.name : "\(input.name)[\(index)]", range)
        }
      }
    }
  }

  // MARK: Claims

  /// The parts of a statement: conjunctions and `all` are taken apart, `implies` becomes a condition.
  mutating func parts(
    _ statement: Expression, _ scope: Scope, _ conditions: [Int]
  ) throws(DiagnosticError) -> [(conditions: [Int], part: ElaboratedDatapath.Part)] {
    switch statement.content {
    case .binary(.and, let left, let right):
      return try parts(left, scope, conditions) + parts(right, scope, conditions)
    case .binary(.equal, let left, let right):
      return [(conditions, .equal(try node(left, scope), try node(right, scope)))]
    case .binary(.lessOrEqual, let left, let right), .binary(.greaterOrEqual, let right, let left):
      return [(conditions, .atMost(try node(left, scope), try node(right, scope)))]
    case .binary(.less, let left, let right), .binary(.greater, let right, let left):
      let next = try make(.add, [try node(left, scope), circuit.constant(1)], statement)
      return [(conditions, .atMost(next, try node(right, scope)))]
    case .call("implies", let arguments) where arguments.count == 2:
      return try parts(arguments[1], scope, conditions + [try truth(arguments[0], scope)])
    case .call("all", let arguments) where arguments.count == 4:
      var result: [(conditions: [Int], part: ElaboratedDatapath.Part)] = []
      let (name, range) = try loop(arguments, scope, statement)
      for index in range {
        var inner = scope
        inner[name] = circuit.constant(index)
        result += try parts(arguments[3], inner, conditions)
      }
      return result
    default: return [(conditions, .holds(try node(statement, scope)))]
    }
  }

  // MARK: Expressions

  /// 1 where the expression is not 0.
  mutating func truth(_ expression: Expression, _ scope: Scope) throws(DiagnosticError) -> Int {
    try truth(of: try node(expression, scope), expression)
  }

  private mutating func truth(of node: Int, _ expression: Expression) throws(DiagnosticError) -> Int {
    let range = circuit.ranges[node]
    if range.lowerBound >= 0, range.upperBound <= 1 { return node }
    return try negation(try make(.equal, [node, circuit.constant(0)], expression), expression)
  }

  private mutating func negation(_ node: Int, _ expression: Expression) throws(DiagnosticError) -> Int {
    try make(.subtract, [circuit.constant(1), node], expression)
  }

  /// The value of an expression that does not depend on inputs.
  mutating func constant(
    _ expression: Expression, _ scope: Scope, in range: ClosedRange<Int>
  ) throws(DiagnosticError) -> Int {
    let node = try node(expression, scope)
    guard let value = circuit.constantValue(node) else {
      throw source.error(
        "wrong-expression", "a width, count or index must not depend on inputs here", offset: expression.offset)
    }
    guard range.contains(value) else {
      throw source.error(
        "out-of-range", "\(value) is not in \(range.lowerBound) ... \(range.upperBound)", offset: expression.offset)
    }
    return value
  }

  mutating func node(_ expression: Expression, _ scope: Scope) throws(DiagnosticError) -> Int {
    steps += 1
    guard steps <= Self.mostSteps else { throw failure(.tooLarge, expression) }
    nested += 1
    defer { nested -= 1 }
    guard nested <= Self.mostNested else {
      throw source.error(
        "wrong-expression", "expressions are nested more than \(Self.mostNested) deep", offset: expression.offset)
    }
    switch expression.content {
    case .number(let value): return circuit.constant(value)
    case .name(let name): return try named(name, expression, scope)
    case .unary(.minus, let operand):
      return try make(.subtract, [circuit.constant(0), try node(operand, scope)], expression)
    case .unary(.not, let operand): return try negation(try truth(operand, scope), expression)
    case .binary(let operation, let left, let right): return try binary(operation, left, right, expression, scope)
    case .element(let name, let index):
      let at = try node(index, scope)
      if let table = tables[name] { return try make(.table(table), [at], expression) }
      guard let elements = inputs[name], isSingle[name] == false else { throw unknown(name, expression) }
      if let constant = circuit.constantValue(at) {
        guard elements.indices.contains(constant) else {
          throw source.error(
            "out-of-range", "'\(name)' has elements 0 ... \(elements.count - 1), not \(constant)",
            offset: expression.offset)
        }
        return elements[constant]
      }
      let range = circuit.ranges[at]
      guard range.lowerBound >= 0, range.upperBound < elements.count else {
        throw failure(.index(range, elements.count), expression)
      }
      var result = elements[range.upperBound]
      for k in range.dropLast().reversed() {
        result = try make(
          .select, [try make(.equal, [at, circuit.constant(k)], expression), elements[k], result], expression)
      }
      return result
    case .call(let name, let arguments):
      if Self.functions.contains(name) { return try function(name, arguments, expression, scope) }
      guard let definition = definitions[name] else { throw unknown(name, expression) }
      guard definition.arguments.count == arguments.count else {
        throw source.error(
          "wrong-expression", "'\(name)' takes \(definition.arguments.count) arguments, found \(arguments.count)",
          offset: expression.offset)
      }
      var values: [Int] = []
      for argument in arguments { values.append(try node(argument, scope)) }
      return try call(definition, values, expression)
    }
  }

  private mutating func named(_ name: String, _ expression: Expression, _ scope: Scope) throws(DiagnosticError) -> Int {
    if let node = scope[name] { return node }
    if let value = parameters[name] { return circuit.constant(value) }
    if isSingle[name] == true, let node = inputs[name]?.first { return node }
    if let definition = definitions[name], definition.arguments.isEmpty { return try call(definition, [], expression) }
    if isSingle[name] == false || tables[name] != nil {
      throw source.error(
        "wrong-expression", "'\(name)' needs an index", offset: expression.offset, hint: "write \(name)[0]")
    }
    throw unknown(name, expression)
  }

  private mutating func call(
    _ definition: Datapath.Definition, _ arguments: [Int], _ expression: Expression
  ) throws(DiagnosticError) -> Int {
    let key = Call(name: definition.name, arguments: arguments)
    if let node = made[key] { return node }
    guard depth < Self.deepest else {
      throw source.error(
        "wrong-expression", "'\(definition.name)' is used inside itself more than \(Self.deepest) times",
        offset: expression.offset, hint: "end the recursion with if(…)")
    }
    depth += 1
    defer { depth -= 1 }
    let scope = Dictionary(uniqueKeysWithValues: zip(definition.arguments, arguments))
    let result = try within(definition.source) { (e) throws(DiagnosticError) in try e.node(definition.body, scope) }
    made[key] = result
    return result
  }

  private mutating func binary(
    _ operation: Expression.Binary, _ left: Expression, _ right: Expression, _ expression: Expression, _ scope: Scope
  ) throws(DiagnosticError) -> Int {
    switch operation {
    case .and, .or:
      let a = try truth(left, scope)
      // The right side may only make sense where the left one allows it.
      if let known = circuit.constantValue(a), (known != 0) == (operation == .or) { return a }
      let b = try truth(right, scope)
      let product = try make(.multiply, [a, b], expression)
      if operation == .and { return product }
      return try make(.subtract, [try make(.add, [a, b], expression), product], expression)
    default: break
    }
    let a = try node(left, scope)
    switch operation {
    case .divide, .modulo:
      let divisor = try constant(right, scope, in: 1...1 << 62)
      let quotient = try make(.floorDivide(divisor), [a], expression)
      if operation == .divide { return quotient }
      return try make(
        .subtract, [a, try make(.multiply, [quotient, circuit.constant(divisor)], expression)], expression)
    default: break
    }
    let b = try node(right, scope)
    switch operation {
    case .add: return try make(.add, [a, b], expression)
    case .subtract: return try make(.subtract, [a, b], expression)
    case .multiply: return try make(.multiply, [a, b], expression)
    case .shiftLeft: return try make(.shiftLeft, [a, b], expression)
    case .shiftRight: return try make(.shiftRight, [a, b], expression)
    case .less: return try make(.less, [a, b], expression)
    case .greater: return try make(.less, [b, a], expression)
    case .lessOrEqual: return try negation(try make(.less, [b, a], expression), expression)
    case .greaterOrEqual: return try negation(try make(.less, [a, b], expression), expression)
    case .equal: return try make(.equal, [a, b], expression)
    case .notEqual: return try negation(try make(.equal, [a, b], expression), expression)
    case .and, .or, .divide, .modulo: preconditionFailure("\(operation) is handled above")
    }
  }

  private mutating func function(
    _ name: String, _ a: [Expression], _ expression: Expression, _ scope: Scope
  ) throws(DiagnosticError) -> Int {
    let counts = ["abs": 1, "lod": 1, "if": 3, "clamp": 3, "bits": 3, "sum": 4, "count": 4, "all": 4, "any": 4]
    let wanted = counts[name] ?? 2
    guard a.count == wanted else {
      throw source.error(
        "wrong-expression", "'\(name)' takes \(wanted) arguments, found \(a.count)", offset: expression.offset)
    }
    switch name {
    case "if":
      let condition = try truth(a[0], scope)
      // Only the side that is taken: so definitions may call themselves.
      if let known = circuit.constantValue(condition) { return try node(a[known != 0 ? 1 : 2], scope) }
      return try make(.select, [condition, try node(a[1], scope), try node(a[2], scope)], expression)
    case "implies":
      let condition = try truth(a[0], scope)
      if circuit.constantValue(condition) == 0 { return circuit.constant(1) }
      return try make(.select, [condition, try truth(a[1], scope), circuit.constant(1)], expression)
    case "min": return try make(.minimum, [try node(a[0], scope), try node(a[1], scope)], expression)
    case "max": return try make(.maximum, [try node(a[0], scope), try node(a[1], scope)], expression)
    case "abs":
      let value = try node(a[0], scope)
      return try make(.maximum, [value, try make(.subtract, [circuit.constant(0), value], expression)], expression)
    case "clamp":
      let low = try make(.maximum, [try node(a[0], scope), try node(a[1], scope)], expression)
      return try make(.minimum, [low, try node(a[2], scope)], expression)
    case "bit":
      let value = try node(a[0], scope)
      return try make(.field(low: try constant(a[1], scope, in: 0...61), width: 1), [value], expression)
    case "bits":
      let value = try node(a[0], scope)
      let high = try constant(a[1], scope, in: 0...61)
      let low = try constant(a[2], scope, in: 0...high)
      return try make(.field(low: low, width: high - low + 1), [value], expression)
    case "signed", "unsigned", "saturate":
      let value = try node(a[0], scope)
      let width = try constant(a[1], scope, in: Self.widths)
      if name == "signed" { return try make(.wrapSigned(width), [value], expression) }
      if name == "unsigned" { return try make(.wrapUnsigned(width), [value], expression) }
      let range = Interval.signed(width)
      let low = try make(.maximum, [value, circuit.constant(range.lowerBound)], expression)
      return try make(.minimum, [low, circuit.constant(range.upperBound)], expression)
    case "lod": return try make(.leadingOne, [try node(a[0], scope)], expression)
    case "bitand": return try make(.bitAnd, [try node(a[0], scope), try node(a[1], scope)], expression)
    case "bitor": return try make(.bitOr, [try node(a[0], scope), try node(a[1], scope)], expression)
    case "bitxor": return try make(.bitXor, [try node(a[0], scope), try node(a[1], scope)], expression)
    case "sum", "count", "all", "any":
      let (variable, range) = try loop(a, scope, expression)
      var total = circuit.constant(0)
      for index in range {
        var inner = scope
        inner[variable] = circuit.constant(index)
        let term = name == "sum" ? try node(a[3], inner) : try truth(a[3], inner)
        total = try make(.add, [total, term], expression)
      }
      if name == "sum" || name == "count" { return total }
      let limit = circuit.constant(name == "all" ? range.count : 1)
      return try negation(try make(.less, [total, limit], expression), expression)
    default: preconditionFailure("function '\(name)' has no rule")
    }
  }

  private mutating func loop(
    _ arguments: [Expression], _ scope: Scope, _ expression: Expression
  ) throws(DiagnosticError) -> (name: String, range: Range<Int>) {
    guard case .name(let name) = arguments[0].content else {
      throw source.error(
        "wrong-expression", "the first argument must be a name", offset: arguments[0].offset,
        hint: "write for example sum(i, 0, 3, digit(i))")
    }
    let low = try constant(arguments[1], scope, in: -(1 << 20)...1 << 20)
    let high = try constant(arguments[2], scope, in: -(1 << 20)...1 << 20)
    guard high - low < Self.longestSum else {
      throw source.error(
        "out-of-range", "\(high - low + 1) turns, the limit is \(Self.longestSum)", offset: expression.offset)
    }
    return (name, low..<max(low, high + 1))
  }

  // MARK: Nodes and errors

  private mutating func make(
    _ operation: Circuit.Operation, _ arguments: [Int], _ expression: Expression
  ) throws(DiagnosticError) -> Int {
    do throws(CircuitError) { return try circuit.make(operation, arguments) } catch {
      throw failure(error, expression)
    }
  }

  private func failure(_ error: CircuitError, _ expression: Expression) -> DiagnosticError {
    func text(_ range: ClosedRange<Int>) -> String { "\(range.lowerBound) ... \(range.upperBound)" }
    switch error {
    case .overflow:
      return source.error(
        "out-of-range", "the numbers here can leave 64 bits", offset: expression.offset,
        hint: "make inputs narrower, or wrap them with signed(x, bits)")
    case .tooLarge:
      return source.error(
        "out-of-range", "the datapath has more than \(Circuit.largest) nodes", offset: expression.offset,
        hint: "make counts smaller")
    case .shift(let range):
      return source.error(
        "out-of-range", "a shift by \(text(range)) is not in 0 ... 62", offset: expression.offset)
    case .index(let range, let count):
      return source.error(
        "out-of-range", "an index of \(text(range)) into \(count) values", offset: expression.offset,
        hint: "cut the index with bits(x, high, low)")
    }
  }

  private func unknown(_ name: String, _ expression: Expression) -> DiagnosticError {
    let names =
      Array(parameters.keys) + Array(tables.keys) + Array(inputs.keys) + Array(definitions.keys) + Self.functions
    return source.error(
      "unknown-name", "there is no '\(name)' here", offset: expression.offset,
      hint: nearestName(to: name, among: names.sorted()).map { "did you mean '\($0)'?" }
        ?? "names: \((Array(parameters.keys) + Array(tables.keys) + Array(inputs.keys) + Array(definitions.keys)).sorted().joined(separator: ", "))"
    )
  }
}
