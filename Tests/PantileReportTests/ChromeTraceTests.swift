import Foundation
import PantileReport
import Testing

/// The trace file: legal, sorted, without overlap, and its lengths are the counters'.
struct ChromeTraceTests {
  @Test func tracksDoNotOverlapAndSumsMatchTheReport() throws {
    let (timing, program, report) = try SmallRun.run()
    let text = ChromeTrace.json(timing: timing, program: program, title: "by-hand \"x\"")
    let object = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let events = try #require(object["traceEvents"] as? [[String: Any]])
    var names: [Int: String] = [:]
    var ends: [Int: Int] = [:]
    var busy: [Int: Int] = [:]
    var idle: [Int: Int] = [:]
    var last = (0, 0)
    for event in events {
      let track = try #require(event["tid"] as? Int)
      if event["ph"] as? String == "M" {
        if event["name"] as? String == "thread_name" {
          names[track] = (event["args"] as? [String: Any])?["name"] as? String
        }
        continue
      }
      let start = try #require(event["ts"] as? Int)
      let length = try #require(event["dur"] as? Int)
      #expect(length > 0)
      #expect(start >= ends[track, default: 0], "overlap on \(track) at \(start)")
      #expect((start, track) >= last)
      last = (start, track)
      ends[track] = start + length
      switch event["cat"] as? String {
      case "busy": busy[track, default: 0] += length
      case "stall": idle[track, default: 0] += length
      case "layer": busy[track, default: 0] += length
      default: Issue.record("category of \(event)")
      }
    }
    #expect(names == [0: "layers", 1: "array0", 2: "dma0", 3: "dma1"])
    #expect(busy[0] == report.cycles)
    for (index, engine) in report.engines.enumerated() { #expect(busy[index + 1] == engine.busy, "\(engine.name)") }
  }

  @Test func withoutSlicesOnlyLayersAreShown() throws {
    let chip = try SmallRun.chip()
    let program = SmallRun.program(chip)
    let timing = try SmallRun.plainTiming()
    let text = ChromeTrace.json(timing: timing, program: program, title: "t")
    #expect(!text.contains("\"busy\"") && text.contains("\"cat\":\"layer\""))
  }
}
