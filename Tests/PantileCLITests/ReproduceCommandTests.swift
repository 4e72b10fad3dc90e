import Foundation
import Testing

/// `pantile reproduce bitmod`.
struct ReproduceCommandTests {
  @Test func publishedStudyIsMet() throws {
    let result = try Tool.run(["reproduce", "bitmod", "--json", "-"])
    #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
    let object = try jsonObject(result.output)
    #expect(object["schema"] as? String == "pantile.bitmod/1")
    let rows = try #require(object["rows"] as? [[String: Any]])
    #expect(rows.count == 60)
    let agreement = try #require(object["agreement"] as? [String: Int])
    #expect(agreement == ["cycles": 60, "equal_cycles": 60, "energies": 120, "energies_within_1_uJ": 120])
    let row = try #require(
      rows.first { $0["configuration"] as? String == "FP16" && $0["task"] as? String == "prefill" })
    #expect(row["model"] as? String == "OPT-1.3B" && row["total_cycles"] as? Int == 669_255_680)
    let again = try Tool.run(["reproduce", "bitmod", "--json", "-"])
    #expect(again.output == result.output)
  }

  @Test func correctedTableIsWritten() throws {
    try TemporaryFolder.with { folder in
      let result = try Tool.run(["reproduce", "bitmod", "--corrected", "\(folder)/t.csv"])
      #expect(result.code == 0 && result.output.contains("60 of 60") && result.output.contains("120 of 120"))
      #expect(try Tool.text("\(folder)/t.csv").split(separator: "\n").count == 61)
    }
  }

  private static let model =
    "{name: tiny, hidden: 64, heads: 4, kv_heads: 2, layers: 2, linears: [{name: q, k: 64, n: 64, count: 2}]}"
  private static let array = "{name: bs, rows: 32, cols: 32, dot: 4, weight_bits: 4.0625, bit_serial: true, pe_pj: 0.5}"

  private static func study(
    models: String = model, configurations: String = array, contexts: String = "64",
    tasks: String = "prefill, generate",
    more: String = ""
  ) -> String {
    "models:\n  - \(models)\ncontexts: [\(contexts)]\ntasks: [\(tasks)]\nconfigurations:\n  - \(configurations)\n\(more)"
  }

  private func run(_ text: String, _ more: [String] = []) throws -> Tool.Result {
    try TemporaryFolder.with { folder in
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/s.yaml"))
      let before = TemporaryFolder.files(folder)
      let result = try Tool.run(
        ["reproduce", "bitmod", "--models", "s.yaml", "--json", "-"] + more,
        environment: ["PANTILE_ROOT": Tool.root], in: folder)
      #expect(TemporaryFolder.files(folder) == before)
      return result
    }
  }

  /// By hand. Linear: K = N = M = 64: 16 x 2 x 2 steps, two of them, 2 cycles each; DRAM 33 x 64 + 128 x 64 + 128 x 64 bytes.
  /// Scores: M = 256, K = 64, N = 64: 16 x 2 x 8 steps. Values: M = 64, K = 64, N = 256: 16 x 8 x 2 steps.
  @Test func ownModelIsCounted() throws {
    let result = try run(Self.study(tasks: "prefill"))
    #expect(result.code == 0, "\(result.errors)")
    let rows = try #require(try jsonObject(result.output)["rows"] as? [[String: Any]])
    #expect(rows.count == 1)
    let row = rows[0]
    #expect(row["compute_cycles"] as? Int == 2 * 64 * 2 + 2 * 256 * 2 + 2 * 256 * 2)
    let linear = (33 * 64 + 128 * 64 + 128 * 64) / 32
    // 16 bits of queries, keys of 32 channels for 256 rows, scores; then scores, values, outputs.
    let scores = (128 * 64 + 64 * 256 + 128 * 256) / 32
    let values = (128 * 256 + 64 * 64 + 512 * 64) / 32
    #expect(row["dram_cycles"] as? Int == 2 * (linear + scores + values))
    #expect(row["total_cycles"] as? Int == 2 * (max(linear, 128) + max(scores, 512) + max(values, 512)))
    let bytes = Double(32 * 2 * (linear + scores + values))
    #expect(abs((row["dram_energy_uJ"] as? Double ?? 0) - bytes * 8 * 18.75 / 1e6) < 1e-9)
    #expect(row["onchip_energy_uJ"] is Double)
  }

  @Test func withoutEnergyOfAPETheAnswerIsCycles() throws {
    let array = "{name: odd, rows: 7, cols: 5, dot: 3, weight_bits: 4.1, bit_serial: false}"
    let result = try run(Self.study(configurations: array))
    let rows = try #require(try jsonObject(result.output)["rows"] as? [[String: Any]])
    #expect(rows.count == 2 && rows.allSatisfy { $0["onchip_energy_uJ"] is NSNull && $0["total_cycles"] is Int })
  }

  struct Wrong: Sendable, CustomTestStringConvertible {
    var code: String
    /// Line and column of the diagnostic.
    var place: String
    var text: String
    var testDescription: String { "\(code) \(place)" }
  }

  static let wrong: [Wrong] = [
    Wrong(
      code: "unknown-port", place: "s.yaml:6:5",
      text: study(
        configurations: "{name: bs, rows: 33, cols: 32, dot: 4, weight_bits: 4.0625, bit_serial: true, pe_pj: 1}")),
    Wrong(
      code: "head-mismatch", place: "s.yaml:2:37",
      text: study(models: model.replacing("hidden: 64", with: "hidden: 66"))),
    Wrong(
      code: "head-mismatch", place: "s.yaml:2:50",
      text: study(models: model.replacing("kv_heads: 2", with: "kv_heads: 3"))),
    Wrong(code: "missing-key", place: "s.yaml:2:5", text: study(models: model.replacing("layers: 2, ", with: ""))),
    Wrong(
      code: "unknown-key", place: "s.yaml:2:53", text: study(models: model.replacing("layers: 2", with: "layrs: 2"))),
    Wrong(code: "wrong-type", place: "s.yaml:2", text: study(models: model.replacing("k: 64", with: "k: many"))),
    Wrong(code: "out-of-range", place: "s.yaml:2", text: study(models: model.replacing("n: 64", with: "n: 0"))),
    Wrong(code: "out-of-range", place: "s.yaml:6", text: study(configurations: array.replacing("4.0625", with: "0.5"))),
    Wrong(code: "out-of-range", place: "s.yaml:3:12", text: study(contexts: "0")),
    Wrong(code: "wrong-type", place: "s.yaml:6", text: study(configurations: array.replacing("4.0625", with: "nan"))),
    Wrong(code: "unknown-value", place: "s.yaml:4", text: study(tasks: "prefil")),
    Wrong(code: "duplicate-name", place: "s.yaml:4", text: study(tasks: "prefill, prefill")),
    Wrong(code: "duplicate-name", place: "s.yaml:6", text: study(more: "  - \(array)\n")),
    Wrong(code: "unknown-value", place: "s.yaml:6", text: study(configurations: array.replacing("true", with: "yes"))),
    Wrong(
      code: "wrong-value", place: "s.yaml:6:5",
      text: study(configurations: array.replacing("rows: 32", with: "rows: 32, element_bits: 5"))),
    Wrong(
      code: "unknown-model", place: "s.yaml:6",
      text: study(configurations: array.replacing("rows: 32", with: "rows: 32, weight_bits_of: {tinny: 4}"))),
    Wrong(
      code: "wrong-value", place: "s.yaml:1",
      text: "models: []\ncontexts: [1]\ntasks: [prefill]\nconfigurations:\n  - \(array)\n"),
    Wrong(code: "yaml-syntax", place: "s.yaml:", text: "models: [\n"),
    Wrong(code: "wrong-type", place: "s.yaml:1:1", text: "hello\n"),
    Wrong(code: "missing-key", place: "s.yaml:1:1", text: "models: []\n"),
  ]

  @Test(arguments: wrong)
  func isRefused(_ item: Wrong) throws {
    let result = try run(item.text)
    #expect(!result.isCrash && result.code == 2 && result.output.isEmpty, "exit \(result.code): \(result.errors)")
    #expect(result.errors.contains(item.code), "\(result.errors)")
    #expect(result.errors.contains(item.place), "\(result.errors)")
  }

  @Test func unknownPaperAndMissingFileAreRefused() throws {
    #expect(try Tool.run(["reproduce", "bitmood"]).code == 2)
    let missing = try Tool.run(["reproduce", "bitmod", "--models", "no-such-file.yaml"])
    #expect(missing.code == 2 && missing.errors.contains("cannot-read"))
    let both = try Tool.run(["reproduce", "bitmod", "--json", "-", "--corrected", "-"])
    #expect(both.code == 2 && both.errors.contains("option-conflict"))
    let noRoot = try Tool.run(["reproduce", "bitmod", "--root", "/nowhere"])
    #expect(noRoot.code == 2 && noRoot.errors.contains("cannot-read"))
  }
}
