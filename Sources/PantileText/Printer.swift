import PantileSupport

/// Writes syntax trees as MLIR text.
///
/// Floats follow MLIR: six digits in exponent form when they give the value back, else the shortest exact form, else the
/// bit pattern. Dense lists of more than 100 elements are written as blobs, as MLIR does.
public struct Printer {
  /// How ops are spelled.
  public enum Form: Sendable {
    /// `"d.op"(%x) {…} : (t) -> t`: what every MLIR tool reads.
    case generic
    /// `d.op %x {…} : t`: for people; read back by this module alone, `module` and `func` as upstream writes them.
    case short
  }

  /// Which locations are written.
  public enum Locations: Sendable {
    case none
    /// Those that hold a name, because the name leads back to the model.
    case named
    case all
  }

  public struct Options: Sendable {
    public var form: Form
    public var locations: Locations

    public init(form: Form = .generic, locations: Locations = .named) {
      self.form = form
      self.locations = locations
    }
  }

  public private(set) var text = ""
  private let options: Options
  private var indentation = 0
  var isShort: Bool { options.form == .short }

  public init(_ options: Options = .init()) { self.options = options }

  /// One op as text, with a final line end.
  public static func print(_ op: OpSyntax, _ options: Options = .init()) -> String {
    var printer = Printer(options)
    printer.write(op)
    return printer.text
  }

  // MARK: Ops

  /// Writes an op and a line end.
  public mutating func write(_ op: OpSyntax) {
    indent()
    writeResults(op.results)
    switch options.form {
    case .generic: writeGeneric(op)
    case .short: writeShort(op)
    }
    writeLocation(op.location)
    text += "\n"
  }

  private mutating func writeGeneric(_ op: OpSyntax) {
    writeString(op.name)
    text += "("
    writeOperands(op.operands)
    text += ")"
    writeSuccessors(op.successors)
    if !op.regions.isEmpty {
      text += " "
      writeRegions(op.regions)
    }
    writeTrailing(op.attributes)
    text += " : "
    write(.function(inputs: op.operandTypes, results: op.resultTypes))
  }

  private mutating func writeShort(_ op: OpSyntax) {
    switch op.name {
    case "builtin.module" where isPlainModule(op): return writeModule(op)
    case "func.func" where isPlainFunction(op): return writeFunction(op)
    case "func.return" where op.regions.isEmpty && op.successors.isEmpty && op.resultTypes.isEmpty:
      return writeReturn(op)
    case "func.call" where op.attributes["callee"]?.asSymbol != nil && op.regions.isEmpty && op.successors.isEmpty:
      return writeCall(op)
    // A name that the short form cannot spell, or that it would read as something else.
    case let name
    where !isBareIdentifier(name) || !name.contains(".") || name.hasSuffix(".") || name == "builtin.module"
      || name.hasPrefix("func."):
      return writeGeneric(op)
    default: break
    }
    text += op.name
    if !op.operands.isEmpty {
      text += " "
      writeOperands(op.operands)
    }
    if !op.successors.isEmpty {
      text += " "
      writeSuccessors(op.successors)
    }
    if !op.regions.isEmpty {
      text += " "
      writeRegions(op.regions)
    }
    writeTrailing(op.attributes)
    if let only = uniformType(op) {
      text += " : "
      write(only)
    } else if !op.operandTypes.isEmpty || !op.resultTypes.isEmpty {
      text += " : "
      write(.function(inputs: op.operandTypes, results: op.resultTypes))
    }
  }

  /// The one type of all operands and the only result, when `: type` may stand for the whole signature.
  private func uniformType(_ op: OpSyntax) -> TypeSyntax? {
    guard op.resultTypes.count == 1, let type = op.resultTypes.first, op.operandTypes.allSatisfy({ $0 == type })
    else { return nil }
    if case .function = type { return nil }
    return type
  }

  private func isPlainModule(_ op: OpSyntax) -> Bool {
    guard op.results.isEmpty, op.operands.isEmpty, op.regions.count == 1, op.resultTypes.isEmpty,
      op.successors.isEmpty
    else { return false }
    return op.regions[0].blocks.count <= 1 && (op.regions[0].blocks.first?.arguments.isEmpty ?? true)
      && (op.attributes["sym_name"] == nil || op.attributes["sym_name"]?.asString != nil)
  }

