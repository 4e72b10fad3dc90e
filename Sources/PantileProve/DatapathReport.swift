import PantileSupport

/// A datapath's proofs: at its parameters or over their sweeps, and those of its mutants.
public struct DatapathReport: Sendable {
  public struct MutantProof: Sendable {
    public var mutant: Datapath.Mutant
    public var proof: Proof

    /// Whether the mistake was found.
    public var isCaught: Bool { proof.status == .refuted }
  }

  /// What is asked besides the claims at the file's parameters.
  public struct Scope: Sendable {
    /// Every combination of the parameters' sweeps in place of the parameters alone.
    public var sweeps = false
    /// The mutants, at the parameters.
    public var mutants = false

    public init() {}
  }

  public var datapath: Datapath
  /// One, or one a combination of the sweep.
  public var proofs: [Proof]
  public var mutants: [MutantProof]

  /// - Parameter settings: as `DatapathFile.datapath`; mutants change what they leave.
  /// - Throws: what reading and elaboration throw, for mutants with the mutant's name.
  public init(
    _ file: DatapathFile, settings: [String] = [], scope: Scope = Scope(), options: ProofOptions = ProofOptions()
  ) throws(DiagnosticError) {
    datapath = try file.datapath(settings)
    proofs = []
    for point in scope.sweeps ? datapath.swept : [datapath] { proofs.append(try point.prove(options)) }
    mutants = []
    guard scope.mutants else { return }
    for mutant in datapath.mutants {
      do throws(DiagnosticError) {
        mutants.append(
          MutantProof(mutant: mutant, proof: try file.datapath(settings + mutant.settings).prove(options)))
      } catch {
        throw DiagnosticError(
          error.diagnostics.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.message = "mutant '\(mutant.name)': \(diagnostic.message)"
            return diagnostic
          })
      }
    }
  }

  /// Of the proofs, mutants left out.
  public var status: Proof.Status {
    for status in [Proof.Status.refuted, .inconclusive] where proofs.contains(where: { $0.status == status }) {
      return status
    }
    return .proved
  }

  /// Whether all is proved and every mutant caught.
  public var holds: Bool { status == .proved && mutants.allSatisfy(\.isCaught) }

  /// The proof that tells most: the first that is not proved, else the first.
  public var decisive: Proof { proofs.first { $0.status == status } ?? proofs[0] }
}
