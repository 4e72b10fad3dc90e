import PantileSupport
import PantileTarget
import Testing

/// The reference page speaks of the keys that the loader takes.
struct ChipReferenceTests {
  @Test func everyRequiredKeyIsMissedWhenItIsRenamed() throws {
    let parts: [(keys: [ChipReference.Key], prefix: String)] = [
      (ChipReference.chipKeys, ""), (ChipReference.dispatchKeys, "dispatch"), (ChipReference.dramKeys, "dram"),
      (ChipReference.onChipKeys, "spad"),
    ]
    let lines = smallChip.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for part in parts {
      for key in part.keys where key.isRequired {
        let changed = lines.map { line -> String in
          let isHere = part.prefix.isEmpty ? line.hasPrefix("\(key.name):") : line.contains("\(part.prefix):")
          guard isHere else { return line }
          return part.prefix.isEmpty
            ? "x" + line
            : line.replacing("{\(key.name):", with: "{x\(key.name):").replacing(
              ", \(key.name):", with: ", x\(key.name):")
        }
        let text = changed.joined(separator: "\n")
        #expect(text != smallChip, "\(part.prefix).\(key.name)")
        let error = failure { () throws(DiagnosticError) in try chip(text) }
        #expect(error?.codes.contains("missing-key") == true, "\(part.prefix).\(key.name)")
        #expect(error?.rendered.contains("has no key '\(key.name)'") == true, "\(part.prefix).\(key.name)")
      }
    }
  }

  @Test func pageShowsEveryFieldOfEveryFamily() {
    let schemas = testSchemas.values.sorted { $0.family < $1.family }
    let page = ChipReference.markdown(schemas: schemas)
    for schema in schemas {
      #expect(page.contains("### family `\(schema.family)`"))
      for field in schema.fields { #expect(page.contains("| `\(field.key)` |")) }
    }
    #expect(page.contains("| `dataflow` | `ws`, `os` | `ws` | dataflow |"))
  }
}