  private mutating func writeModule(_ op: OpSyntax) {
    text += "module"
    var attributes = op.attributes
    if let name = attributes["sym_name"]?.asString {
      text += " "
      write(.symbol(name))
      attributes["sym_name"] = nil
    }
    if !attributes.isEmpty {
      text += " attributes "
      write(attributes)
    }
    text += " "
    write(op.regions[0], isNameless: true)
  }

  private func isPlainFunction(_ op: OpSyntax) -> Bool {
    guard op.attributes["sym_name"]?.asString != nil, op.results.isEmpty, op.operands.isEmpty, op.successors.isEmpty,
      op.resultTypes.isEmpty, op.regions.count == 1,
      case .type(.function(let inputs, let results))? = op.attributes["function_type"]
    else { return false }
    if let visibility = op.attributes["sym_visibility"] {
      guard let name = visibility.asString, ["public", "private", "nested"].contains(name) else { return false }
    }
    for (key, count) in [("arg_attrs", inputs.count), ("res_attrs", results.count)] {
      guard let attribute = op.attributes[key] else { continue }
      guard case .array(let entries) = attribute, entries.count == count,
        entries.allSatisfy({ $0.asDictionary != nil }), entries.contains(where: { $0 != .dictionary([:]) })
      else { return false }
    }
    guard let entry = op.regions[0].blocks.first else { return true }
    return entry.arguments.map(\.type) == inputs
  }

  private mutating func writeFunction(_ op: OpSyntax) {
    guard case .type(.function(let inputs, let results))? = op.attributes["function_type"] else { return }
    var attributes = op.attributes
    for key in ["function_type", "sym_name", "arg_attrs", "res_attrs", "sym_visibility"] { attributes[key] = nil }
    text += "func.func "
    if let visibility = op.attributes["sym_visibility"]?.asString { text += visibility + " " }
    write(.symbol(op.attributes["sym_name"]?.asString ?? ""))
    text += "("
    let entry = op.regions[0].blocks.first
    let argumentAttributes = op.attributes["arg_attrs"]?.asArray
    for (index, type) in inputs.enumerated() {
      if index > 0 { text += ", " }
      if let entry { text += "%\(entry.arguments[index].name): " }
      write(type)
      writeNonEmpty(argumentAttributes?[index])
      if let entry { writeLocation(entry.arguments[index].location) }
    }
    text += ")"
    let resultAttributes = op.attributes["res_attrs"]?.asArray
    if !results.isEmpty {
      text += " -> ("
      for (index, type) in results.enumerated() {
        if index > 0 { text += ", " }
        write(type)
        writeNonEmpty(resultAttributes?[index])
      }
      text += ")"
    }
    if !attributes.isEmpty {
      text += " attributes "
      write(attributes)
    }
    guard entry != nil else { return }
    text += " "
    write(op.regions[0], isNameless: true)
  }

  private mutating func writeNonEmpty(_ attribute: AttributeSyntax?) {
    guard let dictionary = attribute?.asDictionary, !dictionary.isEmpty else { return }
    text += " "
    write(dictionary)
  }

  private mutating func writeReturn(_ op: OpSyntax) {
    text += "func.return"
    if !op.operands.isEmpty {
      text += " "
      writeOperands(op.operands)
    }
    writeTrailing(op.attributes)
    guard !op.operands.isEmpty else { return }
    text += " : "
    separated(op.operandTypes) { printer, type in printer.write(type) }
  }

  private mutating func writeCall(_ op: OpSyntax) {
    text += "func.call "
    write(op.attributes["callee"] ?? .unit)
    text += "("
    writeOperands(op.operands)
    text += ")"
    var attributes = op.attributes
    attributes["callee"] = nil
    writeTrailing(attributes)
    text += " : "
    write(.function(inputs: op.operandTypes, results: op.resultTypes))
  }

  // MARK: Pieces of ops

  /// `%a, %b:2 = `: runs `b#0, b#1` are written as a pack.
  private mutating func writeResults(_ results: [String]) {
    guard !results.isEmpty else { return }
    var index = 0
    while index < results.count {
      if index > 0 { text += ", " }
      let name = results[index]
      guard name.hasSuffix("#0") else {
        text += "%" + name
        index += 1
        continue
      }
      let base = String(name.dropLast(2))
      var count = 1
      while index + count < results.count, results[index + count] == "\(base)#\(count)" { count += 1 }
      text += "%\(base):\(count)"
      index += count
    }
    text += " = "
  }

