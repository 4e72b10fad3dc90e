import PantileConfig
import PantileEngines
import PantileReport
import PantileSupport

extension BitMoDStudy.Surroundings {
  /// Reads the published buffers and DRAM below the repository's root.
  /// - Throws: `missing-root` when there is none, and everything wrong in the file.
  public static func load(root: String?) throws(DiagnosticError) -> Self {
    try read(ConfigDocument.read(BitMoDStudy.path("system.yaml", root: root)))
  }

  private static func read(_ root: ConfigNode) throws(DiagnosticError) -> Self {
    let issues = Issues()
    guard let map = ConfigMapping(root, "system", issues) else {
      try issues.check()
      preconditionFailure("a system that is no mapping gave no diagnostic")
    }
    map.allow("sources")
    func bytes(_ key: String) -> Bytes? { map.required(key)?.bytes(key, in: 1...1 << 30, issues) }
    func count(_ key: String) -> Int? { map.required(key)?.count(key, in: 1...1 << 16, issues) }
    func real(_ key: String) -> Double? { map.required(key)?.real(key, in: 0...1e6, issues) }
    let weightBuffer = bytes("weight_buffer")
    let activationBuffer = bytes("activation_buffer")
    let rowGranule = bytes("row_granule")
    let activationBits = count("activation_bits")
    let cacheBits = count("cache_bits")
    let dramBits = count("dram_bits_per_cycle")
    let portGranule = count("port_granule_bits")
    let decodeSteps = count("decode_steps")
    let dramEnergy = real("dram_pj_per_bit")
    let factor = real("place_and_route_factor")
    let ports = (map.required("sram_ports")?.list("sram_ports", issues) ?? []).compactMap { node in
      port(node, issues)
    }
    map.finish()
    try issues.check()
    guard let weightBuffer, let activationBuffer, let rowGranule, let activationBits, let cacheBits, let dramBits,
      let portGranule, let decodeSteps, let dramEnergy, let factor
    else { preconditionFailure("a system without a key gave no diagnostic") }
    return Self(
      system: BitMoDSystem(
        weightBuffer: weightBuffer, activationBuffer: activationBuffer, activationBits: activationBits,
        cacheBits: cacheBits, dramBitsPerCycle: dramBits, rowGranule: rowGranule, portGranuleBits: portGranule),
      energy: .init(ports: ports, dramPerBit: Picojoules(dramEnergy), placeAndRouteFactor: factor),
      decodeSteps: decodeSteps)
  }

  private static func port(_ node: ConfigNode, _ issues: Issues) -> BitMoDEnergy.Table.Port? {
    guard let map = ConfigMapping(node, "a port", issues) else { return nil }
    let bits = map.required("bits")?.count("bits of a port", in: 1...1 << 20, issues)
    let read = map.required("read_pj")?.real("read_pj of a port", in: 0...1e6, issues)
    let write = map.required("write_pj")?.real("write_pj of a port", in: 0...1e6, issues)
    map.finish()
    guard let bits, let read, let write else { return nil }
    return .init(bits: bits, read: Picojoules(read), write: Picojoules(write))
  }
}

extension BitMoDStudy {
  /// The path of a file of the published study.
  /// - Throws: `missing-root`.
  static func path(_ file: String, root: String?) throws(DiagnosticError) -> String {
    guard let root else {
      throw DiagnosticError(
        "missing-root", "the study's constants are in \(folder), and no folder holds it",
        hint: "run in the repository, or name it by --root or PANTILE_ROOT")
    }
    return root == "." ? "\(folder)/\(file)" : "\(root)/\(folder)/\(file)"
  }

  /// The published models and arrays.
  /// - Throws: `missing-root`, and what `load` throws.
  public static func published(in surroundings: Surroundings, root: String?) throws(DiagnosticError) -> BitMoDStudy {
    try load(path("models.yaml", root: root), in: surroundings)
  }
}
