import Foundation
import PantileEngines
import PantileProblem
import PantileSupport
import PantileTarget
import PantileTensor
import Testing

@Suite struct ArrayFamilyTests {
  /// A section with these fields over the schema's defaults, as the chip loader makes it.
  static func section(_ family: ArrayFamily, _ fields: [String: FieldValue]) -> EngineSection {
    EngineSection(
      name: "array0", family: family.name,
      values: family.schema.fields.compactMap { field in
        (fields[field.key] ?? field.defaultValue).map { EngineSection.Field(key: field.key, value: $0) }
      })
  }

  static let samples: [(String, [String: FieldValue])] = [
    ("systolic", ["rows": .count(4), "columns": .count(6)]),
    ("systolic", ["rows": .count(4), "columns": .count(6), "dataflow": .choice("os"), "variant": .choice("serial")]),
    ("bitserial", ["rows": .count(4), "columns": .count(6), "dot_width": .count(2), "max_weight_bits": .count(4)]),
    (
      "bitserial",
      ["rows": .count(4), "columns": .count(6), "multiply": .choice("serial-activation"), "encoding": .choice("naf")]
    ),
    ("bitserial", ["rows": .count(4), "columns": .count(6), "dot_width": .count(1), "multiply": .choice("bricks")]),
    (
      "bitserial-broadcast",
      ["rows": .count(4), "columns": .count(6), "sync": .choice("column"), "run_ahead": .count(2)]
    ),
    (
      "bitserial-broadcast",
      [
        "rows": .count(4), "columns": .count(6), "serial": .choice("both"), "encoding": .choice("naf"),
        "term_policy": .choice("fixed"), "variant": .choice("serial"),
      ]
    ),
    (
      "nm",
      [
        "rows": .count(4), "columns": .count(6), "interleave": .count(2), "adder_latency": .cycles(Cycles(3)),
        "patterns": .patterns([SparsityPattern(kept: 2, group: 4)]),
      ]
    ),
    (
      "nm",
      [
        "rows": .count(4), "columns": .count(6), "dataflow": .choice("ws"), "activation_port": .count(16),
        "patterns": .patterns([SparsityPattern(kept: 2, group: 8)]), "variant": .choice("serial"),
      ]
    ),
  ]

