import Foundation
import Pantile
import Testing

/// `pantile plan`.
struct PlanCommandTests {
  private static let diamond = "Workloads/graphs/diamond.json"
  private static let tight = ["--capacity", "56KiB"]

  /// A diamond whose long branch does not fit beside the skip: x is spilled or fetched again.
  private static let graph = """
    {"name": "small", "tensors": [
      {"id": 10, "bytes": 40, "kind": "input", "name": "in"}, {"id": 20, "bytes": 40, "name": "x"},
      {"id": 30, "bytes": 50, "name": "a"}, {"id": 40, "bytes": 50, "name": "b"}, {"id": 50, "bytes": 20, "name": "c"},
      {"id": 60, "bytes": 10, "kind": "output", "name": "y"}],
     "ops": [
      {"id": 5, "name": "stem", "inputs": [10], "outputs": [20]}, {"id": 6, "name": "up", "inputs": [20], "outputs": [30]},
      {"id": 7, "name": "wide", "inputs": [30], "outputs": [40], "workspace_bytes": 8},
      {"id": 8, "name": "down", "inputs": [40], "outputs": [50]},
      {"id": 9, "name": "join", "inputs": [20, 50], "outputs": [60]}]}
    """
  private static let buffers = "id,lower,upper,size\na,0,2,10\nb,1,3,20\nc,2,4,10\n"

  private static func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private static func plan(_ arguments: [String]) throws -> (result: Tool.Result, json: [String: Any]) {
    let result = try Tool.run(["plan"] + arguments + ["--json", "-"])
    return (result, try jsonObject(result.output))
  }

  // MARK: What comes out

