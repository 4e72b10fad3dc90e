extension BranchAndBound {
  /// The tree as a certificate of this bound, without the parts that are not needed for it.
  func certificate(of bound: Int128) -> BoundCertificate? {
    var ratio: BoundCertificate.Ratio?
    if bound != .max {
      let top = Exact(Int128(model.unit)) * Exact(bound) + Exact(Int128(model.constant)) * Exact(grains)
      guard let value = top.value, let numerator = Int(exactly: model.isMaximised ? -value : value) else { return nil }
      let divisor = max(1, greatestCommonDivisor(numerator, Int(grains)))
      ratio = .init(numerator / divisor, over: Int(grains) / divisor)
    }
    var certificate = BoundCertificate(bound: ratio, proofs: [], tree: [])
    var proofNumber: [Int: Int] = [:]
    var stack = [0]
    while let number = stack.popLast() {
      let node = nodes[number]
      if node.proof < 0 || node.bound < bound, let children = node.children {
        certificate.tree.append(.branch(column: node.split.column, value: node.split.value))
        stack.append(children.right)
        stack.append(children.left)
        continue
      }
      if node.proof < 0 { return nil }
      if let known = proofNumber[node.proof] {
        certificate.tree.append(.leaf(known))
        continue
      }
      proofNumber[node.proof] = certificate.proofs.count
      certificate.tree.append(.leaf(certificate.proofs.count))
      certificate.proofs.append(proofs[node.proof])
    }
    keepNeededCuts(&certificate)
    return certificate
  }

  /// Keeps the cuts that proofs use, and those that such cuts come from.
  func keepNeededCuts(_ certificate: inout BoundCertificate) {
    let first = model.rows.count
    var isNeeded = Array(repeating: false, count: cuts.count)
    for row in certificate.proofs.flatMap(\.rows) where row >= first { isNeeded[row - first] = true }
    for index in cuts.indices.reversed() where isNeeded[index] {
      if case .rounding(let cut) = cuts[index] {
        for row in cut.rows where row >= first { isNeeded[row - first] = true }
      }
    }
    var number = Array(rows.indices)
    for index in cuts.indices where isNeeded[index] {
      number[first + index] = first + certificate.cuts.count
      var cut = cuts[index]
      if case .rounding(var rounding) = cut {
        for place in rounding.rows.indices { rounding.rows[place] = number[rounding.rows[place]] }
        cut = .rounding(rounding)
      }
      certificate.cuts.append(cut)
    }
    for index in certificate.proofs.indices {
      for place in certificate.proofs[index].rows.indices {
        certificate.proofs[index].rows[place] = number[certificate.proofs[index].rows[place]]
      }
    }
  }
}
