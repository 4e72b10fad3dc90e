import PantileSupport

extension Parser {
  /// ` loc(…)` after an op or argument, or nil.
  mutating func parseTrailingLocation() throws(DiagnosticError) -> SourceLocation? {
    guard atKeyword("loc") else { return nil }
    return try parseLocation()
  }

  /// `loc(…)`, the current token being `loc`.
  mutating func parseLocation() throws(DiagnosticError) -> SourceLocation {
    guard takeKeyword("loc") else { throw unexpected("expected 'loc'") }
    try expect(.leftParen, "'('")
    let location = try parseLocationBody()
    try expect(.rightParen, "')'")
    return location
  }

  private mutating func parseLocationBody() throws(DiagnosticError) -> SourceLocation {
    try descend()
    defer { ascend() }
    switch token.kind {
    case .hashIdentifier:
      let name = suffix(token)
      if let known = locationAliases[name] {
        try countNodes(aliasSizes["#" + name] ?? 1)
        advance()
        return known
      }
      pendingLocationAliases[name] = pendingLocationAliases[name] ?? token.start
      advance()
      return .named(Parser.pendingMark + name)
    case .string: return try parseNamedLocation()
    case .bareIdentifier: break
    default: throw unexpected("expected a location")
    }
    if takeKeyword("unknown") { return .unknown }
    if takeKeyword("callsite") {
      try expect(.leftParen, "'('")
      let callee = try parseLocationBody()
      guard takeKeyword("at") else { throw unexpected("expected 'at'") }
      let caller = try parseLocationBody()
      try expect(.rightParen, "')'")
      return .fused([callee, caller])
    }
    if takeKeyword("fused") {
      if take(.less) {
        _ = try parseAttribute()
        try expect(.greater, "'>'")
      }
      try expect(.leftBracket, "'['")
      let parts = try list(until: .rightBracket, "]") { parser throws(DiagnosticError) in try parser.parseLocationBody()
      }
      return .fused(parts)
    }
    throw unexpected("expected a location")
  }

  /// `"file":1:2`, `"file":1:2 to 3:4`, `"name"`, `"name"(location)`.
  private mutating func parseNamedLocation() throws(DiagnosticError) -> SourceLocation {
    let name = try takeString("a name")
    if take(.colon) {
      let line = try takeCount("a line")
      try expect(.colon, "':'")
      let column = try takeCount("a column")
      if takeKeyword("to") {
        if at(.integer) { _ = try takeCount("a line") }
        try expect(.colon, "':'")
        _ = try takeCount("a column")
      }
      return .file(path: name, line: line, column: column)
    }
    guard take(.leftParen) else { return .named(name) }
    let inner = try parseLocationBody()
    try expect(.rightParen, "')'")
    return .name(name, inner)
  }

  /// Stands before an alias name until the alias is known; no string literal of ours begins so.
  static let pendingMark = "\u{0}alias:"

  /// Replaces aliases that were used before their definition.
  /// - Throws: `unknown-alias`, `alias-expansion`.
  mutating func resolveLocations(in ops: inout [OpSyntax]) throws(DiagnosticError) {
    guard !pendingLocationAliases.isEmpty else { return }
    for name in pendingLocationAliases.keys.sorted() where locationAliases[name] == nil {
      throw source.error(
        "unknown-alias", "location alias '#\(name)' is not defined", at: pendingLocationAliases[name] ?? 0)
    }
    for index in ops.indices { try resolve(&ops[index]) }
  }

  private mutating func resolve(_ op: inout OpSyntax) throws(DiagnosticError) {
    op.location = try resolved(op.location, 0)
    for region in op.regions.indices {
      for block in op.regions[region].blocks.indices {
        for argument in op.regions[region].blocks[block].arguments.indices {
          let location = op.regions[region].blocks[block].arguments[argument].location
          op.regions[region].blocks[block].arguments[argument].location = try resolved(location, 0)
        }
        for inner in op.regions[region].blocks[block].ops.indices {
          try resolve(&op.regions[region].blocks[block].ops[inner])
        }
      }
    }
  }

  /// Aliases may refer to aliases; a circle is cut at the nesting limit.
  private mutating func resolved(_ location: SourceLocation, _ depth: Int) throws(DiagnosticError) -> SourceLocation {
    guard depth < 24 else { return .unknown }
    try countNodes(1)
    switch location {
    case .unknown, .file: return location
    case .fused(let parts):
      var result: [SourceLocation] = []
      for part in parts { result.append(try resolved(part, depth + 1)) }
      return .fused(result)
    case .name(let name, let inner):
      if name.hasPrefix(Parser.pendingMark) {
        guard let known = locationAliases[String(name.dropFirst(Parser.pendingMark.count))] else { return .unknown }
        return try resolved(known, depth + 1)
      }
      return .name(name, try resolved(inner, depth + 1))
    }
  }
}
