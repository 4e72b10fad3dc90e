import Pantile

/// What `run --timing-model scalesim` writes.
struct ScaleSimResult: Encodable {
  struct Layer: Encodable {
    var name: String
    var m: Int
    var k: Int
    var n: Int
    var cycles: Int
    var stalls = 0
    var nativeCycles: Int
    var macs: Int
    /// Percent, as SCALE-Sim defines them. Null where the tool itself divides by zero.
    var overallUtilization: Double?
    var mappingEfficiency: Double?
    var computeUtilization: Double?
    /// Words. These and the shares are not reproduced for sparse filters.
    var ifmapReads: Int?
    var filterReads: Int?
    var ofmapWrites: Int?
    /// Of sparse filters alone: the ratio, and words of storage.
    var pattern: String?
    var storageWords: Double?

    enum CodingKeys: String, CodingKey {
      case name, m, k, n, cycles, stalls, macs
      case nativeCycles = "native_cycles"
      case overallUtilization = "overall_util_percent"
      case mappingEfficiency = "mapping_efficiency_percent"
      case computeUtilization = "compute_util_percent"
      case ifmapReads = "ifmap_sram_reads"
      case filterReads = "filter_sram_reads"
      case ofmapWrites = "ofmap_sram_writes"
      case pattern
      case storageWords = "storage_words"
    }

    init(_ layer: ScaleSimRun.Layer, isSparse: Bool) {
      name = layer.layer.name
      (m, k, n) = (layer.layer.m, layer.layer.k, layer.layer.n)
      cycles = layer.timing.cycles
      nativeCycles = layer.nativeCycles
      macs = layer.macs
      guard !isSparse else {
        pattern = "\(layer.layer.kept):\(layer.layer.group)"
        storageWords = layer.storageWords
        return
      }
      overallUtilization = layer.timing.overallUtilization
      mappingEfficiency = layer.timing.mappingEfficiency
      computeUtilization = layer.timing.computeUtilization
      ifmapReads = layer.timing.ifmapReads
      filterReads = layer.timing.filterReads
      ofmapWrites = layer.timing.ofmapWrites
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(m, forKey: .m)
      try container.encode(k, forKey: .k)
      try container.encode(n, forKey: .n)
      try container.encode(cycles, forKey: .cycles)
      try container.encode(stalls, forKey: .stalls)
      try container.encode(nativeCycles, forKey: .nativeCycles)
      try container.encode(macs, forKey: .macs)
      // Unknown is written as null, so that scripts find the key.
      try container.encode(overallUtilization, forKey: .overallUtilization)
      try container.encode(mappingEfficiency, forKey: .mappingEfficiency)
      try container.encode(computeUtilization, forKey: .computeUtilization)
      try container.encode(ifmapReads, forKey: .ifmapReads)
      try container.encode(filterReads, forKey: .filterReads)
      try container.encode(ofmapWrites, forKey: .ofmapWrites)
      if let pattern {
        try container.encode(pattern, forKey: .pattern)
        try container.encode(storageWords, forKey: .storageWords)
      }
    }
  }

  struct Totals: Encodable {
    var cycles: Int
    var stalls = 0
    var nativeCycles: Int
    var macs: Int
    /// Absent when filters are sparse.
    var ifmapReads: Int?
    var filterReads: Int?
    var ofmapWrites: Int?

    enum CodingKeys: String, CodingKey {
      case cycles, stalls, macs
      case nativeCycles = "native_cycles"
      case ifmapReads = "ifmap_sram_reads"
      case filterReads = "filter_sram_reads"
      case ofmapWrites = "ofmap_sram_writes"
    }
  }

  var schema = "pantile.scalesim/1"
  var version = pantileVersion
  var timingModel = TimingModel.scaleSim.name
  var source = TimingModel.scaleSim.source
  var mode = "CALC"
  var network: String
  var runName: String
  var array: String
  var dataflow: String
  /// The totals once more, where reports of other runs have them.
  var cycles: Int
  var stalls = 0
  var nativeCycles: Int
  var layers: [Layer]
  var totals: Totals
  var warnings: [String]

  enum CodingKeys: String, CodingKey {
    case schema, version
    case timingModel = "timing_model"
    case source, mode, network
    case runName = "run_name"
    case array, dataflow, cycles, stalls
    case nativeCycles = "native_cycles"
    case layers, totals, warnings
  }

  init(_ run: ScaleSimRun, network: String, warnings: [Diagnostic]) {
    self.network = network
    runName = run.config.runName
    array = "\(run.config.rows)x\(run.config.columns)"
    dataflow = run.config.dataflow.rawValue
    cycles = run.totals.cycles
    nativeCycles = run.totals.nativeCycles
    let isSparse = run.config.sparsity != nil
    layers = run.layers.map { Layer($0, isSparse: isSparse) }
    totals = Totals(
      cycles: run.totals.cycles, nativeCycles: run.totals.nativeCycles, macs: run.totals.macs,
      ifmapReads: isSparse ? nil : run.totals.ifmapReads, filterReads: isSparse ? nil : run.totals.filterReads,
      ofmapWrites: isSparse ? nil : run.totals.ofmapWrites)
    self.warnings = warnings.map { "\($0.message) [\($0.code)]" }
  }

  /// For a terminal.
  var text: String {
    func percent(_ value: Double?) -> String { value.map { Table.percent($0 / 100) } ?? "-" }
    func row(_ name: String, _ sizes: [Int], _ cycles: Int, _ native: Int, _ shares: [String]) -> [String] {
      [name] + (sizes.isEmpty ? ["", "", ""] : sizes.map { Table.grouped($0) })
        + [Table.grouped(cycles), Table.grouped(native), Table.signedPercent(cycles, against: native)] + shares
    }
    var rows = layers.map { layer in
      row(
        layer.name, [layer.m, layer.k, layer.n], layer.cycles, layer.nativeCycles,
        [
          percent(layer.overallUtilization), percent(layer.mappingEfficiency),
          percent(layer.computeUtilization),
        ])
    }
    rows.append(row("total", [], cycles, nativeCycles, ["", "", ""]))
    return "\(network) on \(array) \(dataflow), as SCALE-Sim 3.0.0 counts in \(mode) mode; native: a serial array\n\n"
      + Table.text(
        ["layer", "M", "K", "N", "cycles", "native", "differ", "overall util", "mapping", "compute util"], rows)
  }

  /// One line a layer.
  var csv: String {
    var text =
      "layer_index,layer,m,k,n,cycles,stalls,native_cycles,macs,overall_util_percent,mapping_efficiency_percent,"
      + "compute_util_percent,ifmap_sram_reads,filter_sram_reads,ofmap_sram_writes\n"
    for (index, layer) in layers.enumerated() {
      // Names come from a comma-separated file and so hold no comma.
      let counts = [layer.m, layer.k, layer.n, layer.cycles, layer.stalls, layer.nativeCycles, layer.macs]
      let reads = [layer.ifmapReads, layer.filterReads, layer.ofmapWrites]
      let shares = [layer.overallUtilization, layer.mappingEfficiency, layer.computeUtilization]
      text += "\(index),\(layer.name)," + counts.map { "\($0)," }.joined()
      text += shares.map { $0.map { "\($0)," } ?? "," }.joined()
      text += reads.map { $0.map(String.init) ?? "" }.joined(separator: ",") + "\n"
    }
    return text
  }
}
