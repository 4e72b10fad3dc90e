/// An expression of a datapath file, as written.
struct Expression: Sendable {
  enum Unary: String, Hashable, Sendable {
    case minus = "-"
    case not
  }

  enum Binary: String, Hashable, Sendable {
    case or, and
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case shiftLeft = "<<"
    case shiftRight = ">>"
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"

    /// As in C, except that comparisons bind less than shifts there too: `a + b << 2` is `(a + b) << 2`.
    var strength: Int {
      switch self {
      case .or: 1
      case .and: 2
      case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: 4
      case .shiftLeft, .shiftRight: 5
      case .add, .subtract: 6
      case .multiply, .divide, .modulo: 7
      }
    }
  }

  indirect enum Content: Sendable {
    case number(Int)
    case name(String)
    case call(String, [Expression])
    case element(String, Expression)
    case unary(Unary, Expression)
    case binary(Binary, Expression, Expression)
  }

  var content: Content
  /// Bytes of the text before the expression's first sign.
  var offset: Int
}

/// What is wrong with a text that should be an expression.
struct ExpressionError: Error {
  var message: String
  var offset: Int
  var hint: String?
}
