import Foundation
import PantileTestSupport
import Testing

/// `pantile train`, and what `pantile train-memory` says of the order of updates and of choosing a scheme.
struct TrainCommandTests {
  private static let folder = "Workloads/models/digits-cnn"
  private static let data = [
    "--images", "\(folder)/training-images.npy", "--labels", "\(folder)/training-labels.npy", "--test-images",
    "\(folder)/test-images.npy", "--test-labels", "\(folder)/test-labels.npy",
  ]

  private func train(_ options: [String]) throws -> [String: Any] {
    let result = try Tool.run(
      ["train", "\(Self.folder)/digits-cnn.onnx", "--initialise", "--epochs", "1", "--json", "-"] + Self.data + options)
    #expect(result.code == 0, "\(result.errors)")
    return try jsonObject(result.output)
  }

  /// One epoch from one start: bfloat16 within a point of float32, and the same again bit by bit.
  @Test func narrowOperandsTrainAsWellAsWideOnes() throws {
    let options = ["--learning-rate", "0.005", "--batch", "4"]
    let wide = try train(options)
    let narrow = try train(options + ["--format", "bf16"])
    let accuracy = try #require(wide["test_accuracy"] as? Double)
    #expect(accuracy > 0.85)
    #expect(abs(try #require(narrow["test_accuracy"] as? Double) - accuracy) <= 0.01)
    #expect(narrow["loss"] as? Double != wide["loss"] as? Double)
    // Four images: three times forward less the first input gradient.
    #expect(wide["forward_macs"] as? Int == 4 * 616_064)
    #expect(wide["macs_per_step"] as? Int == 4 * (3 * 616_064 - 9216))
    #expect(wide["pattern_bound"] is NSNull && wide["step_bound"] as? Double == 1)
  }

  @Test func patternReportsItsBound() throws {
    let result = try train(["--pattern", "2:8", "--masks", "bdwp", "--learning-rate", "0.005", "--batch", "4"])
    #expect(result["pattern_bound"] as? Double == 2)
    let dense = try #require(result["macs_per_step"] as? Int)
    let sparse = try #require(result["sparse_macs_per_step"] as? Int)
    // conv2, conv3 and fc1 skip three quarters of forward and backward.
    #expect(dense - sparse == 4 * (294_912 + 294_912 + 16_384) * 2 * 3 / 4)
    #expect(try #require(result["step_bound"] as? Double) < 2)
    #expect(try #require(result["test_accuracy"] as? Double) > 0.5)
  }

  @Test func updateListsAndSchemesAgree() throws {
    try TemporaryFolder.with { folder in
      try """
      {"schemes": [{"network": "digits-cnn", "name": "a", "bias_updated_convs_from_the_end": 2, "weight_updated": [[2, 0.25]]}]}
      """.write(toFile: "\(folder)/u.json", atomically: true, encoding: .utf8)
      let list = try train(["--update", "conv2:bias,conv3:0.25,fc2", "--epochs", "0"])
      let scheme = try train(["--update", "\(folder)/u.json", "--epochs", "0"])
      let parameters = try #require(scheme["parameters"] as? [[String: Any]])
      #expect(parameters.map { $0["node"] as? String } == ["conv2", "conv3", "conv3", "fc2", "fc2"])
      #expect(parameters[1]["updated_shape"] as? [Int] == [64, 8, 3, 3])
      #expect(list["saved_bytes"] as? Int == scheme["saved_bytes"] as? Int)
    }
  }

  @Test(arguments: [
    (["--format", "f8"], "unknown-value"), (["--masks", "bdwp"], "option-conflict"),
    (["--pattern", "9:8"], "nm-pattern"), (["--update", "conv9"], "unknown-node"),
    (["--batch", "0"], "attribute-range"),
    (["--test-images", "x.npy"], "missing-option"), (["--momentum", "1"], "attribute-range"),
    (["--scheme", "a"], "option-conflict"),
  ])
  func wrongOptionsEndWithTwo(_ options: [String], _ code: String) throws {
    let data = options[0] == "--test-images" ? Array(Self.data.prefix(4)) : Self.data
    let result = try Tool.run(["train", "\(Self.folder)/digits-cnn.onnx"] + data + options)
    #expect(result.code == 2 && result.errors.contains("[\(code)]"), "\(result.errors)")
  }

