import Foundation
import Pantile
import Testing

/// `pantile llm`.
struct LLMCommandTests {
  @Test func writesProductsThatOtherCommandsTake() throws {
    try TemporaryFolder.with { folder in
      let result = try Tool.run([
        "llm", "--model", "OPT-1.3B", "--task", "generate", "--write", folder, "--weight-bits", "4",
      ])
      #expect(result.code == 0 && result.output == "\(folder)/opt-1.3b-generate-256\n", "\(result.errors)")
      let files = TemporaryFolder.files("\(folder)/opt-1.3b-generate-256").sorted()
      #expect(files == ["fc1", "fc2", "k", "lm-head", "o", "q", "scores", "v", "values"].map { "\($0).mlir" })
      let run = try Tool.run([
        "run", "\(folder)/opt-1.3b-generate-256/q.mlir", "--chip", "systolic-32x32", "--timing", "--json",
        "\(folder)/run.json",
      ])
      #expect(run.code == 0, "\(run.errors)")
      let report = try jsonObject(AtomicFile.readText("\(folder)/run.json"))
      #expect(report["macs"] as? Int == 2048 * 2048)
    }
  }

  @Test(arguments: [
    (["--model", "OPT-1.3"], "unknown-model"), (["--machine", "INT9"], "unknown-machine"),
    (["--task", "decode"], "unknown-value"), (["--csv", "-", "--json", "-"], "option-conflict"),
    (["--weight-bits", "9", "--write", "x"], "out-of-range"), (["--study", "no.yaml"], "cannot-read"),
    (["--csv", "/no/x.csv"], "cannot-write"),
  ])
  func wrongUseIsRefused(_ arguments: [String], _ code: String) throws {
    let result = try Tool.run(["llm"] + arguments)
    #expect(result.code == 2 && result.output.isEmpty && result.errors.contains(code), "\(result.errors)")
  }
}
