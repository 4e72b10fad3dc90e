import Foundation
import PantileProve
import PantileSupport
import Testing

/// What a datapath file may say, and what is refused where.
struct LanguageTests {
  static let inputs = "inputs: {a: signed 4, b: unsigned 3}\n"

  /// Values of expressions at a = -3, b = 5.
  @Test(arguments: [
    ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("1 + 2 << 3", 24), ("1 << 3 - 1", 4), ("7 - 2 - 1", 4), ("-a", 3),
    ("- 2 * a", 6), ("a / 2", -2), ("a % 2", 1), ("b / 3", 1), ("a >> 1", -2), ("a << 2", -12), ("0x1f + 0b11", 34),
    ("a < b", 1), ("a >= b", 0), ("a == -3 and b == 5", 1), ("a == 0 or b == 0", 0), ("not a == b", 1), ("not 7", 0),
    ("if(a < 0, 10, 20)", 10), ("min(a, b)", -3), ("max(a, b)", 5), ("abs(a)", 3), ("clamp(b, -1, 2)", 2),
    ("bit(a, 0)", 1), ("bit(a, 7)", 1), ("bits(a, 3, 0)", 13), ("bits(b, 2, 1)", 2), ("signed(b, 3)", -3),
    ("unsigned(a, 4)", 13), ("saturate(4 * b, 4)", 7), ("saturate(4 * a, 4)", -8), ("lod(b)", 2), ("lod(0)", -1),
    ("lod(a)", -1),
    ("sum(i, 1, 3, i * b)", 30), ("sum(i, 3, 1, b)", 0), ("count(i, 0, 2, bit(b, i) == 1)", 2),
    ("all(i, 0, 2, i <= b)", 1), ("any(i, 0, 2, i == b)", 0), ("bitand(a, b)", 5), ("bitor(a, b)", -3),
    ("bitxor(a, b)", -8), ("implies(a > 0, b == 9)", 1), ("t[b]", 15), ("v[1]", -1), ("v[bit(b, 0)]", -1),
    ("f(3)", 9), ("g", 25), ("r(4)", 10),
  ])
  func expressionsMeanWhatTheyShould(_ text: String, _ value: Int) throws {
    let file = try datapath(
      """
      inputs: {a: signed 4, b: unsigned 3, "v[2]": -1 ... 1}
      tables: {t: [10, 11, 12, 13, 14, 15, 16, 17]}
      define: {f(x): x * x, g: f(b), "r(n)": "if(n == 0, 0, n + r(n - 1))"}
      claims: {c: a == a}
      """)
    let model = try FunctionalModel(file, observing: [text])
    #expect(try model.values(at: [-3, 5, 1, -1]) == [value])
  }

  @Test(arguments: [
    ("x: a +", "wrong-expression"), ("x: a == b == 0", "wrong-expression"), ("x: (a", "wrong-expression"),
    ("x: a @ b == 0", "wrong-expression"), ("x: 12x == a", "wrong-expression"), ("x: bit(a) == 0", "wrong-expression"),
    ("x: bit(a, b) == 0", "wrong-expression"), ("x: sum(1, 0, 3, a) == 0", "wrong-expression"),
    ("x: a[0] == 0", "unknown-name"), ("x: c == 0", "unknown-name"), ("x: foo(a) == 0", "unknown-name"),
    ("x: a << b * 20 == 0", "out-of-range"), ("x: 1 << a == 0", "out-of-range"),
    ("x: signed(a, 63) == 0", "out-of-range"),
    ("x: a / 0 == 0", "out-of-range"), ("x: a / b == 0", "wrong-expression"),
    ("x: sum(i, 0, 5000, a) == 0", "out-of-range"),
    ("x: sum(i, 0, 4000, sum(j, 0, 4000, sum(k, 0, 4000, 1))) == 0", "out-of-range"),
  ])
  func refusesWrongStatements(_ claim: String, _ code: String) {
    #expect(codes("\(Self.inputs)claims:\n  \(claim)") == [code])
  }

  @Test(arguments: [
    ("claims: {c: 1 == 1}", ["missing-key"]), ("inputs: {a: signed 4}\nclaims: {}", ["wrong-value"]),
    ("inputs: {a: signed 90}\nclaims: {c: a == 0}", ["out-of-range"]),
    ("inputs: {a: 3 ... 1}\nclaims: {c: a == 0}", ["out-of-range"]),
    ("inputs: {a: four bits}\nclaims: {c: a == 0}", ["wrong-value"]),
    ("inputs: {a(i): signed 4}\nclaims: {c: 1 == 1}", ["wrong-expression"]),
    ("inputs: {a: signed 4}\ntables: {a: [1]}\nclaims: {c: a == 0}", ["duplicate-key"]),
    ("inputs: {abs: signed 4}\nclaims: {c: 1 == 1}", ["wrong-value"]),
    ("inputs: {a: signed 4}\ntables: {t: {\"00\": 1, \"01\": 2}}\nclaims: {c: a == 0}", ["incomplete-table"]),
    ("inputs: {a: signed 4}\ntables: {t: {\"00\": 1, \"1\": 2}}\nclaims: {c: a == 0}", ["wrong-value"]),
    ("inputs: {a: signed 4}\ntables: {t: {format: fp5}}\nclaims: {c: a == 0}", ["unknown-format"]),
    ("inputs: {a: signed 4}\ntables: {t: {format: fp4-e2m1}}\nclaims: {c: a == 0}", ["wrong-value"]),
    ("inputs: {a: signed 4}\ntables: {t: {format: int4, part: outlier}}\nclaims: {c: a == 0}", ["wrong-value"]),
    ("inputs: {a: signed 4}\ntables: {t: {format: fp16}}\nclaims: {c: a == 0}", ["out-of-range"]),
    ("inputs: {a: signed 4}\nparameters: {2x: 3}\nclaims: {c: a == 0}", ["wrong-value"]),
    ("inputs: {a: signed 4}\nclaims: {c: a == 0}\nmutants: {m: {what: x}}", ["missing-key"]),
    ("inputs: {a: signed 4}\nclaims: {c: a == 0}\nextra: 1", ["unknown-key"]),
    ("inputs: {a: signed 4}\nprefer: cvc5\nclaims: {c: a == 0}", ["unknown-value"]),
    ("inputs: {a: signed 4}\ndefine: {f(x): f(x + 1)}\nclaims: {c: f(0) == 0}", ["wrong-expression"]),
    ("inputs: {a: signed 4}\ndefine: {\"f(x, x)\": x}\nclaims: {c: 1 == 1}", ["wrong-expression"]),
    ("inputs: {a: signed 4}\ntables: {t: [1, 2]}\nclaims: {c: \"t[a] == 0\"}", ["out-of-range"]),
  ])
  func refusesWrongFiles(_ body: String, _ expected: [String]) {
    #expect(codes(body) == expected)
  }

