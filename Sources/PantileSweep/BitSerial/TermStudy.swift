import Foundation
import PantileEngines
import PantileReport
import PantileSupport
import PantileTarget
import PantileTensor

/// What skipping terms brings: formats, encodings, scopes and run-ahead on one array, for sets of weights.
public struct TermStudy: Sendable {
  /// Weights of one layer: [n][k].
  public struct Layer: Sendable {
    public var n: Int
    public var k: Int
    public var values: [Double]

    public init(n: Int, k: Int, values: [Double]) {
      self.n = n
      self.k = k
      self.values = values
    }
  }

  /// Weights that are run together.
  public struct WeightSet: Sendable {
    public enum Source: Hashable, Sendable {
      /// A model file or workload.
      case model(String)
      /// Seeded normal weights.
      case gaussian(n: Int, k: Int, seed: UInt64)
    }
    public var name: String
    public var source: Source
    /// Empty until its maker has filled them in.
    public var layers: [Layer]

    public init(name: String, source: Source, layers: [Layer] = []) {
      self.name = name
      self.source = source
      self.layers = layers
    }
  }

  /// A format and the encodings to run it in.
  public struct Formatted: Sendable {
    public var format: NumberFormat
    public var encodings: [TermEncoding]
  }

  /// One point for one set of weights.
  public struct Row: Hashable, Sendable {
    public var weights: String
    public var format: String
    public var encoding: TermEncoding
    public var scope: BitSerialMachine.SyncScope
    public var runAhead: Int
    public var cycles: Int
    /// Without skipping, in the same encoding.
    public var fixedCycles: Int
    /// Of units, work and waiting for one another.
    public var meanStepCycles: Double
    public var meanTerms: Double
    public var energyPicojoules: Double
    /// Signal to quantisation noise over all layers, dB; nil when exact.
    public var signalToNoise: Double?
  }

  public var machine: BitSerialMachine
  public var tokens: Int
  public var chip: String
  public var formats: [Formatted]
  public var scopes: [BitSerialMachine.SyncScope]
  public var runAheads: [Int]
  public var weights: [WeightSet]

  /// All rows, in the order of the study; the same for any number of workers.
  ///
  /// A run-ahead means nothing to elements that wait for nobody: `pe` has one row.
  /// - Parameter chip: prices the actions.
  /// - Throws: `not-serial` and the like, with the set and the format.
  public func rows(chip: Chip, workers: Int) throws(DiagnosticError) -> [Row] {
    struct Job {
      var set: Int
      var format: Int
    }
    let jobs = weights.indices.flatMap { set in formats.indices.map { Job(set: set, format: $0) } }
    let study = self
    return try mapInParallel(count: jobs.count, workers: workers) { index throws(DiagnosticError) in
      try study.rows(of: jobs[index].set, format: jobs[index].format, chip)
    }.flatMap { $0 }
  }

  /// Rows of one set in one format.
  private func rows(of set: Int, format index: Int, _ chip: Chip) throws(DiagnosticError) -> [Row] {
    let formatted = formats[index]
    let set = weights[set]
    let bits = try SerialNumbers.numberRange(of: formatted.format).bits
    var noise = 0.0
    var power = 0.0
    var products: [BitSerialProduct] = []
    for layer in set.layers {
      // Integers in groups, too: all formats of the table have a scale for as many weights.
      var format = formatted.format
      if case .group = format.scheme.granularity, !format.groupIsFixed { format = try format.withGroup(machine.group) }
      let matrix = try QuantisedMatrix(layer.values, rows: layer.n, columns: layer.k, format: format)
      noise += matrix.meanSquaredError * Double(layer.values.count)
      power += layer.values.reduce(0) { $0 + $1 * $1 }
      products.append(
        BitSerialProduct(
          m: tokens, k: layer.k, n: layer.n, activations: [], activationBits: 8,
          weights: try SerialNumbers(matrix).values,
          weightBits: bits, storedWeightBits: format.code.bits))
    }
    let ratio = noise > 0 && power > 0 ? 10 * log10(power / noise) : nil
    var rows: [Row] = []
    for encoding in formatted.encodings {
      for scope in scopes {
        for ahead in scope == .element ? [0] : runAheads {
          var machine = machine
          machine.encoding = encoding
          machine.termPolicy = encoding == .bitColumn ? .skipColumns : .skipTerms
          machine.syncScope = scope
          machine.runAhead = ahead
          var row = Row(
            weights: set.name, format: formatted.format.name, encoding: encoding, scope: scope, runAhead: ahead,
            cycles: 0,
            fixedCycles: 0, meanStepCycles: 0, meanTerms: 0, energyPicojoules: 0, signalToNoise: ratio)
          var actions: [String: Int] = [:]
          var steps = 0
          var numbers = 0
          for product in products {
            let run = machine.run(product)
            row.cycles += run.cycles
            row.fixedCycles += run.fixedCycles
            row.meanStepCycles += Double(run.parts.work + run.parts.sync)
            steps += run.steps * run.units
            row.meanTerms += Double(run.nonzeroTerms)
            numbers += run.serialNumbers
            actions["array.term.int8", default: 0] += run.addedTerms
            actions["array.dot_add", default: 0] += run.accumulations
            actions["spad.read_bytes", default: 0] += (run.weightBitsRead + run.activationBitsRead) / 8
          }
          row.meanStepCycles /= Double(max(1, steps))
          row.meanTerms /= Double(max(1, numbers))
          row.energyPicojoules = chip.energyPicojoules(of: actions, cycles: 0)
          rows.append(row)
        }
      }
    }
    return rows
  }
}
