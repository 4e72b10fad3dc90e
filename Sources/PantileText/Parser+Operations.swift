import PantileSupport

extension Parser {
  /// The whole text: aliases, ops, resource section.
  mutating func parseFile() throws(DiagnosticError) -> TextFile {
    var file = TextFile()
    while !at(.endOfFile) {
      switch token.kind {
      case .hashIdentifier, .bangIdentifier: try parseAliasDefinition()
      case .metadataBegin: try parseMetadata(into: &file.resources)
      default: file.ops.append(try parseOp())
      }
    }
    try resolveLocations(in: &file.ops)
    return file
  }

  /// `#name = attribute`, `#name = loc(…)`, `!name = type`.
  private mutating func parseAliasDefinition() throws(DiagnosticError) {
    let start = token
    let name = suffix(token)
    let spelled = text(token)
    guard !name.contains(".") else {
      throw source.error("syntax", "an alias name must have no dot: '\(spelled)'", at: start.start)
    }
    guard attributeAliases[name] == nil || start.kind == .bangIdentifier,
      typeAliases[name] == nil || start.kind == .hashIdentifier,
      locationAliases[name] == nil || start.kind == .bangIdentifier
    else { throw source.error("duplicate-alias", "alias '\(spelled)' is defined twice", at: start.start) }
    advance()
    try expect(.equal, "'='")
    let before = nodeCount
    if start.kind == .bangIdentifier {
      typeAliases[name] = try parseType()
    } else if atKeyword("loc") {
      locationAliases[name] = try parseLocation()
    } else {
      attributeAliases[name] = try parseAttribute()
    }
    aliasSizes[spelled] = nodeCount - before
  }

  // MARK: Operations

  mutating func parseOp() throws(DiagnosticError) -> OpSyntax {
    try descend()
    defer { ascend() }
    let start = token
    var results: [String] = []
    if at(.valueIdentifier) {
      repeat { results += try parseResultPack() } while take(.comma)
      try expect(.equal, "'='")
    }
    var op: OpSyntax
    switch token.kind {
    case .string: op = try parseGenericOp(results)
    case .bareIdentifier: op = try parseShortOp(results)
    default: throw unexpected("expected an operation")
    }
    guard op.operands.count == op.operandTypes.count else {
      throw source.error(
        "operand-count", "'\(op.name)' has \(op.operands.count) operands but its type has \(op.operandTypes.count)",
        at: start.start)
    }
    guard op.results.count == op.resultTypes.count || op.results.isEmpty else {
      throw source.error(
        "result-count", "\(op.results.count) names for the \(op.resultTypes.count) results of '\(op.name)'",
        at: start.start)
    }
    op.location = try parseTrailingLocation() ?? location(start)
    return op
  }

  /// `%x` or `%x:2`.
  private mutating func parseResultPack() throws(DiagnosticError) -> [String] {
    guard at(.valueIdentifier) else { throw unexpected("expected a value name") }
    let name = suffix(token)
    advance()
    guard take(.colon) else { return [name] }
    let place = token.start
    let count = try takeCount("a result count")
    guard (1...65536).contains(count) else {
      throw source.error("number-range", "a result pack holds 1 to 65536 values", at: place)
    }
    return count == 1 ? [name] : (0..<count).map { "\(name)#\($0)" }
  }

  /// `%x` or `%x#1`.
  private mutating func parseOperand() throws(DiagnosticError) -> String {
    guard at(.valueIdentifier) else { throw unexpected("expected a value") }
    let name = suffix(token)
    let end = token.end
    advance()
    guard at(.hashIdentifier), token.start == end else { return name }
    let index = suffix(token)
    guard index.utf8.allSatisfy(isDigit) else { throw unexpected("expected a result number") }
    advance()
    return "\(name)#\(index)"
  }

