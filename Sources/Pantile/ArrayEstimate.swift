import PantileDialects
import PantileEngines
import PantileIR
import PantilePasses
import PantileReport
import PantileSupport
import PantileTarget

/// What a network takes on an array alone, in closed form: operands and results are always at hand, no memory is in the way.
///
/// Each group of a contraction is one product `[m, k] x [k, n]` with its whole extents (convolutions through im2col), products come one
/// after another, and no other work is counted: not that of the vector engine, depthwise convolutions among it. The cycles are those of
/// the array's own timing, equal to its stepper (`Docs/engines/systolic.md`); a compiled network takes at least as long wherever its
/// tiles are no better cut than the whole.
///
/// Lowered once, evaluated for any number of chips: a sweep of arrays takes microseconds a point.
public struct ArrayEstimate: Sendable {
  private struct Product: Sendable {
    var count: Int
    var extents: TileExtents
    var format: ContractionFormat
    /// Of all `count`, of the dense network.
    var macs: Int
  }

  /// What the estimate says of one chip.
  public struct Figures: Hashable, Sendable {
    public var cycles: Int
    public var seconds: Double
    /// Of the array's own actions and the leakage of on-chip memories over `cycles`.
    public var energyPicojoules: Double
    /// Multiply-accumulates over the peak of `cycles`; of sparse products the kept ones, as in a `RunReport`.
    public var utilization: Double
    /// Of the dense network.
    public var macs: Int
    /// Inputs, outputs and weights once each: what must cross the chip's edge at least.
    public var compulsoryBytes: Int
  }

  private let products: [Product]
  private let compulsoryBytes: Int

  /// - Parameters:
  ///   - module: in integer form.
  ///   - chip: whose engines the network is lowered for; formats that it refuses are refused.
  /// - Throws: what lowering throws.
  public init(integer module: Module, name: String, on chip: Chip) throws(DiagnosticError) {
    let function = try module.mainFunction()
    let planning = try PlanningMachine(Machine(chip))
    var lowering = StepLowering(module, function: function, on: planning, name: name)
    let graph = try lowering.run(
      inputNames: module.inputNames(of: function), outputNames: module.outputNames(of: function))
    typealias D = ContractStep.Dim
    products = graph.steps.compactMap { step in
      guard case .contract(let contract) = step.body else { return nil }
      let e = contract.extents
      return Product(
        count: e[D.g], extents: TileExtents(m: e[D.b] * e[D.p] * e[D.q], k: e[D.c] * e[D.r] * e[D.s], n: e[D.n]),
        format: contract.format, macs: step.macs)
    }
    compulsoryBytes = NetworkBounds.compulsoryBytes(graph)
  }

  /// - Throws: `no-array`; `not-supported` for a format that the array does not take.
  public func figures(on chip: Chip) throws(DiagnosticError) -> Figures {
    let machine = try Machine(chip)
    guard let array = machine.array else { throw DiagnosticError("no-array", "chip '\(chip.name)' has no array") }
    var cycles = 0
    var macs = 0
    var ideal = 0.0
    var actions: [String: Int] = [:]
    for product in products {
      let reasons = array.capability(product.format).reasons
      if !reasons.isEmpty {
        throw DiagnosticError("not-supported", "chip '\(chip.name)': \(reasons.joined(separator: "; "))")
      }
      macs += product.macs
      ideal += Double(product.macs) * product.format.keptShare / array.peakMACs(product.format)
      cycles += product.count * array.timing(product.extents, product.format).duration
      for action in array.actions(product.extents, product.format, false) {
        actions[action.name, default: 0] += product.count * action.count
      }
    }
    return Figures(
      cycles: cycles, seconds: Double(cycles) / chip.clock.value,
      energyPicojoules: chip.energyPicojoules(of: actions, cycles: cycles),
      utilization: cycles == 0 ? 0 : ideal / Double(cycles), macs: macs, compulsoryBytes: compulsoryBytes)
  }
}
