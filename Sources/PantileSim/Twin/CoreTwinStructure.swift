import PantileEngines

/// What is built into a core's register-transfer twin; everything else stands in its registers and images.
public struct CoreTwinStructure: Hashable, Sendable {
  public var rows: Int
  public var columns: Int
  public var dataflow: SystolicOptions.Dataflow
  public var variant: FoldVariant
  /// Words of the program image that fit.
  public var programWords: Int
  /// Bytes of the DRAM that are simulated, from address 0 on.
  public var dramBytes: Int
  public var scratchpadBytes: Int
  /// 32-bit words.
  public var accumulatorWords: Int

  public init(
    _ array: SystolicOptions, programWords: Int, dramBytes: Int, scratchpadBytes: Int, accumulatorWords: Int
  ) {
    rows = array.rows
    columns = array.columns
    dataflow = array.dataflow
    variant = array.variant
    self.programWords = programWords
    self.dramBytes = dramBytes
    self.scratchpadBytes = scratchpadBytes
    self.accumulatorWords = accumulatorWords
  }

  /// The parameters of `pantile_core` and their values in SystemVerilog.
  public var parameters: [(name: String, value: String)] {
    [
      ("ROWS", "\(rows)"), ("COLUMNS", "\(columns)"),
      ("OUTPUT_STATIONARY", dataflow == .outputStationary ? "1'b1" : "1'b0"),
      ("OVERLAPPED", variant == .overlapped ? "1'b1" : "1'b0"), ("PROGRAM_WORDS", "\(programWords)"),
      ("DRAM_BYTES", "\(dramBytes)"), ("SCRATCHPAD_BYTES", "\(scratchpadBytes)"),
      ("ACCUMULATOR_WORDS", "\(accumulatorWords)"),
    ]
  }
}
