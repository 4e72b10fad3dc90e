/// Row sweeps of the register-transfer models: all PEs of a row in chunks of eight lanes. Rows are padded to whole chunks; what
/// padding lanes compute is never looked at.
enum SystolicSweep {
  static let lanes = 8  // `SystolicWaves.chunks` knows that it is 1 << 3

  /// Elements of a row of `columns` PEs with its padding.
  static func pitch(_ columns: Int) -> Int { ceilDiv(columns, lanes) * lanes }

  /// target[i·targetStep] = source[i·sourceStep]; the places do not overlap.
  @inline(__always) static func copy(
    _ source: UnsafeMutablePointer<Int16>, _ sourceStep: Int, _ target: UnsafeMutablePointer<Int16>,
    _ targetStep: Int, _ count: Int
  ) {
    var (source, target, left) = (source, target, count)
    while left > 0 {
      target.pointee = source.pointee
      source += sourceStep
      target += targetStep
      left &-= 1
    }
  }

  /// target[i·step] = 0
  @inline(__always) static func clear(_ target: UnsafeMutablePointer<Int16>, _ step: Int, _ count: Int) {
    var (target, left) = (target, count)
    while left > 0 {
      target.pointee = 0
      target += step
      left &-= 1
    }
  }

  /// sum[c] = above[c] + a[c]·w[c]
  @inline(__always) static func multiplyAdd(
    _ a: UnsafeMutablePointer<Int16>, _ w: UnsafeMutablePointer<Int16>, _ above: UnsafeMutablePointer<Int32>,
    _ sum: UnsafeMutablePointer<Int32>, _ chunks: Range<Int>
  ) {
    let (a, w) = (UnsafeRawPointer(a), UnsafeRawPointer(w))
    let (above, sum) = (UnsafeRawPointer(above), UnsafeMutableRawPointer(sum))
    var chunk = chunks.lowerBound
    while chunk < chunks.upperBound {
      let x = a.loadUnaligned(fromByteOffset: chunk &* 16, as: SIMD8<Int16>.self)
      let y = w.loadUnaligned(fromByteOffset: chunk &* 16, as: SIMD8<Int16>.self)
      let old = above.loadUnaligned(fromByteOffset: chunk &* 32, as: SIMD8<Int32>.self)
      sum.storeBytes(of: old &+ multiplyLanes(x, y), toByteOffset: chunk &* 32, as: SIMD8<Int32>.self)
      chunk &+= 1
    }
  }

  /// sum[c] = above[c] + a[c]·w[c] of two chunks: a whole row of a small array.
  @inline(__always) static func multiplyAddPair(
    _ a: UnsafeMutablePointer<Int16>, _ w: UnsafeMutablePointer<Int16>, _ above: UnsafeMutablePointer<Int32>,
    _ sum: UnsafeMutablePointer<Int32>
  ) {
    let (a, w) = (UnsafeRawPointer(a), UnsafeRawPointer(w))
    let (above, sum) = (UnsafeRawPointer(above), UnsafeMutableRawPointer(sum))
    let x = a.loadUnaligned(as: SIMD8<Int16>.self)
    let y = w.loadUnaligned(as: SIMD8<Int16>.self)
    let old = above.loadUnaligned(as: SIMD8<Int32>.self)
    sum.storeBytes(of: old &+ multiplyLanes(x, y), as: SIMD8<Int32>.self)
    let x2 = a.loadUnaligned(fromByteOffset: 16, as: SIMD8<Int16>.self)
    let y2 = w.loadUnaligned(fromByteOffset: 16, as: SIMD8<Int16>.self)
    let old2 = above.loadUnaligned(fromByteOffset: 32, as: SIMD8<Int32>.self)
    sum.storeBytes(of: old2 &+ multiplyLanes(x2, y2), toByteOffset: 32, as: SIMD8<Int32>.self)
  }

