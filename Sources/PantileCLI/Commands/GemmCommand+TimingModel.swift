import Pantile

extension GemmCommand {
  /// One product, counted as another tool counts it.
  func run(as model: TimingModel) throws {
    let question = try question(for: model)
    let cycles = try model.evaluate(question)
    // A model that takes no dataflow has just refused all but its own.
    let dataflow = question.dataflow ?? (model.name == TimingModel.stonne.name ? .outputStationary : .weightStationary)
    let native = try nativeCycles(question, dataflow)
    var result = PeerGemmResult(model, question, dataflow, cycles: cycles, nativeCycles: native)
    if let sparsity = question.sparsity {
      result.pattern = "\(sparsity.kept):\(sparsity.group)"
      result.block = sparsity.block
      result.storageWords = ScaleSimSparsity.Storage.allCases.map {
        ($0.rawValue, sparsity.storageWords($0, k: question.k, n: question.n))
      }
    }
    var files = OutputFiles()
    if let json { files.add(JSON.text(result), to: json) }
    if json != "-" { files.add(result.text, to: "-") }
    try files.write()
  }

  /// Of our own serial array with the same dataflow: an N:M array when weights are sparse.
  private func nativeCycles(
    _ question: TimingModel.Question, _ dataflow: TimingModel.Dataflow
  ) throws(DiagnosticError) -> Int? {
    guard let sparsity = question.sparsity else { return NativeSerialTiming.cycles(question, dataflow: dataflow) }
    // Row by row, the tool has no ratio that our array could take; others it cannot hold.
    guard sparsity.block == nil, let own = NMSparseOptions.Dataflow(rawValue: dataflow.rawValue),
      let pattern = try? NMPattern(kept: sparsity.kept, group: sparsity.group),
      own == .outputStationary || pattern.kept <= question.rows
    else { return nil }
    let array = ArrayEngine.nmSparse(
      NMSparseOptions(
        rows: question.rows, columns: question.columns, dataflow: own, patterns: [pattern], variant: .serial))
    let groups = (question.k + pattern.group - 1) / pattern.group
    return array.timing(
      TileExtents(m: question.m, k: groups * pattern.group, n: question.n), ContractionFormat(pattern: pattern)
    ).duration
  }

  /// The sparse filters that the options describe.
  private func sparsity() throws(DiagnosticError) -> ScaleSimSparsity? {
    let isRowWise = sparseMode == .rowWise
    guard let pattern else {
      guard sparseMode == nil, block == nil else {
        throw DiagnosticError(
          "option-conflict", "--sparse-mode and --block are for sparse filters, --pattern is missing",
          hint: "write --pattern N:M; of row-wise filters M sets the metadata")
      }
      return nil
    }
    guard (block != nil) == isRowWise else {
      throw DiagnosticError(
        "option-conflict",
        isRowWise ? "row-wise filters need --block" : "--block is for --sparse-mode row-wise",
        hint: isRowWise ? "write --block 4" : "leave it out, or add --sparse-mode row-wise")
    }
    let parts = pattern.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let kept = parts[0], let group = parts[1], kept > 0, kept <= group, group <= 1 << 16 else {
      throw DiagnosticError(
        "wrong-pattern", "'\(pattern)' is no ratio N:M of kept weights", hint: "write --pattern 2:4")
    }
    guard block ?? 1 > 0 else { throw DiagnosticError("out-of-range", "--block is \(block ?? 0), it must be positive") }
    return ScaleSimSparsity(kept: kept, group: group, block: block)
  }

  /// The question that the options ask; what other tools have no notion of is refused.
  private func question(for model: TimingModel) throws(DiagnosticError) -> TimingModel.Question {
    let foreign: [(String, Bool)] = [
      ("--engine", engine != nil && engine != .systolic),
      ("--pattern", pattern != nil && model.name != TimingModel.scaleSim.name),
      ("--sparse-mode", sparseMode != nil && model.name != TimingModel.scaleSim.name),
      ("--block", block != nil && model.name != TimingModel.scaleSim.name),
      ("--interleave", interleave != nil), ("--adder-latency", adderLatency != nil),
      ("--multiplier-latency", multiplierLatency != nil), ("--activation-port", activationPort != nil),
      ("--weight-port", weightPort != nil), ("--metadata-port", metadataPort != nil),
      ("--dot-width", dotWidth != nil),
      ("--weight-bits", weightBits != nil), ("--check", check), ("--set", !chip.settings.isEmpty),
    ]
    let unknown = foreign.filter(\.1).map(\.0) + machine.given
    guard unknown.isEmpty else {
      throw DiagnosticError(
        "not-modelled", "the timing model '\(model.name)' has no \(unknown.joined(separator: ", "))",
        hint: "leave it out, or take --timing-model native")
    }
    var question = TimingModel.Question(
      rows: 0, columns: 0, dataflow: try dataflow.map { text throws(DiagnosticError) in try .init(text) },
      variant: variant, m: try size(m, "-m"), k: try size(k, "-k"), n: try size(n, "-n"), bandwidth: bandwidth,
      sparsity: try sparsity())
    if let file = chip.chip {
      guard file.hasSuffix(".cfg") else {
        throw DiagnosticError(
          "not-modelled", "the timing model '\(model.name)' counts for an array, not for the chip '\(file)'",
          hint: "write --array RxC --dataflow \(TimingModel.Dataflow.allCases.map(\.rawValue).joined(separator: "|"))")
      }
      guard array == nil, dataflow == nil else {
        throw DiagnosticError("option-conflict", "'\(file)' describes the array; --array and --dataflow do too")
      }
      let config = try ScaleSimConfig(try AtomicFile.readText(file), path: file)
      (question.rows, question.columns, question.dataflow) = (config.rows, config.columns, config.dataflow)
    } else {
      (question.rows, question.columns) = try size()
    }
    return question
  }
}

