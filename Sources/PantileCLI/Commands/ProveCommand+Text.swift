import Pantile

extension ProveCommand {
  /// One datapath with its claims and mutants.
  static func text(_ report: DatapathReport) -> String {
    let proof = report.decisive
    var text = "\(report.datapath.name): \(report.datapath.summary)\n"
    if !proof.parameters.isEmpty { text += "  with \(parameters(proof))\n" }
    if report.proofs.count > 1 {
      let proved = report.proofs.count { $0.status == .proved }
      text += "  \(proved) of \(report.proofs.count) combinations of parameters proved\n"
    }
    let width = (proof.claims.map(\.name.count) + report.mutants.map(\.mutant.name.count)).max() ?? 0
    func padded(_ name: String) -> String { name + String(repeating: " ", count: max(0, width - name.count)) }
    text += "claims:\n"
    for claim in proof.claims {
      text += "  \(padded(claim.name))  \(claim.status.rawValue) by \(method(claim))\n"
      if let reason = claim.reason { text += "    \(reason)\n" }
      if let example = claim.counterexample { text += "    \(line(example))\n" }
    }
    if !report.mutants.isEmpty {
      text += "mutants:\n"
      for item in report.mutants {
        text += "  \(padded(item.mutant.name))  \(item.proof.status.rawValue)"
        text += item.isCaught ? "\n" : ": survives; \(item.mutant.summary)\n"
        if let example = item.proof.counterexample { text += "    \(line(example))\n" }
      }
      text += "\(report.mutants.count(where: \.isCaught)) of \(report.mutants.count) mutants refuted\n"
    }
    return text + "\(report.status.rawValue)\n"
  }

  /// A row a datapath, then totals and what is not as it should be.
  static func table(_ reports: [DatapathReport], mutants: Bool) -> String {
    var rows: [[String]] = []
    for report in reports {
      let proved = report.proofs.count { $0.status == .proved }
      let row = [
        report.datapath.name, report.datapath.kind.rawValue, report.status.rawValue,
        "\(proved)/\(report.proofs.count)", "\(report.proofs.reduce(0) { $0 + $1.claims.count })",
        Table.grouped(report.proofs.reduce(0) { $0 + $1.cases }),
      ]
      rows.append(row + (mutants ? ["\(report.mutants.count(where: \.isCaught))/\(report.mutants.count)"] : []))
    }
    var text = Table.text(
      ["datapath", "kind", "status", "proved", "claims", "cases"] + (mutants ? ["mutants"] : []), rows)
    let proofs = reports.reduce(0) { $0 + $1.proofs.count }
    let claims = reports.reduce(0) { $0 + $1.proofs.reduce(0) { $0 + $1.claims.count } }
    text += "\n\(claims) claims of \(proofs) datapaths with parameters"
    if mutants {
      let all = reports.flatMap(\.mutants)
      text += ", \(all.count(where: \.isCaught)) of \(all.count) mutants refuted"
    }
    text += "\n"
    for report in reports {
      for proof in report.proofs where proof.status != .proved {
        text += "\(report.datapath.name) \(proof.status.rawValue) with \(parameters(proof))\n"
        for claim in proof.claims where claim.status != .proved {
          let detail = claim.counterexample.map(line) ?? claim.reason ?? ""
          text += "  \(claim.name): \(detail)\n"
        }
      }
      for item in report.mutants where !item.isCaught {
        text += "mutant \(item.mutant.name) of \(report.datapath.name) survives: \(item.proof.status.rawValue)\n"
      }
    }
    return text
  }

  private static func parameters(_ proof: Proof) -> String {
    proof.parameters.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
  }

  private static func method(_ claim: Proof.Claim) -> String {
    let cases = claim.method.contains("cases") ? ", \(Table.grouped(claim.cases)) cases" : ""
    return claim.method + cases
  }

  /// `weight 3, activation 1: got 2, expected 3`. Of many inputs those that are 0 are left out, and equal neighbours are one:
  /// `weight[0 ... 15] -128`.
  private static func line(_ example: Proof.Counterexample) -> String {
    let shown = example.values.count <= 8 ? example.values : example.values.filter { $0.value != 0 }
    var runs: [(array: Substring?, first: Int, last: Int, text: String, value: Int)] = []
    for item in shown {
      let parts = item.name.split(separator: "[")
      let index = parts.count == 2 ? Int(parts[1].dropLast()) : nil
      if let index, let run = runs.last, run.array == parts[0], run.last + 1 == index, run.value == item.value {
        runs[runs.count - 1].last = index
      } else {
        runs.append((index.map { _ in parts[0] }, index ?? 0, index ?? 0, item.name, item.value))
      }
    }
    let texts = runs.map { run in
      run.last > run.first
        ? "\(run.array ?? "")[\(run.first) ... \(run.last)] \(run.value)" : "\(run.text) \(run.value)"
    }
    var values = texts.prefix(16).joined(separator: ", ")
    if texts.count > 16 { values += ", …" }
    if shown.count < example.values.count { values += (values.isEmpty ? "" : ", ") + "all others 0" }
    if values.isEmpty { values = "whatever the inputs" }
    switch example.relation {
    case "==": return "\(values): got \(example.got), expected \(example.expected)"
    case "<=": return "\(values): \(example.got) is above \(example.expected)"
    default: return "\(values): the statement is false"
    }
  }
}
