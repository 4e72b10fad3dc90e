import ArgumentParser
import Pantile

/// `pantile prune`: weights by an N:M pattern.
struct PruneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune", abstract: "Keeps N of each M weights along the input channels.",
    discussion: """
      The array is a matrix [K, N] of inputs by output channels, or convolution weights [O, I, H, W]. Groups of M run along K, or \
      along I at each tap (tap-major, channel-minor). The largest magnitudes stay; of equal ones the lower index. --transposable \
      finds the mask that holds the pattern along inputs and along output channels and keeps the greatest sum, exactly.
      """)

  enum Padding: String, ExpressibleByArgument, CaseIterable {
    /// Channels are filled up at each tap: no group straddles two.
    case tap
    /// The whole reduction is filled up once.
    case k
  }

  /// The encodings of `NMEncoding`.
  enum NMPlaceEncoding: String, ExpressibleByArgument, CaseIterable {
    case index, bitmap, combinatorial

    var value: NMEncoding {
      switch self {
      case .index: return .index
      case .bitmap: return .bitmap
      case .combinatorial: return .combinatorial
      }
    }
  }

  @Option(help: ArgumentHelp("The pattern.", valueName: "N:M")) var pattern: String
  @Option(help: ArgumentHelp("What is filled up to whole groups.", valueName: "tap|k")) var pad = Padding.tap
  @Option(name: .customLong("in"), help: ArgumentHelp("The weights.", valueName: "w.npy")) var input: String
  @Flag(help: "One mask for both directions.") var transposable = false
  @Option(help: ArgumentHelp("How places are written.", valueName: "index|bitmap|combinatorial"))
  var encoding = NMPlaceEncoding.index
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?
  @Option(help: ArgumentHelp("Write the pruned weights, dense, in the shape of the input.", valueName: "y.npy"))
  var out: String?

  func run() throws {
    try OutputFiles.check(json)
    try OutputFiles.check(out)
    guard out != "-" else {
      throw DiagnosticError("cannot-write", "an array cannot go to stdout", hint: "name a file with --out")
    }
    guard let text = PruneNMOptions.NMPatternText(optionText: pattern) else {
      throw DiagnosticError(
        "wrong-pattern", "'\(pattern)' is no sparsity pattern",
        hint: "write N:M as in 2:4, with M in 1, 2, 4, 8, 16, 32")
    }
    let tensor = try NPY.read(input)
    let pruned = try PrunedWeights(
      tensor, pattern: try text.pattern(), padsTaps: pad == .tap, transposable: transposable, name: input)
    var files = OutputFiles()
    if let json { files.add(self.json(pruned).text, to: json) }
    if let out { files.add(NPY.data(of: pruned.dense), to: out) }
    if json != "-" { files.add(self.text(pruned), to: "-") }
    try files.write()
  }

  private func json(_ pruned: PrunedWeights) -> OrderedJSON {
    func rows<T>(_ list: [T], _ make: (T) -> OrderedJSON) -> OrderedJSON {
      .list(
        (0..<pruned.outputs).map { row in
          .list(list[row * pruned.slots..<(row + 1) * pruned.slots].map(make))
        })
    }
    let metadata = pruned.metadata(encoding.value)
    func bytes(ofRow row: Int) -> OrderedJSON {
      let length = metadata.count / pruned.outputs
      return .integers(metadata[row * length..<(row + 1) * length].map { Int($0) })
    }
    return .object([
      .init("schema", .string("pantile.pruned/1")), .init("version", .string(pantileVersion)),
      .init("pattern", .string("\(pruned.pattern)")), .init("pad", .string(pad.rawValue)),
      .init("transposable", .bool(transposable)), .init("shape", .integers(pruned.dense.shape)),
      .init("outputs", .integer(pruned.outputs)), .init("k", .integer(pruned.k)),
      .init("padded_k", .integer(pruned.paddedK)), .init("slots", .integer(pruned.slots)),
      .init("values", rows(pruned.values) { .number($0) }),
      .init("indices", rows(pruned.indices) { .integer(Int($0)) }),
      .init("kept_sum", .number(pruned.keptSum)), .init("total_sum", .number(pruned.totalSum)),
      .init("retained_energy", .number(pruned.retainedEnergy)), .init("nonzeros", .integer(pruned.nonzeros)),
      .init("value_bytes", .integer(pruned.valueBytes)), .init("index_bytes", .integer(pruned.indexBytes)),
      .init("encoding", .string(encoding.rawValue)),
      .init("bits_of_a_group", .integer(encoding.value.bits(pruned.pattern))),
      .init("metadata_bytes", .integer(metadata.count)),
      .init("footprint_bytes", .integer(pruned.valueBytes + metadata.count)),
      .init("metadata", .list((0..<pruned.outputs).map { bytes(ofRow: $0) })),
    ])
  }

  private func text(_ pruned: PrunedWeights) -> String {
    let bytes = Table.grouped(pruned.metadata(encoding.value).count)
    let places: String
    switch encoding {
    case .index: places = "\(bytes) of indices"
    case .bitmap: places = "\(bytes) of bitmaps"
    case .combinatorial: places = "\(bytes) of numbers of sets"
    }
    let kept = pruned.totalSum > 0 ? pruned.keptSum / pruned.totalSum : 1
    return """
      \(input): \(pruned.outputs) output channels of \(pruned.k) inputs, \(pruned.pattern)\(transposable ? " in both directions" : "")
        slots     \(pruned.slots) an output channel, \(Table.grouped(pruned.nonzeros)) nonzeros of \
      \(Table.grouped(pruned.outputs * pruned.slots)) in all
        kept      \(Table.percent(kept)) of the magnitudes, \(Table.percent(pruned.retainedEnergy)) of the energy
        bytes     \(Table.grouped(pruned.valueBytes)) of values, \(places)

      """
  }
}
