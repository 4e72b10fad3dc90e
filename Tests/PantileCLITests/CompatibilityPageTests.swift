import Foundation
import Pantile
import Testing

/// The comparison in `Docs/compatibility.md` is what the models say.
struct CompatibilityPageTests {
  @Test func tableIsWhatTheModelsSay() throws {
    let page = try Tool.text("\(Tool.root)/Docs/compatibility.md")
    let header = "| M x K x N | array | dataflow | native | scalesim | differ | stonne | differ |"
    let lines = page.split(separator: "\n").drop { $0 != header }.dropFirst(2).prefix { $0.hasPrefix("|") }
    #expect(lines.count >= 10)
    for line in lines {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let side = try #require(Int(cells[1].prefix { $0 != "x" }))
      let dataflow = try TimingModel.Dataflow(cells[2])
      var native = 0
      var scaleSim = 0
      var stonne = 0
      for (m, k, n) in try products(cells[0]) {
        let question = TimingModel.Question(rows: side, columns: side, dataflow: dataflow, m: m, k: k, n: n)
        native += NativeSerialTiming.cycles(question, dataflow: dataflow)
        scaleSim += try TimingModel.scaleSim.evaluate(question)
        if dataflow == .outputStationary { stonne += try TimingModel.stonne.evaluate(question) }
      }
      func pair(_ cycles: Int) -> [String] { cycles == 0 ? ["-", "-"] : [grouped(cycles), differ(cycles, native)] }
      #expect(Array(cells[3...]) == [grouped(native)] + pair(scaleSim) + pair(stonne), "\(line)")
    }
  }

  private func products(_ name: String) throws -> [(Int, Int, Int)] {
    if name == "ResNet-18" {
      let path = "\(Tool.root)/Workloads/topologies/resnet18.csv"
      return try ScaleSimTopology(try Tool.text(path), path: path).layers.map { ($0.m, $0.k, $0.n) }
    }
    let sizes = name.split(separator: "x").compactMap { Int($0) }
    try #require(sizes.count == 3)
    return [(sizes[0], sizes[1], sizes[2])]
  }

  private func grouped(_ value: Int) -> String {
    value < 1000 ? "\(value)" : grouped(value / 1000) + "," + String("\(value % 1000 + 1000)".dropFirst())
  }

  private func differ(_ value: Int, _ reference: Int) -> String {
    let tenths = Int((Double(abs(value - reference)) / Double(reference) * 1000).rounded())
    return (value < reference && tenths > 0 ? "-" : "") + "\(tenths / 10).\(tenths % 10) %"
  }
}
