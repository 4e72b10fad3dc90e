import PantileSupport
import PantileTarget

extension ArrayFamily {
  /// The bit-serial machine with broadcast operands, `BitSerialMachine`, as the array of a chip: int8 activations, weights of 2 to 8
  /// bits; it may skip terms that are zero.
  public static let bitSerialBroadcast = ArrayFamily(
    name: "bitserial-broadcast",
    summary:
      "bit-serial array with broadcast operands, which may skip zero terms; int8 activations, int2 to int8 weights",
    fields: sizeFields + [
      FieldSchema(
        "dot_width", .count(1...BitSerialOptions.widestDot), default: .count(4),
        summary: "lanes of an element: products whose terms it adds in a cycle"),
      FieldSchema(
        "tile_rows", .count(0...1024), default: .count(0),
        summary: "rows of a tile, operands take a cycle from tile to tile; 0 is all"),
      FieldSchema("tile_columns", .count(0...1024), default: .count(0), summary: "columns of a tile; 0 is all"),
      FieldSchema(
        "serial", .choice(BitSerialMachine.SerialOperand.allCases.map(\.rawValue)),
        default: .choice(BitSerialMachine.SerialOperand.weight.rawValue),
        summary: "the operand that is taken a term at a time; with both, each pair of terms"),
      FieldSchema(
        "encoding", .choice(TermEncoding.allCases.map(\.rawValue)), default: .choice(TermEncoding.booth.rawValue),
        summary: "how a number becomes terms"),
      FieldSchema(
        "term_policy", .choice(BroadcastArray.policies.map(\.rawValue)),
        default: .choice(BitSerialMachine.TermPolicy.skipTerms.rawValue),
        summary:
          "fixed: every term has its cycle; skip-zero-terms: a step takes as many as the lane with most terms has, at least 1; "
          + "skip-zero-columns: as many as bit positions that any lane has"),
      FieldSchema(
        "sync", .choice(BroadcastArray.Scope.allCases.map(\.rawValue)),
        default: .choice(BroadcastArray.Scope.array.rawValue),
        summary: "which elements wait for one another: none (pe), a tile's column, a tile, the array"),
      FieldSchema(
        "run_ahead", .count(0...65536), default: .count(0),
        summary: "steps that an element may be ahead of the last of its scope"),
      FieldSchema(
        "shift_reach", .count(0...BroadcastArray.wholeReach), default: .count(BroadcastArray.wholeReach),
        summary: "skip-zero-terms: positions above the lowest pending one that a lane's own shifter reaches; 31 is all"),
      FieldSchema(
        "drain_ports", .count(0...1024), default: .count(0),
        summary: "results a column of a tile gives away in a cycle; 0 is all"),
      FieldSchema(
        "pipeline_depth", .count(0...64), default: .count(0),
        summary: "cycles from an operand at the edge of a tile to its sum"),
      FieldSchema("max_weight_bits", .count(2...8), default: .count(8), summary: "widest weight that the array takes"),
      variantField,
    ],
    check: { section in
      let machine = BroadcastArray.machine(of: section)
      let faults = machine.faults + BroadcastArray.faults(of: machine)
      guard !faults.isEmpty else { return nil }
      return Diagnostic(
        "option-conflict", "engine '\(section.name)': \(faults.joined(separator: "; "))", at: section.location)
    },
    make: { section in
      .bitSerialBroadcast(BroadcastArray.machine(of: section), largestWeightBits: section.count("max_weight_bits"))
    })
}

/// What a chip file says of a bit-serial machine.
enum BroadcastArray {
  /// Policies whose products are whole terms of an element's lanes.
  static let policies: [BitSerialMachine.TermPolicy] = [.fixed, .skipTerms, .skipColumns]

  enum Scope: String, CaseIterable {
    case element = "pe"
    case column, tile, array
  }

  /// A reach that no term of 16 bits is beyond.
  static let wholeReach = 31

  /// - Precondition: the family's schema accepted the section.
  static func machine(of section: EngineSection) -> BitSerialMachine {
    let (rows, columns) = (section.count("rows"), section.count("columns"))
    func orAll(_ key: String, _ all: Int) -> Int {
      let value = section.count(key)
      return value == 0 ? all : value
    }
    let tileRows = orAll("tile_rows", rows)
    let reach = section.count("shift_reach")
    let scope: BitSerialMachine.SyncScope =
      switch Scope(rawValue: section.choice("sync")) ?? .array {
      case .element: .element
      case .column: .rows(tileRows)
      case .tile: .tile
      case .array: .array
      }
    return BitSerialMachine(
      rows: rows, columns: columns, dotWidth: section.count("dot_width"), tileRows: tileRows,
      tileColumns: orAll("tile_columns", columns),
      encoding: TermEncoding(rawValue: section.choice("encoding")) ?? .booth,
      serialOperand: .init(rawValue: section.choice("serial")) ?? .weight,
      termPolicy: .init(rawValue: section.choice("term_policy")) ?? .fixed, syncScope: scope,
      runAhead: section.count("run_ahead"), shiftReach: reach == wholeReach ? nil : reach,
      drainPorts: section.count("drain_ports"), pipelineDepth: section.count("pipeline_depth"),
      variant: section.foldVariant)
  }

