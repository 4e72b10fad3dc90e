import PantileProblem
import PantileSolve
import PantileSupport

/// The update scheme of greatest gain within a limit of memory, by an integer linear program.
///
/// One number of updated biases (none is allowed), at most one ratio for each convolution whose bias is updated; the extra
/// memory of the published rule (`UpdateMemory`) within the limit. Exact: GLPK proves the optimum.
///
/// **Source** Lin et al., "On-Device Training Under 256KB Memory", NeurIPS 2022, section 3.2, where an evolutionary search stands
/// in this place.
public struct UpdateSelection: Sendable {
  public var scheme: UpdateScheme
  public var memory: UpdateMemory
  /// The sum of the chosen gains.
  public var gain: Double
  /// The linear relaxation: no scheme is worth more.
  public var bound: Double

  /// - Parameter limitBits: of extra memory, the classifier's input among it.
  /// - Throws: `scheme-mismatch` for gains of what the network has not; `no-scheme` where not even the classifier fits;
  ///   `solver-fault`.
  public init(_ gains: UpdateGains, of network: TrainingNetwork, limitBits: Int) throws(DiagnosticError) {
    try Self.check(gains, network)
    let count = network.convolutions.count
    func bits(_ scheme: UpdateScheme) throws(DiagnosticError) -> Int { try UpdateMemory(scheme, of: network).total }
    let base = try bits(UpdateScheme(name: "none", biasesFromTheEnd: 0, weights: []))
    guard base <= limitBits else {
      throw DiagnosticError(
        "no-scheme", "the classifier's input takes \(base / 8) bytes but the limit is \(limitBits / 8)",
        hint: "raise --limit")
    }
    var model = LinearModel(.maximise)
    var memory: [LinearModel.Term] = []
    /// Bits above `base`, in bytes so that coefficients stay small.
    func share(_ scheme: UpdateScheme) throws(DiagnosticError) -> Double { Double(try bits(scheme) - base) / 8 }
    var depths: [(count: Int, variable: LinearModel.Variable)] = [(0, model.addBinary("biases 0"))]
    for item in gains.biases where item.count > 0 {
      let variable = model.addBinary("biases \(item.count)", objective: item.gain)
      depths.append((item.count, variable))
      memory.append(
        .init(try share(UpdateScheme(name: "b", biasesFromTheEnd: item.count, weights: [])), variable))
    }
    model.addEquality("one number of biases", 1, depths.map { .init(1, $0.variable) })
    var choices: [(item: UpdateGains.Weights, variable: LinearModel.Variable)] = []
    for item in gains.weights where item.ratio > 0 {
      let variable = model.addBinary("weights \(item.convolution) \(item.ratio)", objective: item.gain)
      choices.append((item, variable))
      let own = UpdateScheme.Weights(convolution: item.convolution, ratio: item.ratio)
      memory.append(.init(try share(UpdateScheme(name: "w", biasesFromTheEnd: 0, weights: [own])), variable))
    }
    for convolution in 0..<count {
      let own = choices.filter { $0.item.convolution == convolution }
      guard !own.isEmpty else { continue }
      // At most one ratio, and none where the bias is not updated.
      let reaching = depths.filter { $0.count >= count - convolution }
      model.addRow(
        "convolution \(convolution)", upper: 0,
        own.map { .init(1, $0.variable) } + reaching.map { .init(-1, $0.variable) })
    }
    model.addRow("memory", upper: Double(limitBits - base) / 8, memory)
    let solution = try model.solve()
    guard solution.status == .optimal else {
      throw DiagnosticError("solver-fault", "the choice of an update scheme ended \(solution.status)")
    }
    let depth = depths.first { solution[$0.variable] > 0.5 }?.count ?? 0
    let weights = choices.filter { solution[$0.variable] > 0.5 }
      .map { UpdateScheme.Weights(convolution: $0.item.convolution, ratio: $0.item.ratio) }
      .sorted { $0.convolution < $1.convolution }
    scheme = UpdateScheme(name: "selected", biasesFromTheEnd: depth, weights: weights)
    self.memory = try UpdateMemory(scheme, of: network)
    guard self.memory.total <= limitBits else {
      throw DiagnosticError(
        "wrong-solution", "the chosen scheme takes \(self.memory.total) bits but the limit is \(limitBits)")
    }
    gain = solution.objective
    bound = solution.relaxation
  }

  private static func check(_ gains: UpdateGains, _ network: TrainingNetwork) throws(DiagnosticError) {
    let count = network.convolutions.count
    var faults: [Diagnostic] = []
    func fault(_ text: String) {
      faults.append(Diagnostic("scheme-mismatch", "gains of '\(network.name)': \(text)"))
    }
    var depths: Set<Int> = []
    for item in gains.biases {
      if !(0...count).contains(item.count) { fault("biases of \(item.count) convolutions, the network has \(count)") }
      if !item.gain.isFinite { fault("biases of \(item.count) convolutions gain \(item.gain)") }
      if !depths.insert(item.count).inserted { fault("biases of \(item.count) convolutions stand twice") }
      if item.count == 0, item.gain != 0 { fault("no biases gain \(item.gain), it must be 0") }
    }
    var seen: Set<UpdateScheme.Weights> = []
    for item in gains.weights {
      if !(0..<count).contains(item.convolution) {
        fault("weights of convolution \(item.convolution), the network has 0 ... \(count - 1)")
      }
      if !(0...1).contains(item.ratio) {
        fault("convolution \(item.convolution) has ratio \(item.ratio), it must be in 0 ... 1")
      }
      if !item.gain.isFinite { fault("weights of convolution \(item.convolution) gain \(item.gain)") }
      if !seen.insert(.init(convolution: item.convolution, ratio: item.ratio)).inserted {
        fault("convolution \(item.convolution) stands twice with ratio \(item.ratio)")
      }
    }
    guard faults.isEmpty else { throw DiagnosticError(faults) }
  }
}
