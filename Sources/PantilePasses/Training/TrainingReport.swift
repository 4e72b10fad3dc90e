import PantileSupport
import PantileTensor

/// Part of a training step.
public enum TrainingPhase: String, CaseIterable, Sendable {
  case forward, backward
  case weightUpdate = "weight-update"
}

/// What a training step is made of: the side result of `grad`.
///
/// **Units** MACs of the whole batch; bits of values as stored, one for a truth value.
public struct TrainingReport: Sendable {
  /// A contraction and its gradients.
  public struct Layer: Sendable {
    public var name: String
    /// The op without the dialect's name.
    public var kind: String
    public var forward: Int
    /// 0 where nothing below is updated.
    public var backward = 0
    /// 0 where its weights are not updated.
    public var weightUpdate = 0
    /// MACs of forward and backward when dropped weights are skipped.
    public var sparseForward: Int
    public var sparseBackward = 0
    /// How the input gradient of a convolution is computed.
    public var inputGradient: InputGradient?
    /// Why its weights stay dense; nil when they are masked, or when there is no pattern.
    public var denseReason: String?
  }

  /// The chosen form of a convolution's input gradient and the MACs of both.
  public struct InputGradient: Hashable, Sendable {
    public var form: GradOptions.InputGradient
    public var gemmMACs: Int
    public var fullMACs: Int
  }

  /// A value of the forward part that the backward part reads.
  public struct Saved: Hashable, Sendable {
    public var name: String
    /// The node that it belongs to.
    public var node: String
    public var type: String
    public var bits: Int
  }

  /// A trained constant: an argument and a result of the step.
  public struct Parameter: Sendable {
    public var name: String
    /// The node that reads it first.
    public var node: String
    public var shape: [Int]
    /// The shape of what is updated: fewer input channels under a sparse scheme.
    public var updatedShape: [Int]
    /// Its value in the model; nil when the weights are absent.
    public var initial: HostTensor?
  }

  public var layers: [Layer] = []
  public var saved: [Saved] = []
  public var parameters: [Parameter] = []
  /// Whether each parameter has a velocity beside it.
  public var hasVelocity = false
  /// Largest sum of live values (states, constants and results not counted) with each update behind its gradient.
  public var peakBits = 0
  /// The same with all updates at the end.
  public var peakBitsUpdatesLast = 0

  public init() {}

  /// MACs of a step with dense weights.
  public var stepMACs: Int { layers.reduce(0) { $0 + $1.forward + $1.backward + $1.weightUpdate } }
  public var forwardMACs: Int { layers.reduce(0) { $0 + $1.forward } }
  /// MACs of a step when dropped weights are skipped.
  public var sparseStepMACs: Int {
    layers.reduce(0) { $0 + $1.sparseForward + $1.sparseBackward + $1.weightUpdate }
  }
  public var savedBits: Int { saved.reduce(0) { $0 + $1.bits } }

  /// The bound on the speed of a step by an N:M pattern where all products but those of weight updates are sparse:
  /// 3 / (1 + 2N/M), or 3 / (2 + N/M) where backward stays dense.
  public static func bound(_ pattern: NMPattern, masks: GradOptions.Masks) -> Double {
    let share = Double(pattern.kept) / Double(pattern.group)
    return masks == .forward ? 3 / (2 + share) : 3 / (1 + 2 * share)
  }
}

extension GradientContext {
  /// Adds MACs to the layer that ops are being made for.
  mutating func count(_ phase: TrainingPhase, macs: Int) {
    guard let layer else { return }
    switch phase {
    case .forward: report.layers[layer].forward += macs
    case .backward: report.layers[layer].backward += macs
    case .weightUpdate: report.layers[layer].weightUpdate += macs
    }
  }

  mutating func note(_ form: TrainingReport.InputGradient) {
    if let layer { report.layers[layer].inputGradient = form }
  }
}
