/// The register-transfer model of the weight-stationary array, and of the input-stationary one, which is the same array with the
/// operands exchanged.
///
/// Registers of PE (r, c): activation (moves right), partial sum (moves down), products on their way to the adder, weight, and a
/// shadow weight unless serial; the weights of a fold enter at row 0 of the shadow chain and shift down. A row tag travels with
/// the activations of a stream: the PE that sees row 0 takes its shadow weight. A sum that leaves row R-1 is added into the
/// accumulators in the same cycle.
///
/// The chain of the overlapped variant shifts all rows of all columns at once. The skewed one moves as a wave: in the cycle d of a
/// load, rows r <= d-c of column c shift, until the column has taken its R weights; so row r, column c keeps its weight for r+c
/// cycles, which is when the swap wave is there.
///
/// The controller loads a fold when the chain is free and the running stream has at most R rows left, and streams when the weights
/// stand and the port is free. It knows no closed form.
package enum SystolicWeightStepper {
  /// A fold of a command: rows k0 ..< k0+R and columns c0 ..< c0+C of the stationary operand.
  private struct Fold {
    var command: Int
    var rowsUsed: Int
    var columnsUsed: Int
    var beats: Int
    /// Where the operands and the results of its command start in the planes.
    var streamedBase: Int
    var loadedBase: Int
    var writtenBase: Int
    /// Addresses of beat 0, of element (0, 0) and of the first result in the command's operands, and their strides.
    var streamed: Int
    var streamedStep: Int
    var streamedLane: Int
    var loaded: Int
    var loadedStep: Int
    var loadedLane: Int
    var written: Int
    var writtenStep: Int
    var writtenLane: Int
    var isFirst: Bool
    /// Whether its sums are added to what the accumulators hold.
    var reads: Bool
  }

  /// The operands of all commands, one behind the other, and their folds in order.
  private struct Work: ~Copyable {
    let streamed: Plane<Int16>
    let loaded: Plane<Int16>
    let sums: Plane<Int32>
    let folds: [Fold]
    let commandCount: Int

    init(_ options: SystolicOptions, _ commands: [SystolicCommand]) {
      let isExchanged = options.dataflow == .inputStationary
      let a = Plane<Int16>(commands.reduce(0) { $0 + $1.a.count })
      let b = Plane<Int16>(commands.reduce(0) { $0 + $1.b.count })
      var folds: [Fold] = []
      var (aBase, bBase, base) = (0, 0, 0)
      for (index, command) in commands.enumerated() {
        let (m, k, n) = (command.extents.m, command.extents.k, command.extents.n)
        (a.base + aBase).update(from: command.a, count: command.a.count)
        (b.base + bBase).update(from: command.b, count: command.b.count)
        let (beats, lanes) = isExchanged ? (n, m) : (m, n)
        let (streamedStep, streamedLane) = isExchanged ? (1, n) : (k, 1)
        let (loadedStep, loadedLane) = isExchanged ? (1, k) : (n, 1)
        let (writtenStep, writtenLane) = isExchanged ? (1, n) : (n, 1)
        for c0 in stride(from: 0, to: lanes, by: options.columns) {
          for k0 in stride(from: 0, to: k, by: options.rows) {
            folds.append(
              Fold(
                command: index, rowsUsed: min(options.rows, k - k0), columnsUsed: min(options.columns, lanes - c0),
                beats: beats, streamedBase: isExchanged ? bBase : aBase, loadedBase: isExchanged ? aBase : bBase,
                writtenBase: base, streamed: k0 * streamedLane, streamedStep: streamedStep, streamedLane: streamedLane,
                loaded: k0 * loadedStep + c0 * loadedLane, loadedStep: loadedStep, loadedLane: loadedLane,
                written: c0 * writtenLane, writtenStep: writtenStep, writtenLane: writtenLane,
                isFirst: k0 == 0 && c0 == 0, reads: k0 > 0 || command.accumulates))
          }
        }
        aBase += command.a.count
        bBase += command.b.count
        base += m * n
      }
      if isExchanged {
        streamed = b
        loaded = a
      } else {
        streamed = a
        loaded = b
      }
      sums = Plane(base)
      self.folds = folds
      commandCount = commands.count
    }
  }

  package static func run(
    _ options: SystolicOptions, _ commands: [SystolicCommand], _ run: SystolicStepper.Options
  ) -> SystolicStepper.Run {
    let isExchanged = options.dataflow == .inputStationary
    let work = Work(options, commands)
    var state = State(options, run)
    state.run(work)
    var start = 0
    var seen = state.seen
    for (index, command) in commands.enumerated() {
      let count = command.extents.m * command.extents.n
      seen[index].accumulators = Array(UnsafeBufferPointer(start: work.sums.base + start, count: count))
      start += count
    }
    let (atRows, atColumns) = (state.rowElements, state.columnElements)
    return SystolicStepper.Run(
      result: ArrayStepResult(
        commands: seen, cycles: state.clock.cycle, activationElements: isExchanged ? atColumns : atRows,
        weightBeats: isExchanged ? atRows : atColumns, results: state.left),
      events: state.events, frozenCycles: state.clock.cycle - state.clock.time)
  }

  /// The registers.
  private struct State: ~Copyable {
    let rows: Int
    let columns: Int
    let stages: Int
    let variant: SystolicOptions.Variant
    let isExchanged: Bool
    let fault: SystolicStepper.Fault
    let recordsEvents: Bool
    let ports: SystolicPorts

    /// Registers that move right stand in a longer row that is entered one place further left each cycle, and moved back
    /// when the front is reached: element [r][offset + c] is what PE (r, c) sees.
    let slack: Int
    let pitch: Int
    let activation: Plane<Int16>
    /// [offset + d]: the stream's row and its fold that the PEs with r + c = d see, or -1.
    let tagRow: Plane<Int32>
    let tagFold: Plane<Int32>
    let taps: Int
    /// Products of the last cycles, one plane a stage, and the waves that were alive then.
    let products: Plane<Int32>
    var pastWaves: [SystolicWaves]
    let partial: Plane<Int32>
    let weight: Plane<Int16>
    let shadow: Plane<Int16>
    /// Triangular skew registers as a ring: row t mod R holds what the rows see in cycle t.
    let skew: Plane<Int16>

    var clock: SystolicClock
    /// Start of each stream that still has rows in the array, oldest first; a stream has one row a cycle.
    var starts: [(time: Int, beats: Int)] = []
    var lastBeat = -1
    /// Loads whose wave still moves in some column.
    var loads: [(time: Int, fold: Int)] = []
    var left = 0
    var rowElements = 0
    var columnElements = 0
    var seen: [ArrayStepResult.Command] = []
    var events: [EdgeEvent] = []

    init(_ options: SystolicOptions, _ run: SystolicStepper.Options) {
      rows = options.rows
      columns = options.columns
      fault = run.fault
      stages = max(0, options.peLatency - 1 - (run.fault == .stage ? 1 : 0))
      variant = options.variant
      isExchanged = options.dataflow == .inputStationary
      recordsEvents = run.recordsEvents
      ports = SystolicPorts(rows: rows, columns: columns)
      taps = rows + columns - 1 + stages
      slack = max(64, taps)
      pitch = slack + columns
      activation = Plane(rows * pitch)
      tagRow = Plane(slack + taps, repeating: -1)
      tagFold = Plane(slack + taps)
      products = Plane(stages * rows * columns)
      pastWaves = Array(repeating: SystolicWaves(), count: stages)
      partial = Plane(rows * columns)
      weight = Plane(rows * columns)
      shadow = Plane(rows * columns)
      skew = Plane(rows * rows)
      clock = SystolicClock(freeze: run.freeze)
    }

    mutating func run(_ work: borrowing Work) {
      let (rows, columns) = (rows, columns)
      let folds = work.folds
      seen = (0..<work.commandCount).map { _ in
        ArrayStepResult.Command(issue: 0, end: 0, readA: 0, readB: 0, accumulators: [])
      }
      var nextLoad = 0
      var loading = -1
      var loadStep = 0
      var standing = -1
      var streaming = -1
      var row = 0
      var isChainFree = true
      var outstanding = 0
      var offset = slack
      let beatsOfLoad = fault == .load ? max(1, rows - 1) : rows
      // Cycles from a stream's start until its swap wave lets the chain move.
      let swapDelay = variant == .skewed ? 0 : max(0, rows + columns - 2 - (fault == .reload ? 1 : 0))

      while nextLoad < folds.count || loading >= 0 || standing >= 0 || streaming >= 0 || outstanding > 0 {
        clock.skipFrozen()
        let (cycle, time) = (clock.cycle, clock.time)

        // Clock edge of everything that moves right.
        if offset == 0 {
          for r in 0..<rows { activation.move(from: r * pitch, to: r * pitch + slack, count: columns) }
          tagRow.move(from: 0, to: slack, count: taps)
          tagFold.move(from: 0, to: slack, count: taps)
          offset = slack
        }
        offset -= 1
        tagRow[offset] = -1

        // Stream control: one row vector a cycle.
        if streaming < 0 && standing >= 0 {
          streaming = standing
          standing = -1
          row = 0
          starts.append((time, folds[streaming].beats))
        }
        let slot = time % rows
        let streams = streaming >= 0
        if streams {
          let fold = folds[streaming]
          read(fold, work.streamed.base + fold.streamedBase + fold.streamed + row * fold.streamedStep, slot)
          tagRow[offset] = Int32(row)
          tagFold[offset] = Int32(streaming)
          lastBeat = time
          outstanding += columns
          rowElements += rows
          note(readAt: cycle, of: fold.command, atRows: true)
        } else {
          readNothing(slot)
        }
        let next = skew.base + slot * rows
        for r in 0..<rows { activation[r * pitch + offset] = next[r] }

        // Load control. The chain holds the weights of the fold before `nextLoad` until that fold's swap wave has passed.
        if !isChainFree && loading < 0 && standing < 0, let newest = starts.last {
          isChainFree = time - newest.time >= swapDelay
        }
        if loading < 0 && standing < 0 && nextLoad < folds.count {
          let beatsLeft = streams ? folds[streaming].beats - row : 0
          let mayLoad =
            variant == .serial
            ? !streams && outstanding <= (fault == .turn ? 1 : 0) : isChainFree && beatsLeft <= rows
          if mayLoad {
            loading = nextLoad
            nextLoad += 1
            loadStep = 0
            isChainFree = false
            loads.append((time, loading))
            if folds[loading].isFirst { seen[folds[loading].command].issue = cycle }
          }
        }

        if variant != .serial { swap(time) }
        sweep(offset, time, alive(time))
        if outstanding > 0 { outstanding -= collect(offset, cycle, work) }
        if recordsEvents {
          record(
            offset, cycle, time, work, streams ? (streaming, row) : nil, loading >= 0 ? (loading, loadStep) : nil)
        }

        // Clock edge of the chain and the controller.
        shift(time, work)
        if loading >= 0 {
          columnElements += columns
          if loadStep >= rows - folds[loading].rowsUsed {
            note(readAt: cycle, of: folds[loading].command, atRows: false)
          }
          loadStep += 1
          if loadStep == beatsOfLoad {
            standing = loading
            loading = -1
          }
        }
        if streams {
          row += 1
          if row >= folds[streaming].beats - (fault == .stream ? 1 : 0) { streaming = -1 }
        }
        if let oldest = starts.first, time - oldest.time - oldest.beats >= taps { starts.removeFirst() }
        clock.advance()
      }
    }

    /// Takes a row vector from its port into the skew registers: row r sees it r cycles later.
    private func read(_ fold: Fold, _ values: UnsafeMutablePointer<Int16>, _ slot: Int) {
      var place = slot * rows
      for r in 0..<rows {
        if fault == .skew && r == rows - 1 && r > 0 { place = (place / rows + rows - 1) % rows * rows }
        skew[place + r] = r < fold.rowsUsed ? values[r * fold.streamedLane] : 0
        place += rows
        if place == rows * rows { place = 0 }
      }
    }

    private func readNothing(_ slot: Int) {
      var place = slot * rows
      for r in 0..<rows {
        if fault == .skew && r == rows - 1 && r > 0 { place = (place / rows + rows - 1) % rows * rows }
        skew[place + r] = 0
        place += rows
        if place == rows * rows { place = 0 }
      }
    }

    private mutating func note(readAt cycle: Int, of command: Int, atRows: Bool) {
      if atRows != isExchanged { seen[command].readA = cycle + 1 } else { seen[command].readB = cycle + 1 }
    }

    /// Swap wave: PE (r, c) that sees a stream's row 0 takes its shadow weight.
    private func swap(_ time: Int) {
      for start in starts {
        let d = time - start.time
        guard d <= rows + columns - 2 else { continue }
        for r in max(0, d - columns + 1)...min(d, rows - 1) {
          weight[r * columns + d - r] = shadow[r * columns + d - r]
        }
      }
    }

    /// The wavefronts between the newest and the oldest row in the array.
    @inline(__always) private func alive(_ time: Int) -> SystolicWaves {
      guard let oldest = starts.first else { return SystolicWaves() }
      return SystolicWaves(first: time - lastBeat, last: time - oldest.time)
    }

    /// One cycle of all PEs that are alive, bottom row first so that each still sees the old sum above it.
    @inline(__always) private mutating func sweep(_ offset: Int, _ time: Int, _ waves: SystolicWaves) {
      let weights = variant == .serial ? shadow.base : weight.base
      if stages == 0 {
        for r in stride(from: rows - 1, through: 0, by: -1) {
          let range = waves.columns(ofRow: r, columns)
          if range.isEmpty { continue }
          let (low, count) = (range.lowerBound, range.count)
          let a = activation.base + r * pitch + offset + low
          let w = weights + r * columns + low
          let p = partial.base + r * columns + low
          if r > 0 {
            let above = p - columns
            for c in 0..<count { p[c] = above[c] &+ Int32(a[c]) &* Int32(w[c]) }
          } else {
            for c in 0..<count { p[c] = Int32(a[c]) &* Int32(w[c]) }
          }
        }
        return
      }
      let stage = time % stages
      let plane = products.base + stage * rows * columns
      let old = pastWaves[stage]
      pastWaves[stage] = waves
      for r in stride(from: rows - 1, through: 0, by: -1) {
        let p = partial.base + r * columns
        let q = plane + r * columns
        let added = old.columns(ofRow: r, columns)
        if r > 0 {
          let above = p - columns
          for c in added { p[c] = above[c] &+ q[c] }
        } else {
          for c in added { p[c] = q[c] }
        }
        let a = activation.base + r * pitch + offset
        let w = weights + r * columns
        for c in waves.columns(ofRow: r, columns) { q[c] = Int32(a[c]) &* Int32(w[c]) }
      }
    }

    /// Sums that leave row R-1 go into the accumulators. Returns how many left.
    @inline(__always) private mutating func collect(_ offset: Int, _ cycle: Int, _ work: borrowing Work) -> Int {
      let tags = tagRow.base + offset + rows - 1 + stages
      let owners = tagFold.base + offset + rows - 1 + stages
      let bottom = partial.base + (rows - 1) * columns
      let sums = work.sums.base
      var count = 0
      var c = 0
      while c < columns {
        guard tags[c] >= 0 else {
          c += 1
          continue
        }
        // Neighbours belong to the same fold, as a rule.
        let owner = owners[c]
        let fold = work.folds[Int(owner)]
        let base = fold.writtenBase + fold.written
        while c < columns && tags[c] >= 0 && owners[c] == owner {
          if c < fold.columnsUsed {
            let word = base + Int(tags[c]) * fold.writtenStep + c * fold.writtenLane
            sums[word] = sums[word] &+ bottom[c]
          }
          count += 1
          c += 1
        }
        seen[fold.command].end = cycle + 1
      }
      left += count
      return count
    }

    /// Clock edge of the shadow chain: bottom row first, each takes what stands above.
    private mutating func shift(_ time: Int, _ work: borrowing Work) {
      guard !loads.isEmpty else { return }
      for load in loads {
        let d = time - load.time
        let moving = movingColumns(d)
        guard !moving.isEmpty else { continue }
        for r in stride(from: rows - 1, to: 0, by: -1) {
          // Skewed: row r of column c moves from cycle c + r of the load on.
          let wave = d - r + 1 + (fault == .reload ? 1 : 0)
          let high = variant == .skewed ? min(moving.upperBound, wave) : moving.upperBound
          guard moving.lowerBound < high else { continue }
          let target = shadow.base + r * columns
          (target + moving.lowerBound).update(
            from: target - columns + moving.lowerBound, count: high - moving.lowerBound)
        }
        let fold = work.folds[load.fold]
        for c in moving { shadow[c] = entering(fold, work, d, c) }
      }
      let span = variant == .skewed ? rows + columns - 2 : rows - 1
      if let oldest = loads.first, time - oldest.time >= span { loads.removeFirst() }
    }

    /// The columns whose chain takes a weight in cycle `d` of a load.
    @inline(__always) private func movingColumns(_ d: Int) -> Range<Int> {
      guard variant == .skewed else { return d < rows ? 0..<columns : 0..<0 }
      let low = max(0, d - rows + 1)
      return low..<max(low, min(columns, d + 1))
    }

    /// What enters column c in cycle `d` of a load; the last row comes first.
    @inline(__always) private func entering(_ fold: Fold, _ work: borrowing Work, _ d: Int, _ c: Int) -> Int16 {
      let row = rows - 1 - (variant == .skewed ? d - c : d)
      guard row < fold.rowsUsed && c < fold.columnsUsed else { return 0 }
      return work.loaded[fold.loadedBase + fold.loaded + row * fold.loadedStep + c * fold.loadedLane]
    }

    /// Lists the uses of all ports in this cycle, ports in order.
    private mutating func record(
      _ offset: Int, _ cycle: Int, _ time: Int, _ work: borrowing Work, _ stream: (fold: Int, row: Int)?,
      _ load: (fold: Int, step: Int)?
    ) {
      func add(_ port: Int, _ value: Int32, to events: inout [EdgeEvent]) {
        events.append(EdgeEvent(cycle: cycle, port: port, value: value))
      }
      if let stream {
        let fold = work.folds[stream.fold]
        add(ports.rowMemory, Int32(fold.streamed + stream.row * fold.streamedStep), to: &events)
      }
      if let load, rows - 1 - load.step < work.folds[load.fold].rowsUsed {
        let fold = work.folds[load.fold]
        add(ports.columnMemory, Int32(fold.loaded + (rows - 1 - load.step) * fold.loadedStep), to: &events)
      }
      for r in 0..<rows where tagRow[offset + r] >= 0 {
        add(ports.row(r), Int32(activation[r * pitch + offset]), to: &events)
      }
      // A newer load has reached only columns in front of those where the older still moves.
      for load in loads.reversed() {
        let d = time - load.time
        let fold = work.folds[load.fold]
        for c in movingColumns(d) { add(ports.column(c), Int32(entering(fold, work, d, c)), to: &events) }
      }
      let first = offset + rows - 1 + stages
      for c in 0..<columns where tagRow[first + c] >= 0 {
        add(ports.result(c), partial[(rows - 1) * columns + c], to: &events)
      }
      for isRead in [false, true] {
        for c in 0..<columns where tagRow[first + c] >= 0 {
          let fold = work.folds[Int(tagFold[first + c])]
          guard c < fold.columnsUsed && (!isRead || fold.reads) else { continue }
          let word = fold.written + Int(tagRow[first + c]) * fold.writtenStep + c * fold.writtenLane
          add(isRead ? ports.read(c) : ports.write(c), Int32(word), to: &events)
        }
      }
    }
  }
}
