import Foundation
import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import PantileTensor

/// A hand-written Program of `Tests/Filetests/program` with the expectations in its comments.
///
/// Directives, one a line behind `// `:
/// - `MACHINE: array=ws|os:RxC:serial|overlapped drain=LANES:LATENCY vector=LANES:LATENCY dma=LINK:OUTSTANDING
///   dram=NUM/DEN:LATENCY:BURST` (array=nm:RxC:… for the N:M array)
/// - `RANGE input: LOW HIGH` of the seeded values; `INDICES input: N:M` for ascending N:M positions
/// - `CYCLES: n`, `BUSY queue: n`, `STALL queue kind [source]: n`, `OUTPUT name: shape` (values come from the oracle)
/// - `ERROR: code`: verification must fail with it
struct ProgramFile {
  var name: String
  var program: Program
  var machine: Machine
  var ranges: [String: ClosedRange<Int>] = [:]
  var patterns: [String: NMPattern] = [:]
  var cycles: Int?
  var busy: [(queue: String, cycles: Int)] = []
  var stalls: [(queue: String, kind: String, source: String?, cycles: Int)] = []
  var outputs: [(name: String, shape: String)] = []
  var errors: [String] = []

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Filetests/program").path

  /// The names of all files, sorted.
  static var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".mlir") }.sorted()
  }

  struct Malformed: Error { var line: String }

  init(_ name: String) throws {
    self.name = name
    let text = try AtomicFile.readText("\(Self.folder)/\(name)")
    program = try Program(parsing: text, path: name)
    var machine: Machine?
    for line in text.split(separator: "\n") where line.hasPrefix("// ") {
      let parts = line.dropFirst(3).split(separator: ":", maxSplits: 1)
      let key = parts[0].split(separator: " ").map(String.init)
      guard parts.count == 2, let directive = key.first else { continue }
      let words = parts[1].split(separator: " ").map(String.init)
      switch directive {
      case "MACHINE": machine = try Self.machine(words, for: program)
      case "RANGE":
        guard let low = Int(words[0]), let high = Int(words[1]) else { throw Malformed(line: String(line)) }
        ranges[key[1]] = low...high
      case "INDICES":
        let numbers = words[0].split(separator: ":").compactMap { Int($0) }
        patterns[key[1]] = try NMPattern(kept: numbers[0], group: numbers[1])
      case "CYCLES": cycles = Int(words[0])
      case "BUSY": busy.append((key[1], Int(words[0]) ?? -1))
      case "STALL": stalls.append((key[1], key[2], key.count > 3 ? key[3] : nil, Int(words[0]) ?? -1))
      case "OUTPUT": outputs.append((key[1], words[0]))
      case "ERROR": errors.append(words[0])
      default: break
      }
    }
    guard let machine else { throw Malformed(line: "\(name) has no MACHINE") }
    self.machine = machine
  }

  /// The machine of a `MACHINE` line; memories come from the Program.
  static func machine(_ words: [String], for program: Program) throws -> Machine {
    var fields: [String: [String]] = [:]
    for word in words {
      let sides = word.split(separator: "=").map(String.init)
      guard sides.count == 2 else { throw Malformed(line: word) }
      fields[sides[0]] = sides[1].split(whereSeparator: { ":/x".contains($0) }).map(String.init)
    }
    func number(_ key: String, _ index: Int) throws -> Int {
      guard let values = fields[key], index < values.count, let value = Int(values[index]) else {
        throw Malformed(line: "\(key) in \(words)")
      }
      return value
    }
    let rows = try number("array", 1)
    let columns = try number("array", 2)
    let variant: FoldVariant = fields["array"]?[3] == "serial" ? .serial : .overlapped
    let array: ArrayEngine
    switch fields["array"]?[0] {
    case "ws": array = .systolic(SystolicOptions(rows: rows, columns: columns, variant: .init(variant)))
    case "os":
      array = .systolic(
        SystolicOptions(rows: rows, columns: columns, dataflow: .outputStationary, variant: .init(variant)))
    case "nm":
      array = .nmSparse(
        NMSparseOptions(rows: rows, columns: columns, patterns: [try NMPattern(kept: 2, group: 4)], variant: variant))
    default: throw Malformed(line: "array in \(words)")
    }
    let dma = DMAOptions(linkBytes: try number("dma", 0), outstanding: try number("dma", 1))
    return Machine(
      chipName: "test", chipHash: "", clock: Hertz(1e9),
      memories: try program.memories.map { memory in
        Machine.Memory(
          name: memory.name, kind: memory.kind, bytes: memory.bytes, banks: memory.banks,
          bandwidthNumerator: try number("dram", 0), bandwidthDenominator: try number("dram", 1),
          latency: try number("dram", 2), burst: try number("dram", 3))
      },
      engines: [
        .init(name: "array0", unit: .array(array)),
        .init(
          name: "drain0", unit: .drain(DrainOptions(lanes: try number("drain", 0), latency: try number("drain", 1)))),
        .init(
          name: "vector0",
          unit: .vector(VectorOptions(lanes: try number("vector", 0), latency: try number("vector", 1)))
        ), .init(name: "dma0", unit: .dma(dma)), .init(name: "dma1", unit: .dma(dma)),
      ])
  }

  // MARK: Inputs

  /// Seeded values of every input region, as numbers.
  func inputs() -> [String: [Double]] {
    var result: [String: [Double]] = [:]
    for region in program.regions where region.kind == .input {
      var random = SplitMix64(seed: StableHash.fnv1a(region.name))
      let count = region.shape.reduce(1, *)
      if let pattern = patterns[region.name] {
        // Row g·N + j of a column holds the j-th smallest of N positions of group g.
        let columns = region.shape[1]
        var values = [Double](repeating: 0, count: count)
        for group in 0..<region.shape[0] / pattern.kept {
          for column in 0..<columns {
            var positions = Array(0..<pattern.group)
            while positions.count > pattern.kept { positions.remove(at: random.next(below: positions.count)) }
            for (slot, position) in positions.enumerated() {
              values[(group * pattern.kept + slot) * columns + column] = Double(position)
            }
          }
        }
        result[region.name] = values
      } else if region.element == "f32" {
        result[region.name] = (0..<count).map { _ in Double(Float(random.nextUnit24() * 8 - 4)) }
      } else {
        let range = ranges[region.name] ?? (region.element == "i8" ? -128...127 : -1_000_000...1_000_000)
        result[region.name] = (0..<count).map { _ in
          Double(range.lowerBound + random.next(below: range.upperBound - range.lowerBound + 1))
        }
      }
    }
    return result
  }

  static func tensor(_ values: [Double], _ region: Program.Region) -> HostTensor {
    var bytes: [UInt8] = []
    for value in values {
      switch region.element {
      case "i8": bytes.append(UInt8(bitPattern: Int8(value)))
      case "f32": withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { bytes += $0 }
      default: withUnsafeBytes(of: Int32(value).littleEndian) { bytes += $0 }
      }
    }
    return bytes.withUnsafeBytes {
      HostTensor(shape: region.shape, elementType: ElementType(rawValue: region.element) ?? .i8, bytes: $0)
    }
  }

  static func values(_ tensor: HostTensor) -> [Double] {
    tensor.withUnsafeBytes { bytes in
      switch tensor.elementType {
      case .i8: return bytes.map { Double(Int8(bitPattern: $0)) }
      case .f32:
        return (0..<bytes.count / 4).map { Double(bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self)) }
      default:
        return (0..<bytes.count / 4).map { Double(bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self)) }
      }
    }
  }

  /// A functional run with its inputs in place.
  func functionalRun() throws -> FunctionalRun {
    let run = try FunctionalRun(program, on: machine)
    let values = inputs()
    for region in program.regions where region.kind == .input {
      try run.setInput(region.name, Self.tensor(values[region.name] ?? [], region))
    }
    return run
  }
}
