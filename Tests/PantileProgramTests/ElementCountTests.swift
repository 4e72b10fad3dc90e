import PantileProgram
import PantileSupport
import Testing

/// Counts of elements that agree in some trips of a loop and not in others: each trip is looked at, however alike they are.
struct ElementCountTests {
  /// A copy in two loops, with sides of these lengths.
  private func program(_ source: Extent, _ target: Extent, trips: (outer: Int, inner: Int) = (3, 4)) -> Program {
    var program = Program(name: "copies")
    let dram = program.add(memory: .init(name: "dram", kind: .dram, bytes: 4096))
    let spad = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: 4096, banks: 1))
    _ = program.add(region: .init(name: "x", memory: dram, base: 0, bytes: 4096, kind: .input))
    let layer = program.add(layer: .init(name: "l", nodes: [], kind: "copy", macs: 0))
    let load = program.add(queue: .init(core: "core0", engine: "dma0"))
    func side(_ memory: MemoryID, _ extent: Extent) -> AddressGenerator {
      AddressGenerator(
        memory: memory, baseBits: Affine(0), elementBits: 8, dims: [.init(extent, strideBits: 8)])
    }
    let copy = Command(.copy(Copy(from: side(dram, source), to: side(spad, target))), layer: layer)
    program.queues[load.offset].body = [.loop(count: trips.outer, [.loop(count: trips.inner, [.command(copy)])])]
    return program
  }

  private func faults(_ program: Program) -> [String] {
    do throws(DiagnosticError) {
      try program.verify()
      return []
    } catch {
      return error.diagnostics.map { "\($0.code): \($0.message)" }
    }
  }

  @Test func equalSidesPass() {
    let ragged = Extent(full: 8, last: 5, depth: 1)
    #expect(faults(program(ragged, ragged)) == [])
    #expect(faults(program(Extent(8), Extent(8))) == [])
  }

  @Test func eachLastTripIsNamed() {
    let found = faults(program(Extent(full: 8, last: 5, depth: 1), Extent(8))).filter { $0.hasPrefix("element-count") }
    #expect(found.count == 3)
    for (trip, message) in found.enumerated() {
      #expect(message.contains("trip \(trip),3") && message.contains("lists 8 elements, expected 5"), "\(message)")
    }
  }

  @Test func eachTripButTheLastIsNamed() {
    let found = faults(program(Extent(full: 8, last: 5, depth: 0), Extent(5))).filter { $0.hasPrefix("element-count") }
    #expect(found.count == 8)
    #expect(found.allSatisfy { $0.contains("lists 5 elements, expected 8") && !$0.contains("trip 2") })
  }

  /// Sides that are cut by different loops agree where both are whole, and where both are cut alike.
  @Test func sidesCutByDifferentLoopsAreComparedInEachTrip() {
    let found = faults(
      program(Extent(full: 8, last: 5, depth: 0), Extent(full: 8, last: 5, depth: 1))
    ).filter { $0.hasPrefix("element-count") }
    // Outer trips 0 and 1 end with a short target, and trip 2 begins with three short sources.
    #expect(found.count == 5)
  }
}
