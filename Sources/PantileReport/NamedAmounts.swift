/// Amounts under names, sorted by name: stalls by cause, energy by component. Coded as an object.
///
/// A dictionary would do, but its order is not defined, and everything printed has one order.
public struct NamedAmounts<Amount: Codable & Sendable & AdditiveArithmetic & Comparable>: Sendable, Equatable {
  /// One amount.
  public struct Item: Sendable, Equatable {
    public var name: String
    public var amount: Amount
  }

  /// Sorted by name, without repeats.
  public private(set) var items: [Item] = []

  public init() {}

  /// Amounts of the same name are added up.
  public init(_ pairs: [(String, Amount)]) {
    for (name, amount) in pairs { add(name, amount) }
  }

  /// Adds `amount` under `name`.
  public mutating func add(_ name: String, _ amount: Amount) {
    let index = items.firstIndex { $0.name >= name } ?? items.count
    if index < items.count, items[index].name == name {
      items[index].amount += amount
    } else {
      items.insert(Item(name: name, amount: amount), at: index)
    }
  }

  /// Adds all amounts of `other`.
  public mutating func add(_ other: NamedAmounts) {
    for item in other.items { add(item.name, item.amount) }
  }

  /// The amount under `name`; zero when there is none.
  public subscript(name: String) -> Amount { items.first { $0.name == name }?.amount ?? .zero }

  /// The sum of all amounts.
  public var total: Amount { items.reduce(.zero) { $0 + $1.amount } }

  /// From the largest amount down; equal amounts by name.
  public var descending: [Item] { items.sorted { ($1.amount, $0.name) < ($0.amount, $1.name) } }
}

extension NamedAmounts: Codable {
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for key in container.allKeys { add(key.stringValue, try container.decode(Amount.self, forKey: key)) }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for item in items { try container.encode(item.amount, forKey: Key(stringValue: item.name)) }
  }
}
