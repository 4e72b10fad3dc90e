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
    let folds: UnsafeMutableBufferPointer<Fold>
    let commandCount: Int

    deinit { folds.deallocate() }

    init(_ options: SystolicOptions, _ commands: [SystolicCommand]) {
      let isExchanged = options.dataflow == .inputStationary
      let a = Plane(joining: commands.lazy.map(\.a))
      let b = Plane(joining: commands.lazy.map(\.b))
      var folds: [Fold] = []
      var (aBase, bBase, base) = (0, 0, 0)
      for (index, command) in commands.enumerated() {
        let (m, k, n) = (command.extents.m, command.extents.k, command.extents.n)
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
      self.folds = .allocate(capacity: folds.count)
      _ = self.folds.initialize(from: folds)
      commandCount = commands.count
    }
  }

  package static func run(
    _ options: SystolicOptions, _ commands: [SystolicCommand], _ run: SystolicStepper.Options
  ) -> SystolicStepper.Run {
    let isExchanged = options.dataflow == .inputStationary
    let work = Work(options, commands)
    var state = State(options, run, commandCount: commands.count)
    state.run(work)
    let seen = state.seen.commands(commands.map(\.extents), work.sums.base, isExchanged: isExchanged)
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
    let fault: SystolicStepper.Fault
    let recordsEvents: Bool
    let ports: SystolicPorts
    /// Elements of a row of PEs, padding included.
    let pitch: Int

    /// What moves right stands in a longer row whose front is entered one place further left each cycle, and moved back when
    /// the left end is near: element [r][offset + c] is what PE (r, c) sees, [r][offset - i] what it will see i cycles
    /// later: the triangular skew registers of row r are its r places in front of the offset.
    let slack: Int
    let rowPitch: Int
    let activation: Plane<Int16>
    /// [offset + d]: the stream's row and its fold that the PEs with r + c = d see, or -1.
    let tagRow: Plane<Int32>
    let tagFold: Plane<Int32>
    let taps: Int
    /// Products of the last cycles, one plane a stage, and the waves that were alive then.
    let products: Plane<Int32>
    var pastWaves: [SystolicWaves]
    /// Row r + 1 holds the sums of the PEs in row r; row 0 the zeros that enter from above.
    let partial: Plane<Int32>
    let weight: Plane<Int16>
    let shadow: Plane<Int16>
    let chain: SystolicShift

    var clock: SystolicClock
    /// Streams that still have rows in the array; a stream has one row a cycle.
    var streams: SystolicQueue
    var lastBeat = -1
    /// Loads whose wave still moves in some column.
    var loads: SystolicQueue
    var left = 0
    var rowElements = 0
    var columnElements = 0
    let seen: SystolicSightings
    var events: [EdgeEvent] = []

    init(_ options: SystolicOptions, _ run: SystolicStepper.Options, commandCount: Int) {
      rows = options.rows
      columns = options.columns
      fault = run.fault
      stages = max(0, options.peLatency - 1 - (run.fault == .stage ? 1 : 0))
      variant = options.variant
      recordsEvents = run.recordsEvents
      ports = SystolicPorts(rows: rows, columns: columns)
      pitch = SystolicSweep.pitch(columns)
      taps = rows + columns - 1 + stages
      slack = rows + max(64, taps)
      rowPitch = slack + pitch
      activation = Plane(rows * rowPitch)
      tagRow = Plane(slack + taps, repeating: -1)
      tagFold = Plane(slack + taps)
      products = Plane(stages * rows * pitch)
      pastWaves = Array(repeating: SystolicWaves(), count: stages)
      partial = Plane((rows + 1) * pitch)
      weight = Plane(rows * pitch)
      shadow = Plane(rows * pitch)
      chain = SystolicShift(pitch: pitch)
      clock = SystolicClock(freeze: run.freeze)
      streams = SystolicQueue(capacity: taps + 4)
      loads = SystolicQueue(capacity: taps + 4)
      seen = SystolicSightings(commandCount)
    }

    mutating func run(_ work: borrowing Work) {
      let (rows, columns, variant) = (rows, columns, variant)
      let folds = work.folds
      var nextLoad = 0
      var loading = -1
      var loadStep = 0
      var standing = -1
      var streaming = -1
      var row = 0
      var beats = 0
      var isChainFree = true
      var newestStream = 0
      var outstanding = 0
      var offset = slack
      let beatsOfLoad = fault == .load ? max(1, rows - 1) : rows
      // Cycles from a stream's start until its swap wave lets the chain move.
      let swapDelay = variant == .skewed ? 0 : max(0, rows + columns - 2 - (fault == .reload ? 1 : 0))

      while nextLoad < folds.count || loading >= 0 || standing >= 0 || streaming >= 0 || outstanding > 0 {
        clock.skipFrozen()
        let (cycle, time) = (clock.cycle, clock.time)

        // Clock edge of everything that moves right.
        if offset == rows {
          for r in 0..<rows {
            activation.move(from: r * rowPitch, to: r * rowPitch + slack - rows, count: rows + columns)
          }
          tagRow.move(from: rows, to: slack, count: taps)
          tagFold.move(from: rows, to: slack, count: taps)
          offset = slack
        }
        offset -= 1
        tagRow[offset] = -1

        // Stream control: one row vector a cycle.
        if streaming < 0 && standing >= 0 {
          streaming = standing
          standing = -1
          row = 0
          beats = folds[streaming].beats
          newestStream = time
          streams.append(time, streaming)
        }
        let isStreaming = streaming >= 0
        if isStreaming {
          let fold = folds.baseAddress.unsafelyUnwrapped + streaming  // there is a fold, so the buffer is not empty
          read(fold, work.streamed.base, row, offset)
          tagRow[offset] = Int32(truncatingIfNeeded: row)
          tagFold[offset] = Int32(truncatingIfNeeded: streaming)
          lastBeat = time
          outstanding += columns
          rowElements += rows
          seen.rowRead[fold.pointee.command] = cycle + 1
        } else {
          readNothing(offset)
        }

        // Load control. The chain holds the weights of the fold before `nextLoad` until that fold's swap wave has passed.
        if loading < 0 && standing < 0 && nextLoad < folds.count {
          if !isChainFree { isChainFree = time - newestStream >= swapDelay }
          let beatsLeft = isStreaming ? beats - row : 0
          let mayLoad =
            variant == .serial
            ? !isStreaming && outstanding <= (fault == .turn ? 1 : 0) : isChainFree && beatsLeft <= rows
          if mayLoad {
            loading = nextLoad
            nextLoad += 1
            loadStep = 0
            isChainFree = false
            loads.append(time, loading)
            if folds[loading].isFirst { seen.issue[folds[loading].command] = cycle }
          }
        }

        if variant != .serial { swap(time) }
        sweep(offset, time)
        if outstanding > 0 { outstanding -= collect(offset, cycle, work) }
        if recordsEvents {
          record(
            offset, cycle, time, work, isStreaming ? (streaming, row) : nil,
            loading >= 0 ? (loading, loadStep) : nil)
        }

        // Clock edge of the chain and the controller.
        if loads.count > 0 { shift(time, work) }
        if loading >= 0 {
          columnElements += columns
          if loadStep >= rows - folds[loading].rowsUsed { seen.columnRead[folds[loading].command] = cycle + 1 }
          loadStep += 1
          if loadStep == beatsOfLoad {
            standing = loading
            loading = -1
          }
        }
        if isStreaming {
          row += 1
          if row >= beats - (fault == .stream ? 1 : 0) { streaming = -1 }
        }
        if streams.count > 0, time - streams.time(0) - folds[streams.fold(0)].beats >= taps { streams.removeFirst() }
        clock.advance()
      }
    }

    /// Takes a row vector from its port into the skew registers: row r sees it r cycles later.
    @inline(__always) private func read(
      _ fold: UnsafeMutablePointer<Fold>, _ values: UnsafeMutablePointer<Int16>, _ row: Int, _ offset: Int
    ) {
      let (lane, used, skew) = (fold.pointee.streamedLane, fold.pointee.rowsUsed, rowPitch &- 1)
      let source = values + (fold.pointee.streamedBase &+ fold.pointee.streamed &+ row &* fold.pointee.streamedStep)
      SystolicSweep.copy(source, lane, activation.base + offset, skew, used)
      SystolicSweep.clear(activation.base + (offset &+ used &* skew), skew, rows &- used)
      if fault == .skew { shortenSkew(offset) }
    }

    @inline(__always) private func readNothing(_ offset: Int) {
      SystolicSweep.clear(activation.base + offset, rowPitch &- 1, rows)
      if fault == .skew { shortenSkew(offset) }
    }

    /// The last row sees its element a cycle early.
    private func shortenSkew(_ offset: Int) {
      let place = (rows - 1) * (rowPitch - 1) + offset
      if rows > 1 { activation[place + 1] = activation[place] }
    }

    /// Swap wave: PE (r, c) that sees a stream's row 0 takes its shadow weight.
    @inline(__always) private func swap(_ time: Int) {
      var index = streams.count - 1
      while index >= 0 {
        let d = time - streams.time(index)
        if d > rows + columns - 2 { return }
        let (first, diagonal) = (max(0, d - columns + 1), pitch &- 1)
        SystolicSweep.copy(
          shadow.base + (first * diagonal + d), diagonal, weight.base + (first * diagonal + d), diagonal,
          min(d, rows - 1) - first + 1)
        index -= 1
      }
    }

    /// The wavefronts between the newest and the oldest row in the array.
    @inline(__always) private func alive(_ time: Int) -> SystolicWaves {
      streams.count == 0 ? SystolicWaves() : SystolicWaves(first: time - lastBeat, last: time - streams.time(0))
    }

    /// One cycle of all PEs that are alive, bottom row first so that each still sees the old sum above it.
    @inline(__always) private mutating func sweep(_ offset: Int, _ time: Int) {
      let waves = alive(time)
      let weights = variant == .serial ? shadow.base : weight.base
      let (rows, columns, pitch, rowPitch) = (rows, columns, pitch, rowPitch)
      var r = rows - 1
      if stages == 0 {
        if waves.last < waves.first { return }
        var (a, w) = (activation.base + (r * rowPitch + offset), weights + r * pitch)
        var above = partial.base + r * pitch
        if pitch == 2 &* SystolicSweep.lanes {
          // Sums of PEs that are not alive are never looked at: to leave them out costs more than they do.
          let top = partial.base
          while above >= top {
            SystolicSweep.multiplyAddPair(a, w, above, above + pitch)
            a -= rowPitch
            w -= pitch
            above -= pitch
          }
          return
        }
        if waves.isFull(rows, columns) {
          let all = Range(uncheckedBounds: (0, pitch / SystolicSweep.lanes))
          let top = partial.base
          while above >= top {
            SystolicSweep.multiplyAdd(a, w, above, above + pitch, all)
            a -= rowPitch
            w -= pitch
            above -= pitch
          }
          return
        }
        while r >= 0 {
          SystolicSweep.multiplyAdd(a, w, above, above + pitch, waves.chunks(ofRow: r, columns))
          a -= rowPitch
          w -= pitch
          above -= pitch
          r &-= 1
        }
        return
      }
      let stage = time % stages
      let old = pastWaves[stage]
      pastWaves[stage] = waves
      while r >= 0 {
        let above = partial.base + r * pitch
        let product = products.base + (stage * rows + r) * pitch
        SystolicSweep.add(product, above, above + pitch, old.chunks(ofRow: r, columns))
        SystolicSweep.multiply(
          activation.base + r * rowPitch + offset, weights + r * pitch, product, waves.chunks(ofRow: r, columns))
        r -= 1
      }
    }

    /// Sums that leave row R-1 go into the accumulators. Returns how many left.
    @inline(__always) private mutating func collect(_ offset: Int, _ cycle: Int, _ work: borrowing Work) -> Int {
      let tags = tagRow.base + offset + rows - 1 + stages
      let owners = tagFold.base + offset + rows - 1 + stages
      let bottom = partial.base + rows * pitch
      let sums = work.sums.base
      if tags[0] >= 0 && tags[columns &- 1] >= 0 && owners[0] == owners[columns &- 1] {
        // All of one fold: rows are one apart.
        let fold = work.folds.baseAddress.unsafelyUnwrapped + Int(owners[0])  // a tag names a fold
        let step = fold.pointee.writtenLane &- fold.pointee.writtenStep
        var word = sums + (fold.pointee.writtenBase &+ fold.pointee.written &+ Int(tags[0]) &* fold.pointee.writtenStep)
        let used = fold.pointee.columnsUsed
        var c = 0
        while c < used {
          word.pointee = word.pointee &+ bottom[c]
          word += step
          c &+= 1
        }
        seen.end[fold.pointee.command] = cycle + 1
        left += columns
        return columns
      }
      var count = 0
      var c = 0
      while c < columns {
        if tags[c] < 0 {
          c += 1
          continue
        }
        // Neighbours belong to the same fold, as a rule, and to rows one apart.
        let owner = owners[c]
        let fold = work.folds.baseAddress.unsafelyUnwrapped + Int(owner)  // a tag names a fold
        let (used, step, lane) = (fold.pointee.columnsUsed, fold.pointee.writtenStep, fold.pointee.writtenLane)
        let base = fold.pointee.writtenBase + fold.pointee.written
        while c < columns && tags[c] >= 0 && owners[c] == owner {
          if c < used {
            let word = sums + (base + Int(tags[c]) &* step &+ c &* lane)
            word.pointee = word.pointee &+ bottom[c]
          }
          count += 1
          c += 1
        }
        seen.end[fold.pointee.command] = cycle + 1
      }
      left += count
      return count
    }

    /// Clock edge of the shadow chain: bottom row first, each takes what stands above.
    @inline(__always) private mutating func shift(_ time: Int, _ work: borrowing Work) {
      for index in 0..<loads.count {
        let d = time - loads.time(index)
        let moving = movingColumns(d)
        if moving.isEmpty { continue }
        if variant == .skewed {
          // Row r of column c moves from cycle c + r of the load on.
          chain.shiftDown(
            shadow.base, rows: rows, first: moving.lowerBound, bound: moving.upperBound,
            wave: d + 1 + (fault == .reload ? 1 : 0))
        } else {
          shadow.move(from: 0, to: pitch, count: (rows - 1) * pitch)
        }
        enter(work.folds.baseAddress.unsafelyUnwrapped + loads.fold(index), work, d, moving)  // a load names a fold
      }
      let span = variant == .skewed ? rows + columns - 2 : rows - 1
      if time - loads.time(0) >= span { loads.removeFirst() }
    }

    /// The columns whose chain takes a weight in cycle `d` of a load.
    @inline(__always) private func movingColumns(_ d: Int) -> Range<Int> {
      guard variant == .skewed else { return d < rows ? 0..<columns : 0..<0 }
      let low = max(0, d - rows + 1)
      return low..<max(low, min(columns, d + 1))
    }

    /// Takes the weights that enter row 0 in cycle `d` of a load; columns of padding take zeros.
    @inline(__always) private func enter(
      _ fold: UnsafeMutablePointer<Fold>, _ work: borrowing Work, _ d: Int, _ moving: Range<Int>
    ) {
      // Column c takes row `last + c` of the fold, or in all columns the same.
      let lane = variant == .skewed ? 1 : 0
      let last = rows &- 1 &- d
      let (low, end) = (moving.lowerBound, moving.upperBound)
      var high = min(end, fold.pointee.columnsUsed)
      if lane == 1 {
        high = min(high, fold.pointee.rowsUsed &- last)
      } else if last >= fold.pointee.rowsUsed {
        high = low
      }
      high = max(low, high)
      let step = fold.pointee.loadedLane &+ lane &* fold.pointee.loadedStep
      let first = fold.pointee.loadedBase &+ fold.pointee.loaded &+ last &* fold.pointee.loadedStep &+ low &* step
      SystolicSweep.copy(work.loaded.base + first, step, shadow.base + low, 1, high &- low)
      SystolicSweep.clear(shadow.base + high, 1, end &- high)
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
        add(ports.row(r), Int32(activation[r * rowPitch + offset]), to: &events)
      }
      // A newer load has reached only columns in front of those where the older still moves.
      for index in (0..<loads.count).reversed() {
        let d = time - loads.time(index)
        let fold = work.folds[loads.fold(index)]
        for c in movingColumns(d) { add(ports.column(c), Int32(entering(fold, work, d, c)), to: &events) }
      }
      let first = offset + rows - 1 + stages
      for c in 0..<columns where tagRow[first + c] >= 0 {
        add(ports.result(c), partial[rows * pitch + c], to: &events)
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
