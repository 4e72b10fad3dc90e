import Foundation
import Pantile
import Testing

/// `pantile convert` and `pantile quantize`.
struct FormatCommandTests {
  @Test func everyFormatHasAPage() throws {
    for name in NumberFormat.all.map(\.name) {
      let result = try Tool.run(["doc", name])
      #expect(result.code == 0 && result.output.hasPrefix("# number format \(name)"), "\(name): \(result.errors)")
    }
  }

  @Test func valuesBecomeCodesAndComeBack() throws {
    try TemporaryFolder.with { folder in
      let values = HostTensor(shape: [2, 3], values: [Float](arrayLiteral: 1, -6, 2.5, 100, -0.25, 0))
      try NPY.write(values, to: "\(folder)/x.npy")
      let encode = try Tool.run([
        "convert", "--format", "fp4-e2m1", "--in", "\(folder)/x.npy", "--out", "\(folder)/c.npy",
      ])
      #expect(encode.code == 0 && encode.output.isEmpty, "\(encode.errors)")
      #expect(try NPY.read("\(folder)/c.npy").values(as: UInt8.self) == [2, 15, 4, 7, 8, 0])
      let decode = try Tool.run(
        ["convert", "--format", "fp4-e2m1", "--decode", "--in", "\(folder)/c.npy", "--out", "\(folder)/y.npy"])
      #expect(decode.code == 0)
      let back = try NPY.read("\(folder)/y.npy")
      #expect(back.shape == [2, 3] && back.values(as: Double.self) == [1, -6, 2, 6, 0, 0])
    }
  }

  @Test func quantisesToJSON() throws {
    try TemporaryFolder.with { folder in
      let count = 2 * 256
      let weights = HostTensor(shape: [2, 256], values: (0..<count).map { Float($0 * 37 % 101 - 50) / 64 })
      try NPY.write(weights, to: "\(folder)/x.npy")
      let arguments = [
        "quantize", "--format", "bitmod-fp4", "--group", "128", "--in", "\(folder)/x.npy", "--json", "-",
      ]
      let result = try Tool.run(arguments)
      #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
      let object = try jsonObject(result.output)
      let codes = try #require(object["codes"] as? [Int])
      let scales = try #require(object["scales"] as? [Double])
      let selectors = try #require(object["selectors"] as? [Int])
      let values = try #require(object["dequantised"] as? [Double])
      #expect(codes.count == count && scales.count == 4 && selectors.count == 4 && values.count == count)
      #expect((object["zero_points"] as? [Int])?.isEmpty == true && object["group"] as? Int == 128)
      var error = 0.0
      for (index, value) in values.enumerated() {
        let level = try NumberFormat.named("bitmod-fp4").code.value(of: codes[index], selector: selectors[index / 128])
        #expect(value == level * scales[index / 128])
        error += (value - Double(weights.double(at: index))) * (value - Double(weights.double(at: index)))
      }
      #expect(abs((object["mse"] as? Double ?? -1) - error / Double(count)) < 1e-12)
      #expect(try Tool.run(arguments).output == result.output)
    }
  }

  struct Wrong: Sendable, CustomTestStringConvertible {
    var code: String
    var arguments: [String]
    var values: [Float]
    var testDescription: String { code + " " + arguments.joined(separator: " ") }

    init(_ code: String, _ arguments: [String], _ values: [Float] = [1, 2]) {
      self.code = code
      self.arguments = arguments
      self.values = values
    }
  }