  private mutating func parseGenericOp(_ results: [String]) throws(DiagnosticError) -> OpSyntax {
    var op = OpSyntax(try takeString("an operation name"), results: results)
    guard !op.name.isEmpty else { throw source.error("syntax", "an operation needs a name", at: previousEnd - 2) }
    try expect(.leftParen, "'('")
    op.operands = try list(until: .rightParen, ")") { parser throws(DiagnosticError) in try parser.parseOperand() }
    try parseSuccessors(&op)
    if take(.less) {
      op.attributes = try parseAttributeDictionary()
      try expect(.greater, "'>'")
    }
    try parseRegionList(&op)
    if at(.leftBrace) { try merge(&op) }
    try expect(.colon, "':' and the type of the operation")
    guard case .function(let inputs, let outputs) = try parseFunctionType() else { return op }
    op.operandTypes = inputs
    op.resultTypes = outputs
    return op
  }

  private mutating func merge(_ op: inout OpSyntax) throws(DiagnosticError) {
    let place = token.start
    for entry in try parseAttributeDictionary() {
      guard op.attributes[entry.key] == nil else {
        throw source.error("duplicate-attribute", "attribute '\(entry.key)' is given twice", at: place)
      }
      op.attributes[entry.key] = entry.value
    }
  }

  private mutating func parseSuccessors(_ op: inout OpSyntax) throws(DiagnosticError) {
    guard take(.leftBracket) else { return }
    op.successors = try list(until: .rightBracket, "]") { parser throws(DiagnosticError) in
      guard parser.at(.blockIdentifier) else { throw parser.unexpected("expected a block name") }
      let name = parser.suffix(parser.token)
      parser.advance()
      return name
    }
  }

  private mutating func parseRegionList(_ op: inout OpSyntax) throws(DiagnosticError) {
    guard take(.leftParen) else { return }
    repeat { op.regions.append(try parseRegion()) } while take(.comma)
    try expect(.rightParen, "',' or ')'")
  }

  /// The short form: `dialect.op %a, %b [^next] ({…}) {…} : type`, and the usual forms of `module` and `func`.
  private mutating func parseShortOp(_ results: [String]) throws(DiagnosticError) -> OpSyntax {
    let start = token
    let name = text(token)
    switch name {
    case "module", "builtin.module": return try parseModule(results)
    case "func.func": return try parseFunction(results)
    case "func.return", "return": return try parseReturn(results)
    case "func.call", "call": return try parseCall(results)
    default: break
    }
    guard name.contains("."), name.last != "." else {
      throw source.error(
        "syntax", "expected an operation but found '\(name)'", at: start.start,
        hint: "an operation name has a dialect: 'dialect.name'")
    }
    advance()
    var op = OpSyntax(name, results: results)
    if at(.valueIdentifier), !startsResultList() {
      repeat { op.operands.append(try parseOperand()) } while take(.comma)
    }
    try parseSuccessors(&op)
    try parseRegionList(&op)
    if at(.leftBrace) { op.attributes = try parseAttributeDictionary() }
    guard take(.colon) else { return op }
    let type = try parseType()
    if case .function(let inputs, let outputs) = type {
      op.operandTypes = inputs
      op.resultTypes = outputs
    } else {
      op.operandTypes = Array(repeating: type, count: op.operands.count)
      op.resultTypes = [type]
    }
    return op
  }

  /// `module @name attributes {…} {…}`.
  private mutating func parseModule(_ results: [String]) throws(DiagnosticError) -> OpSyntax {
    advance()
    var op = OpSyntax("builtin.module", results: results)
    if at(.symbolIdentifier) { op.attributes["sym_name"] = .string(try takeSymbolName()) }
    if takeKeyword("attributes") { try merge(&op) }
    op.regions = [try parseRegion()]
    return op
  }

