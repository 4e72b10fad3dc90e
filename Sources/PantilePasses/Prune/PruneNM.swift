import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// Options of `prune-nm`.
public struct PruneNMOptions: PassOptions {
  /// N of each group of M stay.
  public var pattern = NMPatternText()
  /// Also prune the first and the last contraction.
  public var all = false
  /// Nodes that stay dense.
  public var skip: [String] = []

  public init() {}

  public static let fields: [PassOptionField<PruneNMOptions>] = [
    PassOptionField("pattern", \.pattern, "weights kept in each group along the input channels"),
    PassOptionField("all", \.all, "also prune the first and the last contraction"),
    PassOptionField("skip", \.skip, "nodes that stay dense"),
  ]

  /// `2:4` as option text.
  public struct NMPatternText: Hashable, Sendable, PassOptionValue {
    /// Nil for the default, 2:4.
    private var given: NMPattern?

    public init(_ pattern: NMPattern? = nil) { given = pattern }

    public static var optionKind: String { "N:M with M in 1, 2, 4, 8, 16, 32" }
    public init?(optionText: String) {
      let parts = optionText.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let kept = parts[0], let group = parts[1],
        let pattern = try? NMPattern(kept: kept, group: group)
      else { return nil }
      given = pattern
    }
    public var optionText: String { given?.description ?? "2:4" }

    /// - Throws: never for the default.
    public func pattern() throws(DiagnosticError) -> NMPattern {
      if let given { return given }
      return try NMPattern(kept: 2, group: 4)
    }
  }
}

/// What `prune-nm` did; left as an artifact beside the module.
public struct PruneReport: Hashable, Sendable {
  public var layers: [Layer] = []

  /// One contraction.
  public struct Layer: Hashable, Sendable {
    public var name: String
    public var isPruned: Bool
    /// Σ kept² / Σ all² of the weights; nil for dense layers and absent weights.
    public var retainedEnergy: Double?
    /// Why it stays dense.
    public var reason: String?
  }

  public init() {}
}

extension Pass {
  /// Drops weights by an N:M pattern along the input channels and marks the tensors with `#dnn.nm<N:M>`.
  ///
  /// **Requires** constant weights, float or int8. **Guarantees** at most N nonzeros in each group of M consecutive input
  /// channels at one filter tap; groups never straddle taps, the last one is padded. The largest magnitudes stay, of equal
  /// ones the lower channel.
  public static let pruneNM = Pass(
    "prune-nm", summary: "keep N of each M weights along the input channels and mark the tensors",
    documentation: """
      Groups of M consecutive input channels at one filter tap keep their N largest magnitudes; of equal ones the lower
      channel stays. The weight's type gets the encoding `#dnn.nm<N:M>`. The first and the last contraction, depthwise
      convolutions and layers of fewer than M input channels stay dense, each with a remark that says why. Remarks give the
      retained energy Σ kept² / Σ all² of each layer; it is no accuracy.
      """,
    scope: .module, isOptional: false,
    before: [
      Ordering("quantize", because: "weights must be dropped before the rest is rounded")
    ], options: PruneNMOptions.self
  ) { run, options throws(DiagnosticError) in
    let function = try run.module.mainFunction()
    let pattern = try options.pattern.pattern()
    let candidates = try PruneCandidate.all(in: run.module, function: function)
    try checkNames(options.skip, candidates)
    var report = PruneReport()
    var problems: [Diagnostic] = []
    for (index, candidate) in candidates.enumerated() {
      let place = index == 0 ? Place.first : index == candidates.count - 1 ? .last : .inner
      if let reason = candidate.reasonForDense(pattern, place: place, options: options) {
        run.remark("nm-dense", "'\(candidate.name)' stays dense: \(reason)", at: candidate.location)
        report.layers.append(.init(name: candidate.name, isPruned: false, retainedEnergy: nil, reason: reason))
        continue
      }
      do throws(DiagnosticError) {
        let energy = try candidate.prune(&run.rewrite, pattern)
        let text = energy.map { "retained energy \(percent($0))" } ?? "the weights are absent"
        run.remark("nm-pruned", "'\(candidate.name)' pruned to \(pattern): \(text)", at: candidate.location)
        report.layers.append(.init(name: candidate.name, isPruned: true, retainedEnergy: energy, reason: nil))
      } catch { problems += error.diagnostics }
    }
    guard problems.isEmpty else { throw DiagnosticError(problems) }
    run.rewrite.eraseUnusedOps(of: function)
    run.artifacts[PruneReport.self] = report
  }

  private static func checkNames(_ names: [String], _ candidates: [PruneCandidate]) throws(DiagnosticError) {
    let known = candidates.flatMap(\.location.names)
    let unknown = names.filter { !known.contains($0) }
    guard !unknown.isEmpty else { return }
    throw DiagnosticError(
      unknown.map { name in
        Diagnostic(
          "unknown-node", "no contraction is called '\(name)'",
          hint: nearestName(to: name, among: known).map { "did you mean '\($0)'?" })
      })
  }

  /// One decimal, without locale.
  private static func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10) %"
  }
}

/// Where a contraction stands among those of its function.
private enum Place { case first, inner, last }

/// A contraction whose weights may be pruned.
private struct PruneCandidate {
  let op: OpID
  let name: String
  let location: SourceLocation
  /// The op that reads the weight constant: the contraction, or a `dequantize` before it.
  let reader: OpID
  let operand: Int
  /// Nil when the weights are computed.
  let constant: OpID?
  /// Weights as `[rows, channels, taps]`: output channels, input channels of a group, filter taps.
  let rows: Int
  let channels: Int
  let taps: Int
  /// Whether the constant is `[channels, rows]` (a product's right side).
  let isTransposed: Bool
  let isDepthwise: Bool

