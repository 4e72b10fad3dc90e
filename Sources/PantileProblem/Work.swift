import PantileSupport

/// One operation as engines and planners see it: a loop nest with affine accesses, without any notion of the op it came from.
///
/// Hashable, so that equal layers are mapped once.
public struct Work: Hashable, Sendable {
  /// What the body of the nest does at each point.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Multiply and accumulate over the reduced dimensions.
    case contraction
    /// Each output element from the input elements of the same point.
    case elementwise
    /// A sum, maximum or the like over the reduced dimensions.
    case reduction
  }

  /// The part that a dimension plays.
  public enum Role: String, Hashable, Sendable, CaseIterable {
    /// Independent instances: batch, heads, groups, depthwise channels.
    case batch
    /// Output rows: moves the first input and the output (pixels, tokens).
    case row
    /// Output columns: moves the second input and the output (output channels).
    case column
    /// Summed over (input channels, filter taps).
    case reduced
  }

  public struct Dim: Hashable, Sendable {
    public var name: String
    public var extent: Int
    public var role: Role

    public init(_ name: String, extent: Int, role: Role) {
      self.name = name
      self.extent = extent
      self.role = role
    }
  }

  public struct Operand: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable { case read, write }
    public var name: String
    public var kind: Kind
    public var map: AccessMap
    /// The number format by its text name: `i8`, `i32`, `f32`, ….
    public var format: String
    public var elementBits: Int
    /// Elements along the innermost axis that cannot be separated: sub-byte packing, N:M group, scale group.
    public var granule: Int

    public init(
      _ name: String, kind: Kind, map: AccessMap, format: String, elementBits: Int, granule: Int = 1
    ) {
      self.name = name
      self.kind = kind
      self.map = map
      self.format = format
      self.elementBits = elementBits
      self.granule = granule
    }
  }

  public var kind: Kind
  public var dims: [Dim]
  public var operands: [Operand]
  /// Multiply-accumulates of the whole nest; zero when there are none.
  public var macs: Int

  public init(kind: Kind, dims: [Dim], operands: [Operand], macs: Int? = nil) {
    self.kind = kind
    self.dims = dims
    self.operands = operands
    self.macs = macs ?? (kind == .contraction ? dims.reduce(1) { saturatingMultiply($0, $1.extent) } : 0)
  }

  /// The number of the dimension with this name.
  public func dim(named name: String) -> Int? { dims.firstIndex { $0.name == name } }

  /// The operand with this name.
  public func operand(named name: String) -> Operand? { operands.first { $0.name == name } }

  /// Elements of the box that a tile of the nest touches, along one axis of an operand, as a function of tile sizes; never more
  /// than the axis holds.
  ///
  /// **Shape** `1 + sum of |coefficient| * (tile - 1)`, cut at the extent.
  public func tileExtent(_ axis: AccessMap.Axis, size: (String) -> CostExpr = { .tile($0) }) -> CostExpr {
    var span = CostExpr.one
    for term in axis.terms where term.coefficient != 0 {
      span += abs(term.coefficient) * (size(dims[term.dim].name) + -1)
    }
    if axis.terms.count == 1, abs(axis.terms[0].coefficient) == 1 { return size(dims[axis.terms[0].dim].name) }
    return axis.terms.isEmpty ? .one : .min(span, .constant(axis.extent))
  }

  /// Bytes of the box that a tile of the nest touches in an operand, rows of the innermost axis padded to bytes.
  ///
  /// **Units** Bytes. **Accuracy** Exact for one access box; strides that skip elements count the skipped ones.
  public func tileBytes(of operand: Operand, size: (String) -> CostExpr = { .tile($0) }) -> CostExpr {
    guard let inner = operand.map.axes.last else { return .constant((operand.elementBits + 7) / 8) }
    let row = tileExtent(inner, size: size)
    let rowBytes =
      operand.elementBits % 8 == 0
      ? row * (operand.elementBits / 8) : CostExpr.ceilDiv(row * operand.elementBits, 8)
    return operand.map.axes.dropLast().map { tileExtent($0, size: size) }.reduce(rowBytes) { $1 * $0 }
  }

  /// Bytes of a whole operand tensor, rows of the innermost axis padded to bytes.
  public func tensorBytes(of operand: Operand) -> Int {
    guard let inner = operand.map.axes.last else { return (operand.elementBits + 7) / 8 }
    let row = saturatingCeilDivide(saturatingMultiply(inner.extent, operand.elementBits), 8)
    return operand.map.axes.dropLast().reduce(row) { saturatingMultiply($0, $1.extent) }
  }

  /// Refuses a nest that no planner could take.
  ///
  /// - Throws: `bad-work` for each extent, width or term that is out of range.
  public func check() throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ message: String) { errors.append(Diagnostic("bad-work", message)) }
    for (index, dim) in dims.enumerated() {
      if dim.extent < 1 { fail("dimension '\(dim.name)' has extent \(dim.extent), at least 1 is needed") }
      if dims[..<index].contains(where: { $0.name == dim.name }) { fail("dimension '\(dim.name)' occurs twice") }
    }
    for operand in operands {
      if operand.elementBits < 1 { fail("operand '\(operand.name)' has \(operand.elementBits) bits an element") }
      if operand.granule < 1 { fail("operand '\(operand.name)' has granule \(operand.granule)") }
      for axis in operand.map.axes {
        if axis.extent < 1 { fail("operand '\(operand.name)' has an axis of extent \(axis.extent)") }
        for term in axis.terms where !dims.indices.contains(term.dim) {
          fail("operand '\(operand.name)' uses dimension number \(term.dim) of \(dims.count)")
        }
      }
    }
    if operands.count(where: { $0.kind == .write }) != 1 { fail("exactly one operand must be written") }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }
}
