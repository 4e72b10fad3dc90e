import PantileEngines
import PantileSupport
import Testing

/// Each interval of the machine, shortened by one cycle in the RTL, makes the comparison fail: it is as tight as the model says.
@Suite(
  .serialized, .enabled(if: Twin.isAvailable, "verilator, g++ and make are not installed"),
  .enabled(if: CoSimTests.isFull, "PANTILE_COSIM=full runs it: make cosim"))
struct PlantedFaultTests {
  struct Plant: Sendable, CustomTestStringConvertible {
    var dataflow = SystolicOptions.Dataflow.weightStationary
    var variant = SystolicOptions.Variant.overlapped
    var fault: SystolicStepper.Fault
    /// Whether sums go wrong, so that no machine with the shorter interval exists; else only cycles differ.
    var spoilsSums = true

    var testDescription: String { "\(fault) in \(dataflow.rawValue) \(variant.rawValue)" }
  }

  @Test(arguments: [
    Plant(fault: .reload), Plant(variant: .skewed, fault: .reload), Plant(variant: .serial, fault: .load),
    Plant(variant: .skewed, fault: .load), Plant(fault: .stream), Plant(variant: .skewed, fault: .skew),
    Plant(fault: .stage), Plant(variant: .serial, fault: .turn, spoilsSums: false),
    Plant(dataflow: .outputStationary, fault: .slot), Plant(dataflow: .outputStationary, fault: .skew),
    Plant(dataflow: .outputStationary, fault: .drain),
    Plant(dataflow: .outputStationary, variant: .serial, fault: .drain),
    Plant(dataflow: .outputStationary, variant: .serial, fault: .turn, spoilsSums: false),
    Plant(dataflow: .inputStationary, variant: .skewed, fault: .reload),
  ])
  func isCaught(_ plant: Plant) throws {
    var random = SplitMix64(seed: CoSimTests.seed)
    let twin = Twin(
      options: SystolicOptions(
        rows: 3, columns: 4, dataflow: plant.dataflow, variant: plant.variant, peLatency: 2), fault: plant.fault)
    // Short streams and many folds show what a stream could hide.
    let shortest = [TileExtents(m: 1, k: 9, n: 12), TileExtents(m: 12, k: 9, n: 1), TileExtents(m: 9, k: 1, n: 12)]
    let cases =
      shortest.map { Twin.Case(extents: $0, seed: CoSimTests.seed) } + CoSimTests.cases(twin.options, count: 9, &random)
    let outcomes = try twin.run(cases).outcomes
    let different = zip(cases, outcomes).filter { CoSimTests.expected(twin, $0).outcome != $1 }.count
    let spoiled = outcomes.filter { $0.mismatches > 0 }.count
    print("planted \(plant.testDescription): \(different) of \(cases.count) cases differ, \(spoiled) with wrong sums")
    #expect(different > 0)
    // A stage too few shifts all products alike: the array computes right, only sooner than stated.
    #expect(plant.fault == .stage || (spoiled > 0) == plant.spoilsSums)
  }
}
