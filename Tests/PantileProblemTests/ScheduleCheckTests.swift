import Foundation
import PantileProblem
import PantileSupport
import Testing

/// One way in which a problem is not well formed.
struct ScheduleMalformation: CustomTestStringConvertible, Sendable {
  var testDescription: String
  /// Part of the message: all refusals share a code, and must not be made for another's reason.
  var says: String
  var base: ScheduleProblem
  var change: @Sendable (inout ScheduleProblem) -> Void

  init(
    _ name: String, _ base: ScheduleProblem = ScheduleCase.place.problem, says: String,
    _ change: @escaping @Sendable (inout ScheduleProblem) -> Void
  ) {
    testDescription = name
    self.says = says
    self.base = base
    self.change = change
  }

  static let all: [ScheduleMalformation] = numbers + graph + places + views

  static let numbers: [ScheduleMalformation] = [
    .init("no memory", says: "there is no memory") { $0.memories = [] },
    .init("negative capacity", says: "has -1 bytes") { $0.memories[0].capacity = -1 },
    .init("huge capacity", says: "memory 'spad' has") { $0.memories[0].capacity = ProblemLimit.amount + 1 },
    .init("negative tile buffer", says: "the tile buffer has -1 bytes") { $0.tileBytes = -1 },
    .init("huge tile buffer", says: "the tile buffer has") { $0.tileBytes = .max },
    .init("negative size", says: "tensor 0 'in' has -20 bytes") { $0.tensors[0].bytes = -20 },
    .init("huge size", says: "tensor 0 'in' has") { $0.tensors[0].bytes = ProblemLimit.amount + 1 },
    .init("no such memory", says: "lives in memory 1 of 1") { $0.tensors[0].memory = 1 },
    .init("negative memory", says: "lives in memory -1 of 1") { $0.tensors[0].memory = -1 },
    .init("alignment of zero", says: "has alignment 0") { $0.tensors[0].alignment = 0 },
    .init("huge alignment", says: "has alignment") { $0.tensors[0].alignment = .max },
    .init("negative fixed offset", says: "is fixed at -8") { $0.tensors[1].fixedOffset = -8 },
    .init("huge fixed offset", says: "is fixed at") { $0.tensors[1].fixedOffset = .max },
    .init("negative workspace", says: "has a workspace of -1 bytes") { $0.ops[0].workspace = [-1] },
    .init("huge workspace", says: "has a workspace of") { $0.ops[0].workspace = [.max] },
    .init("workspace in too many memories", says: "in 2 memories of 1") { $0.ops[0].workspace = [1, 1] },
  ]

  static let graph: [ScheduleMalformation] = [
    .init("input out of range", says: "names tensor 5 of 5") { $0.ops[0].inputs = [5] },
    .init("negative input", says: "names tensor -1 of 5") { $0.ops[0].inputs = [-1] },
    .init("output out of range", says: "names tensor 9 of 5") { $0.ops[2].outputs = [9] },
    .init("made twice", says: "is made by op 1 and by op 2") { $0.ops[2].outputs = [3] },
    .init("made twice by one op", says: "is made by op 2 and by op 2") { $0.ops[2].outputs = [4, 4] },
    .init("read before it is made", says: "is read by op 0, which comes before its maker, op 1") {
      $0.ops[0].inputs = [3]
    },
    .init("op reads its own result", says: "is read by op 2, which comes before its maker, op 2") {
      $0.ops[2].inputs.append(4)
    },
    .init("graph input made", says: "is a graph input and is made by op 2") { $0.tensors[4].kind = .input },
    .init("weight made", says: "is a graph weight and is made by op 2") { $0.tensors[4].kind = .weight },
    .init("activation that nothing makes", says: "no op makes it") { $0.tensors[0].kind = .activation },
    .init("output that nothing makes", says: "no op makes it") { $0.tensors[0].kind = .output },
  ]

