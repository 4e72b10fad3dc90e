import Pantile

extension ProveCommand {
  /// One datapath as an object of the schema `pantile.proof/1`, several as a list in one.
  static func json(_ reports: [DatapathReport], isList: Bool, seconds: Double) -> OrderedJSON {
    // The one figure that is not the same in every run.
    let time = OrderedJSON.Entry("cpu_seconds", .number((seconds * 1000).rounded() / 1000))
    guard isList else { return .object([.init("schema", .string("pantile.proof/1"))] + entries(reports[0]) + [time]) }
    return .object([
      .init("schema", .string("pantile.proofs/1")),
      .init("status", .string(reports.allSatisfy { $0.status == .proved } ? "proved" : "not proved")),
      .init("proofs", .integer(reports.reduce(0) { $0 + $1.proofs.count })),
      .init("mutants", .integer(reports.reduce(0) { $0 + $1.mutants.count })),
      .init("mutants_refuted", .integer(reports.reduce(0) { $0 + $1.mutants.count(where: \.isCaught) })),
      .init("datapaths", .list(reports.map { .object(entries($0)) })), time,
    ])
  }

  private static func entries(_ report: DatapathReport) -> [OrderedJSON.Entry] {
    let proof = report.decisive
    var result: [OrderedJSON.Entry] = [
      .init("datapath", .string(report.datapath.name)), .init("kind", .string(report.datapath.kind.rawValue)),
      .init("status", .string(report.status.rawValue)),
      .init("parameters", .object(proof.parameters.map { .init($0.name, .integer($0.value)) })),
      .init("combinations", .integer(report.proofs.count)), .init("claims", .list(proof.claims.map(claim))),
      .init("counterexample", proof.counterexample.map(example) ?? .null),
    ]
    if !report.mutants.isEmpty {
      result.append(
        .init(
          "mutants",
          .list(
            report.mutants.map { item in
              .object([
                .init("name", .string(item.mutant.name)), .init("what", .string(item.mutant.summary)),
                .init("status", .string(item.proof.status.rawValue)),
                .init("counterexample", item.proof.counterexample.map(example) ?? .null),
              ])
            })))
    }
    return result
  }

  private static func claim(_ claim: Proof.Claim) -> OrderedJSON {
    var entries: [OrderedJSON.Entry] = [
      .init("name", .string(claim.name)), .init("status", .string(claim.status.rawValue)),
      .init("method", .string(claim.method)), .init("cases", .integer(claim.cases)),
      .init("rlimit", .optional(claim.solverLimit)),
      .init("counterexample", claim.counterexample.map(example) ?? .null),
    ]
    if let reason = claim.reason { entries.append(.init("reason", .string(reason))) }
    return .object(entries)
  }

  private static func example(_ example: Proof.Counterexample) -> OrderedJSON {
    .object([
      .init("values", .object(example.values.map { .init($0.name, .integer($0.value)) })),
      .init("got", .integer(example.got)), .init("relation", .string(example.relation)),
      .init("expected", .integer(example.expected)),
    ])
  }
}
