import Foundation
import PantileReport
import PantileSupport
import PantileSweep
import PantileTarget

/// The repository's root, found from this file.
let repositoryRoot: String = {
  var url = URL(fileURLWithPath: #filePath)
  for _ in 0..<3 { url.deleteLastPathComponent() }
  return url.path
}()

/// A folder that vanishes with the value.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "pantile-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// What the families of the shipped chips look like, loosely.
let testSchemas: [String: EngineSchema] = {
  func schema(_ family: String, _ fields: [FieldSchema]) -> (String, EngineSchema) {
    (family, EngineSchema(family: family, summary: family, fields: fields))
  }
  let sizes = [
    FieldSchema("rows", .count(1...128), summary: ""), FieldSchema("columns", .count(1...128), summary: ""),
    FieldSchema("dataflow", .choice(["ws", "os"]), default: .choice("ws"), summary: ""),
    FieldSchema("variant", .choice(["serial", "overlapped"]), default: .choice("serial"), summary: ""),
  ]
  let lanes = [
    FieldSchema("lanes", .count(1...1024), summary: ""), FieldSchema("latency", .cycles(0...100), summary: ""),
  ]
  let dma = [
    FieldSchema("direction", .choice(["load", "store", "both"]), summary: ""),
    FieldSchema("link_width", .bytes(1...1024), summary: ""), FieldSchema("outstanding", .count(1...64), summary: ""),
  ]
  return Dictionary(
    uniqueKeysWithValues: [
      schema("systolic", sizes), schema("drain", lanes), schema("vector", lanes), schema("dma", dma),
    ])
}()

/// A report made from a formula instead of a run: fewer cycles and more energy with more rows and a larger scratchpad.
func formulaReport(_ chip: Chip) throws(DiagnosticError) -> RunReport {
  let rows = chip.engine(named: "array0")?.count("rows") ?? 1
  let spad = chip.memory(.scratchpad)?.size.count ?? 1
  guard spad >= 64 << 10 else {
    throw DiagnosticError("does-not-fit", "layer 'conv1' needs 64 KiB but 'spad' has \(spad) B")
  }
  let cycles = 1_000_000 / rows + (1 << 30) / spad
  let energy = Double(rows * rows) * 100 + Double(spad)
  return RunReport(
    version: "0.1.0", model: "formula", modelHash: "0", chip: chip.name, chipHash: chip.hash,
    clockHertz: chip.clock.value, cycles: cycles, seconds: Double(cycles) / chip.clock.value, macs: 1000,
    utilization: 0.5, stalls: .init(),
    energy: .init(
      totalPicojoules: energy, components: .init([("array", energy)]), unmodelled: [], table: "45nm", tableHash: "0",
      confidence: "medium"), peakScratchpadBytes: spad / 2, offchipBytes: 4096, bytes: .init(),
    actions: .init([("mac", rows)]),
    commands: 7, engines: [],
    layers: [layer("conv1", cycles: cycles / 2), layer("conv2", cycles: cycles - cycles / 2)],
    plan: .init(status: "optimal", gaps: .init()), outputs: [])
}

/// What a sweep keeps of it.
func formulaMetrics(_ chip: Chip) throws(DiagnosticError) -> SweepMetrics { SweepMetrics(try formulaReport(chip)) }

/// A layer of the formula.
func layer(_ name: String, cycles: Int) -> RunReport.Layer {
  RunReport.Layer(
    name: name, nodes: [name], kind: "conv2d", engine: "array0", start: 0, cycles: cycles, macs: 500, utilization: 0.5,
    busy: cycles, stalls: .init(), limit: "busy", bytes: .init([("dram_read", 2048)]),
    energy: .init(totalPicojoules: 1, components: .init()), commands: 3)
}

/// What `body` throws; nil when it succeeds.
func failure<Value>(_ body: () throws(DiagnosticError) -> Value) -> DiagnosticError? {
  do {
    _ = try body()
    return nil
  } catch {
    return error
  }
}
