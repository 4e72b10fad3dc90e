/// Lists of words, each kept once and known by a number: equal lists have equal numbers.
struct WordTable: ~Copyable {
  private var pool: UnsafeMutablePointer<Int32>
  private var capacity = 1 << 12
  /// Words of all lists.
  private(set) var wordCount = 0
  /// Where each list begins, and behind the last one.
  private var starts: [Int] = [0]
  /// Numbers by hash, -1 where there is none; a power of two of places.
  private var places = [Int32](repeating: -1, count: 1 << 8)

  init() { pool = .allocate(capacity: capacity) }

  deinit { pool.deallocate() }

  var count: Int { starts.count - 1 }

  /// The words of a list, until another one is added.
  func words(of number: Int32) -> UnsafeBufferPointer<Int32> {
    let start = starts[Int(number)]
    return UnsafeBufferPointer(start: pool + start, count: starts[Int(number) + 1] - start)
  }

  /// The number of a list, new or known.
  mutating func number(of words: [Int32]) -> Int32 {
    if 2 * count >= places.count { grow() }
    var place = Self.hash(words) & (places.count - 1)
    while places[place] >= 0 {
      if words.elementsEqual(self.words(of: places[place])) { return places[place] }
      place = (place + 1) & (places.count - 1)
    }
    let number = Int32(count)
    append(words)
    places[place] = number
    return number
  }

  private mutating func append(_ words: [Int32]) {
    if wordCount + words.count > capacity {
      while wordCount + words.count > capacity { capacity *= 2 }
      let larger = UnsafeMutablePointer<Int32>.allocate(capacity: capacity)
      larger.moveInitialize(from: pool, count: wordCount)
      pool.deallocate()
      pool = larger
    }
    words.withUnsafeBufferPointer { new in
      if let base = new.baseAddress { (pool + wordCount).initialize(from: base, count: new.count) }
    }
    wordCount += words.count
    starts.append(wordCount)
  }

  private mutating func grow() {
    var larger = [Int32](repeating: -1, count: 2 * places.count)
    for number in 0..<Int32(count) {
      var place = Self.hash(words(of: number)) & (larger.count - 1)
      while larger[place] >= 0 { place = (place + 1) & (larger.count - 1) }
      larger[place] = number
    }
    places = larger
  }

  /// Not Swift's: that one is seeded anew in each process.
  private static func hash(_ words: some Sequence<Int32>) -> Int {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    for word in words {
      state = (state ^ UInt64(UInt32(bitPattern: word))) &* 0xFF51_AFD7_ED55_8CCD
      state ^= state >> 32
    }
    return Int(truncatingIfNeeded: state >> 1)
  }
}
