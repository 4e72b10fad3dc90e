import PantileProgram
import PantileSupport
import Testing

/// Address generators against an index loop that follows their definition.
@Suite struct AddressGeneratorTests {
  struct Case {
    var generator: AddressGenerator
    var loops: LoopState
    var reduced: Int
  }

  /// A generator with 1 to 6 dims that may be ragged, rotated, bounded, and of any element width.
  static func random(_ random: inout SplitMix64) -> Case {
    var loops = LoopState()
    let depth = random.next(below: 3)
    for _ in 0..<depth {
      let count = 1 + random.next(below: 4)
      loops.enter(count: count)
      for _ in 0..<random.next(below: count) { _ = loops.advance() }
    }
    func affine(_ scale: Int) -> Affine {
      Affine(
        (random.next(below: 17) - 8) * scale,
        (0..<depth).map { Affine.Term(depth: $0, coefficient: (random.next(below: 9) - 4) * scale) })
    }
    let bits = [1, 2, 3, 4, 8, 8, 8, 16, 32][random.next(below: 9)]
    var dims: [AddressGenerator.Dim] = []
    for _ in 0..<1 + random.next(below: 6) {
      let full = 1 + random.next(below: 4)
      let count =
        depth > 0 && random.next(below: 3) == 0
        ? Extent(full: full, last: 1 + random.next(below: 4), depth: random.next(below: depth)) : Extent(full)
      // Often the stride that continues the dim inside, so that dims merge.
      let inner = dims.last.map { $0.strideBits } ?? bits
      dims.append(
        AddressGenerator.Dim(
          count, strideBits: random.next(below: 3) == 0 ? inner * full : (random.next(below: 13) - 4) * bits))
    }
    dims.reverse()
    var generator = AddressGenerator(
      memory: MemoryID(0), baseBits: affine(bits), elementBits: bits, dims: dims, padValue: random.next(below: 7) - 3)
    if random.next(below: 3) == 0 {
      let slots = 1 + random.next(below: 3)
      let index = Affine(
        random.next(below: 4), (0..<depth).map { Affine.Term(depth: $0, coefficient: random.next(below: 3)) })
      generator.rotation = .init(index: index, slots: slots, slotBits: random.next(below: 100) * bits)
    }
    for _ in 0..<random.next(below: 4) {
      // Often a bound that follows one or two dims, as images have it.
      let coefficients = dims.map { _ in random.next(below: 2) == 0 ? 0 : random.next(below: 5) - 2 }
      generator.bounds.append(
        .init(
          offset: Affine(random.next(below: 7) - 3, affine(1).terms), coefficients: coefficients,
          limit: random.next(below: 9)))
    }
    let inner = generator.dims.suffix(random.next(below: dims.count + 1))
    return Case(generator: generator, loops: loops, reduced: inner.reduce(1) { $0 * $1.count.value(at: loops) })
  }

  /// The bit address of each element in list order, nil where it is padding: straight from the definition.
  static func list(_ generator: AddressGenerator, _ loops: LoopState) -> [Int?] {
    var base = generator.baseBits.constant
    for term in generator.baseBits.terms { base += term.coefficient * loops.index(term.depth) }
    if let rotation = generator.rotation {
      var index = rotation.index.constant
      for term in rotation.index.terms { index += term.coefficient * loops.index(term.depth) }
      base += index % rotation.slots * rotation.slotBits
    }
    var addresses: [Int?] = []
    func walk(_ d: Int, _ indices: [Int]) {
      if d == generator.dims.count {
        var address = base
        for (i, dim) in zip(indices, generator.dims) { address += i * dim.strideBits }
        var isInside = true
        for bound in generator.bounds {
          var coordinate = bound.offset.constant
          for term in bound.offset.terms { coordinate += term.coefficient * loops.index(term.depth) }
          for (i, c) in zip(indices, bound.coefficients) { coordinate += i * c }
          if coordinate < 0 || coordinate >= bound.limit { isInside = false }
        }
        addresses.append(isInside ? address : nil)
        return
      }
      let extent = generator.dims[d].count
      var count = extent.full
      if let depth = extent.depth, loops.index(depth) == loops.count(depth) - 1 { count = extent.last }
      for i in 0..<count { walk(d + 1, indices + [i]) }
    }
    walk(0, [])
    return addresses
  }

