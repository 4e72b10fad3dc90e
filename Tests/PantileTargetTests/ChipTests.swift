import Foundation
import PantileSupport
import PantileTarget
import Testing

/// Loading, overriding and hashing chips.
struct ChipTests {
  @Test(arguments: ["systolic-16x16", "systolic-32x32", "bitserial-16x16", "nm-16x16"])
  func shippedChipLoadsFromRootAndResolvesToItself(_ name: String) throws {
    let loaded = try Chip.load(name, schemas: testSchemas, root: repositoryRoot)
    #expect(loaded.name == name)
    #expect(loaded.memories.map(\.name) == ["dram", "spad", "acc"])
    #expect(loaded.engines.map(\.name) == ["array0", "drain0", "vector0", "dma0", "dma1"])
    let again = try Chip.parse(
      loaded.resolvedText, path: "resolved.yaml", schemas: testSchemas, root: repositoryRoot)
    #expect(again.hash == loaded.hash)
    #expect(again.resolvedText == loaded.resolvedText)
  }

  @Test func shippedChipsAreListed() {
    let names = Chip.shippedNames(root: repositoryRoot)
    #expect(Set(names).isSuperset(of: ["systolic-16x16", "systolic-32x32", "bitserial-16x16", "nm-16x16"]))
    #expect(names == names.sorted())
  }

  @Test func valuesAreTyped() throws {
    let loaded = try Chip.load("nm-16x16", schemas: testSchemas, root: repositoryRoot)
    let array = try #require(loaded.engine(named: "array0"))
    #expect(array.count("rows") == 16)
    #expect(array.cycles("adder_latency").count >= 1)
    #expect(array.patterns("patterns") == [.init(kept: 2, group: 4), .init(kept: 2, group: 8)])
    let spad = try #require(loaded.memory(.scratchpad))
    #expect(spad.size == Bytes(256 << 10) && spad.banks == 16 && spad.bankSize == Bytes(16 << 10))
    let dram = try #require(loaded.memory(named: "dram"))
    #expect(dram.bandwidth == BytesPerCycle(16) && dram.latency == Cycles(100) && dram.burst == Bytes(64))
    #expect(loaded.clock == Hertz(1e9))
    #expect(loaded.engines(ofFamily: "dma").map { $0.choice("direction") } == ["load", "store"])
  }