  /// `func.func private @name(%a: type {…}) -> (type {…}) attributes {…} {…}`.
  private mutating func parseFunction(_ results: [String]) throws(DiagnosticError) -> OpSyntax {
    advance()
    var op = OpSyntax("func.func", results: results)
    for visibility in ["public", "private", "nested"] where at(.bareIdentifier) && text(token) == visibility {
      op.attributes["sym_visibility"] = .string(visibility)
      advance()
    }
    op.attributes["sym_name"] = .string(try takeSymbolName())
    var arguments: [BlockSyntax.Argument] = []
    var argumentAttributes: [AttributeSyntax] = []
    try expect(.leftParen, "'('")
    let types = try list(until: .rightParen, ")") { parser throws(DiagnosticError) -> TypeSyntax in
      var name: String?
      if parser.at(.valueIdentifier) {
        name = parser.suffix(parser.token)
        parser.advance()
        try parser.expect(.colon, "':'")
      }
      let place = parser.location(parser.token)
      let type = try parser.parseType()
      argumentAttributes.append(
        .dictionary(parser.at(.leftBrace) ? try parser.parseAttributeDictionary() : [:]))
      let location = try parser.parseTrailingLocation() ?? place
      if let name { arguments.append(.init(name, type, location: location)) }
      return type
    }
    var resultAttributes: [AttributeSyntax] = []
    var resultTypes: [TypeSyntax] = []
    if take(.arrow) {
      if take(.leftParen) {
        resultTypes = try list(until: .rightParen, ")") { parser throws(DiagnosticError) -> TypeSyntax in
          let type = try parser.parseType()
          resultAttributes.append(
            .dictionary(parser.at(.leftBrace) ? try parser.parseAttributeDictionary() : [:]))
          return type
        }
      } else {
        resultTypes = [try parseNonFunctionType()]
        resultAttributes = [.dictionary([:])]
      }
    }
    op.attributes["function_type"] = .type(.function(inputs: types, results: resultTypes))
    if argumentAttributes.contains(where: { $0 != .dictionary([:]) }) {
      op.attributes["arg_attrs"] = .array(argumentAttributes)
    }
    if resultAttributes.contains(where: { $0 != .dictionary([:]) }) {
      op.attributes["res_attrs"] = .array(resultAttributes)
    }
    if takeKeyword("attributes") { try merge(&op) }
    guard at(.leftBrace) else {
      op.regions = [RegionSyntax()]
      return op
    }
    guard arguments.count == types.count else {
      throw unexpected("a function with a body needs a name for each argument")
    }
    op.regions = [try parseRegion(arguments: arguments, isBody: true)]
    return op
  }

  /// `func.return %a, %b : type, type`.
  private mutating func parseReturn(_ results: [String]) throws(DiagnosticError) -> OpSyntax {
    advance()
    var op = OpSyntax("func.return", results: results)
    if at(.valueIdentifier), !startsResultList() {
      repeat { op.operands.append(try parseOperand()) } while take(.comma)
    }
    if at(.leftBrace) { op.attributes = try parseAttributeDictionary() }
    guard !op.operands.isEmpty else { return op }
    try expect(.colon, "':'")
    repeat { op.operandTypes.append(try parseType()) } while take(.comma)
    return op
  }

  /// `func.call @f(%a) : (type) -> type`.
  private mutating func parseCall(_ results: [String]) throws(DiagnosticError) -> OpSyntax {
    advance()
    var op = OpSyntax("func.call", results: results)
    op.attributes["callee"] = .symbol([try takeSymbolName()])
    try expect(.leftParen, "'('")
    op.operands = try list(until: .rightParen, ")") { parser throws(DiagnosticError) in try parser.parseOperand() }
    if at(.leftBrace) { try merge(&op) }
    try expect(.colon, "':'")
    guard case .function(let inputs, let outputs) = try parseFunctionType() else { return op }
    op.operandTypes = inputs
    op.resultTypes = outputs
    return op
  }

  /// Whether the values from here on are the results of the next op (`%a, %b:2 =`) and no operands.
  private func startsResultList() -> Bool {
    var probe = lexer
    while true {
      var next = probe.next()
      if next.kind == .colon {
        return probe.next().kind == .integer
      }
      if next.kind == .equal { return true }
      guard next.kind == .comma else { return false }
      next = probe.next()
      guard next.kind == .valueIdentifier else { return false }
    }
  }

  // MARK: Regions

