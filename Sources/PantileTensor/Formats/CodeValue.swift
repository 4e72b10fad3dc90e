/// What one code of a number format stands for.
public enum CodeValue: Hashable, Sendable {
  /// A finite number, exactly; zero keeps its sign.
  case number(Double)
  case infinity(FloatingPointSign)
  case nan
  /// Nothing: the format gives the code no value.
  case unused

  /// The value as a double; nil for codes without one.
  public var double: Double? {
    switch self {
    case .number(let value): value
    case .infinity(.plus): .infinity
    case .infinity(.minus): -.infinity
    case .nan: .nan
    case .unused: nil
    }
  }
}
