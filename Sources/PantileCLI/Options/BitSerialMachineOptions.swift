import ArgumentParser
import Pantile

/// A bit-serial machine with broadcast operands, as `gemm --engine bitserial` describes it.
struct BitSerialMachineOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "bitserial: weights by their values, .npy of [K, N] or, when only that fits -k and -n, [N, K]; 'gaussian' draws them.",
      valueName: "w.npy|gaussian"))
  var weights: String?
  @Option(help: ArgumentHelp("bitserial: quantise the weights first.", valueName: "format")) var format: String?
  @Option(
    help: ArgumentHelp(
      "bitserial: how numbers become terms.", valueName: "plain|sign-magnitude|booth|naf|lod2|bit-column"))
  var encoding: String?
  @Option(
    help: ArgumentHelp(
      "bitserial: which terms take a cycle.", valueName: "fixed|skip-zero-terms|skip-zero-columns|inverted-columns"))
  var termPolicy: String?
  @Option(
    help: ArgumentHelp(
      "bitserial: which elements wait for one another; LxR is L lanes of R rows.", valueName: "pe|column|tile|array|LxR"
    ))
  var sync: String?
  @Option(help: ArgumentHelp("bitserial: what is taken a term at a time.", valueName: "weight|activation|both"))
  var serial: String?
  @Option(help: "bitserial: steps that an element may be ahead of its scope.") var runAhead: Int?
  @Option(help: "bitserial: positions that a lane's own shifter reaches; without it, all.") var shiftReach: Int?
  @Option(help: ArgumentHelp("bitserial: elements of a tile.", valueName: "RxC")) var tile: String?
  @Option(help: "bitserial: inputs that share a scale; 0 is all.") var group: Int?
  @Option(help: "bitserial: cycles that scaling a group's sum takes.") var dequantCycles: Int?
  @Option(help: "bitserial: results that a column of a tile gives away in a cycle; 0 is all.") var drainPorts: Int?
  @Option(help: "bitserial: cycles from a tile's edge to the sum.") var pipelineDepth: Int?
  @Option(help: "bitserial: bits a cycle that bring weights; 0 is enough.") var weightStreamBits: Int?
  @Option(help: "bitserial: bits a cycle that bring activations; 0 is enough.") var activationStreamBits: Int?
  @Option(help: "bitserial: steps whose operands the edge holds.") var operandSlots: Int?
  @Option(help: ArgumentHelp("bitserial: activations [M, K]; without it, seeded.", valueName: "x.npy"))
  var activations: String?
  @Option(help: "bitserial: bits of an activation.") var activationBits: Int?
  @Option(
    help: ArgumentHelp(
      "bitserial: what activations are; float16 ones are aligned to the largest of a step.",
      valueName: "integer|float16"))
  var activationFormat: ActivationFormat = .integer

  /// What activations are.
  enum ActivationFormat: String, ExpressibleByArgument, CaseIterable { case integer, float16 }

  /// Options that ask for the machine with broadcast operands, as written.
  var given: [String] {
    let all: [(String, Bool)] = [
      ("--weights", weights != nil), ("--format", format != nil), ("--encoding", encoding != nil),
      ("--term-policy", termPolicy != nil), ("--sync", sync != nil), ("--serial", serial != nil),
      ("--run-ahead", runAhead != nil), ("--shift-reach", shiftReach != nil), ("--tile", tile != nil),
      ("--group", group != nil), ("--dequant-cycles", dequantCycles != nil), ("--drain-ports", drainPorts != nil),
      ("--pipeline-depth", pipelineDepth != nil), ("--weight-stream-bits", weightStreamBits != nil),
      ("--activation-stream-bits", activationStreamBits != nil), ("--operand-slots", operandSlots != nil),
      ("--activations", activations != nil), ("--activation-bits", activationBits != nil),
      ("--activation-format", activationFormat != .integer),
    ]
    return all.filter(\.1).map(\.0)
  }

  /// The machine that the options describe.
  ///
  /// - Parameters:
  ///   - array: rows and columns; nil takes the rows of `--sync LxR`, else 16x16.
  ///   - dotWidth: lanes; nil takes the lanes of `--sync LxR`, else 4.
  ///   - variant: nil is overlapped.
  ///   - serialTerms: what the encoding is when none is named.
  /// - Throws: `unknown-value`, `option-conflict`, `wrong-machine` with all faults.
  func machine(
    array: (rows: Int, columns: Int)?, dotWidth: Int?, variant: String?, defaultEncoding: TermEncoding
  ) throws(DiagnosticError) -> BitSerialMachine {
    let encoding =
      try self.encoding.map { text throws(DiagnosticError) in
        text == "booth" ? .booth : try Self.value(text, "--encoding", TermEncoding.self)
      } ?? defaultEncoding
    let policy = try termPolicy.map { text throws(DiagnosticError) in
      try Self.value(text, "--term-policy", BitSerialMachine.TermPolicy.self)
    }
    let scope = try scope()
    if let lanes = scope.lanes, let dotWidth, lanes != dotWidth {
      throw DiagnosticError(
        "option-conflict", "--sync has \(lanes) lanes, --dot-width \(dotWidth)",
        hint: "the lanes of an element always wait for one another; give one of the two")
    }
    let size = array ?? (scope.lanes == nil ? (16, 16) : (scope.rows, 16))
    let tile = try tile.map { text throws(DiagnosticError) in try Self.size(text, "--tile") }
    let machine = BitSerialMachine(
      rows: size.0, columns: size.1, dotWidth: dotWidth ?? scope.lanes ?? 4, tileRows: tile?.rows,
      tileColumns: tile?.columns, encoding: encoding,
      serialOperand: try serial.map { text throws(DiagnosticError) in
        try Self.value(text, "--serial", BitSerialMachine.SerialOperand.self)
      } ?? .weight,
      termPolicy: policy ?? (encoding == .bitColumn ? .skipColumns : .skipTerms), syncScope: scope.scope,
      runAhead: runAhead ?? 0, shiftReach: shiftReach, group: group ?? 0, dequantCycles: dequantCycles ?? 0,
      drainPorts: drainPorts ?? 0, pipelineDepth: pipelineDepth ?? 0, weightStreamBits: weightStreamBits ?? 0,
      activationStreamBits: activationStreamBits ?? 0, operandSlots: operandSlots ?? 2,
      variant: try variant.map { text throws(DiagnosticError) in try Self.value(text, "--variant", FoldVariant.self) }
        ?? .overlapped)
    let faults = machine.faults
    guard faults.isEmpty else {
      throw DiagnosticError(faults.map { Diagnostic("wrong-machine", $0) })
    }
    return machine
  }

  private func scope() throws(DiagnosticError) -> (scope: BitSerialMachine.SyncScope, lanes: Int?, rows: Int) {
    switch sync {
    case nil, "array": return (.array, nil, 0)
    case "pe": return (.element, nil, 0)
    case "tile": return (.tile, nil, 0)
    case "column":
      guard let tile else { return (.array, nil, 0) }
      return (.rows(try Self.size(tile, "--tile").rows), nil, 0)
    case .some(let text):
      let size = try Self.size(text, "--sync")
      return (.rows(size.columns), size.rows, size.columns)
    }
  }

  private static func size(_ text: String, _ option: String) throws(DiagnosticError) -> (rows: Int, columns: Int) {
    let sizes = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sizes.count == 2, let rows = sizes[0], let columns = sizes[1], rows > 0, columns > 0 else {
      throw DiagnosticError(
        "unknown-value", "\(option) is '\(text)'",
        hint: option == "--sync" ? "write pe, column, tile, array, or lanes and rows as in 16x16" : "write 8x8")
    }
    return (rows, columns)
  }

  private static func value<T: RawRepresentable & CaseIterable>(
    _ text: String, _ option: String, _ type: T.Type
  ) throws(DiagnosticError) -> T where T.RawValue == String {
    guard let value = T(rawValue: text) else {
      throw DiagnosticError(
        "unknown-value", "\(option) is '\(text)'",
        hint: "valid values: " + T.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return value
  }
}
