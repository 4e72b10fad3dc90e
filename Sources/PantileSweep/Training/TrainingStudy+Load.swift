import PantileConfig
import PantileSupport
import PantileTensor

extension TrainingStudy {
  /// The study of the documentation, below the repository's root.
  public static let file = "Workloads/papers/sat/study.yaml"

  /// Reads a study.
  /// - Throws: everything wrong in the file at once.
  public static func load(_ path: String) throws(DiagnosticError) -> TrainingStudy {
    try parse(AtomicFile.readText(path), path: path)
  }

  /// Reads a study from text; `path` names it in locations.
  /// - Throws: as `load`.
  public static func parse(_ text: String, path: String) throws(DiagnosticError) -> TrainingStudy {
    try readStudy(text, path: path) { TrainingStudyReader(issues: $1).read($0) }
  }
}

private struct TrainingStudyReader {
  let issues: Issues
  private static let side = 1...1 << 16
  private static let most = 1...1 << 24

  func read(_ root: ConfigNode) -> TrainingStudy? {
    guard let map = ConfigMapping(root, "study", issues) else { return nil }
    let chip = map.required("chip")?.text("chip", issues)
    let work = (map.required("vector_work")?.entries("vector_work", issues) ?? []).compactMap(readWork)
    let costs = map.required("costs").flatMap { readCosts($0, work) }
    let patterns = list(map, "patterns", readPattern)
    let networks = list(map, "networks") { readNetwork($0, works: work.map(\.name)) }
    refuseRepeats(networks.map(\.name), map.optional("networks") ?? root)
    let published = map.required("published").flatMap { readPublished($0, networks: networks, patterns: patterns) }
    let axes = map.required("sweep").flatMap(readAxes)
    map.finish()
    guard let chip, let costs, let published, let axes else { return nil }
    return TrainingStudy(
      chip: chip, costs: costs, patterns: patterns, networks: networks, published: published, axes: axes)
  }

  /// A list that says something.
  private func list<T>(_ map: ConfigMapping, _ key: String, _ read: (ConfigNode) -> T?) -> [T] {
    guard let node = map.required(key), let entries = node.list(key, issues) else { return [] }
    if entries.isEmpty { issues.add("wrong-value", "\(key) of \(map.what) is empty", at: node) }
    return entries.compactMap(read)
  }

  private func refuseRepeats(_ names: [String], _ node: ConfigNode) {
    var seen: [String] = []
    for name in names {
      if seen.contains(name) { issues.add("duplicate-name", "two networks are called '\(name)'", at: node) }
      seen.append(name)
    }
  }

  private func readCosts(_ node: ConfigNode, _ work: [TrainingStudy.VectorWork]) -> TrainingStudy.Costs? {
    guard let map = ConfigMapping(node, "costs", issues) else { return nil }
    let element = map.required("element_bytes")?.count("element_bytes", in: 1...8, issues)
    let master = map.required("master_bytes")?.count("master_bytes", in: 1...8, issues)
    let update = map.required("update_operations")?.count("update_operations", in: 0...1000, issues)
    let reduction = map.required("reduction_operations")?.count("reduction_operations", in: 0...1000, issues)
    map.finish()
    guard let element, let master, let update, let reduction else { return nil }
    return TrainingStudy.Costs(
      elementBytes: element, masterBytes: master, updateOperations: update, reductionOperations: reduction,
      vectorWork: work)
  }

  private func readWork(_ entry: ConfigNode.Entry) -> TrainingStudy.VectorWork? {
    guard let map = ConfigMapping(entry.value, "vector work '\(entry.key)'", issues) else { return nil }
    let forward = map.required("forward").flatMap { readDirection($0, "forward of '\(entry.key)'") }
    let backward = map.required("backward").flatMap { readDirection($0, "backward of '\(entry.key)'") }
    let when = map.required("when")?.choice("when of '\(entry.key)'", among: ["beside", "behind"], issues)
    map.finish()
    guard let forward, let backward, let when else { return nil }
    return TrainingStudy.VectorWork(
      name: entry.key, forward: forward, backward: backward, isBeside: when == "beside")
  }

  private func readDirection(_ node: ConfigNode, _ what: String) -> TrainingStudy.VectorWork.Direction? {
    guard let map = ConfigMapping(node, what, issues) else { return nil }
    let operations = map.required("operations")?.count("operations of \(what)", in: 0...1000, issues)
    let moves = map.optional("moves")?.count("moves of \(what)", in: 0...1000, issues) ?? 0
    map.finish()
    return operations.map { .init(operations: $0, moves: moves) }
  }

  private func readPattern(_ node: ConfigNode) -> NMPattern? {
    guard let text = node.text("a pattern", issues) else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let kept = parts[0], let group = parts[1] else {
      issues.add("wrong-pattern", "'\(text)' is no sparsity pattern", at: node, hint: "write '2:4'")
      return nil
    }
    do {
      return try NMPattern(kept: kept, group: group)
    } catch {
      issues.add("wrong-pattern", error.diagnostics.first?.message ?? "no pattern '\(text)'", at: node)
      return nil
    }
  }

