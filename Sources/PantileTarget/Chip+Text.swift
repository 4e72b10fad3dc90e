import PantileSupport

extension Chip {
  /// Everything that the hash covers, as YAML: each field on a line of its own, defaults written out, fixed order.
  static func resolvedBody(
    clock: Hertz, cores: [Core], memories: [MemorySpec], dispatch: Dispatch, energyName: String
  ) -> String {
    var text = "clock: \(clockText(clock))\nenergy: \(energyName)\n"
    text += "dispatch:\n  queue_depth: \(dispatch.queueDepth.map(String.init) ?? "unbounded")\n"
    text += "  loop_depth: \(dispatch.loopDepth.map(String.init) ?? "unbounded")\n"
    text += "  loop_overhead: \(FieldValue.cycles(dispatch.loopOverhead))\n"
    text += "memories:\n"
    for memory in memories {
      text += "  \(memory.name):\n    kind: \(memory.kind.rawValue)\n    size: \(exactSize(memory.size))\n"
      switch memory.kind {
      case .dram where memory.device != nil:
        text += "    device: \(memory.device?.name ?? "")  # \(memory.device?.hash ?? "")\n"
        continue
      case .dram:
        text += "    bandwidth: \(memory.bandwidth)\n    burst: \(exactSize(memory.burst))\n"
      case .scratchpad, .accumulator:
        text += "    banks: \(memory.banks)\n    port_width: \(exactSize(memory.portWidth))\n"
      }
      text += "    latency: \(FieldValue.cycles(memory.latency))\n    energy: \(memory.energyKey)\n"
    }
    text += "engines:\n"
    for engine in cores.flatMap(\.engines) {
      text += "  \(engine.name):\n    family: \(engine.family)\n"
      for field in engine.values { text += "    \(field.key): \(field.value)\n" }
    }
    return text
  }

  private static func clockText(_ clock: Hertz) -> String {
    let hertz = Int(clock.value)
    for (unit, factor) in [("GHz", 1_000_000_000), ("MHz", 1_000_000), ("kHz", 1_000)] where hertz % factor == 0 {
      return "\(hertz / factor) \(unit)"
    }
    return "\(hertz) Hz"
  }
}

/// Text as a double-quoted YAML scalar on one line.
func quotedYAML(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case _ where scalar.value < 32 || scalar.value == 127:
      let digits = String(scalar.value, radix: 16)
      result += "\\x" + (digits.count == 1 ? "0" : "") + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
