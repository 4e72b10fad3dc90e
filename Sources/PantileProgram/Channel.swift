/// A dependency counter between two queues: waits take tokens at issue, signals add them at their point.
///
/// A buffer with s slots has two channels: `space` (initial s, the writer waits for it) and `data` (initial 0, the
/// reader waits for it).
public struct Channel: Hashable, Sendable {
  /// What a wait on this channel means; it names the cause of a stall.
  public enum Role: String, Hashable, Sendable, CaseIterable {
    /// The consumer waits for bytes that the producer makes.
    case data
    /// The consumer waits for a free buffer slot.
    case space
    /// The consumer waits for an earlier layer to end.
    case order
  }

  public var name: String
  public var role: Role
  public var producer: QueueID
  public var consumer: QueueID
  public var initial: Int
  /// The most tokens that the counter can hold.
  public var capacity: Int

  public init(name: String, role: Role, producer: QueueID, consumer: QueueID, initial: Int, capacity: Int) {
    self.name = name
    self.role = role
    self.producer = producer
    self.consumer = consumer
    self.initial = initial
    self.capacity = capacity
  }
}

/// Takes tokens before its command issues.
public struct Wait: Hashable, Sendable {
  public var channel: ChannelID
  public var count: Int
  public var guards: [Guard]

  public init(_ channel: ChannelID, _ count: Int = 1, when guards: [Guard] = []) {
    self.channel = channel
    self.count = count
    self.guards = guards
  }
}

/// Adds tokens at a point of its command; visible to waits from the next cycle.
public struct Signal: Hashable, Sendable {
  /// `read(i)`: after the last read of operand i. `written`: when the last write is visible and all reads are done.
  public enum Point: Hashable, Sendable {
    case read(Int)
    case written
  }

  public var channel: ChannelID
  public var point: Point
  public var count: Int
  public var guards: [Guard]

  public init(_ channel: ChannelID, at point: Point, _ count: Int = 1, when guards: [Guard] = []) {
    self.channel = channel
    self.point = point
    self.count = count
    self.guards = guards
  }
}