  private func readPublished(
    _ node: ConfigNode, networks: [TrainingStudy.Network], patterns: [NMPattern]
  ) -> TrainingStudy.Published? {
    guard let map = ConfigMapping(node, "published", issues) else { return nil }
    let pattern = map.required("pattern").flatMap(readPattern)
    let names = list(map, "networks") {
      $0.choice("a network of published", among: networks.map(\.name), issues)
    }
    // In hundredths: a figure with two places.
    let mean = map.required("mean_percent")?.count("mean_percent", in: 1...10_000, issues)
    map.finish()
    guard let pattern, let mean else { return nil }
    guard patterns.contains(pattern) else {
      issues.add("wrong-value", "\(pattern) of published is not among the patterns", at: node)
      return nil
    }
    return .init(pattern: pattern, networks: names, mean: Double(mean) / 100)
  }

  private func readAxes(_ node: ConfigNode) -> TrainingStudy.Axes? {
    guard let map = ConfigMapping(node, "sweep", issues) else { return nil }
    let arrays = list(map, "arrays") { node -> [Int]? in
      guard let text = node.text("an array", issues) else { return nil }
      let sizes = text.split(separator: "x", omittingEmptySubsequences: false).compactMap { Int($0) }
      guard sizes.count == 2, sizes.allSatisfy({ (1...4096).contains($0) }) else {
        issues.add("wrong-array", "'\(text)' is no array size", at: node, hint: "write rows and columns as in 16x16")
        return nil
      }
      return sizes
    }
    func counts(_ key: String, _ range: ClosedRange<Int>) -> [Int] {
      list(map, key) { $0.count("a value of \(key)", in: range, issues) }
    }
    let axes = TrainingStudy.Axes(
      arrays: arrays, interleaves: counts("interleave", 1...127), adderLatencies: counts("adder_latency", 1...64),
      activationPorts: counts("activation_port", 0...64),
      dataflows: list(map, "dataflow") {
        $0.choice("a dataflow", among: TrainingStudy.Dataflow.allCases.map(\.rawValue), issues)
          .flatMap(TrainingStudy.Dataflow.init)
      })
    map.finish()
    return axes
  }

  // MARK: Networks

  private func readNetwork(_ node: ConfigNode, works: [String]) -> TrainingStudy.Network? {
    guard let map = ConfigMapping(node, "a network", issues) else { return nil }
    let name = map.required("name")?.text("name of a network", issues)
    let batch = map.required("batch")?.count("batch", in: Self.side, issues)
    let layers = list(map, "layers") { readLayer($0, works: works) }
    map.finish()
    guard let name, let batch else { return nil }
    var network = TrainingStudy.Network(name: name, batch: batch, layers: layers)
    guard !layers.isEmpty else { return network }
    network.layers[0].isFirst = true
    network.layers[0].denseReason = "first layer"
    if let last = network.layers.indices.last, last > 0, network.layers[last].denseReason == nil {
      network.layers[last].denseReason = "classifier"
    }
    if network.layers[0].count > 1 {
      issues.add("wrong-value", "the first layer of '\(name)' stands \(network.layers[0].count) times", at: node)
    }
    return network
  }

  private func readLayer(_ node: ConfigNode, works: [String]) -> TrainingStudy.Network.Layer? {
    guard let map = ConfigMapping(node, "a layer", issues) else { return nil }
    let name = map.optional("name")?.text("name of a layer", issues)
    func sizes(_ key: String, _ count: Int) -> [Int]? {
      guard let node = map.optional(key), let entries = node.list(key, issues) else { return nil }
      guard entries.count == count else {
        issues.add("wrong-value", "\(key) has \(entries.count) numbers, it takes \(count)", at: node)
        return nil
      }
      let values = entries.compactMap { $0.count("a number of \(key)", in: Self.most, issues) }
      return values.count == count ? values : nil
    }
    func count(_ key: String, or value: Int) -> Int { map.optional(key)?.count(key, in: Self.side, issues) ?? value }
    let kinds = [("conv", 2), ("linear", 2), ("product", 3)].filter { map.optional($0.0) != nil }
    guard kinds.count == 1, let (kind, arity) = kinds.first else {
      issues.add(
        "wrong-value", "a layer is one of conv, linear and product, this one is \(kinds.count) of them", at: node)
      return nil
    }
    guard let values = sizes(kind, arity) else { return nil }
    let shape: TrainingStudy.Network.Shape
    let label: String
    switch kind {
    case "conv":
      let (kernel, stride) = (count("kernel", or: 1), count("stride", or: 1))
      let size = map.required("size")?.count("size", in: Self.side, issues) ?? 1
      shape = .convolution(inputs: values[0], outputs: values[1], kernel: kernel, stride: stride, size: size)
      label = "conv\(kernel)x\(kernel) \(values[0])-\(values[1]) \(size)" + (stride > 1 ? "/\(stride)" : "")
    case "linear":
      shape = .linear(inputs: values[0], outputs: values[1], tokens: count("tokens", or: 1))
      label = "linear \(values[0])-\(values[1])"
    default:
      shape = .product(m: values[0], k: values[1], n: values[2], heads: count("heads", or: 1))
      label = "product \(values[0])x\(values[1])x\(values[2])"
    }
    let follows = (map.optional("follows")?.list("follows", issues) ?? []).compactMap {
      $0.choice("vector work", among: works, issues)
    }
    let dense = map.optional("dense")?.text("dense", issues)
    let repeats = count("repeat", or: 1)
    map.finish()
    return TrainingStudy.Network.Layer(
      name: name ?? label, shape: shape, follows: follows, count: repeats, denseReason: dense)
  }
}