  /// `{ ops ^label(%a: type): ops … }`; `arguments` belong to the entry block, which a body has even when it is empty.
  mutating func parseRegion(
    arguments: [BlockSyntax.Argument] = [], isBody: Bool = false
  ) throws(DiagnosticError) -> RegionSyntax {
    try descend()
    defer { ascend() }
    try expect(.leftBrace, "'{'")
    var region = RegionSyntax()
    if !at(.blockIdentifier) || isBody {
      var entry = BlockSyntax(arguments: arguments)
      while !at(.rightBrace), !at(.blockIdentifier) { entry.ops.append(try parseOp()) }
      if !entry.ops.isEmpty || isBody { region.blocks.append(entry) }
    }
    var labels = Set<String>()
    while at(.blockIdentifier) {
      var block = BlockSyntax(label: suffix(token))
      guard labels.insert(block.label).inserted else {
        throw source.error("duplicate-block", "block '^\(block.label)' is defined twice", at: token.start)
      }
      advance()
      if take(.leftParen) {
        block.arguments = try list(until: .rightParen, ")") { parser throws(DiagnosticError) -> BlockSyntax.Argument in
          guard parser.at(.valueIdentifier) else { throw parser.unexpected("expected an argument name") }
          let place = parser.token
          parser.advance()
          try parser.expect(.colon, "':'")
          let type = try parser.parseType()
          let location = try parser.parseTrailingLocation() ?? parser.location(place)
          return .init(parser.suffix(place), type, location: location)
        }
      }
      try expect(.colon, "':' after the block label")
      while !at(.rightBrace), !at(.blockIdentifier) { block.ops.append(try parseOp()) }
      region.blocks.append(block)
    }
    try expect(.rightBrace, "'}'")
    return region
  }

  // MARK: Resources

  /// `{-# dialect_resources: { builtin: { key: "0x…" } } #-}`; sections that are not ours are read over.
  private mutating func parseMetadata(into resources: inout [TextFile.Resource]) throws(DiagnosticError) {
    try expect(.metadataBegin, "'{-#'")
    while !at(.metadataEnd) {
      let isDialect = atKeyword("dialect_resources")
      guard at(.bareIdentifier) else { throw unexpected("expected a section name") }
      advance()
      try expect(.colon, "':'")
      try parseMetadataMap { parser, _, _ throws(DiagnosticError) in
        try parser.parseMetadataMap { parser, key, start throws(DiagnosticError) in
          if isDialect {
            try parser.parseBlob(key, start, into: &resources)
          } else {
            try parser.skipMetadataValue()
          }
        }
      }
      guard take(.comma) else { break }
    }
    try expect(.metadataEnd, "'#-}'")
  }

  private mutating func parseMetadataMap(
    _ entry: (inout Parser, String, Token) throws(DiagnosticError) -> Void
  ) throws(DiagnosticError) {
    try expect(.leftBrace, "'{'")
    if take(.rightBrace) { return }
    repeat {
      let start = token
      let key: String
      if at(.string) {
        key = try takeString("a name")
      } else {
        guard at(.bareIdentifier) else { throw unexpected("expected a name") }
        key = text(token)
        advance()
      }
      try expect(.colon, "':'")
      try entry(&self, key, start)
    } while take(.comma)
    try expect(.rightBrace, "',' or '}'")
  }

  private mutating func parseBlob(
    _ key: String, _ start: Token, into resources: inout [TextFile.Resource]
  ) throws(DiagnosticError) {
    guard at(.string), let bytes = hexadecimalBytes(token), bytes.count >= 4 else {
      throw unexpected("expected a blob '\"0x…\"' of at least 4 bytes for resource '\(key)'")
    }
    guard !resources.contains(where: { $0.key == key }) else {
      throw source.error("duplicate-resource", "resource '\(key)' is defined twice", at: start.start)
    }
    let alignment = Int(readLittleEndian(bytes, at: 0, byteCount: 4))
    guard alignment > 0, alignment & (alignment - 1) == 0 else {
      throw source.error("resource-alignment", "alignment \(alignment) is no power of two", at: token.start)
    }
    advance()
    resources.append(.init(key: key, alignment: alignment, bytes: Array(bytes[4...])))
  }

  private mutating func skipMetadataValue() throws(DiagnosticError) {
    if at(.string) || atKeyword("true") || atKeyword("false") {
      advance()
    } else {
      throw unexpected("expected a string or boolean")
    }
  }
}
