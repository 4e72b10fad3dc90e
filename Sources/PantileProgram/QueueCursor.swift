/// A queue flattened for running: commands and loop marks in one array.
public struct FlatQueue: Sendable {
  enum Entry: Sendable {
    case command(Int)
    /// Loop with its trip count and the entry after its end.
    case enter(count: Int, exit: Int)
    /// End of the loop whose body starts at the entry.
    case leave(body: Int)
  }

  public private(set) var commands: [Command] = []
  var entries: [Entry] = []

  public init(_ queue: Program.Queue) { append(queue.body) }

  private mutating func append(_ nodes: [Program.Node]) {
    for node in nodes {
      switch node {
      case .command(let command):
        commands.append(command)
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
        if queue.commands[index].guards.hold(at: loops) {
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
