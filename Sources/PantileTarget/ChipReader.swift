import PantileConfig
import PantileSupport

/// Turns the merged tree of a chip file into a `Chip`; adds everything wrong to `issues`.
struct ChipReader {
  let issues: Issues
  let schemas: [String: EngineSchema]
  let finder: TargetFolder
  /// The folder of the chip file.
  let folder: String

  // Bounds that keep products of sizes inside 64 bits; far beyond any machine that the models stand for.
  private static let sizes = 1...(1 << 50)
  private static let times = 0...1_000_000_000
  private static let clocks = 1_000...100_000_000_000

  /// Nil only after adding a diagnostic.
  func read(_ root: ConfigNode) -> Chip? {
    guard let map = ConfigMapping(root, "chip", issues) else { return nil }
    let name = map.required("name")?.name("name of the chip", issues)
    let summary = map.optional("summary")?.text("summary of the chip", issues) ?? ""
    let clock = map.required("clock")?.hertz("clock", in: ChipReader.clocks, issues)
    if let cores = map.optional("cores"), let count = cores.count("cores", in: 1...4096, issues), count > 1 {
      issues.add("not-supported", "the chip has \(count) cores; one is supported", at: cores)
    }
    let dispatch = readDispatch(map.optional("dispatch"), clock: clock)
    let memories = readMemories(map.required("memories"), root: root, clock: clock)
    let engines = readEngines(map.required("engines"), clock: clock, memories: memories)
    let energy = readEnergy(map.required("energy"))
    map.finish()
    for engine in engines where memories.contains(where: { $0.name == engine.name }) {
      issues.add(
        Diagnostic("duplicate-key", "'\(engine.name)' names both a memory and an engine", at: engine.location))
    }
    if let energy { checkEnergy(of: memories, in: energy, root: root) }
    guard let name, let clock, let dispatch, let energy, issues.isEmpty else { return nil }
    return Chip(
      name: name, summary: summary, clock: Hertz(Double(clock)), cores: [Core(name: "core0", engines: engines)],
      memories: memories, dispatch: dispatch, energy: energy)
  }

  private func readDispatch(_ node: ConfigNode?, clock: Int?) -> Dispatch? {
    guard let node else { return Dispatch() }
    guard let map = ConfigMapping(node, "dispatch", issues) else { return nil }
    for key in ["queue_depth", "loop_depth"] {
      guard let node = map.optional(key), let text = node.text("\(key) of dispatch", issues) else { continue }
      if text != "unbounded" {
        issues.add(
          "not-supported", "\(key) of dispatch is '\(text)'; queues take any number in this version", at: node,
          hint: "write unbounded, or leave it out")
      }
    }
    if let node = map.optional("loop_overhead"),
      let overhead = node.cycles("loop_overhead of dispatch", in: ChipReader.times, clock: clock, issues),
      overhead != .zero
    {
      issues.add(
        "not-supported", "loop_overhead of dispatch is \(overhead.count) cycles; loops cost nothing in this version",
        at: node, hint: "write 0 cycles, or leave it out")
    }
    map.finish()
    return Dispatch()
  }

  private func readEnergy(_ node: ConfigNode?) -> EnergyTable? {
    guard let node, let name = node.text("energy of the chip", issues) else { return nil }
    do {
      return try EnergyTable.load(name, folder: finder, beside: folder, at: node.location)
    } catch {
      issues.add(error)
      return nil
    }
  }

  private func checkEnergy(of memories: [MemorySpec], in table: EnergyTable, root: ConfigNode) {
    for memory in memories where memory.device == nil {
      do {
        _ = try table.entry(for: .read, of: memory)
      } catch {
        let place = root["memories"]?[memory.name]?["energy"] ?? root["memories"]?[memory.name]
        for diagnostic in error.diagnostics {
          issues.add(
            Diagnostic(
              diagnostic.code, diagnostic.message, at: place?.location ?? .unknown, hint: diagnostic.hint,
              sourceLine: place?.sourceLine))
        }
      }
    }
  }
}

// MARK: Memories

