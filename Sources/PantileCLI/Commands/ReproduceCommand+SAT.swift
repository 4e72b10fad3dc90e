import Foundation
import Pantile

extension ReproduceCommand {
  /// The study of training steps with N:M weights.
  func runSAT() throws {
    let folder = root.folder
    let path = try studyPath(TrainingStudy.file)
    let study = try TrainingStudy.load(path)
    let load: TrainingStudy.Loader = { name, settings throws(DiagnosticError) in
      try Chip.load(name, overrides: settings, schemas: Machine.schemas(), root: folder)
    }
    let rows = try study.rows(load: load)
    Terminal.progress("\(study.axes.points.count) machines, \(study.networks.count) networks")
    let result = TrainingStudyResult(
      study, rows: rows,
      sweep: try study.sweep(load: load, workers: ProcessInfo.processInfo.activeProcessorCount))
    var files = OutputFiles()
    if let json { files.add(result.json.text, to: json) }
    if let csv { files.add(result.csv, to: csv) }
    if let layers { files.add(result.layers, to: layers) }
    if let plot { files.add(result.portPlot, to: plot) }
    if let paretoPlot { files.add(result.paretoPlot, to: paretoPlot) }
    if json != "-", csv != "-", layers != "-" { files.add(result.text, to: "-") }
    try files.write()
  }
}
