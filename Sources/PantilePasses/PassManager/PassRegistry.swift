/// Every pass; parser, documentation and `list` derive from this list.
public enum PassRegistry {
  public static let all: [Pass] = [
    .foldConstants,
    .canonicalize,
    .foldBatchNorm,
    .cse,
    .dce,
    .pruneNM,
    .grad,
    .awq,
    .quantize,
    .lowerQDQ,
  ]

  /// The pass of that name.
  public static func pass(_ name: String) -> Pass? { all.first { $0.name == name } }
}
