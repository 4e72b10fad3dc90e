import PantileSupport

/// A memory of the Program, in declaration order.
public struct MemoryID: EntityID {
  public let index: Int32
  @inlinable public init(index: Int32) { self.index = index }
}

/// A region of a backing memory, in declaration order.
public struct RegionID: EntityID {
  public let index: Int32
  @inlinable public init(index: Int32) { self.index = index }
}

/// A token channel, in declaration order.
public struct ChannelID: EntityID {
  public let index: Int32
  @inlinable public init(index: Int32) { self.index = index }
}

/// A command queue, in declaration order.
public struct QueueID: EntityID {
  public let index: Int32
  @inlinable public init(index: Int32) { self.index = index }
}

/// A compiled `vec` kernel, in declaration order.
public struct KernelID: EntityID {
  public let index: Int32
  @inlinable public init(index: Int32) { self.index = index }
}

/// A layer: what commands are accounted to, in execution order.
public struct LayerID: EntityID {
  public let index: Int32
  @inlinable public init(index: Int32) { self.index = index }
}
