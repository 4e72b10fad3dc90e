/// One thing that happened in a timing run, as its register-transfer twin must show it too.
public struct TimingEvent: Hashable, Sendable, Comparable {
  public enum Kind: Int, Hashable, Sendable, CaseIterable {
    /// Queue `a` issues its command number `b` (as in `FlatQueue.commands`).
    case issue
    /// `b` tokens of channel `a` become visible.
    case token
    /// Queue `a` releases the read ports of the banks in `mask`.
    case freeReads
    /// Queue `a` releases the write ports of the banks in `mask`.
    case freeWrites
    /// The memory accepts `b` bursts of queue `a`, which start in this cycle.
    case accept
    /// `b` bursts of queue `a` are answered.
    case answer
    /// A command of queue `a` is complete: its last write is visible.
    case complete

    /// The name in the text form.
    public var name: String {
      switch self {
      case .issue: return "issue"
      case .token: return "token"
      case .freeReads: return "free-reads"
      case .freeWrites: return "free-writes"
      case .accept: return "accept"
      case .answer: return "answer"
      case .complete: return "complete"
      }
    }
  }

  public var cycle: Int
  public var kind: Kind
  public var a: Int
  public var b: Int
  public var mask: UInt64

  public init(_ cycle: Int, _ kind: Kind, _ a: Int, _ b: Int = 0, mask: UInt64 = 0) {
    self.cycle = cycle
    self.kind = kind
    self.a = a
    self.b = b
    self.mask = mask
  }

  public static func < (x: TimingEvent, y: TimingEvent) -> Bool {
    (x.cycle, x.kind.rawValue, x.a, x.b, x.mask) < (y.cycle, y.kind.rawValue, y.a, y.b, y.mask)
  }

  /// One line: `cycle kind a b`, the mask in hexadecimal where there is one.
  public var text: String {
    switch kind {
    case .freeReads, .freeWrites: return "\(cycle) \(kind.name) \(a) \(String(mask, radix: 16))"
    case .complete: return "\(cycle) \(kind.name) \(a)"
    case .issue, .token, .accept, .answer: return "\(cycle) \(kind.name) \(a) \(b)"
    }
  }
}

extension [TimingEvent] {
  /// The stream in the order in which two runs are compared: sorted, counts of tokens and bursts of one cycle added up.
  ///
  /// Issues of one queue in one cycle keep their order, because their command numbers are all that tells them apart.
  public var canonical: [TimingEvent] {
    let issues = self.enumerated().filter { $1.kind == .issue }.sorted {
      ($0.element.cycle, $0.element.a, $0.offset) < ($1.element.cycle, $1.element.a, $1.offset)
    }.map(\.element)
    var others: [TimingEvent] = []
    for event in self.filter({ $0.kind != .issue }).sorted() {
      if let last = others.last, last.cycle == event.cycle, last.kind == event.kind, last.a == event.a,
        event.kind == .token || event.kind == .accept || event.kind == .answer
      {
        others[others.count - 1].b += event.b
      } else {
        others.append(event)
      }
    }
    var merged: [TimingEvent] = []
    merged.reserveCapacity(count)
    var next = 0
    for issue in issues {
      while next < others.count, others[next].cycle < issue.cycle {
        merged.append(others[next])
        next += 1
      }
      merged.append(issue)
    }
    return merged + others[next...]
  }
}
