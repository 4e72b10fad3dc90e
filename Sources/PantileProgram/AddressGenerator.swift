/// Lists the elements of one operand, in order: a nest of counted, strided dims over a base address.
///
/// Strides and bases are in bits, so that sub-byte elements need no special case. An element whose coordinates leave a
/// bound is padding: it yields `padValue` and touches no memory.
public struct AddressGenerator: Hashable, Sendable {
  /// The most dims and bounds that the machine has.
  public static let maximumDims = 6
  public static let maximumBounds = 3

  /// One level of the nest; the outermost stands first.
  public struct Dim: Hashable, Sendable {
    public var count: Extent
    public var strideBits: Int

    public init(_ count: Extent, strideBits: Int) {
      self.count = count
      self.strideBits = strideBits
    }

    public init(_ count: Int, strideBits: Int) { self.init(Extent(count), strideBits: strideBits) }
  }

  /// Buffer slots used in turn: `(index mod slots) · slotBits` is added to the base.
  public struct Rotation: Hashable, Sendable {
    public var index: Affine
    public var slots: Int
    public var slotBits: Int

    public init(index: Affine, slots: Int, slotBits: Int) {
      self.index = index
      self.slots = slots
      self.slotBits = slotBits
    }
  }

  /// A coordinate `offset + Σ coefficient(d) · i(d)` that is inside while `0 <= coordinate < limit`.
  public struct Bound: Hashable, Sendable {
    public var offset: Affine
    /// One coefficient per dim.
    public var coefficients: [Int]
    public var limit: Int

    public init(offset: Affine, coefficients: [Int], limit: Int) {
      self.offset = offset
      self.coefficients = coefficients
      self.limit = limit
    }
  }

  public var memory: MemoryID
  public var baseBits: Affine
  public var elementBits: Int
  public var dims: [Dim]
  public var rotation: Rotation?
  public var bounds: [Bound]
  public var padValue: Int

  public init(
    memory: MemoryID, baseBits: Affine, elementBits: Int, dims: [Dim], rotation: Rotation? = nil, bounds: [Bound] = [],
    padValue: Int = 0
  ) {
    self.memory = memory
    self.baseBits = baseBits
    self.elementBits = elementBits
    self.dims = dims
    self.rotation = rotation
    self.bounds = bounds
    self.padValue = padValue
  }

  /// The deepest loop that the generator refers to, or -1.
  public var deepestLoop: Int {
    var deepest = baseBits.deepest
    for dim in dims { deepest = max(deepest, dim.count.depth ?? -1) }
    if let rotation { deepest = max(deepest, rotation.index.deepest) }
    for bound in bounds { deepest = max(deepest, bound.offset.deepest) }
    return deepest
  }
}

/// An address generator at one point of its queue's loops: plain numbers, no loops, adjacent dims merged.
public struct ResolvedAccess: Sendable, BitwiseCopyable {
  public var memory: Int32 = 0
  public var elementBits: Int32 = 8
  public var dimCount: Int32 = 0
  public var boundCount: Int32 = 0
  public var baseBits: Int = 0
  public var padValue: Int = 0
  /// Elements listed, padding included.
  public var elementCount: Int = 0
  /// Dims at the front that belong to the result domain of a kernel; the others are reduced.
  public var resultDimCount: Int32 = 0
  public var counts = InlineArray<6, Int>(repeating: 1)
  public var strides = InlineArray<6, Int>(repeating: 0)
  public var boundOffsets = InlineArray<3, Int>(repeating: 0)
  public var boundLimits = InlineArray<3, Int>(repeating: 0)
  /// Coefficient of bound `b` for dim `d` at `b * 6 + d`.
  public var boundCoefficients = InlineArray<18, Int>(repeating: 0)

  public init() {}

  @inlinable public func coefficient(bound: Int, dim: Int) -> Int { boundCoefficients[bound * 6 + dim] }
}

extension AddressGenerator {
  /// The plain access at the given loop indices.
  ///
  /// `reduced` is the number of elements that the innermost dims list for each result point of a kernel; dims are not
  /// merged across that border.
  ///
  /// - Precondition: at most `maximumDims` dims and `maximumBounds` bounds (checked by the structure verifier).
  public func resolved(at loops: LoopState, reduced: Int = 1) -> ResolvedAccess {
    var access = ResolvedAccess()
    var border = dims.count
    var trailing = 1
    while border > 0, trailing < reduced {
      border -= 1
      trailing *= dims[border].count.value(at: loops)
    }
    access.memory = memory.index
    access.elementBits = Int32(elementBits)
    access.padValue = padValue
    access.baseBits = baseBits.value(at: loops)
    if let rotation {
      access.baseBits += (rotation.index.value(at: loops) % rotation.slots) * rotation.slotBits
    }
    // A bound that no element can leave is dropped, so that an inner tile costs no more than an unpadded one.
    var kept = InlineArray<3, Int>(repeating: 0)
    var keptCount = 0
    for (index, bound) in bounds.enumerated() {
      let offset = bound.offset.value(at: loops)
      var low = offset
      var high = offset
      for (d, dim) in dims.enumerated() {
        let reach = bound.coefficients[d] * (dim.count.value(at: loops) - 1)
        if reach > 0 { high += reach } else { low += reach }
      }
      if low < 0 || high >= bound.limit {
        access.boundOffsets[keptCount] = offset
        access.boundLimits[keptCount] = bound.limit
        kept[keptCount] = index
        keptCount += 1
      }
    }
    access.boundCount = Int32(keptCount)
    var total = 1
    var used = 0
    for (d, dim) in dims.enumerated() {
      let count = dim.count.value(at: loops)
      total *= count
      if d == border { access.resultDimCount = Int32(used) }
      if count == 1 { continue }
      if used > (d < border ? 0 : Int(access.resultDimCount)) {
        var merges = access.strides[used - 1] == dim.strideBits * count
        for b in 0..<keptCount {
          merges =
            merges
            && access.boundCoefficients[b * 6 + used - 1] == bounds[kept[b]].coefficients[d] * count
        }
        if merges {
          access.counts[used - 1] *= count
          access.strides[used - 1] = dim.strideBits
          for b in 0..<keptCount {
            access.boundCoefficients[b * 6 + used - 1] = bounds[kept[b]].coefficients[d]
          }
          continue
        }
      }
      access.counts[used] = count
      access.strides[used] = dim.strideBits
      for b in 0..<keptCount {
        access.boundCoefficients[b * 6 + used] = bounds[kept[b]].coefficients[d]
      }
      used += 1
    }
    access.dimCount = Int32(used)
    if border == dims.count { access.resultDimCount = Int32(used) }
    access.elementCount = total
    return access
  }
}

extension ResolvedAccess {
  /// Points of the reduced dims.
  public var reducedCount: Int {
    var total = 1
    for d in Int(resultDimCount)..<Int(dimCount) { total *= counts[d] }
    return total
  }

  /// The access with the reduced dims fixed at their `index`-th point (row-major): one element a result point.
  public func slice(reducedIndex index: Int) -> ResolvedAccess {
    var access = self
    var rest = index
    var d = Int(dimCount) - 1
    while d >= Int(resultDimCount) {
      let i = rest % counts[d]
      rest /= counts[d]
      access.baseBits += i * strides[d]
      for b in 0..<Int(boundCount) { access.boundOffsets[b] += i * boundCoefficients[b * 6 + d] }
      access.elementCount /= counts[d]
      d -= 1
    }
    access.dimCount = resultDimCount
    return access
  }
}