  // MARK: train-memory

  private static let shapes = """
    {"net": {"fc_in": 2, "convs": [[1, 2, 3, 1, 1, 4, 4], [2, 4, 1, 1, 1, 4, 4], [4, 2, 1, 2, 1, 4, 2]]}}
    """

  @Test func ordersOfUpdatesAndChosenSchemes() throws {
    try TemporaryFolder.with { folder in
      try Self.shapes.write(toFile: "\(folder)/s.json", atomically: true, encoding: .utf8)
      try #"{"biases": [[1, 1], [2, 3]], "weights": [[1, 0.5, 4], [1, 1, 5], [2, 1, 6]]}"#.write(
        toFile: "\(folder)/g.json", atomically: true, encoding: .utf8)
      let common = ["train-memory", "--network", "net", "--shapes", "\(folder)/s.json", "--json", "-"]
      let peaks = try Tool.run(common + ["--last", "2", "--reorder"])
      #expect(peaks.code == 0, "\(peaks.errors)")
      let found = try jsonObject(peaks.output)
      // UpdateGraphTests works them out.
      #expect(found["peak_bytes"] as? Int == 432 && found["peak_bytes_reordered"] as? Int == 432)
      #expect(found["ratio"] as? Double == 1)
      let all = try Tool.run(common + ["--select", "--limit", "1KiB", "--gains", "\(folder)/g.json"])
      #expect(all.code == 0, "\(all.errors)")
      let chosen = try jsonObject(all.output)
      #expect(chosen["gain"] as? Double == 14 && chosen["bias_updated_convs_from_the_end"] as? Int == 2)
      #expect(chosen["weight_updated"] as? [[Double]] == [[1, 1], [2, 1]])
      // 2 for the classifier, 9 + 24 for both biases, 72 for the last weights; 20 + ... for half of the others.
      let less = try Tool.run(common + ["--select", "--limit", "110", "--gains", "\(folder)/g.json"])
      let part = try jsonObject(less.output)
      #expect(try #require(part["extra_bytes"] as? Int) <= 110 && part["gain"] as? Double == 9)
    }
  }

  @Test(arguments: [
    (["--last", "1", "--limit", "5"], "option-conflict"), (["--select"], "missing-option"),
    (["--last", "1", "--reorder", "--gradient-bits", "7"], "out-of-range"),
    (["--select", "--limit", "x", "--gains", "g"], "wrong-size"),
  ])
  func wrongOptionsOfMemoryEndWithTwo(_ options: [String], _ code: String) throws {
    try TemporaryFolder.with { folder in
      try Self.shapes.write(toFile: "\(folder)/s.json", atomically: true, encoding: .utf8)
      let result = try Tool.run(["train-memory", "--network", "net", "--shapes", "\(folder)/s.json"] + options)
      #expect(result.code == 2 && result.errors.contains("[\(code)]"), "\(result.errors)")
    }
  }

  /// The three schemes whose reordering was studied: never more memory, and the forward part's 160 KiB where they are small.
  @Test func reorderingOfPublishedSchemes() throws {
    guard let shapes = SharedFolder.path("reference/sparse/mcu_model_shapes.json"),
      let schemes = SharedFolder.path("reference/sparse/update_schemes.json")
    else { return SharedFolder.reportSkipped("reorderingOfPublishedSchemes") }
    let expected: [String: (Double, Double, Double)] = [
      "49kb": (1.00, 1.33, 3.63), "99kb": (1.77, 2.04, 4.95), "148kb": (2.28, 2.28, 4.97),
    ]
    for (name, ratios) in expected.sorted(by: { $0.key < $1.key }) {
      let result = try Tool.run([
        "train-memory", "--network", "mcunet-5fps", "--shapes", shapes, "--schemes", schemes, "--scheme", name,
        "--reorder", "--json", "-",
      ])
      #expect(result.code == 0, "\(result.errors)")
      let found = try jsonObject(result.output)
      for (key, ratio) in [
        ("ratio", ratios.0), ("backward_ratio", ratios.1), ("ratio_all_gradients", ratios.2),
      ] {
        #expect(abs((found[key] as? Double ?? 0) - ratio) < 0.005, "\(name) \(key): \(found[key] ?? "nothing")")
      }
    }
  }
}
