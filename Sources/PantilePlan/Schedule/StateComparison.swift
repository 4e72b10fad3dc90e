/// What of a state counts beside its down-set: live tensors that are off chip, and those that have a copy there.
struct Standing: BitwiseCopyable {
  var away: UInt64
  var copied: UInt64
}

/// Tells when one state of a down-set makes another superfluous.
///
/// State 1 dominates state 2 when it can do whatever state 2 does for no more money: a tensor that only state 2 has moved away (or only state
/// 2 has a copy of) costs state 1 that transfer; and in place of moving `a` away as state 2 did, state 1 may have moved away `b`, as large or
/// larger, all of whose uses come after the only use left of `a`. For until that use state 1 holds `a` where state 2 holds `b`; then `a` is
/// gone, and state 1 fetches `b` (paid for) when state 2 fetches `a`.
final class StateComparison {
  /// The live tensors of one down-set.
  struct View: BitwiseCopyable {
    var first: Int32 = -1
    var count: Int32 = 0
    /// More than 64: states are compared tensor by tensor, without exchanges.
    var isWide = false
  }

  /// A state's tensors by their numbers in the index.
  struct WideStanding {
    var resident: UnsafePointer<UInt64>
    var copied: UnsafePointer<UInt64>
  }

  func wide(_ resident: UnsafePointer<UInt64>, _ copied: UnsafePointer<UInt64>) -> WideStanding {
    WideStanding(resident: resident, copied: copied)
  }

  func wide(_ resident: UnsafeMutablePointer<UInt64>, _ copied: UnsafeMutablePointer<UInt64>) -> WideStanding {
    WideStanding(resident: UnsafePointer(resident), copied: UnsafePointer(copied))
  }

  /// True when `other` can do what `own` does for at most `allowed` more, tensor by tensor.
  func excess(of own: WideStanding, over other: WideStanding, in set: Int, allowed: Int) -> Bool {
    if allowed < 0 { return false }
    let live = sets.live(set)
    var left = allowed
    for word in 0..<sets.tensorWords {
      var missing = live[word] & ~own.resident[word] & other.resident[word]
      while missing != 0 {
        left -= sets.index.tensors[word << 6 + missing.trailingZeroBitCount].bytes
        missing &= missing &- 1
      }
      let (ours, theirs) = (own.copied[word] | ~own.resident[word], other.copied[word] | ~other.resident[word])
      missing = live[word] & ours & ~theirs
      while missing != 0 {
        left -= sets.index.tensors[word << 6 + missing.trailingZeroBitCount].bytes
        missing &= missing &- 1
      }
      if left < 0 { return false }
    }
    return true
  }

  private let sets: DownSets
  private let reach: FlatBuffer<UInt64>
  private let views: GrowingBuffer<View>
  private let tensors: GrowingBuffer<Int32>
  private let sizes: GrowingBuffer<Int>
  /// For each live tensor those whose uses all come after its only use.
  private let later: GrowingBuffer<UInt64>

  init(_ sets: DownSets, reach: FlatBuffer<UInt64>) {
    self.sets = sets
    self.reach = reach
    views = GrowingBuffer(capacity: 1024)
    tensors = GrowingBuffer(capacity: 4096)
    sizes = GrowingBuffer(capacity: 4096)
    later = GrowingBuffer(capacity: 4096)
  }

  deinit {
    views.deallocate()
    tensors.deallocate()
    sizes.deallocate()
    later.deallocate()
  }

  func view(of set: Int) -> View {
    while views.count <= set { views.append(View()) }
    if views[set].first >= 0 { return views[set] }
    let first = tensors.count
    let index = sets.index
    var live: [Int] = []
    Bits.forEach(sets.live(set), words: sets.tensorWords) { live.append($0) }
    if live.count > 64 {
      views[set] = View(first: Int32(first), count: 0, isWide: true)
      return views[set]
    }
    let done = sets.done(set)
    let opWords = sets.opWords
    for tensor in live {
      tensors.append(Int32(tensor))
      sizes.append(index.tensors[tensor].bytes)
      var mask: UInt64 = 0
      let own = sets.readers(tensor)
      var use = -1
      var uses = 0
      for word in 0..<opWords {
        let rest = own[word] & ~done[word]
        if rest == 0 { continue }
        uses += rest.nonzeroBitCount
        use = word << 6 + rest.trailingZeroBitCount
      }
      if uses == 1, !index.tensors[tensor].isPinned {
        let after = reach.buffer.baseAddress.unsafelyUnwrapped + use * opWords
        for (place, other) in live.enumerated()
        where other != tensor && !index.tensors[other].isPinned
          && index.tensors[other].memory == index.tensors[tensor].memory
          && index.tensors[other].bytes >= index.tensors[tensor].bytes
        {
          let readers = sets.readers(other)
          var isLater = true
          for word in 0..<opWords {
            var rest = readers[word] & ~done[word]
            // The same op may use both: until then they are worth the same.
            if word == use >> 6 { rest &= ~(1 << UInt64(use & 63)) }
            if rest & ~after[word] != 0 {
              isLater = false
              break
            }
          }
          if isLater { mask |= 1 << UInt64(place) }
        }
      }
      later.append(mask)
    }
    views[set] = View(first: Int32(first), count: Int32(live.count))
    return views[set]
  }

  /// - Parameters:
  ///   - resident: Tensors on chip, live ones of the view's down-set.
  ///   - copied: Tensors with a copy off chip.
  func project(_ resident: UnsafePointer<UInt64>, _ copied: UnsafePointer<UInt64>, on view: View) -> Standing {
    var standing = Standing(away: 0, copied: 0)
    for place in 0..<Int(view.count) {
      let tensor = Int(tensors[Int(view.first) + place])
      if !Bits.has(resident, tensor) { standing.away |= 1 << UInt64(place) }
      if Bits.has(copied, tensor) { standing.copied |= 1 << UInt64(place) }
    }
    // What is away has a copy, also a graph input before its first use.
    standing.copied |= standing.away
    return standing
  }

  /// Bytes away plus bytes with a copy. Of two states the difference is never above what `excess` counts: an exchange leaves away as many
  /// bytes or more, with a copy or without.
  func bytes(of standing: Standing, on view: View) -> Int {
    var total = 0
    let first = Int(view.first)
    for mask in [standing.away, standing.copied] {
      var rest = mask
      while rest != 0 {
        total += sizes[first + rest.trailingZeroBitCount]
        rest &= rest &- 1
      }
    }
    return total
  }

  /// True when `other` can do what `own` does for at most `allowed` more.
  @inline(__always)
  func excess(of own: Standing, over other: Standing, on view: View, allowed: Int) -> Bool {
    if allowed < 0 { return false }
    var onlyOurs = own.away & ~other.away
    var onlyTheirs = other.away & ~own.away
    var left = allowed
    let first = Int(view.first)
    var copies = own.copied & ~other.copied
    while onlyOurs != 0 {
      let bit = onlyOurs & (~onlyOurs &+ 1)
      let place = bit.trailingZeroBitCount
      onlyOurs ^= bit
      // Moving the other tensor away until then must not be dearer than what `own` would pay.
      var partners = onlyTheirs & later[first + place]
      if copies & bit != 0 { partners &= ~own.copied }
      if partners != 0 {
        onlyTheirs &= ~(partners & (~partners &+ 1))
        copies &= ~bit
        continue
      }
      left -= sizes[first + place]
      if left < 0 { return false }
    }
    while copies != 0 {
      left -= sizes[first + copies.trailingZeroBitCount]
      if left < 0 { return false }
      copies &= copies &- 1
    }
    return true
  }
}
