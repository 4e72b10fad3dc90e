import PantileEngines
import PantileReport
import PantileSupport
import PantileTarget
import PantileTensor

/// What N:M weights bring to a training step, for networks, patterns, arrays and dataflows.
///
/// A step is a list of phases (`TrainingStep`). In each the array, the vector unit and the memory work at the same time on
/// different tiles, so a phase takes as long as the busiest of them, plus the vector work that has to wait for the whole result.
/// Array cycles are the closed forms of the N:M array, equal to its register-transfer model.
public struct TrainingStudy: Sendable {
  /// What the arithmetic around the products costs.
  public struct Costs: Sendable {
    /// **Units** bytes of an activation, gradient or working weight.
    public var elementBytes: Int
    /// **Units** bytes of a master weight, and of its momentum.
    public var masterBytes: Int
    /// Instructions of the vector unit for the update of a weight.
    public var updateOperations: Int
    /// Instructions a weight and direction that select the kept weights of the next step.
    public var reductionOperations: Int
    public var vectorWork: [VectorWork]

    func add(
      _ name: String, _ direction: KeyPath<VectorWork, VectorWork.Direction>, elements: Int,
      to phase: inout TrainingStep.Phase
    ) {
      // Networks name only work that is there: the reader has seen to it.
      guard let work = vectorWork.first(where: { $0.name == name }) else { return }
      let direction = work[keyPath: direction]
      let added = TrainingStep.Work(
        operations: elements * direction.operations, moved: elements * direction.moves)
      let place: WritableKeyPath<TrainingStep.Phase, TrainingStep.Work> = work.isBeside ? \.beside : \.behind
      phase[keyPath: place].operations += added.operations
      phase[keyPath: place].moved += added.moved
    }
  }

  /// Elementwise work on results, as instructions and as elements that go to DRAM and back.
  public struct VectorWork: Hashable, Sendable {
    public struct Direction: Hashable, Sendable {
      public var operations: Int
      public var moves: Int
    }
    public var name: String
    public var forward: Direction
    public var backward: Direction
    /// Tile by tile while the array works; otherwise behind the whole result.
    public var isBeside: Bool
  }

  /// Which dataflow a product takes.
  public enum Dataflow: String, Hashable, Sendable, CaseIterable {
    case outputStationary = "os"
    case weightStationary = "ws"
    /// The faster of the two for each product.
    case best
  }

  /// One machine of the sweep.
  public struct Point: Hashable, Sendable {
    public var rows: Int
    public var columns: Int
    public var interleave: Int
    public var adderLatency: Int
    /// Activations a cycle in multiples of the rows; 0 is without limit.
    public var activationPort: Int
    public var dataflow: Dataflow

    public init(
      rows: Int, columns: Int, interleave: Int, adderLatency: Int, activationPort: Int, dataflow: Dataflow
    ) {
      self.rows = rows
      self.columns = columns
      self.interleave = interleave
      self.adderLatency = adderLatency
      self.activationPort = activationPort
      self.dataflow = dataflow
    }
  }

  public struct Axes: Hashable, Sendable {
    public var arrays: [[Int]]
    public var interleaves: [Int]
    public var adderLatencies: [Int]
    public var activationPorts: [Int]
    public var dataflows: [Dataflow]

    /// Every machine, the last axis fastest.
    public var points: [Point] {
      var result: [Point] = []
      for array in arrays {
        for interleave in interleaves {
          for latency in adderLatencies {
            for port in activationPorts {
              // Interleaving is nothing to weights that stay: one machine for all.
              for dataflow in dataflows
              where dataflow != .weightStationary || interleave == interleaves.first {
                result.append(
                  Point(
                    rows: array[0], columns: array[1], interleave: interleave, adderLatency: latency,
                    activationPort: port, dataflow: dataflow))
              }
            }
          }
        }
      }
      return result
    }
  }

  public var chip: String
  public var costs: Costs
  public var patterns: [NMPattern]
  public var networks: [TrainingStudy.Network]
  /// Networks whose mean is compared with the published one.
  public var published: Published
  public var axes: Axes

  /// A speed-up that was published as a mean over networks.
  public struct Published: Hashable, Sendable {
    public var pattern: NMPattern
    public var networks: [String]
    public var mean: Double
  }

  /// One network on one machine with one pattern; nil is dense.
  public struct Row: Sendable {
    public var network: String
    public var pattern: NMPattern?
    public var point: Point
    public var step: StepTime
    /// **Units** pJ of a step.
    public var energyPicojoules: Double
  }

  /// Rows of the chip as it is, dense first, then each pattern.
  /// - Throws: what reading the chip throws.
  public func rows(load: Loader) throws(DiagnosticError) -> [Row] {
    let machine = try TrainingMachine(nil, chip: chip, patterns: patterns, load: load)
    return networks.flatMap { network in ([nil] + patterns).map { row(network, $0, machine) } }
  }

  /// Reads a chip with changes of its fields.
  public typealias Loader = @Sendable (_ chip: String, _ settings: [String]) throws(DiagnosticError) -> Chip

  /// Rows of all machines of the sweep, in its order; the same for any number of workers.
  /// - Throws: what reading a chip throws.
  public func sweep(load: @escaping Loader, workers: Int) throws(DiagnosticError) -> [Row] {
    let points = axes.points
    let study = self
    return try mapInParallel(count: points.count, workers: workers) { index throws(DiagnosticError) in
      let machine = try TrainingMachine(
        points[index], chip: study.chip, patterns: study.patterns, load: load)
      return study.networks.flatMap { network in ([nil] + study.patterns).map { study.row(network, $0, machine) } }
    }.flatMap { $0 }
  }

  private func row(_ network: TrainingStudy.Network, _ pattern: NMPattern?, _ machine: TrainingMachine) -> Row {
    let step = machine.time(TrainingStep(network, pattern: pattern, costs), network, costs)
    return Row(
      network: network.name, pattern: pattern, point: machine.point, step: step,
      energyPicojoules: machine.chip.energyPicojoules(of: step.actions, cycles: step.cycles))
  }
}
