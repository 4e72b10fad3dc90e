import PantileConfig
import PantileSupport

/// Reads a study from YAML; `path` names the text in locations.
///
/// - Parameter read: adds what is wrong to the issues, and returns a study when nothing is.
/// - Throws: everything wrong in the text at once.
package func readStudy<Study>(
  _ text: String, path: String, _ read: (ConfigNode, Issues) -> Study?
) throws(DiagnosticError) -> Study {
  let root = try ConfigDocument.parse(text, path: path)
  let issues = Issues()
  let study = read(root, issues)
  try issues.check()
  // Without issues the reader returned a study.
  guard let study else { preconditionFailure("study '\(path)' gave neither a study nor a diagnostic") }
  return study
}
