import PantileEngines
import PantileSupport
import Testing

/// The models of other tools against what those tools reported.
@Suite struct PeerTimingTests {
  private func expect(_ layer: PeerTables.Layer) {
    let found = ScaleSimTiming(layer.question, dataflow: layer.dataflow)
    #expect(found.cycles == layer.cycles, "\(layer)")
    if !layer.reads.isEmpty {
      #expect([found.ifmapReads, found.filterReads, found.ofmapWrites] == layer.reads, "\(layer)")
      let shares = [found.overallUtilization ?? -1, found.mappingEfficiency, found.computeUtilization]
      // The tables have four decimals.
      let worst = zip(shares, layer.utilizations).map { abs($0 - $1) }.max() ?? .infinity
      #expect(worst < 0.000051, "\(layer): \(shares) \(layer.utilizations)")
    }
  }

  @Test func scaleSimEqualsTheCheckedInRows() throws {
    let rows = PeerTables.rows(of: PeerTables.sample)
    #expect(rows.count >= 20)
    for row in rows { expect(try PeerTables.layer(row)) }
  }

  @Test func scaleSimEqualsEveryMeasuredLayer() throws {
    guard let rows = try PeerTables.rows("measured_layers.csv") else { return }
    let layers = rows.filter { $0["mode"] == "CALC" }
    #expect(layers.count >= 258)
    for row in layers { expect(try PeerTables.layer(row)) }
    // What the interface adds in USER mode is stalls: without them the cycles are those of CALC.
    for row in rows where row["mode"] == "USER" {
      let layer = try PeerTables.layer(row)
      let stalls = try #require(Int(row["stall_cycles"] ?? ""))
      #expect(ScaleSimTiming(layer.question, dataflow: layer.dataflow).cycles == layer.cycles - stalls, "\(layer)")
    }
  }

  /// Layers and sums that an independent script computed for eight networks.
  @Test func scaleSimEqualsTheComputedNetworks() throws {
    guard let rows = try PeerTables.rows("closed_form_layers.csv"),
      let totals = try PeerTables.rows("closed_form_totals.csv")
    else { return }
    var sums: [String: Int] = [:]
    for row in rows {
      let sides = PeerTables.numbers(row["array"])
      func whole(_ key: String) throws -> Int { try PeerTables.found(Int(row[key] ?? ""), key, row) }
      let layer = PeerTables.Layer(
        name: row["layer"] ?? "",
        question: .init(rows: sides[0], columns: sides[1], m: try whole("M"), k: try whole("K"), n: try whole("N")),
        dataflow: try .init(row["dataflow"] ?? ""), cycles: try whole("compute_cycles"))
      expect(layer)
      let found = ScaleSimTiming(layer.question, dataflow: layer.dataflow)
      let share = try #require(Double(row["utilisation_pct"] ?? ""))
      #expect(abs((found.overallUtilization ?? -1) - share) < 0.00051, "\(layer)")
      sums["\(row["workload"] ?? "") \(row["array"] ?? "") \(row["dataflow"] ?? "")", default: 0] += found.cycles
    }
    #expect(rows.count == 2184 && totals.count == 96)
    for row in totals {
      let key = "\(row["workload"] ?? "") \(row["array"] ?? "") \(row["dataflow"] ?? "")"
      #expect(sums[key].map(String.init) == row["sum_compute_cycles"], "\(key)")
    }
  }

  /// The tool's closed forms and ours differ by what is known to be wrong with it.
  @Test func scaleSimDiffersFromHardwareAsDocumented() {
    var random = SplitMix64(seed: 5)
    for _ in 0..<500 {
      let question = TimingModel.Question(
        rows: 1 + random.next(below: 40), columns: 1 + random.next(below: 40), m: 1 + random.next(below: 200),
        k: 1 + random.next(below: 200), n: 1 + random.next(below: 200))
      for dataflow in TimingModel.Dataflow.allCases {
        let found = ScaleSimTiming(question, dataflow: dataflow).cycles
        let native = NativeSerialTiming.cycles(question, dataflow: dataflow)
        switch dataflow {
        case .weightStationary, .inputStationary: #expect(found == native - 1)
        case .outputStationary:
          let folds =
            ((question.m + question.rows - 1) / question.rows)
            * ((question.n + question.columns - 1) / question.columns)
          #expect(found == native - folds * question.rows - 1)
        }
      }
    }
  }

