/// A bit-serial machine: R x C elements of d lanes that broadcast their operands, each element busy for as many cycles as the terms of
/// its serial operand need.
///
/// Rows are output channels, columns are tokens. An element adds d products a step: a row has the same d weights in all its columns, a
/// column the same d activations in all its rows. What is *serial* decides who is busy how long: with serial weights a whole row is
/// one *unit*, with serial activations a column, with both each element. Fields and rules: `Docs/engines/bitserial.md`.
public struct BitSerialMachine: Hashable, Sendable {
  /// Which operand is taken a term at a time.
  public enum SerialOperand: String, CaseIterable, Hashable, Sendable { case weight, activation, both }

  /// Which terms take a cycle.
  public enum TermPolicy: String, CaseIterable, Hashable, Sendable {
    /// All T of them, zero or not: no value matters.
    case fixed
    /// Each lane its own terms, the lanes of a step wait for the longest.
    case skipTerms = "skip-zero-terms"
    /// All lanes one bit position at a time, positions where no lane has a term left out.
    case skipColumns = "skip-zero-columns"
    /// A column of the two's complement with more ones than zeros is taken as the sum of all less the zeros: d adders serve 2d lanes
    /// (Chen et al., "BBS", MICRO 2024).
    case invertedColumns = "inverted-columns"
  }

  /// Which elements wait for one another.
  public enum SyncScope: Hashable, Sendable, CustomStringConvertible {
    /// None: each goes on alone until the fold ends.
    case element
    /// As many elements of a column, one below the other.
    case rows(Int)
    case tile
    case array

    public var description: String {
      switch self {
      case .element: "pe"
      case .rows(let rows): "rows \(rows)"
      case .tile: "tile"
      case .array: "array"
      }
    }
  }

  public var rows: Int
  public var columns: Int
  /// Lanes of an element: products that one step adds. With `invertedColumns` it has adders for d and a step of 2d.
  public var dotWidth: Int
  /// Elements of a tile; operands hop from tile to tile.
  public var tileRows: Int
  public var tileColumns: Int
  public var encoding: TermEncoding
  public var serialOperand: SerialOperand
  public var termPolicy: TermPolicy
  public var syncScope: SyncScope
  /// Steps that an element may be ahead of the last of its scope.
  public var runAhead: Int
  /// `skipTerms`: positions above the lowest pending one that a lane's own shifter reaches; nil is all of them.
  public var shiftReach: Int?
  /// Consecutive inputs that share a scale; 0 is all of them.
  public var group: Int
  /// Cycles that the multiplication of a group's sum by its scale takes, behind the next group's sums.
  public var dequantCycles: Int
  /// Results a column of a tile gives away in a cycle; 0 is all at once.
  public var drainPorts: Int
  /// Cycles from an operand at the edge of a tile to the sum: term generator, adders, alignment.
  public var pipelineDepth: Int
  /// Bits a cycle of the streams that bring operands; 0 is enough.
  public var weightStreamBits: Int
  public var activationStreamBits: Int
  /// Steps whose operands the edge can hold.
  public var operandSlots: Int
  public var variant: FoldVariant

  public init(
    rows: Int, columns: Int, dotWidth: Int, tileRows: Int? = nil, tileColumns: Int? = nil, encoding: TermEncoding,
    serialOperand: SerialOperand = .weight, termPolicy: TermPolicy, syncScope: SyncScope = .array, runAhead: Int = 0,
    shiftReach: Int? = nil, group: Int = 0, dequantCycles: Int = 0, drainPorts: Int = 0, pipelineDepth: Int = 0,
    weightStreamBits: Int = 0, activationStreamBits: Int = 0, operandSlots: Int = 2, variant: FoldVariant = .overlapped
  ) {
    self.rows = rows
    self.columns = columns
    self.dotWidth = dotWidth
    self.tileRows = tileRows ?? rows
    self.tileColumns = tileColumns ?? columns
    self.encoding = encoding
    self.serialOperand = serialOperand
    self.termPolicy = termPolicy
    self.syncScope = syncScope
    self.runAhead = runAhead
    self.shiftReach = shiftReach
    self.group = group
    self.dequantCycles = dequantCycles
    self.drainPorts = drainPorts
    self.pipelineDepth = pipelineDepth
    self.weightStreamBits = weightStreamBits
    self.activationStreamBits = activationStreamBits
    self.operandSlots = operandSlots
    self.variant = variant
  }

  /// Inputs that a step takes from each operand.
  public var stepWidth: Int { termPolicy == .invertedColumns ? 2 * dotWidth : dotWidth }

  /// Steps of a whole group of inputs.
  func groupSteps(k: Int) -> Int { group == 0 ? ceilDiv(k, stepWidth) : group / stepWidth }

