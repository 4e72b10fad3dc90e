/// The closed form of what passes a systolic array's ports: for each fold and port the first cycle, the number of beats (one a
/// cycle) and an affine pattern of elements. Nothing is stepped.
package struct SystolicEdges {
  /// The beats of one port in one fold.
  package struct Use: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
      /// The address itself: element j·step + first of an operand or of the accumulators.
      case address(first: Int, step: Int)
      /// An element of the operand that enters at the rows, or at the columns.
      case rowElement(first: Int, step: Int)
      case columnElement(first: Int, step: Int)
      /// A padding lane.
      case zero
      /// The sum over the fold's reduction; result row `first + j·step` of one column.
      case sum(first: Int, step: Int, column: Int)
    }
    package var port: Int
    /// From the command's issue.
    package var first: Int
    package var count: Int
    package var value: Value
  }

  private let options: SystolicOptions
  private let extents: TileExtents
  private let accumulates: Bool
  private let ports: SystolicPorts
  private let fold: SystolicFold

  package let foldCount: Int

  package init(_ options: SystolicOptions, _ extents: TileExtents, accumulates: Bool = false) {
    self.options = options
    self.extents = extents
    self.accumulates = accumulates
    ports = SystolicPorts(rows: options.rows, columns: options.columns)
    let (count, stream) = SystolicTiming.folds(options, extents)
    foldCount = count
    fold = SystolicFold(options, stream: stream)
  }

  /// What each port does in a fold, ports in order; ports that do nothing are left out.
  package func uses(of index: Int) -> [Use] {
    let start = fold.lead + index * fold.distance(to: fold)
    switch options.dataflow {
    case .weightStationary, .inputStationary: return stationaryUses(index, start)
    case .outputStationary: return outputUses(index, start)
    }
  }

  private func stationaryUses(_ index: Int, _ start: Int) -> [Use] {
    let (r, c) = (options.rows, options.columns)
    let (m, k, n) = (extents.m, extents.k, extents.n)
    let isExchanged = options.dataflow == .inputStationary
    // Strides of the streamed operand (beat, lane), the loaded one (row, lane) and the result (beat, lane).
    let streamed = isExchanged ? (1, n) : (k, 1)
    let loaded = isExchanged ? (1, k) : (n, 1)
    let written = isExchanged ? (1, n) : (n, 1)
    let (beats, lanes) = isExchanged ? (n, m) : (m, n)
    let foldsK = ceilDiv(k, r)
    let (k0, c0) = (index % foldsK * r, index / foldsK * c)
    let rowsUsed = min(r, k - k0)
    let columnsUsed = min(c, lanes - c0)
    var uses = [
      Use(
        port: ports.rowMemory, first: start, count: beats, value: .address(first: k0 * streamed.1, step: streamed.0)),
      // The last row enters first; rows beyond K are not read.
      Use(
        port: ports.columnMemory, first: start - rowsUsed, count: rowsUsed,
        value: .address(first: (k0 + rowsUsed - 1) * loaded.0 + c0 * loaded.1, step: -loaded.0)),
    ]
    for row in 0..<r {
      uses.append(
        Use(
          port: ports.row(row), first: start + row, count: beats,
          value: row < rowsUsed ? .rowElement(first: (k0 + row) * streamed.1, step: streamed.0) : .zero))
    }
    for column in 0..<c {
      let skew = options.variant == .skewed ? column : 0
      let used = column < columnsUsed ? rowsUsed : 0
      if used < r {
        uses.append(Use(port: ports.column(column), first: start - r + skew, count: r - used, value: .zero))
      }
      if used > 0 {
        uses.append(
          Use(
            port: ports.column(column), first: start - used + skew, count: used,
            value: .columnElement(
              first: (k0 + used - 1) * loaded.0 + (c0 + column) * loaded.1, step: -loaded.0)))
      }
    }
    let leaves = start + (r - 1) + (options.peLatency - 1)
    for column in 0..<c {
      uses.append(
        Use(
          port: ports.result(column), first: leaves + column, count: beats,
          value: .sum(first: 0, step: 1, column: column)))
    }
    for isRead in [false, true] where !isRead || k0 > 0 || accumulates {
      for column in 0..<columnsUsed {
        uses.append(
          Use(
            port: isRead ? ports.read(column) : ports.write(column), first: leaves + column, count: beats,
            value: .address(first: (c0 + column) * written.1, step: written.0)))
      }
    }
    return uses
  }

  private func outputUses(_ index: Int, _ start: Int) -> [Use] {
    let (r, c) = (options.rows, options.columns)
    let (m, k, n) = (extents.m, extents.k, extents.n)
    let foldsN = ceilDiv(n, c)
    let (m0, n0) = (index / foldsN * r, index % foldsN * c)
    let rowsUsed = min(r, m - m0)
    let columnsUsed = min(c, n - n0)
    var uses = [
      Use(port: ports.rowMemory, first: start, count: k, value: .address(first: m0 * k, step: 1)),
      Use(port: ports.columnMemory, first: start, count: k, value: .address(first: n0, step: n)),
    ]
    for row in 0..<r {
      uses.append(
        Use(
          port: ports.row(row), first: start + row, count: k,
          value: row < rowsUsed ? .rowElement(first: (m0 + row) * k, step: 1) : .zero))
    }
    for column in 0..<c {
      uses.append(
        Use(
          port: ports.column(column), first: start + column, count: k,
          value: column < columnsUsed ? .columnElement(first: n0 + column, step: n) : .zero))
    }
    // The last row leaves first.
    func leaves(_ column: Int) -> Int {
      start + k + (r - 1) + (options.peLatency - 1) + (options.variant == .serial ? c - 1 : column)
    }
    for column in 0..<c {
      uses.append(
        Use(
          port: ports.result(column), first: leaves(column), count: r,
          value: .sum(first: r - 1, step: -1, column: column)))
    }
    for isRead in [false, true] where !isRead || accumulates {
      for column in 0..<columnsUsed {
        uses.append(
          Use(
            port: isRead ? ports.read(column) : ports.write(column), first: leaves(column) + r - rowsUsed,
            count: rowsUsed, value: .address(first: (m0 + rowsUsed - 1) * n + n0 + column, step: -n)))
      }
    }
    return uses
  }
}

