import Foundation
import PantileEngines
import PantileSupport
import PantileTestSupport
import Testing

/// The RTL twin of bit-serial machines and their register-transfer model: the same sums leave the same elements in the same cycles.
@Suite(.serialized, .enabled(if: Twin.isAvailable, "verilator, g++ and make are not installed"))
struct SerialTwinTests {
  /// A random twin with one serial operand, and products for it.
  static func draw(
    _ random: inout SplitMix64, count: Int, fault: BitSerialMachineStepper.Fault = .none
  ) -> (twin: SerialTwin, products: [BitSerialProduct]) {
    let serial: BitSerialMachine.SerialOperand = random.next(below: 4) == 0 ? .activation : .weight
    let machine = BitSerialCase.machine(&random, serial: serial)
    let twin = SerialTwin(
      machine: machine, weightBits: 2 + random.next(below: 7), activationBits: 2 + random.next(below: 7), fault: fault)
    return (
      twin,
      (0..<count).map { _ in
        BitSerialCase.product(
          machine, &random, weightBits: twin.weightBits, activationBits: twin.activationBits)
      }
    )
  }

  static func difference(_ twin: SerialTwin, _ products: [BitSerialProduct]) throws -> String? {
    for (product, outcome) in zip(products, try twin.run(products)) {
      let expected = twin.expected(product)
      if outcome != expected {
        return "\(BitSerialCase(machine: twin.machine, product: product)): RTL \(outcome), model \(expected)"
      }
    }
    return nil
  }

  /// The element of BitMoD: four lanes, two leading ones, groups of 128 with 8 cycles of scale, one way out for 8 rows.
  static let bitMoD = BitSerialMachine(
    rows: 8, columns: 4, dotWidth: 4, encoding: .lod2, termPolicy: .fixed, syncScope: .tile, group: 16,
    dequantCycles: 8,
    drainPorts: 1, pipelineDepth: 3)

  @Test func twinsEqualTheModelOnAFewMachines() throws {
    var random = SplitMix64(seed: 11)
    let booth = BitSerialMachine(
      rows: 4, columns: 3, dotWidth: 4, encoding: .booth, termPolicy: .skipTerms, syncScope: .rows(2), runAhead: 1)
    for machine in [Self.bitMoD, booth] {
      let bits = machine.encoding == .lod2 ? 6 : 8
      let products = (0..<20).map { _ in
        BitSerialCase.product(machine, &random, weightBits: bits, activationBits: 8)
      }
      let found = try Self.difference(
        SerialTwin(machine: machine, weightBits: bits, activationBits: 8), products)
      #expect(found == nil)
    }
  }

  @Test(.enabled(if: CoSimTests.isFull, "PANTILE_COSIM=full runs it: make cosim"))
  func twinsEqualTheModelOnRandomMachines() throws {
    var random = SplitMix64(seed: CoSimTests.seed)
    var cases = 0
    for _ in 0..<24 {
      let (twin, products) = Self.draw(&random, count: 12)
      let found = try Self.difference(twin, products)
      #expect(found == nil)
      cases += products.count
    }
    print("cosim: \(cases) products on 24 bit-serial machines, seed \(CoSimTests.seed)")
    #expect(cases >= 200)
  }

  /// An interval that is one cycle or step off in the RTL is noticed.
  @Test(
    .enabled(if: CoSimTests.isFull, "PANTILE_COSIM=full runs it: make cosim"),
    arguments: BitSerialMachineStepper.Fault.allCases.filter { $0 != .none })
  func aPlantedFaultIsCaught(fault: BitSerialMachineStepper.Fault) throws {
    var random = SplitMix64(seed: CoSimTests.seed)
    let machine = BitSerialMachine(
      rows: 4, columns: 2, dotWidth: 2, tileRows: 2, encoding: .booth, termPolicy: .skipTerms, syncScope: .array,
      group: 4, dequantCycles: 7, pipelineDepth: 2, weightStreamBits: 16)
    var isolated = machine
    // Streams hide what comes from waiting for one another.
    if fault == .ahead || fault == .foldEnd { isolated.weightStreamBits = 0 }
    let products = (0..<12).map { _ in
      BitSerialCase.product(isolated, &random, weightBits: 8, activationBits: 8)
    }
    let twin = SerialTwin(machine: isolated, weightBits: 8, activationBits: 8, fault: fault)
    let different = zip(products, try twin.run(products)).filter { twin.expected($0) != $1 }.count
    print("planted \(fault) in a bit-serial machine: \(different) of \(products.count) products differ")
    #expect(different > 0)
  }
}
