import PantileEngines
import PantileReport
import PantileSupport

/// Models, contexts, tasks and arrays that are set against each other: each model with each context, task and array is
/// a row.
public struct BitMoDStudy: Sendable {
  /// An array, and what it costs.
  public struct Configuration: Sendable {
    public var name: String
    /// The tasks it is meant for; all when nil.
    public var tasks: Set<BitMoDTask>?
    public var array: BitMoDArray
    /// Storage bits of a weight in single models, where they differ from the array's.
    public var bitsOfModel: [String: Double]
    /// Energy of a synthesised PE in a cycle; without it, no energies are told.
    public var perPE: Picojoules?
    /// Rows and columns of an array of the reference area (assumption C put right).
    public var equalArea: (rows: Int, columns: Int)?

    /// Whether it has rows for the task.
    public func serves(_ task: BitMoDTask) -> Bool { tasks?.contains(task) ?? true }

    /// The array for a model.
    public func array(for model: String, without fixed: Set<BitMoDAssumption> = []) -> BitMoDArray {
      var result = array
      if let bits = bitsOfModel[model] { result.weightBits = bits }
      if fixed.contains(.c), let equalArea { (result.rows, result.columns) = equalArea }
      return result
    }
  }

  /// One line of results.
  public struct Row: Sendable {
    public var model: String
    public var context: Int
    public var task: BitMoDTask
    public var configuration: String
    public var counts: BitMoDCounts
    /// Nil when the configuration names no energy of a PE, or a port of a corrected array has no figure.
    public var energy: BitMoDEnergy?
  }

  /// The buffers, the DRAM and their energy.
  public struct Surroundings: Sendable {
    public var system: BitMoDSystem
    public var energy: BitMoDEnergy.Table
    /// Decode steps of a generative run.
    public var decodeSteps: Int
  }

  public var models: [LanguageModelShape]
  public var contexts: [Int]
  public var tasks: [BitMoDTask]
  public var configurations: [Configuration]

  /// All rows: models, then contexts, tasks and configurations, each in the order of the file.
  /// - Throws: `out-of-range`.
  public func rows(
    in surroundings: Surroundings, without fixed: Set<BitMoDAssumption> = []
  ) throws(DiagnosticError) -> [Row] {
    var rows: [Row] = []
    for model in models {
      for context in contexts {
        for task in tasks {
          for configuration in configurations where configuration.serves(task) {
            rows.append(try row(model, context, task, configuration, in: surroundings, without: fixed))
          }
        }
      }
    }
    return rows
  }

  private func row(
    _ model: LanguageModelShape, _ context: Int, _ task: BitMoDTask, _ configuration: Configuration,
    in surroundings: Surroundings, without fixed: Set<BitMoDAssumption>
  ) throws(DiagnosticError) -> Row {
    var source = configuration
    if fixed.contains(.d), task == .generate,
      let prefill = configurations.first(where: { $0.name == configuration.name && $0.serves(.prefill) })
    {
      source = prefill
    }
    let array = source.array(for: model.name, without: fixed)
    let system = surroundings.system
    let counts = try BitMoDCounts(model, task, context: context, on: array, in: system, without: fixed)
    var energy: BitMoDEnergy?
    if let perPE = source.perPE {
      let ports = BitMoDStudy.ports(of: array, in: system, without: fixed)
      energy = BitMoDEnergy(
        counts, on: array, perPE: perPE, weightPortBits: ports.weights, inputPortBits: ports.inputs,
        table: surroundings.energy)
    }
    return Row(
      model: model.name, context: context, task: task, configuration: configuration.name, counts: counts, energy: energy
    )
  }

  /// The widths of both ports.
  static func ports(
    of array: BitMoDArray, in system: BitMoDSystem, without fixed: Set<BitMoDAssumption> = []
  ) -> (weights: Int, inputs: Int) {
    let bits = fixed.contains(.g) ? array.elementBits ?? array.weightBits : array.weightBits
    return (
      array.weightPortBits(granule: system.portGranuleBits, bits: bits),
      array.inputPortBits(activationBits: system.activationBits)
    )
  }
}
