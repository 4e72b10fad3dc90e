import PantileProve
import PantileSupport
import Testing

/// The engine says what trying all numbers says: of shipped files, of files with random mistakes, of random statements.
struct EnumerationTests {
  /// Files at widths whose points can all be tried.
  static let small: [(name: String, settings: [String])] = [
    ("plain", ["weight_bits=4", "activation_bits=4"]), ("sign-magnitude", ["weight_bits=4", "activation_bits=4"]),
    ("booth4", ["weight_bits=4", "activation_bits=4"]), ("booth4", ["weight_bits=5", "activation_bits=3"]),
    ("naf", ["weight_bits=4", "activation_bits=4"]), ("lod2", ["magnitude_bits=4", "activation_bits=3"]),
    ("ternary-code", ["activation_bits=4"]), ("bricks", ["weight_bits=4", "activation_bits=4"]),
    ("lut-mirror", ["activation_bits=2"]), ("group-dequantisation", ["partial_bits=5", "scale_bits=4"]),
    ("decoder-bitmod-fp4", ["activation_bits=3"]), ("decoder-bitmod-fp3", ["activation_bits=3"]),
    ("decoder-e2m1", ["activation_bits=4"]), ("decoder-e4m3", []), ("decoder-e5m2", []), ("decoder-flint4", []),
    ("decoder-olive-int4", []), ("decoder-pot4", ["activation_bits=4"]),
    ("dot-bit-major", ["lanes=2", "weight_bits=2", "activation_bits=3"]),
    ("accumulator-int8", ["products=2", "weight_bits=3", "activation_bits=3", "accumulator_bits=6"]),
    ("alignment-lane", ["significand_bits=4", "guard_bits=2"]),
    ("requantise", ["accumulator_bits=9", "shift=32", "zero_point=-3"]), ("merge-clamps", ["width=2"]),
    ("relu-into-clamp", ["accumulator_bits=9", "shift=32", "zero_point=-3"]),
  ]

  /// Once as it is; once without any shortcut, so that every rule of the normal form bears weight.
  static let options: [ProofOptions] = {
    var bare = ProofOptions()
    bare.engine = .cases
    bare.probes = 0
    bare.enumerated = 1
    return [ProofOptions(), bare]
  }()

  @Test(arguments: small.indices)
  func agreesOnShippedFilesAndMutants(_ index: Int) throws {
    let (name, settings) = Self.small[index]
    let file = try DatapathFile(name, root: repositoryRoot)
    let plain = try file.datapath(settings)
    for options in Self.options {
      let counts = try expectAgreement(plain, options, name)
      #expect(counts.open == 0)
      for mutant in plain.mutants {
        let changed = try file.datapath(settings + mutant.settings)
        // A mutant may set a width of its own, and some are none at these widths.
        guard try FunctionalModel(changed).pointCount(limit: 1 << 13) != nil else { continue }
        let counts = try expectAgreement(changed, options, "\(name), \(mutant.name)")
        #expect(counts.open == 0)
      }
    }
  }

  /// 1,200 files with one or two signs changed at random, those left out that no longer mean anything.
  @Test(arguments: small.indices)
  func agreesOnRandomMistakes(_ index: Int) throws {
    let (name, settings) = Self.small[index]
    let text = try shippedText(name)
    var total = Agreement()
    var seed = UInt64(index) << 32
    while total.proved + total.refuted < 50, seed & 0xffff < 1000 {
      seed += 1
      var random = SplitMix64(seed: seed)
      let changed = Mutation.changed(text, &random)
      guard changed != text, let datapath = Self.parsed(changed, settings),
        let model = Self.model(datapath), model.pointCount(limit: 1 << 12) != nil
      else { continue }
      let options = Self.options[Int(seed % 2)]
      let counts = try expectAgreement(datapath, options, "\(name), seed \(seed)")
      total += counts
    }
    #expect(total.proved + total.refuted >= 50, "\(name): \(total)")
    #expect(total.open * 20 <= total.proved + total.refuted, "\(name): \(total)")
  }

  private static func parsed(_ text: String, _ settings: [String]) -> Datapath? {
    do throws(DiagnosticError) {
      return try DatapathFile(text: text, path: "t.yaml", root: repositoryRoot).datapath(settings)
    } catch {
      return nil
    }
  }

  private static func model(_ datapath: Datapath) -> FunctionalModel? {
    do throws(DiagnosticError) { return try FunctionalModel(datapath) } catch { return nil }
  }

  @Test(arguments: 0..<40)
  func agreesOnRandomStatements(_ group: Int) throws {
    var total = Agreement()
    for seed in group * 60..<(group + 1) * 60 {
      var random = SplitMix64(seed: UInt64(seed) + 1_000_003)
      let body =
        "inputs: {a: signed 3, b: unsigned 3, c: -1 ... 2, d: signed 2}\ntables: {t: [3, -1, 4, -1, 5, -9, 2, 6]}\nclaims:\n"
        + "  c: \(RandomStatement.make(&random))"
      guard let datapath = Self.parsed("name: t\nkind: encoding\nsummary: t\n\(body)\n", []),
        Self.model(datapath) != nil
      else { continue }
      for options in Self.options {
        let counts = try expectAgreement(datapath, options, "seed \(seed): \(body.split(separator: "\n").last ?? "")")
        total += counts
      }
    }
    #expect(total.proved >= 5 && total.refuted >= 10 && total.open <= 4, "\(total)")
  }
}

