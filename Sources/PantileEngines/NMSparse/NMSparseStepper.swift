import PantileTensor

/// The register-transfer model of the output-stationary N:M array.
///
/// Registers of PE (r, c): a held group of M activations (moves right), one beat of weight value, index, context and first/last bits
/// (moves down), Lm multiplier stages, L-1 adder stages, I sums, and with the overlapped variant I output registers. A PE selects
/// the activation that the index names, multiplies, and adds to the sum of the beat's context; a first beat starts from zero.
/// When the last context of a column's bottom PE has settled, the column's results shift down, context after context.
///
/// The controller knows no closed form: it starts a fold when the one before has streamed (serial: has left), and waits at its head
/// until results that still drain cannot be met. An accumulator that is read before its previous sum has been written gives wrong
/// values, as in hardware.
package enum NMSparseStepper {
  fileprivate struct Fold {
    var command: Int
    var m0: Int
    var n0: Int
    var m: Int
    var k: Int
    var n: Int
    var aBase: Int
    var bBase: Int
    var outBase: Int
    var isFirst: Bool
    var feed: NMFeed
    /// Cycles of its stream.
    var length: Int
  }

  package static func run(
    _ options: NMSparseOptions, _ inputs: [ArrayStepInput], _ format: ContractionFormat,
    _ run: NMStepperOptions = NMStepperOptions()
  ) -> NMStepperRun {
    let a = Plane<Int16>(widening: inputs.map(\.a))
    let b = Plane<Int16>(widening: inputs.map(\.b))
    let indices = Plane<UInt8>(joining: inputs.lazy.map(\.indices))
    var folds: [Fold] = []
    var (aBase, bBase, outBase) = (0, 0, 0)
    for (command, input) in inputs.enumerated() {
      let (m, k, n) = (input.extents.m, input.extents.k, input.extents.n)
      let slots = k / (format.pattern?.group ?? 1) * (format.pattern?.kept ?? 1)
      let distance = options.adderLatency - (run.fault == .period ? 1 : 0)
      let feed = NMFeed(options, format, slots: slots, distance: distance)
      let length = feed.cycles()
      for m0 in stride(from: 0, to: m, by: options.rows) {
        for n0 in stride(from: 0, to: n, by: options.columns * options.interleave) {
          folds.append(
            Fold(
              command: command, m0: m0, n0: n0, m: m, k: k, n: n, aBase: aBase, bBase: bBase, outBase: outBase,
              isFirst: m0 == 0 && n0 == 0, feed: feed, length: length))
        }
      }
      aBase += input.a.count
      bBase += input.b.count
      outBase += m * n
    }
    let sums = Plane<Int32>(outBase)
    var state = State(options, format, run, commandCount: inputs.count)
    state.run(folds, a, b, indices, sums)
    let commands = state.seen.commands(inputs.map(\.extents), sums.base)
    return NMStepperRun(
      result: ArrayStepResult(
        commands: commands, cycles: state.cycle, activationElements: state.activationElements,
        weightBeats: state.weightBeats, results: state.left),
      events: state.events.inOrder)
  }

  private static let bubble: Int8 = -1
  private static let firstBit: UInt8 = 1
  private static let lastBit: UInt8 = 2

  /// The registers. Lines of registers are places of a plane whose front moves one place to the left each cycle: what entered i cycles
  /// ago stands i places behind the front, and skew registers are the places before it.
  private struct State: ~Copyable {
    let limits: NMSparseOptions.Ports
    let run: NMStepperOptions
    let rows: Int
    let columns: Int
    let contexts: Int
    let pitch: Int
    let kept: Int
    let group: Int
    let isDense: Bool
    let overlapped: Bool
    let ports: NMPorts
    /// One context and an adder of one cycle: a sum is added to in each cycle.
    let isPlain: Bool
    let keepsContexts: Bool
    let productStages: Int
    let sumStages: Int
    let latency: Int
    let depth: Int

    let slack: Int
    let reach: Int
    let rowPlaces: Int
    /// [row][place][element]: PE (r, c) sees place front + c of row r.
    let activation: Plane<Int16>
    /// The group at the left edge: [row][element].
    let edge: Plane<Int16>
    /// [place][column]: PE (r, c) sees place front + r. `select` is the place of the activation in its row's line.
    let value: Plane<Int32>
    let select: Plane<Int32>
    let context: Plane<Int8>
    let flags: Plane<UInt8>
    /// [place]: the fold whose last beat the PEs with r + c = place see, or -1; likewise its first beat.
    let lastOf: Plane<Int32>
    let firstOf: Plane<Int32>
    /// [place]: whether a group enters row r = place for the first time; kept for events alone.
    let arrival: Plane<UInt8>
    /// Pipelines as rings of planes: products wait Lm cycles, sums L-1.
    let product: Plane<Int32>
    let productContext: Plane<Int8>
    let productFlags: Plane<UInt8>
    let pendingSum: Plane<Int32>
    let pendingContext: Plane<Int8>
    let pendingFlags: Plane<UInt8>
    let sum: Plane<Int32>
    let output: Plane<Int32>
    let chain: SystolicShift
    /// Results of a column that have left, and their fold or -1.
    let drainStep: Plane<Int>
    let drainFold: Plane<Int>

    /// See `NMSweep`.
    let zeros = Plane<Int16>(8)

    var cycle = 0
    var lastBeat = Int.min / 2
    /// Cycles since which first and last beats may still be on their way.
    var lastMark = Int.min / 2
    var left = 0
    var activationElements = 0
    var weightBeats = 0
    let seen: SystolicSightings
    var events: [EdgeEvent] = []

    init(
      _ options: NMSparseOptions, _ format: ContractionFormat, _ run: NMStepperOptions, commandCount: Int
    ) {
      limits = options.ports
      self.run = run
      rows = options.rows
      columns = options.columns
      contexts = options.interleave
      pitch = SystolicSweep.pitch(columns)
      kept = format.pattern?.kept ?? 1
      group = format.pattern?.group ?? 1
      isDense = format.pattern == nil
      overlapped = options.variant == .overlapped
      ports = NMPorts(rows: rows, columns: columns, group: group)
      productStages = options.multiplierLatency
      sumStages = max(0, options.adderLatency - 1 - (run.fault == .stage ? 1 : 0))
      // Not `&&`: its closure would capture a value that is not complete.
      isPlain = max(options.interleave - 1, sumStages, productStages) == 0
      keepsContexts = run.recordsEvents ? true : !isPlain
      latency = productStages + sumStages
      depth = rows + columns - 1
      reach = max(rows, columns) + 1
      slack = reach + max(64, depth + latency)
      rowPlaces = slack + pitch
      activation = Plane(rows * rowPlaces * group + 1)
      edge = Plane(rows * group)
      value = Plane((slack + rows) * pitch)
      select = Plane((slack + rows) * pitch)
      context = Plane((slack + rows) * pitch, repeating: bubble)
      flags = Plane((slack + rows) * pitch)
      lastOf = Plane(slack + depth + latency, repeating: -1)
      firstOf = Plane(slack + depth + latency, repeating: -1)
      arrival = Plane(slack + depth + latency)
      let pes = rows * pitch
      product = Plane(productStages * pes)
      productContext = Plane(productStages * pes, repeating: bubble)
      productFlags = Plane(productStages * pes)
      pendingSum = Plane(sumStages * pes)
      pendingContext = Plane(sumStages * pes, repeating: bubble)
      pendingFlags = Plane(sumStages * pes)
      sum = Plane(contexts * pes)
      output = Plane(contexts * pes)
      chain = SystolicShift(pitch: pitch)
      drainStep = Plane(columns)
      drainFold = Plane(columns, repeating: -1)
      seen = SystolicSightings(commandCount)
    }

    mutating func run(
      _ folds: [Fold], _ a: borrowing Plane<Int16>, _ b: borrowing Plane<Int16>, _ indices: borrowing Plane<UInt8>,
      _ sums: borrowing Plane<Int32>
    ) {
      let shortest = rows * contexts + rows - 1 - (run.fault == .slot ? 1 : 0)
      var next = 0
      var current = -1
      var wait = 0
      var pending = 0
      var front = slack
      var feed = folds[0].feed

      while next < folds.count || current >= 0 || pending > 0 {
        // Clock edge of the lines.
        if front == reach {
          for r in 0..<rows {
            let base = r * rowPlaces
            activation.move(
              from: base * group, to: (base + slack - reach) * group, count: (reach + columns) * group)
          }
          value.move(from: 0, to: (slack - reach) * pitch, count: (reach + rows) * pitch)
          select.move(from: 0, to: (slack - reach) * pitch, count: (reach + rows) * pitch)
          context.move(from: 0, to: (slack - reach) * pitch, count: (reach + rows) * pitch)
          flags.move(from: 0, to: (slack - reach) * pitch, count: (reach + rows) * pitch)
          lastOf.move(from: reach, to: slack, count: depth + latency)
          firstOf.move(from: reach, to: slack, count: depth + latency)
          arrival.move(from: reach, to: slack, count: depth + latency)
          front = slack
        }
        front -= 1
        lastOf[front] = -1
        firstOf[front] = -1

        // Controller and edge.
        if current < 0 && next < folds.count && (overlapped || pending <= (run.fault == .turn ? columns : 0)) {
          current = next
          next += 1
          pending += rows * columns * contexts
          let fold = folds[current]
          feed = fold.feed
          wait = overlapped ? max(0, shortest - fold.length) : 0
          if fold.isFirst { seen.issue[fold.command] = cycle }
        }
        var entry = NMFeed.Entry()
        if current >= 0 && wait == 0 {
          entry = feed.step()
          enter(folds[current], entry, a)
          if entry.slot == 0 && entry.context == 0 {
            firstOf[front] = Int32(truncatingIfNeeded: current)
            lastMark = cycle
          }
          if feed.isDone {
            lastOf[front] = Int32(truncatingIfNeeded: current)
            lastMark = cycle
          }
        }
        if cycle - lastBeat <= depth { spread(front) }
        if entry.slot >= 0 {
          takeBeat(folds[current], entry, b, indices, front)
        } else {
          takeBubble(front)
        }
        arrival[front] = entry.group >= 0 ? 1 : 0
        if run.recordsEvents { record(folds, front, current >= 0 ? (current, entry) : nil) }

        if pending > 0 { pending -= drain(folds, sums) }
        if cycle - lastBeat <= depth + latency {
          if isPlain { sweepPlain(front) } else { sweep(front) }
        }
        if cycle - lastMark <= depth + latency { startDrains(front) }

        // Clock edge of the controller.
        if current >= 0 {
          if wait > 0 {
            wait -= 1
          } else if feed.isDone || (run.fault == .stream && entry.slot >= 0 && feed.isAlmostDone) {
            current = -1
          }
        }
        cycle += 1
      }
    }

    /// A group that enters stays at the edge until the next.
    @inline(__always) private mutating func enter(
      _ fold: Fold, _ entry: NMFeed.Entry, _ a: borrowing Plane<Int16>
    ) {
      if entry.group >= 0 {
        for r in 0..<rows {
          let target = edge.base + r * group
          if fold.m0 + r < fold.m {
            NMSweep.copy(a.base + (fold.aBase + (fold.m0 + r) * fold.k + entry.group * group), target, group)
          } else {
            target.update(repeating: 0, count: group)
          }
        }
        activationElements += rows * group
        seen.rowRead[fold.command] = cycle + 1
      }
      if entry.slot >= 0 {
        weightBeats += columns
        seen.columnRead[fold.command] = cycle + 1
        lastBeat = cycle
      }
    }

    /// The group at the edge goes into the skew registers: row r sees it r cycles later.
    @inline(__always) private func spread(_ front: Int) {
      var target = activation.base + front * group
      let step = (rowPlaces - 1) * group
      for r in 0..<rows {
        let skew = run.fault == .skew && r == rows - 1 && r > 0 ? group : 0
        NMSweep.copy(edge.base + r * group, target + skew, group)
        target += step
      }
    }

    /// Pairs go into the skew registers: column c sees its own c cycles later.
    @inline(__always) private func takeBeat(
      _ fold: Fold, _ entry: NMFeed.Entry, _ b: borrowing Plane<Int16>,
      _ indices: borrowing Plane<UInt8>, _ front: Int
    ) {
      let bits: UInt8 = (entry.slot == 0 ? firstBit : 0) | (entry.slot + 1 == slots(fold) ? lastBit : 0)
      let source = fold.bBase + entry.slot * fold.n
      var place = front * pitch
      for c in 0..<columns {
        let column = fold.n0 + c * contexts + entry.context
        let inside = column < fold.n
        value[place] = inside ? NMSweep.word(b[source + column]) : 0
        select[place] = Int32(
          truncatingIfNeeded: c * group + (inside && !isDense ? Int(indices[source + column]) : 0))
        if keepsContexts {
          context[place] = Int8(truncatingIfNeeded: entry.context)
          flags[place] = bits
        }
        place -= pitch - 1
      }
    }

    private func slots(_ fold: Fold) -> Int { fold.k / group * kept }

    @inline(__always) private func takeBubble(_ front: Int) {
      var place = front * pitch
      for c in 0..<columns {
        value[place] = 0
        select[place] = Int32(truncatingIfNeeded: c * group)
        if keepsContexts { context[place] = bubble }
        place -= pitch - 1
      }
    }

    /// One cycle of all PEs of the plain array. What a first and a last beat do to a PE is done along their wave.
    @inline(__always) private func sweepPlain(_ front: Int) {
      let isMarked = cycle - lastMark < depth
      if isMarked { mark(firstOf.base + front) { sum[$0] = 0 } }
      let all = Range(uncheckedBounds: (0, pitch / SystolicSweep.lanes))
      let zero = UnsafeRawPointer(zeros.base).loadUnaligned(as: SIMD8<Int16>.self)
      for r in 0..<rows {
        let (at, place) = (r * pitch, (front + r) * pitch)
        NMSweep.multiplyAdd(
          activation.base + (r * rowPlaces + front) * group, select.base + place, value.base + place, sum.base + at,
          sum.base + at, all, zero)
      }
      if isMarked && overlapped { mark(lastOf.base + front) { output[$0] = sum[$0] } }
    }

    /// Every PE whose diagonal carries a tag.
    @inline(__always) private func mark(_ tags: UnsafeMutablePointer<Int32>, _ body: (Int) -> Void) {
      for d in 0..<depth where tags[d] >= 0 {
        for r in max(0, d - columns + 1)...min(d, rows - 1) { body(r * pitch + d - r) }
      }
    }

    /// One cycle of all PEs with contexts and pipelines.
    @inline(__always) private func sweep(_ front: Int) {
      let pes = rows * pitch
      let productBase = productStages > 0 ? cycle % productStages * pes : 0
      let sumBase = sumStages > 0 ? cycle % sumStages * pes : 0
      for r in 0..<rows {
        let held = activation.base + (r * rowPlaces + front) * group
        for c in 0..<columns {
          let (pe, beat) = (r * pitch + c, (front + r) * pitch + c)
          // Multiplier: this cycle's product enters, the one of Lm cycles ago leaves.
          var i = context[beat]
          var bits = flags[beat]
          var term = Int32(held[Int(select[beat])]) &* Int32(NMSweep.weight(value[beat]))
          if productStages > 0 {
            let at = productBase + pe
            (term, product[at]) = (product[at], term)
            (i, productContext[at]) = (productContext[at], i)
            (bits, productFlags[at]) = (productFlags[at], bits)
          }
          // Adder: reads the sum as it stands now; the new one is written L-1 cycles later.
          var total: Int32 = 0
          if i >= 0 { total = (bits & firstBit != 0 ? 0 : sum[Int(i) * pes + pe]) &+ term }
          if sumStages > 0 {
            let at = sumBase + pe
            (total, pendingSum[at]) = (pendingSum[at], total)
            (i, pendingContext[at]) = (pendingContext[at], i)
            (bits, pendingFlags[at]) = (pendingFlags[at], bits)
          }
          guard i >= 0 else { continue }
          sum[Int(i) * pes + pe] = total
          if overlapped && bits & lastBit != 0 { output[Int(i) * pes + pe] = total }
        }
      }
    }

    /// What leaves row R-1 in this cycle. Returns how many results did.
    @inline(__always) private mutating func drain(_ folds: [Fold], _ sums: borrowing Plane<Int32>) -> Int {
      let pes = rows * pitch
      let out = overlapped ? output.base : sum.base
      var count = 0
      var c = 0
      while c < columns {
        if drainFold[c] < 0 {
          c += 1
          continue
        }
        // Neighbours that shift the same context move together.
        let first = c
        let i = drainStep[c] / rows
        let plane = out + i * pes
        while c < columns && drainFold[c] >= 0 && drainStep[c] / rows == i {
          let fold = folds[drainFold[c]]
          let row = fold.m0 + rows - 1 - drainStep[c] % rows
          let column = fold.n0 + c * contexts + i
          let value = plane[(rows - 1) * pitch + c]
          let isReal = row < fold.m && column < fold.n
          let word = row * fold.n + column
          if isReal { sums[fold.outBase + word] = sums[fold.outBase + word] &+ value }
          if run.recordsEvents {
            events.append(EdgeEvent(cycle: cycle, port: ports.result(c), value: value))
            if isReal { events.append(EdgeEvent(cycle: cycle, port: ports.write(c), value: Int32(word))) }
          }
          seen.end[fold.command] = cycle + 1
          count += 1
          drainStep[c] += 1
          if drainStep[c] == rows * contexts { drainFold[c] = -1 }
          c += 1
        }
        chain.shiftDown(plane, rows: rows, first..<c)
      }
      left += count
      return count
    }

    /// A column whose bottom PE has settled drains from the next cycle on; serial: all columns with the last one.
    @inline(__always) private func startDrains(_ front: Int) {
      let early = run.fault == .drain ? 1 : 0
      for c in 0..<columns {
        let place = max(0, (overlapped ? rows - 1 + c : depth - 1) + latency - early)
        let fold = lastOf[front + place]
        if fold >= 0 {
          drainFold[c] = Int(fold)
          drainStep[c] = 0
        }
      }
    }

    /// What the edges see in this cycle.
    private mutating func record(_ folds: [Fold], _ front: Int, _ entering: (fold: Int, entry: NMFeed.Entry)?) {
      func add(_ port: Int, _ value: Int32, to events: inout [EdgeEvent]) {
        events.append(EdgeEvent(cycle: cycle, port: port, value: value))
      }
      if let entering {
        let fold = folds[entering.fold]
        if entering.entry.group >= 0 {
          add(ports.activationMemory, Int32(fold.m0 * fold.k + entering.entry.group * group), to: &events)
        }
        if entering.entry.slot >= 0 { add(ports.weightMemory, Int32(entering.entry.slot), to: &events) }
      }
      for r in 0..<rows where arrival[front + r] > 0 {
        for e in 0..<group {
          add(ports.row(r, e), Int32(activation[(r * rowPlaces + front) * group + e]), to: &events)
        }
      }
      for c in 0..<columns where context[front * pitch + c] >= 0 {
        let place = front * pitch + c
        add(ports.value(c), Int32(NMSweep.weight(value[place])), to: &events)
        add(ports.index(c), select[place] - Int32(c * group), to: &events)
      }
    }
  }
}
