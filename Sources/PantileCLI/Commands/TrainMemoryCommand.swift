import ArgumentParser
import Pantile

/// `pantile train-memory`: what a training step on the device keeps beyond inference.
struct TrainMemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-memory",
    abstract: "Counts the memory of sparse updates on the device, beyond that of inference.",
    discussion: """
      Shapes: a JSON object of networks {"fc_in": n, "convs": [[Cin, Cout, k, stride, groups, Hin, Hout], …]}. Schemes: a JSON object \
      with "schemes": [{"network", "name", "bias_updated_convs_from_the_end", "weight_updated": [[conv, ratio], …]}, …]; an \
      "extra_kib" in it is compared with (exit code 1 when it is off by more than 0.01).
      """)

  @Option(help: ArgumentHelp("A network of the shapes.", valueName: "name")) var network: String
  @Option(help: ArgumentHelp("Networks.", valueName: "shapes.json")) var shapes: String
  @Option(help: ArgumentHelp("Update schemes.", valueName: "schemes.json")) var schemes: String?
  @Option(help: ArgumentHelp("One scheme of the file; without it, all of the network.", valueName: "name")) var scheme:
    String?
  @Option(help: ArgumentHelp("Weights and biases of the last n convolutions.", valueName: "n")) var last: Int?
  @Flag(help: "Weights and biases of all convolutions.") var full = false
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?

  func run() throws {
    try OutputFiles.check(json)
    let network = try TrainingNetwork.load(network, from: shapes)
    var chosen: [(scheme: UpdateScheme, published: Double?)] = []
    if let schemes { chosen += try UpdateScheme.load(of: network.name, named: scheme, from: schemes) }
    if let last {
      guard (0...network.convolutions.count).contains(last) else {
        throw DiagnosticError(
          "out-of-range", "--last is \(last), '\(network.name)' has \(network.convolutions.count) convolutions")
      }
      chosen.append((.last(last, of: network), nil))
    }
    if full { chosen.append((.last(network.convolutions.count, of: network), nil)) }
    guard !chosen.isEmpty else {
      throw DiagnosticError(
        "missing-scheme", "no update scheme is named", hint: "add --schemes FILE, --last N or --full")
    }
    var results: [TrainMemoryResult] = []
    for item in chosen {
      results.append(
        TrainMemoryResult(
          name: item.scheme.name, memory: try UpdateMemory(item.scheme, of: network), published: item.published))
    }
    var files = OutputFiles()
    if let json { files.add(TrainMemoryResult.json(results, network: network).text, to: json) }
    if json != "-" { files.add(TrainMemoryResult.text(results, network: network), to: "-") }
    try files.write()
    if results.contains(where: { !$0.agrees }) { throw ExitCode.answerIsNo }
  }
}

/// The memory of one scheme.
struct TrainMemoryResult {
  var name: String
  var memory: UpdateMemory
  /// KiB that the file states.
  var published: Double?

  var kibibytes: Double { Double(memory.total) / 8 / 1024 }
  var agrees: Bool { published.map { abs($0 - kibibytes) <= 0.01 } ?? true }

  private static func bytes(_ bits: Int) -> OrderedJSON {
    bits % 8 == 0 ? .integer(bits / 8) : .number(Double(bits) / 8)
  }

  private var entries: [OrderedJSON.Entry] {
    let parts: [(String, Int)] = [
      ("classifier_input", memory.classifierInputBits), ("masks", memory.maskBits), ("biases", memory.biasBits),
      ("inputs", memory.inputBits), ("weights", memory.weightBits),
    ]
    return [
      .init("extra_bytes", Self.bytes(memory.total)), .init("extra_kib", .number(kibibytes)),
      .init("published_kib", published.map { .number($0) } ?? .null),
      .init("parts", .object(parts.map { .init($0.0, Self.bytes($0.1)) })),
      .init(
        "layers",
        .list(
          memory.layers.map { layer in
            .object([
              .init("conv", .integer(layer.convolution)), .init("masks", Self.bytes(layer.maskBits)),
              .init("biases", Self.bytes(layer.biasBits)), .init("inputs", Self.bytes(layer.inputBits)),
              .init("weights", Self.bytes(layer.weightBits)),
            ])
          })),
    ]
  }

  /// One scheme stands at the top as well, for scripts that ask for one.
  static func json(_ results: [TrainMemoryResult], network: TrainingNetwork) -> OrderedJSON {
    var entries: [OrderedJSON.Entry] = [
      .init("schema", .string("pantile.train-memory/1")), .init("version", .string(pantileVersion)),
      .init("network", .string(network.name)),
    ]
    if results.count == 1 { entries += [.init("scheme", .string(results[0].name))] + results[0].entries }
    entries.append(.init("schemes", .list(results.map { .object([.init("name", .string($0.name))] + $0.entries) })))
    return .object(entries)
  }

  static func text(_ results: [TrainMemoryResult], network: TrainingNetwork) -> String {
    func kibibytes(_ bits: Int) -> String { Format.fixed(Double(bits) / 8192, 2) }
    var table = TextTable([
      ("scheme", .left), ("KiB", .right), ("published", .right), ("classifier", .right), ("masks", .right),
      ("biases", .right), ("inputs", .right), ("weights", .right),
    ])
    for result in results {
      let memory = result.memory
      table.add([
        result.name, kibibytes(memory.total), result.published.map { Format.fixed($0, 2) } ?? "-",
        kibibytes(memory.classifierInputBits), kibibytes(memory.maskBits), kibibytes(memory.biasBits),
        kibibytes(memory.inputBits), kibibytes(memory.weightBits),
      ])
    }
    return "\(network.name), \(network.convolutions.count) convolutions; KiB beyond inference\n\n" + table.text
  }
}
