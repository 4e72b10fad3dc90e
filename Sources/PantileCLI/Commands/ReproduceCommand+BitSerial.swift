import Foundation
import Pantile

extension ReproduceCommand {
  /// The study of term skipping.
  func runBitSerial() throws {
    let folder = root.folder
    let path = try studyPath(TermStudy.file)
    var study = try TermStudy.load(path)
    for index in study.weights.indices {
      Terminal.progress("weights of \(study.weights[index].name)")
      switch study.weights[index].source {
      case .gaussian(let n, let k, let seed):
        study.weights[index].layers = [.init(n: n, k: k, values: GaussianWeights.values(count: n * k, seed: seed))]
      case .model(let name):
        let options = try EvaluationOptions([], folder: EvaluationOptions.folder(of: path))
        let model = try Model(contentsOf: try options.resolve(name, root: folder))
        study.weights[index].layers = try model.contractionWeights()
      }
    }
    let chip = try Chip.load(study.chip, schemas: Machine.schemas(), root: folder)
    Terminal.progress("\(study.formats.count) formats, \(study.weights.count) sets of weights")
    let result = TermStudyResult(
      study, rows: try study.rows(chip: chip, workers: ProcessInfo.processInfo.activeProcessorCount))
    var files = OutputFiles()
    if let json { files.add(result.json.text, to: json) }
    if let csv { files.add(result.csv, to: csv) }
    if let plot { files.add(result.plot, to: plot) }
    if json != "-", csv != "-" { files.add(result.text, to: "-") }
    try files.write()
  }
}
