import ArgumentParser
import Pantile

/// `pantile gemm`: one matrix product on a bare array with ideal memory.
struct GemmCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gemm", abstract: "Runs one matrix product on a bare array with ideal memory.",
    discussion: """
      Cycles are exact for the described array. --check steps the register-transfer model on random operands and compares
      sums and cycles; exit code 1 says that they differ.
      """)

  enum SparseMode: String, ExpressibleByArgument, CaseIterable {
    case layerWise = "layer-wise"
    case rowWise = "row-wise"
  }
  enum Engine: String, ExpressibleByArgument, CaseIterable { case systolic, bitserial, nm }

  @Option(help: ArgumentHelp("Rows and columns of the array.", valueName: "RxC")) var array: String?
  @Option(help: "The array family.") var engine: Engine?
  @Option(help: ArgumentHelp("systolic, nm: what stays in the array.", valueName: "ws|os|is")) var dataflow: String?
  @Option(
    help: ArgumentHelp(
      "Whether folds overlap; nm: serial unless said. systolic, ws and is: skewed, too.",
      valueName: "serial|overlapped|skewed"))
  var variant: String?
  @Option(help: "systolic: pipeline stages of an element.") var peLatency: Int?
  @Option(help: ArgumentHelp("nm, scalesim: the sparsity pattern of the weights.", valueName: "N:M")) var pattern:
    String?
  @Option(help: "nm: output channels that an element serves in turn.") var interleave: Int?
  @Option(help: "nm: cycles until a sum can be added to.") var adderLatency: Int?
  @Option(help: "nm: pipeline stages of the multiplier.") var multiplierLatency: Int?
  @Option(help: "nm: activations that enter a cycle; without it, enough.") var activationPort: Int?
  @Option(help: "nm: bits of weights that enter a cycle; without it, enough.") var weightPort: Int?
  @Option(help: "nm: bits of indices that enter a cycle through a port of their own.") var metadataPort: Int?
  @Option(help: "bitserial, nm: bits of a weight.") var weightBits: Int?
  @Option(help: "bitserial: weights whose terms an element adds in a cycle.") var dotWidth: Int?
  @Option(name: .customShort("m"), help: "Rows of the result.") var m: Int?
  @Option(name: .customShort("k"), help: "Length of the sums, before compression.") var k: Int?
  @Option(name: .customShort("n"), help: "Columns of the result.") var n: Int?
  @Flag(help: "Step the array and compare with the plain product.") var check = false
  @Option(help: "Of the operands of a check.") var seed: UInt64 = 1
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?
  @OptionGroup var machine: BitSerialMachineOptions
  @OptionGroup var timing: TimingModelOptions
  @Option(help: "stonne: words a cycle that the memory reads, and writes; without it, enough.") var bandwidth: Int?
  @Option(help: "scalesim: which weights a filter keeps, as that tool has it.") var sparseMode: SparseMode?
  @Option(help: "scalesim, row-wise: weights of a block; filters keep up to half of each.") var block: Int?
  @OptionGroup var chip: ChipOptions
  @OptionGroup var root: RootOptions

  func run() throws {
    try OutputFiles.check(json)
    if let peer = try timing.peer() { return try run(as: peer) }
    if bandwidth != nil {
      throw DiagnosticError(
        "option-conflict", "a bare array has ideal memory, --bandwidth is for --timing-model stonne")
    }
    guard sparseMode == nil, block == nil else {
      throw DiagnosticError(
        "option-conflict", "--sparse-mode and --block are for --timing-model scalesim",
        hint: "our own arrays take --engine nm --pattern N:M")
    }
    if !machine.given.isEmpty { return try runBitSerialMachine() }
    let (m, k, n) = (try size(self.m, "-m"), try size(self.k, "-k"), try size(self.n, "-n"))
    let section = try section()
    let engine = try ArrayFamily.engine(of: section)
    let format = ContractionFormat(weightBits: weightBits ?? 8, pattern: try pattern.map(GemmCommand.pattern))
    let run = try GemmRun.run(
      engine, GemmRun.Options(m: m, k: k, n: n, format: format, seed: seed, check: check))
    var result = GemmResult(run, array: engine.summary, format: format, m: m, k: k, n: n)
    if section.family == ArrayFamily.nmSparse.name {
      result.portStalls = try portStalls(section, GemmRun.Options(m: m, k: k, n: n, format: format), run.cycles)
    }
    var files = OutputFiles()
    if let json { files.add(JSON.text(result), to: json) }
    if json != "-" { files.add(result.text, to: "-") }
    try files.write()
    if let check = run.check, check.mismatches > 0 || check.functionMismatches > 0 || check.steppedCycles != run.cycles
    {
      throw ExitCode.answerIsNo
    }
  }

  /// Cycles that each port costs: those that go when it alone has no limit.
  private func portStalls(
    _ section: EngineSection, _ options: GemmRun.Options, _ cycles: Int
  ) throws(DiagnosticError) -> GemmResult.PortStalls {
    func without(_ key: String) throws(DiagnosticError) -> Int {
      guard section.count(key) > 0 else { return 0 }
      // Indices without a port of their own would load the weights' port.
      let unlimited = key == "metadata_port" ? NMSparseOptions.mostOfPort : 0
      var other = section
      for index in other.values.indices where other.values[index].key == key {
        other.values[index].value = .count(unlimited)
      }
      let engine = try ArrayFamily.engine(of: other)
      return cycles - (try GemmRun.run(engine, options)).cycles
    }
    return GemmResult.PortStalls(
      activation: try without("activation_port"), weight: try without("weight_port"),
      metadata: try without("metadata_port"))
  }

  /// The array of the chip, or one described by the options alone.
  private func section() throws(DiagnosticError) -> EngineSection {
    var texts: [(key: String, text: String)] = []
    if let dataflow { texts.append(("dataflow", dataflow)) }
    if let variant { texts.append(("variant", variant)) }
    if let peLatency { texts.append(("pe_latency", "\(peLatency)")) }
    if let interleave { texts.append(("interleave", "\(interleave)")) }
    if let adderLatency { texts.append(("adder_latency", "\(adderLatency)")) }
    if let multiplierLatency { texts.append(("multiplier_latency", "\(multiplierLatency)")) }
    if let activationPort { texts.append(("activation_port", "\(activationPort)")) }
    if let weightPort { texts.append(("weight_port", "\(weightPort)")) }
    if let metadataPort { texts.append(("metadata_port", "\(metadataPort)")) }
    if let dotWidth { texts.append(("dot_width", "\(dotWidth)")) }
    if chip.chip != nil {
      guard array == nil, engine == nil, texts.isEmpty else {
        throw DiagnosticError(
          "option-conflict", "the chip describes the array; --array, --engine and its fields cannot be given as well",
          hint: "change the chip with --set engines.array0.\(texts.first?.key ?? "rows")=VALUE")
      }
      let loaded = try chip.load(root: root.folder)
      let families = ArrayFamily.all.map(\.name)
      guard let section = loaded.engines.first(where: { families.contains($0.family) }) else {
        throw DiagnosticError("no-array", "chip '\(loaded.name)' has no array")
      }
      return section
    }
    let (rows, columns) = try size()
    texts += [("rows", "\(rows)"), ("columns", "\(columns)")]
    let kind = engine ?? .systolic
    if kind == .nm {
      texts.append(("patterns", pattern ?? "1:1"))
      // The plain formula, fold after fold; chip files overlap unless they say otherwise.
      if variant == nil { texts.append(("variant", FoldVariant.serial.rawValue)) }
    }
    guard let family = ArrayFamily.all.first(where: { $0.name == kind.rawValue }) else {
      preconditionFailure("no array family '\(kind.rawValue)'")
    }
    return try family.section(texts)
  }

  /// A size that has to be given.
  /// - Throws: `missing-size`.
  func size(_ value: Int?, _ option: String) throws(DiagnosticError) -> Int {
    guard let value else {
      throw DiagnosticError("missing-size", "\(option) is not given", hint: "write -m M -k K -n N")
    }
    return value
  }

  /// The rows and columns that `--array` says.
  /// - Throws: `missing-array`, `wrong-array`.
  func size() throws(DiagnosticError) -> (rows: Int, columns: Int) {
    guard let array else {
      throw DiagnosticError("missing-array", "neither --array nor --chip is given", hint: "write --array 8x8")
    }
    let sizes = array.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sizes.count == 2, let rows = sizes[0], let columns = sizes[1] else {
      throw DiagnosticError("wrong-array", "'\(array)' is no array size", hint: "write rows and columns as in 16x16")
    }
    return (rows, columns)
  }

  private static func pattern(_ text: String) throws(DiagnosticError) -> NMPattern {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let kept = parts[0], let group = parts[1] else {
      throw DiagnosticError("wrong-pattern", "'\(text)' is no sparsity pattern", hint: "write --pattern 2:4")
    }
    return try NMPattern(kept: kept, group: group)
  }
}

