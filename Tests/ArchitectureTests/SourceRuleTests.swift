import Foundation
import Testing

/// Rules that every file keeps.
@Suite struct SourceRuleTests {
  @Test func filesAreShort() {
    let long = SourceTree.swiftFiles.filter { !$0.isGenerated && $0.lines.count > 800 }
    #expect(long.map { "\($0.path): \($0.lines.count)" } == [])
  }

  /// What only the command line may do. Spelled in parts, so that this file would pass as well.
  static let forbidden = [
    "get" + "env(", "processInfo." + "environment", "CommandLine." + "arguments", "debug" + "Print(",
    "FileHandle." + "standard", "f" + "puts(", "read" + "Line(", "abort" + "()",
  ]

  @Test func nothingBelowTheCommandLineTouchesTheProcess() {
    var wrong: [String] = []
    for file in SourceTree.swiftFiles where file.module != "PantileCLI" && file.module != "pantile-cli" {
      let code = file.code
      // A type with a method of that name may call it.
      let hasPrint = code.contains { $0.contains("func print(") }
      for (index, line) in code.enumerated() {
        let calls =
          Self.forbidden.contains { line.contains($0) } || Self.calls("exit", in: line)
          || (!hasPrint && Self.calls("print", in: line))
        if calls { wrong.append("\(file.path):\(index + 1): \(line.trimmingCharacters(in: .whitespaces))") }
      }
    }
    #expect(wrong == [])
  }

  /// Whether the line calls the free function, not a method or something that ends in its name.
  static func calls(_ function: String, in line: String) -> Bool {
    for range in line.ranges(of: function + "(") {
      guard let before = line[..<range.lowerBound].last else { return true }
      if before != ".", before != "_", !before.isLetter, !before.isNumber { return true }
    }
    return false
  }

  @Test func findsCallsAndOnlyCalls() {
    #expect(Self.calls("print", in: "  print(x)"))
    #expect(Self.calls("exit", in: "if bad { exit(1) }"))
    #expect(!Self.calls("print", in: "file.print(x)"))
    #expect(!Self.calls("print", in: "fingerprint(x)"))
    let file = SourceTree.File(
      path: "Sources/M/F.swift", lines: ["let a = \"print(1)\" // print(2)", "/* print(3) */ b()"])
    #expect(!file.code.contains { Self.calls("print", in: $0) })
    #expect(file.code.last?.contains("b()") == true)
    let imports = SourceTree.File(
      path: "Sources/M/F.swift",
      lines: ["import A", "public import B", "@_exported import C", "import struct D.E", "// import F"])
    #expect(imports.imports == ["A", "B", "C", "D"])
  }

  /// Tests run in release, where testable imports do not exist.
  @Test func testsUseNoTestableImports() throws {
    let folder = SourceTree.root.appendingPathComponent("Tests")
    let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    let wrong = try names.filter { $0.hasSuffix(".swift") }.filter { name in
      try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8).contains("@test" + "able")
    }
    #expect(wrong == [])
  }
}
