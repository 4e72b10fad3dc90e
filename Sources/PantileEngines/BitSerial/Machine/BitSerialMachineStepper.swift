/// The register-transfer model of a bit-serial machine: every unit has its terms, its counters and its registers, and moves by one clock.
///
/// It computes with values and knows neither step costs nor a schedule. An element adds one term of each lane a cycle, hands its sum to
/// a holding register at a group's end, scales it there one bit of the scale a cycle, and gives it away over D cycles.
package enum BitSerialMachineStepper {
  /// Something that leaves an element, at the beginning of `cycle`.
  package struct Event: Hashable, Sendable {
    package var cycle: Int
    /// Row times columns plus column of the element, in the array.
    package var element: Int
    /// Number of the group since the beginning.
    package var group: Int
    package var value: Int64
  }

  package struct Result: Hashable, Sendable {
    package var cycles: Int
    /// [m][n].
    package var values: [Int64]
    /// In the order of cycle and element.
    package var events: [Event]
  }

  /// Interval that is one cycle too short: what a comparison has to notice.
  package enum Fault: Int, CaseIterable, Sendable { case none, handover, feed, ahead, fill, foldEnd }

  /// One unit: what is busy for a time of its own.
  private struct Unit {
    var scope = 0
    /// Steps that it has begun and ended, of all folds.
    var begun = 0
    var ended = 0
    var isWorking = false
    /// Steps done in the present group.
    var inGroup = 0
    /// A sum that waits for its holding register.
    var isHeld = false
    /// Cycles until the next sum may be handed over.
    var handoverIn = 0
    var groups = 0
    /// Work of the present step: terms of each lane that are left, and cycles in a fixed step.
    var plus: [UInt32]
    var minus: [UInt32]
    var pairs: [[(shift: Int, sign: Int64)]]
    var fixedLeft = 0
    var column = 0
    var base = 0
    var scaleLeft = 0
    var scaleBit = 0
    var leavesIn = 0
    /// Fold and group of what is being scaled, and of what leaves.
    var scaling = (fold: 0, group: 0, number: 0)
    var leaving = (fold: 0, group: 0, number: 0)
  }

  package static func run(
    _ machine: BitSerialMachine, _ product: BitSerialProduct, fault: Fault = .none
  ) -> Result {
    let (rows, columns) = (machine.rows, machine.columns)
    let (m, k, n) = (product.m, product.k, product.n)
    let width = machine.termPolicy == .invertedColumns ? 2 * machine.dotWidth : machine.dotWidth
    let steps = (k + width - 1) / width
    let perGroup = machine.group == 0 ? steps : machine.group / width
    let groupsOfFold = (steps + perGroup - 1) / perGroup
    let foldColumns = (m + columns - 1) / columns
    let folds = (n + rows - 1) / rows * foldColumns
    let total = folds * steps
    let isSerial = machine.variant == .serial
    let feed = max(
      0,
      machine.feedCycles(weightBits: product.storedWeightBits, activationBits: product.activationBits)
        - (fault == .feed ? 1 : 0))
    let scaleCycles = machine.dequantCycles
    let wayOut = machine.drainPorts == 0 ? 0 : (machine.tileRows + machine.drainPorts - 1) / machine.drainPorts
    let interval = max(machine.dequantCycles, wayOut) - (fault == .handover ? 1 : 0)
    let hops = (rows - 1) / machine.tileRows + (columns - 1) / machine.tileColumns
    let fill = max(0, hops + machine.pipelineDepth - (fault == .fill ? 1 : 0))
    let ahead = machine.runAhead + (fault == .ahead ? 1 : 0)
    let fixedCycles =
      machine.isDataDependent
      ? 0 : machine.fixedStepCycles(weightBits: product.weightBits, activationBits: product.activationBits)

    let unitRows = machine.serialOperand == .activation ? 1 : rows
    let unitColumns = machine.serialOperand == .weight ? 1 : columns
    let scope = machine.scope
    let scopesAcross = (unitColumns + scope.columns - 1) / scope.columns
    var units = (0..<unitRows * unitColumns).map { index in
      var unit = Unit(
        plus: [UInt32](repeating: 0, count: width), minus: [UInt32](repeating: 0, count: width),
        pairs: [[(shift: Int, sign: Int64)]](repeating: [], count: width))
      unit.scope = index / unitColumns / scope.rows * scopesAcross + index % unitColumns / scope.columns
      return unit
    }
    let scopes = scopesAcross * ((unitRows + scope.rows - 1) / scope.rows)
    /// Elements of a unit, as numbers in the array.
    let elements: [[Int]] = units.indices.map { index in
      switch machine.serialOperand {
      case .weight: (0..<columns).map { index * columns + $0 }
      case .activation: (0..<rows).map { $0 * columns + index }
      case .both: [index]
      }
    }
    var sums = [Int64](repeating: 0, count: rows * columns)
    var holding = sums
    var scaled = sums
    var leavingValues = sums
    var result = Result(cycles: 0, values: [Int64](repeating: 0, count: m * n), events: [])

    func weight(_ fold: Int, _ row: Int, _ position: Int) -> Int {
      let line = fold / foldColumns * rows + row
      return line < n && position < k ? Int(product.weights[line * k + position]) : 0
    }
    func activation(_ fold: Int, _ column: Int, _ position: Int) -> Int {
      let line = fold % foldColumns * columns + column
      return line < m && position < k ? Int(product.activations[line * k + position]) : 0
    }
    func scale(_ fold: Int, _ element: Int, _ group: Int) -> Int64 {
      let line = fold / foldColumns * rows + element / columns
      return product.scales.isEmpty || line >= n ? 1 : Int64(product.scales[line * groupsOfFold + group])
    }
    func emit(_ element: Int, _ of: (fold: Int, group: Int, number: Int), _ value: Int64, at cycle: Int) {
      result.events.append(Event(cycle: cycle, element: element, group: of.number, value: value))
      let row = of.fold / foldColumns * rows + element / columns
      let column = of.fold % foldColumns * columns + element % columns
      if row < n && column < m { result.values[column * n + row] &+= value }
    }

    /// Loads the terms of a step.
    func load(_ index: Int, _ step: Int) {
      let fold = step / steps
      let first = step % steps * width
      units[index].base = first
      units[index].column = 0
      units[index].fixedLeft = fixedCycles
      for lane in 0..<width {
        let row = elements[index][0] / columns
        let column = elements[index][0] % columns
        switch machine.serialOperand {
        case .weight:
          let terms = machine.encoding.terms(weight(fold, row, first + lane), bits: product.weightBits)
          (units[index].plus[lane], units[index].minus[lane]) = (terms.plus, terms.minus)
        case .activation:
          let terms = machine.encoding.terms(activation(fold, column, first + lane), bits: product.activationBits)
          (units[index].plus[lane], units[index].minus[lane]) = (terms.plus, terms.minus)
        case .both:
          let a = machine.encoding.terms(weight(fold, row, first + lane), bits: product.weightBits)
          let b = machine.encoding.terms(activation(fold, column, first + lane), bits: product.activationBits)
          units[index].pairs[lane] = []
          for p in 0..<32 where a.positions >> UInt32(p) & 1 == 1 {
            for q in 0..<32 where b.positions >> UInt32(q) & 1 == 1 {
              let isNegative = (a.minus >> UInt32(p) & 1) != (b.minus >> UInt32(q) & 1)
              units[index].pairs[lane].append((p + q, isNegative ? -1 : 1))
            }
          }
        }
      }
    }

    /// The other operand of a lane, as the element sees it.
    func other(_ fold: Int, _ element: Int, _ position: Int) -> Int64 {
      machine.serialOperand == .activation
        ? Int64(weight(fold, element / columns, position)) : Int64(activation(fold, element % columns, position))
    }

    /// One cycle of a unit's work; whether the step is done.
    func work(_ index: Int) -> Bool {
      let fold = (units[index].begun - 1) / steps
      let base = units[index].base
      if machine.termPolicy == .invertedColumns {
        let bits = machine.serialOperand == .activation ? product.activationBits : product.weightBits
        let position = units[index].column
        let mask = UInt32(1) << UInt32(position)
        var isOne = [Bool](repeating: false, count: width)
        for lane in 0..<width {
          let line = elements[index][0]
          let number =
            machine.serialOperand == .activation
            ? activation(fold, line % columns, base + lane) : weight(fold, line / columns, base + lane)
          isOne[lane] = UInt32(truncatingIfNeeded: number) & mask != 0
        }
        let ones = isOne.filter { $0 }.count
        let inverts = ones > width / 2
        for element in elements[index] {
          var all: Int64 = 0
          var chosen: Int64 = 0
          for lane in 0..<width {
            let value = other(fold, element, base + lane)
            all += value
            if isOne[lane] != inverts { chosen += value }
          }
          let column = inverts ? all - chosen : chosen
          sums[element] += (position == bits - 1 ? -column : column) << Int64(position)
        }
        units[index].column += 1
        return units[index].column == bits
      }
      if machine.serialOperand == .both {
        for lane in 0..<width where !units[index].pairs[lane].isEmpty {
          let pair = units[index].pairs[lane].removeFirst()
          sums[index] += pair.sign << Int64(pair.shift)
        }
      } else {
        var lowest = 32
        for lane in 0..<width {
          let pending = units[index].plus[lane] | units[index].minus[lane]
          if pending != 0 { lowest = min(lowest, pending.trailingZeroBitCount) }
        }
        for lane in 0..<width {
          let pending = units[index].plus[lane] | units[index].minus[lane]
          guard pending != 0 else { continue }
          let position = pending.trailingZeroBitCount
          if machine.termPolicy == .skipColumns && position != lowest { continue }
          if let reach = machine.shiftReach, position > lowest + reach { continue }
          let mask = ~(UInt32(1) << UInt32(position))
          let isNegative = units[index].minus[lane] & ~mask != 0
          units[index].plus[lane] &= mask
          units[index].minus[lane] &= mask
          for element in elements[index] {
            let value = other(fold, element, base + lane) << Int64(position)
            sums[element] += isNegative ? -value : value
          }
        }
      }
      if !machine.isDataDependent {
        units[index].fixedLeft -= 1
        return units[index].fixedLeft == 0
      }
      return (0..<width).allSatisfy {
        units[index].plus[$0] | units[index].minus[$0] == 0 && units[index].pairs[$0].isEmpty
      }
    }

    var cycle = 0
    var phaseFold = 0
    var fillLeft = fill
    var tailLeft = 0
    var fetched = 0
    var fetchLeft = 0
    var isDone = false
    while !isDone {
      // What registers said at the clock edge.
      var slowest = [Int](repeating: Int.max, count: scopes)
      var slowestOfAll = Int.max
      for unit in units {
        slowest[unit.scope] = min(slowest[unit.scope], unit.ended)
        slowestOfAll = min(slowestOfAll, unit.ended)
      }
      // Fill and tail: the whole array waits.
      let filling = fillLeft > 0
      let tailing = tailLeft > 0

      // Scaling and the way out go on whatever the rest does.
      for index in units.indices {
        if units[index].leavesIn > 0 {
          units[index].leavesIn -= 1
          if units[index].leavesIn == 0 {
            for element in elements[index] {
              emit(element, units[index].leaving, leavingValues[element], at: cycle + 1)
            }
          }
        }
        if units[index].scaleLeft > 0 {
          let bit = units[index].scaleBit
          for element in elements[index] {
            let factor = scale(units[index].scaling.fold, element, units[index].scaling.group)
            if factor >> Int64(bit) & 1 == 1 { scaled[element] &+= holding[element] << Int64(bit) }
          }
          units[index].scaleBit += 1
          units[index].scaleLeft -= 1
          if units[index].scaleLeft == 0 { leave(index, scaled) }
        }
        if units[index].handoverIn > 0 { units[index].handoverIn -= 1 }
      }

      func leave(_ index: Int, _ values: [Int64]) {
        units[index].leaving = units[index].scaling
        for element in elements[index] { leavingValues[element] = values[element] }
        units[index].leavesIn = wayOut
        if wayOut == 0 {
          for element in elements[index] {
            emit(element, units[index].leaving, leavingValues[element], at: cycle + 1)
          }
        }
      }

      /// A unit ends its step, and at a group's end gives its sums away as soon as the holding register is free.
      func end(_ index: Int) {
        let isFoldEnd = (units[index].begun - 1) % steps == steps - 1
        let isGroupEnd = units[index].inGroup == perGroup || isFoldEnd
        if isGroupEnd && units[index].handoverIn > 0 {
          units[index].isHeld = true
          return
        }
        units[index].isHeld = false
        units[index].ended += 1
        guard isGroupEnd else { return }
        units[index].inGroup = 0
        let fold = (units[index].begun - 1) / steps
        units[index].scaling = (fold, units[index].groups % groupsOfFold, units[index].groups)
        units[index].groups += 1
        units[index].handoverIn = interval
        for element in elements[index] {
          holding[element] = sums[element]
          sums[element] = 0
          scaled[element] = 0
          if scaleCycles == 0 {
            scaled[element] = holding[element] &* scale(fold, element, units[index].scaling.group)
          }
        }
        units[index].scaleBit = 0
        units[index].scaleLeft = scaleCycles
        if scaleCycles == 0 { leave(index, scaled) }
      }

      if !filling && !tailing {
        // Operand streams: a fetch begins when its slot is free; serial folds fetch for themselves only.
        let limit = isSerial ? min(total, (phaseFold + 1) * steps) : total
        if feed > 0 {
          if fetchLeft == 0 && fetched < limit && slowestOfAll > fetched - machine.operandSlots { fetchLeft = feed }
        }
        let available = feed > 0 ? fetched : total
        for index in units.indices {
          if units[index].isHeld {
            end(index)
            continue
          }
          if !units[index].isWorking {
            let next = units[index].begun
            guard next < limit, next < available, next == units[index].ended else { continue }
            // Within a fold by the scope's run-ahead, at its beginning by all.
            let inFold = next % steps
            let floor = next - inFold
            if slowestOfAll < floor - (fault == .foldEnd ? 1 : 0) { continue }
            if inFold > ahead && slowest[units[index].scope] < next - ahead { continue }
            load(index, next)
            units[index].begun += 1
            units[index].isWorking = true
          }
          let done = work(index)
          if done {
            units[index].isWorking = false
            units[index].inGroup += 1
            end(index)
          }
        }
        if fetchLeft > 0 {
          fetchLeft -= 1
          if fetchLeft == 0 { fetched += 1 }
        }
      }
      if filling { fillLeft -= 1 }
      if tailing {
        tailLeft -= 1
        if tailLeft == 0 {
          phaseFold += 1
          if phaseFold == folds { isDone = true } else { fillLeft = fill }
        }
      }
      cycle += 1
      // A fold, or with overlap the whole product, is over when its slowest unit has ended.
      if !filling && !tailing && !isDone {
        let ended = units.reduce(Int.max) { min($0, $1.ended) }
        let goal = isSerial ? (phaseFold + 1) * steps : total
        if ended == goal {
          tailLeft = machine.dequantCycles + wayOut
          if !isSerial { phaseFold = folds - 1 }
          if tailLeft == 0 {
            phaseFold += 1
            if phaseFold == folds { isDone = true } else { fillLeft = fill }
          }
        }
      }
    }
    result.cycles = cycle
    result.events.sort { ($0.cycle, $0.element) < ($1.cycle, $1.element) }
    return result
  }
}

extension BitSerialMachine {
  /// The product by the register-transfer model: its cycles and its results [m][n].
  public func stepped(_ product: BitSerialProduct) -> (cycles: Int, values: [Int64]) {
    let result = BitSerialMachineStepper.run(self, product)
    return (result.cycles, result.values)
  }
}
