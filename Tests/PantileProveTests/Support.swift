import Foundation
import PantileProve
import PantileSupport
import Testing

let repositoryRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path

/// The text of a shipped file.
func shippedText(_ name: String) throws -> String {
  try AtomicFile.readText("\(repositoryRoot)/Targets/datapaths/\(name).yaml")
}

/// A datapath with these lines behind name, kind and summary.
func datapath(_ body: String, settings: [String] = []) throws(DiagnosticError) -> Datapath {
  try DatapathFile(text: "name: t\nkind: encoding\nsummary: test\n\(body)\n", path: "t.yaml", root: repositoryRoot)
    .datapath(settings)
}

/// The codes that reading or elaborating gives.
func codes(_ body: String, settings: [String] = []) -> [String] {
  do throws(DiagnosticError) {
    _ = try datapath(body, settings: settings).prove()
    return []
  } catch {
    return error.codes
  }
}

extension FunctionalModel {
  /// The number of points; nil when there are more than `limit`.
  func pointCount(limit: Int) -> Int? {
    var count = 1
    for input in inputs {
      let (product, overflow) = count.multipliedReportingOverflow(by: input.range.count)
      if overflow || product > limit { return nil }
      count = product
    }
    return count
  }

  /// Whether each claim holds at every point: by trying all.
  func enumerated() throws(DiagnosticError) -> [Bool] {
    var point = inputs.map(\.range.lowerBound)
    var result = claimNames.map { _ in true }
    while true {
      for (index, holds) in try holds(at: point).enumerated() where !holds { result[index] = false }
      var index = 0
      while index < inputs.count {
        if point[index] < inputs[index].range.upperBound {
          point[index] += 1
          break
        }
        point[index] = inputs[index].range.lowerBound
        index += 1
      }
      if index == inputs.count { return result }
    }
  }
}

/// Expects that the engine says of every claim what trying all points says, and that counterexamples are ones.
func expectAgreement(
  _ datapath: Datapath, _ options: ProofOptions = ProofOptions(), _ label: String
) throws -> Agreement {
  let model = try FunctionalModel(datapath)
  let truth: [Bool]
  do throws(DiagnosticError) { truth = try model.enumerated() } catch {
    // A random change may make numbers that no functional model has.
    return Agreement()
  }
  let proof = try datapath.prove(options)
  var counts = Agreement()
  for (claim, holds) in zip(proof.claims, truth) {
    switch claim.status {
    case .proved:
      counts.proved += 1
      #expect(holds, "\(label): '\(claim.name)' is proved and false")
    case .refuted:
      counts.refuted += 1
      #expect(!holds, "\(label): '\(claim.name)' is refuted and true")
      let example = try #require(claim.counterexample, "\(label)")
      #expect(try model.fails(claim.name, at: example), "\(label): '\(claim.name)' holds at its counterexample")
    case .inconclusive:
      // Nothing is claimed where the conditions never hold.
      if claim.reason == "the conditions hold for no inputs" {
        #expect(holds, "\(label): '\(claim.name)' is false somewhere, so that its conditions hold")
      } else {
        counts.open += 1
        counts.reasons.append("\(label): \(claim.reason ?? "")")
      }
    }
  }
  return counts
}

/// How often the engine answered.
struct Agreement {
  var proved = 0
  var refuted = 0
  var open = 0
  /// Why there was no answer.
  var reasons: [String] = []

  static func += (a: inout Agreement, b: Agreement) {
    a.proved += b.proved
    a.refuted += b.refuted
    a.open += b.open
    a.reasons += b.reasons
  }
}
