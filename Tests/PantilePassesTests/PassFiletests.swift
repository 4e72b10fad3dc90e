import Foundation
import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTensor
import PantileText
import Testing

/// Runs `Tests/Filetests/passes/*.mlir`.
///
/// A file says in comments what to do and what to see: `// PASSES: pipeline`; `// CHECK: text` must occur in the printed
/// module (or in the remarks and errors behind it) in this order; `// CHECK-NEXT: text` in the next line; `// CHECK-NOT: text`
/// must not occur before the next match. `{{.*}}` stands for anything. Cases are separated by `// -----`.
@Suite struct PassFiletests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Filetests/passes")

  static let files: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".mlir") }.sorted()

  @Test func filesAreFound() { #expect(Self.files.count >= 5) }

  @Test(arguments: files)
  func file(_ name: String) throws {
    let text = try String(contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
    for (index, part) in text.components(separatedBy: "// -----").enumerated() {
      let lines = part.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let passes = try #require(directive("PASSES", lines).first, "\(name) part \(index) has no PASSES")
      check(output(part, passes, name), lines, "\(name) part \(index)")
    }
  }

  private func directive(_ key: String, _ lines: [String]) -> [String] {
    lines.compactMap { line in
      guard let range = line.range(of: "// \(key): ") else { return nil }
      return String(line[range.upperBound...]).trimmingCharacters(in: .whitespaces)
    }
  }

  private func output(_ text: String, _ passes: String, _ name: String) -> String {
    do {
      let module = try Module(verifying: text, path: name)
      let outcome = try run(passes, module)
      let printed = try outcome.module.print(.init(form: .short), registry: Dialects.registry)
      return printed + outcome.diagnostics.map(\.rendered).joined(separator: "\n")
    } catch let error as DiagnosticError {
      return error.rendered
    } catch {
      return "\(error)"
    }
  }

  private func check(_ output: String, _ lines: [String], _ label: String) {
    let printed = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var place = 0
    var forbidden: [String] = []
    for line in lines {
      if let text = directive("CHECK-NOT", [line]).first {
        forbidden.append(text)
      } else if let text = directive("CHECK-NEXT", [line]).first {
        #expect(
          place < printed.count && Self.matches(printed[place], text), "\(label): '\(text)' not next in\n\(output)")
        place += 1
      } else if let text = directive("CHECK", [line]).first {
        guard let found = printed[min(place, printed.count)...].firstIndex(where: { Self.matches($0, text) }) else {
          Issue.record("\(label): '\(text)' not found in\n\(output)")
          return
        }
        expectNone(forbidden, printed[place..<found], label, output)
        forbidden = []
        place = found + 1
      }
    }
    expectNone(forbidden, printed[min(place, printed.count)...], label, output)
  }

  private func expectNone(_ texts: [String], _ lines: ArraySlice<String>, _ label: String, _ output: String) {
    for text in texts {
      #expect(!lines.contains { Self.matches($0, text) }, "\(label): '\(text)' found in\n\(output)")
    }
  }

  /// Whether the pieces between `{{.*}}` occur in order.
  private static func matches(_ line: String, _ pattern: String) -> Bool {
    var rest = line[...]
    for piece in pattern.components(separatedBy: "{{.*}}") where !piece.isEmpty {
      guard let range = rest.range(of: piece) else { return false }
      rest = rest[range.upperBound...]
    }
    return true
  }
}
