/// What BitMoD's simulator takes for granted; each can be put right alone or with others.
///
/// **Source** Chen et al., "BitMoD: Bit-serial Mixture-of-Datatype LLM Acceleration", HPCA 2025, and its public
/// simulator.
public enum BitMoDAssumption: String, CaseIterable, Hashable, Sendable, Comparable {
  case a1 = "A1"
  case a2 = "A2"
  case b = "B"
  case c = "C"
  case d = "D"
  case e = "E"
  case f = "F"
  case g = "G"
  case h = "H"

  /// What the published model does.
  public var published: String {
    switch self {
    case .a1: "attention is computed over all channels for every head"
    case .a2: "keys, values and outputs of attention move once a head or once a row"
    case .b: "keys and values are computed at the weights' width"
    case .c: "ANT's array is smaller than BitMoD's"
    case .d: "prefill and decode run on different arrays and widths"
    case .e: "means of speed-ups are arithmetic"
    case .f: "arrays fill and drain in no time"
    case .g: "the weight port is rounded up with the share of the scale"
    case .h: "attention scores go to DRAM and come back"
    }
  }

  /// What stands in its place.
  public var corrected: String {
    switch self {
    case .a1: "a product a head over the head's channels"
    case .a2: "every operand moves once, shared keys and values once a group"
    case .b: "8-bit keys and values on bit-serial arrays"
    case .c: "arrays of equal area"
    case .d: "decode on the array and width of the prefill"
    case .e: "geometric means"
    case .f: "each product pays the skew of its tiles and the drain of its last outputs"
    case .g: "the port is as wide as the elements"
    case .h: "scores stay in the buffers"
    }
  }

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