  @Test func makesTheArrayThatASectionDescribes() throws {
    let summaries = try Self.samples.map { name, fields in
      let family = try #require(ArrayFamily.all.first { $0.name == name })
      return try ArrayFamily.engine(of: Self.section(family, fields)).summary
    }
    #expect(
      summaries == [
        "systolic 4x6 ws overlapped", "systolic 4x6 os serial", "bitserial 4x6 dot 2 overlapped",
        "bitserial 4x6 dot 4 serial-activation naf overlapped", "bitserial 4x6 dot 1 bricks overlapped",
        "bitserial-broadcast 4x6 dot 4 booth4 skip-zero-terms in step by rows 4 ahead 2 overlapped",
        "bitserial-broadcast 4x6 dot 4 serial both naf fixed serial",
        "nm 4x6 interleave 2 patterns 2:4 latency 0+3 overlapped",
        "nm 4x6 ws patterns 2:8 latency 0+1 serial, a cycle 16 activations",
      ])
  }

  @Test func namesTheNearestFamily() throws {
    let section = EngineSection(name: "array0", family: "sistolic", values: [])
    let error = try #require(throws: DiagnosticError.self) { try ArrayFamily.engine(of: section) }
    #expect(error.codes == ["unknown-family"])
    #expect(error.diagnostics[0].hint == "did you mean 'systolic'?")
  }

  /// Activations are all 8-bit numbers, -128 among them.
  @Test(arguments: ["sign-magnitude", "lod2"]) func activationsNeedACodeForEach(_ encoding: String) throws {
    let section = Self.section(
      .bitSerial,
      [
        "rows": .count(2), "columns": .count(2), "multiply": .choice("serial-activation"),
        "encoding": .choice(encoding),
      ])
    #expect(try #require(ArrayFamily.bitSerial.schema.check(section)).code == "option-conflict")
  }

  @Test func aFamilyFromOutsideIsAListEntry() throws {
    let toy = ArrayFamily(name: "toy", summary: "a systolic array under another name", fields: ArrayFamily.sizeFields) {
      .systolic(SystolicOptions(rows: $0.count("rows"), columns: $0.count("columns")))
    }
    let section = Self.section(toy, ["rows": .count(3), "columns": .count(2)])
    #expect(try ArrayFamily.engine(of: section, among: .all + [toy]).rows == 3)
  }

  @Test func shippedChipsMakeTheirArrays() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    var schemas: [String: EngineSchema] = [:]
    for family in ArrayFamily.all { schemas[family.name] = family.schema }
    // The other engines' fields do not matter here: whatever the shipped files say is taken.
    for (name, fields) in [
      ("drain", ["lanes", "latency"]), ("vector", ["lanes", "latency"]),
      ("dma", ["direction", "link_width", "outstanding"]),
    ] {
      schemas[name] = EngineSchema(
        family: name, summary: name,
        fields: fields.map { key in
          let kind: FieldSchema.Kind =
            switch key {
            case "latency": .cycles(0...1000)
            case "direction": .choice(["load", "store", "both"])
            case "link_width": .bytes(1...4096)
            default: .count(1...4096)
            }
          return FieldSchema(key, kind, summary: key)
        })
    }
    for name in Chip.shippedNames(root: root) {
      let chip = try Chip.load(name, schemas: schemas, root: root)
      let sections = chip.engines.filter { section in ArrayFamily.all.contains { $0.name == section.family } }
      #expect(sections.count == 1, "\(name)")
      for section in sections {
        let engine = try ArrayFamily.engine(of: section)
        // A chip for narrow weights says so.
        let widest = section.family.hasPrefix("bitserial") ? section.count("max_weight_bits") : 8
        let widestFormat = ContractionFormat(weightBits: widest)
        #expect(engine.capability(widestFormat) == .supported, "\(name)")
        let energy = try EnergyTable.load("45nm", root: root)
        let priced = Set(energy.actions.map(\.name))
        let formats =
          [widestFormat]
          + (section.family == "nm" ? [ContractionFormat(pattern: try NMPattern(kept: 2, group: 4))] : [])
        for format in formats {
          for action in engine.actions(TileExtents(m: 20, k: 40, n: 20), format, true) {
            #expect(priced.contains(action.name), "\(name): action '\(action.name)' has no entry in the energy table")
          }
        }
      }
    }
  }

  @Test func refusesFormatsWithReasons() throws {
    let nm = ArrayEngine.nmSparse(NMSparseOptions(rows: 2, columns: 2, patterns: [try NMPattern(kept: 2, group: 4)]))
    let pattern = try NMPattern(kept: 1, group: 4)
    #expect(
      nm.capability(ContractionFormat(activationBits: 4, weightBits: 9, pattern: pattern)).reasons == [
        "activations of 4 bits, the array takes 8",
        "weights of 9 bits, the array takes 2 to 8, each in an 8-bit register",
        "weights sparse 1:4, the array takes dense weights and 2:4",
      ])
    #expect(nm.capability(ContractionFormat(pattern: try NMPattern(kept: 2, group: 4))).isSupported)
    let serial = ArrayEngine.bitSerial(BitSerialOptions(rows: 2, columns: 2, largestWeightBits: 4))
    #expect(serial.capability(.int8).reasons == ["weights of 8 bits, the array takes 2 to 4"])
    #expect(serial.capability(ContractionFormat(weightBits: 3)).isSupported)
    let systolic = ArrayEngine.systolic(SystolicOptions(rows: 2, columns: 2))
    #expect(
      systolic.capability(ContractionFormat(pattern: pattern)).reasons == [
        "weights sparse 1:4, the array takes dense weights"
      ])
  }
}
