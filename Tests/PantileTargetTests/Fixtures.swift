import Foundation
import PantileSupport
import PantileTarget

/// The repository's root, found from this file.
let repositoryRoot: String = {
  var url = URL(fileURLWithPath: #filePath)
  for _ in 0..<3 { url.deleteLastPathComponent() }
  return url.path
}()

/// What engine families look like here; the real schemas come from the engines' module.
let testSchemas: [String: EngineSchema] = Dictionary(
  uniqueKeysWithValues: [
    EngineSchema(
      family: "systolic", summary: "dense array",
      fields: [
        FieldSchema("rows", .count(1...256), summary: "rows"),
        FieldSchema("columns", .count(1...256), summary: "columns"),
        FieldSchema("dataflow", .choice(["ws", "os"]), default: .choice("ws"), summary: "dataflow"),
        FieldSchema(
          "variant", .choice(["serial", "overlapped"]), default: .choice("overlapped"), summary: "fold overlap"),
      ],
      check: { section in
        guard section.count("rows") * section.count("columns") <= 16_384 else {
          return Diagnostic("out-of-range", "array too large", at: section.location(of: "rows"))
        }
        return nil
      }),
    EngineSchema(
      family: "bitserial", summary: "bit-serial array",
      fields: [
        FieldSchema("rows", .count(1...256), summary: "rows"),
        FieldSchema("columns", .count(1...256), summary: "columns"),
        FieldSchema("dot_width", .powerOfTwo(1...64), summary: "products an element"),
        FieldSchema("encoding", .choice(["booth4"]), default: .choice("booth4"), summary: "terms"),
        FieldSchema("max_weight_bits", .count(2...8), default: .count(8), summary: "widest weight"),
      ]),
    EngineSchema(
      family: "nm", summary: "N:M array",
      fields: [
        FieldSchema("rows", .count(1...256), summary: "rows"),
        FieldSchema("columns", .count(1...256), summary: "columns"),
        FieldSchema("interleave", .count(1...64), summary: "contexts"),
        FieldSchema("adder_latency", .cycles(1...64), summary: "adder"),
        FieldSchema("multiplier_latency", .cycles(1...64), summary: "multiplier"),
        FieldSchema("patterns", .patterns(maximumGroup: 16), summary: "patterns"),
      ]),
    EngineSchema(
      family: "drain", summary: "drain",
      fields: [
        FieldSchema("lanes", .count(1...1024), summary: "lanes"),
        FieldSchema("latency", .cycles(0...1000), summary: "latency"),
      ]),
    EngineSchema(
      family: "vector", summary: "vector",
      fields: [
        FieldSchema("lanes", .count(1...1024), summary: "lanes"),
        FieldSchema("latency", .cycles(0...1000), summary: "latency"),
      ]),
    EngineSchema(
      family: "dma", summary: "DMA",
      fields: [
        FieldSchema("direction", .choice(["load", "store", "both"]), summary: "direction"),
        FieldSchema("link_width", .bytes(1...4096), summary: "bytes a cycle"),
        FieldSchema("outstanding", .count(1...1024), summary: "bursts in flight"),
        FieldSchema("port", .memory, default: .choice("spad"), summary: "memory side"),
        FieldSchema("exclusive", .flag, default: .flag(false), summary: "a flag"),
      ]),
  ].map { ($0.family, $0) })

/// A small valid chip; tests change single lines of it.
let smallChip = """
  name: small
  clock: 1 GHz
  energy: 45nm
  dispatch: {queue_depth: unbounded, loop_overhead: 0 cycles}
  memories:
    dram: {kind: dram, size: 1 GiB, bandwidth: 16 B/cycle, latency: 100 cycles, burst: 64 B, energy: lpddr4}
    spad: {kind: scratchpad, size: 64 KiB, banks: 8, port_width: 16 B, latency: 1 cycle, energy: sram-hp}
    acc: {kind: accumulator, size: 16 KiB, banks: 4, port_width: 64 B, latency: 1 cycle, energy: sram-hp}
  engines:
    array0: {family: systolic, rows: 8, columns: 8}
    dma0: {family: dma, direction: both, link_width: 16 B, outstanding: 4}

  """

/// Loads `text` as a chip; `changes` are textual replacements that must each find their place.
func chip(
  _ text: String = smallChip, changing changes: [(String, String)] = [], overrides: [String] = []
) throws(DiagnosticError) -> Chip {
  var text = text
  for (old, new) in changes {
    precondition(text.contains(old), "'\(old)' is not in the chip text")
    text = text.replacingOccurrences(of: old, with: new)
  }
  return try Chip.parse(
    text, path: "small.yaml", overrides: overrides, schemas: testSchemas, root: repositoryRoot)
}

/// The codes and rendered text of what `body` throws; nil when it succeeds.
func failure<Value>(_ body: () throws(DiagnosticError) -> Value) -> DiagnosticError? {
  do {
    _ = try body()
    return nil
  } catch {
    return error
  }
}
