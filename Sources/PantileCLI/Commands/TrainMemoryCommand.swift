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

      --reorder also gives the peak of live bytes in a step with each update behind its gradient, against all updates at the end. \
      --select chooses the scheme of greatest gain within --limit by an integer program; gains: {"biases": [[count, gain], …], \
      "weights": [[conv, ratio, gain], …]}.
      """)

  @Option(help: ArgumentHelp("A network of the shapes.", valueName: "name")) var network: String
  @Option(help: ArgumentHelp("Networks.", valueName: "shapes.json")) var shapes: String
  @Option(help: ArgumentHelp("Update schemes.", valueName: "schemes.json")) var schemes: String?
  @Option(help: ArgumentHelp("One scheme of the file; without it, all of the network.", valueName: "name")) var scheme:
    String?
  @Option(help: ArgumentHelp("Weights and biases of the last n convolutions.", valueName: "n")) var last: Int?
  @Flag(help: "Weights and biases of all convolutions.") var full = false
  @Flag(help: "Peaks of live bytes by the order of updates.") var reorder = false
  @Option(help: ArgumentHelp("--reorder: bits of an element of a gradient.", valueName: "8|16|32")) var gradientBits =
    32
  @Flag(help: "Choose a scheme by --gains within --limit.") var select = false
  @Option(help: ArgumentHelp("--select: the most extra bytes.", valueName: "100KiB")) var limit: String?
  @Option(help: ArgumentHelp("--select: what updating each part is worth.", valueName: "gains.json")) var gains: String?
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?

  func run() throws {
    try OutputFiles.check(json)
    let network = try TrainingNetwork.load(network, from: shapes)
    let selection = try selection(of: network)
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
    if let selection { chosen.append((selection.scheme, nil)) }
    guard !chosen.isEmpty else {
      throw DiagnosticError(
        "missing-scheme", "no update scheme is named", hint: "add --schemes FILE, --last N, --full or --select")
    }
    var results: [TrainMemoryResult] = []
    for item in chosen {
      results.append(
        TrainMemoryResult(
          name: item.scheme.name, memory: try UpdateMemory(item.scheme, of: network), published: item.published,
          graph: reorder ? try UpdateGraph(item.scheme, of: network, gradientBits: gradientBits) : nil))
    }
    if selection != nil { results[results.count - 1].selection = selection }
    var files = OutputFiles()
    if let json { files.add(TrainMemoryResult.json(results, network: network).text, to: json) }
    if json != "-" { files.add(TrainMemoryResult.text(results, network: network), to: "-") }
    try files.write()
    if results.contains(where: { !$0.agrees }) { throw ExitCode.answerIsNo }
  }

  /// The chosen scheme; nil without --select.
  private func selection(of network: TrainingNetwork) throws(DiagnosticError) -> UpdateSelection? {
    guard select else {
      if limit != nil || gains != nil {
        throw DiagnosticError("option-conflict", "--limit and --gains are for choosing a scheme", hint: "add --select")
      }
      return nil
    }
    guard let limit, let gains else {
      throw DiagnosticError(
        "missing-option", "--select needs a limit and gains", hint: "add --limit 100KiB --gains gains.json")
    }
    guard let bytes = byteCount(of: limit), bytes <= ProblemLimit.amount else {
      throw DiagnosticError("wrong-size", "'\(limit)' is no size in bytes", hint: "write --limit 100KiB or 102400")
    }
    return try UpdateSelection(try UpdateGains.load(from: gains), of: network, limitBits: bytes * 8)
  }
}

/// The memory of one scheme.
struct TrainMemoryResult {
  var name: String
  var memory: UpdateMemory
  /// KiB that the file states.
  var published: Double?
  /// When tensors live; nil unless asked for.
  var graph: UpdateGraph?
  /// How the scheme was chosen; nil for a given one.
  var selection: UpdateSelection?

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
    ] + (graph.map(Self.peaks) ?? []) + (selection.map(Self.choice) ?? []) + [
      .init(
        "layers",
        .list(
          memory.layers.map { layer in
            .object([
              .init("conv", .integer(layer.convolution)), .init("masks", Self.bytes(layer.maskBits)),
              .init("biases", Self.bytes(layer.biasBits)), .init("inputs", Self.bytes(layer.inputBits)),
              .init("weights", Self.bytes(layer.weightBits)),
            ])
          }))
    ]
  }

  /// Peaks of the whole step, and of its part from the head on; gradients of weights or all gradients until the end.
  private static func peaks(_ graph: UpdateGraph) -> [OrderedJSON.Entry] {
    let reordered = graph.peak(.immediate)
    let last = graph.peak(.last)
    let all = graph.peak(.allLast)
    let backward = graph.peak(.immediate, backwardOnly: true)
    let backwardLast = graph.peak(.last, backwardOnly: true)
    return [
      .init("peak_bytes", bytes(last.bits)), .init("peak_bytes_reordered", bytes(reordered.bits)),
      .init("ratio", .number(Double(last.bits) / Double(reordered.bits))),
      .init("peak_step", .string(last.step)), .init("peak_step_reordered", .string(reordered.step)),
      .init("peak_bytes_all_gradients", bytes(all.bits)),
      .init("ratio_all_gradients", .number(Double(all.bits) / Double(reordered.bits))),
      .init("backward_peak_bytes", bytes(backwardLast.bits)),
      .init("backward_peak_bytes_reordered", bytes(backward.bits)),
      .init("backward_ratio", .number(Double(backwardLast.bits) / Double(backward.bits))),
    ]
  }

  private static func choice(_ selection: UpdateSelection) -> [OrderedJSON.Entry] {
    [
      .init("gain", .number(selection.gain)), .init("gain_bound", .number(selection.bound)),
      .init("bias_updated_convs_from_the_end", .integer(selection.scheme.biasesFromTheEnd)),
      .init(
        "weight_updated",
        .list(selection.scheme.weights.map { .list([.integer($0.convolution), .number($0.ratio)]) })),
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
      + peaksText(results) + results.compactMap { $0.selection.map(choiceText) }.joined()
  }

  private static func peaksText(_ results: [TrainMemoryResult]) -> String {
    guard results.contains(where: { $0.graph != nil }) else { return "" }
    func kibibytes(_ bits: Int) -> String { Format.fixed(Double(bits) / 8192, 1) }
    var table = TextTable([
      ("scheme", .left), ("in place", .right), ("updates last", .right), ("ratio", .right),
      ("all gradients last", .right),
      ("ratio", .right), ("backward in place", .right), ("updates last", .right), ("ratio", .right),
    ])
    for result in results {
      guard let graph = result.graph else { continue }
      let first = graph.peak(.immediate).bits
      let (last, all) = (graph.peak(.last).bits, graph.peak(.allLast).bits)
      let backward = graph.peak(.immediate, backwardOnly: true).bits
      let backwardLast = graph.peak(.last, backwardOnly: true).bits
      func ratio(_ a: Int, _ b: Int) -> String { Format.fixed(Double(a) / Double(b), 2) }
      table.add([
        result.name, kibibytes(first), kibibytes(last), ratio(last, first), kibibytes(all), ratio(all, first),
        kibibytes(backward), kibibytes(backwardLast), ratio(backwardLast, backward),
      ])
    }
    return "\nKiB live at most in a step, by the order of updates\n\n" + table.text
  }

  private static func choiceText(_ selection: UpdateSelection) -> String {
    let weights = selection.scheme.weights.map { "\($0.convolution) at \($0.ratio)" }.joined(separator: ", ")
    return """

      chosen: biases of the last \(selection.scheme.biasesFromTheEnd) convolutions\(weights.isEmpty ? "" : ", weights of \(weights)"); \
      gain \(selection.gain), no scheme gains more than \(selection.bound) (relaxation); proved optimal

      """
  }
}