  /// All contractions in order.
  static func all(in module: Module, function: OpID) throws(DiagnosticError) -> [PruneCandidate] {
    var result: [PruneCandidate] = []
    for op in module.ops(inBodyOf: function) {
      let view = module[op]
      guard ["dnn.conv2d", "dnn.fully_connected", "dnn.matmul"].contains(view.name) else { continue }
      let type = try view.operandTensor(1)
      let isTransposed = view.name == "dnn.matmul" ? try !view.flag("transpose_b") : false
      guard type.rank == (view.name == "dnn.conv2d" ? 4 : 2) else { continue }
      var reader = op
      var operand = 1
      var maker = module.definingOp(of: view.operands[1])
      if let inner = maker, module.name(of: inner) == "dnn.dequantize" {
        reader = inner
        operand = 0
        maker = module.definingOp(of: module.operands(of: inner)[0])
      }
      let groups = view.name == "dnn.conv2d" ? try view.integer("groups") : 1
      result.append(
        PruneCandidate(
          op: op, name: view.location.names.first ?? view.name, location: view.location, reader: reader,
          operand: operand, constant: maker.flatMap { module.isConstant($0) ? $0 : nil },
          rows: isTransposed ? type.shape[1] : type.shape[0], channels: isTransposed ? type.shape[0] : type.shape[1],
          taps: type.shape.dropFirst(2).reduce(1, *), isTransposed: isTransposed,
          isDepthwise: groups > 1 && type.shape[1] == 1))
    }
    return result
  }

  func reasonForDense(_ pattern: NMPattern, place: Place, options: PruneNMOptions) -> String? {
    if options.skip.contains(where: location.names.contains) { return "it is listed in 'skip'" }
    if pattern.kept == pattern.group { return "\(pattern) keeps all weights" }
    guard constant != nil else { return "its weights are computed" }
    if isDepthwise { return "depthwise: one input channel in each group of channels" }
    if channels < pattern.group { return "\(channels) input channels are fewer than a group of \(pattern.group)" }
    guard !options.all else { return nil }
    switch place {
    case .first: return "it is the first contraction, which sees raw inputs"
    case .last: return "it is the last contraction, which makes the result"
    case .inner: return nil
    }
  }

  /// Replaces the weights by pruned ones; gives the retained energy, nil when the weights are absent.
  func prune(_ rewrite: inout RewriteContext, _ pattern: NMPattern) throws(DiagnosticError) -> Double? {
    guard let constant else { return nil }
    let view = rewrite.module[constant]
    let type = try view.resultTensor()
    var format = try WeightFormat(type.encoding, at: location)
    format.pattern = pattern
    let encoded = TensorType(type.shape, type.element, encoding: format.encoding)
    let name = rewrite.module.name(of: view.result) ?? "weights"
    guard let tensor = try rewrite.module.constantTensor(of: constant) else {
      let value = try rewrite.insertAbsentConstant(
        encoded, name: name, at: .after(constant), location: view.location)
      rewrite.setOperand(of: reader, operand, to: value)
      return nil
    }
    let element = try ElementType(type.element, at: location)
    let pruned: (tensor: HostTensor, energy: Double)
    switch element {
    case .i8, .i4:
      let rows = grouped(tensor.values(as: Int8.self))
      let packed = NMSparse.pack(rows, rows: rowCount, pattern: pattern)
      let values = ungrouped(NMSparse.unpack(packed))
      pruned = (HostTensor(shape: type.shape, elementType: element, values: values), packed.retainedEnergy)
    case .f32:
      do throws(DiagnosticError) {
        let packed = try NMSparse.pack(grouped(tensor.values(as: Float.self)), rows: rowCount, pattern: pattern)
        pruned = (
          HostTensor(shape: type.shape, values: ungrouped(NMSparse.unpack(packed))), packed.retainedEnergy
        )
      } catch {
        throw DiagnosticError(
          error.diagnostics.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.location = location
            return diagnostic
          })
      }
    case .f16, .bf16, .f64, .i1, .i16, .i32, .i64, .ui8, .ui16, .ui32, .ui64:
      throw DiagnosticError(
        "element-type", "weights of '\(self.name)' are \(type.element); only f32 and i8 weights are pruned",
        at: location)
    }
    let value = try rewrite.insertConstant(
      pruned.tensor, name: name, at: .after(constant), location: view.location)
    rewrite.setType(of: value, to: encoded.syntax)
    rewrite.setOperand(of: reader, operand, to: value)
    return pruned.energy
  }

  /// One row for each output channel and tap.
  private var rowCount: Int { rows * taps }

  /// The flat place of a weight in the constant.
  private func place(_ row: Int, _ channel: Int, _ tap: Int) -> Int {
    isTransposed ? channel * rows + row : (row * channels + channel) * taps + tap
  }

  /// `[row][tap][channel]`, so that groups run along channels at one tap.
  private func grouped<Value: TensorScalar>(_ values: [Value]) -> [Value] {
    var result: [Value] = []
    result.reserveCapacity(values.count)
    for row in 0..<rows {
      for tap in 0..<taps {
        for channel in 0..<channels { result.append(values[place(row, channel, tap)]) }
      }
    }
    return result
  }

  private func ungrouped<Value: TensorScalar>(_ values: [Value]) -> [Value] {
    var result = values
    var index = 0
    for row in 0..<rows {
      for tap in 0..<taps {
        for channel in 0..<channels {
          result[place(row, channel, tap)] = values[index]
          index += 1
        }
      }
    }
    return result
  }
}
