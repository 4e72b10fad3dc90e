import PantileEngines
import PantileProgram
import PantileSupport
import PantileTarget

/// The registers of the twin for one Program on one machine: which unit serves which queue, and the numbers of the chip.
struct CoreTwinRegisters {
  /// In the order of `pantile_core`'s `configure_index`.
  var values: [Int]
  /// Queue of each DMA engine of the twin; nil when the Program does not use it.
  var queueOfDMA: [Int?]

  private enum Unit { static let (none, array, drain, vector, dma0, dma1) = (0, 1, 2, 3, 4, 5) }

  /// - Throws: `twin-unsupported` with everything that the twin has not.
  init(_ program: Program, on machine: Machine) throws(DiagnosticError) {
    var problems: [Diagnostic] = []
    func refuse(_ message: String) { problems.append(Diagnostic("twin-unsupported", message)) }
    var units = [Int](repeating: Unit.none, count: CoreTwinLimits.queues)
    var drain = DrainOptions(lanes: 1, latency: 0)
    var vector = VectorOptions(lanes: 1, latency: 0)
    var dmas = [DMAOptions](repeating: DMAOptions(linkBytes: 1, outstanding: 1), count: 2)
    queueOfDMA = [nil, nil]
    for (index, queue) in program.queues.enumerated() {
      guard index < CoreTwinLimits.queues else {
        refuse("the program has \(program.queues.count) queues, the twin has \(CoreTwinLimits.queues)")
        break
      }
      guard let engine = machine.engines.first(where: { $0.name == queue.engine }) else { continue }
      var unit: Int
      switch engine.unit {
      case .array(let array):
        unit = Unit.array
        if array.family != ArrayFamily.systolic.name {
          refuse("'\(engine.name)' is of family '\(array.family)', the twin has '\(ArrayFamily.systolic.name)'")
        }
      case .drain(let options):
        unit = Unit.drain
        drain = options
      case .vector(let options):
        unit = Unit.vector
        vector = options
      case .dma(let options):
        unit = queueOfDMA[0] == nil ? Unit.dma0 : Unit.dma1
        if queueOfDMA[1] != nil { refuse("'\(engine.name)' is the third DMA engine, the twin has 2") }
        if let problem = options.twinProblem(of: engine.name) { refuse(problem) }
        dmas[unit - Unit.dma0] = options
        queueOfDMA[unit - Unit.dma0] = index
      }
      if units.contains(unit) { refuse("'\(queue.name)' is the second queue of its kind of engine, the twin has one") }
      units[index] = unit
    }
    func memory(_ kind: Program.Memory.Kind) -> Int? {
      let known = program.memories.indices.filter { program.memories[$0].kind == kind }
      if known.count > 1 {
        refuse("the program has \(known.count) memories of kind '\(kind.rawValue)', the twin has one")
      }
      return known.first
    }
    let (dram, scratchpad, accumulator) = (memory(.dram), memory(.scratchpad), memory(.accumulator))
    _ = accumulator
    let bus = dram.flatMap { index in machine.memories.first { $0.name == program.memories[index].name } }
    let bankBytes = scratchpad.map { max(1, program.memories[$0].bytes / program.memories[$0].banks) } ?? 1
    if let problem = bus?.twinProblem { refuse(problem) }
    // A memory that is absent gets a number that no operand names.
    values =
      units + [
        dram ?? 255, scratchpad ?? 254, bankBytes, drain.lanes, drain.latency, vector.lanes, vector.latency,
        dmas[0].linkBytes, dmas[0].outstanding, dmas[1].linkBytes, dmas[1].outstanding, bus?.bandwidthNumerator ?? 1,
        (bus?.burst ?? 1) * (bus?.bandwidthDenominator ?? 1), bus?.burst ?? 1,
      ]
    // Products of these stay in the twin's 32 bits.
    for (name, value) in [
      ("bandwidth", bus?.bandwidthNumerator ?? 1), ("burst service", values[17]), ("burst", values[18]),
      ("link width", max(dmas[0].linkBytes, dmas[1].linkBytes)), ("lanes", max(drain.lanes, vector.lanes)),
    ] where value >= 1 << 24 {
      refuse("\(name) \(value) is beyond the 24 bits of the twin")
    }
    if !problems.isEmpty { throw DiagnosticError(problems) }
  }
}

extension Machine.Memory {
  /// Why the twin's bus and memory are not this one's; nil when they are.
  var twinProblem: String? {
    device.map {
      "memory '\(name)' is the device '\($0.name)', the core's twin has one bus with bandwidth, burst and latency"
    }
  }
}

extension DMAOptions {
  /// Why the twin's DMA engine cannot be this one; nil when it can.
  func twinProblem(of engine: String) -> String? {
    outstanding <= CoreTwinLimits.bursts
      ? nil : "'\(engine)' has \(outstanding) bursts in flight, the core's twin \(CoreTwinLimits.bursts)"
  }
}

/// How much the pieces of the twin hold; the numbers are those of `Targets/rtl/core`.
enum CoreTwinLimits {
  static let queues = 5
  static let channels = 1024
  /// Waits, and signals, of one command.
  static let listed = 16
  static let operands = 8
  static let loops = 8
  static let bursts = 64
  static let counts = 1 << 31
  static let addressBits = 1 << 46
}
