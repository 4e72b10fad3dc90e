/// Cycles of a training step, phase by phase, each with what binds it.
public struct StepTime: Hashable, Sendable {
  /// What a phase waits for.
  public enum Binding: String, Hashable, Sendable, CaseIterable {
    /// Products fill the array.
    case array
    /// Rows, columns or depth that the product leaves unused in its edge folds.
    case edge
    case adder
    /// Stationary weights on their way into the array.
    case load
    /// The skew of the array, in and out, and results that move out.
    case drain
    /// Activations that the array's edge cannot take in.
    case port
    case vector
    case dram
  }

  public struct Phase: Hashable, Sendable {
    public var layer: String
    /// FF, BP or WU.
    public var kind: String
    public var cycles: Int
    /// Of them the array works or drains.
    public var arrayCycles: Int
    public var dataflow: String
    public var macs: Int
    public var binding: Binding
    /// Of one such layer; the step has `count`.
    public var count: Int
  }

  public var phases: [Phase] = []
  /// Action counts of the whole step.
  public var actions: [String: Int] = [:]

  public var cycles: Int { phases.reduce(0) { $0 + $1.cycles * $1.count } }
  public var arrayCycles: Int { phases.reduce(0) { $0 + $1.arrayCycles * $1.count } }
  public var macs: Int { phases.reduce(0) { $0 + $1.macs * $1.count } }
  /// The share of the step in which no product is on the array.
  public var shareOutsideProducts: Double { cycles == 0 ? 0 : 1 - Double(arrayCycles) / Double(cycles) }

  /// Cycles by what binds them, in the order of `Binding`.
  public var byBinding: [(binding: Binding, cycles: Int)] {
    Binding.allCases.map { binding in
      (binding, phases.reduce(0) { $0 + ($1.binding == binding ? $1.cycles * $1.count : 0) })
    }
  }
}