  static let places: [ScheduleMalformation] = [
    .init("in-place input of another op", says: "is no input and output of it") {
      $0.ops[1].inPlace = [.init(input: 0, output: 3)]
    },
    .init("in-place output of another op", says: "is no input and output of it") {
      $0.ops[1].inPlace = [.init(input: 2, output: 4)]
    },
    .init("in-place pair out of range", says: "is no input and output of it") {
      $0.ops[1].inPlace = [.init(input: 77, output: -3)]
    },
    .init("operand in two pairs", says: "in two in-place pairs") {
      $0.ops[1].outputs.append(5)
      $0.tensors.append(.init("second", bytes: 24))
      $0.ops[1].inPlace.append(.init(input: 2, output: 5))
    },
    .init("in-place over two memories", says: "live in two memories") {
      $0.memories.append(.init("other", capacity: 100))
      $0.tensors[3].memory = 1
    },
    .init("in-place and pinned", says: "is pinned") { $0.tensors[3].isPinned = true },
    .init("in-place and fixed", says: "is pinned") { $0.tensors[2].fixedOffset = 0 },
  ]

  static let views: [ScheduleMalformation] = [
    .init("two wholes", .joined, says: "joins 2 parts and 2 wholes") { $0.ops[2].outputs.append(5) },
    .init("no parts", .joined, says: "joins 0 parts and 1 wholes") { $0.ops[2].inputs = [] },
    .init("split of two", .joined, says: "and 2 wholes") { $0.ops[2].role = .splitView },
    .init("parts too small", .joined, says: "the parts have 49 bytes, 'whole' has 50") { $0.tensors[2].bytes = 29 },
    .init("part in two views", .joined, says: "is a part of two views") {
      $0.ops.append(.init("again", role: .concatView, inputs: [1], outputs: [5]))
    },
    .init("part twice in a view", .joined, says: "is a part of two views") {
      $0.ops[2].inputs = [1, 1, 2]
      $0.tensors[3].bytes = 70
    },
    .init("whole of two views", .joined, says: "is the whole of two views") {
      $0.ops.append(.init("again", role: .splitView, inputs: [3], outputs: [6]))
    },
    .init("parts in two memories", .joined, says: "live in different memories") {
      $0.memories.append(.init("other", capacity: 100))
      $0.tensors[2].memory = 1
    },
    .init("view with workspace", .joined, says: "is a view, and has workspace") { $0.ops[2].workspace = [1] },
    .init("view with a pair", .joined, says: "is a view, and has workspace or in-place pairs") {
      $0.ops[2].inPlace = [.init(input: 1, output: 3)]
    },
    .init("pinned part", .joined, says: "is pinned and belongs to a view") { $0.tensors[1].isPinned = true },
    .init("fixed whole", .joined, says: "is pinned and belongs to a view") { $0.tensors[3].fixedOffset = 0 },
    .init("part in a pair", .joined, says: "belongs to a view and to an in-place pair") {
      $0.ops[1].inPlace = [.init(input: 0, output: 2)]
    },
    .init("whole in a pair", .joined, says: "belongs to a view and to an in-place pair") {
      $0.ops[3].inPlace = [.init(input: 3, output: 4)]
    },
  ]
}

extension ScheduleProblem {
  /// `ScheduleCase.join` with two tensors that no op touches, of 20 and 50 bytes.
  fileprivate static let joined: ScheduleProblem = {
    var problem = ScheduleCase.join.problem
    problem.tensors += [.init("spare", bytes: 20), .init("large spare", bytes: 50)]
    return problem
  }()
}

struct ScheduleCheckTests {
  @Test(arguments: ScheduleMalformation.all) func refuses(_ malformation: ScheduleMalformation) throws {
    try malformation.base.check()
    var problem = malformation.base
    malformation.change(&problem)
    do {
      try problem.check()
      Issue.record("accepted")
    } catch {
      #expect(error.codes.allSatisfy { $0 == "bad-schedule-problem" })
      #expect(error.diagnostics.contains { $0.message.contains(malformation.says) }, "\(error)")
    }
  }

  @Test func reportsAllErrorsAtOnce() {
    var problem = ScheduleCase.place.problem
    problem.memories[0].capacity = -1
    problem.tensors[0].bytes = -1
    problem.ops[0].workspace = [-1]
    #expect { try problem.check() } throws: { ($0 as? DiagnosticError)?.codes.count == 3 }
  }

  @Test func acceptsNothingAtAll() throws {
    let problem = ScheduleProblem(name: "empty", memories: [.init("spad", capacity: 0)], tensors: [], ops: [])
    try problem.check()
    #expect(problem.largestFootprint() == 0)
  }

