/// One command for the register-transfer models of the systolic array: operands of up to 16 bits, row-major.
package struct SystolicCommand: Sendable {
  package var extents: TileExtents
  /// A: [m, k].
  package var a: [Int16]
  /// B: [k, n].
  package var b: [Int16]
  /// Whether the first fold along K adds to what the accumulators hold.
  package var accumulates: Bool

  package init(extents: TileExtents, a: [Int16], b: [Int16], accumulates: Bool = false) {
    precondition(a.count == extents.m * extents.k && b.count == extents.k * extents.n, "operands do not fit \(extents)")
    self.extents = extents
    self.a = a
    self.b = b
    self.accumulates = accumulates
  }

  package init(_ input: ArrayStepInput) {
    self.init(extents: input.extents, a: input.a.map { Int16($0) }, b: input.b.map { Int16($0) })
  }
}
