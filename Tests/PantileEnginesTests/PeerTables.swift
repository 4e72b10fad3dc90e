import Foundation
import PantileEngines
import PantileTestSupport
import Testing

/// Figures of other tools: the measured tables of the shared folder, and a few of their rows for a checkout without it.
enum PeerTables {
  /// One layer that SCALE-Sim 3.0.0 ran in CALC mode.
  struct Layer: Sendable, CustomTestStringConvertible {
    var name: String
    var question: TimingModel.Question
    var dataflow: TimingModel.Dataflow
    var cycles: Int
    /// Overall, mapping, compute: percent to four decimals. Empty for figures that the closed form made.
    var utilizations: [Double] = []
    var reads: [Int] = []
    var testDescription: String { "\(name) \(question.rows)x\(question.columns) \(dataflow.rawValue)" }
  }

  /// The lines of a table as values by column; nil, with a note, when there is no shared folder.
  static func rows(_ file: String) throws -> [[String: String]]? {
    guard let path = SharedFolder.path("reference/systolic/\(file)") else {
      SharedFolder.reportSkipped("figures of other tools in \(file)")
      return nil
    }
    return rows(of: try String(contentsOfFile: path, encoding: .utf8))
  }

  static func rows(of text: String) -> [[String: String]] {
    let lines = text.split(whereSeparator: \.isNewline).map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return lines.dropFirst().map { Dictionary(zip(lines[0], $0)) { first, _ in first } }
  }

  /// A row of `measured_layers.csv`.
  static func layer(_ row: [String: String]) throws -> Layer {
    func whole(_ key: String) throws -> Int { try found(Int(row[key] ?? ""), key, row) }
    func real(_ key: String) throws -> Double { try found(Double(row[key] ?? ""), key, row) }
    let sides = numbers(row["array"])
    let dims = numbers(row["dims"])
    let (m, k, n): (Int, Int, Int)
    if dims.count == 3 {
      (m, n, k) = (dims[0], dims[1], dims[2])
    } else {
      let stride = dims[6]
      func outputs(_ image: Int, _ filter: Int) -> Int { (image - filter + stride + stride - 1) / stride }
      (m, k, n) = (outputs(dims[0], dims[2]) * outputs(dims[1], dims[3]), dims[2] * dims[3] * dims[4], dims[5])
    }
    return Layer(
      name: "\(row["workload"] ?? "") \(row["layer"] ?? "")",
      question: .init(rows: sides[0], columns: sides[1], m: m, k: k, n: n),
      dataflow: try .init(row["dataflow"] ?? ""), cycles: try whole("total_cycles"),
      utilizations: [try real("overall_util_pct"), try real("mapping_eff_pct"), try real("compute_util_pct")],
      reads: [try whole("ifmap_sram_reads"), try whole("filter_sram_reads"), try whole("ofmap_sram_writes")])
  }

  struct BadRow: Error { var text: String }

  static func found<Value>(_ value: Value?, _ key: String, _ row: [String: String]) throws -> Value {
    guard let value else { throw BadRow(text: "\(key) of \(row)") }
    return value
  }

  static func numbers(_ text: String?) -> [Int] { (text ?? "").split(separator: "x").compactMap { Int($0) } }

