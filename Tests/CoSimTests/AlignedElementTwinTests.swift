import Foundation
import PantileEngines
import PantileSupport
import Testing

/// The RTL twin of an element with float16 activations, and `AlignedElement`: the same sum behind every cycle, bit for bit.
@Suite(.serialized, .enabled(if: Twin.isAvailable, "verilator, g++ and make are not installed"))
struct AlignedElementTwinTests {
  typealias Term = (activation: Float16, power: Int, isNegative: Bool)

  /// A cycle's lanes; nil has no term.
  struct Cycle: Sendable {
    var clears: Bool
    var lanes: [Term?]
  }

  static func draw(_ random: inout SplitMix64, lanes: Int, count: Int) -> [Cycle] {
    (0..<count).map { _ in
      let spread = random.next(below: 3)
      return Cycle(
        clears: random.next(below: 12) == 0,
        lanes: (0..<lanes).map { _ -> Term? in
          guard random.next(below: 6) > 0 else { return nil }
          // Any finite code; exponents near one another; subnormals and smallest normals.
          let low = [0, 0x3000, 0][spread]
          let size = [0x7c00, 0x1800, 0x0c00][spread]
          let code = UInt16(low + random.next(below: size)) | (random.next(below: 2) == 1 ? 0x8000 : 0)
          return (Float16(bitPattern: code), random.next(below: 16), random.next(below: 2) == 1)
        })
    }
  }

  static func expected(_ cycles: [Cycle]) -> [UInt32] {
    var element = AlignedElement()
    return cycles.map { cycle in
      if cycle.clears { element = AlignedElement() }
      element.add(cycle.lanes.compactMap { $0 })
      return element.sum.bitPattern
    }
  }

  static func twin(_ cycles: [Cycle], lanes: Int, fault: Int = 0) throws -> [UInt32] {
    let float = ["float_shift", "float_align", "float_decode", "float_round", "float_add"].map {
      "Targets/rtl/float/\($0).sv"
    }
    let binary = try Twin.launch(
      "Scripts/verilate.sh",
      ["aligned-\(lanes)", "aligned_element", "Targets/rtl/harness/aligned_element.cpp"] + float
        + [
          "Targets/rtl/bitserial/aligned_element.sv", "--", "LANES=\(lanes)", "FAULT=\(fault)", "--", "LANES=\(lanes)",
        ]
    ).trimmingCharacters(in: .whitespacesAndNewlines)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("aligned-\(UUID().uuidString).txt")
    defer { try? FileManager.default.removeItem(at: file) }
    let lines = cycles.map { cycle in
      ([cycle.clears ? 1 : 0]
        + cycle.lanes.flatMap { lane in
          [
            lane == nil ? 0 : 1, lane?.isNegative == true ? 1 : 0, lane?.power ?? 0,
            Int(lane?.activation.bitPattern ?? 0),
          ]
        }).map(String.init).joined(separator: " ")
    }
    try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
    return try Twin.launch(binary, [file.path]).split(separator: "\n").compactMap { UInt32($0) }
  }

  @Test func sumsAreThoseOfTheModel() throws {
    var random = SplitMix64(seed: CoSimTests.seed)
    let count = CoSimTests.isFull ? 400_000 : 20_000
    for lanes in CoSimTests.isFull ? [1, 3, 4, 16] : [4] {
      let cycles = Self.draw(&random, lanes: lanes, count: count)
      let (model, rtl) = (Self.expected(cycles), try Self.twin(cycles, lanes: lanes))
      #expect(rtl.count == count)
      let first = zip(model, rtl).enumerated().first { $0.element.0 != $0.element.1 }
      #expect(first == nil, "\(lanes) lanes: cycle \(first?.offset ?? 0) \(cycles[first?.offset ?? 0])")
    }
  }

  /// One guard bit less, subnormals under their own exponent, ties up, truncation, an exponent too high.
  @Test(.enabled(if: CoSimTests.isFull, "PANTILE_COSIM=full runs it: make cosim"), arguments: 1...5)
  func plantedFaultsAreFound(fault: Int) throws {
    var random = SplitMix64(seed: CoSimTests.seed)
    let cycles = Self.draw(&random, lanes: 4, count: 20_000)
    #expect(try Self.twin(cycles, lanes: 4, fault: fault) != Self.expected(cycles))
  }
}
