import PantileConfig
import PantileSupport
import Testing

/// YAML in, nodes with places out.
struct ConfigDocumentTests {
  @Test func locatesValuesAndKeysByLineAndByteColumn() throws {
    let root = try ConfigDocument.parse("a: 1\nb:\n  ünï: [x, 'y']\n", path: "f.yaml")
    let list = try #require(root["b"]?["ünï"])
    #expect(list.location == .file(path: "f.yaml", line: 3, column: 10))
    guard case .sequence(let elements) = list.content else {
      Issue.record("not a list")
      return
    }
    #expect(elements[1].location == .file(path: "f.yaml", line: 3, column: 14))
    #expect(root["b"]?.sourceLine == "  ünï: [x, 'y']")
  }

  @Test func keepsPatternsAndBooleansAsText() throws {
    let root = try ConfigDocument.parse("p: [2:4, 2:8]\nq: 2:4\nr: yes\ns: 0x10\n", path: "f.yaml")
    let issues = Issues()
    #expect(root["p"]?.list("p", issues)?.map(\.kindName) == ["'2:4'", "'2:8'"])
    #expect(root["q"]?.kindName == "'2:4'")
    #expect(root["r"]?.kindName == "'yes'")
    #expect(issues.isEmpty)
  }

  @Test(arguments: [
    ("", "empty-file"),
    ("# only a comment\n", "empty-file"),
    ("a: [1, 2\n", "yaml-syntax"),
    ("a: 1\n b: 2\n", "yaml-syntax"),
    ("a: \"unclosed\n", "yaml-syntax"),
    ("a: 1\n---\nb: 2\n", "yaml-syntax"),
    ("\ta: 1\n", "yaml-syntax"),
    ("a: 1\na: 2\n", "duplicate-key"),
    ("a: 1\n'a': 2\n", "duplicate-key"),
    ("? [1, 2]\n: 3\n", "wrong-type"),
    ("a: &x 1\nb: *x\n", "yaml-alias"),
    ("a: *x\n", "yaml-alias"),
    ("{*x : 1}\n", "yaml-alias"),
    ("<<: *x\n", "yaml-alias"),
    ("%YAML 9.9\n--- a\n", "yaml-syntax"),
    ("a: \u{1}\n", "yaml-syntax"),
  ])
  func refuses(_ text: String, _ code: String) throws {
    let error = try #require(failure { () throws(DiagnosticError) in try ConfigDocument.parse(text, path: "f.yaml") })
    #expect(error.codes == [code], "\(error.rendered)")
    #expect(error.diagnostics[0].location.filePosition?.path == "f.yaml")
  }

  @Test func signsInsideTextAreNotAliases() throws {
    let text = """
      a: "*bold* & more" # *x &y
      b: '&it''s *fine'
      c: 2 * 3 & 4
      d: |
        *block text
        &too
      e: x-*y
      """
    let root = try ConfigDocument.parse(text, path: "f.yaml")
    #expect(root["b"]?.kindName == "'&it's *fine'")
    #expect(root["e"]?.kindName == "'x-*y'")
  }

  @Test func billionLaughsEndsAtOnce() throws {
    var values = "a0: &a0 [x]\n"
    var keys = "a0: &a0 [x]\n"
    for level in 1...30 {
      values += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n"
      keys += "? &a\(level) [*a\(level - 1), *a\(level - 1)]\n: 1\n"
    }
    // The quote inside plain text hides what follows from a naive scan.
    for text in [values, keys, "z: b, \"c\n" + keys] {
      let error = failure { () throws(DiagnosticError) in try ConfigDocument.parse(text, path: "f.yaml") }
      #expect(error?.codes == ["yaml-alias"])
    }
  }

  @Test func deepNestingIsRefusedNotCrashed() {
    for depth in [40, 900, 5_000, 200_000] {
      let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      let error = failure { () throws(DiagnosticError) in try ConfigDocument.parse(text, path: "f.yaml") }
      #expect(error.map { ["nesting-too-deep", "yaml-syntax"].contains($0.codes[0]) } == true)
    }
  }

  @Test func hugeFileIsRefused() {
    let text = "a: " + String(repeating: "x", count: ConfigDocument.maximumBytes)
    #expect(
      failure { () throws(DiagnosticError) in try ConfigDocument.parse(text, path: "f.yaml") }?.codes == [
        "file-too-large"
      ])
  }

  @Test func randomBytesGiveDiagnosticsOnly() {
    var generator = SplitMix64(seed: 7)
    let alphabet = Array("ab:-[]{}#'\"|>?!&* \n\t,0%@`~\\é")
    for _ in 0..<3_000 {
      let text = String((0..<generator.next(below: 40)).map { _ in alphabet[generator.next(below: alphabet.count)] })
      do throws(DiagnosticError) {
        _ = try ConfigDocument.parse(text, path: "f.yaml")
      } catch {
        #expect(!error.diagnostics.isEmpty)
      }
    }
  }
}
