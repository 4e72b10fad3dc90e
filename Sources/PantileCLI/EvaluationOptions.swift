import Foundation
import Pantile

/// The `options` of sweep and suite files, and the model that they prepare.
struct EvaluationOptions: Sendable {
  /// Names that the files may use.
  static let names = ["weight_bits", "weight_format", "sparsity", "calibrate", "seed"]
  /// Names that a sweep may use.
  static let sweepNames = names + ["timing"]

  /// What a sweep counts the cycles of.
  enum Timing: String, CaseIterable {
    /// The compiled network on the whole chip.
    case chip
    /// The contractions on the array alone, in closed form.
    case array
  }

  private var weightBits: Int?
  private var weightFormat: String?
  private var sparsity: String?
  private var calibrate: String?
  private var seed: UInt64?
  private var timing = Timing.chip
  /// Where relative paths start.
  private let folder: String

  /// - Throws: `wrong-value`.
  init(_ options: [(key: String, value: String)], folder: String) throws(DiagnosticError) {
    self.folder = folder
    for option in options {
      func wrong(_ what: String) -> DiagnosticError {
        DiagnosticError("wrong-value", "option \(option.key) must be \(what), found '\(option.value)'")
      }
      switch option.key {
      case "weight_bits":
        guard let bits = Int(option.value) else { throw wrong("a whole number") }
        weightBits = bits
      case "weight_format": weightFormat = option.value
      case "sparsity": sparsity = option.value
      case "calibrate": calibrate = option.value
      case "seed":
        guard let value = UInt64(option.value) else { throw wrong("a whole number") }
        seed = value
      case "timing":
        guard let named = Timing(rawValue: option.value) else {
          throw wrong("one of \(Timing.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        timing = named
      // The file reader lets only `names` pass.
      default: preconditionFailure("option '\(option.key)' passed the reader")
      }
    }
  }

  /// The folder of a file.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// A path that a file names: as it stands when absolute, else from the file's folder, else a workload by name.
  func resolve(_ path: String, root: String?) throws(DiagnosticError) -> String {
    if path.hasPrefix("/") { return path }
    let beside = folder == "." ? path : "\(folder)/\(path)"
    if FileManager.default.fileExists(atPath: beside) { return beside }
    return try ModelOptions.path(of: path, root: root)
  }

  /// A model in integer form, ready to be compiled for any chip.
  struct Prepared: Sendable {
    var name: String
    var module: Module
    var modelHash: String
    /// Everything but the chip that decides results.
    var identity: String
    var timing: Timing

    /// Compiles to be timed, not to be run: without the bytes of the weights.
    func compile(for chip: Chip) throws(DiagnosticError) -> Compiler.Compilation {
      try Compiler(chip: chip, options: .init(skipsImages: true)).compile(
        integer: module, name: name, modelHash: modelHash)
    }

    /// What a sweep asks for each point.
    /// - Throws: with `timing: array`, what lowering for the base chip throws.
    func evaluation(base: String, settings: [String], root: String?) throws(DiagnosticError) -> Sweep.Evaluate {
      guard timing == .array else {
        return { chip throws(DiagnosticError) in
          let compilation = try compile(for: chip)
          return SweepMetrics(
            try Session(chip: chip).report(of: CompiledModel(compilation, model: name), timing: compilation.timing))
        }
      }
      let chip = try Chip.load(base, overrides: settings, schemas: Machine.schemas(), root: root)
      let estimate = try ArrayEstimate(integer: module, name: name, on: chip)
      return { chip throws(DiagnosticError) in
        let figures = try estimate.figures(on: chip)
        return SweepMetrics(
          cycles: figures.cycles, seconds: figures.seconds, energyPicojoules: figures.energyPicojoules,
          utilization: figures.utilization, macs: figures.macs, peakScratchpadBytes: 0,
          offchipBytes: figures.compulsoryBytes, plan: "array alone", chipHash: chip.hash)
      }
    }
  }

  /// Loads and quantises the model.
  func prepare(_ model: String, root: String?) throws(DiagnosticError) -> Prepared {
    let loaded = try Model(contentsOf: try resolve(model, root: root), options: .init(weightSeed: seed))
    var calibration: Calibration?
    if let calibrate {
      calibration = Calibration(
        samples: try Inputs.files([try resolve(calibrate, root: root)]).runs(for: loaded.inputs))
    }
    let integer = try GraphPipeline.integer(
      loaded.module, calibration: calibration,
      options: try IntegerOptions.pipeline(weightBits: weightBits, weightFormat: weightFormat, sparsity: sparsity))
    let identity = try Model(name: loaded.name, module: integer.module).hash()
    return Prepared(
      name: loaded.name, module: integer.module, modelHash: try loaded.hash(), identity: identity, timing: timing)
  }
}
