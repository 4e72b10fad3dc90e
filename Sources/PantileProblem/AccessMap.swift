import PantileSupport

/// How a point of a loop nest addresses a tensor: one affine index per tensor axis.
public struct AccessMap: Hashable, Sendable {
  /// `sum of coefficient * dim + offset`, to be read modulo nothing: an index outside `0 ..< extent` is padding.
  public struct Axis: Hashable, Sendable {
    /// A dimension, by its number in `Work.dims`, and its factor.
    public struct Term: Hashable, Sendable {
      public var dim: Int
      public var coefficient: Int

      public init(dim: Int, coefficient: Int = 1) {
        self.dim = dim
        self.coefficient = coefficient
      }
    }
    public var terms: [Term]
    public var offset: Int
    /// The size of the tensor along this axis.
    public var extent: Int

    public init(_ terms: [Term], offset: Int = 0, extent: Int) {
      self.terms = terms
      self.offset = offset
      self.extent = extent
    }

    /// An axis that one dimension walks with step one.
    public init(dim: Int, extent: Int) { self.init([Term(dim: dim)], extent: extent) }
  }
  public var axes: [Axis]

  public init(_ axes: [Axis]) { self.axes = axes }

  /// Numbers of the dimensions that move this access, ascending.
  public var dims: [Int] {
    var found: [Int] = []
    for axis in axes {
      for term in axis.terms where term.coefficient != 0 && !found.contains(term.dim) { found.append(term.dim) }
    }
    return found.sorted()
  }
}
