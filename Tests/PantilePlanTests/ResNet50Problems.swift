import PantilePlan
import PantileProblem

/// A convolution layer of a network, for tests of planning at a realistic size.
struct ConvolutionLayer: Hashable {
  /// Output rows and columns.
  var p: Int
  var q: Int
  /// Output and input channels.
  var n: Int
  var c: Int
  /// Filter size and stride.
  var r: Int
  var stride: Int

  var inputBytes: Int { ((p - 1) * stride + r) * ((q - 1) * stride + r) * c }
  var outputBytes: Int { p * q * n }

  /// The tiling problem on a weight-stationary 16x16 array with a scratchpad, accumulators and two links; each of input, residual
  /// and output is streamed or resident.
  func tiling(
    inputResident: Bool, outputResident: Bool, residual: Bool = false, residualResident: Bool = false,
    capacity: Int = 512 << 10
  ) -> TilingProblem {
    let (tp, tq, tn, tc) = (CostExpr.tile("p"), CostExpr.tile("q"), CostExpr.tile("n"), CostExpr.tile("c"))
    func window(_ t: CostExpr) -> CostExpr { (t + -1) * stride + r }
    let x = window(tp) * window(tq) * tc
    let folds =
      CostExpr.overTiles(of: "n") { .ceilDiv($0, 16) } * .overTiles(of: "c") { .ceilDiv($0, 16) } * (r * r)
    var operands: [TilingProblem.Operand] = [
      .init(
        "x", kind: .read, relevant: ["p", "q", "c"], footprints: inputResident ? [] : [.init("spad", bytes: x)],
        slotChoices: inputResident ? [1] : [2, 1], bytesPerLoad: x,
        sweepBytes: .overTiles(of: "p", window) * .overTiles(of: "q", window) * .extent("c"),
        link: inputResident ? nil : "load"),
      .init(
        "w", kind: .read, relevant: ["n", "c"], footprints: [.init("spad", bytes: tn * tc * (r * r))],
        bytesPerLoad: tn * tc * (r * r), sweepBytes: .extent("n") * .extent("c") * (r * r), link: "load"),
      .init("acc", kind: .write, relevant: ["p", "q", "n"], footprints: [.init("acc", bytes: 4 * (tp * tq * tn))]),
      .init(
        "y", kind: .write, relevant: ["p", "q", "n"],
        footprints: outputResident ? [] : [.init("spad", bytes: tp * tq * tn)],
        slotChoices: outputResident ? [1] : [2, 1], bytesPerLoad: tp * tq * tn,
        sweepBytes: .extent("p") * .extent("q") * .extent("n"), link: outputResident ? nil : "store"),
    ]
    if residual {
      operands.append(
        .init(
          "residual", kind: .read, relevant: ["p", "q", "n"],
          footprints: residualResident ? [] : [.init("spad", bytes: tp * tq * tn)],
          slotChoices: residualResident ? [1] : [2, 1], bytesPerLoad: tp * tq * tn,
          sweepBytes: .extent("p") * .extent("q") * .extent("n"), link: residualResident ? nil : "load"))
    }
    return TilingProblem(
      name: "conv",
      dims: [
        .init("p", extent: p), .init("q", extent: q), .init("n", extent: n, granule: 16),
        .init("c", extent: c, granule: 16), .init("r", extent: r, mayTile: false),
        .init("s", extent: r, mayTile: false),
      ],
      orders: [
        ["n", "p", "q", "c", "r", "s"], ["p", "q", "n", "c", "r", "s"], ["p", "n", "q", "c", "r", "s"],
        ["q", "p", "n", "c", "r", "s"], ["q", "n", "p", "c", "r", "s"], ["n", "q", "p", "c", "r", "s"],
      ],
      memories: [.init("spad", capacity: capacity), .init("acc", capacity: 64 << 10, isShared: false)],
      links: [
        .init("load", rate: .init(bytes: 16), latency: 100, commandCycles: 2),
        .init("store", rate: .init(bytes: 16), latency: 60, commandCycles: 2),
      ],
      resources: [
        .init(
          "array",
          busy: folds * (.overTiles(of: "p") { $0 } * .overTiles(of: "q") { $0 } + 46 * (.trips("p") * .trips("q"))),
          tripOverhead: 4),
        .init("drain", busy: .ceilDiv(.extent("p") * .extent("q") * .extent("n"), 16), tripOverhead: 4),
      ], operands: operands)
  }
}

/// The convolutions of ResNet-50 at 224x224 in order, and which of them add a residual.
func resNet50Layers() -> [(layer: ConvolutionLayer, residual: Bool)] {
  var layers: [(ConvolutionLayer, Bool)] = [(ConvolutionLayer(p: 112, q: 112, n: 64, c: 3, r: 7, stride: 2), false)]
  var channels = 64
  for (stage, blocks) in [3, 4, 6, 3].enumerated() {
    let width = 64 << stage
    let size = 56 >> stage
    for block in 0..<blocks {
      let stride = block == 0 && stage > 0 ? 2 : 1
      let before = size * stride
      layers.append((ConvolutionLayer(p: before, q: before, n: width, c: channels, r: 1, stride: 1), false))
      layers.append((ConvolutionLayer(p: size, q: size, n: width, c: width, r: 3, stride: stride), false))
      if block == 0 {
        layers.append((ConvolutionLayer(p: size, q: size, n: 4 * width, c: channels, r: 1, stride: stride), false))
      }
      layers.append((ConvolutionLayer(p: size, q: size, n: 4 * width, c: width, r: 1, stride: 1), true))
      channels = 4 * width
    }
  }
  return layers.map { ($0.0, $0.1) }
}
