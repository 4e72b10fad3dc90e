/// The register-transfer model of the output-stationary array.
///
/// Registers of PE (r, c): activation (moves right), weight (moves down), products on their way to the adder, accumulator, and
/// with the overlapped variant an output register. A last tag travels with the final product of a fold. Serial: when the tag has
/// reached the last PE the accumulators of all columns shift down, R cycles, and only then the next fold streams. Overlapped: the
/// tag moves the sum to the output register and clears the accumulator; when it passes row R-1 of a column, the column's output
/// registers shift down for R cycles.
///
/// The controller knows no closed form; the overlapped one gives each fold a slot of at least 2R-1 cycles, so that a column never
/// receives new results before the old ones have left.
package enum SystolicOutputStepper {
  private struct Fold {
    var command: Int
    var k: Int
    var n: Int
    var rowsUsed: Int
    var columnsUsed: Int
    /// Where the operands and the results of its command start in the planes.
    var aBase: Int
    var bBase: Int
    var writtenBase: Int
    /// Addresses in the command's operands and results.
    var a: Int
    var b: Int
    var written: Int
    var isFirst: Bool
    var reads: Bool
  }

  /// The operands of all commands, one behind the other, and their folds in order.
  private struct Work: ~Copyable {
    let a: Plane<Int16>
    let b: Plane<Int16>
    let sums: Plane<Int32>
    let folds: UnsafeMutableBufferPointer<Fold>

    deinit { folds.deallocate() }

    init(_ options: SystolicOptions, _ commands: [SystolicCommand]) {
      a = Plane(joining: commands.lazy.map(\.a))
      b = Plane(joining: commands.lazy.map(\.b))
      var folds: [Fold] = []
      var (aBase, bBase, base) = (0, 0, 0)
      for (index, command) in commands.enumerated() {
        let (m, k, n) = (command.extents.m, command.extents.k, command.extents.n)
        for m0 in stride(from: 0, to: m, by: options.rows) {
          for n0 in stride(from: 0, to: n, by: options.columns) {
            folds.append(
              Fold(
                command: index, k: k, n: n, rowsUsed: min(options.rows, m - m0),
                columnsUsed: min(options.columns, n - n0), aBase: aBase, bBase: bBase, writtenBase: base, a: m0 * k,
                b: n0, written: m0 * n + n0, isFirst: m0 == 0 && n0 == 0, reads: command.accumulates))
          }
        }
        aBase += command.a.count
        bBase += command.b.count
        base += m * n
      }
      sums = Plane(base)
      self.folds = .allocate(capacity: folds.count)
      _ = self.folds.initialize(from: folds)
    }
  }

  package static func run(
    _ options: SystolicOptions, _ commands: [SystolicCommand], _ run: SystolicStepper.Options
  ) -> SystolicStepper.Run {
    let work = Work(options, commands)
    var state = State(options, run, commandCount: commands.count)
    state.run(work)
    return SystolicStepper.Run(
      result: ArrayStepResult(
        commands: state.seen.commands(commands.map(\.extents), work.sums.base, isExchanged: false),
        cycles: state.clock.cycle,
        activationElements: state.rowElements, weightBeats: state.columnElements, results: state.left),
      events: state.events, frozenCycles: state.clock.cycle - state.clock.time)
  }

  /// The registers.
  private struct State: ~Copyable {
    let rows: Int
    let columns: Int
    let stages: Int
    let overlapped: Bool
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
    /// What moves down is a ring of rows: in cycle t row r of the array sees row (t - r) of the ring, and lane c of row (t + c) is
    /// written, so that the rows ahead are the skew registers of the columns.
    let weight: Plane<Int16>
    let ring: Int
    /// The ring's row of this cycle.
    var ringRow = 0
    /// [offset + d]: the fold whose products the PEs with r + c = d see, or -1.
    let tag: Plane<Int32>
    let taps: Int
    /// Products of the last cycles, one plane a stage, and the waves that were alive then.
    let products: Plane<Int32>
    var pastWaves: [SystolicWaves]
    let sum: Plane<Int32>
    let output: Plane<Int32>
    let chain: SystolicShift

    var clock: SystolicClock
    /// Streams that still have products in the array, by their first beat.
    var streams: SystolicQueue
    var lastBeat = -1
    /// Last products on their way through the array: when they were read, and their fold.
    var lasts: SystolicQueue
    /// Columns that drain: column c shifts in the R cycles from `time + c` (serial: from `time`) on.
    var drains: SystolicQueue
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
      overlapped = options.variant == .overlapped
      recordsEvents = run.recordsEvents
      ports = SystolicPorts(rows: rows, columns: columns)
      pitch = SystolicSweep.pitch(columns)
      taps = rows + columns - 1
      slack = rows + max(64, taps)
      rowPitch = slack + pitch
      activation = Plane(rows * rowPitch)
      ring = taps
      weight = Plane(ring * pitch)
      tag = Plane(slack + taps, repeating: -1)
      products = Plane(stages * rows * pitch)
      pastWaves = Array(repeating: SystolicWaves(), count: stages)
      sum = Plane(rows * pitch)
      output = Plane(rows * pitch)
      chain = SystolicShift(pitch: pitch)
      clock = SystolicClock(freeze: run.freeze)
      let capacity = 2 * (rows + columns) + stages + 4
      streams = SystolicQueue(capacity: capacity)
      lasts = SystolicQueue(capacity: capacity)
      drains = SystolicQueue(capacity: capacity)
      seen = SystolicSightings(commandCount)
    }

    mutating func run(_ work: borrowing Work) {
      let folds = work.folds
      let shortest = 2 * rows - 1 - (fault == .slot ? 1 : 0)
      var next = 0
      var current = -1
      var wait = 0
      var step = 0
      var pending = 0
      var offset = slack

      while next < folds.count || current >= 0 || pending > 0 {
        clock.skipFrozen()
        let (cycle, time) = (clock.cycle, clock.time)

        // Clock edge of everything that moves right.
        if offset == rows {
          for r in 0..<rows {
            activation.move(from: r * rowPitch, to: r * rowPitch + slack - rows, count: rows + columns)
          }
          tag.move(from: rows, to: slack, count: taps)
          offset = slack
        }
        offset -= 1
        tag[offset] = -1

        // Controller.
        if current < 0 && next < folds.count && (overlapped || pending <= (fault == .turn ? columns : 0)) {
          current = next
          next += 1
          step = 0
          pending += rows * columns
          wait = overlapped ? max(0, shortest - folds[current].k) : 0
          if folds[current].isFirst { seen.issue[folds[current].command] = cycle }
        }
        let isFlowing = current >= 0 && wait == 0
        if isFlowing {
          let fold = folds.baseAddress.unsafelyUnwrapped + current  // there is a fold, so the buffer is not empty
          read(fold, step, time, offset, work)
          tag[offset] = Int32(truncatingIfNeeded: current)
          if step == 0 { streams.append(time, current) }
          lastBeat = time
          rowElements += rows
          columnElements += columns
          seen.rowRead[fold.pointee.command] = cycle + 1
          seen.columnRead[fold.pointee.command] = cycle + 1
          if step + 1 == beats(of: fold.pointee.k) { lasts.append(time, current) }
        } else {
          readNothing(time, offset)
        }
        if recordsEvents { record(offset, cycle, time, work, isFlowing ? (current, step) : nil) }

        if drains.count > 0 { pending -= drain(time, cycle, work) }
        sweep(offset, time)
        if lasts.count > 0 { finish(time) }

        // Clock edge of the controller.
        if isFlowing {
          step += 1
          if step == beats(of: folds[current].k) { current = -1 }
        } else if current >= 0 {
          wait -= 1
        }
        if streams.count > 0, time - streams.time(0) - folds[streams.fold(0)].k > taps { streams.removeFirst() }
        ringRow += 1
        if ringRow == ring { ringRow = 0 }
        clock.advance()
      }
    }

    @inline(__always) private func beats(of k: Int) -> Int { fault == .stream ? max(1, k - 1) : k }

    /// Takes a vector from each port into the skew registers: lane i is seen i cycles later.
    @inline(__always) private func read(
      _ fold: UnsafeMutablePointer<Fold>, _ step: Int, _ time: Int, _ offset: Int, _ work: borrowing Work
    ) {
      let (k, rowsUsed, columnsUsed) = (fold.pointee.k, fold.pointee.rowsUsed, fold.pointee.columnsUsed)
      let a = work.a.base + (fold.pointee.aBase &+ fold.pointee.a &+ step)
      let b = work.b.base + (fold.pointee.bBase &+ fold.pointee.b &+ step &* fold.pointee.n)
      let (rows, columns, skew) = (rows, columns, rowPitch &- 1)
      SystolicSweep.copy(a, k, activation.base + offset, skew, rowsUsed)
      SystolicSweep.clear(activation.base + (offset &+ rowsUsed &* skew), skew, rows &- rowsUsed)
      // The ring has a row for each column at least, so that its end comes once.
      let start = ringRow
      let ahead = min(columns, ring &- start)
      let diagonal = pitch &+ 1
      let used = min(ahead, columnsUsed)
      let place = weight.base + start &* pitch
      SystolicSweep.copy(b, 1, place, diagonal, used)
      SystolicSweep.clear(place + used &* diagonal, diagonal, ahead &- used)
      if ahead < columns {
        let more = max(0, columnsUsed &- ahead)
        let place = weight.base + ahead
        SystolicSweep.copy(b + ahead, 1, place, diagonal, more)
        SystolicSweep.clear(place + more &* diagonal, diagonal, columns &- ahead &- more)
      }
      if fault == .skew { shortenSkew(time, offset) }
    }

    @inline(__always) private func readNothing(_ time: Int, _ offset: Int) {
      let (columns, diagonal) = (columns, pitch &+ 1)
      SystolicSweep.clear(activation.base + offset, rowPitch &- 1, rows)
      let ahead = min(columns, ring &- ringRow)
      SystolicSweep.clear(weight.base + ringRow &* pitch, diagonal, ahead)
      SystolicSweep.clear(weight.base + ahead, diagonal, columns &- ahead)
      if fault == .skew { shortenSkew(time, offset) }
    }

    /// Where the ring's row of a cycle starts.
    @inline(__always) private func place(_ time: Int) -> Int { time % ring * pitch }

    /// The last row and the last column see their elements a cycle early.
    private func shortenSkew(_ time: Int, _ offset: Int) {
      let row = (rows - 1) * (rowPitch - 1) + offset
      if rows > 1 { activation[row + 1] = activation[row] }
      let lane = columns - 1
      if columns > 1 { weight[place(time + lane - 1) + lane] = weight[place(time + lane) + lane] }
    }

    /// The wavefronts between the newest and the oldest product in the array.
    @inline(__always) private func alive(_ time: Int) -> SystolicWaves {
      streams.count == 0 ? SystolicWaves() : SystolicWaves(first: time - lastBeat, last: time - streams.time(0))
    }

    /// One cycle of all PEs that are alive.
    @inline(__always) private mutating func sweep(_ offset: Int, _ time: Int) {
      let waves = alive(time)
      let (rows, columns, pitch, rowPitch) = (rows, columns, pitch, rowPitch)
      let ringStart = weight.base
      let ringEnd = ringStart + (ring &- 1) &* pitch
      var (a, s, w) = (activation.base + offset, sum.base, ringStart + ringRow &* pitch)
      let bottom = s + rows &* pitch
      if stages == 0 {
        if waves.last < waves.first { return }
        if pitch == 2 &* SystolicSweep.lanes {
          // PEs that are not alive see zeros: to leave them out costs more than they do.
          while s < bottom {
            SystolicSweep.multiplyAddPair(a, w, s, s)
            a += rowPitch
            s += pitch
            w = w == ringStart ? ringEnd : w - pitch
          }
          return
        }
        if waves.isFull(rows, columns) {
          let all = Range(uncheckedBounds: (0, pitch / SystolicSweep.lanes))
          while s < bottom {
            SystolicSweep.multiplyAdd(a, w, s, s, all)
            a += rowPitch
            s += pitch
            w = w == ringStart ? ringEnd : w - pitch
          }
          return
        }
        var r = 0
        while r < rows {
          SystolicSweep.multiplyAdd(a, w, s, s, waves.chunks(ofRow: r, columns))
          a += rowPitch
          s += pitch
          w = w == ringStart ? ringEnd : w - pitch
          r &+= 1
        }
        return
      }
      let stage = time % stages
      let old = pastWaves[stage]
      pastWaves[stage] = waves
      var product = products.base + stage &* rows &* pitch
      var r = 0
      while r < rows {
        SystolicSweep.add(product, s, s, old.chunks(ofRow: r, columns))
        SystolicSweep.multiply(a, w, product, waves.chunks(ofRow: r, columns))
        product += pitch
        a += rowPitch
        s += pitch
        w = w == ringStart ? ringEnd : w - pitch
        r &+= 1
      }
    }

    /// What leaves row R-1 this cycle, and the clock edge of the chains that shift. Returns how many left.
    @inline(__always) private mutating func drain(_ time: Int, _ cycle: Int, _ work: borrowing Work) -> Int {
      var count = 0
      let out = overlapped ? output.base : sum.base
      for index in 0..<drains.count {
        let d = time - drains.time(index)
        let moving = movingColumns(d)
        if moving.isEmpty { continue }
        let fold = work.folds.baseAddress.unsafelyUnwrapped + drains.fold(index)  // a drain names a fold
        let (rowsUsed, n) = (fold.pointee.rowsUsed, fold.pointee.n)
        let bottom = out + (rows - 1) * pitch
        // Of column c leaves row `last + c` (serial: `last`), if the fold has it.
        let lane = overlapped ? 1 : 0
        let last = rows - 1 - d
        let low = overlapped ? moving.lowerBound : (last < rowsUsed ? 0 : columns)
        let high = min(moving.upperBound, fold.pointee.columnsUsed, overlapped ? rowsUsed - last : columns)
        var word = work.sums.base + (fold.pointee.writtenBase + fold.pointee.written + (last + low * lane) * n + low)
        let step = n &* lane &+ 1
        var c = low
        while c < high {
          word.pointee = word.pointee &+ bottom[c]
          word += step
          c &+= 1
        }
        seen.end[fold.pointee.command] = cycle + 1
        count += moving.count
        // Zeros follow, which clears the accumulators of the serial variant.
        chain.shiftDown(out, rows: rows, moving)
      }
      if time - drains.time(0) >= rows - 1 + (overlapped ? columns - 1 : 0) { drains.removeFirst() }
      left += count
      return count
    }

    /// The columns that shift in cycle `d` of a drain.
    @inline(__always) private func movingColumns(_ d: Int) -> Range<Int> {
      guard overlapped else { return d >= 0 && d < rows ? 0..<columns : 0..<0 }
      let low = max(0, d - rows + 1)
      return low..<max(low, min(columns, d + 1))
    }

    /// Last tags: capture (overlapped), and the start of the drain.
    @inline(__always) private mutating func finish(_ time: Int) {
      let early = fault == .drain && rows > 1 ? 1 : 0
      for index in 0..<lasts.count {
        let d = time - lasts.time(index) - stages
        if overlapped && d >= 0 && d < taps {
          let first = max(0, d - columns + 1)
          let diagonal = pitch &- 1
          var (from, to) = (sum.base + (first * diagonal + d), output.base + (first * diagonal + d))
          for _ in first...min(d, rows - 1) {
            to.pointee = from.pointee
            from.pointee = 0
            from += diagonal
            to += diagonal
          }
        }
        if d == (overlapped ? rows - 1 : taps - 1) - early { drains.append(time + 1, lasts.fold(index)) }
      }
      if time - lasts.time(0) - stages >= taps - 1 { lasts.removeFirst() }
    }

    /// Lists the uses of all ports in this cycle, ports in order; called before results leave.
    private mutating func record(
      _ offset: Int, _ cycle: Int, _ time: Int, _ work: borrowing Work, _ beat: (fold: Int, step: Int)?
    ) {
      func add(_ port: Int, _ value: Int32, to events: inout [EdgeEvent]) {
        events.append(EdgeEvent(cycle: cycle, port: port, value: value))
      }
      if let beat {
        let fold = work.folds[beat.fold]
        add(ports.rowMemory, Int32(fold.a + beat.step), to: &events)
        add(ports.columnMemory, Int32(fold.b + beat.step * fold.n), to: &events)
      }
      for r in 0..<rows where r < taps && tag[offset + r] >= 0 {
        add(ports.row(r), Int32(activation[r * rowPitch + offset]), to: &events)
      }
      for c in 0..<columns where tag[offset + c] >= 0 {
        add(ports.column(c), Int32(weight[time % ring * pitch + c]), to: &events)
      }
      let out = overlapped ? output.base : sum.base
      // A newer drain has reached only columns in front of those where the older still shifts.
      for index in (0..<drains.count).reversed() {
        for c in movingColumns(time - drains.time(index)) {
          add(ports.result(c), out[(rows - 1) * pitch + c], to: &events)
        }
      }
      for isRead in [false, true] {
        for index in (0..<drains.count).reversed() {
          let d = time - drains.time(index)
          let fold = work.folds[drains.fold(index)]
          guard !isRead || fold.reads else { continue }
          for c in movingColumns(d) where c < fold.columnsUsed {
            let row = rows - 1 - (overlapped ? d - c : d)
            guard row < fold.rowsUsed else { continue }
            add(isRead ? ports.read(c) : ports.write(c), Int32(fold.written + row * fold.n + c), to: &events)
          }
        }
      }
    }
  }
}
