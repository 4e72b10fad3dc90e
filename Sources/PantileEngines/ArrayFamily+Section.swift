import PantileSupport
import PantileTarget

extension ArrayFamily {
  /// An engine section from texts, for arrays that stand in no chip file, checked against the family's schema.
  ///
  /// Values are written as in a chip file, but lists as `2:4,2:8` and cycles with or without their unit.
  /// - Throws: `unknown-key`, `missing-key`, `wrong-value`, `out-of-range`, all at once; what the schema's check says.
  public func section(
    named name: String = "array0", _ texts: [(key: String, text: String)]
  ) throws(DiagnosticError) -> EngineSection {
    var diagnostics: [Diagnostic] = []
    let keys = schema.fields.map(\.key)
    for (key, _) in texts where !keys.contains(key) {
      diagnostics.append(
        Diagnostic(
          "unknown-key", "an array of family '\(self.name)' has no field '\(key)'",
          hint: nearestName(to: key, among: keys).map { "did you mean '\($0)'?" }
            ?? "known: \(keys.joined(separator: ", "))"))
    }
    var fields: [EngineSection.Field] = []
    for field in schema.fields {
      if let text = texts.last(where: { $0.key == field.key })?.text {
        switch field.parse(text) {
        case .success(let value): fields.append(EngineSection.Field(key: field.key, value: value))
        case .failure(let diagnostic): diagnostics.append(diagnostic)
        }
      } else if let value = field.defaultValue {
        fields.append(EngineSection.Field(key: field.key, value: value))
      } else {
        diagnostics.append(
          Diagnostic("missing-key", "an array of family '\(self.name)' needs '\(field.key)': \(field.summary)"))
      }
    }
    let section = EngineSection(name: name, family: self.name, values: fields)
    if diagnostics.isEmpty, let complaint = schema.check(section) { diagnostics.append(complaint) }
    guard diagnostics.isEmpty else { throw DiagnosticError(diagnostics) }
    return section
  }
}

extension FieldSchema {
  /// The value that a text stands for.
  fileprivate func parse(_ text: String) -> Result<FieldValue, Diagnostic> {
    let wrong = Diagnostic("wrong-value", "'\(text)' is no value of '\(key)': \(summary)")
    switch kind {
    case .count(let range):
      return number(text, in: range).map { .count($0) }
    case .powerOfTwo(let range):
      return number(text, in: range).flatMap { $0.nonzeroBitCount == 1 ? .success(.count($0)) : .failure(wrong) }
    case .cycles(let range):
      return number(text.split(separator: " ").first.map(String.init) ?? "", in: range).flatMap { value in
        let unit = text.split(separator: " ").dropFirst().joined(separator: " ")
        return ["", "cycle", "cycles"].contains(unit) ? .success(.cycles(Cycles(value))) : .failure(wrong)
      }
    case .choice(let words):
      guard words.contains(text) else {
        return .failure(
          Diagnostic(
            "wrong-value", "'\(text)' is no value of '\(key)'", hint: "known: \(words.joined(separator: ", "))"))
      }
      return .success(.choice(text))
    case .choices(let words):
      let parts = text.split(separator: ",").map(String.init)
      guard !parts.isEmpty, parts.allSatisfy(words.contains), Set(parts).count == parts.count else {
        return .failure(wrong)
      }
      return .success(.choices(parts))
    case .flag:
      guard let value = Bool(text) else { return .failure(wrong) }
      return .success(.flag(value))
    case .patterns(let maximumGroup):
      var patterns: [SparsityPattern] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let numbers = part.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let kept = numbers[0], let group = numbers[1], (1...maximumGroup).contains(group),
          group.nonzeroBitCount == 1, (1...group).contains(kept)
        else {
          return .failure(
            Diagnostic(
              "wrong-value", "'\(part)' is no pattern N:M for '\(key)'",
              hint: "M is a power of two up to \(maximumGroup), N at least 1 and at most M"))
        }
        patterns.append(SparsityPattern(kept: kept, group: group))
      }
      return patterns.isEmpty ? .failure(wrong) : .success(.patterns(patterns))
    case .bytes, .bandwidth, .memory:
      return .failure(
        Diagnostic(
          "wrong-value", "'\(key)' can only be given in a chip file", hint: "describe the array in a chip file"))
    }
  }

  private func number(_ text: String, in range: ClosedRange<Int>) -> Result<Int, Diagnostic> {
    guard let value = Int(text) else {
      return .failure(Diagnostic("wrong-value", "'\(text)' is no whole number for '\(key)'"))
    }
    guard range.contains(value) else {
      return .failure(
        Diagnostic("out-of-range", "'\(key)' is \(value), it must be in \(range.lowerBound)...\(range.upperBound)"))
    }
    return .success(value)
  }
}
