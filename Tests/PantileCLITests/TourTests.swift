import Foundation
import Testing

/// The tours of the README and other pages are what the commands print.
struct TourTests {
  /// Blocks ```` ```console ```` of a page: lines with `$ ` are commands, the others their output; `...` stands for any
  /// further lines. A command may end in `  # exit code 1`.
  @Test(arguments: [
    ("README.md", 4), ("Docs/plan.md", 3), ("Docs/compatibility.md", 4), ("Docs/papers/bitmod.md", 1),
    ("Docs/formats.md", 6), ("Docs/training.md", 3), ("Docs/prove.md", 4), ("Docs/engines/bitserial.md", 1),
    ("Docs/widths.md", 1), ("Docs/awq.md", 2), ("Docs/llm.md", 1),
    ("Docs/engines/nm-sparse.md", 4),
  ])
  func pageShowsWhatCommandsPrint(_ page: String, _ least: Int) throws {
    let readme = try Tool.text("\(Tool.root)/\(page)")
    var commands: [(line: String, output: [String])] = []
    var isInside = false
    for line in readme.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("```") {
        isInside = line == "```console"
      } else if isInside, line.hasPrefix("$ ") {
        commands.append((String(line.dropFirst(2)), []))
      } else if isInside, !commands.isEmpty {
        commands[commands.count - 1].output.append(line)
      }
    }
    let tour = commands.filter { $0.line.hasPrefix("pantile ") }
    #expect(tour.count >= least)
    try TemporaryFolder.with { folder in
      // The tour writes into out/, which is not part of the repository.
      for item in tour {
        let parts = item.line.components(separatedBy: "  # exit code ")
        let code = parts.count == 2 ? try #require(Int32(parts[1])) : 0
        var words = parts[0].split(separator: " ").dropFirst().map(String.init)
        words = words.map { $0.hasPrefix("out/") ? "\(folder)/\($0.dropFirst(4))" : $0 }
        let result = try Tool.run(words)
        #expect(result.code == code, "\(item.line): \(result.errors)")
        var lines = result.output.replacing(folder, with: "out").split(separator: "\n").map(String.init)
        var expected = item.output.filter { !$0.isEmpty }
        if expected.last == "..." {
          expected.removeLast()
          lines = Array(lines.prefix(expected.count))
        }
        #expect(lines == expected, "\(item.line)")
      }
    }
  }
}