/// What `gemm --timing-model MODEL --json` writes for another tool's model.
struct PeerGemmResult: Encodable {
  var schema = "pantile.gemm-peer/1"
  var version = pantileVersion
  var timingModel: String
  var source: String
  var array: String
  var dataflow: String
  var m: Int
  var k: Int
  var n: Int
  /// Words a cycle; null when never the limit.
  var bandwidth: Int?
  /// As the tool reports them.
  var cycles: Int
  /// Of our own array with the same dataflow, one fold after another; null where there is none.
  var nativeCycles: Int?
  var macs: Int
  /// Sparse filters alone: the ratio, the block of the row-wise mode, and words of storage by format.
  var pattern: String?
  var block: Int?
  var storageWords: [(format: String, words: Double?)]?

  /// A key of `storage_words`.
  private struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(
    _ model: TimingModel, _ question: TimingModel.Question, _ dataflow: TimingModel.Dataflow, cycles: Int,
    nativeCycles: Int?
  ) {
    timingModel = model.name
    source = model.source
    array = "\(question.rows)x\(question.columns)"
    self.dataflow = dataflow.rawValue
    (m, k, n) = (question.m, question.k, question.n)
    bandwidth = question.bandwidth
    self.cycles = cycles
    self.nativeCycles = nativeCycles
    macs = question.macs
  }

  enum CodingKeys: String, CodingKey {
    case schema, version
    case timingModel = "timing_model"
    case source, array, dataflow, m, k, n, bandwidth, cycles
    case nativeCycles = "native_cycles"
    case macs, pattern, block
    case storageWords = "storage_words"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schema, forKey: .schema)
    try container.encode(version, forKey: .version)
    try container.encode(timingModel, forKey: .timingModel)
    try container.encode(source, forKey: .source)
    try container.encode(array, forKey: .array)
    try container.encode(dataflow, forKey: .dataflow)
    try container.encode(m, forKey: .m)
    try container.encode(k, forKey: .k)
    try container.encode(n, forKey: .n)
    // Unknown is written as null, so that scripts find the key.
    try container.encode(bandwidth, forKey: .bandwidth)
    try container.encode(cycles, forKey: .cycles)
    try container.encode(nativeCycles, forKey: .nativeCycles)
    try container.encode(macs, forKey: .macs)
    try container.encodeIfPresent(pattern, forKey: .pattern)
    try container.encodeIfPresent(block, forKey: .block)
    if let storageWords {
      var words = container.nestedContainer(keyedBy: Name.self, forKey: .storageWords)
      for (format, count) in storageWords { try words.encode(count, forKey: Name(stringValue: format)) }
    }
  }

  /// For a terminal.
  var text: String {
    let limit = bandwidth.map { ", \($0) words a cycle" } ?? ""
    let filters = pattern.map { ", " + $0 + (block.map { " row-wise in blocks of \($0)" } ?? "") } ?? ""
    let own = pattern == nil ? "the register-transfer model of a serial array" : "our N:M array, serial"
    var lines = [
      "\(timingModel), \(array) \(dataflow)\(limit)\(filters), m=\(m) k=\(k) n=\(n)",
      "  cycles        \(Table.grouped(cycles)) (\(source))",
    ]
    if let nativeCycles {
      lines += [
        "  native        \(Table.grouped(nativeCycles)) (\(own))",
        "  difference    \(Table.signedPercent(cycles, against: nativeCycles))",
      ]
    }
    lines.append("  MACs          \(Table.grouped(macs))")
    if let storageWords {
      let parts = storageWords.compactMap { item in item.words.map { "\(item.format) \(Format.fixed($0, 2))" } }
      lines.append("  filter words  \(parts.joined(separator: ", "))")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
