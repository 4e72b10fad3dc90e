import PantileEngines
import PantileSupport

extension ScaleSimRun {
  /// Reads a topology and a configuration file of SCALE-Sim and evaluates every layer.
  /// - Parameter format: of the topology; nil to tell it from the file.
  /// - Throws: `cannot-read`, `not-utf8`, what `ScaleSimTopology` and `ScaleSimConfig` throw, of both files at once.
  public static func files(
    topology: String, config: String, format: ScaleSimTopology.Format? = nil
  ) throws(DiagnosticError) -> (run: ScaleSimRun, topology: ScaleSimTopology) {
    var problems: [Diagnostic] = []
    var read: (topology: ScaleSimTopology?, config: ScaleSimConfig?)
    do throws(DiagnosticError) {
      read.topology = try ScaleSimTopology(try AtomicFile.readText(topology), path: topology, format: format)
    } catch {
      problems += error.diagnostics
    }
    do throws(DiagnosticError) {
      read.config = try ScaleSimConfig(try AtomicFile.readText(config), path: config)
    } catch {
      problems += error.diagnostics
    }
    guard var layers = read.topology, let array = read.config else { throw DiagnosticError(problems) }
    // Ratios count after all.
    if array.sparsity != nil { layers.warnings.removeAll { $0.code == "dense-cycles" } }
    return (try ScaleSimRun(layers, on: array), layers)
  }
}
