import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTensor
import Testing

/// A training step of a convolution in integers, against loops that are written from the definition alone.
///
/// Operands are small integers in f32 whose sums stay below 2^24, so equality is exact.
@Suite struct GradConvolutionTests {
  @Test(arguments: 0..<10)
  func forwardBackwardAndWeightUpdateAreExact(_ block: Int) throws {
    var maskedCount = 0
    for seed in block * 40..<block * 40 + 40 {
      let masks = ["", "bdwp", "forward", "transposable"][seed % 4]
      // Up to 9 channels under masks, so that groups of 4 have whole and ragged ends.
      let item = RandomConvolution(seed: 1000 + seed, channels: masks.isEmpty ? 3 : 9)
      maskedCount += try compare(item, masks: masks, seed: seed) ? 1 : 0
    }
    #expect(maskedCount >= 3, "the pattern applies to \(maskedCount) of 40 cases")
  }

  private func integers(_ shape: [Int], _ name: String, _ limit: Double) -> HostTensor {
    SeededValues.tensor(name: name, shape: shape, elementType: .i32, low: -limit, high: limit).converted(to: .f32)
  }

  /// Whether masks took part.
  private func compare(_ item: RandomConvolution, masks: String, seed: Int) throws -> Bool {
    let names = ["x", "w"]
    func text(_ shape: [Int]) -> String { "tensor<\((shape.map(String.init) + ["f32"]).joined(separator: "x"))>" }
    let module = """
      func.func @main() -> \(text(item.y)) {
        %x = dnn.constant {value = #dnn.seeded<"x", -1.0, 1.0>} : \(text(item.x))
        %w = dnn.constant {value = #dnn.seeded<"w", -1.0, 1.0>} : \(text(item.w))
        %y = dnn.conv2d %x, %w {\(item.attributes)} : (\(text(item.x)), \(text(item.w))) -> \(text(item.y)) loc("conv")
        func.return %y : \(text(item.y))
      }
      """
    let x = integers(item.x, "x \(seed)", 7)
    let w = integers(item.w, "w \(seed)", 7)
    let dy = integers(item.y, "dy \(seed)", 7)
    let pattern = masks.isEmpty ? "" : "pattern=2:4 all masks=\(masks)"
    var answers: [[HostTensor]] = []
    var isMasked = false
    for form in ["gemm", "full"] {
      let step = try MadeStep(
        module,
        "loss=inner-product optimizer=none parameters=\(names.joined(separator: ",")) input-gradient=\(form) \(pattern)"
      )
      isMasked = !masks.isEmpty && step.report.layers[0].denseReason == nil
      answers.append(try step.interpreter.run([dy, x, w]))
    }
    // Both forms of the input gradient are the same integers.
    #expect(answers[0] == answers[1], "seed \(seed)")
    let w0 = w.integers
    let forward = isMasked ? masked(w0, item, masks, isForward: true) : w0
    let backward = isMasked && masks != "forward" ? masked(w0, item, masks, isForward: false) : w0
    let expected = Definition(item, x: x.integers, dy: dy.integers, forward: forward, backward: backward)
    #expect(answers[0][0].integers == [zip(expected.y, dy.integers).reduce(0) { $0 + $1.0 * $1.1 }], "seed \(seed)")
    #expect(answers[0][1].integers == expected.dx, "seed \(seed) BP")
    #expect(answers[0][2].integers == expected.dw, "seed \(seed) WU")
    return isMasked
  }

