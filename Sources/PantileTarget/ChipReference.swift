import PantileSupport

/// The reference page of chip files, made from the same values that check them.
public enum ChipReference {
  /// A key of a part of a chip file that is the same for all chips.
  public struct Key: Sendable {
    public var name: String
    public var value: String
    public var isRequired: Bool
    public var summary: String
  }

  /// The keys at the top of a chip file.
  public static let chipKeys: [Key] = [
    Key(name: "name", value: "name", isRequired: true, summary: "how reports call the chip; not part of its hash"),
    Key(name: "summary", value: "text", isRequired: false, summary: "one line about the chip; not part of its hash"),
    Key(
      name: "extends", value: "name or path", isRequired: false,
      summary: "a chip whose keys hold where this file is silent; one level; a section that names another `family` or "
        + "`kind` replaces the whole section"),
    Key(name: "clock", value: "1 kHz ... 100 GHz", isRequired: true, summary: "of all engines and on-chip memories"),
    Key(name: "energy", value: "name or path", isRequired: true, summary: "the energy table, in `Targets/energy`"),
    Key(name: "cores", value: "1", isRequired: false, summary: "number of cores; one is supported"),
    Key(name: "dispatch", value: "mapping", isRequired: false, summary: "the unit that feeds the queues, see below"),
    Key(name: "memories", value: "mapping", isRequired: true, summary: "by name, see below"),
    Key(name: "engines", value: "mapping", isRequired: true, summary: "by name, see below"),
  ]

  /// The keys under `dispatch`.
  public static let dispatchKeys: [Key] = [
    Key(
      name: "queue_depth", value: "`unbounded`", isRequired: false,
      summary: "commands that a queue holds; reserved, a number is refused in this version"),
    Key(
      name: "loop_depth", value: "`unbounded`", isRequired: false,
      summary: "nested loops of a queue's sequencer; reserved, a number is refused in this version"),
    Key(
      name: "loop_overhead", value: "0 cycles", isRequired: false,
      summary: "added for each turn of a loop; reserved, anything else is refused in this version"),
  ]

  /// The keys of a memory of kind `dram`.
  public static let dramKeys: [Key] = [
    Key(name: "kind", value: "`dram`", isRequired: true, summary: "off-chip memory; exactly one"),
    Key(name: "size", value: "size", isRequired: true, summary: "a multiple of `burst`"),
    Key(
      name: "device", value: "name or path", isRequired: false,
      summary: "a file in `Targets/memories`: every burst runs on this DRAM; takes the place of all keys below"),
    Key(
      name: "bandwidth", value: "B/cycle or GB/s", isRequired: true,
      summary: "of the pins, both directions together; kept as an exact fraction of bytes per cycle"),
    Key(name: "latency", value: "cycles or ns", isRequired: true, summary: "from request to first data"),
    Key(name: "burst", value: "size", isRequired: true, summary: "smallest transfer; a power of two"),
    Key(name: "energy", value: "name", isRequired: true, summary: "an entry under `dram` of the energy table"),
  ]

  /// The keys of a memory of kind `scratchpad` or `accumulator`.
  public static let onChipKeys: [Key] = [
    Key(
      name: "kind", value: "`scratchpad`, `accumulator`", isRequired: true,
      summary: "operands and results, or partial sums beside the array; exactly one of each"),
    Key(name: "size", value: "size", isRequired: true, summary: "a multiple of `banks`"),
    Key(
      name: "banks", value: "1 ... 4096", isRequired: true,
      summary: "blocks of equal size, each with a read and a write port; bank = address / (size / banks)"),
    Key(
      name: "port_width", value: "size", isRequired: true,
      summary:
        "bytes of one access, for its energy; a power of two that divides a bank; engines are taken to get the width "
        + "that their timing asks for"),
    Key(
      name: "latency", value: "1 cycle", isRequired: true,
      summary: "of one access; anything else is refused in this version"),
    Key(name: "energy", value: "name", isRequired: true, summary: "an entry under `sram` of the energy table"),
  ]