  /// Sparse layers that the tool ran, both modes: cycles and words of storage.
  @Test func scaleSimEqualsEveryMeasuredSparseLayer() throws {
    let rows = PeerTables.rows(of: try PeerTables.sparseLayers())
    #expect(rows.count == 72)
    for row in rows {
      func whole(_ key: String) throws -> Int { try PeerTables.found(Int(row[key] ?? ""), key, row) }
      let sides = PeerTables.numbers(row["array"])
      let ratio = (row["pattern"] ?? "").split(separator: ":").compactMap { Int($0) }
      let sparsity = ScaleSimSparsity(kept: ratio[0], group: ratio[1], block: Int(row["block"] ?? ""))
      let (m, k, n) = (try whole("m"), try whole("k"), try whole("n"))
      let question = TimingModel.Question(
        rows: sides[0], columns: sides[1], dataflow: try .init(row["dataflow"] ?? ""), m: m, k: k, n: n,
        sparsity: sparsity)
      #expect(try TimingModel.scaleSim.evaluate(question) == whole("total_cycles"), "\(row)")
      let storage = try #require(ScaleSimSparsity.Storage(rawValue: row["storage"] ?? ""))
      #expect(sparsity.storageWords(storage, k: k, n: n) == Double(row["storage_words"] ?? ""), "\(row)")
      #expect(try whole("original_words") == k * n)
    }
  }

  /// AlexNet's first layer on 128x128, row by row, in the tool's published results: two of its cycle counts, 173,949 and 167,136, are
  /// this layer's cycles apart.
  @Test func scaleSimEqualsThePublishedAlexNetFold() throws {
    let question = TimingModel.Question(
      rows: 128, columns: 128, dataflow: .weightStationary, m: 3025, k: 363, n: 96,
      sparsity: ScaleSimSparsity(kept: 2, group: 4, block: 4))
    #expect(try TimingModel.scaleSim.evaluate(question) == 173_949 - 167_136)
  }

  @Test func oneElementHasNoUtilization() {
    let found = ScaleSimTiming(.init(rows: 1, columns: 1, m: 1, k: 1, n: 1), dataflow: .outputStationary)
    #expect(found.cycles == 0 && found.overallUtilization == nil)
  }

  @Test func stonneEqualsEveryMeasuredProduct() throws {
    for row in PeerTables.stonne {
      let question = TimingModel.Question(
        rows: row.rows, columns: row.columns, m: row.m, k: row.k, n: row.n, bandwidth: row.bandwidth)
      #expect(try TimingModel.stonne.evaluate(question) == row.cycles, "\(row)")
    }
    // The copy above is all that the table has of the mesh.
    guard let rows = try PeerTables.rows("other_measured.csv") else { return }
    let measured = rows.filter { $0["tool"] == "STONNE" && ($0["config"] ?? "").contains("OS mesh") }
    #expect(measured.compactMap { Int($0["cycles"] ?? "") } == PeerTables.stonne.map(\.cycles))
  }

  /// A square mesh with a port for every edge lane is not limited, and folds are trimmed to what they occupy.
  @Test func stonneIsNotLimitedByAPortForEachLane() throws {
    var random = SplitMix64(seed: 6)
    for _ in 0..<200 {
      let side = 1 + random.next(below: 12)
      var question = TimingModel.Question(
        rows: side, columns: side, m: 1 + random.next(below: 40), k: 1 + random.next(below: 40),
        n: 1 + random.next(below: 40))
      let free = try TimingModel.stonne.evaluate(question)
      question.bandwidth = 2 * side
      #expect(try TimingModel.stonne.evaluate(question) == free, "\(question)")
      var before = free
      for words in [side, side / 2] where words > 0 && (2 * side) % words == 0 {
        let group = 2 * side / words
        if group & (group - 1) != 0 { continue }
        question.bandwidth = words
        let limited = try TimingModel.stonne.evaluate(question)
        #expect(limited >= before, "\(question)")
        before = limited
      }
    }
  }

  /// The formula of a limited fold against a mesh that is stepped cycle by cycle.
  @Test func stonneEqualsASteppedMesh() throws {
    var random = SplitMix64(seed: 7)
    for _ in 0..<200 {
      let (rows, columns) = (1 + random.next(below: 7), 1 + random.next(below: 7))
      let groups = [1, 2, 4, 8].filter { (rows + columns) % $0 == 0 }
      let bandwidth = (rows + columns) / groups[random.next(below: groups.count)]
      let question = TimingModel.Question(
        rows: rows, columns: columns, m: 1 + random.next(below: rows), k: 1 + random.next(below: 9),
        n: 1 + random.next(below: columns), bandwidth: bandwidth)
      #expect(try TimingModel.stonne.evaluate(question) == SteppedMesh.cycles(question), "\(question)")
    }
  }

