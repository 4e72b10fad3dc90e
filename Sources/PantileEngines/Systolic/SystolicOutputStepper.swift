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
    let folds: [Fold]
    let commandCount: Int

    init(_ options: SystolicOptions, _ commands: [SystolicCommand]) {
      a = Plane(commands.reduce(0) { $0 + $1.a.count })
      b = Plane(commands.reduce(0) { $0 + $1.b.count })
      var folds: [Fold] = []
      var (aBase, bBase, base) = (0, 0, 0)
      for (index, command) in commands.enumerated() {
        let (m, k, n) = (command.extents.m, command.extents.k, command.extents.n)
        (a.base + aBase).update(from: command.a, count: command.a.count)
        (b.base + bBase).update(from: command.b, count: command.b.count)
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
      self.folds = folds
      commandCount = commands.count
    }
  }

  package static func run(
    _ options: SystolicOptions, _ commands: [SystolicCommand], _ run: SystolicStepper.Options
  ) -> SystolicStepper.Run {
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
    return SystolicStepper.Run(
      result: ArrayStepResult(
        commands: seen, cycles: state.clock.cycle, activationElements: state.rowElements,
        weightBeats: state.columnElements, results: state.left),
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

    /// Registers that move right stand in a longer row that is entered one place further left each cycle, and moved back
    /// when the front is reached: element [r][offset + c] is what PE (r, c) sees.
    let slack: Int
    let pitch: Int
    let activation: Plane<Int16>
    /// What moves down is a ring of rows: row (t - r) mod R is what the PEs of row r see in cycle t.
    let weight: Plane<Int16>
    /// [offset + d]: the fold whose products the PEs with r + c = d see, or -1.
    let tag: Plane<Int32>
    let taps: Int
    /// Products of the last cycles, one plane a stage, and the waves that were alive then.
    let products: Plane<Int32>
    var pastWaves: [SystolicWaves]
    let sum: Plane<Int32>
    let output: Plane<Int32>
    /// Triangular skew registers as rings: row t mod R (C) holds what the edge sees in cycle t.
    let rowSkew: Plane<Int16>
    let columnSkew: Plane<Int16>

    var clock: SystolicClock
    /// First and last beat of each stream that still has products in the array, oldest first.
    var streams: [(first: Int, last: Int)] = []
    /// Last products on their way through the array: when they were read, and their fold.
    var lasts: [(time: Int, fold: Int)] = []
    /// Columns that drain: column c shifts in the R cycles from `time + c` (serial: from `time`) on.
    var drains: [(time: Int, fold: Int)] = []
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
      overlapped = options.variant == .overlapped
      recordsEvents = run.recordsEvents
      ports = SystolicPorts(rows: rows, columns: columns)
      taps = rows + columns - 1
      slack = max(64, taps)
      pitch = slack + columns
      activation = Plane(rows * pitch)
      weight = Plane(rows * columns)
      tag = Plane(slack + taps, repeating: -1)
      products = Plane(stages * rows * columns)
      pastWaves = Array(repeating: SystolicWaves(), count: stages)
      sum = Plane(rows * columns)
      output = Plane(rows * columns)
      rowSkew = Plane(rows * rows)
      columnSkew = Plane(columns * columns)
      clock = SystolicClock(freeze: run.freeze)
    }

    mutating func run(_ work: borrowing Work) {
      let folds = work.folds
      seen = (0..<work.commandCount).map { _ in
        ArrayStepResult.Command(issue: 0, end: 0, readA: 0, readB: 0, accumulators: [])
      }
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
        if offset == 0 {
          for r in 0..<rows { activation.move(from: r * pitch, to: r * pitch + slack, count: columns) }
          tag.move(from: 0, to: slack, count: taps)
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
          if folds[current].isFirst { seen[folds[current].command].issue = cycle }
        }
        let flows = current >= 0 && wait == 0
        feed(flows ? folds[current] : nil, step, time, offset, work)
        if flows {
          let fold = folds[current]
          tag[offset] = Int32(current)
          if step == 0 { streams.append((time, time)) }
          streams[streams.count - 1].last = time
          rowElements += rows
          columnElements += columns
          seen[fold.command].readA = cycle + 1
          seen[fold.command].readB = cycle + 1
          if step + 1 == beats(of: fold) { lasts.append((time, current)) }
        }
        if recordsEvents { record(offset, cycle, time, work, flows ? (current, step) : nil) }

        pending -= drain(time, cycle, work)
        sweep(offset, time)
        finish(time)

        // Clock edge of the controller.
        if flows {
          step += 1
          if step == beats(of: folds[current]) { current = -1 }
        } else if current >= 0 {
          wait -= 1
        }
        if let oldest = streams.first, time - oldest.last > taps { streams.removeFirst() }
        clock.advance()
      }
    }

    private func beats(of fold: Fold) -> Int { fault == .stream ? max(1, fold.k - 1) : fold.k }

    /// Takes a vector from each port into the skew registers and gives the edges what they see in this cycle.
    @inline(__always) private func feed(
      _ fold: Fold?, _ step: Int, _ time: Int, _ offset: Int, _ work: borrowing Work
    ) {
      let (rowSlot, columnSlot) = (time % rows, time % columns)
      if let fold {
        let a = work.a.base + fold.aBase + fold.a + step
        let b = work.b.base + fold.bBase + fold.b + step * fold.n
        enter(rowSkew.base, rows, rowSlot) { $0 < fold.rowsUsed ? a[$0 * fold.k] : 0 }
        enter(columnSkew.base, columns, columnSlot) { $0 < fold.columnsUsed ? b[$0] : 0 }
      } else {
        enter(rowSkew.base, rows, rowSlot) { _ in 0 }
        enter(columnSkew.base, columns, columnSlot) { _ in 0 }
      }
      let atRows = rowSkew.base + rowSlot * rows
      for r in 0..<rows { activation[r * pitch + offset] = atRows[r] }
      (weight.base + rowSlot * columns).update(from: columnSkew.base + columnSlot * columns, count: columns)
    }

    /// Lane i is seen i cycles later.
    @inline(__always) private func enter(
      _ ring: UnsafeMutablePointer<Int16>, _ lanes: Int, _ slot: Int, _ value: (Int) -> Int16
    ) {
      var place = slot * lanes
      for lane in 0..<lanes {
        if fault == .skew && lane == lanes - 1 && lane > 0 { place = (place / lanes + lanes - 1) % lanes * lanes }
        ring[place + lane] = value(lane)
        place += lanes
        if place == lanes * lanes { place = 0 }
      }
    }

    /// The wavefronts between the newest and the oldest product in the array.
    @inline(__always) private func alive(_ time: Int) -> SystolicWaves {
      guard let oldest = streams.first, let newest = streams.last else { return SystolicWaves() }
      return SystolicWaves(first: time - newest.last, last: time - oldest.first)
    }

    /// One cycle of all PEs that are alive.
    @inline(__always) private mutating func sweep(_ offset: Int, _ time: Int) {
      let waves = alive(time)
      let stage = stages == 0 ? 0 : time % stages
      var old = SystolicWaves()
      if stages > 0 {
        old = pastWaves[stage]
        pastWaves[stage] = waves
      }
      var ring = time % rows
      for r in 0..<rows {
        let range = waves.columns(ofRow: r, columns)
        let low = range.lowerBound
        let a = activation.base + r * pitch + offset + low
        let w = weight.base + ring * columns + low
        if stages == 0 {
          let s = sum.base + r * columns + low
          for c in 0..<range.count { s[c] = s[c] &+ Int32(a[c]) &* Int32(w[c]) }
        } else {
          let s = sum.base + r * columns
          let q = products.base + (stage * rows + r) * columns
          for c in old.columns(ofRow: r, columns) { s[c] = s[c] &+ q[c] }
          let p = q + low
          for c in 0..<range.count { p[c] = Int32(a[c]) &* Int32(w[c]) }
        }
        ring = ring == 0 ? rows - 1 : ring - 1
      }
    }

    /// What leaves row R-1 this cycle, and the clock edge of the chains that shift. Returns how many left.
    @inline(__always) private mutating func drain(_ time: Int, _ cycle: Int, _ work: borrowing Work) -> Int {
      var count = 0
      let out = overlapped ? output.base : sum.base
      for drain in drains {
        let moving = movingColumns(time - drain.time)
        guard !moving.isEmpty else { continue }
        let fold = work.folds[drain.fold]
        let bottom = out + (rows - 1) * columns
        for c in moving where c < fold.columnsUsed {
          let row = rows - 1 - (time - drain.time - (overlapped ? c : 0))
          guard row < fold.rowsUsed else { continue }
          let word = fold.writtenBase + fold.written + row * fold.n + c
          work.sums[word] = work.sums[word] &+ bottom[c]
        }
        seen[fold.command].end = cycle + 1
        count += moving.count
        // Zeros follow, which clears the accumulators of the serial variant.
        for r in stride(from: rows - 1, to: 0, by: -1) {
          let target = out + r * columns + moving.lowerBound
          target.update(from: target - columns, count: moving.count)
        }
        (out + moving.lowerBound).update(repeating: 0, count: moving.count)
      }
      if let oldest = drains.first, time - oldest.time >= rows - 1 + (overlapped ? columns - 1 : 0) {
        drains.removeFirst()
      }
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
      for last in lasts {
        let d = time - last.time - stages
        if overlapped && d >= 0 && d < taps {
          for r in max(0, d - columns + 1)...min(d, rows - 1) {
            let index = r * columns + d - r
            output[index] = sum[index]
            sum[index] = 0
          }
        }
        if d == (overlapped ? rows - 1 : taps - 1) - early { drains.append((time + 1, last.fold)) }
      }
      if let oldest = lasts.first, time - oldest.time - stages >= taps - 1 { lasts.removeFirst() }
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
        add(ports.row(r), Int32(activation[r * pitch + offset]), to: &events)
      }
      for c in 0..<columns where tag[offset + c] >= 0 {
        add(ports.column(c), Int32(weight[time % rows * columns + c]), to: &events)
      }
      let out = overlapped ? output.base : sum.base
      // A newer drain has reached only columns in front of those where the older still shifts.
      for drain in drains.reversed() {
        for c in movingColumns(time - drain.time) {
          add(ports.result(c), out[(rows - 1) * columns + c], to: &events)
        }
      }
      for isRead in [false, true] {
        for drain in drains.reversed() {
          let fold = work.folds[drain.fold]
          guard !isRead || fold.reads else { continue }
          for c in movingColumns(time - drain.time) where c < fold.columnsUsed {
            let row = rows - 1 - (time - drain.time - (overlapped ? c : 0))
            guard row < fold.rowsUsed else { continue }
            add(isRead ? ports.read(c) : ports.write(c), Int32(fold.written + row * fold.n + c), to: &events)
          }
        }
      }
    }
  }
}
