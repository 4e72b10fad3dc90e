import PantileSupport

/// A `CostExpr` compiled to flat postfix code over numbered dimensions: the form for loops that evaluate often.
public struct CostProgram: Hashable, Sendable {
  /// One postfix instruction; `argument` is the constant or the number of the dimension.
  public struct Instruction: Hashable, Sendable, BitwiseCopyable {
    public enum Code: UInt8, Sendable, BitwiseCopyable {
      case constant, extent, tile, trips, last, add, multiply, maximum, minimum, ceilDivide, select
    }
    public var code: Code
    public var argument: Int
  }

  public let instructions: [Instruction]
  /// The names behind the numbers of the dimensions.
  public let dimensions: [String]
  /// The deepest stack that evaluation needs.
  public let stackDepth: Int

  /// - Throws: `unknown-dimension` when the expression names a dimension that is not in `dimensions`.
  public init(_ expression: CostExpr, dimensions: [String]) throws(DiagnosticError) {
    let unknown = expression.dimensions.filter { !dimensions.contains($0) }
    if !unknown.isEmpty {
      throw DiagnosticError(unknown.map { unknownDimension($0, among: dimensions, in: "cost expression") })
    }
    var code: [Instruction] = []
    var depth = 0
    var deepest = 0
    func push(_ op: Instruction.Code, _ argument: Int, pops: Int) {
      code.append(Instruction(code: op, argument: argument))
      depth += 1 - pops
      deepest = Swift.max(deepest, depth)
    }
    // Every name was found above, so the fallback index is never used.
    func number(_ name: String) -> Int { dimensions.firstIndex(of: name) ?? 0 }
    func visit(_ e: CostExpr) {
      switch e {
      case .constant(let value): push(.constant, value, pops: 0)
      case .extent(let d): push(.extent, number(d), pops: 0)
      case .tile(let d): push(.tile, number(d), pops: 0)
      case .trips(let d): push(.trips, number(d), pops: 0)
      case .last(let d): push(.last, number(d), pops: 0)
      case .add(let a, let b): binary(.add, a, b)
      case .multiply(let a, let b): binary(.multiply, a, b)
      case .maximum(let a, let b): binary(.maximum, a, b)
      case .minimum(let a, let b): binary(.minimum, a, b)
      case .ceilDivide(let a, let b): binary(.ceilDivide, a, b)
      case .select(let a, let b, let x, let y):
        for part in [a, b, x, y] { visit(part) }
        push(.select, 0, pops: 4)
      }
    }
    func binary(_ op: Instruction.Code, _ a: CostExpr, _ b: CostExpr) {
      visit(a)
      visit(b)
      push(op, 0, pops: 2)
    }
    visit(expression)
    self.instructions = code
    self.dimensions = dimensions
    self.stackDepth = deepest
  }

  /// The value at one point, dimensions in the order of `dimensions`.
  ///
  /// **Precondition** `point.count == dimensions.count`. **Complexity** Linear in the instructions, no allocation on the heap for
  /// ordinary depths.
  public func evaluate(at point: [TileExtent]) -> Int {
    precondition(point.count == dimensions.count, "\(point.count) tiles for \(dimensions.count) dimensions")
    return withUnsafeTemporaryAllocation(of: Int.self, capacity: stackDepth) { stack in
      var top = -1
      for instruction in instructions {
        switch instruction.code {
        case .constant:
          top += 1
          stack[top] = instruction.argument
        case .extent:
          top += 1
          stack[top] = point[instruction.argument].extent
        case .tile:
          top += 1
          stack[top] = point[instruction.argument].tile
        case .trips:
          top += 1
          stack[top] = point[instruction.argument].trips
        case .last:
          top += 1
          stack[top] = point[instruction.argument].last
        case .add:
          top -= 1
          stack[top] = saturatingAdd(stack[top], stack[top + 1])
        case .multiply:
          top -= 1
          stack[top] = saturatingMultiply(stack[top], stack[top + 1])
        case .maximum:
          top -= 1
          stack[top] = Swift.max(stack[top], stack[top + 1])
        case .minimum:
          top -= 1
          stack[top] = Swift.min(stack[top], stack[top + 1])
        case .ceilDivide:
          top -= 1
          stack[top] = saturatingCeilDivide(stack[top], stack[top + 1])
        case .select:
          top -= 3
          stack[top] = stack[top] <= stack[top + 1] ? stack[top + 2] : stack[top + 3]
        }
      }
      return stack[0]
    }
  }
}

/// The diagnostic for a name that no dimension carries.
func unknownDimension(_ name: String, among names: [String], in place: String) -> Diagnostic {
  Diagnostic(
    "unknown-dimension", "\(place) names dimension '\(name)', known are \(names.joined(separator: ", "))",
    hint: nearestName(to: name, among: names).map { "did you mean '\($0)'?" })
}
