import Pantile

extension GemmCommand {
  /// One product, counted as another tool counts it.
  func run(as model: TimingModel) throws {
    let question = try question(for: model)
    let cycles = try model.evaluate(question)
    // A model that takes no dataflow has just refused all but its own.
    let dataflow = question.dataflow ?? (model.name == TimingModel.stonne.name ? .outputStationary : .weightStationary)
    let result = PeerGemmResult(
      model, question, dataflow, cycles: cycles,
      nativeCycles: NativeSerialTiming.cycles(question, dataflow: dataflow))
    var files = OutputFiles()
    if let json { files.add(JSON.text(result), to: json) }
    if json != "-" { files.add(result.text, to: "-") }
    try files.write()
  }

  /// The question that the options ask; what other tools have no notion of is refused.
  private func question(for model: TimingModel) throws(DiagnosticError) -> TimingModel.Question {
    let foreign: [(String, Bool)] = [
      ("--engine", engine != nil && engine != .systolic), ("--pattern", pattern != nil),
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
      variant: variant, m: try size(m, "-m"), k: try size(k, "-k"), n: try size(n, "-n"), bandwidth: bandwidth)
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
  /// Of our own array with the same dataflow, one fold after another.
  var nativeCycles: Int
  var macs: Int

  init(
    _ model: TimingModel, _ question: TimingModel.Question, _ dataflow: TimingModel.Dataflow, cycles: Int,
    nativeCycles: Int
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
    case macs
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
  }

  /// For a terminal.
  var text: String {
    let limit = bandwidth.map { ", \($0) words a cycle" } ?? ""
    return """
      \(timingModel), \(array) \(dataflow)\(limit), m=\(m) k=\(k) n=\(n)
        cycles        \(Table.grouped(cycles)) (\(source))
        native        \(Table.grouped(nativeCycles)) (the register-transfer model of a serial array)
        difference    \(Table.signedPercent(cycles, against: nativeCycles))
        MACs          \(Table.grouped(macs))

      """
  }
}