extension ChipReader {
  private func readMemories(_ node: ConfigNode?, root: ConfigNode, clock: Int?) -> [MemorySpec] {
    guard let node, let entries = node.entries("memories", issues) else { return [] }
    var result: [MemorySpec] = []
    var isComplete = true
    for entry in entries {
      checkName(entry)
      if let memory = readMemory(entry, clock: clock) { result.append(memory) } else { isComplete = false }
    }
    for kind in MemorySpec.Kind.allCases {
      let found = result.filter { $0.kind == kind }
      if found.isEmpty, isComplete {
        issues.add(
          "missing-memory", "the chip has no memory of kind '\(kind.rawValue)'", at: node,
          hint: "add one under 'memories'")
      } else if found.count > 1, let second = node[found[1].name] {
        issues.add(
          "not-supported",
          "the chip has \(found.count) memories of kind '\(kind.rawValue)' ('\(found[0].name)', '\(found[1].name)'); "
            + "one is supported", at: second)
      }
    }
    return result
  }

  private func checkName(_ entry: ConfigNode.Entry) {
    guard !isConfigName(entry.key) || entry.key.contains(".") else { return }
    issues.add(
      Diagnostic(
        "wrong-value", "'\(entry.key)' is not a name", at: entry.keyLocation,
        hint: "use a letter followed by letters, digits, '_' or '-', 64 at most", sourceLine: entry.keyLine))
  }

  private func readMemory(_ entry: ConfigNode.Entry, clock: Int?) -> MemorySpec? {
    let what = "memory '\(entry.key)'"
    guard let map = ConfigMapping(entry.value, what, issues) else { return nil }
    let kinds = MemorySpec.Kind.allCases.map(\.rawValue)
    guard let kindText = map.required("kind")?.choice("kind of \(what)", among: kinds, issues),
      let kind = MemorySpec.Kind(rawValue: kindText)
    else { return nil }
    let size = map.required("size")?.bytes("size of \(what)", in: ChipReader.sizes, issues)
    if kind == .dram, let node = map.optional("device") {
      let memory = readDevice(node, map, name: entry.key, size: size, clock: clock)
      map.finish()
      return memory
    }
    let latency = map.required("latency")?.cycles("latency of \(what)", in: ChipReader.times, clock: clock, issues)
    let energyKey = map.required("energy")?.name("energy of \(what)", issues)
    let memory: MemorySpec?
    switch kind {
    case .dram:
      memory = readOffChip(map, name: entry.key, size: size, latency: latency, energyKey: energyKey, clock: clock)
    case .scratchpad, .accumulator:
      memory = readOnChip(map, name: entry.key, kind: kind, size: size, latency: latency, energyKey: energyKey)
    }
    map.finish()
    return memory
  }

  private func readOffChip(
    _ map: ConfigMapping, name: String, size: Bytes?, latency: Cycles?, energyKey: String?, clock: Int?
  ) -> MemorySpec? {
    let bandwidth = map.required("bandwidth")?.bandwidth("bandwidth of \(map.what)", clock: clock, issues)
    let burst = map.required("burst").flatMap { powerOfTwo($0, "burst of \(map.what)", in: 1...65_536) }
    guard let size, let latency, let energyKey, let bandwidth, let burst else { return nil }
    guard size.count % burst.count == 0 else {
      issues.add(
        "wrong-value", "size \(exactSize(size)) of \(map.what) is no multiple of its burst of \(exactSize(burst))",
        at: map.node)
      return nil
    }
    let rate = BytesPerCycle(bandwidth.numerator, over: bandwidth.denominator)
    return MemorySpec(
      name: name, kind: .dram, size: size, banks: 1, portWidth: burst, bandwidth: rate, latency: latency, burst: burst,
      energyKey: energyKey)
  }

