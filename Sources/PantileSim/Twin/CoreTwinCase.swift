import PantileEngines
import PantileProgram
import PantileSupport

/// A Program on a machine as the core's register-transfer twin runs it, with what the simulator says must come out.
public struct CoreTwinCase: Sendable {
  public struct File: Sendable {
    public var name: String
    public var bytes: [UInt8]
  }

  /// What the harness reads: `program.bin`, `machine.txt`, `dram.bin`, `latencies.txt`.
  public let inputs: [File]
  /// What it must write, with the ending `.expected` where it writes `.actual`: events, and the bytes of all memories.
  public let expectations: [File]
  /// Words of the program image, and bytes of the DRAM that the Program uses.
  public let programWords: Int
  public let dramBytes: Int
  public let cycles: Int
  public let events: Int

  /// - Parameters:
  ///   - latencies: as in `TimingRun.Options`.
  ///   - setInputs: puts the values into the input regions.
  /// - Throws: `twin-unsupported`, and what the two runs throw.
  public init(
    _ program: Program, on machine: Machine, latencies: [Int] = [],
    setInputs: (FunctionalRun) throws(DiagnosticError) -> Void
  ) throws(DiagnosticError) {
    let function = try FunctionalRun(program, on: machine)
    try setInputs(function)
    let registers = try CoreTwinRegisters(program, on: machine)
    let problems = program.twinProblems()
    if !problems.isEmpty { throw DiagnosticError(problems) }
    let timing = try TimingRun(program, on: machine, options: .init(latencies: latencies, events: true)).run()
    func memory(_ kind: Program.Memory.Kind) -> Int? { program.memories.firstIndex { $0.kind == kind } }
    func bytes(_ kind: Program.Memory.Kind) -> [UInt8] { memory(kind).map { function.bytes(of: MemoryID($0)) } ?? [] }

    let words = ProgramBinary.words(of: program)
    let dram = bytes(.dram)
    programWords = words.count
    dramBytes = dram.count
    var lines = registers.values.enumerated().map { "register\($0) \($1)" }
    for (index, queue) in registers.queueOfDMA.enumerated() { if let queue { lines.append("dma\(index) \(queue)") } }
    lines.append("scratchpad \(bytes(.scratchpad).count)")
    lines.append("accumulators \(bytes(.accumulator).count)")
    let latency = memory(.dram).flatMap { index in machine.memories.first { $0.name == program.memories[index].name } }
    lines.append("latency \(latency?.latency ?? 0)")
    // A twin that is wrong may never end: it stops well after the expected end.
    lines.append("limit \(2 * timing.cycles + 1000)")
    inputs = [
      File(name: "program.bin", bytes: ProgramBinary.bytes(of: words)), Self.text("machine.txt", lines),
      File(name: "dram.bin", bytes: dram), Self.text("latencies.txt", latencies.map(String.init)),
    ]
    try function.run()
    expectations = [
      Self.text("events", timing.events.map(\.text) + ["cycles \(timing.cycles)"]),
      File(name: "dram", bytes: bytes(.dram)), File(name: "scratchpad", bytes: bytes(.scratchpad)),
      File(name: "accumulators", bytes: bytes(.accumulator)),
    ]
    cycles = timing.cycles
    events = timing.events.count
  }

  private static func text(_ name: String, _ lines: [String]) -> File {
    File(name: name, bytes: Array(lines.map { $0 + "\n" }.joined().utf8))
  }

  /// What differs, in a line each; empty when the twin saw and left what the simulator says.
  ///
  /// - Parameter actual: the bytes of `NAME.actual`; nil when the twin wrote none.
  public func differences(_ actual: (String) -> [UInt8]?) -> [String] {
    var found: [String] = []
    for file in expectations {
      guard let seen = actual(file.name) else {
        found.append("\(file.name): the twin wrote nothing")
        continue
      }
      if seen == file.bytes { continue }
      if file.name == "events" {
        let (mine, its) = (Self.lines(file.bytes), Self.lines(seen))
        let at = zip(mine, its).enumerated().first { $1.0 != $1.1 }?.offset ?? min(mine.count, its.count)
        found.append(
          "events: line \(at + 1) is '\(at < mine.count ? mine[at] : "absent")', the twin's '\(at < its.count ? its[at] : "absent")'"
        )
      } else {
        let at = zip(file.bytes, seen).enumerated().first { $1.0 != $1.1 }?.offset ?? min(file.bytes.count, seen.count)
        found.append("\(file.name): byte \(at) differs")
      }
    }
    return found
  }

  private static func lines(_ bytes: [UInt8]) -> [Substring] {
    String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }
}
