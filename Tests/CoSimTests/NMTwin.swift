import Foundation
import PantileEngines
import PantileSupport
import PantileTensor

/// The RTL twin of an N:M array under Verilator, for weights of one pattern; perhaps with a planted fault.
struct NMTwin: Sendable, CustomStringConvertible {
  var options: NMSparseOptions
  var pattern: NMPattern
  var fault = NMFault.none

  var description: String {
    "\(ArrayEngine.nmSparse(options).summary), weights \(pattern)" + (fault == .none ? "" : ", fault \(fault)")
  }

  struct Outcome: Hashable, Sendable {
    var cycles: Int
    var events: Int
    var hash: UInt64
    var mismatches: Int
  }

  /// What the register-transfer model says.
  func expected(_ input: ArrayStepInput) -> Outcome {
    let format = ContractionFormat(pattern: pattern)
    let watch = NMStepperOptions(recordsEvents: true)
    let run =
      options.dataflow == .weightStationary
      ? NMWeightStepper.run(options, [input], format, watch) : NMSparseStepper.run(options, [input], format, watch)
    return Outcome(
      cycles: run.result.cycles, events: run.events.count, hash: EdgeEvent.hash(run.events), mismatches: 0)
  }

  /// Runs the products, building the twin first if need be.
  func run(_ inputs: [ArrayStepInput]) throws -> [Outcome] {
    let weightsStay = options.dataflow == .weightStationary
    let kind = weightsStay ? "ws" : "os"
    let sizes = [
      "ROWS=\(options.rows)", "COLUMNS=\(options.columns)", "GROUP=\(pattern.group)", "KEPT=\(pattern.kept)",
      "INDEX_WIDTH=\(max(1, pattern.indexBits))", "CONTEXTS=\(options.interleave)",
    ]
    let binary = try Twin.launch(
      "Scripts/verilate.sh",
      [
        "nmsparse", "nm_\(kind)_twin", "Targets/rtl/harness/nm_twin.cpp", "Targets/rtl/systolic/delay.sv",
        "Targets/rtl/nmsparse/nm_\(kind)_pe.sv", "Targets/rtl/nmsparse/nm_\(kind)_twin.sv", "--",
      ] + sizes + [
        "LATENCY=\(options.adderLatency)", "STAGES=\(options.multiplierLatency)",
        "VARIANT=\(options.variant == .serial ? 0 : 1)", "ACTIVATION_PORT=\(options.ports.activation)",
        "WEIGHT_PORT=\(options.ports.weight)", "METADATA_PORT=\(options.ports.metadata)",
        "FAULT=\(fault.rawValue)", "--",
      ] + sizes + ["WEIGHTS=\(weightsStay ? 1 : 0)"]
    ).trimmingCharacters(in: .whitespacesAndNewlines)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("nm-\(UUID().uuidString).txt")
    defer { try? FileManager.default.removeItem(at: file) }
    var text = ""
    for (index, input) in inputs.enumerated() {
      let e = input.extents
      text += "\(index) \(e.m) \(e.k / pattern.group) \(e.n)\n"
      for list in [input.a.map(Int.init), input.b.map(Int.init), input.indices.map(Int.init)] {
        text += list.map(String.init).joined(separator: " ") + "\n"
      }
    }
    try text.write(to: file, atomically: true, encoding: .utf8)
    let outcomes = try Twin.launch(binary, [file.path]).split(separator: "\n").compactMap { line -> Outcome? in
      let words = line.split(separator: " ")
      guard words.count == 5, let cycles = Int(words[1]), let events = Int(words[2]),
        let hash = UInt64(words[3], radix: 16), let mismatches = Int(words[4])
      else { return nil }
      return Outcome(cycles: cycles, events: events, hash: hash, mismatches: mismatches)
    }
    guard outcomes.count == inputs.count else {
      throw Twin.Failure(description: "\(self) answers \(outcomes.count) of \(inputs.count) cases")
    }
    return outcomes
  }
}
