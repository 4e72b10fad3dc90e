import ArgumentParser
import Pantile

/// The chip and changes to it.
struct ChipOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A shipped chip's name or a YAML file.", valueName: "name|file"))
  var chip: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Changes a field of the chip: engines.array0.rows=32. May be repeated.", valueName: "key=value"))
  var settings: [String] = []

  /// Loads the chip.
  /// - Throws: what loading throws; `missing-chip` when none is named.
  func load(root: String?, extraSettings: [String] = []) throws(DiagnosticError) -> Chip {
    guard let chip else {
      let names = Chip.shippedNames(root: root)
      throw DiagnosticError(
        "missing-chip", "no chip is named",
        hint: "add --chip NAME" + (names.isEmpty ? "" : "; shipped: \(names.joined(separator: ", "))"))
    }
    return try Chip.load(chip, overrides: settings + extraSettings, schemas: Machine.schemas(), root: root)
  }
}
