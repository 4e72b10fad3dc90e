import Foundation
import Testing

/// `pantile prove` as users run it.
struct ProveCommandTests {
  private static func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func writesJSON() throws {
    let result = try Tool.run(["prove", "booth4", "--set", "tables.digits.011=1", "--json", "-"])
    #expect(result.code == 1 && result.errors.isEmpty)
    let json = try Self.object(result.output)
    #expect(json["datapath"] as? String == "booth4" && json["kind"] as? String == "encoding")
    #expect(json["status"] as? String == "refuted" && json["cpu_seconds"] is Double)
    let claims = try #require(json["claims"] as? [[String: Any]])
    #expect(claims.map { $0["name"] as? String } == ["digits", "product", "terms"])
    #expect(claims.map { $0["status"] as? String } == ["refuted", "refuted", "proved"])
    for key in ["method", "cases", "counterexample"] { #expect(claims.allSatisfy { $0[key] != nil }, "\(key)") }
    let example = try #require(json["counterexample"] as? [String: Any])
    #expect(example["values"] as? [String: Int] == ["weight": 7])
    #expect(example["got"] as? Int == 3 && example["expected"] as? Int == 7)
  }

  @Test func provesEverythingQuickly() throws {
    let result = try Tool.run(["prove", "--all", "--mutants", "--json", "-"])
    #expect(result.code == 0, "\(result.errors)")
    let json = try Self.object(result.output)
    #expect(json["status"] as? String == "proved")
    let mutants = try #require(json["mutants"] as? Int)
    #expect(mutants >= 100 && json["mutants_refuted"] as? Int == mutants)
    #expect((json["proofs"] as? Int ?? 0) >= 300)
  }

  /// The goal of the encodings: 5 CPU seconds for all of them. They take half of one.
  @Test func encodingsStayInsideTheirTime() throws {
    let encodings = ["plain", "sign-magnitude", "booth4", "naf", "lod2", "ternary-code", "bricks"]
    let result = try Tool.run(["prove"] + encodings + ["--sweep", "--json", "-"])
    #expect(result.code == 0)
    let json = try Self.object(result.output)
    #expect(json["proofs"] as? Int == 200)
    #expect(try #require(json["cpu_seconds"] as? Double) < 5)
  }

  @Test func survivorsFailTheRun() throws {
    try TemporaryFolder.with { folder in
      let text = """
        name: sum
        kind: encoding
        summary: a sum
        inputs: {a: signed 4, b: signed 4}
        define: {c: a + b}
        claims: {same: c == b + a}
        mutants:
          swapped: {what: the sides change places, set: define.c=b + a}
          wrong: {what: a difference, set: define.c=a - b}
        """
      try text.write(toFile: "\(folder)/sum.yaml", atomically: true, encoding: .utf8)
      let plain = try Tool.run(["prove", "\(folder)/sum.yaml"])
      #expect(plain.code == 0)
      let result = try Tool.run(["prove", "\(folder)/sum.yaml", "--mutants"])
      #expect(result.code == 1 && result.output.contains("survives") && result.output.contains("1 of 2 mutants"))
    }
  }

  @Test(arguments: [
    (["prove"], "--all"), (["prove", "booth4", "--all"], "--all"), (["prove", "--all", "--set", "a=1"], "--set"),
    (["prove", "booth5"], "unknown-datapath"), (["prove", "booth4", "--set", "weight_bits=0"], "out-of-range"),
    (["prove", "booth4", "--set", "weight_bits=x"], "wrong-type"),
    (["prove", "booth4", "--set", "define.terms=(1"], "wrong-expression"),
    (["prove", "booth4", "--set", "define.terms=count(i"], "wrong-expression"),
    (["prove", "booth4", "--engine", "cvc5"], "unknown-value"), (["prove", "booth4", "--budget", "0"], "--budget"),
    (["prove", "booth4", "--rlimit", "0"], "--rlimit"),
    (["prove", "booth4", "--json", "/no/such/folder/x"], "cannot-write"),
    (["prove", "Targets/chips/systolic-16x16.yaml"], "unknown-key"),
  ])
  func refusesWrongUse(_ arguments: [String], _ text: String) throws {
    let result = try Tool.run(arguments)
    #expect(result.code == 2 && result.errors.contains(text) && result.output.isEmpty, "\(result.errors)")
  }

  @Test func saysTheSameTwice() throws {
    let runs = try (0..<2).map { _ in try Tool.run(["prove", "merge-clamps", "naf", "--mutants"]) }
    #expect(runs[0].output == runs[1].output && runs[0].code == 0)
  }
}
