import Foundation
import Testing

/// `pantile gemm --engine bitserial` with weights by their values, against counts that stand here alone.
struct BitSerialCommandTests {
  /// An int8 matrix as numpy writes it.
  static func npy(_ rows: Int, _ columns: Int, _ values: [Int8], at path: String) throws {
    var header = "{'descr': '|i1', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    var data = Data(
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)])
    data.append(contentsOf: header.utf8)
    data.append(contentsOf: values.map { UInt8(bitPattern: $0) })
    try data.write(to: URL(fileURLWithPath: path))
  }

  static func values(_ count: Int, seed: UInt64) -> [Int8] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int8(truncatingIfNeeded: Int(state >> 40) % 255 - 127)
    }
  }

  /// One-bits of the magnitude, and of the two's complement.
  @Test(arguments: ["sign-magnitude", "plain"], [(16, 16), (4, 8), (1, 1)])
  func lockStepIsTheSumOfMaxima(encoding: String, size: (lanes: Int, rows: Int)) throws {
    try TemporaryFolder.with { folder in
      let (k, n) = (50, 40)
      let weights = Self.values(k * n, seed: 7)
      try Self.npy(k, n, weights, at: "\(folder)/w.npy")
      func ones(_ weight: Int8) -> Int {
        encoding == "plain" ? UInt8(bitPattern: weight).nonzeroBitCount : weight.magnitude.nonzeroBitCount
      }
      var expected = 0
      for first in stride(from: 0, to: n, by: size.rows) {
        for step in stride(from: 0, to: k, by: size.lanes) {
          var longest = 1
          for channel in first..<min(first + size.rows, n) {
            for position in step..<min(step + size.lanes, k) {
              longest = max(longest, ones(weights[position * n + channel]))
            }
          }
          expected += longest
        }
      }
      let result = try Tool.run([
        "gemm", "--engine", "bitserial", "--encoding", encoding, "--weights", "\(folder)/w.npy", "--sync",
        "\(size.lanes)x\(size.rows)", "--check", "--json", "-",
      ])
      #expect(result.code == 0, "\(result.errors)")
      let found = try jsonObject(result.output)
      #expect(found["cycles"] as? Int == expected)
      #expect(found["stepped_cycles"] as? Int == expected)
      #expect(found["mismatches"] as? Int == 0)
      #expect(found["k"] as? Int == k && found["n"] as? Int == n)
    }
  }

  /// A file of [N, K] is taken where only that fits; the answer is that of [K, N].
  @Test func theOtherLayoutIsTakenWhereOnlyItFits() throws {
    try TemporaryFolder.with { folder in
      let (k, n) = (12, 5)
      let weights = Self.values(k * n, seed: 9)
      try Self.npy(k, n, weights, at: "\(folder)/kn.npy")
      try Self.npy(n, k, (0..<n * k).map { weights[$0 % k * n + $0 / k] }, at: "\(folder)/nk.npy")
      let runs = try ["kn", "nk"].map { name in
        try jsonObject(
          try Tool.run([
            "gemm", "--engine", "bitserial", "--encoding", "naf", "--weights", "\(folder)/\(name).npy", "-k", "12",
            "-n", "5",
            "-m", "3", "--check", "--json", "-",
          ]).output)
      }
      #expect(runs[0]["cycles"] as? Int == runs[1]["cycles"] as? Int)
      #expect(runs[1]["mismatches"] as? Int == 0)
    }
  }

  @Test(arguments: [
    ["--encoding", "boothe", "-k", "8", "-n", "8"],
    ["--encoding", "bit-column", "--term-policy", "skip-zero-terms", "-k", "8", "-n", "8"],
    ["--sync", "4x", "-k", "8", "-n", "8"], ["--sync", "8x2", "--dot-width", "4", "-k", "8", "-n", "8"],
    ["--group", "6", "--dot-width", "4", "-k", "8", "-n", "8"], ["--weights", "no.npy"], ["--encoding", "naf"],
    ["--format", "nf4", "-k", "8", "-n", "8"], ["--format", "int4-asym", "-k", "8", "-n", "8"],
    ["--encoding", "lod2", "--format", "int8", "-k", "64", "-n", "8"],
    ["--encoding", "naf", "--dataflow", "ws", "-k", "8", "-n", "8"],
    ["--weight-bits", "40", "--weights", "gaussian", "--format", "int8", "-k", "8", "-n", "8"],
    ["--serial", "both", "--term-policy", "skip-zero-columns", "-k", "8", "-n", "8"],
    ["--encoding", "naf", "-k", "0", "-n", "8"],
    ["--encoding", "naf", "-k", "9999999", "-n", "9999999"],
  ])
  func badInputEndsWithTwo(arguments: [String]) throws {
    let result = try Tool.run(["gemm", "--engine", "bitserial"] + arguments)
    #expect(result.code == 2 && !result.isCrash, "\(arguments): \(result.code)\n\(result.errors)")
    #expect(result.errors.contains("error"))
    #expect(result.output.isEmpty)
  }

  /// The formats on the digits network: BitMoD's keep what integers of the same width lose.
  @Test func demoComparesFormats() throws {
    try TemporaryFolder.with { folder in
      let result = try Tool.run(["demo", "--formats", "--output-dir", folder])
      #expect(result.code == 0, "\(result.errors)")
      let rows = try #require(try jsonObject(try Tool.text("\(folder)/formats.json"))["rows"] as? [[String: Any]])
      func number(_ format: String, _ key: String) throws -> Double {
        let row = try #require(rows.first { $0["format"] as? String == format })
        return try #require((row[key] as? NSNumber)?.doubleValue)
      }
      #expect(rows.count == 8)
      #expect(try number("bitmod-fp3", "accuracy") > number("int3", "accuracy"))
      #expect(try number("bitmod-fp4", "accuracy") >= number("int4", "accuracy"))
      #expect(try number("int4", "cycles") < number("int8", "cycles"))
      #expect(try number("ternary", "energy_pj") < number("int8", "energy_pj"))
      #expect(try number("bitmod-fp4", "cycles_per_weight") == 2)
    }
  }

  /// A network whose weights an array has no code for is refused by name, not run wrong.
  @Test func weightsWithoutACodeAreRefused() throws {
    let result = try Tool.run([
      "run", "digits-cnn", "--chip", "bitserial-16x16", "--set", "engines.array0.encoding=lod2",
    ])
    #expect(result.code == 2)
    #expect(result.errors.contains("unsupported-weights"))
    let fits = try Tool.run([
      "run", "digits-cnn", "--chip", "bitserial-16x16", "--set", "engines.array0.encoding=lod2", "--weight-format",
      "bitmod-fp4",
    ])
    #expect(fits.code == 0, "\(fits.errors)")
  }
}
