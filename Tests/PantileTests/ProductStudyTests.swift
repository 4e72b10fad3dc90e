import Foundation
import Pantile
import Testing

/// Products of language models: their shapes against sums known from elsewhere, their runs against bounds and the sums of the books.
struct ProductStudyTests {
  private static let root = ChipEqualsReferenceTests.root

  private static func shapes() throws -> BitMoDStudy {
    try BitMoDStudy.load("\(root)/Workloads/papers/bitmod/models.yaml", in: .load(root: root))
  }

  /// Multiply-accumulates from hidden width, feed-forward width, layers, key-value width and vocabulary, as model cards have them.
  @Test(arguments: [
    ("OPT-1.3B", 2048, 8192, 2, 24, 2048, 50272), ("Phi-2B", 2560, 10240, 2, 32, 2560, 51200),
    ("Yi-6B", 4096, 11008, 3, 32, 512, 64000), ("Llama-2-7B", 4096, 11008, 3, 32, 4096, 32000),
    ("Llama-2-13B", 5120, 13824, 3, 40, 5120, 32000), ("Llama-3-8B", 4096, 14336, 3, 32, 1024, 128256),
  ])
  func modelsHaveTheProductsOfTheirCards(
    _ name: String, _ hidden: Int, _ inner: Int, _ matrices: Int, _ layers: Int, _ keys: Int, _ vocabulary: Int
  ) throws {
    let model = try #require(try Self.shapes().models.first { $0.name == name })
    let weights = layers * (2 * hidden * hidden + 2 * hidden * keys + matrices * hidden * inner) + hidden * vocabulary
    for context in [1, 256, 2048] {
      func macs(_ task: BitMoDTask, _ isComputed: Bool) -> Int {
        model.products(task, context: context).filter { $0.isComputed == isComputed }.reduce(0) { $0 + $1.macs }
      }
      #expect(macs(.prefill, false) == context * weights)
      #expect(macs(.generate, false) == weights)
      // Each head multiplies its queries by all keys and its scores by all values, whoever shares them.
      #expect(macs(.prefill, true) == 2 * layers * context * context * hidden)
      #expect(macs(.generate, true) == 2 * layers * context * hidden)
    }
  }

  /// A small model, so that all machines run it in a moment.
  private static let small = """
    contexts: [48]
    tasks: [prefill, generate]
    models:
      - name: small
        hidden: 128
        heads: 8
        kv_heads: 2
        layers: 3
        linears:
          - {name: q, k: 128, n: 128, count: 3}
          - {name: k, k: 128, n: 32, count: 3}
          - {name: up, k: 128, n: 320, count: 3}
          - {name: head, k: 128, n: 500, count: 1}
    configurations:
      - {name: any, rows: 1, cols: 1, dot: 1, weight_bits: 8, bit_serial: false}
    """

  @Test func everyMachineOfTheStudyRunsEveryProduct() throws {
    let study = try ProductStudy.load("\(Self.root)/\(ProductStudy.file)")
    let shapes = try BitMoDStudy.parse(Self.small, path: "small.yaml", in: .load(root: Self.root))
    let chips = try study.machines.map { entry in
      (
        plain: try Chip.load(entry.chip, overrides: entry.settings, schemas: Machine.schemas(), root: Self.root),
        computed: try Chip.load(
          entry.chip, overrides: entry.settings + entry.computedSettings, schemas: Machine.schemas(), root: Self.root)
      )
    }
    let rows = try study.rows(shapes, chips: chips, workers: 2)
    #expect(rows.count == study.machines.count * 2 * 6)
    for row in rows {
      let index = try #require(study.machines.firstIndex { $0.name == row.machine })
      let (product, chip) = (row.product, row.product.isComputed ? chips[index].computed : chips[index].plain)
      #expect(row.metrics.macs == product.m * product.k * product.n, "\(row.machine) \(product.name)")
      // Not below what peak rate and bandwidth allow, by the format's own bits.
      let array = try #require(try Machine(chip).array)
      let numbers = product.isComputed ? 8 : try #require(Self.bits[study.machines[index].weights])
      let peak = array.peakMACs(ContractionFormat(weightBits: numbers))
      #expect(Double(row.metrics.cycles) >= Double(product.m * product.k * product.n) / peak)
      let stored =
        (product.isComputed ? 8 : min(numbers, try NumberFormat.named(study.machines[index].weights).code.bits))
      #expect(row.metrics.offchipBytes >= product.k * product.n * stored / 8)
      #expect(row.metrics.energyPicojoules > 0 && row.metrics.utilization <= 1)
    }
    // Sums are counts times products.
    for total in ProductStudy.totals(rows) {
      let own = rows.filter { $0.machine == total.machine && $0.task == total.task }
      #expect(total.cycles == own.reduce(0) { $0 + $1.product.count * $1.metrics.cycles })
      #expect(total.macs == own.reduce(0) { $0 + $1.product.count * $1.metrics.macs })
      #expect(total.attentionCycles < total.cycles && total.attentionCycles > 0)
    }
    // One thread or two: the same figures.
    #expect(try ProductStudy.csv(study.rows(shapes, chips: chips, workers: 1)) == ProductStudy.csv(rows))
  }

