import Foundation

extension Printer {
  // MARK: Types

  /// Writes a type.
  public mutating func write(_ type: TypeSyntax) {
    switch type {
    case .integer(let width, let signedness): append("\(signedness.rawValue)i\(width)")
    case .float(let kind): append(kind.rawValue)
    case .index: append("index")
    case .none: append("none")
    case .tensor(let shape, let element, let encoding):
      append("tensor<")
      write(shape)
      write(element)
      if let encoding {
        append(", ")
        write(encoding)
      }
      append(">")
    case .unrankedTensor(let element):
      append("tensor<*x")
      write(element)
      append(">")
    case .memref(let shape, let element, let parameters):
      append("memref<")
      write(shape)
      write(element)
      for parameter in parameters {
        append(", ")
        write(parameter)
      }
      append(">")
    case .vector(let shape, let scalable, let element):
      append("vector<")
      for (size, isScalable) in zip(shape, scalable) { append(isScalable ? "[\(size)]x" : "\(size)x") }
      write(element)
      append(">")
    case .function(let inputs, let results):
      append("(")
      separated(inputs) { printer, input in printer.write(input) }
      append(") -> ")
      if results.count == 1, let only = results.first, !isFunction(only) {
        write(only)
      } else {
        append("(")
        separated(results) { printer, result in printer.write(result) }
        append(")")
      }
    case .tuple(let elements):
      append("tuple<")
      separated(elements) { printer, element in printer.write(element) }
      append(">")
    case .complex(let element):
      append("complex<")
      write(element)
      append(">")
    case .dialect(let body): append("!" + body)
    }
  }

  private func isFunction(_ type: TypeSyntax) -> Bool {
    if case .function = type { return true }
    return false
  }

  private mutating func write(_ shape: [Int?]) {
    for dimension in shape { append(dimension.map { "\($0)x" } ?? "?x") }
  }

  // MARK: Attributes

  /// Writes an attribute. With `elidesDefaults` an i64 or f64 goes without its type, as MLIR does inside arrays.
  public mutating func write(_ attribute: AttributeSyntax, elidesDefaults: Bool = false) {
    switch attribute {
    case .integer(let value, .i64) where elidesDefaults: append(String(value))
    case .float(let bits, .f64) where elidesDefaults && Double(bitPattern: bits).isFinite:
      let text = floatText(Double(bitPattern: bits), .f64)
      append(text)
      // A bit pattern without its type would read as an integer.
      if text.hasPrefix("0x") { append(" : f64") }
    case .unit: append("unit")
    case .bool(let value): append(value ? "true" : "false")
    case .integer(let value, let type):
      append(integerText(value, type))
      append(" : ")
      write(type)
    case .float(let bits, let type):
      append(floatText(Double(bitPattern: bits), type))
      append(" : ")
      write(type)
    case .string(let value): writeString(value)
    case .type(let type): write(type)
    case .symbol(let path):
      for (index, name) in path.enumerated() {
        if index > 0 { append("::") }
        append("@")
        if isBareIdentifier(name) { append(name) } else { writeString(name) }
      }
    case .array(let elements):
      append("[")
      separated(elements) { printer, element in printer.write(element, elidesDefaults: true) }
      append("]")
    case .dictionary(let dictionary): write(dictionary)
    case .denseArray(let element, let values):
      append("array<")
      write(element)
      if !values.isEmpty {
        append(": ")
        separated(values) { printer, value in printer.writeScalar(value) }
      }
      append(">")
    case .dense(let elements): write(elements)
    case .resource(let key, let type):
      append("dense_resource<")
      if isBareIdentifier(key) { append(key) } else { writeString(key) }
      append("> : ")
      write(type)
    case .dialect(let body): append("#" + body)
    case .verbatim(let text): append(text)
    case .typed(.integer(let bits, _), let type) where type.bitWidth != nil:
      // A float of a format without arithmetic: its bit pattern.
      append("0x" + paddedHexadecimal(UInt64(bits), type) + " : ")
      write(type)
    case .typed(let inner, let type):
      write(inner)
      append(" : ")
      write(type)
    }
  }

  /// Writes `{key = value, flag}`.
  public mutating func write(_ dictionary: AttributeDictionary) {
    append("{")
    separated(dictionary.entries) { printer, entry in
      if isBareIdentifier(entry.key) { printer.append(entry.key) } else { printer.writeString(entry.key) }
      guard entry.value != .unit else { return }
      printer.append(" = ")
      printer.write(entry.value, elidesDefaults: printer.isShort)
    }
    append("}")
  }

