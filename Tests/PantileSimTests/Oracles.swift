import Foundation

/// What the hand-written Programs compute, as direct nested loops over numbers; shares no code with the engines.
enum Oracles {
  typealias Values = [String: [Double]]

  static let all: [String: @Sendable (Values) -> Values] = [
    "weight-stationary-tile.mlir": { ["y": product($0["x"]!, $0["w"]!, 8, 8, 8)] },
    "matmul-double-buffered.mlir": { ["y": product($0["x"]!, $0["w"]!, 32, 8, 8).map(requantiseRelu)] },
    "output-stationary-tile.mlir": { ["y": product($0["x"]!, $0["w"]!, 8, 16, 8)] },
    "accumulate-over-k.mlir": { ["y": product($0["x"]!, $0["w"]!, 6, 20, 13).map(requantiseRelu)] },
    "convolution-by-addresses.mlir": convolution,
    "requantise-and-residual.mlir": residual,
    "max-pool-and-mean.mlir": poolAndMean,
    "softmax.mlir": softmax,
    "strides-transpose-and-padding.mlir": transposeAndPad,
    "two-dmas-share-the-bus.mlir": { ["y": $0["b"]!, "z": $0["a"]!] },
    "sparse-two-of-four.mlir": sparse,
  ]

  static func product(_ a: [Double], _ b: [Double], _ m: Int, _ k: Int, _ n: Int) -> [Double] {
    var y = [Double](repeating: 0, count: m * n)
    for i in 0..<m { for j in 0..<n { for l in 0..<k { y[i * n + j] += a[i * k + l] * b[l * n + j] } } }
    return y
  }

  /// floor((x · multiplier + 2^(shift-1)) / 2^shift), exact.
  static func scale(_ x: Double, _ multiplier: Int, _ shift: Int) -> Double {
    let product = Int(x) * multiplier + 1 << (shift - 1)
    return (Double(product) / Double(sign: .plus, exponent: shift, significand: 1)).rounded(.down)
  }

  static func clamp(_ x: Double, _ low: Double, _ high: Double) -> Double { x < low ? low : x > high ? high : x }

  @Sendable static func requantiseRelu(_ x: Double) -> Double { clamp(scale(x, 1_342_177_280, 36), 0, 127) }

  @Sendable static func convolution(_ inputs: Values) -> Values {
    let x = inputs["x"]!
    let w = inputs["w"]!
    var y: [Double] = []
    for p in 0..<3 {
      for q in 0..<4 {
        for o in 0..<8 {
          var sum = 0.0
          for r in 0..<3 {
            for s in 0..<3 {
              for c in 0..<4 {
                let row = 2 * p + r - 1
                let column = 2 * q + s - 1
                let inside = row >= 0 && row < 6 && column >= 0 && column < 7
                sum += (inside ? x[(row * 7 + column) * 4 + c] : 5) * w[((r * 3 + s) * 4 + c) * 8 + o]
              }
            }
          }
          y.append(sum)
        }
      }
    }
    return ["y": y]
  }

  @Sendable static func residual(_ inputs: Values) -> Values {
    let sums = product(inputs["x"]!, inputs["w"]!, 5, 12, 6)
    var y: [Double] = []
    for i in 0..<5 {
      for j in 0..<6 {
        let biased = sums[i * 6 + j] + inputs["bias"]![j]
        let scaled = scale(biased, Int(inputs["multiplier"]![j]), Int(inputs["shift"]![j]))
        let first = clamp(scaled - 3, -128, 127)
        let weighted = first * 1_431_655_765 + inputs["r"]![i * 6 + j] * -715_827_882
        y.append(clamp(((weighted + 1_073_741_824) / 2_147_483_648).rounded(.down), -128, 127))
      }
    }
    return ["y": y]
  }

  @Sendable static func poolAndMean(_ inputs: Values) -> Values {
    let x = inputs["x"]!
    var pooled: [Double] = []
    for p in 0..<3 {
      for q in 0..<4 {
        for c in 0..<4 {
          var best = -128.0
          for row in max(0, 2 * p - 1)..<min(6, 2 * p + 2) {
            for column in max(0, 2 * q - 1)..<min(7, 2 * q + 2) {
              best = Swift.max(best, x[(row * 7 + column) * 4 + c])
            }
          }
          pooled.append(best)
        }
      }
    }
    let mean = (0..<4).map { c in
      clamp(scale((0..<12).reduce(0) { $0 + pooled[$1 * 4 + c] }, 1_431_655_765, 34), -128, 127)
    }
    return ["pooled": pooled, "mean": mean]
  }

  @Sendable static func softmax(_ inputs: Values) -> Values {
    var y: [Double] = []
    for row in 0..<5 {
      let x = inputs["x"]![row * 12..<row * 12 + 12].map { Float($0) }
      var largest = x[0]
      for value in x where value > largest { largest = value }
      let powers = x.map { expf($0 - largest) }
      var sum = powers[0]
      for value in powers.dropFirst() { sum += value }
      y += powers.map { Double($0 / sum) }
    }
    return ["y": y]
  }

  @Sendable static func transposeAndPad(_ inputs: Values) -> Values {
    let x = inputs["x"]!
    var y: [Double] = []
    for i in 0..<9 {
      for plane in 0..<2 {
        for j in 0..<7 {
          let inside = i >= 1 && i < 8 && j >= 1 && j < 6
          y.append(inside ? x[plane * 35 + (j - 1) * 7 + i - 1] : 9)
        }
      }
    }
    return ["y": y, "reversed": inputs["v"]!.reversed()]
  }

  @Sendable static func sparse(_ inputs: Values) -> Values {
    var dense = [Double](repeating: 0, count: 16 * 8)
    for row in 0..<8 {
      for column in 0..<8 {
        let k = row / 2 * 4 + Int(inputs["i"]![row * 8 + column])
        dense[k * 8 + column] += inputs["w"]![row * 8 + column]
      }
    }
    return ["y": product(inputs["x"]!, dense, 6, 16, 8)]
  }
}