  /// What a chip's array cannot be though a machine for a single product can.
  static func faults(of machine: BitSerialMachine) -> [String] {
    var result: [String] = []
    let encoding = machine.encoding
    if machine.serialOperand != .weight, encoding == .signMagnitude || encoding == .lod2 || encoding == .bitColumn {
      result.append(
        "activations as '\(encoding.rawValue)' have no code for all 8-bit numbers; write encoding: plain, booth4 or naf"
      )
    }
    if machine.termPolicy == .fixed && (machine.runAhead > 0 || machine.syncScope != .array) {
      result.append("with term_policy fixed all elements are always in step: sync and run_ahead say nothing")
    } else if machine.syncScope == .element && machine.runAhead > 0 {
      result.append("with sync pe no element waits for another: run_ahead says nothing")
    }
    if machine.tileRows > machine.rows || machine.tileColumns > machine.columns {
      result.append(
        "a tile of \(machine.tileRows)x\(machine.tileColumns) is larger than the array, \(machine.rows)x\(machine.columns)"
      )
    }
    return result
  }
}

extension ArrayEngine {
  /// A bit-serial machine as an array: rows are output channels, columns are tokens.
  ///
  /// Commands do not overlap: the machine fills and drains once for each.
  /// - Precondition: the policy is one of those that a chip file can say, streams are wide enough, nothing is scaled in the array.
  public static func bitSerialBroadcast(_ machine: BitSerialMachine, largestWeightBits: Int = 8) -> ArrayEngine {
    precondition(BroadcastArray.policies.contains(machine.termPolicy), "no array for \(machine.termPolicy.rawValue)")
    precondition(
      machine.weightStreamBits == 0 && machine.activationStreamBits == 0, "an array's ports are the scratchpad's")
    precondition(machine.group == 0 && machine.dequantCycles == 0, "an array's sums are scaled when they drain")
    let options = BitSerialOptions(
      rows: machine.rows, columns: machine.columns, dotWidth: machine.dotWidth, largestWeightBits: largestWeightBits)
    let longest = LongestStep(machine)
    var refusal: WeightRefusal?
    if machine.serialOperand != .activation {
      refusal = { weight, format in
        machine.encoding.refusal(of: Int(weight), bits: format.weightBits, allowsLowest: false)
      }
    }
    var measure: Measure?
    if machine.isDataDependent {
      measure = { extents, format, operands, accumulate in
        BroadcastMeasure.measure(machine, extents, format, operands, accumulate: accumulate)
      }
    }
    return ArrayEngine(
      family: ArrayFamily.bitSerialBroadcast.name, rows: machine.rows, columns: machine.columns,
      multipliers: machine.multipliers, summary: summary(of: machine),
      peakMACs: { format in Double(machine.multipliers) / Double(longest.cycles(format)) },
      capability: { BitSerialCapability.capability(of: $0, options) },
      granules: { _ in TileExtents(m: machine.columns, k: machine.dotWidth, n: machine.rows) },
      timing: { extents, format in BroadcastTiming.timing(machine, extents, step: longest.cycles(format)) },
      occupancy: { extents, format in BroadcastTiming.occupancy(machine, extents, step: longest.cycles(format)) },
      mapping: { format, tile in BroadcastMapping.mapping(machine, tile, step: longest.cycles(format)) },
      traffic: { extents, _ in BroadcastTiming.traffic(machine, extents) },
      function: { extents, _, operands, accumulate in denseProduct(extents, operands, accumulate: accumulate) },
      actions: { extents, format, accumulate in
        BroadcastTiming.actions(
          machine, extents, format, accumulate: accumulate, step: longest.cycles(format))
      },
      stepper: { inputs, format in BroadcastMeasure.stepped(machine, inputs, format) },
      weightRefusal: refusal, measure: measure)
  }

  private static func summary(of machine: BitSerialMachine) -> String {
    var words = ["\(ArrayFamily.bitSerialBroadcast.name) \(machine.rows)x\(machine.columns) dot \(machine.dotWidth)"]
    if machine.serialOperand != .weight { words.append("serial \(machine.serialOperand.rawValue)") }
    words += [machine.encoding.rawValue, machine.termPolicy.rawValue]
    if machine.isDataDependent {
      words.append("in step by \(machine.syncScope)" + (machine.runAhead > 0 ? " ahead \(machine.runAhead)" : ""))
    }
    words.append(machine.variant.rawValue)
    return words.joined(separator: " ")
  }
}
