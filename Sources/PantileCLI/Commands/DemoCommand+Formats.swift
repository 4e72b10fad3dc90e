import Pantile

extension DemoCommand {
  /// Formats of the comparison, widest first.
  private static let compared = ["int8", "int6", "int5", "int4", "int3", "bitmod-fp4", "bitmod-fp3", "ternary"]

  private static let chip = "bitserial-16x16"

  /// The digits network with its weights in one format after the other, on the bit-serial chip.
  func compareFormats(_ digits: DigitsNetwork) throws {
    var table = TextTable([
      ("format", .left), ("terms", .left), ("cycles a weight", .right), ("accuracy", .right), ("cycles", .right),
      ("array busy", .right), ("energy", .right), ("array energy", .right), ("weights moved", .right),
    ])
    var rows: [OrderedJSON] = []
    var float = 0.0
    for name in DemoCommand.compared {
      Terminal.progress("\(name) on \(DemoCommand.chip)")
      let format = try NumberFormat.named(name)
      let bits = max(2, try SerialNumbers.numberRange(of: format).bits)
      let encoding = try TermEncoding.cheapest(for: format)
      let terms = encoding.fixedTerms(bits: bits)
      var pipeline = GraphPipeline.Options()
      pipeline.quantize.weightFormat = name
      let run = try digits.run(
        "digits-cnn", on: DemoCommand.chip, settings: ["engines.array0.encoding=\(encoding.rawValue)"],
        pipeline: pipeline)
      let report = run.report
      let top1 = report.accuracy?.top1 ?? 0
      float = report.accuracy?.floatTop1 ?? 0
      let busy = report.engines.first { $0.name == "array0" }?.busy ?? 0
      let array = report.energy.components.descending.first { $0.name == "array" }?.amount ?? 0
      table.add([
        name, encoding.rawValue, "\(terms)", Format.percent(top1), Format.grouped(report.cycles), Format.grouped(busy),
        Format.energy(picojoules: report.energy.totalPicojoules), Format.energy(picojoules: array), "\(bits) bits",
      ])
      rows.append(
        .object([
          .init("format", .string(name)), .init("encoding", .string(encoding.rawValue)),
          .init("cycles_per_weight", .integer(terms)), .init("weight_bits", .integer(bits)),
          .init("accuracy", .number(top1)), .init("cycles", .integer(report.cycles)),
          .init("array_busy_cycles", .integer(busy)), .init("energy_pj", .number(report.energy.totalPicojoules)),
          .init("array_energy_pj", .number(array)), .init("offchip_bytes", .integer(report.offchipBytes)),
        ]))
    }
    let samples = digits.labels.count
    let json = OrderedJSON.object([
      .init("schema", .string("pantile.formats/1")), .init("version", .string(pantileVersion)),
      .init("model", .string("digits-cnn")), .init("chip", .string(DemoCommand.chip)),
      .init("samples", .integer(samples)), .init("float_accuracy", .number(float)), .init("rows", .list(rows)),
    ])
    let text = """
      digits-cnn, trained, \(samples) test images, float \(Format.percent(float)); \(DemoCommand.chip), weights rounded to nearest with \
      one scale a channel (ternary: one a layer), nothing retrained. One inference:

      \(table.text)
      'terms' is the encoding, Booth or two leading ones, with the fewest cycles for the format's numbers. Numbers move decoded: BitMoD's 4-bit codes as
      6-bit numbers, its 3-bit codes as 4-bit ones.

      """
    var files = OutputFiles()
    files.add(json.text, to: "\(outputDir)/formats.json")
    files.add(text, to: "-")
    try files.write()
  }
}
