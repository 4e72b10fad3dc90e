import Foundation
import Pantile
import Testing

/// `pantile plan --memories`.
struct MemoryPlanCommandTests {
  private static let mcu = "Targets/hierarchies/mcu-64k-256k.yaml"

  private static func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// Two memories and flash; a step of three ops whose weight has to come and go.
  private static let memories = """
    name: tiny
    memories:
      - {name: fast, size: 20 B, read: {energy_pj: 1}, write: {energy_pj: 1}}
      - {name: slow, size: 40 B, direct: false, read: {energy_pj: 10}, write: {energy_pj: 10}}
      - {name: flash, size: 10 B, read_only: true, read: {energy_pj: 5}}
    """
  private static let graph = """
    {"name": "tiny", "tensors": [
      {"id": 7, "name": "x", "bytes": 4, "kind": "input"}, {"id": 8, "name": "w", "bytes": 8, "kind": "weight"},
      {"id": 9, "name": "f", "bytes": 6, "kind": "weight"}, {"id": 10, "name": "a", "bytes": 5, "kind": "saved"},
      {"id": 11, "name": "g", "bytes": 7, "kind": "gradient"}, {"id": 12, "name": "loss", "bytes": 2, "kind": "output"}],
     "ops": [
      {"id": 0, "name": "use", "inputs": [7, 8], "outputs": [10]},
      {"id": 1, "name": "grade", "inputs": [10, 9], "outputs": [11, 12]},
      {"id": 2, "name": "update", "inputs": [11], "outputs": [], "updates": [8]}]}
    """

  private static func inFolder<R>(
    memories: String = Self.memories, graph: String = Self.graph, _ body: (String, String) throws -> R
  ) throws -> R {
    try TemporaryFolder.with { folder in
      try write(memories, to: "\(folder)/memories.yaml")
      try write(graph, to: "\(folder)/graph.json")
      return try body("\(folder)/memories.yaml", "\(folder)/graph.json")
    }
  }

