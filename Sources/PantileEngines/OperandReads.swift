import PantileTensor

/// Bytes that an array takes from the scratchpad for one command: each pass over an operand reads all of it again.
///
/// - Parameters:
///   - activationPasses: how often A is streamed: once for each fold along n.
///   - weightPasses: how often B (kept weights with their indices) is streamed: once, or once for each fold along m.
func operandReads(
  _ extents: TileExtents, _ format: ContractionFormat, activationPasses: Int, weightPasses: Int
) -> ActionCount {
  let activationBits = extents.m * extents.k * format.activationBits * activationPasses
  let storedBits = format.weightBits + (format.pattern?.indexBits ?? 0)
  let weightBits = format.storedRows(k: extents.k) * extents.n * storedBits * weightPasses
  return ActionCount("spad.read_bytes", (activationBits + weightBits + 7) / 8)
}
