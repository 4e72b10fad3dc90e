import PantilePlan
import PantileSupport
import PantileTensor

/// A weight tensor pruned by an N:M pattern, as its slots and as dense weights.
///
/// The reduction of an output channel is tap-major, channel-minor: k = (r·S + s)·I + i; a matrix [K, N] has one tap.
public struct PrunedWeights: Sendable {
  public let pattern: NMPattern
  public let outputs: Int
  /// Length of the reduction, and with its padding.
  public let k: Int
  public let paddedK: Int
  /// Slots of an output channel: N for each group.
  public let slots: Int
  /// [output][slot], ascending places within a group.
  public let values: [Double]
  /// [output][slot], 0 ..< M.
  public let indices: [UInt8]
  /// Pruned, in the shape and type of the input.
  public let dense: HostTensor
  /// Sums of magnitudes, kept and all.
  public let keptSum: Double
  public let totalSum: Double
  /// Sum of kept squares over all.
  public let retainedEnergy: Double
  /// Bytes of the values as they stand in memory, and of the packed indices.
  public let valueBytes: Int
  public let indexBytes: Int

  public var nonzeros: Int { values.reduce(0) { $0 + ($1 == 0 ? 0 : 1) } }

  /// The places of the kept weights, as bytes: one stream an output channel.
  public func metadata(_ encoding: NMEncoding) -> [UInt8] { encoding.encode(indices, rows: outputs, pattern: pattern) }

  /// - Parameters:
  ///   - weights: [K, N], or [O, I, H, W].
  ///   - padsTaps: channels are filled up at each tap, otherwise the reduction once.
  ///   - transposable: one mask for groups along inputs and along output channels.
  /// - Throws: `input-shape`, `not-finite`, `option-conflict`; what GLPK's guard throws.
  public init(
    _ weights: HostTensor, pattern: NMPattern, padsTaps: Bool, transposable: Bool, name: String
  ) throws(DiagnosticError) {
    let shape = weights.shape
    guard shape.count == 2 || shape.count == 4, weights.count > 0,
      weights.elementType.isFloat || weights.elementType.isInteger
    else {
      throw DiagnosticError(
        "input-shape", "'\(name)' holds \(weights.elementType) of shape \(shape)",
        hint: "give a matrix [K, N] or convolution weights [O, I, H, W]")
    }
    let isMatrix = shape.count == 2
    let outputs = isMatrix ? shape[1] : shape[0]
    let channels = isMatrix ? shape[0] : shape[1]
    let taps = isMatrix ? 1 : shape[2] * shape[3]
    if transposable && !padsTaps && taps > 1 {
      throw DiagnosticError(
        "option-conflict", "a transposable mask has blocks of channels at one tap, --pad k lets groups straddle taps",
        hint: "take --pad tap")
    }
    let group = pattern.group
    // Channels of a tap in the reduction, with padding where it stands at each tap.
    let stride = padsTaps ? (channels + group - 1) / group * group : channels
    let length = taps * stride
    /// Where a place of the reduction stands in the tensor; nil for padding.
    func source(_ output: Int, _ position: Int) -> Int? {
      let (tap, channel) = (position / stride, position % stride)
      guard channel < channels else { return nil }
      return isMatrix ? channel * outputs + output : (output * channels + channel) * taps + tap
    }
    var rows = [Double](repeating: 0, count: outputs * length)
    for output in 0..<outputs {
      for position in 0..<length {
        guard let at = source(output, position) else { continue }
        let value = weights.double(at: at)
        guard value.isFinite else {
          throw DiagnosticError(
            "not-finite", "'\(name)': weight \(at) is \(value)", hint: "pruning needs finite weights")
        }
        rows[output * length + position] = value
      }
    }
    let total = rows.reduce(0) { $0 + abs($1) }
    let energy = rows.reduce(0) { $0 + $1 * $1 }
    if transposable {
      for tap in 0..<taps {
        // Inputs down, output channels across.
        var block = [Double](repeating: 0, count: stride * outputs)
        for channel in 0..<stride {
          for output in 0..<outputs {
            block[channel * outputs + output] = abs(rows[output * length + tap * stride + channel])
          }
        }
        let mask = try TransposableMask.mask(block, rows: stride, columns: outputs, kept: pattern.kept, group: group)
        for channel in 0..<stride {
          for output in 0..<outputs where !mask[channel * outputs + output] {
            rows[output * length + tap * stride + channel] = 0
          }
        }
      }
    }
    let packed = NMSparse.pack(rows, rows: outputs, pattern: pattern)
    let kept = NMSparse.unpack(packed)
    var dense = [Double](repeating: 0, count: weights.count)
    for output in 0..<outputs {
      for position in 0..<length {
        if let at = source(output, position) { dense[at] = kept[output * length + position] }
      }
    }
    self.pattern = pattern
    self.outputs = outputs
    k = taps * channels
    paddedK = (length + group - 1) / group * group
    slots = packed.slots
    values = packed.values
    indices = packed.indices
    self.dense = HostTensor(shape: shape, values: dense).converted(to: weights.elementType)
    keptSum = packed.values.reduce(0) { $0 + abs($1) }
    totalSum = total
    retainedEnergy = energy > 0 ? packed.values.reduce(0) { $0 + $1 * $1 } / energy : 1
    valueBytes = (outputs * packed.slots * weights.elementType.bitWidth + 7) / 8
    indexBytes = packed.packedIndices.count
  }
}