  @Test func jsonHasTheKeysInOrder() throws {
    try Self.inFolder { memories, graph in
      let result = try Tool.run(["plan", graph, "--memories", memories, "--json", "-"])
      #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
      let keys = result.output.split(separator: "\n").compactMap { line in
        line.hasPrefix("  \"") ? line.dropFirst(3).prefix { $0 != "\"" } : nil
      }
      #expect(
        keys.map(String.init) == [
          "schema", "version", "input", "memories_file", "method", "objective", "status", "cost", "lower_bound", "gap",
          "bound", "bound_order", "lower_bound_any_order", "energy_pj", "cycles", "slots", "op_slots", "memories",
          "buffers", "ops", "order", "moves", "accesses", "addresses", "prices", "states", "cpu_seconds",
        ])
      let json = try jsonObject(result.output)
      #expect(json["schema"] as? String == "pantile.memory-plan/1" && json["status"] as? String == "optimal")
      let buffers = try #require(json["buffers"] as? [[String: Any]])
      // A weight that no op updates is frozen.
      #expect(
        buffers.compactMap { $0["kind"] as? String } == ["input", "weight", "frozen", "saved", "gradient", "output"])
      // By hand. x comes from slow memory, 4·11, and is read, 4; w is read and updated in fast memory, 8 + 16; a is 10, g 14; the loss is made,
      // 2, and leaves, 2·11. In the slot of 'grade' a, g and the loss are 14 bytes of 20: not 6 more through the step for f, which
      // is read in flash, 30, nor 8 for w, which goes and comes back, 8·11 each way.
      let cost = try #require(json["cost"] as? Double)
      #expect(cost == 48 + 24 + 10 + 14 + 24 + 30 + 176)
    }
  }

  /// A plan is checked again from its JSON alone: bytes, presence, what is written, sums.
  @Test(arguments: [
    ["--grad", "batch=4", "--grad", "momentum=0.9", "--order", "default"],
    ["--grad", "batch=8", "--grad", "update=conv3:0.25,fc1:bias,fc2", "--objective", "cycles", "--order", "default"],
  ])
  func planOfTheDigitsStepHoldsByItsJSON(_ options: [String]) throws {
    let result = try Tool.run(["plan", "digits-cnn", "--memories", Self.mcu, "--json", "-"] + options)
    #expect(result.code == 0, "\(result.errors)")
    let json = try jsonObject(result.output)
    func list(_ key: String) throws -> [[String: Any]] { try #require(json[key] as? [[String: Any]]) }
    func number(_ entry: [String: Any], _ key: String) throws -> Int { try #require(entry[key] as? Int) }
    let buffers = try list("buffers")
    let slots = try #require(json["slots"] as? Int)
    let opSlots = try #require(json["op_slots"] as? [Int])
    let order = try #require(json["order"] as? [Int])
    #expect(order.sorted() == Array(0..<opSlots.count))
    for memory in try list("memories") {
      let name = try #require(memory["name"] as? String)
      let stays = try list("addresses").filter { $0["memory"] as? String == name }
      for (place, stay) in stays.enumerated() {
        let bytes = try number(buffers[try number(stay, "buffer")], "bytes")
        let low = try number(stay, "offset")
        #expect(low + bytes <= (try number(memory, "capacity_bytes")))
        if memory["read_only"] as? Bool == true {
          #expect(buffers[try number(stay, "buffer")]["kind"] as? String == "frozen")
          #expect(try number(stay, "from") == 0 && number(stay, "to") == slots)
        }
        for other in stays[..<place] {
          let isTogether = try number(other, "from") < number(stay, "to") && number(stay, "from") < number(other, "to")
          let size = try number(buffers[try number(other, "buffer")], "bytes")
          let isApart = try number(other, "offset") + size <= low || low + bytes <= number(other, "offset")
          #expect(!isTogether || isApart)
        }
      }
    }
    // Each op finds what it reads, put there before it runs.
    var slotOf = [Int](repeating: 0, count: order.count)
    for (step, op) in order.enumerated() { slotOf[op] = opSlots[step] }
    for access in try list("accesses") {
      let slot = slotOf[try number(access, "op")]
      let stay = try list("addresses").first {
        $0["buffer"] as? Int == access["buffer"] as? Int && $0["memory"] as? String == access["memory"] as? String
          && ($0["from"] as? Int ?? slots) <= slot && slot < ($0["to"] as? Int ?? 0)
      }
      let found = try #require(stay)
      #expect(try (access["use"] as? String == "write") == (number(found, "from") == slot))
    }
    let (cost, bound) = (try #require(json["cost"] as? Double), try #require(json["lower_bound"] as? Double))
    #expect(bound <= cost && bound > 0)
    #expect((json["status"] as? String == "optimal") == (bound == cost))
    let gap = try #require(json["gap"] as? Double)
    #expect(gap < 0.12, "\(gap)")
  }

  @Test func samePlanForEveryHashSeed() throws {
    func run(_ seed: String) throws -> [Substring] {
      let result = try Tool.run(
        ["plan", "digits-cnn", "--grad", "batch=2", "--memories", Self.mcu, "--order", "default", "--json", "-"],
        environment: ["SWIFT_DETERMINISTIC_HASHING": seed])
      return result.output.split(separator: "\n").filter { !$0.contains("cpu_seconds") }
    }
    let first = try run("1")
    #expect(first.count > 100)
    let second = try run("")
    #expect(first == second)
  }

  @Test func smallMemoriesAreInfeasible() throws {
    try Self.inFolder(memories: Self.memories.replacing("20 B", with: "12 B")) { memories, graph in
      let result = try Tool.run(["plan", graph, "--memories", memories, "--json", "-"])
      #expect(result.code == 1)
      #expect(
        result.errors.contains(
          "op 0 'use' uses 17 bytes at once that change, the memories that ops reach and write have 12"))
      let json = try jsonObject(result.output)
      #expect(json["status"] as? String == "infeasible" && json["cost"] is NSNull)
    }
  }

  /// 8, 7 and 3 bytes are not more than two times 9, and go in no way into 9 and 9.
  @Test func buffersThatGoIntoNoMemoriesAreNamed() throws {
    let memories = Self.memories.replacing("20 B", with: "9 B").replacing("direct: false, ", with: "")
      .replacing("40 B", with: "9 B")
    let graph = Self.graph.replacing("\"inputs\": [11]", with: "\"inputs\": [11, 12]")
      .replacing("\"bytes\": 4", with: "\"bytes\": 1").replacing("\"bytes\": 2", with: "\"bytes\": 3")
    try Self.inFolder(memories: memories, graph: graph) { memories, graph in
      let result = try Tool.run(["plan", graph, "--memories", memories])
      #expect(result.code == 1)
      let reason =
        "infeasible: op 2 'update' uses 'w' (8), 'g' (7), 'loss' (3) at once, which go in no way into 9 of 'fast', 9 of 'slow'"
      #expect(result.errors.hasPrefix(reason), "\(result.errors)")
    }
  }

  private static let badFiles: [(from: String, to: String, code: String, message: String)] = [
    ("size: 20 B", "size: 20", "missing-unit", "'fast' needs a unit"),
    ("read: {energy_pj: 1}", "raed: {energy_pj: 1}", "missing-key", "read"),
    ("direct: false", "direct: no", "unknown-value", "'no'"), ("name: slow", "name: fast", "duplicate-name", "'fast'"),
    ("read: {energy_pj: 5}", "read: {cycles: 5}", "missing-cost", "states no 'energy_pj'"),
    ("read: {energy_pj: 5}", "read: {energy_pj: 5.0004}", "wrong-value", "three decimals"),
    ("read: {energy_pj: 5}", "read: {energy_pj: -5}", "out-of-range", "-5"),
    ("read_only: true, read", "read_only: true, write: {energy_pj: 1}, read", "wrong-value", "is read-only"),
    ("name: tiny\n", "name: tiny\ninputs: flash\n", "wrong-value", "inputs is 'flash', which is read-only"),
    ("name: tiny\n", "name: tiny\noutputs: disk\n", "unknown-value", "'disk'"),
    ("name: tiny\n", "name: tiny\nmoves: [{from: fast, to: flash}]\n", "wrong-value", "read-only"),
    ("name: tiny\n", "name: tiny\nmoves: [{from: fast, to: fast}]\n", "wrong-value", "from 'fast' to 'fast'"),
    (
      "name: tiny\n", "name: tiny\nmoves: [{from: fast, to: slow}, {from: fast, to: slow}]\n", "duplicate-name",
      "listed twice"
    ),
    ("name: tiny\n", "name: tiny\nmove_slots: 9\n", "out-of-range", "9"),
    ("name: tiny\n", "name: tiny\ncolour: red\n", "unknown-key", "colour"),
    ("memories:", "memories: []\nothers:", "missing-key", "no memory"),
  ]

  @Test(arguments: badFiles.indices) func badFilesOfMemoriesAreRefused(_ index: Int) throws {
    let bad = Self.badFiles[index]
    try Self.inFolder(memories: Self.memories.replacing(bad.from, with: bad.to)) { memories, graph in
      let result = try Tool.run(["plan", graph, "--memories", memories])
      #expect(result.code == 2 && result.output.isEmpty && !result.isCrash)
      #expect(result.errors.contains("[\(bad.code)]") && result.errors.contains(bad.message), "\(result.errors)")
      // With its place.
      #expect(result.errors.contains("memories.yaml:"), "\(result.errors)")
    }
  }

  private static let badGraphs: [(from: String, to: String, message: String)] = [
    ("\"kind\": \"saved\"", "\"kind\": \"savd\"", "did you mean 'saved'?"),
    ("\"updates\": [8]", "\"updates\": [80]", "no tensor with id 80"),
    ("\"updates\": [8]", "\"updates\": [7]", "updates 'x', which is input"),
    ("\"id\": 9,", "\"id\": 8,", "used twice"), ("\"outputs\": [10]", "\"outputs\": []", "no op makes it"),
    ("\"bytes\": 4", "\"bytes\": -4", "out of range"),
    ("\"bytes\": 4", "\"bites\": 4", "'tensors[0].bytes' is missing"),
  ]

  @Test(arguments: badGraphs.indices) func badGraphsAreRefused(_ index: Int) throws {
    let bad = Self.badGraphs[index]
    try Self.inFolder(graph: Self.graph.replacing(bad.from, with: bad.to)) { memories, graph in
      let result = try Tool.run(["plan", graph, "--memories", memories])
      #expect(result.code == 2 && result.output.isEmpty && !result.isCrash)
      #expect(result.errors.contains("[bad-graph]") && result.errors.contains(bad.message), "\(result.errors)")
    }
  }

  @Test func optionsThatDoNotGoTogetherAreRefused() throws {
    func refuse(_ arguments: [String], _ code: String) throws {
      let result = try Tool.run(["plan"] + arguments)
      #expect(result.code == 2 && result.errors.contains("[\(code)]"), "\(arguments): \(result.errors)")
    }
    try refuse(["digits-cnn", "--memories", Self.mcu, "--capacity", "1MiB"], "option-conflict")
    try refuse(["digits-cnn", "--memories", Self.mcu, "--picture", "x.svg"], "option-conflict")
    try refuse(["digits-cnn", "--grad", "batch=4", "--capacity", "1MiB"], "option-conflict")
    try refuse(["digits-cnn", "--objective", "cycles", "--capacity", "1MiB"], "option-conflict")
    try refuse(["Workloads/graphs/diamond.json", "--grad", "batch=4", "--memories", Self.mcu], "option-conflict")
    try refuse(["digits-cnn", "--memories", Self.mcu, "--method", "belady"], "unknown-method")
    try refuse(["digits-cnn", "--memories", Self.mcu, "--grad", "bath=4"], "unknown-option")
    try Self.inFolder { memories, graph in
      try refuse([graph, "--memories", memories, "--objective", "cycles"], "missing-cost")
    }
  }
}
