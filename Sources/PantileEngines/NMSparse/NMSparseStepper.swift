import PantileTensor

/// The register-transfer model of the N:M array.
///
/// Registers of PE (r, c): a held group of M activations (moves right), one beat of weight value, index, context and first/last bits
/// (moves down), Lm multiplier stages, L-1 adder stages, I sums, and with the overlapped variant I output registers. A PE selects
/// the activation that the index names, multiplies, and adds to the sum of the beat's context; a first beat starts from zero.
/// When the last context of a column's bottom PE has settled, the column's results shift down, context after context.
///
/// The controller knows no closed form. An accumulator that is read before its previous sum has been written gives wrong values,
/// as in hardware.
package enum NMSparseStepper {
  private struct Fold {
    var command: Int
    var m0: Int
    var n0: Int
    var isFirst: Bool
  }

  private static let bubble: Int8 = -1
  private static let firstBit: UInt8 = 1
  private static let lastBit: UInt8 = 2

  /// - Parameters:
  ///   - period: cycles from slot to slot; nil is the array's own max(I, L). A test shows that one less breaks results.
  ///   - drainSlot: shortest slot of a fold; nil is the array's own R·I + R-1.
  package static func run(
    _ options: NMSparseOptions, _ inputs: [ArrayStepInput], _ format: ContractionFormat, period: Int? = nil,
    drainSlot: Int? = nil
  ) -> ArrayStepResult {
    let (rows, columns, contexts) = (options.rows, options.columns, options.interleave)
    let groupLength = format.pattern?.group ?? 1
    let keptOfGroup = format.pattern?.kept ?? 1
    let isDense = format.pattern == nil
    let overlapped = options.variant == .overlapped
    let slotPeriod = period ?? max(contexts, options.adderLatency)
    let shortest = drainSlot ?? (rows * contexts + rows - 1)
    var folds: [Fold] = []
    for (index, input) in inputs.enumerated() {
      for m0 in stride(from: 0, to: input.extents.m, by: rows) {
        for n0 in stride(from: 0, to: input.extents.n, by: columns * contexts) {
          folds.append(Fold(command: index, m0: m0, n0: n0, isFirst: m0 == 0 && n0 == 0))
        }
      }
    }
    var commands = inputs.map {
      ArrayStepResult.Command(
        issue: 0, end: 0, readA: 0, readB: 0,
        accumulators: [Int32](repeating: 0, count: $0.extents.m * $0.extents.n))
    }

    let pes = rows * columns
    // Held groups: element [r][c] is what PE (r, c) sees; the last column holds what leaves the array.
    let groupWidth = (columns + 1) * groupLength
    let group = Plane<Int8>(rows * groupWidth)
    let edgeGroup = Plane<Int8>(rows * groupLength)
    let rowSkew = Plane<Int8>(rows * rows * groupLength)
    // Beats: element [r][c] is what PE (r, c) sees; the last row holds what leaves the array.
    let value = Plane<Int8>((rows + 1) * columns)
    let index = Plane<UInt8>((rows + 1) * columns)
    let context = Plane<Int8>((rows + 1) * columns, repeating: bubble)
    let flags = Plane<UInt8>((rows + 1) * columns)
    let valueSkew = Plane<Int8>(columns * columns)
    let indexSkew = Plane<UInt8>(columns * columns)
    let contextSkew = Plane<Int8>(columns, repeating: bubble)
    let flagSkew = Plane<UInt8>(columns)
    // Pipelines as rings of planes: products wait Lm cycles, sums L-1.
    let productStages = options.multiplierLatency
    let sumStages = options.adderLatency - 1
    let product = Plane<Int32>(max(1, productStages) * pes)
    let productContext = Plane<Int8>(max(1, productStages) * pes, repeating: bubble)
    let productFlags = Plane<UInt8>(max(1, productStages) * pes)
    let pendingSum = Plane<Int32>(max(1, sumStages) * pes)
    let pendingContext = Plane<Int8>(max(1, sumStages) * pes, repeating: bubble)
    let pendingFlags = Plane<UInt8>(max(1, sumStages) * pes)
    let sum = Plane<Int32>(contexts * pes)
    let output = Plane<Int32>(contexts * pes)
    // Fold of the last results on their way: one place a hop, then the pipeline.
    let depth = rows + columns - 1
    let latency = productStages + sumStages
    let lastOf = Plane<Int>(depth + latency, repeating: -1)
    let drainStep = Plane<Int>(columns)  // results that have left
    let drainFold = Plane<Int>(columns, repeating: -1)

    var cycle = 0
    var next = 0
    var current = -1
    var wait = 0
    var slot = 0  // kept weight of the column stream
    var phase = 0  // cycle within the slot
    var pending = 0
    var result = ArrayStepResult(commands: [], cycles: 0, activationElements: 0, weightBeats: 0, results: 0)

    while next < folds.count || current >= 0 || pending > 0 {
      lastOf.move(from: 0, to: 1, count: depth + latency - 1)
      lastOf[0] = -1

      // Controller and edge.
      if current < 0 && next < folds.count && (overlapped || pending == 0) {
        current = next
        next += 1
        slot = 0
        phase = 0
        pending += pes * contexts
        let fold = folds[current]
        let kept = inputs[fold.command].extents.k / groupLength * keptOfGroup
        wait = overlapped ? max(0, shortest - ((kept - 1) * slotPeriod + contexts)) : 0
        if fold.isFirst { commands[fold.command].issue = cycle }
      }
      let streams = current >= 0 && wait == 0
      let (rowSlot, columnSlot) = (cycle % rows, cycle % columns)
      contextSkew[columnSlot] = bubble
      var kept = 0
      if streams {
        let fold = folds[current]
        let input = inputs[fold.command]
        let (m, k, n) = (input.extents.m, input.extents.k, input.extents.n)
        kept = k / groupLength * keptOfGroup
        if phase == 0 && slot % keptOfGroup == 0 {
          let position = slot / keptOfGroup * groupLength
          for r in 0..<rows {
            for e in 0..<groupLength {
              edgeGroup[r * groupLength + e] = fold.m0 + r < m ? input.a[(fold.m0 + r) * k + position + e] : 0
            }
          }
          result.activationElements += rows * groupLength
          commands[fold.command].readA = cycle + 1
        }
        if phase < contexts {
          for c in 0..<columns {
            let column = fold.n0 + c * contexts + phase
            let inside = column < n
            valueSkew[columnSlot * columns + c] = inside ? input.b[slot * n + column] : 0
            indexSkew[columnSlot * columns + c] = inside && !isDense ? input.indices[slot * n + column] : 0
          }
          contextSkew[columnSlot] = Int8(phase)
          flagSkew[columnSlot] = (slot == 0 ? firstBit : 0) | (slot + 1 == kept ? lastBit : 0)
          result.weightBeats += columns
          commands[fold.command].readB = cycle + 1
          if slot + 1 == kept && phase + 1 == contexts { lastOf[0] = current }
        }
      }
      let rowStride = rows * groupLength
      (rowSkew.base + rowSlot * rowStride).update(from: edgeGroup.base, count: rowStride)
      for r in 0..<rows where cycle >= r {
        let source = rowSkew.base + (rowSlot - r + rows) % rows * rowStride + r * groupLength
        (group.base + r * groupWidth).update(from: source, count: groupLength)
      }
      for c in 0..<columns {
        let source = (columnSlot - c + columns) % columns
        context[c] = cycle >= c ? contextSkew[source] : bubble
        flags[c] = flagSkew[source]
        value[c] = valueSkew[source * columns + c]
        index[c] = indexSkew[source * columns + c]
      }

      // Drain: what leaves row R-1 this cycle.
      let out = overlapped ? output.base : sum.base
      for c in 0..<columns where drainFold[c] >= 0 {
        let fold = folds[drainFold[c]]
        let extents = inputs[fold.command].extents
        let (i, shifted) = (drainStep[c] / rows, drainStep[c] % rows)
        let row = fold.m0 + rows - 1 - shifted
        let column = fold.n0 + c * contexts + i
        let chain = out + i * pes + c
        if row < extents.m && column < extents.n {
          commands[fold.command].accumulators[row * extents.n + column] &+= chain[(rows - 1) * columns]
        }
        commands[fold.command].end = cycle + 1
        pending -= 1
        result.results += 1
        for r in stride(from: rows - 1, to: 0, by: -1) { chain[r * columns] = chain[(r - 1) * columns] }
        chain[0] = 0
        drainStep[c] += 1
        if drainStep[c] == rows * contexts { drainFold[c] = -1 }
      }

      // All PEs.
      if productStages == 0 && sumStages == 0 {
        for r in 0..<rows {
          let held = group.base + r * groupWidth
          for c in 0..<columns {
            let beat = r * columns + c
            let i = Int(context[beat])
            guard i >= 0 else { continue }
            let term = Int32(held[c * groupLength + Int(index[beat])]) &* Int32(value[beat])
            let at = i * pes + beat
            let bits = flags[beat]
            let total = (bits & firstBit != 0 ? 0 : sum[at]) &+ term
            sum[at] = total
            if overlapped && bits & lastBit != 0 { output[at] = total }
          }
        }
      } else {
        let productBase = productStages > 0 ? cycle % productStages * pes : 0
        let sumBase = sumStages > 0 ? cycle % sumStages * pes : 0
        for r in 0..<rows {
          for c in 0..<columns {
            let beat = r * columns + c
            // Multiplier: this cycle's product enters, the one of Lm cycles ago leaves.
            var i = context[beat]
            var bits = flags[beat]
            var term: Int32 = 0
            if i >= 0 {
              term = Int32(group[r * groupWidth + c * groupLength + Int(index[beat])]) &* Int32(value[beat])
            }
            if productStages > 0 {
              let at = productBase + beat
              (term, product[at]) = (product[at], term)
              (i, productContext[at]) = (productContext[at], i)
              (bits, productFlags[at]) = (productFlags[at], bits)
            }
            // Adder: reads the sum as it stands now; the new one is written L-1 cycles later.
            var total: Int32 = 0
            if i >= 0 { total = (bits & firstBit != 0 ? 0 : sum[Int(i) * pes + beat]) &+ term }
            if sumStages > 0 {
              let at = sumBase + beat
              (total, pendingSum[at]) = (pendingSum[at], total)
              (i, pendingContext[at]) = (pendingContext[at], i)
              (bits, pendingFlags[at]) = (pendingFlags[at], bits)
            }
            guard i >= 0 else { continue }
            sum[Int(i) * pes + beat] = total
            if overlapped && bits & lastBit != 0 { output[Int(i) * pes + beat] = total }
          }
        }
      }

      // A column whose bottom PE has settled drains from the next cycle on; serial: all columns with the last one.
      for c in 0..<columns {
        let fold = lastOf[overlapped ? rows - 1 + c + latency : depth - 1 + latency]
        if fold >= 0 {
          drainFold[c] = fold
          drainStep[c] = 0
        }
      }

      // Clock edge.
      for r in 0..<rows {
        group.move(from: r * groupWidth, to: r * groupWidth + groupLength, count: columns * groupLength)
      }
      value.move(from: 0, to: columns, count: rows * columns)
      index.move(from: 0, to: columns, count: rows * columns)
      context.move(from: 0, to: columns, count: rows * columns)
      flags.move(from: 0, to: columns, count: rows * columns)
      if streams {
        phase += 1
        if slot + 1 == kept && phase == contexts {
          current = -1
        } else if phase == slotPeriod {
          phase = 0
          slot += 1
        }
      } else if current >= 0 {
        wait -= 1
      }
      cycle += 1
    }
    result.commands = commands
    result.cycles = cycle
    return result
  }
}
