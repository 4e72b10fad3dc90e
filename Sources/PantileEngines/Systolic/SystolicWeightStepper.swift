/// The register-transfer model of the weight-stationary array.
///
/// Registers of PE (r, c): activation (moves right), partial sum (moves down), weight, and with the overlapped variant a shadow
/// weight; the weights of a fold enter at row 0 of the shadow chain and shift down. A swap tag travels with the first activation
/// of a stream: the PE that sees it takes its shadow weight. A partial sum that leaves row R-1 is added into the accumulators.
///
/// The controller loads a fold when the swap tag has reached the last PE and the running stream has at most R rows left, and
/// streams when the weights stand and the port is free. It knows no closed form.
package enum SystolicWeightStepper {
  /// A fold of a command: rows k0 ..< k0+R of B, columns n0 ..< n0+C.
  private struct Fold {
    var command: Int
    var k0: Int
    var n0: Int
    var isFirst: Bool
  }

  /// - Parameter reloadLead: cycles by which the shadow chain moves before the swap wave has reached the last PE. The array's own
  ///   is 0; a test shows that 1 breaks results.
  package static func run(
    _ options: SystolicOptions, _ inputs: [ArrayStepInput], reloadLead: Int = 0
  ) -> ArrayStepResult {
    let (rows, columns) = (options.rows, options.columns)
    let overlapped = options.variant == .overlapped
    var folds: [Fold] = []
    for (index, input) in inputs.enumerated() {
      for n0 in stride(from: 0, to: input.extents.n, by: columns) {
        for k0 in stride(from: 0, to: input.extents.k, by: rows) {
          folds.append(Fold(command: index, k0: k0, n0: n0, isFirst: k0 == 0 && n0 == 0))
        }
      }
    }
    var commands = inputs.map {
      ArrayStepResult.Command(
        issue: 0, end: 0, readA: 0, readB: 0,
        accumulators: [Int32](repeating: 0, count: $0.extents.m * $0.extents.n))
    }

    // The activation plane has the port's column in front: element [r][c] is what PE (r, c) sees this cycle.
    let width = columns + 1
    let activation = Plane<Int16>(rows * width)
    let partial = Plane<Int32>(rows * columns)
    let weight = Plane<Int16>(rows * columns)
    let shadow = Plane<Int16>(rows * columns)
    // Triangular skew registers: row r delays by r.
    let skew = Plane<Int16>(rows * rows)
    // Valid bits with the row's identity, one place a hop: [d] is the row that the PEs with r + c = d see.
    let depth = rows + columns - 1
    let rowOf = Plane<Int>(depth, repeating: -1)
    let foldOf = Plane<Int>(depth)
    let swap = Plane<UInt8>(depth)

    var cycle = 0
    var loading = -1  // fold in the loader
    var loadStep = 0
    var nextLoad = 0
    var standing = -1  // fold whose weights stand, not yet streamed
    var streaming = -1
    var row = 0
    var shadowFree = true
    var outstanding = 0  // results of streamed rows that have not left yet
    var written = 0
    var result = ArrayStepResult(commands: [], cycles: 0, activationElements: 0, weightBeats: 0, results: 0)

    while nextLoad < folds.count || loading >= 0 || standing >= 0 || streaming >= 0 || outstanding > 0 {
      // Hop of the valid and swap bits that accompany the activations.
      rowOf.move(from: 0, to: 1, count: depth - 1)
      foldOf.move(from: 0, to: 1, count: depth - 1)
      swap.move(from: 0, to: 1, count: depth - 1)
      rowOf[0] = -1
      swap[0] = 0

      // Stream control: one row vector a cycle.
      if streaming < 0 && standing >= 0 {
        streaming = standing
        standing = -1
        row = 0
        swap[0] = 1
      }
      let slot = cycle % rows
      if streaming >= 0 {
        let fold = folds[streaming]
        let input = inputs[fold.command]
        let k = input.extents.k
        for r in 0..<rows {
          let inside = fold.k0 + r < k
          skew[slot * rows + r] = inside ? Int16(input.a[row * k + fold.k0 + r]) : 0
        }
        rowOf[0] = row
        foldOf[0] = streaming
        outstanding += columns
        result.activationElements += rows
        commands[fold.command].readA = cycle + 1
      } else {
        for r in 0..<rows { skew[slot * rows + r] = 0 }
      }
      if overlapped && swap[max(0, depth - 1 - reloadLead)] != 0 { shadowFree = true }

      // Load control.
      if loading < 0 && standing < 0 && nextLoad < folds.count {
        let rowsLeft = streaming < 0 ? 0 : inputs[folds[streaming].command].extents.m - row
        let mayLoad = overlapped ? shadowFree && rowsLeft <= rows : streaming < 0 && outstanding == 0
        if mayLoad {
          loading = nextLoad
          nextLoad += 1
          loadStep = 0
          shadowFree = false
          if folds[loading].isFirst { commands[folds[loading].command].issue = cycle }
        }
      }

      // Edge: row r sees what was read r cycles ago.
      for r in 0..<rows {
        let source = (slot - r + rows) % rows
        activation[r * width] = cycle >= r ? skew[source * rows + r] : 0
      }
      // Swap wave: PE (r, c) with r + c = d takes its shadow weight.
      if overlapped {
        for d in 0..<depth where swap[d] != 0 {
          for r in max(0, d - columns + 1)...min(d, rows - 1) {
            weight[r * columns + d - r] = shadow[r * columns + d - r]
          }
        }
      }
      // All PEs, bottom row first so that each still sees the old sum above it.
      step(rows, columns, activation.base, overlapped ? weight.base : shadow.base, partial.base)
      for c in 0..<columns {
        let d = rows - 1 + c
        guard rowOf[d] >= 0 else { continue }
        let fold = folds[foldOf[d]]
        outstanding -= 1
        written += 1
        let n = inputs[fold.command].extents.n
        if fold.n0 + c < n {
          commands[fold.command].accumulators[rowOf[d] * n + fold.n0 + c] &+= partial[(rows - 1) * columns + c]
        }
        commands[fold.command].end = cycle + 1
      }

      // Clock edge of the activation registers, the shadow chain and the controller.
      for r in 0..<rows { activation.move(from: r * width, to: r * width + 1, count: columns) }
      if loading >= 0 {
        let fold = folds[loading]
        let input = inputs[fold.command]
        let n = input.extents.n
        let source = fold.k0 + rows - 1 - loadStep
        shadow.move(from: 0, to: columns, count: (rows - 1) * columns)
        for c in 0..<columns {
          let inside = source < input.extents.k && fold.n0 + c < n
          shadow[c] = inside ? Int16(input.b[source * n + fold.n0 + c]) : 0
        }
        result.weightBeats += columns
        commands[fold.command].readB = cycle + 1
        loadStep += 1
        if loadStep == rows {
          standing = loading
          loading = -1
        }
      }
      if streaming >= 0 {
        row += 1
        if row == inputs[folds[streaming].command].extents.m { streaming = -1 }
      }
      cycle += 1
    }
    result.commands = commands
    result.cycles = cycle
    result.results = written
    return result
  }

  /// One cycle of all PEs: the sum below takes the sum above plus activation times weight.
  @inline(__always) private static func step(
    _ rows: Int, _ columns: Int, _ activation: UnsafeMutablePointer<Int16>, _ weight: UnsafeMutablePointer<Int16>,
    _ partial: UnsafeMutablePointer<Int32>
  ) {
    for r in stride(from: rows - 1, through: 0, by: -1) {
      let a = activation + r * (columns + 1)
      let w = weight + r * columns
      let p = partial + r * columns
      if r > 0 {
        let above = p - columns
        for c in 0..<columns { p[c] = above[c] &+ Int32(a[c]) &* Int32(w[c]) }
      } else {
        for c in 0..<columns { p[c] = Int32(a[c]) &* Int32(w[c]) }
      }
    }
  }
}