  /// A memory whose bandwidth, latency, burst and energy follow from a file in `Targets/memories`.
  private func readDevice(
    _ node: ConfigNode, _ map: ConfigMapping, name: String, size: Bytes?, clock: Int?
  ) -> MemorySpec? {
    // A device takes the place of what an earlier layer says: the chip that is extended, the chip, `--set`.
    func layer(_ node: ConfigNode) -> Int {
      guard let path = node.location.filePosition?.path else { return 2 }
      return path == map.node.location.filePosition?.path ? 1 : 0
    }
    for key in ["bandwidth", "latency", "burst", "energy"] {
      guard let other = map.optional(key), layer(other) >= layer(node) else { continue }
      issues.add(
        "key-conflict", "\(map.what) has a 'device', which says its \(key) already", at: other,
        hint: "leave out '\(key)', or 'device'")
    }
    guard let text = node.text("device of \(map.what)", issues), let size, let clock else { return nil }
    let device: DRAMDevice
    do {
      let path = try finder.memory(text, beside: folder, at: node.location)
      device = try DRAMDevice.read(ConfigDocument.read(path))
    } catch {
      issues.add(error)
      return nil
    }
    let organization = device.organization
    let burst = organization.burstBytes
    guard size.count <= organization.capacity, size.count % burst == 0 else {
      issues.add(
        "wrong-value",
        "size \(exactSize(size)) of \(map.what) must be a multiple of the burst of \(exactSize(Bytes(burst))) up to the "
          + "\(exactSize(Bytes(organization.capacity))) of '\(device.name)'", at: map.node)
      return nil
    }
    guard let ratio = ClockRatio(core: Hertz(Double(clock)), memory: device.clockPeriod) else {
      issues.add(
        "not-supported",
        "the clocks of the chip, \(clock) Hz, and of '\(device.name)', \(device.clockPeriod.nanoseconds) ns, have no ratio of small whole numbers",
        at: node)
      return nil
    }
    let timing = device.timing
    let latency = timing.activateToRead + timing.additiveLatency + timing.readLatency + organization.burstClocks + 1
    return MemorySpec(
      name: name, kind: .dram, size: size, banks: 1, portWidth: Bytes(burst),
      bandwidth: BytesPerCycle(
        organization.channels * burst * ratio.memory, over: organization.burstClocks * ratio.core),
      latency: Cycles(ratio.coreCycle(atOrAfter: latency)), burst: Bytes(burst), energyKey: "", device: device)
  }

  private func readOnChip(
    _ map: ConfigMapping, name: String, kind: MemorySpec.Kind, size: Bytes?, latency: Cycles?, energyKey: String?
  ) -> MemorySpec? {
    if let latency, latency.count != 1 {
      issues.add(
        "not-supported",
        "latency of \(map.what) is \(latency.count) cycles; on-chip memories answer in 1 cycle in this version",
        at: map.node)
      return nil
    }
    let bankNode = map.required("banks")
    let banks = bankNode?.count("banks of \(map.what)", in: 1...4096, issues)
    let widthNode = map.required("port_width")
    let width = widthNode.flatMap { powerOfTwo($0, "port_width of \(map.what)", in: 1...65_536) }
    guard let size, let latency, let energyKey, let banks, let bankNode, let width, let widthNode else { return nil }
    guard size.count % banks == 0 else {
      issues.add(
        "bank-mismatch", "\(banks) banks do not divide the \(exactSize(size)) of \(map.what)", at: bankNode)
      return nil
    }
    let bankSize = size.count / banks
    guard bankSize % width.count == 0 else {
      issues.add(
        "bank-mismatch",
        "a bank of \(map.what) has \(exactSize(Bytes(bankSize))), no multiple of the port width of \(exactSize(width))",
        at: widthNode)
      return nil
    }
    return MemorySpec(
      name: name, kind: kind, size: size, banks: banks, portWidth: width,
      bandwidth: BytesPerCycle(width.count * banks), latency: latency, burst: width, energyKey: energyKey)
  }

  private func powerOfTwo(_ node: ConfigNode, _ what: String, in range: ClosedRange<Int>) -> Bytes? {
    guard let value = node.bytes(what, in: range, issues) else { return nil }
    guard value.count & (value.count - 1) == 0 else {
      issues.add("wrong-value", "\(what) is \(value.count) B but must be a power of two", at: node)
      return nil
    }
    return value
  }
}

// MARK: Engines

extension ChipReader {
  private func readEngines(_ node: ConfigNode?, clock: Int?, memories: [MemorySpec]) -> [EngineSection] {
    guard let node, let entries = node.entries("engines", issues) else { return [] }
    if entries.isEmpty { issues.add("missing-key", "the chip has no engine", at: node) }
    return entries.compactMap { entry in
      checkName(entry)
      return readEngine(entry, clock: clock, memories: memories)
    }
  }