  @Test(arguments: [
    TimingModel.Question(rows: 8, columns: 8, variant: "overlapped", m: 8, k: 8, n: 8),
    TimingModel.Question(rows: 8, columns: 8, dataflow: .weightStationary, m: 8, k: 8, n: 8),
    TimingModel.Question(rows: 8, columns: 8, m: 8, k: 8, n: 8, bandwidth: 3),
    TimingModel.Question(rows: 8, columns: 8, m: 8, k: 8, n: 8, bandwidth: 0),
    TimingModel.Question(rows: 8, columns: 8, m: 8, k: 8, n: 8, bandwidth: 32),
    TimingModel.Question(rows: 0, columns: 8, m: 8, k: 8, n: 8),
    TimingModel.Question(rows: 8, columns: 8, m: 0, k: 8, n: 8),
    TimingModel.Question(rows: 8, columns: 8, m: 1 << 30, k: 1 << 30, n: 8),
    TimingModel.Question(rows: 8, columns: 8, m: .max, k: .max, n: .max),
  ])
  func stonneRefuses(_ question: TimingModel.Question) {
    let error = #expect(throws: DiagnosticError.self) { try TimingModel.stonne.evaluate(question) }
    #expect(error.map { ["not-modelled", "out-of-range"].contains($0.codes[0]) } == true)
  }

  /// The largest sizes that are let through do not overflow.
  @Test func largestSizesFit() throws {
    let side = TimingModel.Question.largestSide
    let large = 1 << 29
    for (m, k, n) in [(large, large * 2, 1), (1, large, large * 2), (large, 1, large * 2), (1 << 20, 1 << 20, 1 << 19)]
    {
      for (rows, columns) in [(1, 1), (side, 1), (1, side), (side, side)] {
        let question = TimingModel.Question(rows: rows, columns: columns, m: m, k: k, n: n)
        #expect(question.problems().isEmpty)
        for dataflow in TimingModel.Dataflow.allCases {
          #expect(ScaleSimTiming(question, dataflow: dataflow).cycles > 0)
          #expect(NativeSerialTiming.cycles(question, dataflow: dataflow) > 0)
        }
        #expect(try TimingModel.stonne.evaluate(question) > 0)
      }
    }
  }

  @Test func everyModelAnswersAndIsDocumented() throws {
    for model in TimingModel.all {
      let dataflow: TimingModel.Dataflow = .outputStationary
      let question = TimingModel.Question(
        rows: 8, columns: 8, dataflow: dataflow, variant: "serial", m: 64, k: 64, n: 64)
      #expect(try model.evaluate(question) > 0)
      #expect(!model.summary.isEmpty && !model.source.isEmpty && !model.evidence.isEmpty)
      #expect(model.isNative == model.differences.isEmpty)
    }
    let native = try TimingModel.native.evaluate(
      .init(rows: 8, columns: 8, dataflow: .outputStationary, variant: "serial", m: 64, k: 64, n: 64))
    #expect(native == 5504)
    #expect(throws: DiagnosticError.self) { try TimingModel.named("scalesym") }
  }
}

/// STONNE's mesh with queues, one fold, stepped cycle by cycle: shares no code with the formula.
private enum SteppedMesh {
  static func cycles(_ question: TimingModel.Question) -> Int {
    let (rows, columns) = (question.rows, question.columns)
    let (m, n, k) = (question.m, question.n, question.k)
    let ports = question.bandwidth ?? rows + columns
    let group = (rows + columns) / ports
    var portQueues = [[Int]](repeating: [], count: ports)
    // What waits at the upper and left side of each element, and what arrives there next cycle.
    var top = [Int](repeating: 0, count: m * n)
    var left = top
    var worked = top
    var lines = [Int](repeating: 0, count: ports)
    var queue = 0
    var stored = 0
    var cycle = 0
    while stored < m * n {
      if cycle < k {
        for column in 0..<n { portQueues[column / group].append(column) }
        for row in 0..<m { portQueues[(columns + row) / group].append(columns + row) }
      }
      for port in 0..<ports where !portQueues[port].isEmpty {
        let input = portQueues[port].removeFirst()
        if input < columns { top[input] += 1 } else { left[(input - columns) * n] += 1 }
      }
      // Last first, so that what is passed on is seen a cycle later.
      for row in (0..<m).reversed() {
        for column in (0..<n).reversed() {
          let element = row * n + column
          guard top[element] > 0, left[element] > 0 else { continue }
          top[element] -= 1
          left[element] -= 1
          worked[element] += 1
          if row + 1 < m { top[element + n] += 1 }
          if column + 1 < n { left[element + 1] += 1 }
          if worked[element] == k { lines[(row * columns + column) % ports] += 1 }
        }
      }
      for line in 0..<ports where lines[line] > 0 {
        lines[line] -= 1
        queue += 1
      }
      let taken = queue - queue / 2
      queue -= taken
      stored += taken
      cycle += 1
    }
    return cycle + 4 + (group > 1 ? 1 : 0)
  }
}
