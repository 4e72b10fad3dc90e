import Foundation
import PantileEngines
import PantileSupport
import Testing

/// Topology and configuration files of SCALE-Sim, as people keep them.
@Suite struct ScaleSimFileTests {
  static let header =
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"

  private func layers(_ text: String, _ format: ScaleSimTopology.Format? = nil) throws -> [String] {
    try ScaleSimTopology(text, path: "t.csv", format: format).layers.map { "\($0.name) \($0.m) \($0.k) \($0.n)" }
  }

  @Test func readsConvolutions() throws {
    #expect(
      try layers(Self.header + "Conv1, 224, 224, 7, 7, 3, 64, 2,\nFC,1,1,1,1,512,1000,1,\n")
        == ["Conv1 12100 147 64", "FC 1 512 1000"])
    // A stride that does not divide: the tool rounds up.
    #expect(try layers(Self.header + "a,5,6,2,3,4,7,2,") == ["a 9 24 7"])
  }

  @Test(arguments: ["Layer,M,N,K,\n", "Layer, M, N, K\n", "LAYER, m, n, k, sparsity,\n", "what,ever,\n"])
  func readsProducts(_ header: String) throws {
    #expect(try layers(header + "G,3,4,5,\nH,6,7,8,1:1,\n") == ["G 3 5 4", "H 6 8 7"])
  }

  @Test func toleratesWhatPeopleWrite() throws {
    let plain = try layers(Self.header + "a,8,8,3,3,4,16,1,\nb b,8,8,3,3,4,16,2,\n")
    let forms = [
      Self.header + "a,8,8,3,3,4,16,1\nb b,8,8,3,3,4,16,2",
      Self.header + "\n\na , 8 ,\t8,3,3,4,16,1,\n\n  \n b b,8,8,3,3,4,16,2,1:1,\n\n",
      (Self.header + "a,8,8,3,3,4,16,1,\nb b,8,8,3,3,4,16,2,\n").replacing("\n", with: "\r\n"),
      "\u{FEFF}# a comment\n" + Self.header + "; another\na,8,8,3,3,4,16,1,,,\n,,,,,,,,\nb b,8,8,3,3,4,16,2,\n",
    ]
    for form in forms { #expect(try layers(form) == plain) }
  }

  @Test func aMissingHeaderIsSaid() throws {
    let topology = try ScaleSimTopology("a,8,8,3,3,4,16,1,\nb,8,8,3,3,4,16,1,\n", path: "t.csv")
    #expect(topology.layers.count == 2 && topology.warnings.map(\.code) == ["no-header"])
  }

  @Test func depthwiseLayersAreOneForEachChannel() throws {
    #expect(
      try layers(Self.header + "xDPy,6,6,3,3,3,1,1,\n")
        == ["xDPyChannel_0 16 9 1", "xDPyChannel_1 16 9 1", "xDPyChannel_2 16 9 1"])
  }

  @Test func ratiosAreKeptAndSaidToHaveNoInfluence() throws {
    let topology = try ScaleSimTopology("L,M,N,K,S,\na,3,4,8,2:4,\n", path: "t.csv")
    #expect(topology.layers[0].kept == 2 && topology.layers[0].group == 4)
    #expect(topology.warnings.map(\.code) == ["dense-cycles"])
  }

  /// Text and code; `@` stands for the header of a convolution.
  static let badTopologies: [(String, String)] = [
    ("", "empty-topology"), ("@", "empty-topology"), ("@a,8,8,", "bad-row"), ("x,y,z\na,1,2,3,4,5,", "unknown-format"),
    ("@a,8,8,3,3,4,16,", "bad-row"), ("@a,8,8,3,x,4,16,1,", "bad-row"), ("@a,8,8,3,3,4,16,1,2,", "bad-row"),
    ("@a,8,8,3,3,4,16,1,1:1,7,", "bad-row"), ("@a,8,8,3,3,4,16,1,5:4,", "bad-row"),
    ("@a,8,8,3,3,4,16,0,", "out-of-range"), ("@a,8,8,3,3,-4,16,1,", "out-of-range"),
    ("@a,8,8,9,3,4,16,1,", "filter-too-large"), ("@a,8,8,3,3,99999999999999999999,16,1,", "bad-row"),
    ("@a,1048576,1048576,1,1,1,1,1,", "out-of-range"), ("@DP,8,8,3,3,1048576,16,1,", "too-many-layers"),
    // A damaged first layer is no header.
    ("a,8,8,3,3,4x,16,1,\nb,8,8,3,3,4,16,1,", "bad-row"),
  ]

  @Test(arguments: badTopologies)
  func refusesTopologies(_ text: String, _ code: String) {
    let text = text.replacing("@", with: Self.header)
    let error = #expect(throws: DiagnosticError.self) { try ScaleSimTopology(text, path: "t.csv") }
    let first = error?.diagnostics.first
    #expect(first?.code == code)
    #expect(first?.location.filePosition?.path == "t.csv")
  }

  @Test func saysTheLineAndAllThatIsWrong() {
    let text = Self.header + "a,8,8,3,3,4,16,1,\nb,8,8,9,3,4,16,1,\n\nc,8,8,3,3,q,16,1,\n"
    let error = #expect(throws: DiagnosticError.self) { try ScaleSimTopology(text, path: "t.csv") }
    #expect(error?.diagnostics.map { $0.location.filePosition?.line } == [3, 5])
  }

  static let config = """
    [general]
    run_name = net
    [architecture_presets]
    ArrayHeight:    32
    ArrayWidth = 16 ; columns
    Dataflow : os
    [run_presets]
    InterfaceBandwidth: CALC
    """

  @Test func readsConfigurations() throws {
    for text in [
      Self.config, Self.config.replacing("\n", with: "\r\n"), "\u{FEFF}# old\n\n" + Self.config + "\n\n[layout]\n",
      Self.config.replacing("ArrayHeight", with: "arrayheight") + "\nUseRamulatorTrace: False\nUnknown = 3\n",
      Self.config + "\n[sparsity]\nSparsitySupport: false\nBlockSize: 8\n[layout]\nIfmapCustomLayout: False\n",
    ] {
      let config = try ScaleSimConfig(text, path: "c.cfg")
      #expect(config.rows == 32 && config.columns == 16 && config.dataflow == .outputStationary)
      #expect(config.runName == "net")
    }
  }

  /// What to replace by what, and the code.
  static let badConfigurations: [(String, String, String)] = [
    ("ArrayHeight:    32", "ArrayHeigth: 32", "missing-key"), ("ArrayHeight:    32", "ArrayHeight: x", "wrong-type"),
    ("ArrayHeight:    32", "ArrayHeight: 0", "out-of-range"), ("Dataflow : os", "Dataflow : rs", "unknown-value"),
    ("Dataflow : os", "Dataflow os", "ini-syntax"), ("[general]", "[general", "ini-syntax"),
    ("[general]\n", "", "ini-syntax"), ("Dataflow : os", "Dataflow : os\ndataflow: ws", "duplicate-key"),
    ("CALC", "USER", "not-reproduced"), ("CALC", "BOTH", "unknown-value"),
    ("CALC", "CALC\nUseRamulatorTrace: True", "not-reproduced"),
    ("CALC", "CALC\n[sparsity]\nSparsitySupport: true", "missing-key"),
    ("CALC", "CALC\n[sparsity]\nSparsitySupport: maybe", "unknown-value"),
    ("CALC", "CALC\n[sparsity]\nSparsitySupport: true\nSparseRep: coo\nOptimizedMapping: false", "unknown-value"),
    (
      "CALC", "CALC\n[sparsity]\nSparsitySupport: true\nSparseRep: csr\nOptimizedMapping: true\nBlockSize: 4",
      "not-reproduced"
    ),
    ("CALC", "CALC\n[layout]\nIfmapCustomLayout: True", "not-reproduced"),
    ("CALC", "CALC\n[layout]\nFilterCustomLayout: maybe", "unknown-value"),
    ("[run_presets]\nInterfaceBandwidth: CALC", "", "missing-key"),
    ("[run_presets]", "[general]\n[run_presets]", "duplicate-key"),
    ("Dataflow : os", "Dataflow : os\nIfmapSramSzkB: many", "wrong-type"),
  ]

  @Test(arguments: badConfigurations)
  func refusesConfigurations(_ part: String, _ other: String, _ code: String) {
    let text = Self.config.replacing(part, with: other)
    #expect(text != Self.config)
    let error = #expect(throws: DiagnosticError.self) { try ScaleSimConfig(text, path: "c.cfg") }
    #expect(error?.codes.contains(code) == true, "\(error?.rendered ?? "")")
    #expect(error?.diagnostics.allSatisfy { $0.location.filePosition?.path == "c.cfg" } == true)
  }

  /// Damaged files are read or refused with a place in the file; they never crash.
  @Test func fuzzedFilesAreReadOrRefused() {
    let runs = Int(ProcessInfo.processInfo.environment["PANTILE_FUZZ_RUNS"] ?? "") ?? 4000
    let seed = UInt64(ProcessInfo.processInfo.environment["PANTILE_FUZZ_SEED"] ?? "") ?? 1
    let topology =
      "\u{FEFF}" + Self.header + "Conv1, 224, 224, 7, 7, 3, 64, 2,\r\n# c\nxDP,6,6,3,3,3,1,1,2:4,\n\n"
      + "FC,1,1,1,1,512,10,1,\n"
    let texts = [Array(topology.utf8), Array("L,M,N,K,\na,3,4,5,\nb,6,7,8,1:2,\n".utf8), Array(Self.config.utf8)]
    let pieces = [
      "0", "-1", "1048576", "9223372036854775808", ",", ":", "=", "[", "]", "\n", "\r", "DP", "\u{0}", "é", ";",
    ]
    var random = SplitMix64(seed: seed)
    for run in 0..<runs {
      var bytes = texts[run % texts.count]
      for _ in 0...random.next(below: 4) {
        let place = random.next(below: bytes.count + 1)
        switch random.next(below: 4) {
        case 0: bytes.insert(contentsOf: pieces[random.next(below: pieces.count)].utf8, at: place)
        case 1: if place < bytes.count { bytes[place] = UInt8(random.next(below: 256)) }
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + random.next(below: 12)))
        default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + random.next(below: 40))], at: place)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      do throws(DiagnosticError) {
        if run % texts.count == 2 {
          _ = try ScaleSimConfig(text, path: "f")
        } else {
          let topology = try ScaleSimTopology(text, path: "f")
          #expect(!topology.layers.isEmpty)
          let config = try ScaleSimConfig(Self.config, path: "c")
          let result = try ScaleSimRun(topology, on: config)
          #expect(result.totals.cycles >= 0)
        }
      } catch {
        let isPlaced = error.diagnostics.allSatisfy { $0.location.filePosition?.path == "f" }
        #expect(isPlaced, "seed \(seed) run \(run): \(error.rendered)")
      }
    }
  }
}
