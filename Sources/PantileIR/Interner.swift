import PantileSupport

/// Gives equal values the same dense id.
struct Interner<Value: Hashable & Sendable, ID: EntityID>: Sendable {
  private(set) var values: [Value] = []
  private var ids: [Value: ID] = [:]

  mutating func id(of value: Value) -> ID {
    if let known = ids[value] { return known }
    let id = ID(values.count)
    values.append(value)
    ids[value] = id
    return id
  }

  subscript(id: ID) -> Value { values[id.offset] }
}
