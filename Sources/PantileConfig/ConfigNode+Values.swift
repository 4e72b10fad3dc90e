import PantileSupport

/// Typed readings of a node. Each returns nil after adding a diagnostic to `issues`; `what` names the field in messages.
extension ConfigNode {
  /// Text as written.
  public func text(_ what: String, _ issues: Issues) -> String? {
    guard case .scalar(let text, _) = content else { return wrongType(what, "text", issues) }
    return text
  }

  /// A whole number without a unit, inside `range`.
  public func count(_ what: String, in range: ClosedRange<Int>, _ issues: Issues) -> Int? {
    guard let quantity = quantity(what, "a whole number such as 16", issues) else { return nil }
    guard quantity.unit.isEmpty else {
      issues.add(
        "wrong-unit", "\(what) is a plain number but has the unit '\(quantity.unit)'", at: self,
        hint: "write \(quantity.number)")
      return nil
    }
    guard let whole = quantity.number.whole else { return wrongType(what, "a whole number such as 16", issues) }
    return inRange(whole, what, range, "", issues)
  }

  /// A size in bytes, unit mandatory, inside `range` (in bytes).
  public func bytes(_ what: String, in range: ClosedRange<Int>, _ issues: Issues) -> Bytes? {
    guard let number = scaled(what, .bytes, nil, issues) else { return nil }
    guard let whole = number.whole else {
      issues.add("wrong-value", "\(what) is not a whole number of bytes", at: self)
      return nil
    }
    return inRange(whole, what, range, " B", issues).map { Bytes($0) }
  }

  /// A clock rate in whole hertz, unit mandatory, inside `range` (in hertz).
  public func hertz(_ what: String, in range: ClosedRange<Int>, _ issues: Issues) -> Int? {
    guard let number = scaled(what, .hertz, nil, issues) else { return nil }
    guard let whole = number.whole else {
      issues.add("wrong-value", "\(what) is not a whole number of hertz", at: self)
      return nil
    }
    return inRange(whole, what, range, " Hz", issues)
  }

  /// A time in cycles, unit mandatory; `ns`, `us`, `ms` are turned into cycles of `clock` (hertz) and rounded up.
  public func cycles(_ what: String, in range: ClosedRange<Int>, clock: Int?, _ issues: Issues) -> Cycles? {
    guard let number = scaled(what, .cycles, clock.map { (UnitTable.seconds, Ratio($0)) }, issues) else { return nil }
    return inRange(number.roundedUp, what, range, " cycles", issues).map { Cycles($0) }
  }

  /// A length of time in picoseconds, above 0 and up to a millisecond, unit mandatory; exact.
  public func picoseconds(_ what: String, _ issues: Issues) -> Ratio? {
    guard let seconds = scaled(what, .seconds, nil, issues) else { return nil }
    guard seconds.value > 0, seconds.value <= 1e-3, let time = seconds.multiplied(by: Ratio(1_000_000_000_000)) else {
      issues.add("out-of-range", "\(what) must be above 0 and at most 1 ms", at: self)
      return nil
    }
    return time
  }

  /// A bandwidth in bytes per cycle, unit mandatory; `GB/s` and its like are divided by `clock` (hertz). Exact, unless the
  /// reduced denominator is above 2^22: then rounded to the nearest 2^-22.
  public func bandwidth(_ what: String, clock: Int?, _ issues: Issues) -> Ratio? {
    let perSecond = clock.map { (UnitTable.bytesPerSecond, Ratio(1, over: max($0, 1))) }
    guard let number = scaled(what, .bytesPerCycle, perSecond, issues) else { return nil }
    guard number.numerator > 0 else {
      issues.add("out-of-range", "\(what) is \(number) B/cycle but must be above 0", at: self)
      return nil
    }
    guard number.value <= Double(1 << 20), number.value >= 1.0 / Double(1 << 20) else {
      issues.add(
        "out-of-range", "\(what) is \(number) B/cycle but must be 1/\(1 << 20) ... \(1 << 20) B/cycle", at: self)
      return nil
    }
    // Cycles for a transfer are bytes times this denominator, which has to stay inside 64 bits.
    guard number.denominator > 1 << 22 else { return number }
    return Ratio(Int((number.value * Double(1 << 22)).rounded()), over: 1 << 22)
  }

  /// A finite decimal number, exponent allowed, no unit. Plain double because energy entries are measured figures.
  public func real(_ what: String, in range: ClosedRange<Double>, _ issues: Issues) -> Double? {
    guard case .scalar(let text, _) = content, let value = Double(text), value.isFinite else {
      return wrongType(what, "a number such as 0.2", issues)
    }
    guard range.contains(value) else {
      issues.add(
        "out-of-range", "\(what) is \(value) but must be in \(range.lowerBound) ... \(range.upperBound)", at: self)
      return nil
    }
    return value
  }

