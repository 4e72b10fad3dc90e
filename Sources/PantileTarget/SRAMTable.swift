import PantileSupport

/// Read, write and standing cost of on-chip memories over size, port width and banks, interpolated in measured points.
///
/// **Accuracy** exact on listed points; between them log-log interpolation (about 6 % mean error against the tool that made
/// the table); outside the listed range the nearest slope goes on, and the result says so.
public struct SRAMTable: Sendable {
  /// One listed or interpolated memory.
  public struct Point: Hashable, Sendable {
    public var size: Int
    /// In bits.
    public var width: Int
    public var banks: Int
    /// Of one access of the whole port width.
    public var readEnergy: Picojoules
    public var writeEnergy: Picojoules
    /// Of all banks together, in milliwatts.
    public var leakage: Double
    /// In square millimetres.
    public var area: Double
    /// The shortest time between two random accesses, in nanoseconds.
    public var cycleTime: Double
    /// Whether the table lists exactly this memory.
    public var isListed: Bool = true
    /// Whether the memory lies inside the listed sizes and widths.
    public var isInside: Bool = true
  }

  /// What a chip file writes as `energy:` of a memory.
  public var key: String
  public var summary: String
  /// In nanometres.
  public var node: Int
  public var source: String
  public var confidence: EnergyTable.Confidence
  /// Sorted by banks, width, size.
  public let points: [Point]
  private let bankCounts: [Int]

  /// - Precondition: at least one point; sizes, widths, banks and figures are positive.
  public init(
    key: String, summary: String, node: Int, source: String, confidence: EnergyTable.Confidence, points: [Point]
  ) {
    precondition(!points.isEmpty, "memory table '\(key)' has no point")
    self.key = key
    self.summary = summary
    self.node = node
    self.source = source
    self.confidence = confidence
    self.points = points.sorted { ($0.banks, $0.width, $0.size) < ($1.banks, $1.width, $1.size) }
    bankCounts = Array(Set(points.map(\.banks))).sorted()
  }

  /// The memory of this size, port width and bank count.
  ///
  /// Of the listed bank counts the largest that is not above `banks` is taken; inside it, each listed width is interpolated
  /// over size, then the widths among each other, both on logarithmic axes.
  /// - Precondition: all three are positive.
  public func point(size: Bytes, width: Bytes, banks: Int) -> Point {
    precondition(size.count > 0 && width.count > 0 && banks > 0, "a memory needs a positive size, width and bank count")
    let bits = width.count * 8
    let listedBanks = bankCounts.last { $0 <= banks } ?? bankCounts[0]
    if listedBanks == banks,
      let exact = points.first(where: { $0.banks == banks && $0.width == bits && $0.size == size.count })
    {
      return exact
    }
    let candidates = points.filter { $0.banks == listedBanks }
    let widths = Array(Set(candidates.map(\.width))).sorted()
    let columns = widths.map { width in
      SRAMTable.interpolate(candidates.filter { $0.width == width }, at: size.count, over: \.size)
    }
    var result = SRAMTable.interpolate(columns, at: bits, over: \.width)
    result.isInside = result.isInside && listedBanks == banks
    result.isListed = false
    result.size = size.count
    result.width = bits
    result.banks = banks
    return result
  }

  /// Log-log interpolation of all figures along one axis. `sorted` is not empty and ascending along `axis`.
  private static func interpolate(_ sorted: [Point], at value: Int, over axis: KeyPath<Point, Int>) -> Point {
    let upper = sorted.firstIndex { $0[keyPath: axis] >= value } ?? sorted.count
    if upper < sorted.count, sorted[upper][keyPath: axis] == value { return sorted[upper] }
    let isInside = upper > 0 && upper < sorted.count
    guard sorted.count > 1 else {
      var only = sorted[0]
      only.isInside = false
      return only
    }
    let right = min(max(upper, 1), sorted.count - 1)
    let (a, b) = (sorted[right - 1], sorted[right])
    let (x, y) = (Double(a[keyPath: axis]), Double(b[keyPath: axis]))
    let share = (logarithm(Double(value)) - logarithm(x)) / (logarithm(y) - logarithm(x))
    func blend(_ p: Double, _ q: Double) -> Double {
      exponential(logarithm(p) + share * (logarithm(q) - logarithm(p)))
    }
    var result = a
    result.readEnergy = Picojoules(blend(a.readEnergy.value, b.readEnergy.value))
    result.writeEnergy = Picojoules(blend(a.writeEnergy.value, b.writeEnergy.value))
    result.leakage = blend(a.leakage, b.leakage)
    result.area = blend(a.area, b.area)
    result.cycleTime = blend(a.cycleTime, b.cycleTime)
    result.isInside = isInside && a.isInside && b.isInside
    return result
  }
}
