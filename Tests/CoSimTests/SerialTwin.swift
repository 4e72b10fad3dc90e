import Foundation
import PantileEngines
import PantileSupport
import PantileTestSupport

/// The RTL twin of a bit-serial machine under Verilator, with one serial operand.
struct SerialTwin: Sendable, CustomStringConvertible {
  var machine: BitSerialMachine
  /// Bits of the weights and of the activations, which are parameters of the twin.
  var weightBits: Int
  var activationBits: Int
  var fault = BitSerialMachineStepper.Fault.none

  var description: String { "\(machine) weights \(weightBits) activations \(activationBits) fault \(fault)" }

  struct Outcome: Hashable, Sendable {
    var cycles: Int
    var events: Int
    var hash: UInt64
    var mismatches: Int
  }

  /// What the register-transfer model says.
  func expected(_ product: BitSerialProduct) -> Outcome {
    let run = BitSerialMachineStepper.run(machine, product)
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for event in run.events {
      let value = UInt64(bitPattern: event.value)
      for word in [
        UInt32(event.cycle), UInt32(event.element), UInt32(event.group), UInt32(truncatingIfNeeded: value),
        UInt32(truncatingIfNeeded: value >> 32),
      ] {
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
          hash = (hash ^ UInt64(word >> shift & 0xFF)) &* 0x100_0000_01B3
        }
      }
    }
    return Outcome(cycles: run.cycles, events: run.events.count, hash: hash, mismatches: 0)
  }

  /// Runs the products, building the twin first if need be.
  func run(_ products: [BitSerialProduct]) throws -> [Outcome] {
    let isActivation = machine.serialOperand == .activation
    let width = machine.termPolicy == .invertedColumns ? 2 * machine.dotWidth : machine.dotWidth
    let bits = isActivation ? activationBits : weightBits
    let encoding =
      switch machine.encoding {
      case .plain: 0
      case .signMagnitude, .lod2, .bitColumn: 1
      case .booth: 2
      case .naf: 3
      }
    let policy =
      switch machine.termPolicy {
      case .fixed: 0
      case .skipTerms: 1
      case .skipColumns: 2
      case .invertedColumns: 3
      }
    // What scopes and edges mean for one row of units.
    let units = isActivation ? machine.columns : machine.rows
    let sync =
      switch machine.syncScope {
      case .element: 1
      case .rows(let rows): isActivation ? 1 : min(rows, units)
      case .tile: min(isActivation ? machine.tileColumns : machine.tileRows, units)
      case .array: units
      }
    func cycles(_ bits: Int, _ lines: Int, _ per: Int) -> Int { per == 0 ? 0 : (bits * lines * width + per - 1) / per }
    let feed = max(
      cycles(weightBits, machine.rows, machine.weightStreamBits),
      cycles(activationBits, machine.columns, machine.activationStreamBits))
    let drain = machine.drainPorts == 0 ? 0 : (machine.tileRows + machine.drainPorts - 1) / machine.drainPorts
    let fill =
      (machine.rows - 1) / machine.tileRows + (machine.columns - 1) / machine.tileColumns + machine.pipelineDepth
    let rtl = "Targets/rtl/bitserial/"
    let terms = machine.encoding.fixedTerms(bits: bits)
    let binary = try Twin.launch(
      "Scripts/verilate.sh",
      ["bitserial", "serial_twin", "Targets/rtl/harness/serial_twin.cpp"]
        + ["term_recoder", "serial_unit", "serial_twin"].map { "\(rtl)\($0).sv" }
        + [
          "--", "UNITS=\(units)", "ELEMENTS=\(isActivation ? machine.rows : machine.columns)", "LANES=\(width)",
          "BITS=\(bits)", "ENCODING=\(encoding)", "POLICY=\(policy)", "REACH=\(machine.shiftReach ?? 32)",
          "TERMS=\(terms)", "SYNC=\(sync)", "AHEAD=\(machine.runAhead)", "SCALE=\(machine.dequantCycles)",
          "DRAIN=\(drain)", "FEED=\(feed)", "SLOTS=\(machine.operandSlots)", "FILL=\(fill)",
          "VARIANT=\(machine.variant == .serial ? 0 : 1)", "FAULT=\(fault.rawValue)",
          "--", "UNITS=\(units)", "ELEMENTS=\(isActivation ? machine.rows : machine.columns)", "LANES=\(width)",
          "SERIAL=\(isActivation ? 1 : 0)",
        ]
    ).trimmingCharacters(in: .whitespacesAndNewlines)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("serial-\(UUID().uuidString).txt")
    defer { try? FileManager.default.removeItem(at: file) }
    var text = ""
    for (index, product) in products.enumerated() {
      let groups = machine.group == 0 ? 1 : (product.k + machine.group - 1) / machine.group
      let perGroup = machine.group == 0 ? (product.k + width - 1) / width : machine.group / width
      text += "\(index) \(product.m) \(product.k) \(product.n) \(perGroup) \(groups)\n"
      for list in [product.weights.map(Int.init), product.activations.map(Int.init), product.scales.map(Int.init)] {
        text += list.map(String.init).joined(separator: " ") + "\n"
      }
    }
    try text.write(to: file, atomically: true, encoding: .utf8)
    let lines = try Twin.launch(binary, [file.path]).split(separator: "\n")
    let outcomes = lines.compactMap { line -> Outcome? in
      let words = line.split(separator: " ")
      guard words.count == 5, let cycles = Int(words[1]), let events = Int(words[2]),
        let hash = UInt64(words[3], radix: 16), let mismatches = Int(words[4])
      else { return nil }
      return Outcome(cycles: cycles, events: events, hash: hash, mismatches: mismatches)
    }
    guard outcomes.count == products.count else {
      throw Twin.Failure(description: "\(self) answers \(outcomes.count) of \(products.count) cases")
    }
    return outcomes
  }
}
