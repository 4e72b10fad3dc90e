import Foundation
import Testing

/// The same bytes come out in every process: dictionaries of Swift are ordered by a seed that differs from run to run.
struct DeterminismTests {
  /// Commands whose files and results are compared; `@` stands for the folder.
  static let commands: [[String]] = [
    ["import", "digits-cnn", "--generic", "-o", "@/net.mlir"],
    ["opt", "digits-cnn", "--pass-pipeline", "fold-constants,canonicalize,cse,dce", "--generic", "-o", "@/opt.mlir"],
    ["compile", "digits-cnn", "--chip", "systolic-16x16", "-o", "@/net.pantile"],
    ["compile", "resnet8", "--chip", "bitserial-16x16", "--weight-bits", "4", "-o", "@/net.pantile"],
    [
      "run", "digits-cnn-2of4", "--chip", "nm-16x16", "--seed", "5", "--json", "@/r.json", "--csv", "@/r.csv", "--html",
      "@/r.html", "--trace", "@/t.json", "--output-dir", "@/out",
    ],
    ["run", "lenet5", "--interpret", "--seed", "1", "--json", "@/i.json", "--output-dir", "@/out"],
    ["sweep", "@/sweep.yaml", "-o", "@/table.csv", "--jobs", "2"],
    ["list"],
  ]

  private static let sweep = """
    name: small
    model: digits-cnn
    chip: systolic-16x16
    axes:
      engines.array0.rows: [8, 16]
      memories.spad.size: [64 KiB, 256 KiB]
    """

  @Test(arguments: commands)
  func givesTheSameBytes(_ arguments: [String]) throws {
    // The journal of a sweep is in order of completion; its table is not.
    let environments = [["SWIFT_DETERMINISTIC_HASHING": "1"], [:], [:]]
    var first: (output: String, files: [String: Data])?
    for environment in environments {
      try TemporaryFolder.with { folder in
        try Data(DeterminismTests.sweep.utf8).write(to: URL(fileURLWithPath: "\(folder)/sweep.yaml"))
        let result = try Tool.run(arguments.map { $0.replacing("@", with: folder) }, environment: environment)
        #expect(result.code == 0, "\(result.errors)")
        var files: [String: Data] = [:]
        for name in TemporaryFolder.files(folder) where !name.hasSuffix(".journal") {
          files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        let output = result.output.replacing(folder, with: "@")
        if let first {
          #expect(output == first.output)
          #expect(files.keys.sorted() == first.files.keys.sorted())
          for (name, data) in files { #expect(data == first.files[name], "\(name) differs") }
        } else {
          first = (output, files)
        }
      }
    }
  }
}