/// What `gemm --json` writes.
struct GemmResult: Encodable {
  /// Cycles that go when one port has no limit.
  struct PortStalls: Encodable {
    var activation: Int
    var weight: Int
    var metadata: Int

    /// The ports that cost cycles, as text.
    var text: String {
      let parts = [("activations", activation), ("weights", weight), ("indices", metadata)].filter { $0.1 > 0 }
      return parts.map { "\($0.0) \(Table.grouped($0.1))" }.joined(separator: ", ")
    }
  }

  /// A key of `pe_cycles`.
  private struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  var schema = "pantile.gemm/1"
  var version = pantileVersion
  var array: String
  var format: String
  var m: Int
  var k: Int
  var n: Int
  var cycles: Int
  var macs: Int
  var denseMACs: Int
  var utilization: Double
  var activationElements: Int
  var weightBeats: Int
  /// What the PEs do in all cycles: the parts add up to cycles x PEs.
  var peCycles: [(name: String, count: Int)]
  /// `nm` alone.
  var portStalls: PortStalls?
  /// Null without a check.
  var mismatches: Int?
  var steppedCycles: Int?
  /// With the operands of the check, on an array where cycles depend on them.
  var measuredCycles: Int?

  init(_ run: GemmRun, array: String, format: ContractionFormat, m: Int, k: Int, n: Int) {
    self.array = array
    self.format = format.description
    (self.m, self.k, self.n) = (m, k, n)
    cycles = run.cycles
    macs = run.macs
    denseMACs = run.denseMACs
    utilization = run.utilization
    activationElements = run.activationElements
    weightBeats = run.weightBeats
    let parts = run.occupancy
    peCycles = [
      ("work", parts.work), ("adder", parts.adder), ("feed", parts.feed), ("sync", parts.sync), ("load", parts.load),
      ("fill", parts.fill),
      ("drain", parts.drain), ("edge_rows", parts.edgeRows), ("edge_columns", parts.edgeColumns),
      ("edge_depth", parts.edgeDepth),
    ]
    mismatches = run.check.map { $0.mismatches + $0.functionMismatches }
    steppedCycles = run.check?.steppedCycles
    measuredCycles = run.check?.measuredCycles
  }