  private func readEngine(_ entry: ConfigNode.Entry, clock: Int?, memories: [MemorySpec]) -> EngineSection? {
    let what = "engine '\(entry.key)'"
    guard let map = ConfigMapping(entry.value, what, issues) else { return nil }
    guard let family = map.required("family")?.choice("family of \(what)", among: schemas.keys.sorted(), issues),
      let schema = schemas[family]
    else { return nil }
    var fields: [EngineSection.Field] = []
    var isComplete = true
    for field in schema.fields {
      let fieldWhat = "\(field.key) of \(what)"
      if let defaultValue = field.defaultValue, map.optional(field.key) == nil {
        fields.append(.init(key: field.key, value: defaultValue, location: entry.keyLocation))
      } else if let node = map.required(field.key),
        let value = readValue(node, field.kind, fieldWhat, clock: clock, memories: memories)
      {
        fields.append(.init(key: field.key, value: value, location: node.location))
      } else {
        isComplete = false
      }
    }
    map.finish()
    guard isComplete else { return nil }
    let section = EngineSection(name: entry.key, family: family, values: fields, location: entry.keyLocation)
    if let complaint = schema.check(section) {
      issues.add(complaint)
      return nil
    }
    return section
  }

  private func readValue(
    _ node: ConfigNode, _ kind: FieldSchema.Kind, _ what: String, clock: Int?, memories: [MemorySpec]
  ) -> FieldValue? {
    switch kind {
    case .count(let range): return node.count(what, in: range, issues).map { .count($0) }
    case .powerOfTwo(let range):
      guard let value = node.count(what, in: range, issues) else { return nil }
      guard value > 0, value & (value - 1) == 0 else {
        issues.add("wrong-value", "\(what) is \(value) but must be a power of two", at: node)
        return nil
      }
      return .count(value)
    case .cycles(let range): return node.cycles(what, in: range, clock: clock, issues).map { .cycles($0) }
    case .bytes(let range): return node.bytes(what, in: range, issues).map { .bytes($0) }
    case .bandwidth:
      return node.bandwidth(what, clock: clock, issues).map {
        .bandwidth(BytesPerCycle($0.numerator, over: $0.denominator))
      }
    case .choice(let choices): return node.choice(what, among: choices, issues).map { .choice($0) }
    case .choices(let choices):
      return readList(node, what) { $0.choice(what, among: choices, issues) }.map { .choices($0) }
    case .flag: return node.flag(what, issues).map { .flag($0) }
    case .patterns(let maximum):
      return readList(node, what) { readPattern($0, what, maximumGroup: maximum) }.map { .patterns($0) }
    case .memory: return node.choice(what, among: memories.map(\.name), issues).map { .choice($0) }
    }
  }

  /// A non-empty list without repeats.
  private func readList<Element: Hashable>(
    _ node: ConfigNode, _ what: String, _ read: (ConfigNode) -> Element?
  ) -> [Element]? {
    guard let elements = node.list(what, issues) else { return nil }
    let values = elements.map(read)
    if values.isEmpty {
      issues.add("wrong-value", "\(what) is empty", at: node)
      return nil
    }
    var result: [Element] = []
    for (value, element) in zip(values, elements) {
      guard let value else { return nil }
      if result.contains(value) {
        issues.add("wrong-value", "\(what) lists \(value) twice", at: element)
        return nil
      }
      result.append(value)
    }
    return result
  }

  private func readPattern(_ node: ConfigNode, _ what: String, maximumGroup: Int) -> SparsityPattern? {
    guard let text = node.text(what, issues) else { return nil }
    let pieces = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard pieces.count == 2, let kept = pieces[0], let group = pieces[1] else {
      issues.add("wrong-type", "\(what) must be a pattern such as 2:4, found '\(text)'", at: node)
      return nil
    }
    guard kept >= 1, group >= kept, group <= maximumGroup else {
      issues.add(
        "out-of-range", "\(what) has the pattern \(text); it must keep 1 ... group of groups up to \(maximumGroup)",
        at: node)
      return nil
    }
    return SparsityPattern(kept: kept, group: group)
  }
}
