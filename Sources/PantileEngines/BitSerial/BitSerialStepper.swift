/// The register-transfer model of the fixed-term bit-serial array.
///
/// Registers of PE (r, c): d activations (move right), d digits with their shared significance (move down), a 32-bit sum and,
/// with the overlapped variant, an output register. A group of activations and weights is read once; the edge holds it for T cycles
/// and emits one digit of each weight a cycle: of radix 4 or 2, lowest significance first, or a signed power of two. A PE adds
/// Σ digit·activation, shifted by the significance. With serial activations digits move right and weights down; with bricks both
/// operands are whole, and a PE adds products of their 2-bit pieces. Last tags and drain are those of the output-stationary systolic array. The controller knows no closed form.
package enum BitSerialStepper {
  private struct Fold {
    var command: Int
    var m0: Int
    var n0: Int
    var isFirst: Bool
  }

  /// Radix-4 Booth digit `term` of the low `bits` bits of a weight, sign-extended: -2...2.
  ///
  /// **Source** MacSorley, "High-Speed Arithmetic in Binary Computers", Proc. IRE 1961: digit = -2·b[2i+1] + b[2i] + b[2i-1].
  /// - Precondition: `term` below ceil(bits / 2).
  package static func digit(_ weight: Int8, term: Int, bits: Int) -> Int16 {
    func bit(_ index: Int) -> Int16 {
      index < 0 ? 0 : Int16(weight >> Int8(min(index, bits - 1))) & 1
    }
    return bit(2 * term - 1) + bit(2 * term) - 2 * bit(2 * term + 1)
  }

  /// Digit `term` of a weight in an encoding, and the significance that all lanes share in that cycle.
  private static func digit(_ weight: Int8, term: Int, bits: Int, _ encoding: TermEncoding) -> Int32 {
    switch encoding {
    case .booth: return Int32(digit(weight, term: term, bits: bits))
    case .plain:
      let bit = Int32(weight >> Int8(term)) & 1
      return term == bits - 1 ? -bit : bit
    case .signMagnitude, .bitColumn:
      let bit = Int32(weight.magnitude >> UInt8(term)) & 1
      return weight < 0 ? -bit : bit
    case .lod2:
      // The leading one, then the leading one of the rest.
      var rest = weight.magnitude
      for _ in 0..<term where rest != 0 { rest &= ~(0x80 >> UInt8(rest.leadingZeroBitCount)) }
      let power: Int32 = rest == 0 ? 0 : 0x80 >> Int32(rest.leadingZeroBitCount)
      return weight < 0 ? -power : power
    case .naf:
      // Digits of 1 and -1 with a zero between any two, lowest first.
      var rest = Int32(weight)
      var power: Int32 = 1
      var index = 0
      while rest != 0 {
        if rest & 1 == 1 {
          let sign: Int32 = rest & 3 == 1 ? 1 : -1
          if index == term { return sign * power }
          index += 1
          rest -= sign
        }
        rest /= 2
        power *= 2
      }
      return 0
    }
  }

  /// The significance that a cycle's digits share; digits that are powers of two carry their own.
  private static func significance(term: Int, _ encoding: TermEncoding) -> Int32 {
    switch encoding {
    case .booth: 1 << Int32(2 * term)
    case .plain, .signMagnitude, .bitColumn: 1 << Int32(term)
    case .naf, .lod2: 1
    }
  }

  /// The product of two bytes from products of their 2-bit pieces, the highest of which are signed.
  ///
  /// **Source** Sharma et al., "Bit Fusion", ISCA 2018, equation 1 and section III.
  private static func bricked(_ a: Int16, _ b: Int16) -> Int32 {
    func pieces(_ value: Int16) -> (Int32, Int32, Int32, Int32) {
      let word = Int32(value)
      return (word & 3, word >> 2 & 3, word >> 4 & 3, word >> 6)
    }
    let (a0, a1, a2, a3) = pieces(a)
    let (b0, b1, b2, b3) = pieces(b)
    let low = a0 * b0 + (a0 * b1 + a1 * b0) << 2 + (a0 * b2 + a1 * b1 + a2 * b0) << 4
    let high = (a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0) + (a1 * b3 + a2 * b2 + a3 * b1) << 2
    return low + high << 6 + (a2 * b3 + a3 * b2) << 10 + (a3 * b3) << 12
  }

  /// - Parameter drainSlot: shortest slot of a fold; nil is the array's own 2R-1.
  package static func run(
    _ options: BitSerialOptions, _ inputs: [ArrayStepInput], _ format: ContractionFormat, drainSlot: Int? = nil
  ) -> ArrayStepResult {
    let (rows, columns) = (options.rows, options.columns)
    // Lanes and cycles of a group, from the definition of each kind.
    let lanes: Int
    let terms: Int
    let multiplication = options.multiplication
    let bits = multiplication == .serialActivation ? format.activationBits : format.weightBits
    switch multiplication {
    case .serialWeight, .serialActivation:
      lanes = options.dotWidth
      terms = options.terms(weightBits: bits)
    case .bricks:
      let pieces = [format.activationBits, format.weightBits].map { [1, 2, 4][$0 <= 2 ? 0 : $0 <= 4 ? 1 : 2] }
      lanes = options.dotWidth * 16 / (pieces[0] * pieces[1])
      terms = 1
    }
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

    // Lane-major planes: [lane][r][c]; the last column and row of each hold what leaves the array.
    let width = columns + 1
    let activationPlane = rows * width
    let digitPlane = (rows + 1) * columns
    let activation = Plane<Int16>(lanes * activationPlane)
    let digits = Plane<Int16>(lanes * digitPlane)
    let scale = Plane<Int16>(digitPlane)  // the significance as the shifter applies it
    let dot = Plane<Int32>(columns)
    let sum = Plane<Int32>(rows * columns)
    let output = Plane<Int32>(rows * columns)
    // What the edge holds, and the skew registers behind it.
    let heldActivations = Plane<Int16>(lanes * rows)
    let heldWeights = Plane<Int8>(lanes * columns)
    let rowSkew = Plane<Int16>(rows * lanes * rows)
    let columnSkew = Plane<Int16>(columns * lanes * columns)
    let scaleSkew = Plane<Int16>(columns)
    let depth = rows + columns - 1
    let lastOf = Plane<Int>(depth, repeating: -1)
    let drainLeft = Plane<Int>(columns)
    let drainFold = Plane<Int>(columns)

    var cycle = 0
    var next = 0
    var current = -1
    var wait = 0
    var group = 0
    var term = 0
    var pending = 0
    var result = ArrayStepResult(commands: [], cycles: 0, activationElements: 0, weightBeats: 0, results: 0)

    while next < folds.count || current >= 0 || pending > 0 {
      lastOf.move(from: 0, to: 1, count: depth - 1)
      lastOf[0] = -1

      // Controller and edge.
      if current < 0 && next < folds.count && (overlapped || pending == 0) {
        current = next
        next += 1
        group = 0
        term = 0
        pending += rows * columns
        let fold = folds[current]
        let stream = terms * ((inputs[fold.command].extents.k + lanes - 1) / lanes)
        wait = overlapped ? max(0, shortest - stream) : 0
        if fold.isFirst { commands[fold.command].issue = cycle }
      }
      let streams = current >= 0 && wait == 0
      let (rowSlot, columnSlot) = (cycle % rows, cycle % columns)
      if streams {
        let fold = folds[current]
        let input = inputs[fold.command]
        let (m, k, n) = (input.extents.m, input.extents.k, input.extents.n)
        if term == 0 {
          for lane in 0..<lanes {
            let position = group * lanes + lane
            for r in 0..<rows {
              let inside = fold.m0 + r < m && position < k
              heldActivations[lane * rows + r] = inside ? Int16(input.a[(fold.m0 + r) * k + position]) : 0
            }
            for c in 0..<columns {
              let inside = fold.n0 + c < n && position < k
              heldWeights[lane * columns + c] = inside ? input.b[position * n + fold.n0 + c] : 0
            }
          }
          result.activationElements += rows * lanes
          result.weightBeats += columns * lanes
          commands[fold.command].readA = cycle + 1
          commands[fold.command].readB = cycle + 1
        }
        for lane in 0..<lanes {
          for r in 0..<rows {
            let held = heldActivations[lane * rows + r]
            rowSkew[(rowSlot * lanes + lane) * rows + r] =
              multiplication == .serialActivation
              ? Int16(digit(Int8(held), term: term, bits: bits, options.encoding)) : held
          }
          for c in 0..<columns {
            let held = heldWeights[lane * columns + c]
            columnSkew[(columnSlot * lanes + lane) * columns + c] =
              multiplication == .serialWeight
              ? Int16(digit(held, term: term, bits: bits, options.encoding)) : Int16(held)
          }
        }
        // It moves down with the columns whichever operand is serial: all of a cycle's digits share it.
        scaleSkew[columnSlot] = multiplication == .bricks ? 1 : Int16(significance(term: term, options.encoding))
        if term + 1 == terms && (group + 1) * lanes >= k { lastOf[0] = current }
      } else {
        for i in 0..<lanes * rows { rowSkew[rowSlot * lanes * rows + i] = 0 }
        for i in 0..<lanes * columns { columnSkew[columnSlot * lanes * columns + i] = 0 }
        scaleSkew[columnSlot] = 0
      }
      for lane in 0..<lanes {
        for r in 0..<rows {
          let slot = (rowSlot - r + rows) % rows
          activation[lane * activationPlane + r * width] = cycle >= r ? rowSkew[(slot * lanes + lane) * rows + r] : 0
        }
        for c in 0..<columns {
          let slot = (columnSlot - c + columns) % columns
          digits[lane * digitPlane + c] = cycle >= c ? columnSkew[(slot * lanes + lane) * columns + c] : 0
        }
      }
      for c in 0..<columns { scale[c] = cycle >= c ? scaleSkew[(columnSlot - c + columns) % columns] : 0 }

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
        for r in stride(from: rows - 1, to: 0, by: -1) { out[r * columns + c] = out[(r - 1) * columns + c] }
        out[c] = 0
        drainLeft[c] -= 1
      }

      // All PEs: lanes first, then the shared shift, then the sum.
      for r in 0..<rows {
        let d = dot.base
        for c in 0..<columns { d[c] = 0 }
        for lane in 0..<lanes {
          let a = activation.base + lane * activationPlane + r * width
          let w = digits.base + lane * digitPlane + r * columns
          if multiplication == .bricks {
            for c in 0..<columns { d[c] = d[c] &+ bricked(a[c], w[c]) }
          } else {
            for c in 0..<columns { d[c] = d[c] &+ Int32(a[c]) &* Int32(w[c]) }
          }
        }
        let f = scale.base + r * columns
        let s = sum.base + r * columns
        for c in 0..<columns { s[c] = s[c] &+ d[c] &* Int32(f[c]) }
      }

      // Last tags.
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

      // Clock edge.
      for lane in 0..<lanes {
        for r in 0..<rows {
          let start = lane * activationPlane + r * width
          activation.move(from: start, to: start + 1, count: columns)
        }
        digits.move(from: lane * digitPlane, to: lane * digitPlane + columns, count: rows * columns)
      }
      scale.move(from: 0, to: columns, count: rows * columns)
      if streams {
        term += 1
        if term == terms {
          term = 0
          group += 1
          if group * lanes >= inputs[folds[current].command].extents.k { current = -1 }
        }
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
