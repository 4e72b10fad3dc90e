import Foundation
import PantilePlan
import PantileProblem
import PantileSupport
import PantileText
import Testing

/// One file of `Tests/Filetests/problem`; see the README there.
struct ProblemFile: CustomTestStringConvertible {
  var name: String
  var text: String
  var testDescription: String { name }

  /// Values of the comments that start with a word, in order.
  func notes(_ word: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      line.hasPrefix("// \(word): ") ? String(line.dropFirst(word.count + 5)) : nil
    }
  }

  /// Expected values by key.
  var expected: [(key: String, value: String)] {
    notes("expect").map { note in
      let parts = note.split(separator: " ", maxSplits: 1).map(String.init)
      return (parts[0], parts.count > 1 ? parts[1] : "")
    }
  }

  static let all: [ProblemFile] = {
    var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    folder = folder.deletingLastPathComponent().appendingPathComponent("Filetests/problem")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".mlir") }.sorted().compactMap { name in
      (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)).map {
        ProblemFile(name: name, text: $0)
      }
    }
  }()
}

struct ProblemFileTests {
  @Test func filesAreFound() { #expect(ProblemFile.all.count >= 12) }

  @Test(arguments: ProblemFile.all) func fileHolds(_ file: ProblemFile) throws {
    let errors = file.notes("error")
    do {
      let parsed = try TextFile(parsing: file.text, path: file.name)
      let problem = try #require(parsed.ops.first)
      let solution = parsed.ops.dropFirst().first
      switch problem.name {
      case TilingProblem.opName: try tiling(TilingProblem(problem), solution, file)
      case ChoiceProblem.opName: try schedule(ChoiceProblem(problem), solution, file)
      case PackingProblem.opName: try packing(PackingProblem(problem), solution, file)
      default: Issue.record("'\(problem.name)' is no problem")
      }
      #expect(errors.isEmpty, "\(file.name) was accepted")
    } catch let error as DiagnosticError {
      #expect(!errors.isEmpty && errors.allSatisfy { error.codes.contains($0) }, "\(error)")
    }
  }

  private func judge(_ file: ProblemFile, _ verify: () throws -> Void) {
    let codes = file.notes("wrong")
    do {
      try verify()
      #expect(codes.isEmpty, "\(file.name): the solution was accepted")
    } catch let error as DiagnosticError {
      #expect(!codes.isEmpty && codes.allSatisfy { error.codes.contains($0) }, "\(error)")
    } catch {
      Issue.record(error)
    }
  }

  private func compare(_ file: ProblemFile, _ method: String, _ status: SolutionStatus, _ found: [String: Int]) {
    for (key, value) in file.expected {
      switch key {
      case "status": #expect(status.description.hasPrefix(value), "\(file.name), \(method): \(status)")
      case "binding": #expect(status.description.contains(value), "\(file.name), \(method): \(status)")
      default: #expect(found[key].map(String.init) == value, "\(file.name), \(method): \(key) is \(found[key] ?? -1)")
      }
    }
  }

  private func tiling(_ problem: TilingProblem, _ given: OpSyntax?, _ file: ProblemFile) throws {
    #expect(try TilingProblem(parsing: problem.text) == problem)
    try problem.check()
    if let given {
      let solution = try TilingSolution(given)
      judge(file) { try problem.verify(solution) }
    }
    for method in TilingProblem.methods {
      let solution = try method.solve(problem, .init())
      try problem.verify(solution)
      #expect(try TilingSolution(parsing: solution.text) == solution)
      var found = ["alternatives": solution.alternatives.count]
      found["cycles"] = solution.alternatives.first?.cycles
      found["bytes"] = solution.alternatives.first?.totalBytes
      compare(file, method.name, solution.status, found)
    }
  }

  private func schedule(_ problem: ChoiceProblem, _ given: OpSyntax?, _ file: ProblemFile) throws {
    #expect(try ChoiceProblem(parsing: problem.text) == problem)
    try problem.check()
    if let given {
      let solution = try ChoiceSolution(given)
      judge(file) { try problem.verify(solution) }
    }
    for method in ChoiceProblem.methods {
      let outcome = try method.solve(problem, .init())
      guard let solution = outcome.solution else {
        if case .unsolved(let status) = outcome, method.name != "greedy" { compare(file, method.name, status, [:]) }
        continue
      }
      try problem.verify(solution)
      #expect(try ChoiceSolution(parsing: solution.text) == solution)
      if method.name != "greedy" {
        compare(file, method.name, solution.status, ["cycles": solution.cycles, "bytes": solution.bytes])
      }
    }
  }

  private func packing(_ problem: PackingProblem, _ given: OpSyntax?, _ file: ProblemFile) throws {
    #expect(try PackingProblem(parsing: problem.text) == problem)
    try problem.check()
    if let given {
      let solution = try PackingSolution(given)
      judge(file) { try problem.verify(solution) }
    }
    switch try problem.pack() {
    case .solved(let solution):
      try problem.verify(solution)
      #expect(try PackingSolution(parsing: solution.text) == solution)
      compare(file, "pack", solution.status, ["height": solution.height, "conflicts": solution.bankConflicts])
    case .unsolved(let status, _, _): compare(file, "pack", status, [:])
    }
  }

  @Test func randomProblemsComeBackEqual() throws {
    for seed in 0..<30 {
      var random = SplitMix64(seed: UInt64(seed))
      let tiling = randomTiling(&random)
      #expect(try TilingProblem(parsing: tiling.text) == tiling)
      let schedule = randomSchedule(&random, steps: 4, streamedAlways: true)
      #expect(try ChoiceProblem(parsing: schedule.text) == schedule)
      let solution = try tiling.search()
      #expect(try TilingSolution(parsing: solution.text) == solution)
    }
  }
}
