/// The register-transfer model of the output-stationary array.
///
/// Registers of PE (r, c): activation (moves right), weight (moves down), accumulator, and with the overlapped variant an output
/// register. A last tag travels with the final product of a fold. Serial: when the tag has reached the last PE the accumulators
/// of all columns shift down, R cycles, and only then the next fold streams. Overlapped: the tag moves the sum to the output
/// register and clears the accumulator; when it passes row R-1 of a column, the column's output registers shift down for R cycles.
///
/// The controller knows no closed form; the overlapped one gives each fold a slot of at least `drainSlot` cycles, so that a
/// column never receives new results before the old ones have left.
package enum SystolicOutputStepper {
  private struct Fold {
    var command: Int
    var m0: Int
    var n0: Int
    var isFirst: Bool
  }

  /// - Parameter drainSlot: shortest slot of a fold; nil is the array's own 2R-1. A test shows that one less breaks results.
  package static func run(_ options: SystolicOptions, _ inputs: [ArrayStepInput], drainSlot: Int? = nil)
    -> ArrayStepResult
  {
    let (rows, columns) = (options.rows, options.columns)
    let overlapped = options.variant == .overlapped
    let shortest = drainSlot ?? (2 * rows - 1)
    var folds: [Fold] = []
    for (index, input) in inputs.enumerated() {
      for m0 in stride(from: 0, to: input.extents.m, by: rows) {
        for n0 in stride(from: 0, to: input.extents.n, by: columns) {
          folds.append(Fold(command: index, m0: m0, n0: n0, isFirst: m0 == 0 && n0 == 0))
        }
      }
    }
    var commands = inputs.map {
      ArrayStepResult.Command(
        issue: 0, end: 0, readA: 0, readB: 0,
        accumulators: [Int32](repeating: 0, count: $0.extents.m * $0.extents.n))
    }

    // Element [r][c] of the operand planes is what PE (r, c) sees; the last column and row hold what leaves the array.
    let width = columns + 1
    let activation = Plane<Int16>(rows * width)
    let weight = Plane<Int16>((rows + 1) * columns)
    let sum = Plane<Int32>(rows * columns)
    let output = Plane<Int32>(rows * columns)
    let rowSkew = Plane<Int16>(rows * rows)
    let columnSkew = Plane<Int16>(columns * columns)
    let depth = rows + columns - 1
    // [d]: fold whose last product the PEs with r + c = d see, or -1.
    let lastOf = Plane<Int>(depth, repeating: -1)
    // Drain control of each column (serial: all alike): results still to shift out, and whose.
    let drainLeft = Plane<Int>(columns)
    let drainFold = Plane<Int>(columns)

    var cycle = 0
    var next = 0
    var current = -1
    var wait = 0
    var step = 0
    var pending = 0
    var result = ArrayStepResult(commands: [], cycles: 0, activationElements: 0, weightBeats: 0, results: 0)

    while next < folds.count || current >= 0 || pending > 0 {
      lastOf.move(from: 0, to: 1, count: depth - 1)
      lastOf[0] = -1

      // Controller.
      if current < 0 && next < folds.count && (overlapped || pending == 0) {
        current = next
        next += 1
        step = 0
        pending += rows * columns
        let fold = folds[current]
        wait = overlapped ? max(0, shortest - inputs[fold.command].extents.k) : 0
        if fold.isFirst { commands[fold.command].issue = cycle }
      }
      let streams = current >= 0 && wait == 0
      let (rowSlot, columnSlot) = (cycle % rows, cycle % columns)
      if streams {
        let fold = folds[current]
        let input = inputs[fold.command]
        let (m, k, n) = (input.extents.m, input.extents.k, input.extents.n)
        for r in 0..<rows {
          rowSkew[rowSlot * rows + r] = fold.m0 + r < m ? Int16(input.a[(fold.m0 + r) * k + step]) : 0
        }
        for c in 0..<columns {
          columnSkew[columnSlot * columns + c] = fold.n0 + c < n ? Int16(input.b[step * n + fold.n0 + c]) : 0
        }
        result.activationElements += rows
        result.weightBeats += columns
        commands[fold.command].readA = cycle + 1
        commands[fold.command].readB = cycle + 1
        if step + 1 == k { lastOf[0] = current }
      } else {
        for r in 0..<rows { rowSkew[rowSlot * rows + r] = 0 }
        for c in 0..<columns { columnSkew[columnSlot * columns + c] = 0 }
      }
      for r in 0..<rows {
        activation[r * width] = cycle >= r ? rowSkew[(rowSlot - r + rows) % rows * rows + r] : 0
      }
      for c in 0..<columns {
        weight[c] = cycle >= c ? columnSkew[((columnSlot - c) % columns + columns) % columns * columns + c] : 0
      }

      // Drain: what leaves row R-1 this cycle.
      let out = overlapped ? output.base : sum.base
      for c in 0..<columns where drainLeft[c] > 0 {
        let fold = folds[drainFold[c]]
        let extents = inputs[fold.command].extents
        let row = fold.m0 + drainLeft[c] - 1
        if row < extents.m && fold.n0 + c < extents.n {
          commands[fold.command].accumulators[row * extents.n + fold.n0 + c] &+= out[(rows - 1) * columns + c]
        }
        commands[fold.command].end = cycle + 1
        pending -= 1
        result.results += 1
        // Clock edge of the column's chain; zeros follow, which clears the accumulators of the serial variant.
        for r in stride(from: rows - 1, to: 0, by: -1) { out[r * columns + c] = out[(r - 1) * columns + c] }
        out[c] = 0
        drainLeft[c] -= 1
      }

      // All PEs.
      for r in 0..<rows {
        let a = activation.base + r * width
        let w = weight.base + r * columns
        let s = sum.base + r * columns
        for c in 0..<columns { s[c] = s[c] &+ Int32(a[c]) &* Int32(w[c]) }
      }

      // Last tags: capture (overlapped), and start of the drain.
      for d in 0..<depth where lastOf[d] >= 0 {
        if overlapped {
          for r in max(0, d - columns + 1)...min(d, rows - 1) {
            let index = r * columns + d - r
            output[index] = sum[index]
            sum[index] = 0
          }
          if d >= rows - 1 {
            drainLeft[d - rows + 1] = rows
            drainFold[d - rows + 1] = lastOf[d]
          }
        } else if d == depth - 1 {
          for c in 0..<columns {
            drainLeft[c] = rows
            drainFold[c] = lastOf[d]
          }
        }
      }

      // Clock edge of the operand registers and the controller.
      for r in 0..<rows { activation.move(from: r * width, to: r * width + 1, count: columns) }
      weight.move(from: 0, to: columns, count: rows * columns)
      if streams {
        step += 1
        if step == inputs[folds[current].command].extents.k { current = -1 }
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
