import Testing

/// What `list` and `doc` show.
struct ListCommandTests {
  @Test(arguments: [
    ("chips", "systolic-16x16"), ("chips", "nm-16x16"), ("workloads", "digits-cnn"), ("workloads", "resnet50"),
    ("ops", "dnn.conv2d"), ("passes", "quantize"), ("engines", "bitserial"), ("energy", "45nm"),
    ("memories", "hbm2-8ch"), ("formats", "bitmod-fp4"), ("formats", "mxint8"),
    ("timing-models", "scalesim"), ("timing-models", "native"), ("datapaths", "booth4"),
  ])
  func lists(_ kind: String, _ name: String) throws {
    let result = try Tool.run(["list", kind])
    #expect(result.code == 0 && result.errors.isEmpty)
    #expect(result.output.contains(name))
  }

  @Test(arguments: [
    "dnn.conv2d", "conv2d", "systolic", "systolic-16x16", "quantize", "resnet18", "scalesim", "stonne", "native",
    "bitmod-fp3", "fp16", "olive-int4", "q7.8-floor-wrap", "booth4",
  ])
  func documents(_ name: String) throws {
    let result = try Tool.run(["doc", name])
    #expect(result.code == 0 && result.output.count > 100, "\(result.errors)")
  }

  /// Nothing is looked for in the working directory alone.
  @Test func worksInAnyFolder() throws {
    try TemporaryFolder.with { folder in
      let result = try Tool.run(["list", "chips"], environment: ["PANTILE_ROOT": ""], in: folder)
      #expect(result.code == 0 && result.output.contains("systolic-16x16"))
      let other = try Tool.run(["list", "chips", "--root", folder], environment: ["PANTILE_ROOT": ""], in: folder)
      #expect(other.code == 0 && !other.output.contains("systolic-16x16"))
    }
  }

  @Test func helpAndVersionAreResults() throws {
    for arguments in [["--version"], ["--help"], ["run", "--help"]] {
      let result = try Tool.run(arguments)
      #expect(result.code == 0 && !result.output.isEmpty && result.errors.isEmpty)
    }
  }

  @Test func writesTheGeneratedNetworks() throws {
    try TemporaryFolder.with { folder in
      let result = try Tool.run(["workloads", "--write", folder])
      #expect(result.code == 0)
      for name in TemporaryFolder.files(folder) {
        // As they are shipped.
        let shipped = try Tool.text("\(Tool.root)/Workloads/models/\(name)")
        #expect(try Tool.text("\(folder)/\(name)") == shipped, "\(name) differs from the shipped file")
      }
      #expect(TemporaryFolder.files(folder).count == 7)
    }
  }
}
