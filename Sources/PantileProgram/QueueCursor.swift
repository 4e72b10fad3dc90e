import PantileSupport

/// A queue flattened for running: commands and loop marks in one array, waits, signals and guards beside them.
public final class FlatQueue: Sendable {
  /// A stretch of one of the lists.
  public struct Span: Hashable, Sendable, BitwiseCopyable {
    public var start: Int32
    public var end: Int32

    public init(_ start: Int, _ end: Int) {
      self.start = Int32(start)
      self.end = Int32(end)
    }

    @inline(__always) public var range: Range<Int> { Int(start)..<Int(end) }
  }

  public struct FlatWait: Hashable, Sendable, BitwiseCopyable {
    public var channel: Int
    public var count: Int
    public var guards: Span
  }

  public struct FlatSignal: Hashable, Sendable, BitwiseCopyable {
    public var channel: Int
    public var count: Int
    /// The operand that has been read; -1: all is written.
    public var operand: Int
    public var guards: Span
  }

  /// A command without its operation.
  public struct FlatCommand: Hashable, Sendable, BitwiseCopyable {
    public var layer: Int
    public var guards: Span
    public var waits: Span
    public var signals: Span
  }

  /// A stop on the way through the queue.
  public enum Entry: Sendable {
    /// An index into `commands`.
    case command(Int)
    /// Loop with its trip count and the entry after its end.
    case enter(count: Int, exit: Int)
    /// End of the loop whose body starts at the entry.
    case leave(body: Int)
  }

  public let commands: [Command]
  /// As `commands`.
  public let flat: [FlatCommand]
  public let waits: [FlatWait]
  public let signals: [FlatSignal]
  public let guards: [Guard]
  public let entries: [Entry]

  public init(_ queue: Program.Queue) {
    var lists = Lists()
    lists.append(queue.body)
    commands = lists.commands
    flat = lists.flat
    waits = lists.waits
    signals = lists.signals
    guards = lists.guards
    entries = lists.entries
  }

  /// True when every guard of a stretch holds.
  @inlinable public func hold(_ span: Span, at loops: borrowing LoopState) -> Bool {
    var index = span.start
    while index < span.end {
      if !guards[Int(index)].holds(at: loops) { return false }
      index += 1
    }
    return true
  }

  private struct Lists {
    var commands: [Command] = []
    var flat: [FlatCommand] = []
    var waits: [FlatWait] = []
    var signals: [FlatSignal] = []
    var guards: [Guard] = []
    var entries: [Entry] = []

    mutating func append(_ nodes: [Program.Node]) {
      for node in nodes {
        switch node {
        case .command(let command):
          append(command)
          entries.append(.command(commands.count - 1))
        case .loop(let count, let body):
          let enter = entries.count
          entries.append(.enter(count: count, exit: 0))
          append(body)
          entries.append(.leave(body: enter + 1))
          entries[enter] = .enter(count: count, exit: entries.count)
        }
      }
    }

    private mutating func append(_ command: Command) {
      commands.append(command)
      let (firstWait, firstSignal) = (waits.count, signals.count)
      for wait in command.waits {
        waits.append(FlatWait(channel: wait.channel.offset, count: wait.count, guards: append(wait.guards)))
      }
      for signal in command.signals {
        let operand = if case .read(let operand) = signal.point { operand } else { -1 }
        signals.append(
          FlatSignal(
            channel: signal.channel.offset, count: signal.count, operand: operand, guards: append(signal.guards)))
      }
      flat.append(
        FlatCommand(
          layer: command.layer.offset, guards: append(command.guards), waits: Span(firstWait, waits.count),
          signals: Span(firstSignal, signals.count)))
    }

    private mutating func append(_ conditions: [Guard]) -> Span {
      let first = guards.count
      guards += conditions
      return Span(first, guards.count)
    }
  }
}

/// Walks a queue's commands in order, loops expanded one trip at a time; commands whose guards fail are stepped over.
public struct QueueCursor: Sendable {
  public let queue: FlatQueue
  public private(set) var loops = LoopState()
  private var position = 0
  /// The command that the cursor stands on: an index into `queue.commands`; nil at the end.
  public private(set) var current: Int?
  /// How many commands have been passed.
  public private(set) var passed = 0

  /// - Precondition: loops nest no deeper than `LoopState.mostLoops`.
  public init(_ queue: FlatQueue) {
    self.queue = queue
    settle()
  }

  /// - Precondition: not at the end.
  public var command: Command {
    guard let current else { preconditionFailure("cursor is at the end of its queue") }
    return queue.commands[current]
  }

  /// Moves to the next command that takes place.
  public mutating func advance() {
    guard current != nil else { return }
    passed += 1
    position += 1
    settle()
  }

  private mutating func settle() {
    while position < queue.entries.count {
      switch queue.entries[position] {
      case .command(let index):
        if queue.hold(queue.flat[index].guards, at: loops) {
          current = index
          return
        }
        position += 1
      case .enter(let count, let exit):
        if count > 0 {
          loops.enter(count: count)
          position += 1
        } else {
          position = exit
        }
      case .leave(let body):
        position = loops.advance() ? body : position + 1
      }
    }
    current = nil
  }
}
