import Foundation
import PantileSupport

/// What `awq` did, layer by layer; left as an artifact beside the module.
public struct ScaleReport: Hashable, Sendable {
  /// Errors were measured on made-up inputs: the scales say nothing about the model.
  public var isSynthetic = false
  /// Calibration runs.
  public var sampleCount = 0
  public var layers: [Layer] = []

  /// A layer with constant weights.
  public struct Layer: Hashable, Sendable {
    public var name: String
    /// `dnn.conv2d`, ….
    public var kind: String
    /// The op that took the divisors; nil when the layer keeps its weights.
    public var origin: String?
    /// The exponent that was chosen; 0 leaves the weights as they are.
    public var alpha: Double
    /// Least and greatest factor of an input channel.
    public var scales: ClosedRange<Double>
    /// Before the scales and with them.
    public var before: Distortion
    public var after: Distortion
    /// Why the layer keeps its weights.
    public var reason: String?
  }

  /// How far a layer's outputs are off when its weights alone are quantised, on the calibration inputs.
  public struct Distortion: Hashable, Sendable {
    /// Mean of squared differences.
    public var meanSquaredError: Double
    /// Mean of squared outputs.
    public var power: Double

    public init(meanSquaredError: Double, power: Double) {
      self.meanSquaredError = meanSquaredError
      self.power = power
    }

    /// Signal over quantisation noise in decibels; infinite without noise.
    public var decibels: Double { 10 * log10(power / meanSquaredError) }
  }

  public init() {}

  /// Layers whose weights were scaled.
  public var scaledCount: Int { layers.count { $0.alpha > 0 } }
}