  /// Shortest time between two hand-overs of an element: its scaling, or its share of the way out.
  var handoverInterval: Int { max(dequantCycles, drainCycles) }

  /// Cycles a column of a tile needs to give its results away.
  var drainCycles: Int { drainPorts == 0 ? 0 : ceilDiv(tileRows, drainPorts) }

  /// Cycles before the first step of a fold: hops from tile to tile, and the pipeline.
  var fillCycles: Int { ceilDiv(rows, tileRows) - 1 + ceilDiv(columns, tileColumns) - 1 + pipelineDepth }

  /// Cycles behind the last hand-over of a fold.
  var tailCycles: Int { dequantCycles + drainCycles }

  /// Units of a fold, in rows and columns of elements: what is busy for a time of its own.
  var units: (rows: Int, columns: Int) {
    switch serialOperand {
    case .weight: (rows, 1)
    case .activation: (1, columns)
    case .both: (rows, columns)
    }
  }

  /// Units of a synchronisation scope.
  var scope: (rows: Int, columns: Int) {
    let units = units
    let wanted =
      switch syncScope {
      case .element: (1, 1)
      case .rows(let rows): (rows, 1)
      case .tile: (tileRows, tileColumns)
      case .array: (rows, columns)
      }
    return (min(wanted.0, units.rows), min(wanted.1, units.columns))
  }

  /// Cycles that the streams need for the operands of one step; 0 when both are wide enough to be left out.
  ///
  /// - Parameters:
  ///   - weightBits: storage bits of a weight.
  ///   - activationBits: of an activation.
  func feedCycles(weightBits: Int, activationBits: Int) -> Int {
    let weight = weightStreamBits == 0 ? 0 : ceilDiv(rows * stepWidth * weightBits, weightStreamBits)
    let activation =
      activationStreamBits == 0 ? 0 : ceilDiv(columns * stepWidth * activationBits, activationStreamBits)
    return max(weight, activation)
  }

  /// Cycles a step takes when nothing depends on values: T of the serial operand, or of both multiplied.
  func fixedStepCycles(weightBits: Int, activationBits: Int) -> Int {
    if termPolicy == .invertedColumns { return serialOperand == .activation ? activationBits : weightBits }
    let weight = encoding.fixedTerms(bits: weightBits)
    let activation = encoding.fixedTerms(bits: activationBits)
    switch serialOperand {
    case .weight: return weight
    case .activation: return activation
    case .both: return weight * activation
    }
  }

  /// Whether cycles depend on values.
  public var isDataDependent: Bool { termPolicy == .skipTerms || termPolicy == .skipColumns }

  /// What is wrong with the parameters, all of it; empty when nothing is.
  public var faults: [String] {
    var result: [String] = []
    func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) {
      if !range.contains(value) {
        result.append("\(name) is \(value), it must be in \(range.lowerBound)...\(range.upperBound)")
      }
    }
    check("rows", rows, 1...4096)
    check("columns", columns, 1...4096)
    check("dot width", dotWidth, 1...1024)
    check("tile rows", tileRows, 1...4096)
    check("tile columns", tileColumns, 1...4096)
    check("run-ahead", runAhead, 0...65536)
    check("group", group, 0...1_048_576)
    check("dequantisation cycles", dequantCycles, 0...4096)
    check("drain ports", drainPorts, 0...4096)
    check("pipeline depth", pipelineDepth, 0...4096)
    check("weight stream bits", weightStreamBits, 0...1_048_576)
    check("activation stream bits", activationStreamBits, 0...1_048_576)
    check("operand slots", operandSlots, 2...65536)
    if let shiftReach { check("shift reach", shiftReach, 0...31) }
    if case .rows(let rows) = syncScope { check("rows of the scope", rows, 1...4096) }
    guard result.isEmpty else { return result }
    if group % stepWidth != 0 { result.append("group \(group) is no multiple of the \(stepWidth) inputs of a step") }
    if shiftReach != nil && termPolicy != .skipTerms {
      result.append("a shift reach is for skip-zero-terms, the policy is \(termPolicy.rawValue)")
    }
    if encoding == .bitColumn && termPolicy == .skipTerms {
      result.append("bit columns are shared by all lanes; the policy must be skip-zero-columns or fixed")
    }
    if termPolicy == .invertedColumns && encoding != .bitColumn && encoding != .plain {
      result.append("inverted columns are bits of the two's complement; the encoding must be plain or bit-column")
    }
    if serialOperand == .both && (termPolicy == .skipColumns || termPolicy == .invertedColumns || shiftReach != nil) {
      result.append("two serial operands take pairs of terms; columns and shift reach are for one")
    }
    return result
  }
}
