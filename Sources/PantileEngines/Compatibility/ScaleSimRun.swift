import PantileSupport

/// A topology on a configured array, as SCALE-Sim 3.0.0 reports it without stalls, beside what our own array takes.
public struct ScaleSimRun: Hashable, Sendable {
  public struct Layer: Hashable, Sendable {
    public var layer: ScaleSimTopology.Layer
    public var timing: ScaleSimTiming
    public var macs: Int
    /// Cycles of our own array with the same dataflow, one fold after another; of sparse filters on the rows that they keep.
    public var nativeCycles: Int
    /// Words of the sparse filter with its metadata. Nil when dense, and where the tool draws its nonzeros.
    public var storageWords: Double?
  }

  /// Sums over layers.
  public struct Totals: Hashable, Sendable {
    public var cycles = 0
    public var nativeCycles = 0
    public var macs = 0
    public var ifmapReads = 0
    public var filterReads = 0
    public var ofmapWrites = 0
  }

  public var config: ScaleSimConfig
  public var layers: [Layer]
  public var totals: Totals

  /// - Throws: `out-of-range` when a sum exceeds 64 bits.
  public init(_ topology: ScaleSimTopology, on config: ScaleSimConfig) throws(DiagnosticError) {
    self.config = config
    layers = topology.layers.map { layer in
      var question = ScaleSimTopology.question(layer, config)
      let macs = question.macs
      var storageWords: Double?
      if let sparsity = question.sparsity, let storage = config.sparsity?.storage {
        storageWords = sparsity.storageWords(storage, k: question.k, n: question.n)
        question.k = sparsity.rows(k: question.k)
      }
      return Layer(
        layer: layer, timing: ScaleSimTiming(question, dataflow: config.dataflow), macs: macs,
        nativeCycles: NativeSerialTiming.cycles(question, dataflow: config.dataflow), storageWords: storageWords)
    }
    totals = Totals()
    for layer in layers where !totals.add(layer) {
      throw DiagnosticError(
        "out-of-range", "a sum over \(layers.count) layers exceeds 64 bits", at: layer.layer.location)
    }
  }
}

extension ScaleSimRun.Totals {
  /// Adds the counts of a layer; false when a sum no longer fits.
  fileprivate mutating func add(_ layer: ScaleSimRun.Layer) -> Bool {
    var fits = true
    func sum(_ a: Int, _ b: Int) -> Int {
      let (value, overflow) = a.addingReportingOverflow(b)
      if overflow { fits = false }
      return value
    }
    cycles = sum(cycles, layer.timing.cycles)
    nativeCycles = sum(nativeCycles, layer.nativeCycles)
    macs = sum(macs, layer.macs)
    ifmapReads = sum(ifmapReads, layer.timing.ifmapReads)
    filterReads = sum(filterReads, layer.timing.filterReads)
    ofmapWrites = sum(ofmapWrites, layer.timing.ofmapWrites)
    return fits
  }
}
