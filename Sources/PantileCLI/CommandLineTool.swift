import ArgumentParser
import Foundation
import Pantile

/// The `pantile` command line.
///
/// stdout carries the result, stderr progress and diagnostics. Exit codes: 0 done; 1 the answer is no (`check`, `plan`,
/// `prove`, `gemm --check`); 2 wrong usage or input; 70 an internal fault.
public enum CommandLineTool {
  /// Parses and runs; returns the exit code.
  public static func run(_ arguments: [String]) -> Int32 {
    do {
      var command = try PantileCommand.parseAsRoot(arguments)
      try command.run()
      return 0
    } catch let error as DiagnosticError {
      Terminal.endProgress()
      Terminal.writeError(error.rendered + "\n")
      return 2
    } catch let code as ExitCode {
      Terminal.endProgress()
      return code.rawValue
    } catch {
      Terminal.endProgress()
      let message = PantileCommand.fullMessage(for: error)
      let code = PantileCommand.exitCode(for: error)
      if code == .success {
        // Help and version are results.
        Terminal.write(message + "\n")
        return 0
      }
      Terminal.writeError(message + "\n")
      return code == .validationFailure ? 2 : 70
    }
  }
}

extension ExitCode {
  /// The question was answered, and the answer is no.
  static let answerIsNo = ExitCode(1)
}