  @Test func jsonHasTheKeysInOrder() throws {
    let (result, json) = try Self.plan([Self.diamond] + Self.tight)
    #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
    let keys = result.output.split(separator: "\n").compactMap { line in
      line.hasPrefix("  \"") ? line.dropFirst(3).prefix { $0 != "\"" } : nil
    }
    #expect(
      keys.map(String.init) == [
        "schema", "version", "input", "method", "status", "cost_bytes", "lower_bound_bytes", "gap", "bound",
        "bound_order", "order", "spills", "fetches", "addresses", "peak_bytes", "capacity_bytes", "states",
        "cpu_seconds",
      ])
    #expect(json["schema"] as? String == "pantile.plan/1" && json["status"] as? String == "optimal")
    #expect(json["input"] as? String == Self.diamond && json["capacity_bytes"] as? Int == 56 << 10)
  }

  /// Cost, gap, peak and the transfers agree with each other and with the graph file.
  @Test(arguments: ["44KiB", "48KiB", "56KiB", "64KiB", "1MiB"])
  func numbersAgree(_ capacity: String) throws {
    let graph = try jsonObject(try Tool.text("\(Tool.root)/\(Self.diamond)"))
    let tensors = try #require(graph["tensors"] as? [[String: Any]])
    var bytes: [Int: Int] = [:]
    for tensor in tensors { bytes[try #require(tensor["id"] as? Int)] = tensor["bytes"] as? Int }
    let (result, json) = try Self.plan([Self.diamond, "--capacity", capacity])
    if json["status"] as? String == "infeasible" {
      #expect(result.code == 1 && capacity == "44KiB")
      return
    }
    #expect(result.code == 0)
    let moves = try ["spills", "fetches"].flatMap { try #require(json[$0] as? [[String: Int]]) }
    let cost = try #require(json["cost_bytes"] as? Int)
    #expect(cost == moves.reduce(0) { $0 + (bytes[$1["tensor"] ?? -1] ?? 0) })
    let bound = try #require(json["lower_bound_bytes"] as? Int)
    #expect(json["gap"] as? Double == Double(cost - bound) / Double(max(cost, 1)))
    #expect((cost == bound) == (json["status"] as? String == "optimal"))
    let order = try #require(json["order"] as? [Int])
    #expect(order.sorted() == Array(0..<(graph["ops"] as? [Any] ?? []).count))
    let addresses = try #require(json["addresses"] as? [[String: Int]])
    let tops = addresses.map { ($0["offset"] ?? 0) + (bytes[$0["tensor"] ?? -1] ?? 0) }
    #expect(json["peak_bytes"] as? Int == tops.max())
    #expect(addresses.allSatisfy { ($0["from"] ?? 0) < ($0["to"] ?? 0) && ($0["to"] ?? 0) <= order.count })
    #expect(try #require(tops.max()) <= json["capacity_bytes"] as? Int ?? 0)
    // Each operand is somewhere in its op's step.
    for (step, op) in order.enumerated() {
      let own = (graph["ops"] as? [[String: Any]] ?? []).first { $0["id"] as? Int == op }
      for tensor in (own?["inputs"] as? [Int] ?? []) + (own?["outputs"] as? [Int] ?? []) {
        #expect(
          addresses.contains { $0["tensor"] == tensor && $0["from"] ?? 0 <= step && step < $0["to"] ?? 0 },
          "tensor \(tensor) in step \(step)")
      }
    }
  }

  @Test func idsAreThoseOfTheFile() throws {
    try TemporaryFolder.with { folder in
      try Self.write(Self.graph, to: "\(folder)/g.json")
      let (result, json) = try Self.plan(["\(folder)/g.json", "--capacity", "120"])
      #expect(result.code == 0 && json["order"] as? [Int] == [5, 6, 7, 8, 9], "\(result.errors)")
      #expect(json["cost_bytes"] as? Int == 80 && json["status"] as? String == "optimal")
      #expect((json["fetches"] as? [[String: Int]])?.map { $0["tensor"] } == [20])
      let workspaces = try #require(json["workspaces"] as? [[String: Int]])
      #expect(workspaces.count == 1 && workspaces[0]["op"] == 7 && workspaces[0]["bytes"] == 8)
    }
  }

  @Test(arguments: ["auto", "exact", "beam", "gap", "cosma", "belady", "greedy", "tflite"])
  func eachMethodPlans(_ method: String) throws {
    let (result, json) = try Self.plan([Self.diamond, "--method", method] + Self.tight)
    #expect(json["method"] as? String == method)
    let status = try #require(json["status"] as? String)
    #expect(result.code == (["optimal", "feasible"].contains(status) ? 0 : 1), "\(status): \(result.errors)")
    if let cost = json["cost_bytes"] as? Int { #expect(cost >= 32_768) }
    if ["auto", "exact"].contains(method) { #expect(json["cost_bytes"] as? Int == 32_768 && status == "optimal") }
  }

  @Test func streamsBelowTheLargestOp() throws {
    let arguments = [Self.diamond, "--capacity", "40KiB", "--tile-buffer", "8KiB", "--method", "streaming"]
    let (result, json) = try Self.plan(arguments)
    #expect(result.code == 0, "\(result.errors)")
    let moves = (json["spills"] as? [[String: Any]] ?? []) + (json["fetches"] as? [[String: Any]] ?? [])
    #expect(moves.contains { $0["streamed"] as? Bool == true })
  }

  @Test func defaultOrderIsKept() throws {
    let (result, json) = try Self.plan([Self.diamond, "--order", "default"] + Self.tight)
    #expect(result.code == 0 && json["order"] as? [Int] == Array(0..<13))
    #expect(json["bound_order"] as? String == "this" || json["cost_bytes"] as? Int == 0)
  }

  @Test func tableNamesWhatMoves() throws {
    let result = try Tool.run(["plan", Self.diamond] + Self.tight)
    #expect(result.code == 0 && result.errors.isEmpty)
    for text in ["status", "optimal", "stem", "spilled before", "57,344 B (56 KiB)"] {
      #expect(result.output.contains(text), "no '\(text)' in \(result.output)")
    }
  }

  @Test func givesTheSameBytes() throws {
    func text(_ environment: [String: String]) throws -> String {
      let result = try Tool.run(["plan", Self.diamond, "--json", "-"] + Self.tight, environment: environment)
      return result.output.split(separator: "\n").filter { !$0.contains("\"cpu_seconds\"") }.joined(separator: "\n")
    }
    #expect(try text([:]) == text(["SWIFT_DETERMINISTIC_HASHING": "1"]))
  }

  // MARK: Inputs

  @Test func takesModelsAndShippedNames() throws {
    let (named, fromName) = try Self.plan(["lenet5", "--capacity", "64KiB"])
    let (filed, fromFile) = try Self.plan(["Workloads/models/lenet5/lenet5.mlir", "--capacity", "64KiB"])
    #expect(named.code == 0 && filed.code == 0, "\(named.errors) \(filed.errors)")
    #expect(fromName["order"] as? [Int] == fromFile["order"] as? [Int])
    let (onnx, fromONNX) = try Self.plan(["Workloads/models/digits-cnn/digits-cnn.onnx", "--capacity", "64KiB"])
    #expect(onnx.code == 0 && fromONNX["cost_bytes"] as? Int == 0, "\(onnx.errors)")
    // Floats of four bytes need more room than int8.
    let (_, wide) = try Self.plan(["lenet5", "--capacity", "64KiB", "--dtype-bytes", "4"])
    #expect(try #require(wide["peak_bytes"] as? Int) > (try #require(fromName["peak_bytes"] as? Int)))
    let graph = try Self.plan(["diamond"] + Self.tight)
    #expect(graph.result.code == 0 && graph.json["cost_bytes"] as? Int == 32_768)
  }

  @Test func weightsTakeRoom() throws {
    let without = try Self.plan([Self.diamond, "--capacity", "1MiB"])
    let with = try Self.plan([Self.diamond, "--capacity", "1MiB", "--with-weights"])
    #expect(without.result.code == 0 && with.result.code == 0)
    let count = (without.json["addresses"] as? [Any])?.count
    #expect(count == 14 && (with.json["addresses"] as? [Any])?.count == 14 + 9)
  }

  @Test func takesProblemText() throws {
    try TemporaryFolder.with { folder in
      let data = Data(try Tool.text("\(Tool.root)/\(Self.diamond)").utf8)
      let read = try ScheduleProblem.read(graphJSON: data, path: "g", capacity: 56 << 10)
      try Self.write(read.problem.text, to: "\(folder)/p.mlir")
      let (result, json) = try Self.plan(["\(folder)/p.mlir", "--solution", "\(folder)/s.mlir"])
      #expect(result.code == 0 && json["cost_bytes"] as? Int == 32_768, "\(result.errors)")
      let solution = try ScheduleSolution(parsing: try Tool.text("\(folder)/s.mlir"))
      try read.problem.verify(solution)
      #expect(solution.cost == 32_768)
      // A smaller capacity from outside counts.
      let (tighter, smaller) = try Self.plan(["\(folder)/p.mlir", "--capacity", "50KiB"])
      #expect(tighter.code == 0 && smaller["capacity_bytes"] as? Int == 50 << 10)
      let packing = try PackingProblem(miniMallocCSV: Self.buffers, path: "b", capacity: 40)
      try Self.write("// as mlir-opt writes it\nmodule {\n\(packing.text)}\n", to: "\(folder)/b.mlir")
      let packed = try Self.plan(["\(folder)/b.mlir"])
      #expect(packed.result.code == 0 && packed.json["peak_bytes"] as? Int == 30, "\(packed.result.errors)")
    }
  }

  @Test func packsBuffers() throws {
    try TemporaryFolder.with { folder in
      try Self.write(Self.buffers, to: "\(folder)/b.csv")
      for method in ["auto", "portfolio", "exact", "smt"] {
        let arguments = ["\(folder)/b.csv", "--capacity", "30", "--method", method, "--solution", "\(folder)/s.csv"]
        let (result, json) = try Self.plan(arguments)
        #expect(result.code == 0 && json["peak_bytes"] as? Int == 30 && json["lower_bound_bytes"] as? Int == 30)
        let addresses = try #require(json["addresses"] as? [[String: Any]])
        #expect(addresses.map { $0["tensor"] as? String } == ["a", "b", "c"])
        let lines = try Tool.text("\(folder)/s.csv").split(separator: "\n")
        #expect(lines.first == "id,lower,upper,size,offset" && lines.count == 4)
        for (line, address) in zip(lines.dropFirst(), addresses) {
          #expect(line.split(separator: ",").last.flatMap { Int($0) } == address["offset"] as? Int)
        }
      }
      let (least, json) = try Self.plan(["\(folder)/b.csv", "--minimise"])
      #expect(least.code == 0 && json["peak_bytes"] as? Int == 30 && json["capacity_bytes"] is NSNull)
      let (none, answer) = try Self.plan(["\(folder)/b.csv", "--capacity", "29"])
      #expect(none.code == 1 && answer["status"] as? String == "infeasible" && answer["addresses"] is NSNull)
      #expect(answer["reason"] is String && !none.errors.isEmpty)
    }
  }

  // MARK: Files

  @Test(arguments: ["html", "svg"])
  func drawsThePlan(_ suffix: String) throws {
    try TemporaryFolder.with { folder in
      let path = "\(folder)/plan.\(suffix)"
      let result = try Tool.run(["plan", Self.diamond, "--picture", path] + Self.tight)
      #expect(result.code == 0, "\(result.errors)")
      let text = try Tool.text(path)
      for word in ["<svg", "capacity", "stem (activation)", "spilled before step", "fetched before step", "join2"] {
        #expect(text.contains(word), "no '\(word)'")
      }
      #expect(!text.contains("http://") || text.components(separatedBy: "http://").count == 2, "it refers elsewhere")
      try Self.write(Self.buffers, to: "\(folder)/b.csv")
      let packed = try Tool.run(["plan", "\(folder)/b.csv", "--minimise", "--picture", path])
      #expect(packed.code == 0)
      #expect(try Tool.text(path).contains("20 bytes at offset"))
    }
  }

  /// The certificate holds for a checker that shares no code with us.
  @Test(arguments: [["--order", "default"], []])
  func certificateIsChecked(_ order: [String]) throws {
    try TemporaryFolder.with { folder in
      let path = "\(folder)/c.json"
      let (result, plan) = try Self.plan([Self.diamond, "--certificate", path] + Self.tight + order)
      #expect(result.code == 0, "\(result.errors)")
      let json = try jsonObject(try Tool.text(path))
      #expect(json["lower_bound_bytes"] as? Int == plan["lower_bound_bytes"] as? Int)
      #expect(json["bound"] as? String == plan["bound"] as? String)
      guard json["parts"] != nil else {
        #expect(["relaxed eviction", "search"].contains(json["bound"] as? String))
        return
      }
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["python3", "\(Tool.root)/Scripts/check-certificate.py", path]
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      let bound = try #require(json["lower_bound_bytes"] as? Int)
      #expect(process.terminationStatus == 0 && text.contains("at least \(bound) bytes"), "\(text)")
    }
  }

  // MARK: The answer is no

  @Test func saysWhatDoesNotFit() throws {
    try TemporaryFolder.with { folder in
      let files = [
        "--solution", "\(folder)/s.mlir", "--picture", "\(folder)/p.svg", "--certificate", "\(folder)/c.json",
      ]
      let result = try Tool.run(
        ["plan", Self.diamond, "--capacity", "47KiB", "--json", "\(folder)/plan.json"] + files)
      #expect(result.code == 1)
      for word in ["infeasible", "'join2'", "'join1' (16384)", "1024 bytes more than the 48128"] {
        #expect(result.errors.contains(word), "no '\(word)' in \(result.errors)")
      }
      #expect(TemporaryFolder.files(folder) == ["plan.json"])
      let json = try jsonObject(try Tool.text("\(folder)/plan.json"))
      #expect(json["status"] as? String == "infeasible" && json["reason"] is String)
      for key in ["cost_bytes", "lower_bound_bytes", "gap", "order", "spills", "addresses", "peak_bytes"] {
        #expect(json[key] is NSNull, "\(key)")
      }
    }
  }

  /// An interrupt ends the search; what was found is written, with its gap.
  @Test func interruptWritesTheBestPlan() throws {
    try TemporaryFolder.with { folder in
      // Many independent chains that meet at the end: far too many orders to search.
      var random = SplitMix64(seed: 7)
      var tensors = [#"{"id": 0, "bytes": 400, "kind": "input"}"#]
      var ops: [String] = []
      for index in 1...160 {
        tensors.append(#"{"id": \#(index), "bytes": \#(200 + random.next(below: 400))}"#)
        let inputs = Set([random.next(below: index), max(0, index - 1 - random.next(below: 12))]).sorted()
        ops.append(#"{"id": \#(index), "inputs": \#(inputs), "outputs": [\#(index)]}"#)
      }
      try Self.write(
        #"{"tensors": [\#(tensors.joined(separator: ","))], "ops": [\#(ops.joined(separator: ","))]}"#,
        to: "\(folder)/g.json")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Tool.executable)
      process.arguments = [
        "plan", "\(folder)/g.json", "--capacity", "2000", "--json", "\(folder)/plan.json", "--budget", "100000000",
      ]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      Thread.sleep(forTimeInterval: 3)
      if process.isRunning { kill(process.processIdentifier, SIGINT) }
      for _ in 0..<600 where process.isRunning { Thread.sleep(forTimeInterval: 0.1) }
      // Deaf to the interrupt: the test fails, and does not wait for ever.
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 0)
      let json = try jsonObject(try Tool.text("\(folder)/plan.json"))
      #expect(json["cost_bytes"] is Int && json["gap"] is Double)
    }
  }

  // MARK: Wrong input

  private static let badGraph = [
    ("{", "bad-graph"), ("[]", "bad-graph"), (#"{"tensors": []}"#, "bad-graph"),
    (#"{"tensors": [{"id": 0, "bytes": -1}], "ops": []}"#, "bad-graph"),
    (#"{"tensors": [{"id": 0, "bytes": 1, "kind": "inptu"}], "ops": []}"#, "bad-graph"),
    (#"{"tensors": [{"id": 0, "bytes": 1}], "ops": [{"id": 0, "inputs": [7], "outputs": [0]}]}"#, "bad-graph"),
    (
      #"{"tensors": [{"id": 0, "bytes": 1}], "ops": [{"id": 0, "inputs": [], "outputs": [0]}, {"id": 1, "inputs": [], "outputs": [0]}]}"#,
      "bad-schedule-problem"
    ),
  ]

  @Test(arguments: badGraph)
  func refusesGraphs(_ text: String, _ code: String) throws {
    try TemporaryFolder.with { folder in
      try Self.write(text, to: "\(folder)/g.json")
      let result = try Tool.run(["plan", "\(folder)/g.json", "--capacity", "10", "--json", "\(folder)/o.json"])
      #expect(result.code == 2 && result.errors.contains("[\(code)]"), "\(result.errors)")
      #expect(TemporaryFolder.files(folder) == ["g.json"] && result.output.isEmpty)
    }
  }

  @Test(arguments: [
    ("no capacity", [diamond], "missing-capacity"),
    ("no size", [diamond, "--capacity", "12 parsecs"], "wrong-size"),
    ("a part of a byte", [diamond, "--capacity", "1.0001KiB"], "wrong-size"),
    ("too large", [diamond, "--capacity", "4000TiB"], "wrong-size"),
    ("unknown method", [diamond, "--capacity", "64KiB", "--method", "beem"], "did you mean 'beam'"),
    ("a packing's method", [diamond, "--capacity", "64KiB", "--method", "smt"], "unknown-method"),
    ("tile buffer too large", [diamond, "--capacity", "64KiB", "--tile-buffer", "65KiB"], "tile-buffer"),
    ("streaming without buffer", [diamond, "--capacity", "64KiB", "--method", "streaming"], "wrong-method"),
    (
      "beam with buffer", [diamond, "--capacity", "64KiB", "--tile-buffer", "1KiB", "--method", "beam"], "wrong-method"
    ),
    ("no budget", [diamond, "--capacity", "64KiB", "--budget", "0"], "out-of-range"),
    ("no order", [diamond, "--capacity", "64KiB", "--order", "random"], "--order"),
    ("no file", ["nothing.json", "--capacity", "64KiB"], "cannot-read"),
    ("no CSV", ["nothing.csv", "--capacity", "64KiB"], "cannot-read"),
    ("no problem", ["nothing.mlir", "--capacity", "64KiB"], "cannot-read"),
    ("no model", ["lenet6", "--capacity", "64KiB"], "unknown-model"),
    ("no known format", ["README.md", "--capacity", "64KiB"], "unknown-format"),
    ("no picture format", [diamond, "--capacity", "64KiB", "--picture", "x.png"], "unknown-format"),
    ("no solution format", [diamond, "--capacity", "64KiB", "--solution", "x.csv"], "unknown-format"),
    ("no folder", [diamond, "--capacity", "64KiB", "--picture", "/no/such/x.svg"], "cannot-write"),
    ("minimised schedule", [diamond, "--capacity", "64KiB", "--minimise"], "option-conflict"),
    ("elements of a graph", [diamond, "--capacity", "64KiB", "--dtype-bytes", "2"], "option-conflict"),
  ])
  func refuses(_ name: String, _ arguments: [String], _ code: String) throws {
    let result = try Tool.run(["plan"] + arguments)
    #expect(!result.isCrash && result.code == 2, "exit \(result.code): \(result.errors)")
    #expect(result.errors.contains(code) && result.output.isEmpty, "\(result.errors)")
  }

  @Test(arguments: [
    ("", "bad-csv"), ("id,lower,upper\n", "bad-csv"), ("id,lower,upper,size\na,1,2\n", "bad-csv"),
    ("id,lower,upper,size\na,1,2,x\n", "bad-csv"), ("id,lower,upper,size\na,3,2,1\n", "bad-csv"),
    ("id,lower,upper,size\na,0,2,99999999999999999999\n", "bad-csv"), ("\u{FFFD}\u{0}", "bad-csv"),
  ])
  func refusesCSV(_ text: String, _ code: String) throws {
    try TemporaryFolder.with { folder in
      try Self.write(text, to: "\(folder)/b.csv")
      let result = try Tool.run(["plan", "\(folder)/b.csv", "--capacity", "10", "--solution", "\(folder)/s.csv"])
      #expect(result.code == 2 && result.errors.contains(code), "\(result.errors)")
      #expect(TemporaryFolder.files(folder) == ["b.csv"])
    }
  }
}
