import PantilePasses
import PantilePlan
import PantileSupport
import PantileTensor
import Testing

@Suite struct PrunedWeightsTests {
  private static func tensor(_ shape: [Int], seed: UInt64, steps: Int = 9) -> HostTensor {
    var random = SplitMix64(seed: seed)
    // Few different values, so that ties occur.
    return HostTensor(
      shape: shape,
      values: (0..<HostTensor.count(of: shape)).map { _ in Float(random.next(below: steps) - steps / 2) / 4 })
  }

  /// Each group keeps its N largest, of equal ones the lower index; written out by sorting.
  @Test(arguments: [
    ("2:4", true), ("2:4", false), ("1:4", true), ("2:8", false), ("3:8", true), ("4:4", true), ("1:1", true),
  ])
  func groupsKeepTheLargest(text: String, padsTaps: Bool) throws {
    let parts = text.split(separator: ":").compactMap { Int($0) }
    let pattern = try NMPattern(kept: parts[0], group: parts[1])
    for (index, shape) in [[13, 5], [16, 3], [1, 1], [4, 6, 3, 3], [3, 10, 1, 2]].enumerated() {
      let weights = Self.tensor(shape, seed: UInt64(index + 1))
      let pruned = try PrunedWeights(weights, pattern: pattern, padsTaps: padsTaps, transposable: false, name: "w")
      let isMatrix = shape.count == 2
      let (outputs, channels, taps) =
        isMatrix ? (shape[1], shape[0], 1) : (shape[0], shape[1], shape[2] * shape[3])
      var expected = [Double](repeating: 0, count: weights.count)
      var sum = 0.0
      for output in 0..<outputs {
        // (place in the reduction with padding, place in the tensor)
        var places: [(position: Int, at: Int)] = []
        let stride = padsTaps ? (channels + pattern.group - 1) / pattern.group * pattern.group : channels
        for tap in 0..<taps {
          for channel in 0..<channels {
            places.append(
              (
                tap * stride + channel,
                isMatrix ? channel * outputs + output : (output * channels + channel) * taps + tap
              ))
          }
        }
        for group in Dictionary(grouping: places, by: { $0.position / pattern.group }).values {
          let kept = group.sorted {
            let (a, b) = (abs(weights.double(at: $0.at)), abs(weights.double(at: $1.at)))
            return a != b ? a > b : $0.position < $1.position
          }.prefix(pattern.kept)
          for place in kept {
            expected[place.at] = weights.double(at: place.at)
            sum += abs(weights.double(at: place.at))
          }
        }
      }
      #expect((0..<weights.count).map { pruned.dense.double(at: $0) } == expected, "\(text) \(shape)")
      #expect(abs(pruned.keptSum - sum) < 1e-9)
      #expect(pruned.slots == pruned.paddedK / pattern.group * pattern.kept)
      #expect(pruned.values.count == outputs * pruned.slots)
      // Indices ascend within a group.
      for slot in 1..<max(1, pruned.indices.count) where slot % pattern.kept != 0 {
        #expect(pruned.indices[slot] > pruned.indices[slot - 1])
      }
    }
  }

  /// All 90 masks of a 4x4 block with two in each row and column are tried.
  @Test func transposableMasksAreTheBest() throws {
    let pairs = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    var masks: [[[Int]]] = []
    for a in pairs {
      for b in pairs {
        for c in pairs {
          for d in pairs {
            let rows = [a, b, c, d]
            if (0..<4).allSatisfy({ column in rows.filter { $0.contains(column) }.count == 2 }) { masks.append(rows) }
          }
        }
      }
    }
    #expect(masks.count == 90)
    var random = SplitMix64(seed: 3)
    for round in 0..<120 {
      let block = (0..<16).map { _ in
        round % 3 == 0 ? Double(random.next(below: 4)) : random.nextUnit24()
      }
      let mask = try TransposableMask.mask(block, rows: 4, columns: 4, kept: 2, group: 4)
      for line in 0..<4 {
        #expect((0..<4).filter { mask[line * 4 + $0] }.count == 2)
        #expect((0..<4).filter { mask[$0 * 4 + line] }.count == 2)
      }
      let found = zip(block, mask).reduce(0) { $0 + ($1.1 ? $1.0 : 0) }
      let best =
        masks.map { rows in
          rows.enumerated().reduce(0.0) { sum, row in sum + row.element.reduce(0.0) { $0 + block[row.offset * 4 + $1] }
          }
        }.max() ?? 0
      #expect(abs(found - best) < 1e-9)
    }
  }

  /// A transposable mask holds the pattern both ways, also with edges, and never keeps more than a mask of one way.
  @Test func transposableMasksHoldBothWays() throws {
    let pattern = try NMPattern(kept: 2, group: 8)
    for shape in [[16, 8], [13, 21], [5, 12, 3, 3]] {
      let weights = Self.tensor(shape, seed: 5, steps: 1001)
      let both = try PrunedWeights(weights, pattern: pattern, padsTaps: true, transposable: true, name: "w")
      let one = try PrunedWeights(weights, pattern: pattern, padsTaps: true, transposable: false, name: "w")
      #expect(both.keptSum <= one.keptSum + 1e-9)
      let isMatrix = shape.count == 2
      let (outputs, channels, taps) =
        isMatrix ? (shape[1], shape[0], 1) : (shape[0], shape[1], shape[2] * shape[3])
      func value(_ output: Int, _ channel: Int, _ tap: Int) -> Double {
        both.dense.double(at: isMatrix ? channel * outputs + output : (output * channels + channel) * taps + tap)
      }
      for tap in 0..<taps {
        for channel in 0..<channels {
          for first in stride(from: 0, to: outputs, by: 8) {
            #expect((first..<min(first + 8, outputs)).filter { value($0, channel, tap) != 0 }.count <= 2)
          }
        }
        for output in 0..<outputs {
          for first in stride(from: 0, to: channels, by: 8) {
            #expect((first..<min(first + 8, channels)).filter { value(output, $0, tap) != 0 }.count <= 2)
          }
        }
      }
    }
  }

  @Test func badWeightsAreRefused() throws {
    let pattern = try NMPattern(kept: 2, group: 4)
    #expect(throws: DiagnosticError.self) {
      try PrunedWeights(
        HostTensor(shape: [3], values: [Float](repeating: 1, count: 3)), pattern: pattern, padsTaps: true,
        transposable: false, name: "w")
    }
    #expect(throws: DiagnosticError.self) {
      try PrunedWeights(
        HostTensor(shape: [2, 2], values: [1, Float.nan, 2, 3]), pattern: pattern, padsTaps: true, transposable: false,
        name: "w")
    }
    #expect(throws: DiagnosticError.self) {
      try PrunedWeights(
        HostTensor(shape: [2, 2, 3, 3], values: [Float](repeating: 1, count: 36)), pattern: pattern, padsTaps: false,
        transposable: true, name: "w")
    }
  }
}