  /// The weights with two of each four along input or output channels, ties to the lower channel.
  private func masked(_ w: [Int], _ item: RandomConvolution, _ masks: String, isForward: Bool) -> [Int] {
    let (filters, each, taps) = (item.w[0], item.w[1], item.w[2] * item.w[3])
    func place(_ m: Int, _ c: Int, _ t: Int) -> Int { (m * each + c) * taps + t }
    var result = [Int](repeating: 0, count: w.count)
    if masks == "transposable" {
      for t in 0..<taps {
        for m in stride(from: 0, to: filters, by: 4) {
          for c in stride(from: 0, to: each, by: 4) {
            let cells = bestBlock { r, s in
              m + r < filters && c + s < each ? abs(w[place(m + r, c + s, t)]) : 0
            }
            // Several masks can be best; the sum decides, the op's own choice is read back from its kernel.
            let own = Reference.patternMask(
              HostTensor(shape: item.w, values: w.map { Double($0) }), pattern: try! NMPattern(kept: 2, group: 4),
              axis: 1, isTransposable: true
            ).integers
            var sum = 0
            for r in 0..<4 where m + r < filters {
              for s in 0..<4 where c + s < each && own[place(m + r, c + s, t)] != 0 {
                result[place(m + r, c + s, t)] = w[place(m + r, c + s, t)]
                sum += abs(w[place(m + r, c + s, t)])
              }
            }
            #expect(sum == cells, "the mask is not the best")
          }
        }
      }
      return result
    }
    let (lines, length) = isForward ? (filters, each) : (each, filters)
    for line in 0..<lines {
      for t in 0..<taps {
        for first in stride(from: 0, to: length, by: 4) {
          let group = (first..<min(first + 4, length)).map { isForward ? place(line, $0, t) : place($0, line, t) }
          // A stable sort, largest first.
          for kept in group.enumerated().sorted(by: { a, b in
            (-abs(w[a.element]), a.offset) < (-abs(w[b.element]), b.offset)
          }).prefix(2) { result[kept.element] = w[kept.element] }
        }
      }
    }
    return result
  }

  /// The greatest sum of a 4x4 block with two cells in each row and column, by trying all 90.
  private func bestBlock(_ weight: (Int, Int) -> Int) -> Int {
    let pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    var best = -1
    func walk(_ row: Int, _ use: [Int], _ sum: Int) {
      if row == 4 {
        if use.allSatisfy({ $0 == 2 }) { best = max(best, sum) }
        return
      }
      for (a, b) in pairs {
        var use = use
        use[a] += 1
        use[b] += 1
        if use.allSatisfy({ $0 <= 2 }) { walk(row + 1, use, sum + weight(row, a) + weight(row, b)) }
      }
    }
    walk(0, [0, 0, 0, 0], 0)
    return best
  }
}

/// y, dx and dw of a convolution by the definition: every product goes to each of its three sums.
private struct Definition {
  var y: [Int]
  var dx: [Int]
  var dw: [Int]

  init(_ item: RandomConvolution, x: [Int], dy: [Int], forward: [Int], backward: [Int]) {
    y = [Int](repeating: 0, count: item.y.reduce(1, *))
    dx = [Int](repeating: 0, count: x.count)
    dw = [Int](repeating: 0, count: forward.count)
    let perGroup = item.w[0] / item.groups
    for n in 0..<item.y[0] {
      for m in 0..<item.y[1] {
        for p in 0..<item.y[2] {
          for q in 0..<item.y[3] {
            let out = ((n * item.y[1] + m) * item.y[2] + p) * item.y[3] + q
            for c in 0..<item.w[1] {
              for r in 0..<item.w[2] {
                for s in 0..<item.w[3] {
                  let row = p * item.strides[0] + r * item.dilations[0] - item.pads[0]
                  let column = q * item.strides[1] + s * item.dilations[1] - item.pads[1]
                  if row < 0 || row >= item.x[2] || column < 0 || column >= item.x[3] { continue }
                  let channel = m / perGroup * item.w[1] + c
                  let at = ((n * item.x[1] + channel) * item.x[2] + row) * item.x[3] + column
                  let tap = ((m * item.w[1] + c) * item.w[2] + r) * item.w[3] + s
                  y[out] += x[at] * forward[tap]
                  dx[at] += dy[out] * backward[tap]
                  dw[tap] += dy[out] * x[at]
                }
              }
            }
          }
        }
      }
    }
  }
}
