import PantileProgram
import PantileSim

/// The life of a run as trace-event JSON, for Perfetto or chrome://tracing: one microsecond is one cycle.
///
/// One track for the layers and one for each engine; busy intervals carry the layer's name, idle ones their cause.
/// Events are sorted by time, then track; on a track they never overlap, and their lengths add up to the counters.
public enum ChromeTrace {
  /// The trace of a run that was made with `trace` on.
  /// - Precondition: `timing` is a run of `program`.
  public static func json(timing: TimingResult, program: Program, title: String) -> String {
    let names = timing.queueNames.map { String($0.split(separator: ".").last ?? Substring($0)) }
    var events: [(start: Int, track: Int, text: String)] = []
    events.reserveCapacity(timing.slices.count + timing.layers.count)
    let layerNames = program.layers.map { JSONText.string($0.name) }
    for (index, layer) in timing.layers.enumerated() where layer.cycles > 0 {
      events.append(
        (
          layer.start, 0,
          slice(layerNames[index], "layer", 0, layer.start, layer.end)
        ))
    }
    for item in timing.slices where item.end > item.start {
      let track = item.queue + 1
      let text: String
      if let cause = item.cause {
        let source = cause.source.map { names.indices.contains($0) ? " from \(names[$0])" : "" } ?? ""
        text = slice(JSONText.string("\(cause.name)\(source)"), "stall", track, item.start, item.end)
      } else {
        text = slice(layerNames[item.layer], "busy", track, item.start, item.end)
      }
      events.append((item.start, track, text))
    }
    events.sort { ($0.start, $0.track) < ($1.start, $1.track) }
    var text = "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"unit\":\"1 us = 1 cycle\",\"title\":"
    text += JSONText.string(title) + "},\"traceEvents\":[\n"
    text += "{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"name\":\"process_name\",\"args\":{\"name\":\(JSONText.string(title))}}"
    for (track, name) in (["layers"] + names).enumerated() {
      text += ",\n{\"ph\":\"M\",\"pid\":1,\"tid\":\(track),\"name\":\"thread_name\",\"args\":{\"name\":"
      text += JSONText.string(name) + "}}"
      text +=
        ",\n{\"ph\":\"M\",\"pid\":1,\"tid\":\(track),\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":\(track)}}"
    }
    for event in events { text += ",\n" + event.text }
    return text + "\n]}\n"
  }

  private static func slice(_ name: String, _ category: String, _ track: Int, _ start: Int, _ end: Int) -> String {
    "{\"ph\":\"X\",\"pid\":1,\"tid\":\(track),\"ts\":\(start),\"dur\":\(end - start),\"cat\":\"\(category)\",\"name\":\(name)}"
  }
}

/// Text as a JSON string literal.
enum JSONText {
  static func string(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case _ where scalar.value < 32:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