/// Random changes of a file's definitions and tables.
enum Mutation {
  static func changed(_ text: String, _ random: inout SplitMix64) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var section = ""
    var places: [Int] = []
    for (index, line) in lines.enumerated() {
      if !line.hasPrefix(" "), let key = line.split(separator: ":").first { section = String(key) }
      if line.hasPrefix(" "), section == "define" || section == "tables" || section == "claims" { places.append(index) }
    }
    for _ in 0...random.next(below: 2) {
      let line = places[random.next(below: places.count)]
      guard let colon = lines[line].firstIndex(of: ":") else { continue }
      let head = lines[line][...colon]
      lines[line] = head + changed(tokens(String(lines[line][colon...].dropFirst())), &random).joined()
    }
    return lines.joined(separator: "\n")
  }

  /// Runs of digits, of letters, of operator signs, and single others.
  static func tokens(_ text: String) -> [String] {
    var result: [String] = []
    func kind(_ character: Character) -> Int {
      if character.isNumber { return 1 }
      if character.isLetter || character == "_" { return 2 }
      return "<>=!".contains(character) ? 3 : 0
    }
    for character in text {
      if let last = result.last?.last, kind(last) == kind(character), kind(character) != 0 {
        result[result.count - 1].append(character)
      } else {
        result.append(String(character))
      }
    }
    return result
  }

  static func changed(_ tokens: [String], _ random: inout SplitMix64) -> [String] {
    var tokens = tokens
    let choices: [String: [String]] = [
      "+": ["-"], "-": ["+"], "*": ["+", "-"], "<<": [">>", "+"], ">>": ["<<"], "==": ["!=", "<="], "<=": ["<", "=="],
      ">=": [">"], "<": ["<="], ">": [">="], "min": ["max"], "max": ["min"], "signed": ["unsigned", "saturate"],
      "unsigned": ["signed"], "first": ["second"], "second": ["first"], "activation": ["-activation"], "i": ["0", "1"],
    ]
    let places = tokens.indices.filter { Int(tokens[$0]) != nil || choices[tokens[$0]] != nil }
    guard !places.isEmpty else { return tokens }
    let place = places[random.next(below: places.count)]
    if let number = Int(tokens[place]), tokens[place].first != "0" || tokens[place].count == 1 {
      tokens[place] = "\(max(0, number + [-1, 1, 2][random.next(below: 3)]))"
    } else if let options = choices[tokens[place]] {
      tokens[place] = options[random.next(below: options.count)]
    }
    return tokens
  }
}

/// Random statements over the inputs a, b, c, d and the table t; many are true for a reason.
enum RandomStatement {
  static func make(_ random: inout SplitMix64) -> String {
    let x = expression(3, &random)
    switch random.next(below: 9) {
    case 0: return "\(x) == \(expression(3, &random))"
    case 1: return "\(x) <= \(expression(2, &random))"
    case 2:
      // The same with other operators.
      let y = expression(2, &random)
      return "(\(x)) * (\(y)) - (\(y)) == ((\(x)) - 1) * (\(y))"
    case 3:
      let low = random.next(below: 4)
      return "bits(\(x), \(low + 3), \(low)) == (unsigned(\(x), \(low + 4)) >> \(low))"
    case 4: return "\(x) <= \(20 + random.next(below: 200)) and \(x) >= -\(20 + random.next(below: 200))"
    case 5:
      let width = 2 + random.next(below: 5)
      let y = expression(2, &random)
      return "signed(signed(\(x), \(width)) + (\(y)), \(width)) == signed((\(x)) + (\(y)), \(width))"
    case 6: return "clamp(clamp(\(x), -3, 5), \(random.next(below: 6) - 4), 7) == clamp(\(x), -3, 5)"
    case 7: return "implies(\(x) < \(expression(1, &random)), \(x) <= \(expression(2, &random)))"
    default:
      let k = 1 + random.next(below: 3)
      let y = expression(2, &random)
      return "((\(x)) * \(1 << k) + (\(y)) >> \(k)) == (\(x)) + ((\(y)) >> \(k)) + \(random.next(below: 8) / 7)"
    }
  }

  private static func expression(_ depth: Int, _ random: inout SplitMix64) -> String {
    if depth == 0 || random.next(below: 6) == 0 {
      return ["a", "b", "c", "d", "1", "3", "-2", "0"][random.next(below: 8)]
    }
    func inner() -> String { expression(depth - 1, &random) }
    switch random.next(below: 18) {
    case 0, 1: return "(\(inner()) + \(inner()))"
    case 2, 3: return "(\(inner()) - \(inner()))"
    case 4, 5: return "(\(inner()) * \(inner()))"
    case 6: return "(\(inner()) / \(1 + random.next(below: 5)))"
    case 7: return "(\(inner()) % \(1 + random.next(below: 5)))"
    case 8: return "(\(inner()) >> bits(\(inner()), 1, 0))"
    case 9: return "(\(inner()) << bits(\(inner()), 1, 0))"
    case 10: return "min(\(inner()), \(inner()))"
    case 11: return "max(\(inner()), \(inner()))"
    case 12: return "if(\(inner()) < \(inner()), \(inner()), \(inner()))"
    case 13: return "signed(\(inner()), \(1 + random.next(below: 5)))"
    case 14: return "bits(\(inner()), \(2 + random.next(below: 2)), \(random.next(below: 3)))"
    case 15: return "t[bits(\(inner()), 2, 0)]"
    case 16: return ["bitand", "bitor", "bitxor"][random.next(below: 3)] + "(\(inner()), \(inner()))"
    default: return "(\(inner()) == \(inner()))"
    }
  }
}
