/// An attribute as MLIR text writes it; the IR interns these values.
public indirect enum AttributeSyntax: Hashable, Sendable {
  case unit
  case bool(Bool)
  /// `5 : i64`; for `ui64` the value is the bit pattern.
  case integer(Int, TypeSyntax)
  /// `0.5 : f32`; kept as the bits of a Double so that equality and hashing see NaN and -0.
  case float(bits: UInt64, TypeSyntax)
  case string(String)
  case type(TypeSyntax)
  /// `@a::@b`, outermost first.
  case symbol([String])
  case array([AttributeSyntax])
  case dictionary(AttributeDictionary)
  /// `array<i64: 1, 2>`: element type and scalars.
  case denseArray(TypeSyntax, [AttributeSyntax])
  case dense(DenseElements)
  /// `dense_resource<key> : type`; the bytes stand in the file's resource section or nowhere.
  case resource(key: String, TypeSyntax)
  /// A dialect's attribute, text after the `#`: `dnn.quant<scale = 0.5>`.
  case dialect(String)
  /// Kept word for word: `affine_map<…>`, `affine_set<…>`, `strided<…>`, `sparse<…> : …`, `loc(…)`.
  case verbatim(String)
  /// An attribute with an explicit type that its kind does not need: `#d.a<1> : i32`, `"s" : !d.t`.
  case typed(AttributeSyntax, TypeSyntax)

  /// `value : i64`.
  public static func integer(_ value: Int) -> AttributeSyntax { .integer(value, .i64) }
  /// `value : type`, f64 unless told.
  public static func float(_ value: Double, _ type: TypeSyntax = .f64) -> AttributeSyntax {
    .float(bits: value.bitPattern, type)
  }
  /// `value : f32`; the Float32 value, exactly.
  public static func float32(_ value: Float) -> AttributeSyntax { .float(bits: Double(value).bitPattern, .f32) }
  /// `[1, 2, 3]` of i64.
  public static func integers(_ values: [Int]) -> AttributeSyntax { .array(values.map { .integer($0, .i64) }) }
  public static func strings(_ values: [String]) -> AttributeSyntax { .array(values.map { .string($0) }) }
  public static func symbol(_ name: String) -> AttributeSyntax { .symbol([name]) }

  /// What kind of attribute this is, for messages: `an integer`, `a string`.
  public var kindName: String {
    switch self {
    case .unit: return "a unit attribute"
    case .bool: return "a boolean"
    case .integer: return "an integer"
    case .float: return "a number"
    case .string: return "a string"
    case .type: return "a type"
    case .symbol: return "a symbol"
    case .array: return "an array"
    case .dictionary: return "a dictionary"
    case .denseArray: return "a dense array"
    case .dense: return "a dense tensor"
    case .resource: return "a resource"
    case .dialect: return "a dialect attribute"
    case .verbatim: return "an affine or location attribute"
    case .typed: return "a typed attribute"
    }
  }

  /// The integer inside, from an integer or boolean attribute.
  public var asInteger: Int? {
    if case .integer(let value, _) = self { return value }
    return nil
  }
  /// The number inside a float attribute, or an integer attribute's value.
  public var asDouble: Double? {
    switch self {
    case .float(let bits, _): return Double(bitPattern: bits)
    case .integer(let value, _): return Double(value)
    default: return nil
    }
  }
  /// True or false; a unit attribute is true.
  public var asBool: Bool? {
    switch self {
    case .bool(let value): return value
    case .unit: return true
    default: return nil
    }
  }
  public var asString: String? {
    if case .string(let value) = self { return value }
    return nil
  }
  public var asType: TypeSyntax? {
    if case .type(let value) = self { return value }
    return nil
  }
  /// The last component of a symbol reference.
  public var asSymbol: String? {
    if case .symbol(let path) = self { return path.last }
    return nil
  }
  public var asArray: [AttributeSyntax]? {
    switch self {
    case .array(let elements): return elements
    case .denseArray(_, let elements): return elements
    default: return nil
    }
  }
  public var asDictionary: AttributeDictionary? {
    if case .dictionary(let value) = self { return value }
    return nil
  }
  /// The integers of `[1, 2]`, `array<i64: 1, 2>` or a one-dimensional dense integer tensor.
  public var asIntegers: [Int]? {
    if case .dense(let elements) = self { return elements.integers }
    guard let elements = asArray else { return nil }
    var result: [Int] = []
    result.reserveCapacity(elements.count)
    for element in elements {
      guard let value = element.asInteger else { return nil }
      result.append(value)
    }
    return result
  }
  /// The numbers of an array.
  public var asDoubles: [Double]? {
    guard let elements = asArray else { return nil }
    var result: [Double] = []
    for element in elements {
      guard let value = element.asDouble else { return nil }
      result.append(value)
    }
    return result
  }
  public var asStrings: [String]? {
    guard let elements = asArray else { return nil }
    var result: [String] = []
    for element in elements {
      guard let value = element.asString else { return nil }
      result.append(value)
    }
    return result
  }
}

extension AttributeSyntax: CustomStringConvertible {
  /// The attribute as MLIR text.
  public var description: String {
    var printer = Printer()
    printer.write(self)
    return printer.text
  }
}

extension AttributeSyntax: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral
{
  public init(integerLiteral value: Int) { self = .integer(value, .i64) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: AttributeSyntax...) { self = .array(elements) }
}
