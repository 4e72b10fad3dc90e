import Pantile

/// What commands that compile have in common.
enum Compilations {
  /// Compiles, and passes the remarks of reader and passes on to stderr.
  static func compile(
    _ model: Model, for chip: Chip, calibration: [[HostTensor]], options: GraphPipeline.Options
  ) throws(DiagnosticError) -> Compiler.Compilation {
    for warning in model.warnings { Terminal.writeError(warning.rendered + "\n") }
    let compiler = try Compiler(chip: chip, options: .init(graph: options))
    let compilation = try compiler.compile(model, calibration: calibration)
    for remark in compilation.remarks where remark.severity == .warning {
      Terminal.writeError(remark.rendered + "\n")
    }
    return compilation
  }

  /// Prints intermediate results to stderr.
  static func print(
    _ compilation: Compiler.Compilation, after stages: [CompileCommand.Stage]
  ) throws(DiagnosticError) {
    for stage in stages {
      let text =
        switch stage {
        case .integer:
          try compilation.module.print(.init(form: .short), registry: Dialects.registry, withWeights: false)
        case .choose: compilation.plan.text(in: compilation.graph) + "\n"
        case .program: compilation.program.text
        }
      Terminal.writeError("// after \(stage.rawValue)\n\(text)")
    }
  }
}
