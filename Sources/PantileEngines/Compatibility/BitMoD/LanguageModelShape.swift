/// The matrix products of a decoder-only language model, as far as cycles and traffic depend on them.
///
/// Linear layers are named one by one, since models differ in them; the two attention products of a layer follow from
/// the heads.
public struct LanguageModelShape: Hashable, Sendable {
  /// A fully connected layer `[tokens, k] x [k, n]`.
  public struct Linear: Hashable, Sendable {
    public var name: String
    /// Input channels.
    public var k: Int
    /// Output channels.
    public var n: Int
    /// How many the whole model has, not how many a layer has: the head behind the last layer counts 1.
    public var count: Int

    public init(name: String, k: Int, n: Int, count: Int) {
      self.name = name
      self.k = k
      self.n = n
      self.count = count
    }
  }

  public var name: String
  /// Width of the residual stream.
  public var hidden: Int
  public var heads: Int
  /// Heads that keys and values have; less than `heads` in grouped-query attention.
  public var keyValueHeads: Int
  public var layers: Int
  public var linears: [Linear]

  /// - Precondition: `heads` divides `hidden`, `keyValueHeads` divides `heads`.
  public init(name: String, hidden: Int, heads: Int, keyValueHeads: Int, layers: Int, linears: [Linear]) {
    precondition(
      hidden % heads == 0 && heads % keyValueHeads == 0,
      "model '\(name)': hidden \(hidden), heads \(heads), key-value heads \(keyValueHeads)")
    self.name = name
    self.hidden = hidden
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.layers = layers
    self.linears = linears
  }

  /// Channels of a head.
  public var headWidth: Int { hidden / heads }
  /// Channels of all keys, or of all values.
  public var keyValueWidth: Int { headWidth * keyValueHeads }
}
