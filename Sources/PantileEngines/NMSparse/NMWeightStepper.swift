import PantileTensor

/// The register-transfer model of the weight-stationary N:M array.
///
/// Registers of PE (r, c): a group of M activations (moves right, a column a cycle), value and index that stay, a shadow pair unless
/// serial, Lm products, and L sums on their way through the adder to the row below. Beats of value and index move down the column
/// through L registers a row, as the sums do, and carry the number of their row: the PE of that row takes the pair. A mark
/// enters with the first cycle of a stream, also when its first vector is still collected: the PE that sees it takes its shadow pair. Row r stands r·L registers behind row 0 at
/// the left edge, column c stands c registers behind column 0 at the upper edge. A sum that leaves row R-1 is added into the
/// accumulators in the same cycle.
///
/// The ports fill buffers at the edges: a vector of activations or a beat of weights enters in the cycle in which its last part comes.
///
/// The controller loads a fold when the shadow registers are free and the running stream has at most as many cycles left as the load
/// takes (the first of a command: as rows), and streams when the pairs stand and the port is free. It knows no closed form.
package enum NMWeightStepper {
  /// A fold of a command: groups g0 ..< g0+groups and columns c0 ..< c0+columnsUsed.
  private struct Fold {
    var command: Int
    var g0: Int
    var groups: Int
    var c0: Int
    var columnsUsed: Int
    var m: Int
    var k: Int
    var n: Int
    var aBase: Int
    var bBase: Int
    var outBase: Int
    var isFirst: Bool
    /// Whether its sums are added to what earlier folds have written.
    var reads: Bool
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
    let (kept, group) = (format.pattern?.kept ?? 1, format.pattern?.group ?? 1)
    let groupsOfFold = options.rows / kept
    for (command, input) in inputs.enumerated() {
      let (m, k, n) = (input.extents.m, input.extents.k, input.extents.n)
      for c0 in stride(from: 0, to: n, by: options.columns) {
        for g0 in stride(from: 0, to: k / group, by: groupsOfFold) {
          folds.append(
            Fold(
              command: command, g0: g0, groups: min(groupsOfFold, k / group - g0), c0: c0,
              columnsUsed: min(options.columns, n - c0), m: m, k: k, n: n, aBase: aBase, bBase: bBase,
              outBase: outBase, isFirst: c0 == 0 && g0 == 0, reads: g0 > 0))
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
      events: state.events)
  }

  /// The registers. Lines of registers are places of a plane whose front moves one place to the left each cycle: what entered i cycles
  /// ago stands i places behind the front.
  private struct State: ~Copyable {
    let limits: NMSparseOptions.Ports
    let run: NMStepperOptions
    let rows: Int
    let columns: Int
    let pitch: Int
    let kept: Int
    let group: Int
    let isDense: Bool
    let isSerial: Bool
    /// Cycles from row to row.
    let hop: Int
    /// Cycles of the adder, the same unless a fault is planted.
    let adderStages: Int
    let productStages: Int
    let ports: NMPorts
    let weightBits: Int
    let indexBits: Int

    /// [row][place][element]: PE (r, c) sees place front + c of row r; the r·L places in front of that are the row's skew registers.
    let activation: Plane<Int16>
    let slack: Int
    let reach: Int
    let rowPlaces: Int
    /// [place]: row of the stream and fold that the PEs with r·L + c = place see, or -1.
    let tagRow: Plane<Int32>
    let tagFold: Plane<Int32>
    let taps: Int
    /// [place][column]: the beats; PE (r, c) sees place r·L + c.
    let beatValue: Plane<Int16>
    let beatIndex: Plane<UInt8>
    let beatRow: Plane<Int32>
    let beatTaps: Int
    let beatSlack: Int

    /// What stays: value, and the place of the selected activation in row r's line; shadow pairs likewise.
    let value: Plane<Int32>
    let select: Plane<Int32>
    let shadowValue: Plane<Int32>
    let shadowSelect: Plane<Int32>
    /// One plane a stage.
    let products: Plane<Int32>
    /// One plane a cycle of the adder; row r + 1 holds what the PEs of row r add, row 0 the zeros that enter from above.
    let partial: Plane<Int32>
    let partialSize: Int

    /// See `NMSweep`.
    let zeros = Plane<Int16>(8)

    var cycle = 0
    /// Streams that still have rows in the array: their start, and cycles at the port.
    var streams: SystolicQueue
    var lastVector = -1
    var lastBeat = Int.min / 2
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
      pitch = SystolicSweep.pitch(columns)
      kept = format.pattern?.kept ?? 1
      group = format.pattern?.group ?? 1
      isDense = format.pattern == nil
      isSerial = options.variant == .serial
      weightBits = format.weightBits
      indexBits = format.pattern?.indexBits ?? 0
      hop = options.adderLatency
      adderStages = max(1, hop - (run.fault == .stage ? 1 : 0))
      productStages = options.multiplierLatency
      ports = NMPorts(rows: rows, columns: columns, group: group)
      taps = (rows - 1) * hop + columns + productStages + hop - 1
      reach = (rows - 1) * hop + 1
      slack = reach + max(64, taps)
      rowPlaces = slack + pitch
      activation = Plane(rows * rowPlaces * group + 1)
      tagRow = Plane(slack + taps, repeating: -1)
      tagFold = Plane(slack + taps)
      beatTaps = (rows - 1) * hop + columns
      beatSlack = max(64, beatTaps)
      beatValue = Plane((beatSlack + beatTaps) * columns)
      beatIndex = Plane((beatSlack + beatTaps) * columns)
      beatRow = Plane(beatSlack + beatTaps, repeating: -1)
      value = Plane(rows * pitch)
      select = Plane(rows * pitch)
      shadowValue = Plane(rows * pitch)
      shadowSelect = Plane(rows * pitch)
      products = Plane(productStages * rows * pitch)
      partialSize = (rows + 1) * pitch
      partial = Plane(adderStages * partialSize)
      streams = SystolicQueue(capacity: taps + 4)
      seen = SystolicSightings(commandCount)
    }

    mutating func run(
      _ folds: [Fold], _ a: borrowing Plane<Int16>, _ b: borrowing Plane<Int16>, _ indices: borrowing Plane<UInt8>,
      _ sums: borrowing Plane<Int32>
    ) {
      let loadCycles = loadCycles()
      var (nextLoad, loading, standing, streaming) = (0, -1, -1, -1)
      var loadStep = 0
      var (loadedBits, loadedIndexBits) = (0, 0)
      var row = 0
      var streamCycle = 0
      var collected = 0
      var outstanding = 0
      var front = slack
      var beatFront = beatSlack
      let usedRows = rows / kept * kept
      let vector = rows / kept * group
      // What the controller is set to.
      let vectorCycles = limits.activation == 0 ? 1 : ceilDiv(vector, limits.activation)

      while nextLoad < folds.count || loading >= 0 || standing >= 0 || streaming >= 0 || outstanding > 0 {
        // Clock edge of the lines.
        if front == reach {
          for r in 0..<rows {
            let base = r * rowPlaces
            activation.move(
              from: base * group, to: (base + slack - reach) * group, count: (reach + columns) * group)
          }
          tagRow.move(from: reach, to: slack, count: taps)
          tagFold.move(from: reach, to: slack, count: taps)
          front = slack
        }
        front -= 1
        tagRow[front] = -1
        if beatFront == 0 {
          beatValue.move(from: 0, to: beatSlack * columns, count: beatTaps * columns)
          beatIndex.move(from: 0, to: beatSlack * columns, count: beatTaps * columns)
          beatRow.move(from: 0, to: beatSlack, count: beatTaps)
          beatFront = beatSlack
        }
        beatFront -= 1
        beatRow[beatFront] = -1

        // Stream control: a vector enters when its last part has come.
        if streaming < 0 && standing >= 0 {
          streaming = standing
          standing = -1
          (row, streamCycle, collected) = (0, 0, 0)
          streams.append(cycle, folds[streaming].m * vectorCycles)
        }
        let isStreaming = streaming >= 0
        var entersVector = false
        if isStreaming {
          collected += limits.activation == 0 ? vector : limits.activation
          entersVector = collected >= vector
        }
        if entersVector {
          let fold = folds[streaming]
          readVector(fold, a, row, front, usedRows)
          tagRow[front] = Int32(truncatingIfNeeded: row)
          tagFold[front] = Int32(truncatingIfNeeded: streaming)
          lastVector = cycle
          outstanding += columns
          activationElements += fold.groups * group
          seen.rowRead[fold.command] = cycle + 1
        }

        // Load control.
        if loading < 0 && standing < 0 && nextLoad < folds.count {
          let next = folds[nextLoad]
          let cyclesLeft = isStreaming ? folds[streaming].m * vectorCycles - streamCycle : 0
          let mayLoad =
            isSerial
            ? !isStreaming && outstanding <= (run.fault == .turn ? 1 : 0)
            : cyclesLeft <= (next.isFirst ? rows : loadCycles)
          if mayLoad {
            loading = nextLoad
            nextLoad += 1
            (loadStep, loadedBits, loadedIndexBits) = (0, 0, 0)
            if next.isFirst { seen.issue[next.command] = cycle }
          }
        }
        if loading >= 0 {
          loadedBits += limits.weight
          loadedIndexBits += limits.metadata
          if hasBeat(loadStep + 1, loadedBits, loadedIndexBits) {
            readBeat(folds[loading], b, indices, rows - 1 - loadStep, beatFront)
            lastBeat = cycle
            weightBeats += columns
            seen.columnRead[folds[loading].command] = cycle + 1
            loadStep += 1
          }
        }

        if !isSerial { swap() }
        sweep(front)
        if outstanding > 0 { outstanding -= collect(folds, sums, front) }
        if run.recordsEvents {
          record(folds, front, beatFront, entersVector ? (streaming, row) : nil, usedRows)
        }

        // Clock edge of what stays, and of the controller.
        if cycle - lastBeat <= beatTaps { latch(beatFront) }
        if loading >= 0 && loadStep >= (run.fault == .load ? max(1, rows - 1) : rows) {
          standing = loading
          loading = -1
        }
        if isStreaming {
          streamCycle += 1
          if entersVector {
            row += 1
            collected = 0
            if row >= folds[streaming].m - (run.fault == .stream ? 1 : 0) { streaming = -1 }
          }
        }
        if streams.count > 0, cycle - streams.time(0) - streams.fold(0) >= taps { streams.removeFirst() }
        cycle += 1
      }
    }

    /// Cycles until the ports have brought R beats.
    private func loadCycles() -> Int {
      var (cycles, beats) = (0, 0)
      while beats < rows {
        cycles += 1
        if hasBeat(beats + 1, cycles * limits.weight, cycles * limits.metadata) { beats += 1 }
      }
      return cycles
    }

    /// Whether the bits that have come are enough for so many beats.
    @inline(__always) private func hasBeat(_ beats: Int, _ bits: Int, _ indexBits: Int) -> Bool {
      let besides = limits.metadata == 0 ? self.indexBits : 0
      if limits.weight > 0 && bits < beats * columns * (weightBits + besides) { return false }
      return limits.metadata == 0 || indexBits >= beats * columns * self.indexBits
    }

    /// Takes row `row` of A into the skew registers: N rows of PEs next to each other take the same group.
    @inline(__always) private func readVector(
      _ fold: Fold, _ a: borrowing Plane<Int16>, _ row: Int, _ front: Int, _ usedRows: Int
    ) {
      let source = a.base + (fold.aBase + row * fold.k + fold.g0 * group)
      let lineStep = (rowPlaces - hop) * group
      var target = activation.base + front * group
      var r = 0
      for g in 0..<usedRows / kept {
        for _ in 0..<kept {
          let place = run.fault == .skew && r == rows - 1 && r > 0 ? target + group : target
          if g < fold.groups {
            NMSweep.copy(source + g * group, place, group)
          } else {
            place.update(repeating: 0, count: group)
          }
          target += lineStep
          r += 1
        }
      }
    }

    /// Takes the pairs of one row of PEs into the skew registers of the columns; rows and columns of padding take zeros.
    private func readBeat(
      _ fold: Fold, _ b: borrowing Plane<Int16>, _ indices: borrowing Plane<UInt8>, _ row: Int, _ front: Int
    ) {
      beatRow[front] = Int32(truncatingIfNeeded: row)
      let used = row < fold.groups * kept ? fold.columnsUsed : 0
      let source = fold.bBase + (fold.g0 * kept + row) * fold.n + fold.c0
      for c in 0..<columns {
        beatValue[front * columns + c] = c < used ? b[source + c] : 0
        beatIndex[front * columns + c] = c < used && !isDense ? indices[source + c] : 0
      }
    }

    /// Swap wave: PE (r, c) that sees the start of a stream takes its shadow pair.
    @inline(__always) private func swap() {
      var index = streams.count - 1
      while index >= 0 {
        let d = cycle - streams.time(index)
        if d >= beatTaps { return }
        for r in 0..<rows {
          let c = d - r * hop
          if c < 0 { break }
          if c >= columns { continue }
          value[r * pitch + c] = shadowValue[r * pitch + c]
          select[r * pitch + c] = shadowSelect[r * pitch + c]
        }
        index -= 1
      }
    }

    /// Clock edge of the pairs: PE (r, c) that sees the beat of its row takes it.
    private func latch(_ front: Int) {
      let (toValue, toSelect) = isSerial ? (value.base, select.base) : (shadowValue.base, shadowSelect.base)
      for r in 0..<rows {
        let place = front + r * hop
        for c in 0..<columns where beatRow[place + c] == Int32(truncatingIfNeeded: r) {
          toValue[r * pitch + c] = NMSweep.word(beatValue[(place + c) * columns + c])
          toSelect[r * pitch + c] = Int32(truncatingIfNeeded: c * group + Int(beatIndex[(place + c) * columns + c]))
        }
      }
    }

    /// One cycle of all PEs that are alive, bottom row first so that each still sees the old sum above it.
    @inline(__always) private mutating func sweep(_ front: Int) {
      // A plane of the adder is used again when its sums arrive in the row below.
      let stage = partial.base + cycle % adderStages * partialSize
      if streams.count == 0 { return }
      let waves = SystolicWaves(first: cycle - lastVector - productStages, last: cycle - streams.time(0))
      if waves.last < waves.first { return }
      let product = productStages == 0 ? nil : products.base + cycle % productStages * rows * pitch
      let zero = UnsafeRawPointer(zeros.base).loadUnaligned(as: SIMD8<Int16>.self)
      var r = rows - 1
      while r >= 0 {
        let chunks = SystolicWaves(first: waves.first - r * (hop - 1), last: waves.last - r * (hop - 1))
          .chunks(ofRow: r, columns)
        let a = activation.base + (r * rowPlaces + front) * group
        let at = r * pitch
        if let product {
          SystolicSweep.add(product + at, stage + at, stage + at + pitch, chunks)
          NMSweep.multiply(a, select.base + at, value.base + at, product + at, chunks, zero)
        } else {
          NMSweep.multiplyAdd(a, select.base + at, value.base + at, stage + at, stage + at + pitch, chunks, zero)
        }
        r -= 1
      }
    }

    /// Sums that leave row R-1 go into the accumulators. Returns how many left.
    @inline(__always) private mutating func collect(
      _ folds: [Fold], _ sums: borrowing Plane<Int32>, _ front: Int
    ) -> Int {
      let place = front + (rows - 1) * hop + productStages + hop - 1
      let bottom = partial.base + (cycle + 1) % adderStages * partialSize + rows * pitch
      let (tags, owners) = (tagRow.base + place, tagFold.base + place)
      var count = 0
      var c = 0
      while c < columns {
        if tags[c] < 0 {
          c &+= 1
          continue
        }
        // Neighbours belong to the same fold, as a rule, and to rows one apart.
        let owner = owners[c]
        let fold = folds[Int(owner)]
        let (used, n) = (fold.columnsUsed, fold.n)
        let base = sums.base + (fold.outBase + fold.c0)
        while c < columns && tags[c] >= 0 && owners[c] == owner {
          if c < used {
            let word = base + (Int(tags[c]) &* n &+ c)
            word.pointee = word.pointee &+ bottom[c]
          }
          count &+= 1
          c &+= 1
        }
        seen.end[fold.command] = cycle + 1
      }
      left += count
      return count
    }

    /// What every port does in this cycle, in the order of ports.
    private mutating func record(
      _ folds: [Fold], _ front: Int, _ beatFront: Int, _ vector: (fold: Int, row: Int)?, _ usedRows: Int
    ) {
      func add(_ port: Int, _ value: Int32, to events: inout [EdgeEvent]) {
        events.append(EdgeEvent(cycle: cycle, port: port, value: value))
      }
      if let vector {
        let fold = folds[vector.fold]
        add(ports.activationMemory, Int32(vector.row * fold.k + fold.g0 * group), to: &events)
      }
      if beatRow[beatFront] >= 0 { add(ports.weightMemory, beatRow[beatFront], to: &events) }
      for r in 0..<usedRows where tagRow[front + r * hop] >= 0 {
        for e in 0..<group {
          add(ports.row(r, e), Int32(activation[(r * rowPlaces + front) * group + e]), to: &events)
        }
      }
      for c in 0..<columns where beatRow[beatFront + c] >= 0 {
        add(ports.value(c), Int32(beatValue[(beatFront + c) * columns + c]), to: &events)
      }
      for c in 0..<columns where beatRow[beatFront + c] >= 0 {
        add(ports.index(c), Int32(beatIndex[(beatFront + c) * columns + c]), to: &events)
      }
      let place = front + (rows - 1) * hop + productStages + hop - 1
      let bottom = partial.base + (cycle + 1) % adderStages * partialSize + rows * pitch
      for c in 0..<columns where tagRow[place + c] >= 0 { add(ports.result(c), bottom[c], to: &events) }
      for isRead in [false, true] {
        for c in 0..<columns where tagRow[place + c] >= 0 {
          let fold = folds[Int(tagFold[place + c])]
          guard c < fold.columnsUsed && (!isRead || fold.reads) else { continue }
          let word = Int(tagRow[place + c]) * fold.n + fold.c0 + c
          add(isRead ? ports.read(c) : ports.write(c), Int32(word), to: &events)
        }
      }
    }
  }
}
