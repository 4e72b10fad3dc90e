import PantileTensor

/// What an N:M array takes.
enum NMSparseCapability {
  static func capability(of format: ContractionFormat, _ options: NMSparseOptions) -> ArrayCapability {
    var reasons: [String] = []
    if format.activationBits != 8 {
      reasons.append("activations of \(format.activationBits) bits, the array takes 8")
    }
    if !(2...8).contains(format.weightBits) {
      reasons.append("weights of \(format.weightBits) bits, the array takes 2 to 8, each in an 8-bit register")
    }
    if let pattern = format.pattern, !options.patterns.contains(pattern) {
      let known = options.patterns.map(\.description).joined(separator: ", ")
      reasons.append("weights sparse \(pattern), the array takes dense weights\(known.isEmpty ? "" : " and \(known)")")
    }
    return reasons.isEmpty ? .supported : .unsupported(reasons)
  }
}
