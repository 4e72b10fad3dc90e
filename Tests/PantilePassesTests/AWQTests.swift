import Foundation
import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTensor
import PantileText
import Testing

/// Scales of input channels: the search against one written in plain sums, and the float network before and after.
///
/// The oracle shares nothing with the pass: it computes layers by their definition in double precision, quantises by its own
/// rounding, and takes the full error `‖y(Q(w s) / s) − y(w)‖²` instead of the output of a difference.
@Suite struct AWQTests {
  // MARK: Oracle

  /// A convolution by its definition, pads on all sides alike. x [c][h][w], weights [m][c/groups][r][s].
  private static func convolve(
    _ x: [Double], _ c: Int, _ h: Int, _ w: Int, _ weights: [Double], _ m: Int, _ r: Int, pad: Int, groups: Int
  ) -> [Double] {
    let (p, q) = (h + 2 * pad - r + 1, w + 2 * pad - r + 1)
    let inner = c / groups
    var y = [Double](repeating: 0, count: m * p * q)
    for o in 0..<m {
      for i in 0..<p {
        for j in 0..<q {
          for k in 0..<inner {
            for a in 0..<r {
              for b in 0..<r {
                let (row, column) = (i + a - pad, j + b - pad)
                guard (0..<h).contains(row), (0..<w).contains(column) else { continue }
                let channel = o / (m / groups) * inner + k
                y[(o * p + i) * q + j] +=
                  x[(channel * h + row) * w + column] * weights[((o * inner + k) * r + a) * r + b]
              }
            }
          }
        }
      }
    }
    return y
  }

  /// Rows of weights to symmetric integers and back, in single precision as arrays have it.
  private static func rounded(_ weights: [Double], rows: Int, bits: Int) -> [Double] {
    let columns = weights.count / rows
    let limit = Float((1 << (bits - 1)) - 1)
    var result: [Double] = []
    for row in 0..<rows {
      let values = weights[row * columns..<(row + 1) * columns].map { Float($0) }
      let scale = (values.map { abs($0) }.max() ?? 0) / limit
      result += values.map { Double(min(max(($0 / scale).rounded(.toNearestOrEven), -limit), limit)) * Double(scale) }
    }
    return result
  }

  private static func factors(_ means: [Double], _ alpha: Double) -> [Double] {
    let raw = means.map { exp(alpha * log($0)) }
    let middle = exp((log(raw.max()!) + log(raw.min()!)) / 2)
    return raw.map { $0 / middle }
  }

  /// The exponent of 0, 1/20 … 1 with the least error, and that error.
  private static func search(_ means: [Double], _ error: ([Double]) -> Double) -> (alpha: Double, error: Double) {
    var best = (alpha: 0.0, error: Double.infinity)
    for step in 0...20 {
      let alpha = Double(step) / 20
      let found = error(factors(means, alpha))
      if found < best.error { best = (alpha, found) }
    }
    return best
  }

  // MARK: Cases