  @Test(arguments: [
    Wrong("unknown-format", ["quantize", "--format", "int44"]),
    Wrong("format-range", ["quantize", "--format", "q12.12"]),
    Wrong("wrong-group", ["quantize", "--format", "mxfp4", "--group", "64"]),
    Wrong("wrong-group", ["quantize", "--format", "int4", "--group", "0"]),
    Wrong("wrong-group", ["quantize", "--format", "fp16", "--group", "16"]),
    Wrong("not-finite", ["quantize", "--format", "int4"], [1, .nan]),
    Wrong("input-shape", ["quantize", "--format", "int4"], []),
    Wrong("unknown-value", ["quantize", "--format", "mxfp4", "--scale-rule", "round"]),
    Wrong("unknown-value", ["quantize", "--format", "mxfp4", "--scales", "some"]),
    Wrong("wrong-grid", ["quantize", "--format", "int4", "--scale-search", "1:0.5:10"]),
    Wrong("no-scale-search", ["quantize", "--format", "mxfp4", "--scale-search", "0.5:1:10"]),
    Wrong("cannot-write", ["quantize", "--format", "int4", "--json", "@/no/x.json"]),
    Wrong("no-nan", ["convert", "--format", "int4", "--out", "@/y.npy"], [0, .nan]),
    Wrong("no-infinity", ["convert", "--format", "fp4-e2m1", "--overflow", "special", "--out", "@/y.npy"], [0, 9]),
    Wrong("no-zero", ["convert", "--format", "e8m0", "--out", "@/y.npy"], [1, 0]),
    Wrong("missing-selector", ["convert", "--format", "bitmod-fp4", "--out", "@/y.npy"]),
    Wrong("unknown-selector", ["convert", "--format", "bitmod-fp4", "--selector", "ER", "--out", "@/y.npy"]),
    Wrong("unknown-selector", ["convert", "--format", "int4", "--selector", "+ER", "--out", "@/y.npy"]),
    Wrong("code-type", ["convert", "--format", "int4", "--decode", "--out", "@/y.npy"]),
    Wrong("cannot-write", ["convert", "--format", "int4", "--out", "-"]),
  ])
  func isRefused(_ item: Wrong) throws {
    try TemporaryFolder.with { folder in
      try NPY.write(HostTensor(shape: [item.values.count], values: item.values), to: "\(folder)/x.npy")
      let arguments = item.arguments.map { $0.replacing("@", with: folder) } + ["--in", "\(folder)/x.npy"]
      let result = try Tool.run(arguments)
      #expect(!result.isCrash && result.code == 2 && result.output.isEmpty, "exit \(result.code): \(result.errors)")
      #expect(result.errors.contains(item.code), "\(result.errors)")
      #expect(TemporaryFolder.files(folder) == ["x.npy"])
    }
  }

  @Test func codesOutOfRangeAreRefused() throws {
    try TemporaryFolder.with { folder in
      try NPY.write(HostTensor(shape: [2], values: [Int32](arrayLiteral: 3, 8)), to: "\(folder)/c.npy")
      for (format, code) in [("int4", "unused-code"), ("bitmod-fp3", "code-range")] {
        let more = format == "int4" ? [] : ["--selector", "+ER"]
        let result = try Tool.run(
          ["convert", "--format", format, "--decode", "--in", "\(folder)/c.npy", "--out", "\(folder)/y.npy"] + more)
        #expect(
          result.code == 2 && result.errors.contains(code) && result.errors.contains("element 1"), "\(result.errors)")
      }
    }
  }

  /// All codes and 2^14 values a format against ml_dtypes; `make formats` takes 2^21.
  @Test func conversionsAgreeWithMLDTypes() throws {
    let pythons = ["\(Tool.root)/out/ml-dtypes/bin/python", "/usr/bin/python3"]
    let script = "\(Tool.root)/Scripts/compare-ml-dtypes.py"
    for python in pythons where FileManager.default.isExecutableFile(atPath: python) {
      guard try Self.run(python, ["-c", "import ml_dtypes, numpy"]).code == 0 else { continue }
      let result = try Self.run(python, [script, Tool.executable, "16384"])
      #expect(result.code == 0, "\(result.text)")
      #expect(result.text.contains("14 formats") && result.text.contains("all equal"), "\(result.text)")
      return
    }
    print("skipped, no Python with ml_dtypes ('make formats' installs it): conversionsAgreeWithMLDTypes")
  }

  private static func run(_ executable: String, _ arguments: [String]) throws -> (code: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }
}