  /// One of `choices`.
  public func choice(_ what: String, among choices: [String], _ issues: Issues) -> String? {
    guard case .scalar(let text, _) = content else {
      return wrongType(what, "one of " + choices.joined(separator: ", "), issues)
    }
    guard choices.contains(text) else {
      let nearest = nearestName(to: text, among: choices).map { "did you mean '\($0)'? " } ?? ""
      issues.add(
        "unknown-value", "\(what) is '\(text)'", at: self,
        hint: "\(nearest)valid values: \(choices.joined(separator: ", "))")
      return nil
    }
    return text
  }

  /// `true` or `false`.
  public func flag(_ what: String, _ issues: Issues) -> Bool? {
    switch choice(what, among: ["true", "false"], issues) {
    case "true": return true
    case "false": return false
    default: return nil
    }
  }

  /// The elements of a list. A single scalar counts as a list of its comma-separated parts.
  public func list(_ what: String, _ issues: Issues) -> [ConfigNode]? {
    switch content {
    case .sequence(let elements): return elements
    case .scalar(let text, let isQuoted):
      return text.split(separator: ",").map { part in
        let trimmed = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
        return ConfigNode(.scalar(String(trimmed), isQuoted: isQuoted), at: location, sourceLine: sourceLine)
      }
    case .mapping, .empty: return wrongType(what, "a list", issues)
    }
  }

  /// The entries of a mapping, in file order.
  public func entries(_ what: String, _ issues: Issues) -> [Entry]? {
    guard case .mapping(let entries) = content else { return wrongType(what, "a mapping", issues) }
    return entries
  }

  /// A name: a lower-case letter, then letters, digits, `_`, `-` or `.`, at most 64.
  public func name(_ what: String, _ issues: Issues) -> String? {
    guard let text = text(what, issues) else { return nil }
    guard isConfigName(text) else {
      issues.add(
        "wrong-value", "\(what) '\(text)' is not a name", at: self,
        hint: "use a letter followed by letters, digits, '_', '-' or '.', 64 at most")
      return nil
    }
    return text
  }

  private func wrongType<Value>(_ what: String, _ wanted: String, _ issues: Issues) -> Value? {
    issues.add("wrong-type", "\(what) must be \(wanted), found \(kindName)", at: self)
    return nil
  }

  private func quantity(_ what: String, _ wanted: String, _ issues: Issues) -> Quantity? {
    guard case .scalar(let text, _) = content else { return wrongType(what, wanted, issues) }
    do {
      return try Quantity(text)
    } catch .tooLarge {
      issues.add("out-of-range", "\(what) is too large: '\(text)'", at: self)
      return nil
    } catch {
      return wrongType(what, wanted, issues)
    }
  }

  /// The number in the base unit of `table`; units of `other` are first multiplied by its second part.
  private func scaled(
    _ what: String, _ table: UnitTable, _ other: (table: UnitTable, factor: Ratio)?, _ issues: Issues
  ) -> Ratio? {
    guard let quantity = quantity(what, "\(table.noun) such as \(table.example)", issues) else { return nil }
    var factor = table.factor(of: quantity.unit)
    if factor == nil, let other, let base = other.table.factor(of: quantity.unit) {
      guard let product = base.multiplied(by: other.factor) else { return tooLarge(what, issues) }
      factor = product
    }
    guard let factor else {
      let names = table.names + (other?.table.names ?? [])
      if quantity.unit.isEmpty {
        issues.add(
          "missing-unit", "\(what) needs a unit", at: self,
          hint: "write for example \(table.example); units: \(names.joined(separator: ", "))")
      } else {
        let folded = names.first { $0.lowercased() == quantity.unit.lowercased() }
        let nearest = (folded ?? nearestName(to: quantity.unit, among: names)).map { "did you mean '\($0)'? " } ?? ""
        issues.add(
          "wrong-unit", "\(what) has the unknown unit '\(quantity.unit)'", at: self,
          hint: "\(nearest)units: \(names.joined(separator: ", "))")
      }
      return nil
    }
    return quantity.number.multiplied(by: factor) ?? tooLarge(what, issues)
  }

  private func tooLarge<Value>(_ what: String, _ issues: Issues) -> Value? {
    issues.add("out-of-range", "\(what) is too large: \(kindName)", at: self)
    return nil
  }

  private func inRange(
    _ value: Int, _ what: String, _ range: ClosedRange<Int>, _ unit: String, _ issues: Issues
  ) -> Int? {
    guard !range.contains(value) else { return value }
    let bound =
      value < range.lowerBound ? "at least \(range.lowerBound)\(unit)" : "at most \(range.upperBound)\(unit)"
    issues.add("out-of-range", "\(what) is \(value)\(unit) but must be \(bound)", at: self)
    return nil
  }
}

/// Whether `text` may name a chip, memory, engine or field.
public func isConfigName(_ text: String) -> Bool {
  let bytes = Array(text.utf8)
  guard let first = bytes.first, bytes.count <= 64, isLetter(first) || isDigit(first) else { return false }
  return bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == 45 || $0 == 46 || $0 == 95 }
}

private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 97 && (byte | 0x20) <= 122 }
private func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
