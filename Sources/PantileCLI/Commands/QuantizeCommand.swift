import ArgumentParser
import Pantile

/// `pantile quantize`: a weight matrix in a number format.
struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize", abstract: "Quantises an array of weights to a number format, to nearest.",
    discussion: """
      The array is a matrix of output channels (the first dimension) by input channels (all others); one dimension is one row.
      Groups are consecutive input channels. Formats: 'pantile list formats'; their rules: 'pantile doc FORMAT'.
      """)

  @Option(help: ArgumentHelp("The number format.", valueName: "name")) var format: String
  @Option(help: ArgumentHelp("Values that share a scale, where the format leaves it open.", valueName: "n")) var group:
    Int?
  @Option(name: .customLong("in"), help: ArgumentHelp("The weights.", valueName: "x.npy")) var input: String
  @Option(help: ArgumentHelp("microscaling: how blocks get their scale.", valueName: "floor|ceil|even"))
  var scaleRule = SharedExponent.Rule.floor.rawValue
  @Option(
    help: ArgumentHelp(
      "Whether scales are rounded to their storage before codes are chosen.", valueName: "exact|stored"))
  var scales = "exact"
  @Option(
    help: ArgumentHelp(
      "Multiples of a format's own scale among which each is chosen by squared error.", valueName: "from:to:steps"))
  var scaleSearch: String?
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?
  @Option(help: ArgumentHelp("Write the dequantised values.", valueName: "y.npy")) var out: String?

  func run() throws {
    try OutputFiles.check(json)
    try OutputFiles.check(out)
    guard out != "-" else {
      throw DiagnosticError("cannot-write", "an array cannot go to stdout", hint: "name a file with --out")
    }
    var options = QuantisedMatrix.Options()
    guard let rule = SharedExponent.Rule(rawValue: scaleRule) else {
      throw DiagnosticError("unknown-value", "--scale-rule is '\(scaleRule)'", hint: "valid values: floor, ceil, even")
    }
    guard scales == "exact" || scales == "stored" else {
      throw DiagnosticError("unknown-value", "--scales is '\(scales)'", hint: "valid values: exact, stored")
    }
    options.rule = rule
    options.storesScales = scales == "stored"
    options.grid = try scaleSearch.map { text throws(DiagnosticError) in try ScaleGrid(text) }
    var chosen = try NumberFormat.named(format)
    if let group { chosen = try chosen.withGroup(group) }
    let tensor = try NPY.read(input)
    guard tensor.elementType.isFloat || tensor.elementType.isInteger, tensor.count > 0, !tensor.shape.isEmpty else {
      throw DiagnosticError(
        "input-shape", "'\(input)' holds \(tensor.elementType) of shape \(tensor.shape)",
        hint: "give numbers in at least one dimension, none of them empty")
    }
    let rows = tensor.shape.count == 1 ? 1 : tensor.shape[0]
    let values = (0..<tensor.count).map { tensor.double(at: $0) }
    let result = try QuantisedMatrix(
      values, rows: rows, columns: tensor.count / rows, format: chosen, options: options)
    var files = OutputFiles()
    if let json {
      files.add(
        QuantizeCommand.json(result, shape: tensor.shape, scales: scales, grid: options.grid).text, to: json)
    }
    if let out {
      files.add(NPY.data(of: HostTensor(shape: tensor.shape, values: result.values)), to: out)
    }
    if json != "-" { files.add(QuantizeCommand.text(result), to: "-") }
    try files.write()
  }

  private static func bits(_ result: QuantisedMatrix) -> Int {
    result.format.storageBits(rows: result.rows, columns: result.columns)
  }

  private static func json(_ result: QuantisedMatrix, shape: [Int], scales: String, grid: ScaleGrid?)
    -> OrderedJSON
  {
    func numbers(_ values: [Double]) -> OrderedJSON { .list(values.map { .number($0) }) }
    let names = result.format.code.selectors
    return .object([
      .init("schema", .string("pantile.quantized/1")), .init("format", .string(result.format.name)),
      .init("shape", .integers(shape)), .init("group", .integer(result.groupSize)),
      .init("scale_mode", .string(scales)),
      .init("scale_search", grid.map { .string($0.description) } ?? .null),
      .init("storage_bits", .integer(bits(result))),
      .init("mse", .number(result.meanSquaredError)), .init("codes", .integers(result.codes)),
      .init("scales", numbers(result.scales)), .init("scale_codes", .integers(result.scaleCodes)),
      .init("outer_scales", numbers(result.outerScales)), .init("zero_points", .integers(result.zeroPoints)),
      .init("selectors", .integers(result.selectors)),
      .init("selector_names", .list(result.selectors.map { .string(names[$0]) })),
      .init("dequantised", numbers(result.values)),
    ])
  }

  private static func text(_ result: QuantisedMatrix) -> String {
    let bits = bits(result)
    var text = "\(result.format.name): [\(result.rows), \(result.columns)], \(result.format.scheme)\n"
    text += "  mse      \(result.meanSquaredError)\n"
    text += "  storage  \(Table.grouped(bits)) bits, \(Double(bits) / Double(result.codes.count)) a weight\n"
    if !result.selectors.isEmpty {
      let names = result.format.code.selectors
      let counts = names.indices.map { index in
        "\(names[index]) \(result.selectors.filter { $0 == index }.count)"
      }
      text += result.format.scheme.hasOneSelector ? "  type     " : "  groups   "
      text += "\(counts.joined(separator: ", "))\n"
    }
    return text
  }
}
