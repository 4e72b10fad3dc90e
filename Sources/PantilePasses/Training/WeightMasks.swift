import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// N:M masks of a step's weights, computed in the step from the dense masters.
///
/// Forward reads groups along input channels, backward groups along output channels; weight gradients are dense and go straight
/// through to the master.
///
/// **Source** Fang et al., "Efficient N:M Sparse DNN Training Using Algorithm, Architecture, and Dataflow Co-Design", IEEE TCAD
/// 2024 (both directions); Hubara et al., "Accelerated Sparse Neural Training", NeurIPS 2021 (one mask for both).
struct WeightMasks {
  let pattern: NMPattern
  let masks: GradOptions.Masks
  /// The axes of input and output channels of each masked contraction's weights, by op of the forward function.
  private(set) var axes: [OpID: (input: Int, output: Int)] = [:]
  /// Why the others stay dense.
  private(set) var reasons: [OpID: String] = [:]
  /// The one mask of each master, where both directions share it.
  private var shared: [ValueID: ValueID] = [:]

  /// - Throws: `nm-pattern`, `unknown-node`.
  init?(_ module: Module, live: [OpID], options: GradOptions) throws(DiagnosticError) {
    guard let pattern = try options.nmPattern() else { return nil }
    self.pattern = pattern
    masks = options.masks
    let contractions = live.filter { StepLayer.isContraction(module.name(of: $0)) }
    let known = contractions.flatMap { module.location(of: $0).names }
    let unknown = options.skip.filter { !known.contains($0) }
    guard unknown.isEmpty else {
      throw DiagnosticError(
        unknown.map { name in
          Diagnostic(
            "unknown-node", "no contraction is called '\(name)'",
            hint: nearestName(to: name, among: known).map { "did you mean '\($0)'?" })
        })
    }
    for (index, op) in contractions.enumerated() {
      let view = module[op]
      let isEnd = index == 0 || index == contractions.count - 1
      if let reason = try Self.reasonForDense(view, pattern, isEnd: isEnd, options) {
        reasons[op] = reason
      } else {
        let isFlipped = view.name == "dnn.matmul" ? try !view.flag("transpose_b") : false
        axes[op] = isFlipped ? (0, 1) : (1, 0)
      }
    }
  }

  private static func reasonForDense(
    _ op: OpView, _ pattern: NMPattern, isEnd: Bool, _ options: GradOptions
  ) throws(DiagnosticError) -> String? {
    let w = try op.operandTensor(1)
    if options.skip.contains(where: op.location.names.contains) { return "it is listed in 'skip'" }
    if pattern.kept == pattern.group { return "\(pattern) keeps all weights" }
    guard op.module.isConstant(op.operands[1]) else { return "its weights are computed" }
    if op.name == "dnn.conv_transpose2d" { return "it is a transposed convolution" }
    let groups = op.name == "dnn.conv2d" ? try op.integer("groups") : 1
    if groups > 1, w.shape[1] == 1 { return "depthwise: one input channel in each group of channels" }
    guard w.rank == (op.name == "dnn.conv2d" ? 4 : 2) else { return "its weights have rank \(w.rank)" }
    let isFlipped = op.name == "dnn.matmul" ? try !op.flag("transpose_b") : false
    let inputs = w.shape[isFlipped ? 0 : 1]
    if inputs < pattern.group { return "\(inputs) input channels are fewer than a group of \(pattern.group)" }
    if options.masks != .forward {
      let outputs = w.shape[isFlipped ? 1 : 0]
      if outputs < pattern.group {
        return "\(outputs) output channels are fewer than a group of \(pattern.group)"
      }
      if outputs / groups % pattern.group != 0, groups > 1 {
        return "\(outputs / groups) output channels of a group are no whole groups of \(pattern.group)"
      }
    }
    return isEnd && !options.all ? "it is the first or the last contraction" : nil
  }

  /// The weights that forward reads.
  mutating func forward(
    _ context: inout GradientContext, _ w: ValueID, of op: OpID
  ) throws(DiagnosticError) -> ValueID {
    guard let axes = axes[op] else { return w }
    let mask = try mask(&context, w, axis: axes.input)
    if masks == .transposable { shared[w] = mask }
    return try context.masked(w, by: mask)
  }

  /// The weights that the input gradient reads; nil for the masters.
  func backward(
    _ context: inout GradientContext, _ w: ValueID, of op: OpID
  ) throws(DiagnosticError) -> ValueID? {
    guard let axes = axes[op], masks != .forward else { return nil }
    if let mask = shared[w] { return try context.masked(w, by: mask) }
    return try context.masked(w, by: try mask(&context, w, axis: axes.output))
  }

  private func mask(
    _ context: inout GradientContext, _ w: ValueID, axis: Int
  ) throws(DiagnosticError) -> ValueID {
    try context.emit(
      "nm_mask", [w],
      [
        "kept": .integer(pattern.kept), "group": .integer(pattern.group), "axis": .integer(axis),
        "transposable": .bool(masks == .transposable),
      ])
  }

  /// MACs of a product over `channels` of one tap when dropped weights are skipped.
  func sparse(_ macs: Int, channels: Int) -> Int { channels == 0 ? 0 : macs / channels * pattern.slots(for: channels) }
}
