/// Finds cuts of the kind that certificates know (see `BoundCertificate.Cover`) which a fractional point violates.
struct CoverSeparation {
  let model: WholeModel

  /// At most one cut from each side of each row, the most violated first.
  func cuts(at point: [Double]) -> [BoundCertificate.Cover] {
    var found: [(cut: BoundCertificate.Cover, violation: Double)] = []
    for row in model.rows.indices {
      for isUpperSide in [true, false] {
        if let cut = cut(row, isUpperSide, point) { found.append(cut) }
      }
    }
    return found.enumerated().sorted {
      $0.element.violation != $1.element.violation ? $0.element.violation > $1.element.violation : $0.offset < $1.offset
    }.map(\.element.cut)
  }

  private struct Literal {
    var column: Int
    var weight: Double
    var value: Double
  }

  /// Rows with few literals are quick; floating point is enough, because the checker has the last word.
  private func cut(_ row: Int, _ isUpperSide: Bool, _ point: [Double]) -> (BoundCertificate.Cover, Double)? {
    guard let side = isUpperSide ? model.rows[row].upper : model.rows[row].lower else { return nil }
    let sign = isUpperSide ? 1.0 : -1.0
    // What is left for literals above the least use.
    var room = sign * Double(side)
    var literals: [Literal] = []
    for (column, coefficient) in model.rows[row].terms {
      let weight = sign * Double(coefficient)
      guard let end = weight > 0 ? model.lower[column] : model.upper[column] else { return nil }
      room -= weight * Double(end)
      guard model.isInteger[column], model.lower[column] == 0, model.upper[column] == 1 else { continue }
      let value = min(1, max(0, point[column]))
      literals.append(Literal(column: column, weight: weight.magnitude, value: weight > 0 ? value : 1 - value))
    }
    if room < 0 || literals.count < 2 || literals.reduce(0, { $0 + $1.weight }) <= room { return nil }
    var best: (BoundCertificate.Cover, Double)?
    for byRatio in [false, true] {
      let order = literals.enumerated().sorted { a, b in
        let (x, y) =
          byRatio
          ? ((1 - a.element.value) * b.element.weight, (1 - b.element.value) * a.element.weight)
          : (b.element.value, a.element.value)
        if x != y { return x < y }
        if a.element.weight != b.element.weight { return a.element.weight > b.element.weight }
        return a.offset < b.offset
      }.map(\.element)
      var sum = 0.0
      var cover: [Literal] = []
      for literal in order where sum <= room {
        cover.append(literal)
        sum += literal.weight
      }
      // Minimal: drop what the cover does not need, the least true first.
      for literal in cover.sorted(by: { $0.value != $1.value ? $0.value < $1.value : $0.column < $1.column })
      where sum - literal.weight > room {
        sum -= literal.weight
        cover.removeAll { $0.column == literal.column }
      }
      let limit = cover.count - 1
      let heaviest = cover.reduce(0) { max($0, $1.weight) }
      let members = Set(cover.map(\.column))
      let extended = literals.filter { members.contains($0.column) || $0.weight >= heaviest }
      let violation = extended.reduce(-Double(limit)) { $0 + $1.value }
      if violation > 1e-4, violation > best?.1 ?? 0 {
        let cut = BoundCertificate.Cover(
          row: row, isUpperSide: isUpperSide, columns: extended.map(\.column), limit: limit)
        best = (cut, violation)
      }
    }
    return best
  }
}
