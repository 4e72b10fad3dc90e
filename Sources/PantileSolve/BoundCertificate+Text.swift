import Foundation
import PantileSupport

extension BoundCertificate {
  /// The certificate as JSON of whole numbers. Keys and order are fixed, so that equal certificates have equal text.
  ///
  /// **Example** `{"bound":[7,1],"cuts":[],"proofs":[[2,[0,3],[1,-2]]],"tree":[[0]]}`: a proof is denominator, rows, multipliers; a node
  /// of the tree is `[column, value]` for a branch and `[proof]` for a leaf; a cover is row, 1 for the upper
  /// side, limit, columns; a rounding is rows, multipliers, sides, divisor, complemented columns.
  public var text: String {
    let boundText = bound.map { "[\($0.numerator),\($0.denominator)]" } ?? "null"
    let cutTexts = cuts.map { cut in
      switch cut {
      case .cover(let cut): "[\(cut.row),\(cut.isUpperSide ? 1 : 0),\(cut.limit),\(list(cut.columns))]"
      case .rounding(let cut):
        "[\(list(cut.rows)),\(list(cut.multipliers)),\(list(cut.isUpperSide.map { $0 ? 1 : 0 })),"
          + "\(cut.divisor),\(list(cut.complemented))]"
      }
    }
    let proofTexts = proofs.map { "[\($0.denominator),\(list($0.rows)),\(list($0.multipliers))]" }
    let nodeTexts = tree.map { node in
      switch node {
      case .branch(let column, let value): "[\(column),\(value)]"
      case .leaf(let proof): "[\(proof)]"
      }
    }
    return """
      {"bound":\(boundText),
      "cuts":[\(cutTexts.joined(separator: ",\n"))],
      "proofs":[\(proofTexts.joined(separator: ",\n"))],
      "tree":[\(nodeTexts.joined(separator: ","))]}

      """
  }

  /// Reads what `text` writes.
  ///
  /// - Throws: `bad-certificate-text`. What is read is not checked against any model yet.
  public init(text: String) throws(DiagnosticError) {
    do {
      let shape = try JSONDecoder().decode(Shape.self, from: Data(text.utf8))
      self.init(
        bound: shape.bound.map { Ratio($0.0, over: $0.1) }, cuts: shape.cuts.map(\.cut),
        proofs: shape.proofs.map(\.proof), tree: shape.tree.map(\.node))
    } catch {
      throw DiagnosticError("bad-certificate-text", "the certificate is not what is written: \(error)")
    }
  }
}

extension LinearModel {
  /// The model as JSON of whole numbers, for checkers of certificates that are not ours.
  ///
  /// **Example** `{"maximise":0,"constant":0,"columns":[[0,1,1,5]],"rows":[[null,4,[0],[3]]]}`: a column is lower bound, upper bound
  /// (`null`: none), 1 when integer, objective; a row is lower bound, upper bound, columns, coefficients.
  /// - Throws: `bad-linear-model`, `not-whole`.
  public func wholeText() throws(DiagnosticError) -> String {
    _ = try WholeModel(self)
    func bound(_ value: Double) -> String { value.isInfinite ? "null" : String(Int(value)) }
    let columnTexts = columns.map {
      "[\(bound($0.lower)),\(bound($0.upper)),\($0.isInteger ? 1 : 0),\(Int($0.objective))]"
    }
    let rowTexts = constraints.map { row in
      let numbers = (list(row.terms.map(\.variable.index)), list(row.terms.map { Int($0.coefficient) }))
      return "[\(bound(row.lower)),\(bound(row.upper)),\(numbers.0),\(numbers.1)]"
    }
    return """
      {"maximise":\(direction == .maximise ? 1 : 0),"constant":\(Int(objectiveConstant)),
      "columns":[\(columnTexts.joined(separator: ",\n"))],
      "rows":[\(rowTexts.joined(separator: ",\n"))]}

      """
  }
}

private func list(_ numbers: [Int]) -> String { "[" + numbers.map(String.init).joined(separator: ",") + "]" }

/// The JSON of a certificate.
private struct Shape: Decodable {
  var bound: (Int, Int)?
  var cuts: [CutShape]
  var proofs: [ProofShape]
  var tree: [NodeShape]

  enum CodingKeys: String, CodingKey { case bound, cuts, proofs, tree }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    if let pair = try values.decode([Int]?.self, forKey: .bound) {
      if pair.count != 2 { throw DecodingError.wrongLength(decoder, "the bound has \(pair.count) numbers") }
      bound = (pair[0], pair[1])
    }
    cuts = try values.decode([CutShape].self, forKey: .cuts)
    proofs = try values.decode([ProofShape].self, forKey: .proofs)
    tree = try values.decode([NodeShape].self, forKey: .tree)
  }
}

private struct CutShape: Decodable {
  var cut: BoundCertificate.Cut

  init(from decoder: any Decoder) throws {
    var values = try decoder.unkeyedContainer()
    if let row = try? values.decode(Int.self) {
      let (side, limit) = (try values.decode(Int.self), try values.decode(Int.self))
      let columns = try values.decode([Int].self)
      cut = .cover(.init(row: row, isUpperSide: side == 1, columns: columns, limit: limit))
      if side != 0 && side != 1 || !values.isAtEnd { throw DecodingError.wrongLength(decoder, "a cover is misshapen") }
      return
    }
    let rows = try values.decode([Int].self)
    let multipliers = try values.decode([Int].self)
    let sides = try values.decode([Int].self)
    let divisor = try values.decode(Int.self)
    cut = .rounding(
      .init(
        rows: rows, multipliers: multipliers, isUpperSide: sides.map { $0 == 1 }, divisor: divisor,
        complemented: try values.decode([Int].self)))
    if !sides.allSatisfy({ $0 == 0 || $0 == 1 }) || sides.count != rows.count || multipliers.count != rows.count
      || !values.isAtEnd
    {
      throw DecodingError.wrongLength(decoder, "a rounding is misshapen")
    }
  }
}

private struct ProofShape: Decodable {
  var proof: BoundCertificate.Proof

  init(from decoder: any Decoder) throws {
    var values = try decoder.unkeyedContainer()
    let denominator = try values.decode(Int.self)
    let rows = try values.decode([Int].self)
    proof = .init(denominator: denominator, rows: rows, multipliers: try values.decode([Int].self))
    if rows.count != proof.multipliers.count || !values.isAtEnd {
      throw DecodingError.wrongLength(decoder, "a proof is misshapen")
    }
  }
}

private struct NodeShape: Decodable {
  var node: BoundCertificate.Node

  init(from decoder: any Decoder) throws {
    var values = try decoder.unkeyedContainer()
    let first = try values.decode(Int.self)
    node = values.isAtEnd ? .leaf(first) : .branch(column: first, value: try values.decode(Int.self))
    if !values.isAtEnd { throw DecodingError.wrongLength(decoder, "a node has more than two numbers") }
  }
}

extension DecodingError {
  fileprivate static func wrongLength(_ decoder: any Decoder, _ text: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: text))
  }
}
