import PantileEngines
import PantileSupport

/// What is built into a core's register-transfer twin; everything else stands in its registers and images.
public struct CoreTwinStructure: Hashable, Sendable {
  public var rows: Int
  public var columns: Int
  public var isOutputStationary: Bool
  public var isOverlapped: Bool
  /// Words of the program image that fit.
  public var programWords: Int
  /// Bytes of the DRAM that are simulated, from address 0 on.
  public var dramBytes: Int
  public var scratchpadBytes: Int
  /// 32-bit words.
  public var accumulatorWords: Int

  /// - Throws: `twin-unsupported` for an array that the twin has not.
  public init(
    _ array: ArrayEngine, programWords: Int, dramBytes: Int, scratchpadBytes: Int, accumulatorWords: Int
  ) throws(DiagnosticError) {
    let known = [(false, false), (false, true), (true, false), (true, true)]
    let size = "\(array.rows)x\(array.columns)"
    // The summary names every option, so one that is new here is refused and not ignored.
    guard
      let match = known.first(where: { isOutput, isOverlapped in
        array.summary == "systolic \(size) \(isOutput ? "os" : "ws") \(isOverlapped ? "overlapped" : "serial")"
      })
    else {
      throw DiagnosticError(
        "twin-unsupported",
        "the array is '\(array.summary)', the core's twin has 'systolic \(size) ws|os serial|overlapped'",
        hint: "choose a chip with a systolic array, or change this one with --set")
    }
    (isOutputStationary, isOverlapped) = match
    rows = array.rows
    columns = array.columns
    self.programWords = programWords
    self.dramBytes = dramBytes
    self.scratchpadBytes = scratchpadBytes
    self.accumulatorWords = accumulatorWords
  }

  /// The parameters of `pantile_core` and their values in SystemVerilog.
  public var parameters: [(name: String, value: String)] {
    [
      ("ROWS", "\(rows)"), ("COLUMNS", "\(columns)"), ("OUTPUT_STATIONARY", isOutputStationary ? "1'b1" : "1'b0"),
      ("OVERLAPPED", isOverlapped ? "1'b1" : "1'b0"), ("PROGRAM_WORDS", "\(programWords)"),
      ("DRAM_BYTES", "\(dramBytes)"), ("SCRATCHPAD_BYTES", "\(scratchpadBytes)"),
      ("ACCUMULATOR_WORDS", "\(accumulatorWords)"),
    ]
  }
}
