/// Sparse filters as SCALE-Sim 3.0.0 counts them: its reduction is shorter, everything else is that of a dense layer.
///
/// - layer-wise: every filter keeps the first N of each M weights along K. Kc = (ceil(K/M)-1)·N + min(N, K - (ceil(K/M)-1)·M):
///   rows of padding at the end are dropped.
/// - row-wise (`OptimizedMapping`, ws alone): two blocks of B a tile, Kc = ceil(K/2B)·B, whatever the ratio says; its M still sets the
///   bits of the metadata.
///
/// Storage in words of 32 bits: `ellpack_block` Kc·n·(1 + ceil(log2 M)/32); `csr` 2·nonzeros + K + 1, `csc` 2·nonzeros + n + 1.
///
/// **Accuracy** exact: cycles and storage equal on all 72 layers measured (`Benchmarks/scalesim/sparse.csv`).
/// **Source** SCALE-Sim 3.0.0 (PyPI), measured.
public struct ScaleSimSparsity: Hashable, Sendable {
  /// How filters are stored.
  public enum Storage: String, Hashable, Sendable, CaseIterable {
    case ellpackBlock = "ellpack_block"
    case csr
    case csc
  }

  /// The ratio N:M.
  public var kept: Int
  public var group: Int
  /// B of the row-wise mode; nil: layer-wise.
  public var block: Int?

  /// - Precondition: 1 <= `kept` <= `group`; a positive block.
  public init(kept: Int, group: Int, block: Int? = nil) {
    precondition(kept > 0 && kept <= group && block ?? 1 > 0, "\(kept):\(group) in blocks of \(block ?? 0)")
    self.kept = kept
    self.group = group
    self.block = block
  }

  /// Rows of the filter matrix that the array sees (Kc).
  public func rows(k: Int) -> Int {
    if let block { return ceilDiv(k, 2 * block) * block }
    let whole = ceilDiv(k, group) - 1
    return whole * kept + min(kept, k - whole * group)
  }

  /// Words that the filter takes with its metadata. Nil for csr and csc of the row-wise mode, whose nonzeros come from a random
  /// generator.
  public func storageWords(_ storage: Storage, k: Int, n: Int) -> Double? {
    let elements = Double(rows(k: k)) * Double(n)
    switch storage {
    case .ellpackBlock:
      let bits = group == 1 ? 0 : Int.bitWidth - (group - 1).leadingZeroBitCount
      return elements + elements * Double(bits) / 32
    case .csr: return block == nil ? 2 * elements + Double(k) + 1 : nil
    case .csc: return block == nil ? 2 * elements + Double(n) + 1 : nil
    }
  }
}
