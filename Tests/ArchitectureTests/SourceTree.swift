import Foundation

/// The repository's files as the architecture tests see them.
enum SourceTree {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  struct File: Sendable {
    /// From the root: `Sources/PantileIR/Module.swift`.
    var path: String
    var lines: [String]

    /// The folder under `Sources`.
    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    var isGenerated: Bool { path.contains("/Generated/") }

    /// Imported modules, in order, whatever attributes or access stand before `import`.
    var imports: [String] {
      lines.compactMap { line in
        let words = line.split(separator: " ")
        guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
          words[..<at].allSatisfy({ $0.hasPrefix("@") || ["public", "package", "internal", "private"].contains($0) })
        else { return nil }
        // `import struct M.T`
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        let name = kinds.contains(words[at + 1]) && at + 2 < words.count ? words[at + 2] : words[at + 1]
        return String(name.prefix { $0 != "." })
      }
    }

    /// The lines without comments and string literals, so that what is said is not taken for what is done.
    var code: [String] {
      var inBlock = false
      var inMultiline = false
      return lines.map { line in
        var result = ""
        var inString = false
        var rest = Substring(line)
        if rest.contains("\"\"\"") {
          defer { inMultiline.toggle() }
          return inMultiline ? "" : String(rest.prefix(upTo: rest.firstRange(of: "\"\"\"")!.lowerBound))
        }
        if inMultiline { return "" }
        while let character = rest.first {
          if inBlock {
            if rest.hasPrefix("*/") {
              inBlock = false
              rest.removeFirst()
            }
          } else if inString {
            if character == "\\" {
              rest.removeFirst()
              if rest.isEmpty { break }
            } else if character == "\"" {
              inString = false
            }
          } else if rest.hasPrefix("//") {
            break
          } else if rest.hasPrefix("/*") {
            inBlock = true
          } else if character == "\"" {
            inString = true
          } else {
            result.append(character)
          }
          rest.removeFirst()
        }
        return result
      }
    }
  }

  /// Every Swift file under `Sources`, sorted by path.
  static let swiftFiles: [File] = {
    let folder = root.appendingPathComponent("Sources")
    let found = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return found.filter { $0.hasSuffix(".swift") }.sorted().map { name in
      let text = (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
      return File(
        path: "Sources/\(name)", lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    }
  }()

  /// The arrows of the fenced block in `Docs/ARCHITECTURE.md`: what each module may import of ours.
  static func documentedArrows() throws -> [String: Set<String>] {
    var arrows: [String: Set<String>] = [:]
    var isInside = false
    for line in try text("Docs/ARCHITECTURE.md").split(separator: "\n") {
      if line.hasPrefix("```") {
        isInside = line == "```arrows"
      } else if isInside, let arrow = line.firstRange(of: "->") {
        let name = line[..<arrow.lowerBound].split(separator: " ").joined()
        arrows[name] = Set(line[arrow.upperBound...].split(separator: " ").map(String.init))
      }
    }
    return arrows
  }

  struct Target {
    var name: String
    var dependencies: Set<String>
    /// Packages' products.
    var products: Set<String>
  }

  /// The targets of `Package.swift` that `module(…)` declares, with their dependencies.
  static func packageTargets() throws -> [Target] {
    let text = try text("Package.swift")
    var targets: [Target] = []
    for piece in text.components(separatedBy: "    module(").dropFirst() {
      let strings = quoted(Substring(piece.prefix(upTo: end(of: piece))))
      guard let name = strings.first?.text else { continue }
      var target = Target(name: name, dependencies: [], products: [])
      for (text, before) in strings.dropFirst() {
        if before.hasSuffix(".product(name: ") {
          target.products.insert(text)
        } else if !before.hasSuffix("package: "), !before.contains("exclude") {
          target.dependencies.insert(text)
        }
      }
      targets.append(target)
    }
    return targets
  }

  /// Where the parenthesis that was open before the text closes.
  private static func end(of text: String) -> String.Index {
    var depth = 1
    for index in text.indices {
      if text[index] == "(" { depth += 1 }
      if text[index] == ")" { depth -= 1 }
      if depth == 0 { return index }
    }
    return text.endIndex
  }

  /// String literals with the text between each and the one before.
  private static func quoted(_ text: Substring) -> [(text: String, before: String)] {
    let parts = text.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
    return stride(from: 1, to: parts.count, by: 2).map { (parts[$0], parts[$0 - 1]) }
  }
}
