import Foundation
import PantileEngines
import PantileSupport
import PantileTarget
import Testing

/// `Targets/README.md` is what the field definitions say, and the shipped chips are right by the real ones.
struct TargetReferenceTests {
  @Test func referencePageIsUpToDate() throws {
    let schemas = ArrayFamily.all.map(\.schema) + [DrainOptions.schema, VectorOptions.schema, DMAOptions.schema]
    #expect(Set(schemas.map(\.family)) == Set(Machine.schemas().keys))
    let page = ChipReference.markdown(schemas: schemas)
    let path = "\(repositoryRoot)/Targets/README.md"
    if ProcessInfo.processInfo.environment["PANTILE_BLESS"] == "1" { try AtomicFile.write(page, to: path) }
    #expect(
      try AtomicFile.readText(path) == page, "field definitions changed: run the tests once with PANTILE_BLESS=1")
  }

  @Test(arguments: Chip.shippedNames(root: repositoryRoot))
  func shippedChipMakesAMachineAndEveryActionIsPriced(_ name: String) throws {
    let chip = try Chip.load(name, schemas: Machine.schemas(), root: repositoryRoot)
    let machine = try Machine(chip)
    let array = try #require(machine.array)
    #expect(machine.memories.count == 3 && machine.engines.count == 5)
    for action in array.actions(TileExtents(m: 3, k: 8, n: 5), .int8, true) {
      _ = try chip.energy.cost(of: action.name, component: "", memories: chip.memories)
    }
  }
}