  /// A number without its type.
  private mutating func writeScalar(_ attribute: AttributeSyntax) {
    switch attribute {
    case .integer(let value, let type): append(integerText(value, type))
    case .float(let bits, let type): append(floatText(Double(bitPattern: bits), type))
    case .typed(.integer(let bits, _), let type): append("0x" + paddedHexadecimal(UInt64(bits), type))
    default: write(attribute)
    }
  }

  private func integerText(_ value: Int, _ type: TypeSyntax) -> String {
    if case .integer(_, .unsigned) = type { return String(UInt64(bitPattern: Int64(value))) }
    return String(value)
  }

  private func paddedHexadecimal(_ bits: UInt64, _ type: TypeSyntax) -> String {
    let digits = String(bits, radix: 16, uppercase: true)
    let width = ((type.bitWidth ?? 64) + 3) / 4
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// MLIR's spelling of a float of the given type.
  private func floatText(_ value: Double, _ type: TypeSyntax) -> String {
    guard case .float(let kind) = type else { return "\(value)" }
    let bits = FloatBits.encode(value, as: kind) ?? value.bitPattern
    guard value.isFinite else { return "0x" + paddedHexadecimal(bits, type) }
    let short = String(format: "%.6e", value)
    if let again = Double(short), FloatBits.encode(again, as: kind) == bits { return short }
    // LLVM's natural precision of the format: 9 digits for f32, 17 for f64.
    let significant: Int
    switch kind {
    case .f64: significant = 17
    case .f16: significant = 5
    case .bf16: significant = 4
    default: significant = 9
    }
    let text = trimmed(String(format: "%.\(significant - 1)E", value))
    if let again = Double(text), FloatBits.encode(again, as: kind) == bits { return text }
    return "0x" + paddedHexadecimal(bits, type)
  }

  /// `9.99999974E-06` -> `9.99999974E-6`, `1.50000000E+00` -> `1.5`, as LLVM writes them.
  private func trimmed(_ text: String) -> String {
    guard let mark = text.firstIndex(of: "E") else { return text }
    let exponent = Int(text[text.index(after: mark)...]) ?? 0
    var digits = text[..<mark]
    while digits.hasSuffix("0"), !digits.hasSuffix(".0") { digits.removeLast() }
    return exponent == 0 ? String(digits) : "\(digits)E\(exponent > 0 ? "+" : "")\(exponent)"
  }

  // MARK: Dense values

  private mutating func write(_ elements: DenseElements) {
    append("dense<")
    let size = elements.elementByteCount
    let count = elements.isSplat ? 1 : (size == 0 ? 0 : elements.bytes.count / size)
    var isBit = false
    if case .integer(1, _) = elements.element { isBit = true }
    if elements.isSplat {
      writeElement(elements, 0)
    } else if count > 100, !isBit {
      // Tools disagree on blobs of i1, so those stay lists.
      append("\"0x")
      writeHexadecimal(elements.bytes)
      append("\"")
    } else if count > 0 {
      var index = 0
      writeList(elements, elements.shape[...], &index)
    }
    append("> : ")
    write(elements.type)
  }

  private mutating func writeList(_ elements: DenseElements, _ shape: ArraySlice<Int>, _ index: inout Int) {
    guard let size = shape.first else {
      writeElement(elements, index)
      index += 1
      return
    }
    append("[")
    for position in 0..<size {
      if position > 0 { append(", ") }
      writeList(elements, shape.dropFirst(), &index)
    }
    append("]")
  }

  private mutating func writeElement(_ elements: DenseElements, _ index: Int) {
    let size = elements.elementByteCount
    let word = readLittleEndian(elements.bytes, at: index * size, byteCount: size)
    switch elements.element {
    case .integer(1, _): append(word & 1 == 0 ? "false" : "true")
    case .integer(let width, .unsigned): append(String(width == 64 ? word : word & ((1 << UInt64(width)) - 1)))
    case .integer(let width, _):
      let shift = UInt64(64 - width)
      append(String(Int64(bitPattern: word << shift) >> Int64(shift)))
    case .float(let kind):
      if let value = FloatBits.decode(word, as: kind) {
        append(floatText(value, elements.element))
      } else {
        append("0x" + paddedHexadecimal(word, elements.element))
      }
    default: append(String(Int64(bitPattern: word)))
    }
  }
}
