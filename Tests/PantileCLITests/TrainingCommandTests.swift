import Foundation
import PantileTestSupport
import Testing

/// `pantile prune` and `pantile train-memory`.
struct TrainingCommandTests {
  private static let shapes = """
    {"net": {"fc_in": 10, "convs": [[3, 4, 3, 2, 1, 8, 4], [4, 4, 3, 1, 4, 4, 4]]}}
    """
  private static let schemes = """
    {"schemes": [{"network": "net", "name": "a", "bias_updated_convs_from_the_end": 1, "weight_updated": [[1, 0.5]]}]}
    """

  @Test func aSchemesPartsAddUp() throws {
    try TemporaryFolder.with { folder in
      try Self.shapes.write(toFile: "\(folder)/s.json", atomically: true, encoding: .utf8)
      try Self.schemes.write(toFile: "\(folder)/u.json", atomically: true, encoding: .utf8)
      let result = try Tool.run([
        "train-memory", "--network", "net", "--shapes", "\(folder)/s.json", "--schemes", "\(folder)/u.json", "--json",
        "-",
      ])
      #expect(result.code == 0, "\(result.errors)")
      let found = try jsonObject(result.output)
      // 10 inputs; 64 mask bits and 4 biases; 2 channels of 16 inputs and of 9 weights.
      #expect(found["extra_bytes"] as? Int == 10 + 8 + 16 + 32 + 18)
      let parts = try #require(found["parts"] as? [String: Int])
      #expect(parts == ["classifier_input": 10, "masks": 8, "biases": 16, "inputs": 32, "weights": 18])
    }
  }

  /// The fifteen published sizes, and the last 12 convolutions of MCUNet: 448.05 KiB.
  @Test func publishedSizesAreMet() throws {
    guard let shapes = SharedFolder.path("reference/sparse/mcu_model_shapes.json"),
      let schemes = SharedFolder.path("reference/sparse/update_schemes.json")
    else { return SharedFolder.reportSkipped("publishedSizesAreMet") }
    var count = 0
    for network in ["mbv2-w0.35", "proxyless-w0.3", "mcunet-5fps"] {
      let result = try Tool.run([
        "train-memory", "--network", network, "--shapes", shapes, "--schemes", schemes, "--json", "-",
      ])
      #expect(result.code == 0, "\(result.errors)")
      for scheme in try #require(try jsonObject(result.output)["schemes"] as? [[String: Any]]) {
        let (found, published) = (scheme["extra_kib"] as? Double ?? -1, scheme["published_kib"] as? Double ?? -2)
        #expect(abs(found - published) <= 0.01)
        count += 1
      }
    }
    #expect(count == 15)
    let last = try Tool.run([
      "train-memory", "--network", "mcunet-5fps", "--shapes", shapes, "--last", "12", "--json", "-",
    ])
    #expect(abs((try jsonObject(last.output)["extra_kib"] as? Double ?? 0) - 448.05) <= 0.01)
  }

  /// A size that the file states and the rule does not give is a no.
  @Test func aWrongPublishedSizeEndsWithOne() throws {
    try TemporaryFolder.with { folder in
      try Self.shapes.write(toFile: "\(folder)/s.json", atomically: true, encoding: .utf8)
      try Self.schemes.replacing("\"name\": \"a\"", with: "\"name\": \"a\", \"extra_kib\": 5").write(
        toFile: "\(folder)/u.json", atomically: true, encoding: .utf8)
      let result = try Tool.run([
        "train-memory", "--network", "net", "--shapes", "\(folder)/s.json", "--schemes", "\(folder)/u.json",
      ])
      #expect(result.code == 1)
    }
  }

  @Test(arguments: [
    ("{}", ""), ("{\"net\": 3}", ""), ("{\"net\": {\"fc_in\": 1, \"convs\": [[1, 2]]}}", ""), ("not json", ""),
    ("{\"net\": {\"fc_in\": 1, \"convs\": [[0, 2, 1, 1, 1, 1, 1]]}}", ""), ("", "{\"schemes\": []}"),
    ("", "{\"schemes\": 4}"),
    (
      "",
      "{\"schemes\": [{\"network\": \"net\", \"name\": \"a\", \"bias_updated_convs_from_the_end\": 1, \"weight_updated\": [[1]]}]}"
    ),
    (
      "",
      "{\"schemes\": [{\"network\": \"net\", \"name\": \"a\", \"bias_updated_convs_from_the_end\": 7, \"weight_updated\": [[9, 2]]}]}"
    ),
  ])
  func badFilesEndWithTwo(shapes: String, schemes: String) throws {
    try TemporaryFolder.with { folder in
      try (shapes.isEmpty ? Self.shapes : shapes).write(toFile: "\(folder)/s.json", atomically: true, encoding: .utf8)
      try (schemes.isEmpty ? Self.schemes : schemes).write(
        toFile: "\(folder)/u.json", atomically: true, encoding: .utf8)
      let result = try Tool.run([
        "train-memory", "--network", "net", "--shapes", "\(folder)/s.json", "--schemes", "\(folder)/u.json", "--json",
        "-",
      ])
      #expect(result.code == 2 && !result.isCrash && result.output.isEmpty, "\(result.output)\(result.errors)")
    }
  }

  @Test func pruningKeepsTheLargest() throws {
    try TemporaryFolder.with { folder in
      // One output channel: 3 -5 1 4 | 2 -2 2 (padded).
      try BitSerialCommandTests.npy(7, 1, [3, -5, 1, 4, 2, -2, 2], at: "\(folder)/w.npy")
      let result = try Tool.run([
        "prune", "--pattern", "2:4", "--in", "\(folder)/w.npy", "--json", "-", "--out", "\(folder)/y.npy",
      ])
      #expect(result.code == 0, "\(result.errors)")
      let found = try jsonObject(result.output)
      #expect(found["values"] as? [[Int]] == [[-5, 4, 2, -2]])
      #expect(found["indices"] as? [[Int]] == [[1, 3, 0, 1]])
      #expect(found["kept_sum"] as? Double == 13)
      #expect(FileManager.default.fileExists(atPath: "\(folder)/y.npy"))
    }
  }

  @Test(arguments: [
    ["--pattern", "2:5"], ["--pattern", "x"], ["--pattern", "2:4", "--in", "no.npy"], ["--pattern", "5:4"],
  ])
  func badPruningEndsWithTwo(arguments: [String]) throws {
    try TemporaryFolder.with { folder in
      try BitSerialCommandTests.npy(4, 1, [1, 2, 3, 4], at: "\(folder)/w.npy")
      let input = arguments.contains("--in") ? [] : ["--in", "\(folder)/w.npy"]
      let result = try Tool.run(["prune"] + arguments + input)
      #expect(result.code == 2 && !result.isCrash, "\(result.errors)")
    }
  }
}
