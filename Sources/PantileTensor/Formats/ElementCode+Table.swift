extension ElementCode {
  /// A format whose codes are listed: a table a selector, indexed by code.
  ///
  /// A value gets the nearest number; in the middle between two it gets the lower one. Beyond the ends it saturates.
  /// Among codes with equal values the first is used.
  /// - Precondition: each table has `2^bits` entries and at least one number.
  static func table(name: String, bits: Int, _ tables: [(selector: String, values: [CodeValue])])
    -> ElementCode
  {
    let sorted = tables.map { table -> [(value: Double, code: Int)] in
      precondition(
        table.values.count == 1 << bits, "\(name): \(table.values.count) values of \(bits) bits")
      var numbers: [(value: Double, code: Int)] = []
      for (code, value) in table.values.enumerated() {
        guard case .number(let number) = value, !numbers.contains(where: { $0.value == number })
        else { continue }
        numbers.append((number, code))
      }
      precondition(!numbers.isEmpty, "\(name) has no number")
      return numbers.sorted { $0.value < $1.value }
    }
    return ElementCode(
      name: name, bits: bits, selectors: tables.map(\.selector),
      rounding: "to nearest, the lower of two that are as near; saturates",
      decode: { code, selector in tables[selector].values[code] },
      nearest: { value, selector in
        let numbers = sorted[selector]
        // The first number whose middle to the next is not below the value.
        var (low, high) = (0, numbers.count - 1)
        while low < high {
          let middle = (low + high) / 2
          // Halves first: sums of the largest values of a format could not overflow, but the middle stays exact this
          // way too.
          if value <= numbers[middle].value / 2 + numbers[middle + 1].value / 2 {
            high = middle
          } else {
            low = middle + 1
          }
        }
        return numbers[low].code
      },
      overflows: { value, selector in
        let numbers = sorted[selector]
        return value < numbers[0].value || value > numbers[numbers.count - 1].value
      })
  }

  /// A table of one reading.
  static func table(name: String, bits: Int, _ values: [CodeValue]) -> ElementCode {
    table(name: name, bits: bits, [("", values)])
  }
}
