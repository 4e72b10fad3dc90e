import PantileSupport

/// The layers of a topology file of SCALE-Sim, as matrix products.
///
/// The file is a table with a header line, one layer a line, a comma at the end of each (which may be missing here):
/// - conv: name, IFMAP height, IFMAP width, filter height, filter width, channels, filters, stride, and perhaps a ratio N:M;
/// - gemm: name, M, N, K, and perhaps a ratio N:M.
///
/// A convolution without padding has M = ceil((H-kh+s)/s)·ceil((W-kw+s)/s), K = kh·kw·channels, N = filters. A layer with `DP` in
/// its name is depthwise: one layer of one channel for each of its channels, as the tool makes them.
public struct ScaleSimTopology: Hashable, Sendable {
  public enum Format: String, Hashable, Sendable, CaseIterable { case conv, gemm }

  public struct Layer: Hashable, Sendable {
    public var name: String
    public var m: Int
    public var k: Int
    public var n: Int
    /// Kept of each group of filter weights; 1:1 when the file says nothing.
    public var kept: Int
    public var group: Int
    public var location: SourceLocation
  }

  public var format: Format
  public var layers: [Layer]
  /// Where the tool would read the file otherwise, or passes something over.
  public var warnings: [Diagnostic]

  /// Most layers, those of depthwise channels included.
  public static let largestLayerCount = 1 << 16
  /// Largest number in a field.
  public static let largestField = 1 << 20

  /// - Parameter format: nil to tell it from the header, or else from the number of columns.
  /// - Throws: `empty-topology`, `unknown-format`, `bad-row`, `out-of-range`, `filter-too-large`; all lines at once.
  public init(_ text: String, path: String, format: Format? = nil) throws(DiagnosticError) {
    var reader = ScaleSimTopologyReader(ScaleSimText(text, path: path))
    self.format = try reader.read(format)
    layers = reader.layers
    warnings = reader.warnings
  }

  /// The question that a layer asks of an array.
  public static func question(_ layer: Layer, _ config: ScaleSimConfig) -> TimingModel.Question {
    TimingModel.Question(
      rows: config.rows, columns: config.columns, dataflow: config.dataflow, m: layer.m, k: layer.k, n: layer.n,
      sparsity: config.sparsity.map { ScaleSimSparsity(kept: layer.kept, group: layer.group, block: $0.block) })
  }
}

private struct ScaleSimTopologyReader {
  private struct Row {
    var fields: [String]
    var line: ScaleSimText.Line
  }

  private var text: ScaleSimText
  private(set) var layers: [ScaleSimTopology.Layer] = []
  private(set) var warnings: [Diagnostic] = []

  init(_ text: ScaleSimText) { self.text = text }

  mutating func read(_ given: ScaleSimTopology.Format?) throws(DiagnosticError) -> ScaleSimTopology.Format {
    // A line of commas alone separates layers in files that people keep in spreadsheets.
    var rows = text.lines.map { Row(fields: ScaleSimText.fields($0.text), line: $0) }.filter { !$0.fields.isEmpty }
    var header: Row?
    if let first = rows.first, !isLayer(first) {
      header = first
      rows.removeFirst()
    } else if let first = rows.first {
      warnings.append(
        text.diagnostic(
          "no-header", "the first line is a layer; SCALE-Sim takes it for the header and leaves it out",
          at: first.line, severity: .warning, hint: "put a header line before it"))
    }
    guard let first = rows.first else {
      text.fail("empty-topology", "the topology has no layers", at: nil)
      throw DiagnosticError(text.problems)
    }
    let format: ScaleSimTopology.Format
    if let given { format = given } else { format = try self.format(header: header, first: first) }
    for row in rows {
      switch format {
      case .conv: readConvolution(row)
      case .gemm: readProduct(row)
      }
    }
    try text.check()
    return format
  }

  /// Whether a line holds a number where layers have them, and so is no header. One is enough: a damaged layer is no header.
  private func isLayer(_ row: Row) -> Bool { row.fields.dropFirst().contains { Int($0) != nil } }

  /// - Throws: `unknown-format`.
  private func format(header: Row?, first: Row) throws(DiagnosticError) -> ScaleSimTopology.Format {
    if let header {
      let names = header.fields.map { $0.lowercased() }
      if names.count >= 4, Array(names[1...3]) == ["m", "n", "k"] { return .gemm }
      if names.contains(where: { $0.hasPrefix("ifmap") || $0.hasPrefix("filter") }) { return .conv }
    }
    switch first.fields.count {
    case 4, 5: return .gemm
    case 8, 9: return .conv
    default:
      throw DiagnosticError(
        text.diagnostic(
          "unknown-format",
          "\(first.fields.count) columns are neither those of a convolution (8 or 9) nor of a product (4 or 5)",
          at: first.line, hint: "say --topology-format conv or gemm"))
    }
  }

