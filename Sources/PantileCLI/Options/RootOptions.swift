import ArgumentParser
import Pantile

/// Where shipped chips and workloads are.
struct RootOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder that holds Targets and Workloads (else PANTILE_ROOT, the working directory, or the executable's).",
      valueName: "folder"))
  var root: String?

  /// The folder to look in; nil when there is none.
  var folder: String? { RepositoryRoot.find(root) }
}