  /// The page, for `Targets/README.md`; `schemas` in the order in which families are shown.
  public static func markdown(schemas: [EngineSchema]) -> String {
    var text = """
      # Chips, memories and energy tables

      <!-- Generated from the field definitions. Do not edit; `PANTILE_BLESS=1 make test` writes it anew. -->

      `chips/NAME.yaml` describes a machine, `energy/NAME.yaml` what its actions cost. The folder is the list: a file put there is found
      by name (`--chip NAME`), any other by path. The shipped chips are reference designs of Pantile's own. `memories/NAME.yaml` describes a
      DRAM burst by burst (`pantile dram --memory NAME`). `datapaths/NAME.yaml` says what `pantile prove` proves
      ([their language](datapaths/README.md)).

      Units are mandatory where there is one: sizes `B KiB MiB GiB TiB kB MB GB`, clocks `Hz kHz MHz GHz`, times `cycles` or
      `ps ns us ms` (turned into cycles, rounded up), bandwidths `B/cycle` or `B/s ... TB/s` (divided by the clock, exactly). Unknown keys,
      keys written twice, anchors and aliases are errors. `--set PATH=VALUE` overrides one value: `--set engines.array0.rows=32`.


      """
    text += "## Chip\n\n" + table(chipKeys)
    text += "\n## `dispatch`\n\n" + table(dispatchKeys)
    text += "\n## `memories.NAME`, kind `dram`\n\n" + table(dramKeys)
    text += "\n## `memories.NAME`, kinds `scratchpad` and `accumulator`\n\n" + table(onChipKeys)
    text += "\n## `engines.NAME`\n\nEvery engine has the key `family`; the others are the family's.\n"
    for schema in schemas {
      text += "\n### family `\(schema.family)`\n\n\(capitalised(schema.summary)).\n\n"
      text += "| key | value | default | meaning |\n|---|---|---|---|\n"
      for field in schema.fields {
        let value = field.defaultValue.map { "`\($0)`" } ?? "required"
        text += "| `\(field.key)` | \(describe(field.kind)) | \(value) | \(field.summary) |\n"
      }
    }
    text += memorySections
    text += """

      ## Energy tables

      | key | meaning |
      |---|---|
      | `name`, `summary` | of the table |
      | `sources` | id and reference of every source |
      | `entries` | fixed costs: `energy` (pJ, fJ, nJ), `node`, `source`, `confidence` (`high`: read in the source, `medium`: quoted or modelled, `low`: re-read before use), `note` |
      | `dram` | cost of a bit over the pins (`pJ/bit`), by the `energy` key of a dram memory |
      | `sram` | measured tables (`table`, `cells`, `node`, `source`, `confidence`), interpolated over size and port width, by the `energy` key of an on-chip memory |
      | `actions` | what engines count, as sums of entries and of memory accesses (`accumulator.read_byte: 4`), or `unmodelled` |
      | `unmodelled` | what the table leaves out; every report repeats it |

      """
    return text
  }

  static func table(_ keys: [Key]) -> String {
    var text = "| key | value | required | meaning |\n|---|---|---|---|\n"
    for key in keys {
      text += "| `\(key.name)` | \(key.value) | \(key.isRequired ? "yes" : "no") | \(key.summary) |\n"
    }
    return text
  }

  private static func describe(_ kind: FieldSchema.Kind) -> String {
    func words(_ choices: [String]) -> String { choices.map { "`\($0)`" }.joined(separator: ", ") }
    switch kind {
    case .count(let range): return "\(range.lowerBound) ... \(range.upperBound)"
    case .powerOfTwo(let range): return "power of two, \(range.lowerBound) ... \(range.upperBound)"
    case .cycles(let range): return "\(range.lowerBound) ... \(range.upperBound) cycles, or a time"
    case .bytes(let range): return "size, \(Bytes(range.lowerBound)) ... \(Bytes(range.upperBound))"
    case .bandwidth: return "B/cycle or GB/s"
    case .choice(let choices): return words(choices)
    case .choices(let choices): return "list of \(words(choices))"
    case .flag: return "`true`, `false`"
    case .patterns(let maximum): return "list of N:M patterns, groups up to \(maximum)"
    case .memory: return "name of a memory"
    }
  }

  private static func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}