  @Test func unknownChipNamesTheNearest() throws {
    let error = try #require(
      failure { () throws(DiagnosticError) in
        try Chip.load("systolic-16x17", schemas: testSchemas, root: repositoryRoot)
      })
    #expect(error.codes == ["unknown-chip"])
    #expect(error.diagnostics[0].hint?.contains("did you mean 'systolic-16x16'?") == true)
  }

  @Test(arguments: ["../../no-such-folder/passwd", "/", "", ".", "a/b", "chips/../systolic-16x16"])
  func oddNamesAreUnknownChips(_ name: String) {
    let error = failure { () throws(DiagnosticError) in
      try Chip.load(name, schemas: testSchemas, root: repositoryRoot)
    }
    #expect(error?.codes == ["unknown-chip"])
  }

  @Test func hashIgnoresNameCommentsLayoutAndWrittenDefaults() throws {
    let base = try chip()
    let same = try chip(changing: [
      ("name: small", "# a comment\nname: other\nsummary: \"text: with colon\""),
      ("rows: 8, columns: 8", "columns: 8, rows: 8, dataflow: ws"), ("queue_depth: unbounded, ", ""),
      ("size: 64 KiB", "size: 65536 B"),
      ("clock: 1 GHz", "clock: 1000 MHz"),
    ])
    #expect(same.hash == base.hash)
    #expect(base.hash.count == 16)
    for change in [
      ("rows: 8", "rows: 4"), ("latency: 100 cycles", "latency: 101 cycles"), ("outstanding: 4", "outstanding: 5"),
    ] {
      #expect(try chip(changing: [change]).hash != base.hash)
    }
  }

  @Test func overridesActLikeEdits() throws {
    let edited = try chip(changing: [("rows: 8", "rows: 32"), ("size: 64 KiB", "size: 128 KiB")])
    let overridden = try chip(overrides: ["engines.array0.rows=32", "memories.spad.size = 128 KiB"])
    #expect(edited.hash == overridden.hash)
    let addition = try chip(overrides: ["engines.array0.dataflow=os"])
    #expect(addition.engines[0].choice("dataflow") == "os")
  }

  @Test(arguments: [
    ("engines.array0.rwos=32", "unknown-key", "did you mean 'rows'?"),
    ("engines.arary0.rows=32", "unknown-key", "did you mean 'array0'?"),
    ("memories.spad.size=128", "missing-unit", "KiB"),
    ("engines.array0.rows=many", "wrong-type", ""),
    ("engines.array0.rows=[1, 2]", "wrong-type", ""),
    ("engines.array0.rows=0", "out-of-range", ""),
    ("engines.array0.rows.x=1", "wrong-type", ""),
    ("rows", "wrong-override", "engines.array0.rows=32"),
    ("=3", "wrong-override", ""),
    ("clock=", "wrong-override", ""),
    ("a..b=1", "wrong-override", ""),
    ("clock=[", "yaml-syntax", ""),
    ("engines=5", "wrong-type", ""),
    ("extends=nm-16x16", "unknown-key", ""),
  ])
  func wrongOverridesAreExplained(_ override: String, _ code: String, _ hint: String) throws {
    let error = try #require(failure { () throws(DiagnosticError) in try chip(overrides: [override]) })
    #expect(error.codes == [code], "\(error.rendered)")
    #expect(hint.isEmpty || error.diagnostics[0].hint?.contains(hint) == true, "\(error.rendered)")
    #expect(error.rendered.contains("--set"))
  }

  @Test func allIndependentErrorsAreReportedAtOnceInFileOrder() throws {
    let error = try #require(
      failure { () throws(DiagnosticError) in
        try chip(
          changing: [
            ("clock: 1 GHz", "clock: fast"), ("size: 64 KiB", "size: 64"), ("rows: 8", "rosw: 8"),
            ("direction: both", "direction: sideways"),
          ])
      })
    #expect(
      error.codes == ["wrong-type", "missing-unit", "missing-key", "unknown-key", "unknown-value"], "\(error.rendered)")
    #expect(error.diagnostics[1].location == .file(path: "small.yaml", line: 7, column: 34))
    #expect(error.diagnostics[3].hint == "did you mean 'rows'?")
  }

  @Test(arguments: [
    ("size: 64 KiB, banks: 8", "size: 100 B, banks: 8", "bank-mismatch"),
    ("banks: 8, port_width: 16 B", "banks: 8, port_width: 16 KiB", "bank-mismatch"),
    ("banks: 8", "banks: 0", "out-of-range"),
    ("size: 64 KiB", "size: 0 KiB", "out-of-range"),
    ("port_width: 16 B", "port_width: 24 B", "wrong-value"),
    ("burst: 64 B", "burst: 48 B", "wrong-value"),
    ("size: 1 GiB", "size: 100 B", "wrong-value"),
    ("kind: accumulator", "kind: cache", "unknown-value"),
    (
      "  acc: {kind: accumulator, size: 16 KiB, banks: 4, port_width: 64 B, latency: 1 cycle, energy: sram-hp}\n", "",
      "missing-memory"
    ),
    ("  acc: {kind: accumulator", "  acc: {kind: scratchpad", "missing-memory"),
    ("energy: lpddr4", "energy: lpdr4", "missing-energy"),
    ("energy: 45nm", "energy: 44nm", "unknown-energy"),
    ("clock: 1 GHz", "clock: 0 Hz", "out-of-range"),
    ("clock: 1 GHz", "clock: 1", "missing-unit"),
    ("clock: 1 GHz\n", "", "missing-key"),
    ("clock: 1 GHz\n", "clock: 1 GHz\ncores: 2\n", "not-supported"),
    ("clock: 1 GHz\n", "clock: 1 GHz\nclokc: 1 GHz\n", "unknown-key"),
    ("family: systolic", "family: sistolic", "unknown-value"),
    ("array0: {family: systolic, rows: 8, columns: 8}", "array0: 7", "wrong-type"),
    ("array0:", "spad:", "duplicate-key"),
    ("name: small", "name: [small]", "wrong-type"),
    ("name: small", "name: 'a b'", "wrong-value"),
    ("array0:", "'0 x':", "wrong-value"),
    ("rows: 8, columns: 8", "rows: 200, columns: 200", "out-of-range"),
    ("outstanding: 4", "outstanding: 4, port: l2", "unknown-value"),
    ("outstanding: 4", "outstanding: 4, exclusive: yes", "unknown-value"),
    ("queue_depth: unbounded", "queue_depth: 8", "not-supported"),
    ("loop_overhead: 0 cycles", "loop_overhead: 3 cycles", "not-supported"),
    ("loop_overhead: 0 cycles", "loop_overhead: 0", "missing-unit"),
    ("dispatch: {queue", "dispatch: {loop_depth: 4, queue", "not-supported"),
    ("port_width: 16 B, latency: 1 cycle", "port_width: 16 B, latency: 2 cycles", "not-supported"),
    ("latency: 100 cycles", "latency: 100", "missing-unit"),
    ("bandwidth: 16 B/cycle, ", "", "missing-key"),
  ])
  func wrongFieldGivesItsCode(_ old: String, _ new: String, _ code: String) throws {
    let error = try #require(failure { () throws(DiagnosticError) in try chip(changing: [(old, new)]) })
    #expect(error.codes.contains(code), "\(error.rendered)")
    #expect(error.diagnostics.allSatisfy { $0.location.filePosition?.path == "small.yaml" }, "\(error.rendered)")
  }

  @Test func messagesNameBothNumbers() throws {
    let error = try #require(
      failure { () throws(DiagnosticError) in try chip(changing: [("size: 64 KiB, banks: 8", "size: 64 KiB, banks: 7")])
      })
    #expect(error.rendered.contains("7 banks do not divide the 64 KiB of memory 'spad' [bank-mismatch]"))
    #expect(error.rendered.contains("small.yaml:7:"))
    #expect(error.rendered.contains("^"))
  }

  @Test(arguments: [
    ("[2:4, 2:4]", "wrong-value"), ("[]", "wrong-value"), ("[4:2]", "out-of-range"), ("[0:4]", "out-of-range"),
    ("[2:64]", "out-of-range"), ("[a:b]", "wrong-type"), ("[2]", "wrong-type"), ("{a: 1}", "wrong-type"),
  ])
  func wrongPatternsAreRefused(_ patterns: String, _ code: String) throws {
    let error = try #require(
      failure { () throws(DiagnosticError) in
        try Chip.load(
          "nm-16x16", overrides: ["engines.array0.patterns=\(patterns)"], schemas: testSchemas, root: repositoryRoot)
      })
    #expect(error.codes == [code], "\(error.rendered)")
  }

  @Test func patternsMayBeWrittenAsText() throws {
    let loaded = try Chip.load(
      "nm-16x16", overrides: ["engines.array0.patterns=2:4, 1:4"], schemas: testSchemas, root: repositoryRoot)
    #expect(loaded.engines[0].patterns("patterns").map(\.description) == ["2:4", "1:4"])
  }

  @Test func extendsMergesOneLevelOnly() throws {
    let folder = NSTemporaryDirectory() + "pantile-extends-\(ProcessInfo.processInfo.processIdentifier)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try AtomicFile.write(smallChip, to: folder + "/base.yaml")
    try AtomicFile.write("extends: base\nname: child\nengines: {array0: {rows: 4}}\n", to: folder + "/child.yaml")
    try AtomicFile.write("extends: child\nname: grandchild\n", to: folder + "/grandchild.yaml")
    try AtomicFile.write(
      "extends: base.yaml\nname: other\nengines: {array0: {family: drain, lanes: 4, latency: 1 cycle}}\n",
      to: folder + "/other.yaml")
    let child = try Chip.load(folder + "/child.yaml", schemas: testSchemas, root: repositoryRoot)
    #expect(child.engines[0].count("rows") == 4 && child.engines[0].count("columns") == 8)
    #expect(child.name == "child")
    let other = try Chip.load(folder + "/other.yaml", schemas: testSchemas, root: repositoryRoot)
    #expect(other.engines[0].family == "drain" && other.engines[0].values.count == 2)
    let error = failure { () throws(DiagnosticError) in
      try Chip.load(folder + "/grandchild.yaml", schemas: testSchemas, root: repositoryRoot)
    }
    #expect(error?.codes == ["nested-extends"])
  }
}