  /// product[c] = a[c]·w[c]
  @inline(__always) static func multiply(
    _ a: UnsafeMutablePointer<Int16>, _ w: UnsafeMutablePointer<Int16>, _ product: UnsafeMutablePointer<Int32>,
    _ chunks: Range<Int>
  ) {
    let (a, w, product) = (UnsafeRawPointer(a), UnsafeRawPointer(w), UnsafeMutableRawPointer(product))
    var chunk = chunks.lowerBound
    while chunk < chunks.upperBound {
      let x = a.loadUnaligned(fromByteOffset: chunk &* 16, as: SIMD8<Int16>.self)
      let y = w.loadUnaligned(fromByteOffset: chunk &* 16, as: SIMD8<Int16>.self)
      product.storeBytes(of: multiplyLanes(x, y), toByteOffset: chunk &* 32, as: SIMD8<Int32>.self)
      chunk &+= 1
    }
  }

  /// sum[c] = above[c] + product[c]
  @inline(__always) static func add(
    _ product: UnsafeMutablePointer<Int32>, _ above: UnsafeMutablePointer<Int32>,
    _ sum: UnsafeMutablePointer<Int32>, _ chunks: Range<Int>
  ) {
    let (product, above) = (UnsafeRawPointer(product), UnsafeRawPointer(above))
    let sum = UnsafeMutableRawPointer(sum)
    var chunk = chunks.lowerBound
    while chunk < chunks.upperBound {
      let x = product.loadUnaligned(fromByteOffset: chunk &* 32, as: SIMD8<Int32>.self)
      let old = above.loadUnaligned(fromByteOffset: chunk &* 32, as: SIMD8<Int32>.self)
      sum.storeBytes(of: old &+ x, toByteOffset: chunk &* 32, as: SIMD8<Int32>.self)
      chunk &+= 1
    }
  }
}

/// Shifts part of a row down: a chain takes what stands above in the columns that move and keeps the others.
///
/// Masks are read from a staircase of ones and zeros, so that a short row costs no branches. Written once for each width: generic
/// vectors are not turned into vector instructions.
struct SystolicShift: ~Copyable {
  /// `pitch` ones, then `pitch` zeros.
  private let narrow: Plane<Int16>
  private let wide: Plane<Int32>
  private let pitch: Int

  init(pitch: Int) {
    self.pitch = pitch
    narrow = Plane(2 * pitch)
    wide = Plane(2 * pitch)
    for index in 0..<pitch {
      narrow[index] = ~0
      wide[index] = ~0
    }
  }

  /// Clock edge of a chain of `rows` rows that shifts down in the columns: each row takes what stood above it, row 0 zero.
  ///
  /// A chunk goes from the bottom up, so that what stands above is read once, for its own row and for the one below.
  @inline(__always) func shiftDown(
    _ base: UnsafeMutablePointer<Int32>, rows: Int, _ columns: Range<Int>
  ) {
    // Place pitch - bound + c of the staircase is one for c < bound.
    let below = UnsafeRawPointer(wide.base + (pitch &- columns.upperBound))
    let notBelow = UnsafeRawPointer(wide.base + (pitch &- columns.lowerBound))
    let step = pitch &* 4
    let top = UnsafeMutableRawPointer(base)
    let bottom = top + (rows &- 1) &* step
    var at = (columns.lowerBound & ~7) &* 4
    let end = columns.upperBound &* 4
    while at < end {
      let inside =
        below.loadUnaligned(fromByteOffset: at, as: SIMD8<Int32>.self)
        & ~notBelow.loadUnaligned(fromByteOffset: at, as: SIMD8<Int32>.self)
      var target = bottom + at
      let last = top + at
      var old = target.loadUnaligned(as: SIMD8<Int32>.self)
      while target > last {
        let above = (target - step).loadUnaligned(as: SIMD8<Int32>.self)
        target.storeBytes(of: old ^ ((old ^ above) & inside), as: SIMD8<Int32>.self)
        old = above
        target -= step
      }
      target.storeBytes(of: old & ~inside, as: SIMD8<Int32>.self)
      at &+= 8 * 4
    }
  }

