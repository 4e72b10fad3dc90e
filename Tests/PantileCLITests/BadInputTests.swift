import Foundation
import Testing

/// Wrong input: a diagnostic with its code, exit code 2, no crash, and no file left behind.
struct BadInputTests {
  static let digits = "\(Tool.root)/Workloads/models/digits-cnn"

  /// Files to make, arguments (with `@` for the folder) and the diagnostic's code.
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var files: [String: Data] = [:]
    var arguments: [String]
    var code: String

    init(_ name: String, _ code: String, _ arguments: [String], files: [String: Data] = [:]) {
      self.name = name
      self.code = code
      self.arguments = arguments
      self.files = files
    }

    var testDescription: String { name }
  }

  @Test(arguments: models + texts + chips + inputs + files + usage)
  func isRefused(_ item: Case) throws {
    try TemporaryFolder.with { folder in
      for (name, data) in item.files { try data.write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
      let before = TemporaryFolder.files(folder)
      let arguments = item.arguments.map { $0.replacing("@", with: folder) }
      let result = try Tool.run(arguments)
      #expect(!result.isCrash && result.code == 2, "exit \(result.code): \(result.errors.prefix(2000))")
      #expect(result.errors.contains(item.code), "\(result.errors.prefix(2000))")
      #expect(TemporaryFolder.files(folder) == before, "files were left behind")
      #expect(result.output.isEmpty)
    }
  }

  // MARK: Models

  private static func bytes(_ name: String) -> Data {
    (try? Data(contentsOf: URL(fileURLWithPath: "\(digits)/\(name)"))) ?? Data()
  }

  private static let compile = ["compile", "@/net.onnx", "--chip", "systolic-16x16", "-o", "@/net.pantile"]

  static let models: [Case] = {
    let whole = bytes("digits-cnn.onnx")
    var random = Data()
    var state: UInt32 = 7
    for _ in 0..<5000 {
      state = state &* 1_664_525 &+ 1_013_904_223
      random.append(UInt8(state >> 24))
    }
    return [
      Case("no file", "cannot-read", compile),
      Case("empty ONNX", "onnx", compile, files: ["net.onnx": Data()]),
      Case("truncated ONNX", "onnx", compile, files: ["net.onnx": whole.prefix(whole.count / 2)]),
      Case("random ONNX", "onnx", compile, files: ["net.onnx": random]),
      Case("text as ONNX", "onnx", compile, files: ["net.onnx": Data("hello, world\n".utf8)]),
      Case(
        "a folder as model", "unknown-format", ["compile", "@", "--chip", "systolic-16x16", "-o", "@/net.pantile"]
      ),
      Case("unknown suffix", "unknown-format", ["import", "@/net.txt"], files: ["net.txt": Data("x".utf8)]),
      Case("unknown workload", "unknown-model", ["run", "resnet19", "--chip", "systolic-16x16"]),
      Case("unknown dim", "unknown-dim", ["import", "\(digits)/digits-cnn.onnx", "--dim", "batch=2"]),
      Case("wrong dim", "wrong-dim", ["import", "\(digits)/digits-cnn.onnx", "--dim", "batch"]),
      Case("wrong shape", "wrong-shape", ["import", "\(digits)/digits-cnn.onnx", "--shape", "image=1xx8"]),
      Case("shape of nothing", "unknown-input", ["import", "\(digits)/digits-cnn.onnx", "--shape", "imag=1x1x8x8"]),
      Case(
        "a fixed dim", "shape-conflict", ["import", "\(digits)/digits-cnn.onnx", "--shape", "image=1x1x9x9"]),
      Case(
        "a program that is none", "not-a-program", ["run", "@/net.pantile", "--chip", "systolic-16x16"],
        files: ["net.pantile": random]),
    ]
  }()

  // MARK: MLIR

  private static func mlir(_ name: String, _ code: String, _ text: String) -> Case {
    Case(name, code, ["opt", "@/net.mlir", "-o", "@/out.mlir"], files: ["net.mlir": Data(text.utf8)])
  }

  static let texts: [Case] = [
    mlir("malformed MLIR", "syntax", "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {\n  %y = dnn.relu %x : "),
    mlir(
      "undefined value", "undefined-value",
      "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {\n  func.return %z : tensor<4xf32>\n}\n"),
    mlir(
      "unknown op", "unknown-op",
      "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {\n  %y = \"dnn.rleu\"(%x) : (tensor<4xf32>) -> tensor<4xf32>\n"
        + "  func.return %y : tensor<4xf32>\n}\n"),
    mlir(
      "wrong result type", "result-type",
      "func.func @main(%x: tensor<4xf32>) -> tensor<5xf32> {\n  %y = \"dnn.relu\"(%x) : (tensor<4xf32>) -> tensor<5xf32>\n"
        + "  func.return %y : tensor<5xf32>\n}\n"),
    mlir("empty file", "no-main", ""),
    Case("unknown pass", "unknown-pass", ["opt", "lenet5", "--pass-pipeline", "dcee"]),
    Case("wrong pipeline", "pipeline-syntax", ["opt", "lenet5", "--pass-pipeline", "dce("]),
    Case("unknown option", "unknown-option", ["opt", "lenet5", "--pass-pipeline", "dce{x=1}"]),
  ]

  // MARK: Chips, sweeps, suites

  private static func yaml(_ name: String, _ code: String, _ text: String) -> Case {
    Case(
      name, code, ["compile", "lenet5", "--chip", "@/chip.yaml", "-o", "@/net.pantile"],
      files: ["chip.yaml": Data(text.utf8)])
  }

  static let chips: [Case] = [
    yaml("wrong YAML", "yaml-syntax", "name: [a\n"),
    yaml("unknown key", "unknown-key", "extends: systolic-16x16\nname: a\nclok: 1 GHz\n"),
    yaml("no unit", "missing-unit", "extends: systolic-16x16\nname: a\nclock: 1\n"),
    yaml("empty chip", "empty-file", ""),
    Case("unknown chip", "unknown-chip", ["run", "lenet5", "--chip", "systolic-16"]),
    Case("no chip", "missing-chip", ["run", "lenet5"]),
    Case("wrong override", "wrong-override", ["run", "lenet5", "--chip", "systolic-16x16", "--set", "rows"]),
    Case(
      "override of nothing", "unknown-key",
      ["run", "lenet5", "--chip", "systolic-16x16", "--set", "engines.array0.rowz=3"]),
    Case(
      "a layer that cannot fit", "'spad'",
      [
        "compile", "resnet18", "--chip", "systolic-16x16", "--set", "memories.spad.size=256 B", "--set",
        "memories.spad.banks=1", "-o", "@/net.pantile",
      ]),
    Case("wrong sweep", "missing-key", ["sweep", "@/s.yaml"], files: ["s.yaml": Data("name: a\n".utf8)]),
    Case("no sweep", "cannot-read", ["sweep", "@/s.yaml"]),
    Case(
      "sweep of no model", "unknown-model", ["sweep", "@/s.yaml"],
      files: [
        "s.yaml": Data(
          "name: a\nmodel: nothing\nchip: systolic-16x16\naxes:\n  engines.array0.rows: [8]\n".utf8)
      ]),
    Case("wrong suite", "missing-key", ["check", "@/s.yaml", "--bless"], files: ["s.yaml": Data("name: a\n".utf8)]),
    Case(
      "no golden", "no-golden", ["check", "@/s.yaml"],
      files: ["s.yaml": Data("name: a\ncases:\n  - {model: lenet5, chip: systolic-16x16}\n".utf8)]),
  ]

  // MARK: Inputs and outputs

  private static func npy(_ shape: String, _ type: String = "<f4", bytes: Int) -> Data {
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    return Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]) + Data(header.utf8)
      + Data(count: bytes)
  }

  private static let onDigits = ["run", "\(digits)/digits-cnn.onnx", "--chip", "systolic-16x16"]

  static let inputs: [Case] = [
    Case("no input file", "cannot-read", onDigits + ["--input", "@/x.npy"]),
    Case(
      "unreadable npy", "npy-format", onDigits + ["--input", "@/x.npy"], files: ["x.npy": Data("hello".utf8)]),
    Case(
      "cut npy", "npy-format", onDigits + ["--input", "@/x.npy"],
      files: ["x.npy": npy("(1, 1, 8, 8)", bytes: 100)]),
    Case(
      "huge npy", "npy-format", onDigits + ["--input", "@/x.npy"],
      files: ["x.npy": npy("(4294967296, 4294967296, 8)", bytes: 16)]),
    Case(
      "wrong input shape", "input-shape", onDigits + ["--input", "@/x.npy"],
      files: ["x.npy": npy("(1, 1, 9, 8)", bytes: 288)]),
    Case(
      "wrong input type", "input-type", onDigits + ["--input", "@/x.npy"],
      files: ["x.npy": npy("(1, 1, 8, 8)", "<f8", bytes: 512)]),
    Case(
      "unknown input", "unknown-input", onDigits + ["--input", "imag=@/x.npy"],
      files: ["x.npy": npy("(1, 1, 8, 8)", bytes: 256)]),
    Case(
      "an input too many", "unknown-input", onDigits + ["--input", "@/x.npy", "--input", "@/x.npy"],
      files: ["x.npy": npy("(1, 1, 8, 8)", bytes: 256)]),
    Case(
      "no inputs to interpret", "missing-input", ["run", "\(digits)/digits-cnn.onnx", "--interpret"]),
    Case(
      "labels that do not fit", "labels-shape",
      onDigits + ["--input", "@/x.npy", "--labels", "@/l.npy"],
      files: ["x.npy": npy("(2, 1, 8, 8)", bytes: 512), "l.npy": npy("(3,)", "<i8", bytes: 24)]),
    Case("no times", "out-of-range", onDigits + ["--times", "0"]),
    Case("every burst of one run", "option-conflict", onDigits + ["--every-burst"]),
    Case(
      "times without a chip", "option-conflict",
      ["run", "\(digits)/digits-cnn.onnx", "--interpret", "--seed", "1", "--times", "2"]),
    Case("heads that do not fit", "wrong-heads", ["decoder", "--heads", "7"]),
    Case("values without inputs", "missing-input", onDigits + ["--output-dir", "@/out"]),
    Case(
      "calibration of wrong shape", "input-shape", onDigits + ["--calibrate", "@/x.npy"],
      files: ["x.npy": npy("(2, 3, 8, 8)", bytes: 1536)]),
    Case("weights of 9 bits", "out-of-range", onDigits + ["--weight-bits", "9"]),
    Case("no such pattern", "wrong-pattern", onDigits + ["--sparsity", "4:2"]),
  ]

  static let files: [Case] = [
    Case("no output folder", "cannot-write", onDigits + ["--json", "@/no/report.json"]),
    Case("a folder as output", "cannot-write", onDigits + ["--json", "@"]),
    Case(
      "output folder is a file", "cannot-write", onDigits + ["--seed", "1", "--output-dir", "@/file"],
      files: ["file": Data("x".utf8)]),
    Case("unwritable folder", "cannot-write", onDigits + ["--trace", "/proc/trace.json"]),
    Case(
      "compile to nowhere", "cannot-write", ["compile", "lenet5", "--chip", "systolic-16x16", "-o", "@/no/n.pantile"]),
  ]

  static let usage: [Case] = [
    Case("unknown command", "rum", ["rum"]),
    Case("unknown flag", "--fast", ["run", "lenet5", "--fast"]),
    Case("no model", "missing-model", ["run", "x=1", "--chip", "systolic-16x16"]),
    Case("two models", "two-models", ["run", "lenet5", "resnet8", "--chip", "systolic-16x16"]),
    Case("no value", "--chip", ["run", "lenet5", "--chip"]),
    Case("unknown name", "unknown-name", ["doc", "nothing-of-that-name"]),
  ]
}
