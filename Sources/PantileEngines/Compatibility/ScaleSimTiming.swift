import PantileSupport

/// What SCALE-Sim 3.0.0 reports for one dense layer with `InterfaceBandwidth: CALC`.
///
/// The tool builds the address matrices of all folds and counts their lines; every line costs a cycle, so its counts are closed
/// forms. With S_r and S_c the extents that rows and columns of the array hold and T the one that streams:
///
/// | dataflow | S_r | S_c | T | fold |
/// |---|---|---|---|---|
/// | os | M | N | K | R+C+K-2 |
/// | ws | K | N | M | 2R+C+M-2 |
/// | is | K | M | N | 2R+C+N-2 |
///
/// Total Cycles = ceil(S_r/R)·ceil(S_c/C)·fold - 1: edge folds cost as much as full ones, and the index of the last cycle is taken
/// for the count. There are no stalls in this mode.
///
/// **Accuracy** exact: equal to the tool.
/// **Source** SCALE-Sim 3.0.0 (PyPI), measured; Samajdar et al., "A systematic methodology for characterizing scalability of DNN
/// accelerators using SCALE-Sim", ISPASS 2020, for the dataflows.
public struct ScaleSimTiming: Hashable, Sendable {
  /// "Total Cycles". 0 for a single multiply-accumulate on one element: there the tool itself divides by zero.
  public var cycles: Int
  /// "Overall Util %": multiply-accumulates over what the array could do in `cycles`. Nil when `cycles` is 0.
  /// **Units** percent, as in the tool's report (a plain double for that reason), like the two below.
  public var overallUtilization: Double?
  /// "Mapping Efficiency %": used elements over all, mean over folds.
  public var mappingEfficiency: Double
  /// "Compute Util %": of ws and is the tool divides by folds of 2R+2C+T-3 cycles, which are not those that it counts.
  public var computeUtilization: Double
  /// Words: "SRAM IFMAP Reads", "SRAM Filter Reads", "SRAM OFMAP Writes".
  public var ifmapReads: Int
  public var filterReads: Int
  public var ofmapWrites: Int

  /// **Precondition** The question has no problems.
  public init(_ question: TimingModel.Question, dataflow: TimingModel.Dataflow) {
    let (r, c) = (question.rows, question.columns)
    let (m, k, n) = (question.m, question.k, question.n)
    let held: (rows: Int, columns: Int, streamed: Int)
    switch dataflow {
    case .outputStationary: held = (m, n, k)
    case .weightStationary: held = (k, n, m)
    case .inputStationary: held = (k, m, n)
    }
    let rowFolds = ceilDiv(held.rows, r)
    let columnFolds = ceilDiv(held.columns, c)
    let folds = rowFolds * columnFolds
    let fold: Int
    /// The cycles of a fold by which "Compute Util %" divides.
    let foldOfUtilization: Int
    switch dataflow {
    case .outputStationary:
      fold = r + c + held.streamed - 2
      foldOfUtilization = fold
      ifmapReads = m * k * columnFolds
      filterReads = k * n * rowFolds
      // The tool adds the extents of each fold's block of outputs to the outputs.
      ofmapWrites = m * n + folds * (r + c)
    case .weightStationary:
      fold = 2 * r + c + held.streamed - 2
      foldOfUtilization = 2 * (r + c) + held.streamed - 3
      ifmapReads = m * k * columnFolds
      filterReads = k * n
      ofmapWrites = m * n * rowFolds
    case .inputStationary:
      fold = 2 * r + c + held.streamed - 2
      foldOfUtilization = 2 * (r + c) + held.streamed - 3
      ifmapReads = m * k
      filterReads = k * n * columnFolds
      ofmapWrites = m * n * rowFolds
    }
    cycles = folds * fold - 1
    // In doubles: elements times cycles may exceed 64 bits.
    let elements = Double(r) * Double(c)
    let macs = Double(question.macs)
    overallUtilization = cycles == 0 ? nil : 100 * macs / (Double(cycles) * elements)
    let slots = elements * Double(folds)
    mappingEfficiency = 100 * Double(held.rows) * Double(held.columns) / slots
    computeUtilization = 100 * macs / (slots * Double(foldOfUtilization))
  }
}

extension TimingModel {
  /// SCALE-Sim 3.0.0 without stalls.
  public static let scaleSim = TimingModel(
    name: "scalesim", summary: "Total Cycles of SCALE-Sim 3.0.0 with InterfaceBandwidth CALC: os, ws and is",
    source: "SCALE-Sim 3.0.0 of PyPI (2025), measured; closed forms of its fold matrices",
    evidence: "cycles, utilisations and SRAM counts equal on all 258 layers measured in CALC mode",
    differences: [
      "Total Cycles is the index of the last cycle, one less than their number, in every layer.",
      "os: results leave the array R cycles before the bottom row has computed them; each fold is R cycles short.",
      "os: SRAM OFMAP Writes are R+C per fold too many.",
      "ws and is: Compute Util % divides by folds of 2R+2C+T-3 cycles, the cycle count by folds of 2R+C+T-2.",
      "Folds never overlap and edge folds cost as much as full ones; arrays with a second register do better.",
      "No padding, pooling, activation, bias, batch or residual; a depthwise layer is a dense layer of one channel each.",
      "Filling the first buffers and draining the last is outside Total Cycles, and layers never overlap.",
      "Sparse filters: a shorter reduction, but for the reads no notion of who selects; metadata is a bandwidth, never a stall.",
      "Sparse, row-wise: the ratio has no influence on cycles, but its M sets the metadata; nonzeros are drawn, not read.",
      "InterfaceBandwidth USER is not reproduced: its reads exceed what the array asks for, and stalls count twice.",
    ],
    evaluate: { question throws(DiagnosticError) in
      try TimingModel.requireSerial(question, "SCALE-Sim")
      if let bandwidth = question.bandwidth {
        throw DiagnosticError(
          "not-modelled", "SCALE-Sim without stalls knows no bandwidth, \(bandwidth) words a cycle are given",
          hint: "leave --bandwidth out; its USER mode is not reproduced")
      }
      let problems = question.problems()
      guard problems.isEmpty else { throw DiagnosticError(problems) }
      var question = question
      let dataflow = question.dataflow ?? .weightStationary
      if let sparsity = question.sparsity {
        if dataflow == .inputStationary || sparsity.block != nil && dataflow != .weightStationary {
          throw DiagnosticError(
            "not-modelled",
            "sparse filters of SCALE-Sim are reproduced for ws and os, row by row for ws; the dataflow is "
              + "'\(dataflow.rawValue)'", hint: "write --dataflow ws")
        }
        if let block = sparsity.block, block > question.rows {
          throw DiagnosticError(
            "out-of-range", "blocks of \(block) do not fit \(question.rows) rows, SCALE-Sim stops there",
            hint: "write --block \(question.rows) or less")
        }
        question.k = sparsity.rows(k: question.k)
      }
      return ScaleSimTiming(question, dataflow: dataflow).cycles
    })
}
