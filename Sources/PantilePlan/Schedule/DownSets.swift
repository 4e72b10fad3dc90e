/// The sets of ops that can have run at some moment (down-sets of the graph), numbered, each with what can run next and what is alive.
///
/// A tensor is alive in a down-set once it is there (made, or first fetched by an op in the set) and while an op outside reads it.
final class DownSets {
  let index: ScheduleIndex
  let opWords: Int
  let tensorWords: Int
  let table: SetTable
  /// Ops that can run next, and tensors alive; one block each a down-set.
  private let ready: GrowingBuffer<UInt64>
  private let live: GrowingBuffer<UInt64>
  /// For each op its consumers' masks: tensors' readers, inputs, outputs as bits.
  let readers: FlatBuffer<UInt64>
  let inputs: FlatBuffer<UInt64>
  let outputs: FlatBuffer<UInt64>
  let predecessors: FlatBuffer<UInt64>
  /// Scratch of `child`.
  private let scratch: UnsafeMutablePointer<UInt64>
  /// The empty down-set.
  private(set) var root = 0

  init(_ index: ScheduleIndex) {
    self.index = index
    opWords = Bits.words(for: index.ops.count)
    tensorWords = Bits.words(for: index.tensors.count)
    table = SetTable(words: opWords)
    ready = GrowingBuffer(capacity: 1024 * opWords)
    live = GrowingBuffer(capacity: 1024 * tensorWords)
    readers = FlatBuffer(repeating: 0, count: max(1, index.tensors.count * opWords))
    inputs = FlatBuffer(repeating: 0, count: max(1, index.ops.count * tensorWords))
    outputs = FlatBuffer(repeating: 0, count: max(1, index.ops.count * tensorWords))
    predecessors = FlatBuffer(repeating: 0, count: max(1, index.ops.count * opWords))
    scratch = .allocate(capacity: opWords)
    scratch.initialize(repeating: 0, count: opWords)
    for (number, tensor) in index.tensors.enumerated() {
      for op in tensor.consumers { Bits.insert(readers.buffer.baseAddress! + number * opWords, op) }
    }
    for (number, op) in index.ops.enumerated() {
      for tensor in op.inputs { Bits.insert(inputs.buffer.baseAddress! + number * tensorWords, tensor) }
      for tensor in op.outputs { Bits.insert(outputs.buffer.baseAddress! + number * tensorWords, tensor) }
      for other in index.predecessors[number] {
        Bits.insert(predecessors.buffer.baseAddress! + number * opWords, other)
      }
    }
    root = table.intern(scratch).id
    _ = ready.append(repeating: 0, count: opWords)
    _ = live.append(repeating: 0, count: tensorWords)
    for op in index.ops.indices where index.predecessors[op].isEmpty { Bits.insert(ready.base, op) }
  }

  deinit {
    ready.deallocate()
    live.deallocate()
    readers.deallocate()
    inputs.deallocate()
    outputs.deallocate()
    predecessors.deallocate()
    scratch.deallocate()
  }

  var count: Int { table.count }
  @inline(__always)
  func done(_ id: Int) -> UnsafePointer<UInt64> { table.pointer(id) }
  @inline(__always)
  func ready(_ id: Int) -> UnsafePointer<UInt64> { UnsafePointer(ready.base + id * opWords) }
  @inline(__always)
  func live(_ id: Int) -> UnsafePointer<UInt64> { UnsafePointer(live.base + id * tensorWords) }
  @inline(__always)
  func readers(_ tensor: Int) -> UnsafePointer<UInt64> {
    UnsafePointer(readers.buffer.baseAddress.unsafelyUnwrapped + tensor * opWords)
  }
  @inline(__always)
  func inputs(_ op: Int) -> UnsafePointer<UInt64> {
    UnsafePointer(inputs.buffer.baseAddress.unsafelyUnwrapped + op * tensorWords)
  }
  @inline(__always)
  func outputs(_ op: Int) -> UnsafePointer<UInt64> {
    UnsafePointer(outputs.buffer.baseAddress.unsafelyUnwrapped + op * tensorWords)
  }

  /// True when no op outside a down-set, `op` counted in, reads the tensor.
  @inline(__always)
  func dies(_ tensor: Int, at id: Int, after op: Int) -> Bool {
    let (readers, done) = (readers(tensor), done(id))
    for word in 0..<opWords {
      var rest = readers[word] & ~done[word]
      if word == op >> 6 { rest &= ~(1 << UInt64(op & 63)) }
      if rest != 0 { return false }
    }
    return true
  }

  /// The down-set with one more op.
  ///
  /// - Precondition: the op can run next.
  func child(_ id: Int, _ op: Int) -> Int {
    scratch.update(from: done(id), count: opWords)
    Bits.insert(scratch, op)
    let (child, isNew) = table.intern(scratch)
    guard isNew else { return child }
    let readyAt = ready.append(repeating: 0, count: opWords)
    for word in 0..<opWords { ready.base[readyAt + word] = ready.base[id * opWords + word] }
    Bits.remove(ready.base + readyAt, op)
    let done = done(child)
    for next in index.successors[op] {
      let before = UnsafePointer(predecessors.buffer.baseAddress.unsafelyUnwrapped + next * opWords)
      if Bits.isSubset(before, of: done, words: opWords) { Bits.insert(ready.base + readyAt, next) }
    }
    let liveAt = live.append(repeating: 0, count: tensorWords)
    let (own, added, read) = (live.base + liveAt, outputs(op), inputs(op))
    for word in 0..<tensorWords { own[word] = live.base[id * tensorWords + word] | added[word] | read[word] }
    for word in 0..<tensorWords {
      var touched = added[word] | read[word]
      while touched != 0 {
        let tensor = word << 6 + touched.trailingZeroBitCount
        touched &= touched &- 1
        // A produced tensor that is pinned stays for good.
        if !index.tensors[tensor].isPinned, Bits.isSubset(readers(tensor), of: done, words: opWords) {
          Bits.remove(own, tensor)
        }
      }
    }
    return child
  }
}
