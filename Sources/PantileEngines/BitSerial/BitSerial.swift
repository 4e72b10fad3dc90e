import PantileSupport
import PantileTarget

extension ArrayFamily {
  /// The fixed-term bit-serial array: int8 activations, weights of 2 to 8 bits, output stationary; the serial operand is a choice, and
  /// may be none (bricks of 2 by 2 bits).
  ///
  /// The machine with broadcast operands, which may skip terms, is `BitSerialMachine`.
  public static let bitSerial = ArrayFamily(
    name: "bitserial", summary: "fixed-term bit-serial array, int8 activations, int2 to int8 weights",
    fields: sizeFields + [
      FieldSchema(
        "dot_width", .count(1...BitSerialOptions.widestDot), default: .count(4),
        summary: "products whose terms a processing element adds in a cycle; with bricks, products of 8 by 8 bits"),
      FieldSchema(
        "multiply", .choice(BitSerialMultiplication.allCases.map(\.rawValue)),
        default: .choice(BitSerialMultiplication.serialWeight.rawValue),
        summary:
          "the operand that is taken a term a cycle; or bricks: none, 16 multipliers of 2 by 2 bits for a product of 8 by 8, which "
          + "make 2 products of 8 by 4 or 4 of 8 by 2"),
      FieldSchema(
        "encoding", .choice(TermEncoding.allCases.filter { $0 != .bitColumn }.map(\.rawValue)),
        default: .choice(TermEncoding.booth.rawValue),
        summary:
          "how a serial number of b bits becomes terms, each a cycle: plain b, sign-magnitude b-1, booth4 and naf ceil(b/2), lod2 "
          + "2 (numbers of at most two one-bits, as of bitmod-fp4)"),
      FieldSchema("max_weight_bits", .count(2...8), default: .count(8), summary: "widest weight that the array takes"),
      variantField,
    ],
    check: { section in
      let encoding = encoding(of: section)
      guard multiplication(of: section) == .serialActivation, encoding == .signMagnitude || encoding == .lod2 else {
        return nil
      }
      return Diagnostic(
        "option-conflict",
        "engine '\(section.name)' takes activations as '\(encoding.rawValue)', which has no code for all 8-bit numbers",
        at: section.location, hint: "write encoding: plain, booth4 or naf, or multiply: serial-weight")
    },
    make: { section in
      .bitSerial(
        BitSerialOptions(
          rows: section.count("rows"), columns: section.count("columns"), dotWidth: section.count("dot_width"),
          encoding: encoding(of: section), largestWeightBits: section.count("max_weight_bits"),
          multiplication: multiplication(of: section), variant: section.foldVariant))
    })

  private static func encoding(of section: EngineSection) -> TermEncoding {
    TermEncoding(rawValue: section.choice("encoding")) ?? .booth
  }

  private static func multiplication(of section: EngineSection) -> BitSerialMultiplication {
    BitSerialMultiplication(rawValue: section.choice("multiply")) ?? .serialWeight
  }
}

extension ArrayEngine {
  /// A bit-serial array with these options.
  public static func bitSerial(_ options: BitSerialOptions) -> ArrayEngine {
    var summary = "bitserial \(options.rows)x\(options.columns) dot \(options.dotWidth) "
    if options.multiplication != .serialWeight { summary += "\(options.multiplication.rawValue) " }
    if options.encoding != .booth, options.multiplication != .bricks { summary += "\(options.encoding.rawValue) " }
    summary += options.variant.rawValue
    // Only serial weights need codes.
    var refusal: WeightRefusal?
    if options.multiplication == .serialWeight {
      refusal = { weight, format in
        options.encoding.refusal(of: Int(weight), bits: format.weightBits, allowsLowest: false)
      }
    }
    return ArrayEngine(
      family: ArrayFamily.bitSerial.name, rows: options.rows, columns: options.columns,
      multipliers: options.rows * options.columns * options.units, summary: summary,
      peakMACs: { format in
        let rate = options.rate(format)
        return Double(options.rows * options.columns * rate.lanes) / Double(rate.cycles)
      },
      capability: { BitSerialCapability.capability(of: $0, options) },
      granules: { format in
        TileExtents(m: options.rows, k: options.rate(format).lanes, n: options.columns)
      },
      timing: { extents, format in BitSerialTiming.timing(options, extents, format) },
      occupancy: { extents, format in BitSerialTiming.occupancy(options, extents, format) },
      mapping: { format, tile in BitSerialMapping.mapping(options, format, tile) },
      traffic: { extents, format in BitSerialTiming.traffic(options, extents, format) },
      function: { extents, _, operands, accumulate in
        denseProduct(extents, operands, accumulate: accumulate)
      },
      actions: { extents, format, accumulate in
        BitSerialActions.counts(options, extents, format, accumulate: accumulate)
      },
      stepper: { inputs, format in BitSerialStepper.run(options, inputs, format) },
      weightRefusal: refusal)
  }
}
