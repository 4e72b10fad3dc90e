import PantileSupport

/// An operation of a module.
public struct OpID: EntityID {
  public let index: Int32
  public init(index: Int32) { self.index = index }
}

/// An SSA value of a module: an op's result or a block's argument.
public struct ValueID: EntityID {
  public let index: Int32
  public init(index: Int32) { self.index = index }
}

/// A block of a module.
public struct BlockID: EntityID {
  public let index: Int32
  public init(index: Int32) { self.index = index }
}

/// A region of an op.
public struct RegionID: EntityID {
  public let index: Int32
  public init(index: Int32) { self.index = index }
}

/// An interned type.
public struct TypeID: EntityID {
  public let index: Int32
  public init(index: Int32) { self.index = index }
}

/// An interned attribute dictionary.
public struct AttributesID: EntityID {
  public let index: Int32
  public init(index: Int32) { self.index = index }
}

/// An interned name: of an op kind or of a value.
public struct NameID: EntityID {
  public let index: Int32
  public init(index: Int32) { self.index = index }
}

/// An interned location.
public struct LocationID: EntityID {
  public let index: Int32
  public init(index: Int32) { self.index = index }
}

/// One operand slot.
struct UseID: EntityID {
  let index: Int32
}

extension EntityID {
  /// Stands for "no entity" inside records; the public API uses optionals.
  static var none: Self { Self(index: -1) }
  var isNone: Bool { index < 0 }
  var orNil: Self? { index < 0 ? nil : self }
}
