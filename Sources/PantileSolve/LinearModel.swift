/// A mixed-integer linear model: variables with bounds, rows, an objective. A plain value; nothing is solved here.
public struct LinearModel: Sendable {
  /// A variable, by its number.
  public struct Variable: Hashable, Sendable, BitwiseCopyable {
    public let index: Int
    public init(index: Int) { self.index = index }
  }

  /// A row, by its number.
  public struct Row: Hashable, Sendable, BitwiseCopyable {
    public let index: Int
    public init(index: Int) { self.index = index }
  }

  /// A coefficient at a variable. The numbers of a linear model are bare `Double`s: they carry the caller's units.
  public struct Term: Hashable, Sendable {
    public var variable: Variable
    public var coefficient: Double

    public init(_ coefficient: Double, _ variable: Variable) {
      self.variable = variable
      self.coefficient = coefficient
    }
  }

  public enum Direction: Hashable, Sendable { case minimise, maximise }

  /// The bounds and kind of a variable.
  struct Column: Sendable {
    var name: String
    var lower: Double
    var upper: Double
    var isInteger: Bool
    var objective: Double
  }

  /// A row with its terms.
  struct Constraint: Sendable {
    var name: String
    var lower: Double
    var upper: Double
    var terms: [Term]
  }

  public var direction: Direction
  /// Added to the objective.
  public var objectiveConstant = 0.0
  var columns: [Column] = []
  var constraints: [Constraint] = []

  public init(_ direction: Direction = .minimise) { self.direction = direction }

  public var variableCount: Int { columns.count }
  public var rowCount: Int { constraints.count }

  /// A new variable; infinite bounds mean none.
  public mutating func addVariable(
    _ name: String, lower: Double = 0, upper: Double = .infinity, isInteger: Bool = false, objective: Double = 0
  ) -> Variable {
    columns.append(Column(name: name, lower: lower, upper: upper, isInteger: isInteger, objective: objective))
    return Variable(index: columns.count - 1)
  }

  /// A new variable that is zero or one.
  public mutating func addBinary(_ name: String, objective: Double = 0) -> Variable {
    addVariable(name, lower: 0, upper: 1, isInteger: true, objective: objective)
  }

  /// The largest value that a variable may take.
  public func upperBound(of variable: Variable) -> Double { columns[variable.index].upper }

  /// A new row `lower <= sum of terms <= upper`; infinite bounds mean none.
  @discardableResult
  public mutating func addRow(
    _ name: String, lower: Double = -.infinity, upper: Double = .infinity, _ terms: [Term]
  ) -> Row {
    constraints.append(Constraint(name: name, lower: lower, upper: upper, terms: terms))
    return Row(index: constraints.count - 1)
  }

  /// `sum of terms == value`.
  @discardableResult
  public mutating func addEquality(_ name: String, _ value: Double, _ terms: [Term]) -> Row {
    addRow(name, lower: value, upper: value, terms)
  }

  /// Replaces the objective coefficient of a variable.
  ///
  /// **Precondition** The variable belongs to this model.
  public mutating func setObjective(_ variable: Variable, _ coefficient: Double) {
    precondition(columns.indices.contains(variable.index), "no variable \(variable.index) of \(columns.count)")
    columns[variable.index].objective = coefficient
  }

  /// The objective at a point.
  ///
  /// **Precondition** One value a variable.
  public func objective(at values: [Double]) -> Double {
    precondition(values.count == columns.count)
    return zip(columns, values).reduce(objectiveConstant) { $0 + $1.0.objective * $1.1 }
  }
}
