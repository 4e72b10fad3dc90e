import PantileConfig
import PantileSupport

/// A design space: one model, one base chip, and the chip fields to vary.
///
/// **Example**
/// ```yaml
/// name: arrays
/// model: ../models/resnet18.mlir
/// chip: systolic-16x16
/// axes:
///   memories.spad.size: [128 KiB, 256 KiB]
///   memories.dram.bandwidth: [8 B/cycle, 16 B/cycle]
/// together:
///   - engines.array0.rows: [8, 16]
///     engines.array0.columns: [8, 16]
/// where:
///   - engines.array0.rows * engines.array0.columns <= 256
/// objectives: [cycles, energy]
/// ```
public struct SweepSpec: Sendable {
  /// Fields that change together; all lists have the same length. A plain axis has one field.
  public struct Axis: Hashable, Sendable {
    public var fields: [(key: String, values: [String])]

    public init(fields: [(key: String, values: [String])]) { self.fields = fields }

    /// Steps of the axis.
    public var count: Int { fields.first?.values.count ?? 0 }

    public static func == (a: Axis, b: Axis) -> Bool {
      a.fields.elementsEqual(b.fields) { $0.key == $1.key && $0.values == $1.values }
    }

    public func hash(into hasher: inout Hasher) { for field in fields { hasher.combine(field.key) } }
  }

  /// One setting of all fields.
  public struct Point: Hashable, Sendable {
    /// Position in the full cartesian order; points that a condition removes leave gaps.
    public var index: Int
    /// `key=value` for each field, in the order of the spec; what `Chip.load` takes as overrides.
    public var settings: [String]

    public init(index: Int, settings: [String]) {
      self.index = index
      self.settings = settings
    }

    /// Names the point in the journal.
    public var key: String { settings.joined(separator: "; ") }
  }

  public var name: String
  /// As written; the caller resolves it against the spec's folder.
  public var model: String
  /// What `Chip.load` takes: a name, or a path already resolved against the spec's folder.
  public var chip: String
  /// As written.
  public var chipText: String
  /// Overrides of the base chip that hold for all points.
  public var settings: [String]
  /// Passed on to the evaluation, in file order.
  public var options: [(key: String, value: String)]
  public var axes: [Axis]
  public var conditions: [SweepCondition]
  public var objectives: [SweepObjective]

  /// More points than this are refused: nobody waits for them, and a slip of the pen makes them.
  public static let maximumPoints = 1_000_000

  /// All points that meet the conditions, the last axis varying fastest.
  /// - Throws: `sweep-too-large`, `empty-sweep` when the conditions leave nothing.
  public func points() throws(DiagnosticError) -> [Point] {
    var total = 1
    for axis in axes {
      let (product, overflow) = total.multipliedReportingOverflow(by: axis.count)
      guard !overflow, product <= SweepSpec.maximumPoints else {
        throw DiagnosticError(
          "sweep-too-large", "sweep '\(name)' has more than \(SweepSpec.maximumPoints) points",
          hint: "give fewer values, or several sweeps")
      }
      total = product
    }
    var points: [Point] = []
    for index in 0..<total {
      var rest = index
      var steps = [Int](repeating: 0, count: axes.count)
      for axis in axes.indices.reversed() {
        steps[axis] = rest % axes[axis].count
        rest /= axes[axis].count
      }
      var values: [(key: String, value: String)] = []
      for (axis, step) in zip(axes, steps) {
        for field in axis.fields { values.append((field.key, field.values[step])) }
      }
      guard conditions.allSatisfy({ $0.holds(for: values) }) else { continue }
      points.append(Point(index: index, settings: values.map { "\($0.key)=\($0.value)" }))
    }
    guard !points.isEmpty else {
      throw DiagnosticError("empty-sweep", "no point of sweep '\(name)' meets its conditions")
    }
    return points
  }

  /// All keys that vary, in the order of the spec.
  public var keys: [String] { axes.flatMap { $0.fields.map(\.key) } }

  /// Sixteen hexadecimal digits over everything that decides the points and their results as far as the spec goes.
  public var hash: String {
    var hash = StableHash()
    for text in [model, chipText] + settings { hash.combine(text) }
    for option in options {
      hash.combine(option.key)
      hash.combine(option.value)
    }
    for axis in axes {
      hash.combine(axis.fields.count)
      for field in axis.fields {
        hash.combine(field.key)
        hash.combine(field.values.count)
        for value in field.values { hash.combine(value) }
      }
    }
    for condition in conditions { hash.combine(condition.text) }
    return hash.hexadecimal
  }
}
