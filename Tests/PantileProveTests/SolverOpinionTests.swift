import PantileProve
import PantileSupport
import Testing

/// Z3 says what the engine says, wherever it says anything.
struct SolverOpinionTests {
  @Test(arguments: EnumerationTests.small.indices)
  func agreesOnShippedFilesAndMutants(_ index: Int) throws {
    let (name, settings) = EnumerationTests.small[index]
    let file = try DatapathFile(name, root: repositoryRoot)
    let plain = try file.datapath(settings)
    for settings in [settings] + plain.mutants.prefix(3).map({ settings + $0.settings }) {
      let datapath = try file.datapath(settings)
      var options = ProofOptions()
      options.resourceLimit = 400_000
      let own = try datapath.prove(options)
      options.engine = .z3
      let other = try datapath.prove(options)
      for (a, b) in zip(own.claims, other.claims) where b.status != .inconclusive {
        #expect(a.status == b.status, "\(name) \(settings): \(a.name)")
      }
      options.engine = .both
      #expect(try datapath.prove(options).status == own.status, "\(name) \(settings)")
    }
  }

  /// Random statements, so that every operation is translated.
  @Test func agreesOnRandomStatements() throws {
    var answers = 0
    for seed in 0..<150 {
      var random = SplitMix64(seed: UInt64(seed) + 77)
      let body =
        "inputs: {a: signed 3, b: unsigned 3, c: -1 ... 2, d: signed 2}\ntables: {t: [3, -1, 4, -1, 5, -9, 2, 6]}\nclaims:\n"
        + "  c: \(RandomStatement.make(&random))"
      do throws(DiagnosticError) {
        var options = ProofOptions()
        options.resourceLimit = 300_000
        let own = try datapath(body).prove(options)
        options.engine = .z3
        let other = try datapath(body).prove(options)
        if other.status != .inconclusive, own.claims[0].reason?.contains("for no inputs") != true {
          answers += 1
          #expect(own.status == other.status, "seed \(seed): \(body)")
        }
      } catch {
        // The statement shifts or divides beyond what is allowed.
        continue
      }
    }
    #expect(answers >= 60, "\(answers)")
  }

  /// Comparisons of five words have too many cases; Z3 sees through them.
  @Test func answersWhereCasesAreTooMany() throws {
    var options = ProofOptions()
    options.engine = .cases
    options.budget = 10_000
    let datapath = try Datapath.load("merge-clamps", root: repositoryRoot)
    #expect(try datapath.prove(options).status == .inconclusive)
    options.engine = .auto
    let proof = try datapath.prove(options)
    #expect(proof.status == .proved && proof.claims.allSatisfy { $0.method == "z3" })
  }
}
