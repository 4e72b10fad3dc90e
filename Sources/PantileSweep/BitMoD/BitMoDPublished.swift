import PantileEngines
import PantileReport
import PantileSupport

/// Cycles that the paper's repository publishes, and energies of a run of its simulator, a line each in
/// `published.csv`.
public struct BitMoDPublished: Sendable {
  public struct Line: Sendable {
    public var task: BitMoDTask
    public var configuration: String
    public var model: String
    public var cycles: Cycles
    public var onChip: Picojoules
    public var dram: Picojoules
  }

  public var lines: [Line]

  /// How many figures there are and how many of them a study meets.
  public struct Agreement: Hashable, Sendable {
    public var cycles = 0
    public var equalCycles = 0
    public var energies = 0
    /// Within a microjoule, what the printed figures are rounded to.
    public var equalEnergies = 0

    public var isComplete: Bool { cycles == equalCycles && energies == equalEnergies && cycles > 0 }
  }

  /// Sets rows against the lines; a line without a row counts as missed.
  public func agreement(with rows: [BitMoDStudy.Row]) -> Agreement {
    var result = Agreement()
    for line in lines {
      let row = rows.first {
        $0.task == line.task && $0.configuration == line.configuration && $0.model == line.model
      }
      result.cycles += 1
      result.energies += 2
      guard let row else { continue }
      if row.counts.totalCycles == line.cycles { result.equalCycles += 1 }
      guard let energy = row.energy else { continue }
      for (ours, theirs) in [(energy.onChip, line.onChip), (energy.dram, line.dram)]
      where abs(ours.value - theirs.value) <= 1e6 { result.equalEnergies += 1 }
    }
    return result
  }

  /// Reads the repository's data.
  /// - Throws: `missing-root`, `cannot-read`, `csv-syntax`.
  public static func load(root: String?) throws(DiagnosticError) -> BitMoDPublished {
    let path = try BitMoDStudy.path("published.csv", root: root)
    let text = try AtomicFile.readText(path)
    var lines: [Line] = []
    for (number, line) in text.split(separator: "\n").enumerated().dropFirst() {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard cells.count == 6, let task = BitMoDTask(rawValue: cells[0]), let cycles = Int(cells[3]),
        let onChip = Double(cells[4]), let dram = Double(cells[5])
      else {
        throw DiagnosticError(
          "csv-syntax", "a line is task,configuration,model,cycles,onchip_energy_uJ,dram_energy_uJ",
          at: .file(path: path, line: number + 1, column: 1), sourceLine: String(line))
      }
      lines.append(
        Line(
          task: task, configuration: cells[1], model: cells[2], cycles: Cycles(cycles),
          onChip: Picojoules(onChip * 1e6), dram: Picojoules(dram * 1e6)))
    }
    return BitMoDPublished(lines: lines)
  }
}
