import ArgumentParser
import Foundation
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

extension TrainingNetwork {
  private struct File: Decodable {
    var classifierInputs: Int
    var convolutions: [[Int]]

    enum CodingKeys: String, CodingKey {
      case classifierInputs = "fc_in"
      case convolutions = "convs"
    }
  }

  /// - Throws: `cannot-read`, `wrong-json`, `unknown-network`, `wrong-shape`.
  static func load(_ name: String, from path: String) throws(DiagnosticError) -> TrainingNetwork {
    let files: [String: File] = try JSONFile.read(path)
    guard let file = files[name] else {
      throw DiagnosticError(
        "unknown-network", "'\(path)' has no network '\(name)'",
        hint: nearestName(to: name, among: files.keys.sorted()).map { "did you mean '\($0)'?" }
          ?? "it has \(files.keys.sorted().joined(separator: ", "))")
    }
    var convolutions: [Convolution] = []
    for (index, numbers) in file.convolutions.enumerated() {
      guard numbers.count == 7, numbers.allSatisfy({ (1...1 << 20).contains($0) }) else {
        throw DiagnosticError(
          "wrong-shape", "convolution \(index) of '\(name)' is \(numbers)",
          hint: "write [Cin, Cout, k, stride, groups, Hin, Hout], all from 1 to 2^20")
      }
      convolutions.append(
        Convolution(
          inputChannels: numbers[0], outputChannels: numbers[1], kernel: numbers[2], stride: numbers[3],
          groups: numbers[4],
          inputSize: numbers[5], outputSize: numbers[6]))
    }
    guard (0...1 << 20).contains(file.classifierInputs) else {
      throw DiagnosticError("wrong-shape", "'\(name)' has fc_in \(file.classifierInputs), it must be in 0 ... 2^20")
    }
    return TrainingNetwork(name: name, convolutions: convolutions, classifierInputs: file.classifierInputs)
  }
}

extension UpdateScheme {
  private struct File: Decodable {
    var schemes: [Entry]
  }

  private struct Entry: Decodable {
    var network: String
    var name: String
    var biases: Int
    var weights: [[Double]]
    var published: Double?

    enum CodingKeys: String, CodingKey {
      case network, name
      case biases = "bias_updated_convs_from_the_end"
      case weights = "weight_updated"
      case published = "extra_kib"
    }
  }

  /// Schemes of a network, all or the one of a name, with the size that the file states.
  /// - Throws: `cannot-read`, `wrong-json`, `unknown-scheme`, `wrong-shape`.
  static func load(
    of network: String, named name: String?, from path: String
  ) throws(DiagnosticError) -> [(scheme: UpdateScheme, published: Double?)] {
    let file: File = try JSONFile.read(path)
    let own = file.schemes.filter { $0.network == network }
    let chosen = own.filter { name == nil || $0.name == name }
    guard !chosen.isEmpty else {
      throw DiagnosticError(
        "unknown-scheme", "'\(path)' has no scheme\(name.map { " '\($0)'" } ?? "") of '\(network)'",
        hint: own.isEmpty ? nil : "it has \(own.map(\.name).joined(separator: ", "))")
    }
    var result: [(scheme: UpdateScheme, published: Double?)] = []
    for entry in chosen {
      var weights: [Weights] = []
      for pair in entry.weights {
        guard pair.count == 2, pair[0] == pair[0].rounded(), abs(pair[0]) < 1e6 else {
          throw DiagnosticError(
            "wrong-shape", "scheme '\(entry.name)' of '\(network)' updates \(pair)", hint: "write [convolution, ratio]")
        }
        weights.append(Weights(convolution: Int(pair[0]), ratio: pair[1]))
      }
      result.append(
        (UpdateScheme(name: entry.name, biasesFromTheEnd: entry.biases, weights: weights), entry.published))
    }
    return result
  }
}

/// JSON files that others write.
private enum JSONFile {
  /// - Throws: `cannot-read`, `wrong-json` with the key that is missing or wrong.
  static func read<Value: Decodable>(_ path: String) throws(DiagnosticError) -> Value {
    let data = try AtomicFile.read(path)
    do {
      return try JSONDecoder().decode(Value.self, from: data)
    } catch let error as DecodingError {
      let (place, reason): ([any CodingKey], String) =
        switch error {
        case .keyNotFound(let key, let context): (context.codingPath, "'\(key.stringValue)' is missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
          (context.codingPath, context.debugDescription)
        @unknown default: ([], "it cannot be read")
        }
      let path = place.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
      throw DiagnosticError(
        "wrong-json", "'\(path.isEmpty ? "the file" : path)': \(reason)", hint: "see pantile train-memory --help")
    } catch {
      throw DiagnosticError("wrong-json", "it is no JSON: \(error)")
    }
  }
}