  /// What `forEachRun` lists, expanded.
  static func expand(_ access: ResolvedAccess) -> [Int?] {
    var addresses: [Int?] = []
    access.forEachRun { first, bits, count in
      if first != addresses.count { addresses.append(.min) }
      for i in 0..<count { addresses.append(bits.map { $0 + i * access.innerStride }) }
    }
    return addresses
  }

  @Test(arguments: 0..<20)
  func listsWhatTheDefinitionSays(_ seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    for number in 0..<150 {
      let sample = Self.random(&random)
      let expected = Self.list(sample.generator, sample.loops)
      let access = sample.generator.resolved(at: sample.loops)
      let isRight =
        Self.expand(access) == expected && access.elementCount == expected.count
        && access.insideCount == expected.count { $0 != nil }
      if !isRight { Issue.record("seed \(seed) case \(number): \(sample.generator)") }
    }
  }

  @Test(arguments: 0..<20)
  func rangesAndRunsCoverWhatIsTouched(_ seed: Int) {
    var random = SplitMix64(seed: 1000 + UInt64(seed))
    for number in 0..<100 {
      let sample = Self.random(&random)
      let access = sample.generator.resolved(at: sample.loops)
      let width = sample.generator.elementBits
      var touched = Set<Int>()
      for address in Self.list(sample.generator, sample.loops) {
        guard let address else { continue }
        for byte in address >> 3...(address + width - 1) >> 3 { touched.insert(byte) }
      }
      let label = "seed \(seed) case \(number)"
      #expect(Set(access.byteRuns.flatMap { Array($0) }) == touched, "\(label)")
      guard let low = touched.min(), let high = touched.max() else { continue }
      let range = access.byteRange
      #expect(range.map { $0.lowerBound <= low && $0.upperBound > high } == true, "\(label)")
      if sample.generator.bounds.isEmpty { #expect(range == low..<high + 1, "\(label)") }
    }
  }

  /// A padded image: one bound for rows, one for columns, each along its own dims.
  @Test func rangeOfAPaddedImageIsExact() {
    for (height, width, kernel, stride, pad) in [(6, 7, 3, 2, 1), (5, 5, 5, 1, 2), (8, 8, 1, 2, 0), (3, 3, 3, 1, 1)] {
      let rows = (height + 2 * pad - kernel) / stride + 1
      let columns = (width + 2 * pad - kernel) / stride + 1
      let generator = AddressGenerator(
        memory: MemoryID(0), baseBits: Affine(800 - 8 * pad * (width + 1)), elementBits: 8,
        dims: [
          .init(rows, strideBits: 8 * stride * width), .init(columns, strideBits: 8 * stride),
          .init(kernel, strideBits: 8 * width), .init(kernel, strideBits: 8),
        ],
        bounds: [
          .init(offset: Affine(-pad), coefficients: [stride, 0, 1, 0], limit: height),
          .init(offset: Affine(-pad), coefficients: [0, stride, 0, 1], limit: width),
        ])
      let touched = Self.list(generator, LoopState()).compactMap { $0.map { $0 / 8 } }
      let range = generator.resolved(at: LoopState()).byteRange
      #expect(range?.lowerBound == touched.min())
      #expect(range?.upperBound == touched.max().map { $0 + 1 })
    }
  }

  @Test(arguments: 0..<10)
  func slicesSplitTheReducedDims(_ seed: Int) {
    var random = SplitMix64(seed: 2000 + UInt64(seed))
    for number in 0..<150 {
      let sample = Self.random(&random)
      let all = Self.list(sample.generator, sample.loops)
      let access = sample.generator.resolved(at: sample.loops, reduced: sample.reduced)
      let label = "seed \(seed) case \(number)"
      #expect(Self.expand(access) == all, "\(label)")
      #expect(access.reducedCount == sample.reduced, "\(label)")
      for index in 0..<sample.reduced {
        let expected = (0..<all.count / sample.reduced).map { all[$0 * sample.reduced + index] }
        let slice = access.slice(reducedIndex: index)
        if slice.elementCount != expected.count || Self.expand(slice) != expected {
          Issue.record("\(label) slice \(index)")
        }
      }
    }
  }

  @Test func adjacentDimsMerge() {
    let generator = AddressGenerator(
      memory: MemoryID(0), baseBits: Affine(0), elementBits: 8,
      dims: [.init(4, strideBits: 480), .init(1, strideBits: 7), .init(3, strideBits: 160), .init(20, strideBits: 8)])
    let access = generator.resolved(at: LoopState())
    #expect(access.dimCount == 1)
    #expect(access.counts[0] == 240)
  }
}