  /// Clock edge of a chain that shifts down as a wave: row r takes what stood above it in columns `first ..< min(bound, wave - r)`; row 0
  /// is left to the caller.
  @inline(__always) func shiftDown(
    _ base: UnsafeMutablePointer<Int16>, rows: Int, first: Int, bound: Int, wave: Int
  ) {
    let notBelow = UnsafeRawPointer(narrow.base + (pitch &- first))
    let step = pitch &* 2
    let start = (first & ~7) &* 2
    // Below this row nothing moves.
    var r = min(rows &- 1, wave &- first &- 1)
    while r > 0 {
      let limit = min(bound, wave &- r)
      // Place pitch - bound + c of the staircase is one for c < bound.
      let below = UnsafeRawPointer(narrow.base + (pitch &- limit))
      let target = UnsafeMutableRawPointer(base) + r &* step
      let source = target - step
      var at = start
      let end = limit &* 2
      while at < end {
        let inside =
          below.loadUnaligned(fromByteOffset: at, as: SIMD8<Int16>.self)
          & ~notBelow.loadUnaligned(fromByteOffset: at, as: SIMD8<Int16>.self)
        let old = target.loadUnaligned(fromByteOffset: at, as: SIMD8<Int16>.self)
        let above = source.loadUnaligned(fromByteOffset: at, as: SIMD8<Int16>.self)
        target.storeBytes(of: old ^ ((old ^ above) & inside), toByteOffset: at, as: SIMD8<Int16>.self)
        at &+= 8 * 2
      }
      r &-= 1
    }
  }
}

/// Which wavefronts are alive: the PEs (r, c) with r + c inside see real operands or the zeros between two streams.
struct SystolicWaves {
  var first = 0
  var last = -1

  /// Whether every PE is alive.
  @inline(__always) func isFull(_ rows: Int, _ columns: Int) -> Bool { first <= 0 && last >= rows &+ columns &- 2 }

  /// The chunks of row r that have a PE alive.
  @inline(__always) func chunks(ofRow r: Int, _ columns: Int) -> Range<Int> {
    let low = max(0, first &- r)
    let high = min(columns, last &- r &+ 1)
    guard low < high else { return 0..<0 }
    return Range(uncheckedBounds: (low >> 3, (high &+ 7) >> 3))
  }
}

/// What is on its way through the array, oldest first: when it started, and whose it is. A ring of fixed capacity.
struct SystolicQueue: ~Copyable {
  private let times: Plane<Int>
  private let folds: Plane<Int>
  private let mask: Int
  private var head = 0
  private(set) var count = 0

  init(capacity: Int) {
    var size = 1
    while size < capacity { size *= 2 }
    times = Plane(size)
    folds = Plane(size)
    mask = size - 1
  }

  @inline(__always) func time(_ index: Int) -> Int { times[(head + index) & mask] }
  @inline(__always) func fold(_ index: Int) -> Int { folds[(head + index) & mask] }

  @inline(__always) mutating func append(_ time: Int, _ fold: Int) {
    precondition(count <= mask, "more than \(mask + 1) waves in an array")
    times[(head + count) & mask] = time
    folds[(head + count) & mask] = fold
    count += 1
  }

  @inline(__always) mutating func removeFirst() {
    head = (head + 1) & mask
    count -= 1
  }
}

/// The observed timing of each command, by its index.
struct SystolicSightings: ~Copyable {
  let issue: Plane<Int>
  let end: Plane<Int>
  /// One past the last read at the row memory, and at the column memory.
  let rowRead: Plane<Int>
  let columnRead: Plane<Int>
  let count: Int

  init(_ count: Int) {
    issue = Plane(count)
    end = Plane(count)
    rowRead = Plane(count)
    columnRead = Plane(count)
    self.count = count
  }

  /// With the results of each command, which stand one behind the other in `sums`.
  func commands(
    _ extents: [TileExtents], _ sums: UnsafeMutablePointer<Int32>, isExchanged: Bool = false
  ) -> [ArrayStepResult.Command] {
    var start = 0
    return (0..<count).map { index in
      let size = extents[index].m * extents[index].n
      defer { start += size }
      return ArrayStepResult.Command(
        issue: issue[index], end: end[index], readA: isExchanged ? columnRead[index] : rowRead[index],
        readB: isExchanged ? rowRead[index] : columnRead[index],
        accumulators: Array(UnsafeBufferPointer(start: sums + start, count: size)))
    }
  }
}