  @Test func footprintSharesPairsAndSeesThroughViews() {
    #expect(ScheduleCase.place.problem.largestFootprint() == 60)
    #expect(ScheduleCase.join.problem.largestFootprint() == 60)
    #expect(ScheduleCase.detour.problem.largestFootprint() == 110)
    var apart = ScheduleCase.place.problem
    apart.ops[0].workspace = []
    apart.ops[1].inPlace = []
    #expect(apart.largestFootprint() == 54)
  }
}

/// One text that is no graph.
struct HostileGraph: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var json: String
  /// The code of the refusal.
  var code = "bad-graph"

  private static let tensors = #""tensors": [{"id": 0, "bytes": 4, "kind": "input"}, {"id": 1, "bytes": 4}]"#

  static let all: [HostileGraph] = [
    .init(testDescription: "empty", json: ""),
    .init(testDescription: "blanks", json: "  \n\t "),
    .init(testDescription: "no JSON", json: "tensors: 3"),
    .init(testDescription: "cut off", json: #"{"tensors": [{"id": 0, "byt"#),
    .init(testDescription: "null byte", json: "{\"tensors\": [], \"ops\": [\u{0}]}"),
    .init(testDescription: "null", json: "null"),
    .init(testDescription: "number", json: "17"),
    .init(testDescription: "list", json: "[]"),
    .init(testDescription: "no keys", json: "{}"),
    .init(testDescription: "no tensors", json: #"{"ops": []}"#),
    .init(testDescription: "no ops", json: #"{"tensors": []}"#),
    .init(testDescription: "tensors are null", json: #"{"tensors": null, "ops": []}"#),
    .init(testDescription: "tensors are an object", json: #"{"tensors": {}, "ops": []}"#),
    .init(testDescription: "tensor is a number", json: #"{"tensors": [4], "ops": []}"#),
    .init(testDescription: "tensor without id", json: #"{"tensors": [{"bytes": 1}], "ops": []}"#),
    .init(testDescription: "tensor without bytes", json: #"{"tensors": [{"id": 1}], "ops": []}"#),
    .init(testDescription: "bytes in words", json: #"{"tensors": [{"id": 1, "bytes": "4 KiB"}], "ops": []}"#),
    .init(testDescription: "bytes null", json: #"{"tensors": [{"id": 1, "bytes": null}], "ops": []}"#),
    .init(testDescription: "half a byte", json: #"{"tensors": [{"id": 1, "bytes": 1.5}], "ops": []}"#),
    .init(testDescription: "negative bytes", json: #"{"tensors": [{"id": 1, "bytes": -1}], "ops": []}"#),
    .init(testDescription: "huge bytes", json: #"{"tensors": [{"id": 1, "bytes": 9223372036854775807}], "ops": []}"#),
    .init(testDescription: "more bytes than numbers", json: #"{"tensors": [{"id": 1, "bytes": 1e300}], "ops": []}"#),
    .init(testDescription: "id too large", json: #"{"tensors": [{"id": 9223372036854775808, "bytes": 1}], "ops": []}"#),
    .init(testDescription: "unknown kind", json: #"{"tensors": [{"id": 1, "bytes": 1, "kind": "inptu"}], "ops": []}"#),
    .init(
      testDescription: "tensor id twice",
      json: #"{"tensors": [{"id": 1, "bytes": 1}, {"id": 1, "bytes": 1}], "ops": []}"#),
    .init(
      testDescription: "op id twice",
      json: "{\(tensors), \"ops\": [{\"id\": 0, \"inputs\": [], \"outputs\": []}, "
        + "{\"id\": 0, \"inputs\": [], \"outputs\": []}]}"),
    .init(testDescription: "op without inputs", json: "{\(tensors), \"ops\": [{\"id\": 0, \"outputs\": [1]}]}"),
    .init(testDescription: "inputs are names", json: op(#""inputs": ["x"], "outputs": [1]"#)),
    .init(testDescription: "unknown input", json: op(#""inputs": [7], "outputs": [1]"#)),
    .init(testDescription: "unknown output", json: op(#""inputs": [0], "outputs": [-1]"#)),
    .init(
      testDescription: "unknown tensor in a pair",
      json: op(#""inputs": [0], "outputs": [1], "in_place": [{"input": 0, "output": 9}]"#)),
    .init(testDescription: "half a pair", json: op(#""inputs": [0], "outputs": [1], "in_place": [{"input": 0}]"#)),
    .init(testDescription: "unknown view", json: op(#""inputs": [0], "outputs": [1], "view": "reshape""#)),
    .init(testDescription: "negative weights", json: op(#""inputs": [0], "outputs": [1], "weight_bytes": -5"#)),
    .init(
      testDescription: "huge weights", json: op(#""inputs": [0], "outputs": [1], "weight_bytes": 4611686018427387904"#)),
    .init(
      testDescription: "negative workspace", json: op(#""inputs": [0], "outputs": [1], "workspace_bytes": -5"#),
      code: "bad-schedule-problem"),
    .init(
      testDescription: "huge workspace",
      json: op(#""inputs": [0], "outputs": [1], "workspace_bytes": 9223372036854775807"#),
      code: "bad-schedule-problem"),
    .init(testDescription: "op reads its own result", json: op(#""inputs": [0, 1], "outputs": [1]"#)),
    .init(
      testDescription: "cycle of two",
      json: "{\(tensors), \"ops\": [{\"id\": 0, \"inputs\": [1], \"outputs\": [0]}, "
        + "{\"id\": 1, \"inputs\": [0], \"outputs\": [1]}]}"),
    .init(
      testDescription: "made twice",
      json: "{\(tensors), \"ops\": [{\"id\": 0, \"inputs\": [0], \"outputs\": [1]}, "
        + "{\"id\": 1, \"inputs\": [0], \"outputs\": [1]}]}", code: "bad-schedule-problem"),
    .init(
      testDescription: "graph input made", json: op(#""inputs": [], "outputs": [0]"#), code: "bad-schedule-problem"),
    .init(
      testDescription: "activation that nothing makes", json: op(#""inputs": [1], "outputs": []"#),
      code: "bad-schedule-problem"),
    .init(
      testDescription: "deep nesting",
      json: String(repeating: "[", count: 200_000) + String(repeating: "]", count: 200_000)),
    .init(
      testDescription: "deep nesting under a key that is not read",
      json: "{\"note\": " + String(repeating: "{\"a\":", count: 100_000) + "0" + String(repeating: "}", count: 100_000)
        + ", \"tensors\": [], \"ops\": []}"),
  ]

  /// A graph of one op with these keys.
  private static func op(_ keys: String) -> String { "{\(tensors), \"ops\": [{\"id\": 0, \(keys)}]}" }
}

struct ScheduleGraphTests {
  private func read(_ json: String, withWeights: Bool = false) throws(DiagnosticError) -> (
    problem: ScheduleProblem, ids: [Int], opIDs: [Int]
  ) {
    try ScheduleProblem.read(graphJSON: Data(json.utf8), path: "graph.json", capacity: 100, withWeights: withWeights)
  }

  @Test(arguments: HostileGraph.all) func refuses(_ graph: HostileGraph) {
    #expect {
      _ = try ScheduleProblem.read(
        graphJSON: Data(graph.json.utf8), path: "graph.json", capacity: 100, withWeights: true)
    } throws: { ($0 as? DiagnosticError)?.codes.contains(graph.code) == true }
  }

  @Test func refusesBytesThatAreNoText() {
    for bytes in [[0xFF, 0xFE, 0x00], [0x7B, 0x22, 0xC3, 0x28, 0x22, 0x3A, 0x31, 0x7D]] as [[UInt8]] {
      #expect(throws: DiagnosticError.self) {
        _ = try ScheduleProblem.read(graphJSON: Data(bytes), path: "graph.json", capacity: 100)
      }
    }
  }

  @Test func refusesEveryBeginningOfAGraph() throws {
    let json = #"{"name":"g","tensors":[{"id":3,"bytes":4,"kind":"input"}],"ops":[{"id":0,"inputs":[3],"outputs":[]}]}"#
    _ = try read(json)
    for length in 0..<json.utf8.count {
      #expect(throws: DiagnosticError.self) { _ = try read(String(json.prefix(length))) }
    }
  }

  @Test func refusesOrEndsWellWhateverByteChanges() throws {
    let json =
      #"{"tensors":[{"id":3,"bytes":4,"kind":"input"},{"id":9,"bytes":5}],"ops":[{"id":0,"inputs":[3],"outputs":[9]}]}"#
    for position in json.utf8.indices {
      for replacement in [0x2D, 0x30, 0x39, 0x22, 0x7D, 0x2C, 0x65, 0x00] as [UInt8] {
        var data = Data(json.utf8)
        data[json.utf8.distance(from: json.startIndex, to: position)] = replacement
        // A problem or a refusal; anything else ends the process.
        if let read = try? ScheduleProblem.read(graphJSON: data, path: "graph.json", capacity: 100) {
          try read.problem.check()
        }
      }
    }
  }

  @Test func repairsTheOrderAndKeepsOneThatRuns() throws {
    let tensors =
      #""tensors": [{"id": 10, "bytes": 1, "kind": "input"}, {"id": 11, "bytes": 2}, {"id": 12, "bytes": 3}, {"id": 13, "bytes": 4}]"#
    func graph(_ order: [Int]) -> String {
      let ops = [
        5: #"{"id": 5, "inputs": [10], "outputs": [11]}"#, 6: #"{"id": 6, "inputs": [11], "outputs": [12]}"#,
        7: #"{"id": 7, "inputs": [12, 10], "outputs": [13]}"#, 8: #"{"id": 8, "inputs": [10], "outputs": []}"#,
      ]
      return "{\(tensors), \"ops\": [\(order.compactMap { ops[$0] }.joined(separator: ", "))]}"
    }
    #expect(try read(graph([5, 6, 7, 8])).opIDs == [5, 6, 7, 8])
    #expect(try read(graph([8, 5, 6, 7])).opIDs == [8, 5, 6, 7])
    #expect(try read(graph([7, 6, 8, 5])).opIDs == [8, 5, 6, 7])
    #expect(try read(graph([7, 6, 5, 8])).opIDs == [5, 6, 7, 8])
    let (problem, ids, _) = try read(graph([6, 5, 7, 8]))
    #expect(ids == [10, 11, 12, 13])
    #expect(problem.tensors.map(\.bytes) == [1, 2, 3, 4])
    #expect(problem.ops.map(\.inputs) == [[0], [1], [2, 0], [0]])
  }

  @Test func weightsGetIdsThatAreFree() throws {
    func graph(_ first: Int, _ second: Int) -> String {
      "{\"tensors\": [{\"id\": \(first), \"bytes\": 1, \"kind\": \"input\"}, {\"id\": \(second), \"bytes\": 1}], "
        + "\"ops\": [{\"id\": 0, \"inputs\": [\(first)], \"outputs\": [\(second)], \"weight_bytes\": 9}]}"
    }
    let plain = try read(graph(0, 1), withWeights: true)
    #expect(plain.ids == [0, 1, 2] && plain.problem.tensors[2].kind == .weight && plain.problem.tensors[2].bytes == 9)
    #expect(plain.problem.ops[0].inputs == [0, 2])
    #expect(try read(graph(0, 1)).ids == [0, 1])
    let high = try read(graph(.max, 0), withWeights: true)
    #expect(Set(high.ids).count == 3)
    #expect(Set(try read(graph(.min, .max), withWeights: true).ids).count == 3)
  }

  @Test func readsViewsPairsAndWorkspace() throws {
    let (problem, _, _) = try read(
      #"""
      {"note": {"any": ["thing"]}, "tensors": [{"id": 0, "bytes": 4, "kind": "input", "shape": [4]}, {"id": 1, "bytes": 4, "kind": "act"},
       {"id": 2, "bytes": 1}, {"id": 3, "bytes": 3, "kind": "output"}],
       "ops": [{"id": 0, "inputs": [0], "outputs": [1], "workspace_bytes": 7},
       {"id": 1, "inputs": [1], "outputs": [2, 3], "view": "split"}]}
      """#)
    #expect(problem.ops[0].workspace == [7])
    #expect(problem.ops[1].role == .splitView)
    #expect(PartMap(problem).leaves(of: 1) == [2, 3])
    let paired = try read(
      #"{"tensors": [{"id": 5, "bytes": 4, "kind": "input"}, {"id": 6, "bytes": 4}], "ops": [{"id": 0, "inputs": [5], "#
        + #""outputs": [6], "in_place": [{"input": 5, "output": 6}]}]}"#)
    #expect(paired.problem.ops[0].inPlace == [.init(input: 0, output: 1)])
  }
}