  enum CodingKeys: String, CodingKey {
    case schema, version, array, format, m, k, n, cycles, macs
    case denseMACs = "dense_macs"
    case utilization
    case activationElements = "activation_elements"
    case weightBeats = "weight_beats"
    case peCycles = "pe_cycles"
    case portStalls = "port_stalls"
    case mismatches
    case steppedCycles = "stepped_cycles"
    case measuredCycles = "measured_cycles"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schema, forKey: .schema)
    try container.encode(version, forKey: .version)
    try container.encode(array, forKey: .array)
    try container.encode(format, forKey: .format)
    try container.encode(m, forKey: .m)
    try container.encode(k, forKey: .k)
    try container.encode(n, forKey: .n)
    try container.encode(cycles, forKey: .cycles)
    try container.encode(macs, forKey: .macs)
    try container.encode(denseMACs, forKey: .denseMACs)
    try container.encode(utilization, forKey: .utilization)
    try container.encode(activationElements, forKey: .activationElements)
    try container.encode(weightBeats, forKey: .weightBeats)
    var parts = container.nestedContainer(keyedBy: Name.self, forKey: .peCycles)
    for (name, count) in peCycles { try parts.encode(count, forKey: Name(stringValue: name)) }
    try container.encodeIfPresent(portStalls, forKey: .portStalls)
    // Unknown is written as null, so that scripts find the keys.
    try container.encode(mismatches, forKey: .mismatches)
    try container.encode(steppedCycles, forKey: .steppedCycles)
    try container.encodeIfPresent(measuredCycles, forKey: .measuredCycles)
  }

  /// For a terminal.
  var text: String {
    var lines = [
      "\(array), \(format), m=\(m) k=\(k) n=\(n)",
      "  cycles        \(Table.grouped(cycles))",
      "  MACs          \(Table.grouped(macs))" + (macs == denseMACs ? "" : " of \(Table.grouped(denseMACs)) dense"),
      "  utilization   \(Table.percent(utilization))",
      "  edge traffic  \(Table.grouped(activationElements)) activations, \(Table.grouped(weightBeats)) weights",
    ]
    if let stalls = portStalls?.text, !stalls.isEmpty {
      lines.append("  port stalls   \(stalls) cycles")
    }
    if let measuredCycles {
      lines.append("  with values   \(Table.grouped(measuredCycles)) cycles, of the operands of the check")
    }
    if let mismatches, let steppedCycles {
      lines.append(
        "  check         \(mismatches) mismatches, \(Table.grouped(steppedCycles)) cycles stepped: "
          + (mismatches == 0 && steppedCycles == measuredCycles ?? cycles ? "equal" : "DIFFERENT"))
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