  private mutating func writeOperands(_ operands: [String]) {
    separated(operands) { printer, name in printer.text += "%" + name }
  }

  private mutating func writeSuccessors(_ successors: [String]) {
    guard !successors.isEmpty else { return }
    text += "["
    separated(successors) { printer, name in printer.text += "^" + name }
    text += "]"
  }

  private mutating func writeTrailing(_ attributes: AttributeDictionary) {
    guard !attributes.isEmpty else { return }
    text += " "
    write(attributes)
  }

  private mutating func writeRegions(_ regions: [RegionSyntax]) {
    text += "("
    separated(regions) { printer, region in printer.write(region, isNameless: false) }
    text += ")"
  }

  /// `isNameless`: the entry block's arguments stand elsewhere (a function's signature).
  private mutating func write(_ region: RegionSyntax, isNameless: Bool) {
    text += "{\n"
    for (index, block) in region.blocks.enumerated() {
      let needsLabel =
        index > 0 || (!isNameless && (!block.label.isEmpty || !block.arguments.isEmpty))
        || (index == 0 && block.ops.isEmpty && !isNameless)
      if needsLabel {
        indent()
        text += "^" + (block.label.isEmpty ? "bb\(index)" : block.label)
        if !block.arguments.isEmpty {
          text += "("
          separated(block.arguments) { printer, argument in
            printer.text += "%\(argument.name): "
            printer.write(argument.type)
            printer.writeLocation(argument.location)
          }
          text += ")"
        }
        text += ":\n"
      }
      indentation += 1
      for op in block.ops { write(op) }
      indentation -= 1
    }
    indent()
    text += "}"
  }

  mutating func separated<T>(_ items: [T], _ item: (inout Printer, T) -> Void) {
    for (index, element) in items.enumerated() {
      if index > 0 { text += ", " }
      item(&self, element)
    }
  }

  mutating func append(_ piece: String) { text += piece }

  private mutating func indent() {
    for _ in 0..<indentation { text += "  " }
  }

  // MARK: Locations

  private mutating func writeLocation(_ location: SourceLocation) {
    switch options.locations {
    case .none: return
    case .named: if location.names.isEmpty { return }
    case .all: break
    }
    text += " loc("
    writeLocationBody(location)
    text += ")"
  }

  private mutating func writeLocationBody(_ location: SourceLocation) {
    switch location {
    case .unknown: text += "unknown"
    case .file(let path, let line, let column):
      writeString(path)
      text += ":\(line):\(column)"
    case .name(let name, let inner):
      writeString(name)
      guard inner != .unknown else { return }
      text += "("
      writeLocationBody(inner)
      text += ")"
    case .fused(let parts):
      text += "fused["
      separated(parts) { printer, part in printer.writeLocationBody(part) }
      text += "]"
    }
  }

  // MARK: Resources

  /// Writes the resource section; nothing when there are none.
  public mutating func write(_ resources: [TextFile.Resource]) {
    guard !resources.isEmpty else { return }
    text += "\n{-#\n  dialect_resources: {\n    builtin: {\n"
    for (index, resource) in resources.enumerated() {
      text += "      "
      if isBareIdentifier(resource.key) { text += resource.key } else { writeString(resource.key) }
      text += ": \"0x"
      var header: [UInt8] = []
      appendLittleEndian(UInt64(resource.alignment), byteCount: 4, to: &header)
      writeHexadecimal(header)
      writeHexadecimal(resource.bytes)
      text += index + 1 < resources.count ? "\",\n" : "\"\n"
    }
    text += "    }\n  }\n#-}\n"
  }

  mutating func writeHexadecimal(_ bytes: [UInt8]) {
    let digits = Array("0123456789ABCDEF".utf8)
    text += String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
      for (index, byte) in bytes.enumerated() {
        buffer[2 * index] = digits[Int(byte >> 4)]
        buffer[2 * index + 1] = digits[Int(byte & 15)]
      }
      return bytes.count * 2
    }
  }

  /// A quoted string with MLIR's escapes.
  mutating func writeString(_ value: String) {
    text += "\""
    for byte in value.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): text += "\\\\"
      case UInt8(ascii: "\""): text += "\\22"
      case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        text += "\\"
        writeHexadecimal([byte])
      }
    }
    text += "\""
  }
}
