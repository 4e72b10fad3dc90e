import PantileSupport
import PantileTensor

/// Options of `grad`.
public struct GradOptions: PassOptions {
  /// What the step makes small.
  public enum Loss: String, CaseIterable, Sendable, PassOptionValue {
    /// Mean over rows of -log softmax at the label; labels are integers, one for each row of logits.
    case softmaxCrossEntropy = "softmax-cross-entropy"
    /// Mean of (y - target)².
    case meanSquaredError = "mean-squared-error"
    /// Σ y·target, whose gradient is the target: for chaining and for tests.
    case innerProduct = "inner-product"
  }

  public enum Optimizer: String, CaseIterable, Sendable, PassOptionValue {
    /// v ← μ·v + g + wd·w, w ← w − lr·v.
    case sgd
    /// Gradients are results, nothing is updated.
    case none
    /// There are no gradients: results are the loss and the output, for counting right answers.
    case forward
  }

  /// How the input gradient of a convolution is computed.
  public enum InputGradient: String, CaseIterable, Sendable, PassOptionValue {
    /// The form of fewer multiplications; the full convolution where both take the same and the stride is 1.
    case cheapest
    /// Products, then a sum over overlapping windows.
    case gemm
    /// A convolution of the flipped filters over the gradient with zeros between its elements.
    case full
  }

  /// Element type to which operands of contractions are rounded; sums stay wide.
  public enum Format: String, CaseIterable, Sendable, PassOptionValue { case f32, bf16, f16 }

  /// Element type of labels.
  public enum Labels: String, CaseIterable, Sendable, PassOptionValue { case i64, i32 }

  public enum Masks: String, CaseIterable, Sendable, PassOptionValue {
    /// Forward along input channels, backward along output channels, each from the dense master.
    case bdwp
    /// Forward alone; backward reads the dense master.
    case forward
    /// One mask for both.
    case transposable
  }

  public enum UpdateOrder: String, CaseIterable, Sendable, PassOptionValue {
    /// Each update follows its gradient, which then dies.
    case immediate
    /// All updates stand at the end, gradients live until then.
    case last
  }

  public var loss = Loss.softmaxCrossEntropy
  public var labels = Labels.i64
  public var optimizer = Optimizer.sgd
  public var learningRate = 0.01
  public var momentum = 0.0
  public var weightDecay = 0.0
  /// Images of a step; 0 takes the model's own.
  public var batch = 0
  public var format = Format.f32
  /// The loss's gradient is multiplied by this, and weight gradients divided.
  public var lossScale = 1.0
  public var inputGradient = InputGradient.cheapest
  /// `node`, `node:ratio` or `node:bias`; empty for everything.
  public var update: [String] = []
  /// Names of constants to train instead of the usual ones.
  public var parameters: [String] = []
  /// `N:M`; empty for dense weights.
  public var pattern = ""
  public var masks = Masks.bdwp
  /// Also mask the first and the last contraction.
  public var all = false
  /// Nodes that stay dense.
  public var skip: [String] = []
  public var order = UpdateOrder.immediate

  public init() {}

  public static let fields: [PassOptionField<GradOptions>] = [
    PassOptionField("loss", \.loss, "what the step makes small"),
    PassOptionField(
      "labels", \.labels, "element type of the labels of softmax-cross-entropy; i32 is what a chip reads"),
    PassOptionField("optimizer", \.optimizer, "what happens to gradients; none makes them results, forward makes none"),
    PassOptionField("learning-rate", \.learningRate, "lr of w - lr·v"),
    PassOptionField("momentum", \.momentum, "mu of mu·v + g; above 0 each parameter has a velocity beside it"),
    PassOptionField("weight-decay", \.weightDecay, "wd of g + wd·w"),
    PassOptionField("batch", \.batch, "images of a step; 0 takes the model's own"),
    PassOptionField("format", \.format, "to which operands of contractions are rounded; sums stay wide"),
    PassOptionField("loss-scale", \.lossScale, "factor of the loss's gradient, taken back before the update"),
    PassOptionField("input-gradient", \.inputGradient, "form of the input gradient of convolutions"),
    PassOptionField("update", \.update, "what is updated: node, node:ratio of input channels, node:bias"),
    PassOptionField("parameters", \.parameters, "names of constants to train instead of the usual ones"),
    PassOptionField("pattern", \.pattern, "N:M, weights kept in each group; empty for dense"),
    PassOptionField("masks", \.masks, "which products read masked weights"),
    PassOptionField("all", \.all, "also mask the first and the last contraction"),
    PassOptionField("skip", \.skip, "nodes that stay dense"),
    PassOptionField("order", \.order, "whether an update follows its gradient or all stand at the end"),
  ]

  /// The pattern; nil for dense weights.
  /// - Throws: `nm-pattern`.
  func nmPattern() throws(DiagnosticError) -> NMPattern? {
    guard !pattern.isEmpty else { return nil }
    guard let text = PruneNMOptions.NMPatternText(optionText: pattern) else {
      throw DiagnosticError(
        "nm-pattern", "'\(pattern)' is not a sparsity pattern",
        hint: "N:M needs 1 <= N <= M and M in 1, 2, 4, 8, 16, 32")
    }
    return try text.pattern()
  }

  /// - Throws: `attribute-range` for what no step can be made from, all at once.
  func check() throws(DiagnosticError) {
    var faults: [Diagnostic] = []
    func require(_ holds: Bool, _ name: String, _ value: Double, _ rule: String) {
      if !holds { faults.append(Diagnostic("attribute-range", "\(name) is \(value) but must be \(rule)")) }
    }
    require(learningRate >= 0, "learning-rate", learningRate, "0 or more")
    require((0..<1).contains(momentum), "momentum", momentum, "from 0 to below 1")
    require(weightDecay >= 0, "weight-decay", weightDecay, "0 or more")
    require(lossScale > 0, "loss-scale", lossScale, "above 0")
    require((0...1 << 20).contains(batch), "batch", Double(batch), "from 0 to 2^20")
    guard faults.isEmpty else { throw DiagnosticError(faults) }
  }
}