  /// Two's complement bits of the numbers that codes stand for.
  private static let bits = [
    "int8": 8, "int4": 4, "bitmod-fp4": 6, "bitmod-fp3": 4, "ant4": 8, "olive-int4": 8,
  ]

  /// A long product of 4-bit weights runs near to what the array can do at best; with one token the memory binds.
  @Test func largeProductsComeNearToTheirBounds() throws {
    let chip = try Chip.load("bitmod-like", schemas: Machine.schemas(), root: Self.root)
    func cycles(_ m: Int) throws -> Int {
      let product = ModelProduct(name: "q", m: m, k: 2048, n: 2048, count: 1)
      return try Compiler(chip: chip, options: .init(skipsImages: true)).compile(
        integer: product.module(weightBits: 4), name: "q", modelHash: ""
      ).timing.cycles
    }
    // 8 x 64 folds of 512 groups of 2 cycles.
    let compute = 8 * 64 * 1024
    let prefill = try cycles(256)
    #expect(prefill >= compute && prefill < compute * 5 / 4, "\(prefill) of \(compute)")
    // Half a byte a weight at 32 bytes a cycle, or a fold of 64 x 1024 cycles: the greater.
    let decode = try cycles(1)
    #expect(decode >= 65_536 && decode < 65_536 * 6 / 5, "\(decode)")
  }

  /// An array of two leading ones has no code for every key.
  @Test func computedOperandsNeedACodeForEachNumber() throws {
    let chip = try Chip.load("bitmod-like", schemas: Machine.schemas(), root: Self.root)
    let product = ModelProduct(name: "scores", m: 8, k: 16, n: 8, count: 1, isComputed: true)
    let error = try #require(throws: DiagnosticError.self) {
      try Compiler(chip: chip).compile(integer: product.module(weightBits: 8), name: "scores", modelHash: "")
    }
    #expect(error.codes == ["unsupported"], "\(error)")
  }

  @Test(arguments: [
    ("models: m.yaml\nmachines: []", "wrong-value"),
    ("machines:\n  - {name: a, chip: bitmod-like, weights: int8}", "missing-key"),
    ("models: m.yaml\nmachines:\n  - {name: a, chip: bitmod-like, weights: int44}", "unknown-format"),
    ("models: m.yaml\nmachines:\n  - {name: a, chip: bitmod-like, weights: mxfp4}", "option-value"),
    (
      "models: m.yaml\nmachines:\n  - {name: a, chip: b, weights: int8}\n  - {name: a, chip: b, weights: int4}",
      "duplicate-name"
    ),
    ("models: m.yaml\nmachines:\n  - {name: a, chip: b, weights: int8, sets: []}", "unknown-key"),
  ])
  func wrongStudiesAreRefused(_ text: String, _ code: String) throws {
    let error = try #require(throws: DiagnosticError.self) { try ProductStudy.parse(text, path: "study.yaml") }
    #expect(error.codes.contains(code), "\(error.codes)")
    #expect(error.diagnostics.allSatisfy { $0.location != .unknown })
  }
}
