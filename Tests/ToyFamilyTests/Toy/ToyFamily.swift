import PantileEngines
import PantileProblem
import PantileSupport
import PantileTarget

/// A fourth array family, made outside the package: one accumulator row at a time, one weight row a cycle, `columns`
/// products in parallel. Its folder is this file; its list line is `.all + [.toy]` in the tests.
extension ArrayFamily {
  static let toy = ArrayFamily(
    name: "toy", summary: "one activation times a row of weights a cycle", fields: ArrayFamily.sizeFields,
    make: { section in .toy(rows: section.count("rows"), columns: section.count("columns")) })
}

extension ArrayEngine {
  static func toy(rows: Int, columns: Int) -> ArrayEngine {
    @Sendable func folds(_ n: Int) -> Int { (n + columns - 1) / columns }
    return ArrayEngine(
      family: "toy", rows: rows, columns: columns, multipliers: columns, summary: "toy \(rows)x\(columns)",
      peakMACs: { _ in Double(columns) },
      capability: { format in
        format.pattern == nil && format.weightBits == 8 && format.activationBits == 8
          ? .supported : .unsupported(["the toy array takes dense 8-bit operands, not \(format)"])
      },
      granules: { _ in TileExtents(m: 1, k: 1, n: columns) },
      timing: { extents, _ in
        let cycles = extents.m * extents.k * folds(extents.n)
        return TileTiming(duration: cycles + 1, nextIssue: cycles, readA: cycles, readB: cycles)
      },
      occupancy: { extents, _ in
        var result = TileOccupancy()
        result.work = extents.macs
        result.edgeColumns = extents.m * extents.k * (folds(extents.n) * columns - extents.n)
        result.drain = columns
        return result
      },
      mapping: { _, tile in
        let cycles = tile.m * tile.k * CostExpr.ceilDiv(tile.n, columns)
        return ArrayMapping(cycles: cycles + 1, interval: cycles)
      },
      traffic: { extents, _ in
        EdgeTraffic(
          activationElements: extents.m * extents.k * folds(extents.n),
          weightBeats: extents.m * extents.k * extents.n, results: extents.m * extents.n)
      },
      function: { extents, _, operands, accumulate in
        for m in 0..<extents.m {
          for n in 0..<extents.n {
            var sum = accumulate ? operands.accumulators[m * operands.accumulatorStride + n] : 0
            for k in 0..<extents.k {
              sum &+= Int32(operands.a[m * extents.k + k]) &* Int32(operands.b[k * extents.n + n])
            }
            operands.accumulators[m * operands.accumulatorStride + n] = sum
          }
        }
      },
      actions: { extents, _, _ in
        [ActionCount("array.mac.int8", extents.macs), ActionCount("acc.write", extents.m * extents.n)]
      },
      stepper: { inputs, _ in
        // One product row a cycle, literally.
        var commands: [ArrayStepResult.Command] = []
        var cycle = 0
        for input in inputs {
          let (m, k, n) = (input.extents.m, input.extents.k, input.extents.n)
          let issue = cycle
          var sums = [Int32](repeating: 0, count: m * n)
          for fold in 0..<folds(n) {
            for row in 0..<m {
              for step in 0..<k {
                for column in (fold * columns)..<min(n, (fold + 1) * columns) {
                  sums[row * n + column] &+= Int32(input.a[row * k + step]) &* Int32(input.b[step * n + column])
                }
                cycle += 1
              }
            }
          }
          commands.append(.init(issue: issue, end: cycle + 1, readA: cycle, readB: cycle, accumulators: sums))
        }
        return ArrayStepResult(
          commands: commands, cycles: cycle + 1, activationElements: 0, weightBeats: 0, results: 0)
      })
  }
}
