import Foundation
import PantileSupport

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
  public static func load(_ name: String, from path: String) throws(DiagnosticError) -> TrainingNetwork {
    let files = try JSONFile.decode(
      [String: File].self, from: AtomicFile.read(path), path: path, code: "wrong-json",
      hint: "see pantile train-memory --help")
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
  public static func load(
    of network: String, named name: String?, from path: String
  ) throws(DiagnosticError) -> [(scheme: UpdateScheme, published: Double?)] {
    let file = try JSONFile.decode(
      File.self, from: AtomicFile.read(path), path: path, code: "wrong-json", hint: "see pantile train-memory --help")
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
