/// Named attributes, always sorted by key, so that equality, hashing and printing agree.
public struct AttributeDictionary: Hashable, Sendable, ExpressibleByDictionaryLiteral, RandomAccessCollection {
  public struct Entry: Hashable, Sendable {
    public var key: String
    public var value: AttributeSyntax
  }

  public private(set) var entries: [Entry] = []

  public init() {}

  /// The last of equal keys wins.
  public init(dictionaryLiteral elements: (String, AttributeSyntax)...) {
    for (key, value) in elements { self[key] = value }
  }

  /// Entries in any order.
  /// - Precondition: no key occurs twice.
  init(unsorted entries: [Entry]) { self.entries = entries.sorted { $0.key < $1.key } }

  public var startIndex: Int { 0 }
  public var endIndex: Int { entries.count }
  public subscript(position: Int) -> Entry { entries[position] }

  /// The attribute of that name; assigning nil removes it.
  public subscript(key: String) -> AttributeSyntax? {
    get {
      let index = lowerBound(key)
      return index < entries.count && entries[index].key == key ? entries[index].value : nil
    }
    set {
      let index = lowerBound(key)
      let found = index < entries.count && entries[index].key == key
      switch (found, newValue) {
      case (true, let value?): entries[index].value = value
      case (true, nil): entries.remove(at: index)
      case (false, let value?): entries.insert(Entry(key: key, value: value), at: index)
      case (false, nil): break
      }
    }
  }

  private func lowerBound(_ key: String) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
