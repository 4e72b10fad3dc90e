import PantileSupport

/// What updating each part of a network is worth, as measured elsewhere: the input of choosing an update scheme.
///
/// Gains add up, which is the assumption of the method; their unit is the caller's (points of accuracy, say).
public struct UpdateGains: Hashable, Sendable {
  /// Updating the biases of the last `count` convolutions.
  public struct Biases: Hashable, Sendable {
    public var count: Int
    public var gain: Double

    public init(count: Int, gain: Double) {
      self.count = count
      self.gain = gain
    }
  }

  /// Updating the weights of a share of a convolution's input channels.
  public struct Weights: Hashable, Sendable {
    public var convolution: Int
    public var ratio: Double
    public var gain: Double

    public init(convolution: Int, ratio: Double, gain: Double) {
      self.convolution = convolution
      self.ratio = ratio
      self.gain = gain
    }
  }

  public var biases: [Biases]
  public var weights: [Weights]

  public init(biases: [Biases], weights: [Weights]) {
    self.biases = biases
    self.weights = weights
  }

  private struct File: Decodable {
    var biases: [[Double]]
    var weights: [[Double]]
  }

  /// Reads `{"biases": [[count, gain], …], "weights": [[convolution, ratio, gain], …]}`.
  /// - Throws: `cannot-read`, `wrong-json`, `wrong-shape`.
  public static func load(from path: String) throws(DiagnosticError) -> UpdateGains {
    let hint = "write {\"biases\": [[count, gain], ...], \"weights\": [[convolution, ratio, gain], ...]}"
    let file = try JSONFile.decode(
      File.self, from: AtomicFile.read(path), path: path, code: "wrong-json", hint: hint)
    func whole(_ value: Double) -> Bool { value == value.rounded() && (0...1e6).contains(value) }
    for item in file.biases where item.count != 2 || !whole(item[0]) {
      throw DiagnosticError("wrong-shape", "'\(path)' has biases \(item)", hint: hint)
    }
    for item in file.weights where item.count != 3 || !whole(item[0]) {
      throw DiagnosticError("wrong-shape", "'\(path)' has weights \(item)", hint: hint)
    }
    return UpdateGains(
      biases: file.biases.map { Biases(count: Int($0[0]), gain: $0[1]) },
      weights: file.weights.map { Weights(convolution: Int($0[0]), ratio: $0[1], gain: $0[2]) })
  }
}
