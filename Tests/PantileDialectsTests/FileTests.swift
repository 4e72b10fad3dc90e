import Foundation
import PantileDialects
import PantileIR
import PantileSupport
import PantileText
import Testing

/// Text files of `Tests/Filetests/{ir,dnn}`: each verifies and round-trips, or fails as its `// ERROR: code line:column`
/// comments say, all of them and in order.
@Suite struct FileTests {
  static let files: [String] = ["ir", "dnn"].flatMap { folder in
    let path = Repository.root.appendingPathComponent("Tests/Filetests/\(folder)").path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { $0.hasSuffix(".mlir") }.sorted().map { "\(folder)/\($0)" }
  }

  @Test(arguments: files)
  func fileDoesWhatItsCommentsSay(_ name: String) throws {
    let url = Repository.root.appendingPathComponent("Tests/Filetests/\(name)")
    let text = try String(contentsOf: url, encoding: .utf8)
    let expected = text.split(separator: "\n").compactMap { line -> String? in
      line.hasPrefix("// ERROR: ") ? String(line.dropFirst("// ERROR: ".count)) : nil
    }
    do throws(DiagnosticError) {
      let module = try Module(verifying: text, path: name)
      #expect(expected.isEmpty, "accepted")
      let generic = try module.print()
      #expect(try Module(verifying: generic, path: name).print() == generic)
      let short = try module.print(.init(form: .short), registry: Dialects.registry)
      #expect(try Module(verifying: short, path: name).print() == generic)
    } catch {
      let found = error.diagnostics.map { diagnostic in
        let place = diagnostic.location.filePosition
        return "\(diagnostic.code) \(place?.line ?? 0):\(place?.column ?? 0)"
      }
      #expect(found == expected, "\(error.rendered)")
      #expect(error.diagnostics.allSatisfy { $0.sourceLine != nil })
    }
  }

  @Test func filesAreThere() { #expect(FileTests.files.count >= 15) }
}
