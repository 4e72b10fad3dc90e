import PantileTensor

/// What enters an output-stationary N:M array in each cycle of a fold: groups of activations, and beats of pairs.
///
/// Each port fills one buffer while the array works on what entered before; a buffer is empty when a fold starts. The slots of a group
/// follow each other at the distance at which a context may be used again.
struct NMFeed: BitwiseCopyable {
  struct Entry {
    /// The group that enters in this cycle, or -1.
    var group = -1
    /// The kept weight and the context of the beat that enters, or -1.
    var slot = -1
    var context = -1
  }

  private let ports: NMSparseOptions.Ports
  private let kept: Int
  private let contexts: Int
  /// Kept weights of a fold.
  private let slots: Int
  /// Elements of a group in all rows; bits of the values and of the indices of a beat at their ports.
  private let elements: Int
  private let valueBits: Int
  private let indexBits: Int
  /// Least distance of uses of a context.
  private let distance: Int
  private var slot = 0
  private var phase = 0
  private var sinceSlot: Int
  private var gathered = 0
  private var bits = 0
  private var metadata = 0

  init(_ options: NMSparseOptions, _ format: ContractionFormat, slots: Int, distance: Int) {
    ports = options.ports
    self.slots = slots
    kept = format.pattern?.kept ?? 1
    contexts = options.interleave
    elements = options.rows * (format.pattern?.group ?? 1)
    let ofIndices = options.columns * (format.pattern?.indexBits ?? 0)
    valueBits = options.columns * format.weightBits + (options.ports.metadata == 0 ? ofIndices : 0)
    indexBits = options.ports.metadata == 0 ? 0 : ofIndices
    self.distance = distance
    sinceSlot = self.distance
  }

  var isDone: Bool { slot == slots }
  /// Whether one beat is left.
  var isAlmostDone: Bool { slot + 1 == slots && phase + 1 == contexts }

  /// One cycle.
  @inline(__always) mutating func step() -> Entry {
    var entry = Entry()
    gathered = ports.activation == 0 ? elements : min(elements, gathered + ports.activation)
    bits = ports.weight == 0 ? valueBits : min(valueBits, bits + ports.weight)
    metadata = min(indexBits, metadata + ports.metadata)
    let needsGroup = phase == 0 && slot % kept == 0
    if bits == valueBits && metadata == indexBits && (phase > 0 || sinceSlot >= distance)
      && (!needsGroup || gathered == elements)
    {
      if needsGroup {
        entry.group = slot / kept
        gathered = 0
      }
      (entry.slot, entry.context) = (slot, phase)
      (bits, metadata) = (0, 0)
      if phase == 0 { sinceSlot = 0 }
      phase += 1
      if phase == contexts {
        phase = 0
        slot += 1
      }
    }
    sinceSlot += 1
    return entry
  }

  /// Cycles until the last beat has entered.
  func cycles() -> Int {
    var (feed, count) = (self, 0)
    while !feed.isDone {
      _ = feed.step()
      count += 1
    }
    return count
  }
}
