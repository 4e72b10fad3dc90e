import PantileConfig
import PantileEngines
import PantilePasses
import PantileSim
import PantileSupport
import PantileSweep
import PantileTarget
import PantileTensor

/// The products of language models on machines: each compiled for the chip and run by the timing simulator, not estimated.
public struct ProductStudy: Sendable {
  /// A chip with a format of weights.
  public struct Entry: Sendable {
    public var name: String
    /// Name or path of a chip file.
    public var chip: String
    /// Number format of the weights of linear layers.
    public var weights: String
    /// Changes of the chip.
    public var settings: [String]
    /// Further changes for products of activations, where elements do other things with them.
    public var computedSettings: [String]
  }

  /// The study of the documentation, below the repository's root.
  public static let file = "Workloads/papers/llm/study.yaml"

  /// A file as of `reproduce bitmod --models`, relative to the study.
  public var modelsFile: String
  public var machines: [Entry]

  /// Reads a study.
  /// - Throws: everything wrong in the file at once.
  public static func load(_ path: String) throws(DiagnosticError) -> ProductStudy {
    try parse(AtomicFile.readText(path), path: path)
  }

  /// Reads a study from text; `path` names it in locations.
  /// - Throws: as `load`.
  public static func parse(_ text: String, path: String) throws(DiagnosticError) -> ProductStudy {
    try readStudy(text, path: path) { ProductStudyReader(issues: $1).read($0) }
  }

  /// One product on one machine.
  public struct Row: Sendable {
    public var model: String
    public var task: BitMoDTask
    public var context: Int
    public var machine: String
    public var product: ModelProduct
    /// Of one product.
    public var metrics: SweepMetrics
  }

  /// Compiles and runs all products; equal ones once.
  ///
  /// - Parameters:
  ///   - shapes: models with contexts and tasks; its configurations are not looked at.
  ///   - names: models that are wanted; all when empty.
  ///   - tasks: that are wanted; those of `shapes` when empty.
  ///   - chips: by machine, plain and for computed products.
  /// - Throws: `unknown-model`; the first failing compilation's diagnostics.
  public func rows(
    _ shapes: BitMoDStudy, names: [String] = [], tasks: [BitMoDTask] = [], chips: [(plain: Chip, computed: Chip)],
    workers: Int, progress: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(DiagnosticError) -> [Row] {
    try ProductStudy.check(names, among: shapes)
    struct Job: Hashable {
      var machine: Int
      var m: Int
      var k: Int
      var n: Int
      var isComputed: Bool
    }
    var rows: [(model: String, task: BitMoDTask, context: Int, machine: Int, product: ModelProduct, job: Int)] = []
    var jobs: [Job] = []
    var known: [Job: Int] = [:]
    for model in shapes.models where names.isEmpty || names.contains(model.name) {
      for context in shapes.contexts {
        for task in tasks.isEmpty ? shapes.tasks : tasks {
          for machine in machines.indices {
            for product in model.products(task, context: context) {
              let job = Job(
                machine: machine, m: product.m, k: product.k, n: product.n, isComputed: product.isComputed)
              if known[job] == nil {
                known[job] = jobs.count
                jobs.append(job)
              }
              rows.append((model.name, task, context, machine, product, known[job] ?? 0))
            }
          }
        }
      }
    }
    let bits = try machines.indices.map { index throws(DiagnosticError) in
      try ProductStudy.storedBits(machines[index].weights, on: chips[index].plain)
    }
    let all = jobs
    let entries = machines
    let metrics = try mapInParallel(count: all.count, workers: workers) {
      index throws(DiagnosticError) -> SweepMetrics in
      let job = all[index]
      let product = ModelProduct(
        name: "product", m: job.m, k: job.k, n: job.n, count: 1, isComputed: job.isComputed)
      progress("\(entries[job.machine].name): \(job.m) x \(job.k) x \(job.n)")
      let chip = job.isComputed ? chips[job.machine].computed : chips[job.machine].plain
      let compilation = try Compiler(chip: chip, options: .init(skipsImages: true)).compile(
        integer: product.module(weightBits: bits[job.machine]), name: product.name, modelHash: "")
      return SweepMetrics(try Simulator(chip: chip).report(compilation, model: product.name))
    }
    return rows.map {
      Row(
        model: $0.model, task: $0.task, context: $0.context, machine: machines[$0.machine].name, product: $0.product,
        metrics: metrics[$0.job])
    }
  }
}

extension ProductStudy {
  /// - Throws: `unknown-model` with the nearest name.
  public static func check(_ names: [String], among shapes: BitMoDStudy) throws(DiagnosticError) {
    let known = shapes.models.map(\.name)
    for name in names where !known.contains(name) {
      throw DiagnosticError(
        "unknown-model", "there is no model '\(name)'",
        hint: nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
          ?? "there are \(known.joined(separator: ", "))")
    }
  }

  /// Bits of a weight as the chip stores it: the format's codes where the array takes as long for them as for the numbers that they stand
  /// for, since then decoders at its edge are all that differs; else those numbers.
  static func storedBits(_ name: String, on chip: Chip) throws(DiagnosticError) -> Int {
    let format = try NumberFormat.named(name)
    let numbers = try FormattedWeights.bits(of: format)
    let codes = max(2, format.code.bits)
    guard codes < numbers, let array = try Machine(chip).array else { return numbers }
    let tile = TileExtents(m: 64, k: 64, n: 64)
    let times = [codes, numbers].map { array.timing(tile, ContractionFormat(weightBits: $0)) }
    return times[0] == times[1] ? codes : numbers
  }
}

private struct ProductStudyReader {
  let issues: Issues

  func read(_ root: ConfigNode) -> ProductStudy? {
    guard let map = ConfigMapping(root, "study", issues) else { return nil }
    let models = map.required("models")?.text("models", issues)
    let elements = map.required("machines")?.list("machines", issues) ?? []
    let machines = elements.compactMap(readMachine)
    map.finish()
    if elements.isEmpty, let node = map.optional("machines") {
      issues.add("wrong-value", "machines is an empty list", at: node, hint: "give at least one")
    }
    var seen: Set<String> = []
    for machine in machines where !seen.insert(machine.name).inserted {
      issues.add("duplicate-name", "machine '\(machine.name)' is described twice", at: root)
    }
    guard let models, issues.isEmpty else { return nil }
    return ProductStudy(modelsFile: models, machines: machines)
  }

  private func readMachine(_ node: ConfigNode) -> ProductStudy.Entry? {
    guard let map = ConfigMapping(node, "machine", issues) else { return nil }
    let name = map.required("name")?.text("name of a machine", issues)
    let chip = map.required("chip")?.text("chip", issues)
    let weights = map.required("weights")?.text("weights", issues)
    func texts(_ key: String) -> [String] {
      (map.optional(key)?.list(key, issues) ?? []).compactMap { $0.text("a setting", issues) }
    }
    let (settings, computed) = (texts("set"), texts("computed_set"))
    map.finish()
    guard let name, let chip, let weights else { return nil }
    do {
      _ = try FormattedWeights.bits(of: NumberFormat.named(weights))
    } catch {
      for diagnostic in error.diagnostics {
        issues.add(diagnostic.code, diagnostic.message, at: map.optional("weights") ?? node, hint: diagnostic.hint)
      }
    }
    return ProductStudy.Entry(name: name, chip: chip, weights: weights, settings: settings, computedSettings: computed)
  }
}
