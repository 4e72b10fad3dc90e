import PantileEngines
import PantileProblem
import PantileProgram

/// Cycles below which no schedule of a network can run on a machine, by what the bound rests on.
///
/// - `compute`: multiply-accumulates of the contractions over the array's peak.
/// - `compulsory bytes`: inputs, outputs and weights each cross the off-chip link once.
/// - `vector`: instruction slots of the map steps over the lanes.
///
/// **Accuracy** proved for every schedule of these steps on this machine; tight only when one resource dominates.
public struct NetworkBounds: Sendable {
  public var bounds: [(name: String, cycles: Int)]

  public init(_ graph: StepGraph, on machine: PlanningMachine) {
    var arrayCycles = 0.0
    var slots = 0
    for step in graph.steps {
      switch step.body {
      case .contract(let contract):
        typealias D = ContractStep.Dim
        let weights = Self.storedWeights(of: contract)
        let pixels = contract.extents[D.b] * contract.extents[D.p] * contract.extents[D.q]
        if let array = machine.array?.engine {
          arrayCycles += Double(weights * pixels) / array.peakMACs(contract.format)
        }
      case .map(let map):
        for stage in map.stages {
          let results = map.dims.indices.filter { !stage.reduced.contains($0) && !stage.absent.contains($0) }
          let points = results.reduce(1) { $0 * map.dims[$1].extent }
          let reduced = stage.reduced.reduce(1) { $0 * map.dims[$1].extent }
          slots +=
            (points + machine.vector.options.lanes - 1) / machine.vector.options.lanes
            * stage.kernel.slots(reduced: reduced)
        }
      }
    }
    bounds = [
      ("compute", Int(arrayCycles.rounded(.up))),
      ("compulsory bytes", machine.link.rate.cycles(forBytes: Self.compulsoryBytes(graph))),
      ("vector", slots),
    ]
  }

  /// Inputs, outputs and stored weights and constants, once each.
  public static func compulsoryBytes(_ graph: StepGraph) -> Int {
    var bytes = (graph.inputs + graph.outputs).reduce(0) { $0 + graph.tensors[$1].byteCount }
    for step in graph.steps {
      switch step.body {
      // Weights that the network makes need not leave the chip.
      case .contract(let contract):
        if contract.weightTensor == nil { bytes += storedWeights(of: contract) * contract.weightBits / 8 }
      case .map(let map): bytes += map.constants.reduce(0) { $0 + $1.tensor.byteCount }
      }
    }
    return bytes
  }

  private static func storedWeights(of contract: ContractStep) -> Int {
    typealias D = ContractStep.Dim
    return contract.extents[D.g] * contract.extents[D.n] * contract.storedChannels(contract.extents[D.c])
      * contract.extents[D.r] * contract.extents[D.s]
  }

  /// The largest bound.
  public var largest: (name: String, cycles: Int) {
    bounds.max { $0.cycles < $1.cycles } ?? ("none", 0)
  }
}