  private static func constant(_ name: String, _ module: Module, operand: Int) throws -> [Double] {
    let op = try #require(
      module.ops(inBodyOf: try module.mainFunction()).first {
        !module.isConstant($0) && module.location(of: $0).names.contains(name)
      })
    let tensor = try #require(try module.constantTensor(module.operands(of: op)[operand]))
    return (0..<tensor.count).map { tensor.double(at: $0) }
  }

  private static func samples(_ shape: [Int], _ count: Int, seed: Int) -> Calibration {
    // Channels of different magnitude, so that factors have work to do.
    var samples: [[HostTensor]] = []
    for sample in 0..<count {
      let tensor = SeededValues.tensor(name: "s\(seed) \(sample)", shape: shape, elementType: .f32, low: -1, high: 1)
      let inner = shape[2...].reduce(1, *)
      var values: [Float] = []
      for index in 0..<tensor.count {
        let channel = index / inner % shape[1] % 5
        let magnitude: Double = pow(3, Double(channel - 2))
        values.append(Float(tensor.double(at: index) * magnitude))
      }
      samples.append([HostTensor(shape: shape, values: values)])
    }
    return Calibration(samples: samples)
  }

  private static let dense = """
    func.func @main(%x: tensor<1x6xf32>) -> tensor<1x5xf32> {
      %w = dnn.constant {value = #dnn.seeded<"SEED w", -1.0, 1.0>} : tensor<12x6xf32>
      %b = dnn.constant {value = #dnn.seeded<"SEED b", -0.5, 0.5>} : tensor<12xf32>
      %v = dnn.constant {value = #dnn.seeded<"SEED v", -1.0, 1.0>} : tensor<5x12xf32>
      %c = dnn.constant {value = #dnn.seeded<"SEED c", -0.5, 0.5>} : tensor<5xf32>
      %1 = dnn.fully_connected %x, %w, %b : (tensor<1x6xf32>, tensor<12x6xf32>, tensor<12xf32>) -> tensor<1x12xf32> loc("first")
      %2 = dnn.relu %1 : tensor<1x12xf32>
      %3 = dnn.fully_connected %2, %v, %c : (tensor<1x12xf32>, tensor<5x12xf32>, tensor<5xf32>) -> tensor<1x5xf32> loc("second")
      func.return %3 : tensor<1x5xf32>
    }
    """

  @Test(arguments: 0..<12, [3, 4])
  func denseLayersGetTheFactorsOfTheOracle(_ seed: Int, _ bits: Int) throws {
    let module = try Module(verifying: Self.dense.replacing("SEED", with: "\(seed)"), path: "dense")
    let calibration = Self.samples([1, 6], 9, seed: seed)
    let (w, b) = (try Self.constant("first", module, operand: 1), try Self.constant("first", module, operand: 2))
    let v = try Self.constant("second", module, operand: 1)
    var hidden: [[Double]] = []
    for sample in calibration.samples {
      var row: [Double] = []
      for o in 0..<12 {
        var sum = b[o]
        for k in 0..<6 { sum += w[o * 6 + k] * sample[0].double(at: k) }
        row.append(max(0, sum))
      }
      hidden.append(row)
    }
    let means: [Double] = (0..<12).map { k in hidden.reduce(0) { $0 + $1[k] } / 9 }
    guard means.allSatisfy({ $0 > 0 }) else { return }
    func error(_ factors: [Double]) -> Double {
      let scaled: [Double] = v.indices.map { v[$0] * factors[$0 % 12] }
      let worth = Self.rounded(scaled, rows: 5, bits: bits)
      var sum = 0.0
      for h in hidden {
        for o in 0..<5 {
          var (exact, found) = (0.0, 0.0)
          for k in 0..<12 {
            exact += v[o * 12 + k] * h[k]
            found += worth[o * 12 + k] / factors[k] * h[k]
          }
          sum += (found - exact) * (found - exact)
        }
      }
      return sum
    }
    let best = Self.search(means, error)
    let outcome = try run("awq{weight-bits=\(bits)}", module, calibration)
    let report = try #require(outcome.artifacts[ScaleReport.self])
    #expect(report.layers.map(\.name) == ["first", "second"] && report.layers[0].reason != nil)
    let layer = report.layers[1]
    #expect(layer.origin == "first")
    #expect(abs(layer.alpha - best.alpha) < 1e-12, "\(layer.alpha), oracle \(best.alpha)")
    #expect(abs(layer.after.meanSquaredError * 45 / best.error - 1) < 1e-4)
    #expect(abs(layer.before.meanSquaredError * 45 / error([Double](repeating: 1, count: 12)) - 1) < 1e-4)
    #expect(layer.after.meanSquaredError <= layer.before.meanSquaredError)
    // What stands in the graph: factors in one layer, divisors in the other.
    let factors = Self.factors(means, best.alpha)
    let (w2, b2) = (
      try Self.constant("first", outcome.module, operand: 1), try Self.constant("first", outcome.module, operand: 2)
    )
    let v2 = try Self.constant("second", outcome.module, operand: 1)
    for o in 0..<12 {
      #expect(abs(b2[o] * factors[o] - b[o]) < 1e-5)
      for k in 0..<6 { #expect(abs(w2[o * 6 + k] * factors[o] - w[o * 6 + k]) < 1e-5) }
    }
    for index in v.indices { #expect(abs(v2[index] - v[index] * factors[index % 12]) < 1e-5) }
    #expect(try Self.constant("second", outcome.module, operand: 2) == Self.constant("second", module, operand: 2))
  }

  /// A grouped convolution, a pool, and a dense layer behind a reshape: channels become runs of inputs.
  private static let image = """
    func.func @main(%x: tensor<1x4x6x6xf32>) -> tensor<1x3xf32> {
      %a = dnn.constant {value = #dnn.seeded<"SEED a", -1.0, 1.0>} : tensor<6x4x3x3xf32>
      %g = dnn.constant {value = #dnn.seeded<"SEED g", -1.0, 1.0>} : tensor<4x3x3x3xf32>
      %v = dnn.constant {value = #dnn.seeded<"SEED v", -1.0, 1.0>} : tensor<3x36xf32>
      %1 = dnn.conv2d %x, %a {pads = [1, 1, 1, 1]} : (tensor<1x4x6x6xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32> loc("plain")
      %2 = dnn.relu %1 : tensor<1x6x6x6xf32>
      %3 = dnn.conv2d %2, %g {pads = [1, 1, 1, 1], groups = 2} : (tensor<1x6x6x6xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32> loc("grouped")
      %4 = dnn.max_pool2d %3 {kernel = [2, 2], strides = [2, 2]} : (tensor<1x4x6x6xf32>) -> tensor<1x4x3x3xf32>
      %5 = dnn.reshape %4 {shape = [1, 36]} : (tensor<1x4x3x3xf32>) -> tensor<1x36xf32>
      %6 = dnn.fully_connected %5, %v : (tensor<1x36xf32>, tensor<3x36xf32>) -> tensor<1x3xf32> loc("dense")
      func.return %6 : tensor<1x3xf32>
    }
    """

  @Test(arguments: 0..<6)
  func convolutionsGetTheFactorsOfTheOracle(_ seed: Int) throws {
    let module = try Module(verifying: Self.image.replacing("SEED", with: "\(seed)"), path: "image")
    let calibration = Self.samples([1, 4, 6, 6], 4, seed: seed)
    let a = try Self.constant("plain", module, operand: 1)
    let g = try Self.constant("grouped", module, operand: 1)
    let v = try Self.constant("dense", module, operand: 1)
    let inputs = calibration.samples.map { sample in (0..<144).map { sample[0].double(at: $0) } }
    let hidden = inputs.map { Self.convolve($0, 4, 6, 6, a, 6, 3, pad: 1, groups: 1).map { max(0, $0) } }
    let grouped = hidden.map { Self.convolve($0, 6, 6, 6, g, 4, 3, pad: 1, groups: 2) }
    var pooled: [[Double]] = []
    for y in grouped {
      var values: [Double] = []
      for index in 0..<36 {
        let corner = index / 9 * 36 + index / 3 % 3 * 12 + index % 3 * 2
        values.append(max(y[corner], y[corner + 1], y[corner + 6], y[corner + 7]))
      }
      pooled.append(values)
    }
    func means(_ values: [[Double]], channels: Int) -> [Double] {
      let inner = values[0].count / channels
      var sums = [Double](repeating: 0, count: channels)
      for row in values { for (index, value) in row.enumerated() { sums[index / inner] += abs(value) } }
      return sums.map { $0 / Double(values.count * inner) }
    }
    func firstError(_ factors: [Double]) -> Double {
      // Outputs 0 and 1 read channels 0 to 2, outputs 2 and 3 the others.
      let inputs: [Int] = g.indices.map { $0 / 54 * 3 + $0 / 9 % 3 }
      let scaled: [Double] = g.indices.map { g[$0] * factors[inputs[$0]] }
      let worth = Self.rounded(scaled, rows: 4, bits: 4)
      let back: [Double] = worth.indices.map { worth[$0] / factors[inputs[$0]] }
      var sum = 0.0
      for (x, exact) in zip(hidden, grouped) {
        let found = Self.convolve(x, 6, 6, 6, back, 4, 3, pad: 1, groups: 2)
        for index in exact.indices { sum += (found[index] - exact[index]) * (found[index] - exact[index]) }
      }
      return sum
    }
    func secondError(_ factors: [Double]) -> Double {
      let scaled: [Double] = v.indices.map { v[$0] * factors[$0 % 36 / 9] }
      let worth = Self.rounded(scaled, rows: 3, bits: 4)
      var sum = 0.0
      for x in pooled {
        for o in 0..<3 {
          var off = 0.0
          for k in 0..<36 { off += (worth[o * 36 + k] / factors[k / 9] - v[o * 36 + k]) * x[k] }
          sum += off * off
        }
      }
      return sum
    }
    let first = Self.search(means(hidden, channels: 6), firstError)
    let second = Self.search(means(pooled, channels: 4), secondError)
    let report = try #require(try run("awq{weight-bits=4}", module, calibration).artifacts[ScaleReport.self])
    for (layer, best) in zip(report.layers.dropFirst(), [first, second]) {
      #expect(abs(layer.alpha - best.alpha) < 1e-12, "\(layer.name): \(layer.alpha), oracle \(best.alpha)")
      let count = Double(layer.name == "grouped" ? 4 * 144 : 4 * 3)
      #expect(abs(layer.after.meanSquaredError * count / best.error - 1) < 1e-3, "\(layer.name)")
    }
    #expect(report.layers.map(\.origin) == [nil, "plain", "grouped"])
  }

  // MARK: The same function

  private static func relative(_ a: HostTensor, _ b: HostTensor) -> Double {
    let largest = (0..<a.count).map { abs(a.double(at: $0)) }.max() ?? 0
    var off = 0.0
    for index in 0..<a.count { off = max(off, abs(a.double(at: index) - b.double(at: index))) }
    return off / max(largest, 1e-30)
  }

  /// Random networks stay what they are: within rounding, and to the bit when factors are powers of two.
  @Test func randomNetworksKeepTheirFunction() throws {
    var scaled = 0
    for seed in 0..<60 {
      let (module, inputs) = try RandomNetwork.make(seed: seed, isQuantizable: seed % 2 == 0)
      let plain = try run("fold-constants,canonicalize,fold-batch-norm,canonicalize,fold-constants", module).module
      let expected = try Interpreter(plain).run(inputs)[0]
      let calibration = Calibration(samples: [inputs])
      for option in ["", " power-of-two=true"] {
        let outcome = try run("awq{weight-bits=3 grid=4\(option)}", plain, calibration)
        let found = try Interpreter(outcome.module).run(inputs)[0]
        if option.isEmpty {
          #expect(Self.relative(expected, found) < 1e-4, "seed \(seed)")
          scaled += outcome.artifacts[ScaleReport.self]?.scaledCount ?? 0
        } else {
          #expect(expected == found, "seed \(seed), powers of two")
        }
      }
    }
    print("\(scaled) layers scaled in 60 random networks")
    #expect(scaled > 20)
  }

  /// A normalisation that three products read: one set of factors for all, divisors in its scale and bias.
  private static let attention = """
    func.func @main(%x: tensor<4x8xf32>) -> (tensor<4x6xf32>, tensor<4x4xf32>) {
      %s = dnn.constant {value = #dnn.seeded<"s", 0.1, 4.0>} : tensor<8xf32>
      %b = dnn.constant {value = #dnn.seeded<"b", -1.0, 1.0>} : tensor<8xf32>
      %q = dnn.constant {value = #dnn.seeded<"q", -1.0, 1.0>} : tensor<8x6xf32>
      %k = dnn.constant {value = #dnn.seeded<"k", -1.0, 1.0>} : tensor<6x8xf32>
      %v = dnn.constant {value = #dnn.seeded<"v", -1.0, 1.0>} : tensor<8x4xf32>
      %o = dnn.constant {value = #dnn.seeded<"o", -1.0, 1.0>} : tensor<6xf32>
      %n = dnn.layer_norm %x, %s, %b {axis = 1} : (tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<4x8xf32> loc("norm")
      %1 = dnn.matmul %n, %q : (tensor<4x8xf32>, tensor<8x6xf32>) -> tensor<4x6xf32> loc("query")
      %2 = dnn.matmul %n, %k {transpose_b = true} : (tensor<4x8xf32>, tensor<6x8xf32>) -> tensor<4x6xf32> loc("key")
      %3 = dnn.matmul %n, %v : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32> loc("value")
      %4 = dnn.add %1, %o : (tensor<4x6xf32>, tensor<6xf32>) -> tensor<4x6xf32>
      %5 = dnn.mul %4, %2 : tensor<4x6xf32>
      EXTRA
      func.return %5, %3 : tensor<4x6xf32>, tensor<4x4xf32>
    }
    """

  @Test func layersBehindOneNormalisationShareFactors() throws {
    let module = try Module(verifying: Self.attention.replacing("EXTRA", with: ""), path: "attention")
    let calibration = Calibration(
      samples: (0..<5).map {
        [SeededValues.tensor(name: "x\($0)", shape: [4, 8], elementType: .f32, low: -1, high: 1)]
      })
    let outcome = try run("awq{weight-bits=3}", module, calibration)
    let report = try #require(outcome.artifacts[ScaleReport.self])
    #expect(report.layers.map(\.origin) == ["norm", "norm", "norm"])
    #expect(Set(report.layers.map(\.alpha)).count == 1 && report.layers[0].alpha > 0)
    // The sum of relative errors is what was least; single layers may pay.
    func cost(_ value: (ScaleReport.Layer) -> ScaleReport.Distortion) -> Double {
      report.layers.reduce(0) { $0 + value($1).meanSquaredError / value($1).power }
    }
    #expect(cost(\.after) < cost(\.before))
    for sample in calibration.samples {
      let (a, b) = (try Interpreter(module).run(sample), try Interpreter(outcome.module).run(sample))
      for (x, y) in zip(a, b) { #expect(Self.relative(x, y) < 1e-5) }
    }
  }

  /// One more reader that does not pass factors on keeps all at 1, and the reason is said.
  @Test func whatCannotBeFoldedIsSaid() throws {
    let text = Self.attention.replacing(
      "EXTRA",
      with:
        "%6 = dnn.sigmoid %n : tensor<4x8xf32>\n %7 = dnn.reduce_sum %6 {axes = [0, 1]} : (tensor<4x8xf32>) -> tensor<1x1xf32>"
    ).replacing("%5, %3 : tensor<4x6xf32>, tensor<4x4xf32>", with: "%5, %7 : tensor<4x6xf32>, tensor<1x1xf32>")
      .replacing("(tensor<4x6xf32>, tensor<4x4xf32>) {", with: "(tensor<4x6xf32>, tensor<1x1xf32>) {")
    let module = try Module(verifying: text, path: "blocked")
    let outcome = try run("awq{weight-bits=3}", module)
    let report = try #require(outcome.artifacts[ScaleReport.self])
    #expect(report.scaledCount == 0 && report.isSynthetic)
    #expect(report.layers.allSatisfy { $0.reason == "'dnn.sigmoid' behind 'norm' does not pass factors on" })
    #expect(outcome.diagnostics.filter { $0.code == "keeps-scales" }.count == report.layers.count)
    #expect(outcome.diagnostics.contains { $0.code == "synthetic-calibration" })
    #expect(
      try Interpreter(outcome.module).run([
        SeededValues.tensor(name: "x", shape: [4, 8], elementType: .f32, low: -1, high: 1)
      ])
        == Interpreter(module).run([
          SeededValues.tensor(name: "x", shape: [4, 8], elementType: .f32, low: -1, high: 1)
        ]))
  }

  /// One scale for all weights of a layer: its rows are not touched.
  @Test func layersWithOneScaleKeepTheirRows() throws {
    let module = try Module(verifying: Self.dense.replacing("SEED", with: "3"), path: "dense")
    for options in ["weight-format=ternary", "weight-bits=4 per-channel=false"] {
      let outcome = try run("awq{\(options)}", module, Self.samples([1, 6], 5, seed: 1))
      let report = try #require(outcome.artifacts[ScaleReport.self])
      #expect(report.layers[1].reason == "the weights of 'first' before it share one scale")
    }
  }

  @Test(arguments: [
    ("grid=0", "option-value"), ("weight-bits=9", "option-value"), ("group=16", "option-value"),
    ("weight-format=bitmod", "unknown-format"), ("weight-format=mxfp4 group=16", "wrong-group"),
    ("layer-bits=nothing:4", "unknown-node"), ("weight-format=int4 scale-search=1:2", "option-value"),
    ("scale-search=0.5:1:4", "option-value"), ("alpha=3", "unknown-option"),
  ])
  func wrongOptionsAreRefused(_ options: String, _ code: String) throws {
    let module = try Module(verifying: Self.dense.replacing("SEED", with: "0"), path: "dense")
    let error = try #require(throws: DiagnosticError.self) { try run("awq{\(options)}", module) }
    #expect(error.codes == [code] || error.codes == ["wrong-grid"], "\(error.codes)")
  }

  /// Groups of inputs with scales of their own, as the paper has it, in formats that arrays do not take.
  @Test func formatsInGroupsAreMeasured() throws {
    let module = try Module(verifying: Self.dense.replacing("SEED", with: "5"), path: "dense")
    let outcome = try run("awq{weight-format=int3-asym group=4}", module, Self.samples([1, 6], 9, seed: 2))
    let layer = try #require(outcome.artifacts[ScaleReport.self]).layers[1]
    #expect(layer.after.meanSquaredError <= layer.before.meanSquaredError && layer.before.meanSquaredError > 0)
  }
}