extension SystolicEdges {
  /// Every event of commands that run back to back, in the order of cycle and port.
  package static func events(_ options: SystolicOptions, _ commands: [SystolicCommand]) -> [EdgeEvent] {
    var events: [EdgeEvent] = []
    var issue = 0
    for command in commands {
      let edges = SystolicEdges(options, command.extents, accumulates: command.accumulates)
      for fold in 0..<edges.foldCount {
        let sums = edges.sums(fold, command)
        for use in edges.uses(of: fold) { edges.append(use, issue, sums, command, to: &events) }
      }
      issue += SystolicTiming.timing(options, command.extents).nextIssue
    }
    return ordered(events, ports: SystolicPorts(rows: options.rows, columns: options.columns).count)
  }

  private func append(
    _ use: Use, _ issue: Int, _ sums: [Int32], _ command: SystolicCommand, to events: inout [EdgeEvent]
  ) {
    let isExchanged = options.dataflow == .inputStationary
    for beat in 0..<use.count {
      let value: Int32
      switch use.value {
      case .zero: value = 0
      case .address(let first, let step): value = Int32(first + beat * step)
      case .rowElement(let first, let step):
        value = Int32((isExchanged ? command.b : command.a)[first + beat * step])
      case .columnElement(let first, let step):
        value = Int32((isExchanged ? command.a : command.b)[first + beat * step])
      case .sum(let first, let step, let column):
        value = sums[(first + beat * step) * options.columns + column]
      }
      events.append(EdgeEvent(cycle: issue + use.first + beat, port: use.port, value: value))
    }
  }

  /// The sums that leave in a fold: [beat or row, column], zero in padding lanes.
  private func sums(_ index: Int, _ command: SystolicCommand) -> [Int32] {
    let (r, c) = (options.rows, options.columns)
    let (m, k, n) = (extents.m, extents.k, extents.n)
    let isExchanged = options.dataflow == .inputStationary
    let isOutput = options.dataflow == .outputStationary
    let inner = isOutput ? ceilDiv(n, c) : ceilDiv(k, r)
    let reduction = isOutput ? 0..<k : (index % inner * r)..<min(k, index % inner * r + r)
    let c0 = (isOutput ? index % inner : index / inner) * c
    let rows = isOutput ? (index / inner * r)..<(index / inner * r + r) : 0..<(isExchanged ? n : m)
    var sums: [Int32] = []
    sums.reserveCapacity(rows.count * c)
    for row in rows {
      for column in c0..<c0 + c {
        let (i, j) = isExchanged ? (column, row) : (row, column)
        var sum: Int32 = 0
        if i < m && j < n {
          for l in reduction { sum &+= Int32(command.a[i * k + l]) &* Int32(command.b[l * n + j]) }
        }
        sums.append(sum)
      }
    }
    return sums
  }

  /// Sorted by cycle, then port; no port has two events in a cycle.
  private static func ordered(_ events: [EdgeEvent], ports: Int) -> [EdgeEvent] {
    let cycles = (events.map(\.cycle).max() ?? -1) + 1
    func counted(_ events: [EdgeEvent], _ bins: Int, _ bin: (EdgeEvent) -> Int) -> [EdgeEvent] {
      var next = [Int](repeating: 0, count: bins + 1)
      for event in events { next[bin(event) + 1] += 1 }
      for index in 0..<bins { next[index + 1] += next[index] }
      var result = events
      for event in events {
        let at = bin(event)
        result[next[at]] = event
        next[at] += 1
      }
      return result
    }
    return counted(counted(events, ports) { $0.port }, cycles) { $0.cycle }
  }
}