  private mutating func readConvolution(_ row: Row) {
    let names = [
      "IFMAP height", "IFMAP width", "filter height", "filter width", "channels", "filters", "stride",
    ]
    guard let values = numbers(row, names), let ratio = ratio(row, column: 8) else { return }
    let (height, width, filterHeight, filterWidth) = (values[0], values[1], values[2], values[3])
    let (channels, filters, stride) = (values[4], values[5], values[6])
    for (what, filter, image) in [("height", filterHeight, height), ("width", filterWidth, width)]
    where filter > image {
      text.fail("filter-too-large", "filter \(what) \(filter) exceeds IFMAP \(what) \(image)", at: row.line)
      return
    }
    let m = ceilDiv(height - filterHeight + stride, stride) * ceilDiv(width - filterWidth + stride, stride)
    let window = filterHeight * filterWidth
    let name = row.fields[0]
    if name.contains("DP") {
      for channel in 0..<min(channels, ScaleSimTopology.largestLayerCount + 1 - layers.count) {
        add("\(name)Channel_\(channel)", m, window, filters, ratio, row)
      }
    } else {
      add(name, m, window * channels, filters, ratio, row)
    }
  }

  private mutating func readProduct(_ row: Row) {
    guard let values = numbers(row, ["M", "N", "K"]), let ratio = ratio(row, column: 4) else { return }
    add(row.fields[0], values[0], values[2], values[1], ratio, row)
  }

  private mutating func add(
    _ name: String, _ m: Int, _ k: Int, _ n: Int, _ ratio: (kept: Int, group: Int), _ row: Row
  ) {
    let limit = ScaleSimTopology.largestLayerCount
    guard layers.count < limit else {
      // Said once.
      if !text.problems.contains(where: { $0.code == "too-many-layers" }) {
        text.fail("too-many-layers", "the topology has more than \(limit) layers", at: row.line)
      }
      return
    }
    let layer = ScaleSimTopology.Layer(
      name: name, m: m, k: k, n: n, kept: ratio.kept, group: ratio.group, location: text.location(row.line))
    // Any array will do: only the product can be wrong.
    text.add(TimingModel.Question(rows: 1, columns: 1, m: m, k: k, n: n).problems(at: layer.location))
    layers.append(layer)
  }

  /// The whole numbers behind the name; nil when something is wrong with them.
  private mutating func numbers(_ row: Row, _ names: [String]) -> [Int]? {
    guard row.fields.count > names.count else {
      text.fail(
        "bad-row", "\(row.fields.count) fields, a layer has \(names.count + 1): name, \(names.joined(separator: ", "))",
        at: row.line)
      return nil
    }
    var values: [Int] = []
    for (index, name) in names.enumerated() {
      let field = row.fields[index + 1]
      guard let value = Int(field) else {
        text.fail("bad-row", "\(name) is '\(field)', not a whole number", at: row.line)
        continue
      }
      if !(1...ScaleSimTopology.largestField).contains(value) {
        text.fail(
          "out-of-range", "\(name) is \(value), it must be in 1...\(ScaleSimTopology.largestField)", at: row.line)
      }
      values.append(value)
    }
    let isGood = values.count == names.count && values.allSatisfy { (1...ScaleSimTopology.largestField).contains($0) }
    return isGood ? values : nil
  }

  /// The ratio N:M in the last column, 1:1 without one; nil when something is wrong with it.
  private mutating func ratio(_ row: Row, column: Int) -> (kept: Int, group: Int)? {
    guard row.fields.count > column else { return (1, 1) }
    guard row.fields.count == column + 1 else {
      text.fail("bad-row", "\(row.fields.count) fields, a layer has at most \(column + 1)", at: row.line)
      return nil
    }
    let parts = row.fields[column].split(separator: ":", omittingEmptySubsequences: false).map {
      Int(ScaleSimText.trimmed($0.utf8))
    }
    guard parts.count == 2, let kept = parts[0], let group = parts[1], kept > 0, kept <= group else {
      text.fail(
        "bad-row", "the last column is '\(row.fields[column])', not a ratio N:M of kept weights", at: row.line)
      return nil
    }
    if kept != group, !warnings.contains(where: { $0.code == "dense-cycles" }) {
      warnings.append(
        text.diagnostic(
          "dense-cycles", "the ratio \(kept):\(group) has no influence without SparsitySupport, here and in SCALE-Sim",
          at: row.line, severity: .warning))
    }
    return (kept, group)
  }
}
