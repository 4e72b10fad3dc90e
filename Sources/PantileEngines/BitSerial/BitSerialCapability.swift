/// What a bit-serial array takes.
enum BitSerialCapability {
  static func capability(of format: ContractionFormat, _ options: BitSerialOptions) -> ArrayCapability {
    var reasons: [String] = []
    if format.activationBits != 8 {
      reasons.append("activations of \(format.activationBits) bits, the array takes 8")
    }
    if !(2...options.largestWeightBits).contains(format.weightBits) {
      reasons.append("weights of \(format.weightBits) bits, the array takes 2 to \(options.largestWeightBits)")
    }
    if let pattern = format.pattern { reasons.append("weights sparse \(pattern), the array takes dense weights") }
    return reasons.isEmpty ? .supported : .unsupported(reasons)
  }
}