  /// Rows of the measured tables, copied.
  static let sample = """
    workload,array,dataflow,mode,layer,dims,total_cycles,overall_util_pct,mapping_eff_pct,compute_util_pct,ifmap_sram_reads,filter_sram_reads,ofmap_sram_writes
    alexnet,128x128,ws,CALC,Conv1,224x224x11x11x3x96x4,10220,62.9553,70.8984,60.687,1098075,34848,871200
    alexnet,128x128,ws,CALC,Conv2,27x27x5x5x96x256x1,34617,57.3057,98.6842,50.2928,2539200,614400,2573056
    square_gemm,32x32,is,CALC,G64,64x64x64,631,40.5705,100,33.8624,4096,8192,8192
    square_gemm,32x32,is,CALC,G128,128x128x128,3551,57.6739,100,50.5929,16384,65536,65536
    square_gemm,32x32,os,CALC,G64,64x64x64,503,50.8946,100,50.7937,8192,8192,4352
    square_gemm,32x32,os,CALC,G128,128x128x128,3039,67.3906,100,67.3684,65536,65536,17408
    square_gemm,32x32,ws,CALC,G64,64x64x64,631,40.5705,100,33.8624,8192,4096,8192
    square_gemm,32x32,ws,CALC,G128,128x128x128,3551,57.6739,100,50.5929,65536,16384,65536
    square_gemm,8x8,os,CALC,G64,64x64x64,4991,82.0677,100,82.0513,32768,32768,5120
    square_gemm,8x8,os,CALC,G128,128x128x128,36351,90.1433,100,90.1408,262144,262144,20480
    gpt2,128x128,ws,CALC,QKT,1024x1024x64,11247,36.4186,50,33.3986,524288,65536,1048576
    gpt2,128x128,ws,CALC,QKTV,1024x64x1024,11247,36.4186,50,33.3986,1048576,65536,524288
    mobilenet,32x32,ws,CALC,Conv20,14x14x3x3x512x1x1,34271,1.89081,3.125,1.67286,663552,4608,20736
    mobilenet,32x32,ws,CALC,Conv21,14x14x1x1x512x512x1,74239,67.5871,100,61.0592,1605632,262144,1605632
    odd_gemm,128x128,is,CALC,O1,23x61x37,442,0.716832,5.19409,0.555859,851,2257,1403
    odd_gemm,128x128,is,CALC,O2,100x17x129,797,1.67942,39.3677,1.27234,12900,2193,3400
    odd_gemm,128x128,os,CALC,O1,23x61x37,290,1.09255,8.56323,1.0888,851,2257,1659
    odd_gemm,128x128,os,CALC,O2,100x17x129,382,3.50393,10.376,3.49478,12900,2193,1956
    odd_gemm,16x16,is,CALC,O1,23x61x37,641,31.6345,55.4036,27.7018,851,4514,4209
    odd_gemm,16x16,is,CALC,O2,100x17x129,3968,21.5887,79.9851,17.4327,12900,15351,15300
    odd_gemm,16x16,os,CALC,O1,23x61x37,535,37.9023,68.5059,37.8316,3404,4514,1659
    odd_gemm,16x16,os,CALC,O2,100x17x129,2225,38.5007,47.433,38.4834,25800,15351,2148
    odd_gemm,16x16,ws,CALC,O1,23x61x37,827,24.5196,73.4701,20.1168,3404,2257,4209
    odd_gemm,16x16,ws,CALC,O2,100x17x129,2627,32.6091,47.5911,29.5597,25800,2193,15300
    odd_gemm,8x8,is,CALC,O1,23x61x37,1244,65.2017,88.6458,60.0822,851,6771,7015
    odd_gemm,8x8,is,CALC,O2,100x17x129,8618,39.7605,91.2048,33.7061,12900,28509,28900
    odd_gemm,8x8,ws,CALC,O1,23x61x37,1799,45.0867,88.1641,38.9956,6808,2257,7015
    odd_gemm,8x8,ws,CALC,O2,100x17x129,6221,55.0806,67.1875,52.0833,38700,2193,28900
    resnet18,128x128,os,CALC,Conv1,224x224x7x7x3x64x2,38094,18.2392,49.7533,18.2387,1778700,893760,798720
    resnet18,128x128,os,CALC,Conv2_1a,56x56x3x3x64x64x1,19089,34.3706,49.5245,34.3688,1679616,847872,192512
    resnet18,32x32,os,CALC,Conv5_1a,14x14x3x3x256x512x2,75711,74.5572,76.5625,74.5562,1806336,2359296,27136
    resnet18,32x32,os,CALC,Conv5_1b,7x7x3x3x512x512x1,74719,77.0888,78.125,77.0878,1843200,2359296,13824
    """

  /// The table of sparse layers that `Benchmarks/scalesim/sparse.py` has measured.
  static func sparseLayers() throws -> String {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return try String(contentsOf: root.appendingPathComponent("Benchmarks/scalesim/sparse.csv"), encoding: .utf8)
  }

  /// Products on STONNE's mesh, all measured: rows, columns, M, N, K, words a cycle (nil: enough), cycles.
  static let stonne: [(rows: Int, columns: Int, m: Int, n: Int, k: Int, bandwidth: Int?, cycles: Int)] = [
    (8, 8, 64, 64, 64, 16, 5_312), (8, 8, 64, 64, 64, 8, 9_408), (8, 8, 64, 64, 64, 4, 17_728),
    (16, 16, 64, 64, 64, nil, 1_584), (16, 16, 128, 128, 128, nil, 10_432), (16, 16, 256, 256, 256, nil, 74_496),
    (32, 32, 256, 256, 256, nil, 20_672), (16, 16, 1, 1_000, 512, nil, 33_445), (16, 16, 49, 512, 256, nil, 36_736),
    (16, 16, 196, 256, 128, nil, 33_712), (16, 16, 25, 512, 4_608, nil, 296_928),
  ]
}
