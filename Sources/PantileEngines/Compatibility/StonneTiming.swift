import PantileSupport

/// What STONNE's output-stationary mesh (its TPU-like configuration) reports for a dense product.
///
/// With enough bandwidth a fold of m x n occupied elements takes K+m+n+3 cycles, one less when m or n is 1; folds follow one
/// another. Edge folds are trimmed to what they occupy.
///
/// With B words a cycle on either side (`dn_bw` = `rn_bw` = B):
/// - Reading: the C column inputs, then the R row inputs, are dealt to B ports in groups of g = (R+C)/B. A port delivers its
///   occupied inputs one a cycle, in order, step by step, so input i of a port with L of them has step k at cycle k·L+i. Trees
///   behind the ports (g > 1) add a cycle.
/// - Mesh: an element works a cycle after its upper and left neighbours, and not before its inputs are there.
/// - Writing: element e = row·C+column sends its result on line e mod B, one result a line and cycle. The memory takes half of
///   its queue a cycle, rounded up: its loop compares a counter with a queue that shrinks meanwhile.
///
/// **Accuracy** exact: equal to the tool on the eleven measured rows, two of them with bandwidth below R+C.
/// **Source** STONNE, commit 22634b8, measured; Muñoz-Martínez et al., "STONNE: enabling cycle-level microarchitectural simulation
/// for DNN inference accelerators", IISWC 2021.
public enum StonneTiming {
  /// Cycles of configuring, waking the mesh, accumulating and storing, beside those that depend on sizes.
  private static let fixedCycles = 4
  /// Largest array with a given bandwidth: its elements are visited one by one.
  public static let largestLimitedArray = 1 << 20

  /// **Precondition** The question has no problems and its bandwidth is one that `checkBandwidth` lets pass.
  public static func cycles(_ question: TimingModel.Question) -> Int {
    var total = 0
    for (m, rowFolds) in parts(question.m, of: question.rows) {
      for (n, columnFolds) in parts(question.n, of: question.columns) {
        total += rowFolds * columnFolds * fold(question, m, n)
      }
    }
    return total
  }

  /// Full parts and the rest.
  private static func parts(_ extent: Int, of side: Int) -> [(size: Int, count: Int)] {
    [(side, extent / side), (extent % side, 1)].filter { $0.0 > 0 && $0.1 > 0 }
  }

  private static func fold(_ question: TimingModel.Question, _ m: Int, _ n: Int) -> Int {
    guard let bandwidth = question.bandwidth else { return question.k + m + n + (m == 1 || n == 1 ? 2 : 3) }
    return limitedFold(question, m, n, bandwidth)
  }

  private static func limitedFold(_ question: TimingModel.Question, _ m: Int, _ n: Int, _ bandwidth: Int) -> Int {
    let (rows, columns) = (question.rows, question.columns)
    let group = (rows + columns) / bandwidth
    // Inputs that are in use, as the ports see them: columns first.
    let inputs = Array(0..<n) + (0..<m).map { columns + $0 }
    var load = [Int](repeating: 0, count: bandwidth)
    var place = [Int](repeating: 0, count: rows + columns)
    for input in inputs {
      place[input] = load[input / group]
      load[input / group] += 1
    }
    func lastArrival(_ input: Int) -> Int { (question.k - 1) * load[input / group] + place[input] }

    // When each element works on the last step; one row at a time. Results by cycle and line.
    var above = [Int](repeating: 0, count: n)
    var results: [(cycle: Int, line: Int)] = []
    results.reserveCapacity(m * n)
    for row in 0..<m {
      for column in 0..<n {
        let top = row == 0 ? lastArrival(column) : above[column] + 1
        let left = column == 0 ? lastArrival(columns + row) : above[column - 1] + 1
        above[column] = max(top, left)
        results.append((above[column], (row * columns + column) % bandwidth))
      }
    }
    results.sort { $0.cycle < $1.cycle }
    return drainEnd(results, lines: bandwidth) + fixedCycles + (group > 1 ? 1 : 0)
  }

  /// One past the cycle in which the memory takes the last result.
  private static func drainEnd(_ results: [(cycle: Int, line: Int)], lines: Int) -> Int {
    var waiting = [Int](repeating: 0, count: lines)
    var waitingLines: [Int] = []
    var queue = 0
    var left = results.count
    var next = 0
    var cycle = 0
    while left > 0 {
      // Nothing happens until the next result when all queues are empty.
      if waitingLines.isEmpty && queue == 0 { cycle = max(cycle, results[next].cycle) }
      while next < results.count, results[next].cycle == cycle {
        let line = results[next].line
        if waiting[line] == 0 { waitingLines.append(line) }
        waiting[line] += 1
        next += 1
      }
      queue += waitingLines.count
      for line in waitingLines { waiting[line] -= 1 }
      waitingLines.removeAll { waiting[$0] == 0 }
      let taken = (queue + 1) / 2
      queue -= taken
      left -= taken
      cycle += 1
    }
    return cycle
  }

  /// - Throws: `not-modelled` for a bandwidth that the tool aborts with.
  static func checkBandwidth(_ question: TimingModel.Question) throws(DiagnosticError) {
    guard let bandwidth = question.bandwidth else { return }
    let inputs = question.rows + question.columns
    let group = bandwidth > 0 ? inputs / bandwidth : 0
    guard group > 0, inputs % bandwidth == 0, group & (group - 1) == 0 else {
      let valid = (0..<17).map { 1 << $0 }.filter { inputs % $0 == 0 }.map { "\(inputs / $0)" }
      throw DiagnosticError(
        "not-modelled",
        "STONNE deals \(inputs) inputs of a \(question.rows)x\(question.columns) mesh to its ports in groups of a power "
          + "of two, a bandwidth of \(bandwidth) does not", hint: "take one of \(valid.joined(separator: ", "))")
    }
    guard question.rows * question.columns <= largestLimitedArray else {
      throw DiagnosticError(
        "out-of-range",
        "with a bandwidth the mesh has at most \(largestLimitedArray) elements, \(question.rows)x\(question.columns) "
          + "is more")
    }
  }
}

extension TimingModel {
  /// STONNE's output-stationary mesh.
  public static let stonne = TimingModel(
    name: "stonne", summary: "cycles of STONNE's output-stationary mesh, with enough bandwidth or a given one",
    source: "STONNE, commit 22634b8, measured; the limits of bandwidth after its mesh, ports and bus",
    evidence: "equal on all eleven measured products, two of them with limited bandwidth",
    differences: [
      "Results do not drain down the columns: every element sends its own to the memory; a full fold is R-5 cycles shorter.",
      "Edge folds are trimmed to the occupied rows and columns.",
      "The memory takes half of its result queue in a cycle, rounded up, whatever the bandwidth.",
      "Folds never overlap: the next one is configured after the last result is stored.",
    ],
    evaluate: { question throws(DiagnosticError) in
      try TimingModel.requireSerial(question, "STONNE's mesh")
      if question.sparsity != nil {
        throw DiagnosticError(
          "not-modelled", "the mesh of STONNE has no N:M weights", hint: "leave --pattern out, or take scalesim")
      }
      if let dataflow = question.dataflow, dataflow != .outputStationary {
        throw DiagnosticError(
          "not-modelled", "STONNE's mesh is output stationary (os), the dataflow asked for is '\(dataflow.rawValue)'",
          hint: "take --dataflow os, or --timing-model scalesim for ws and is")
      }
      let problems = question.problems()
      guard problems.isEmpty else { throw DiagnosticError(problems) }
      try StonneTiming.checkBandwidth(question)
      return StonneTiming.cycles(question)
    })
}