  @Test func showsThePlaceInsideAnExpression() throws {
    do throws(DiagnosticError) {
      _ = try datapath("inputs: {a: signed 4}\nclaims:\n  c: a == unknown_thing").prove()
      Issue.record("nothing is wrong")
    } catch {
      #expect(error.diagnostics[0].location.filePosition?.line == 6)
      #expect(error.diagnostics[0].location.filePosition?.column == 11)
      #expect(error.rendered.contains("there is no 'unknown_thing'"))
    }
  }

  @Test func overridesNameParametersAlone() throws {
    let body = "parameters: {width: 4}\ninputs: {a: signed width}\nclaims: {c: a < 8}"
    #expect(try datapath(body).prove().status == .proved)
    #expect(try datapath(body, settings: ["width=5"]).prove().status == .refuted)
    #expect(try datapath(body, settings: ["parameters.width=5"]).prove().status == .refuted)
    let named = "define: {top: 8}\n" + body.replacing("a < 8", with: "a < top")
    #expect(try datapath(named, settings: ["top=7"]).prove().status == .refuted)
    #expect(try datapath(named, settings: ["a=signed 3"]).prove().status == .proved)
    #expect(codes(body, settings: ["widht.x=5"]) == ["unknown-key"])
    #expect(codes(body, settings: ["widht=5"]) == ["unknown-key"])
    #expect(codes(body, settings: ["width"]) == ["wrong-override"])
  }

  @Test func referencePageIsUpToDate() throws {
    let page = DatapathReference.markdown
    let path = "\(repositoryRoot)/Targets/datapaths/README.md"
    if ProcessInfo.processInfo.environment["PANTILE_BLESS"] == "1" { try AtomicFile.write(page, to: path) }
    #expect(try AtomicFile.readText(path) == page, "the language changed: run the tests once with PANTILE_BLESS=1")
  }

  /// The page names all functions, with as many arguments as they take.
  @Test func everyFunctionOfThePageWorks() throws {
    var names: Set<String> = ["and", "or", "not"]
    for (call, _) in DatapathReference.functions {
      names.insert(String(call.prefix { $0 != "(" }))
      let concrete = call.replacing("low, high, e)", with: "0, 2, i)").replacing("low, high, c)", with: "0, 2, i)")
        .replacing("high, low", with: "3, 0").replacing("low, high", with: "0, 3").replacing("x, n)", with: "x, 4)")
        .replacing("bit(x, i)", with: "bit(x, 1)")
      _ = try datapath(
        "inputs: {x: signed 4, y: signed 4, c: unsigned 1, d: unsigned 1}\nclaims:\n  z: \(concrete) == 0"
      ).prove()
    }
    #expect(names == Elaboration.functions)
  }

  /// Chains of definitions as long as a file may have; they must not exhaust the stack.
  @Test func longChainsAreFine() throws {
    let body =
      "inputs: {\"a[500]\": signed 4}\ndefine: {\"s(k)\": \"if(k < 0, 0, saturate(s(k - 1) + a[k], 14))\"}\nclaims: {c: s(499) <= 8000}"
    #expect(try datapath(body).prove().status == .proved)
    #expect(codes(body.replacing("499", with: "499 + 100")) == ["wrong-expression"])
    #expect(
      codes("inputs: {a: signed 4}\nclaims:\n  c: \(String(repeating: "(", count: 500))a") == ["wrong-expression"])
  }

  @Test func baseFilesHoldWhatAFileLeavesOut() throws {
    let file = try DatapathFile(
      text: "name: t\nextends: plain\nparameters: {weight_bits: 3}\n", path: "t.yaml", root: repositoryRoot)
    let datapath = try file.datapath()
    #expect(datapath.name == "t" && datapath.kind == .encoding && datapath.mutants.count == 6)
    #expect(datapath.parameters.first?.value == 3 && datapath.swept.count == 5)
    #expect(throws: DiagnosticError.self) {
      try DatapathFile(text: "name: t\nextends: decoder-e5m2\n", path: "t.yaml", root: repositoryRoot)
    }
    #expect(throws: DiagnosticError.self) { try DatapathFile("no-such-datapath", root: repositoryRoot) }
  }
}
