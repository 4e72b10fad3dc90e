import PantileProgram
import PantileSupport
import Testing

/// The race checker against races by definition, on random Programs that were damaged in one place.
struct HazardOracleTests {
  @Test func findsExactlyTheProgramsThatRace() throws {
    var racing = 0
    var sound = 0
    for seed in 0..<40 {
      let sample = try RandomProgram(seed: 9_000 + UInt64(seed))
      #expect(HazardOracle(sample.program).races().isEmpty, "seed \(seed)")
      var random = SplitMix64(seed: UInt64(seed))
      for damage in 0..<10 {
        let program = Self.damaged(sample.program, &random)
        // Forgetting nothing, and whatever nothing can race with any more; on one page, and on many of every size.
        let answers = [(Int.max, nil), (0, nil), (.max, 3), (0, 3)].map { (least: Int, shift: Int?) in
          do throws(DiagnosticError) {
            try program.verify(pruningAbove: least, leastPageShift: shift)
            return [String]()
          } catch {
            return error.diagnostics.map(\.code).sorted()
          }
        }
        #expect(Set(answers).count == 1, "seed \(seed), damage \(damage)")
        let codes = answers[1]
        // Other faults end the check before all commands were looked at.
        let oracle = HazardOracle(program)
        guard !oracle.isStuck, codes.allSatisfy({ $0 == "race" }) else { continue }
        #expect(codes.isEmpty == oracle.races().isEmpty, "seed \(seed), damage \(damage): \(codes)")
        if codes.isEmpty { sound += 1 } else { racing += 1 }
      }
    }
    #expect(racing >= 80 && sound >= 20, "\(racing) programs race, \(sound) do not")
  }

  /// Looking for accesses that nothing can race with any more, always or never, and small pages change no word of the answer.
  @Test func pruningChangesNoAnswer() throws {
    var faulty = 0
    for seed in 0..<12 {
      let sample = try RandomProgram(seed: 9_500 + UInt64(seed), tiles: 120)
      var random = SplitMix64(seed: UInt64(seed))
      for damage in 0..<6 {
        let program = damage == 0 ? sample.program : Self.damaged(sample.program, &random)
        let answers = [(0, nil), (7, nil), (64, 3), (.max, nil), (.max, 3)].map { (least: Int, shift: Int?) in
          do throws(DiagnosticError) {
            return "\(try program.verify(pruningAbove: least, leastPageShift: shift)) commands"
          } catch {
            return error.diagnostics.map { "\($0.code): \($0.message)" }.sorted().joined(separator: "\n")
          }
        }
        #expect(Set(answers).count == 1, "seed \(seed), damage \(damage): \(answers)")
        if !answers[0].hasSuffix("commands") { faulty += 1 }
      }
    }
    #expect(faulty >= 20)
  }

  /// Takes out a wait, moves a write, or signals the end of a read where it was the end of the write.
  private static func damaged(_ program: Program, _ random: inout SplitMix64) -> Program {
    var program = program
    let queue = random.next(below: program.queues.count)
    let target = random.next(below: max(1, FlatQueue(program.queues[queue]).commands.count))
    var number = 0
    let kind = random.next(below: 3)
    let choice = random.next(below: 1 << 20)
    func change(_ nodes: [Program.Node]) -> [Program.Node] {
      nodes.map { node in
        switch node {
        case .loop(let count, let body): return .loop(count: count, change(body))
        case .command(var command):
          defer { number += 1 }
          guard number == target else { return node }
          switch kind {
          case 0 where !command.waits.isEmpty: command.waits.remove(at: choice % command.waits.count)
          case 1:
            let shift = (choice % 65 - 32) * 8
            switch command.operation {
            case .copy(var copy):
              copy.destination.baseBits.constant += shift
              command.operation = .copy(copy)
            case .vector(var map):
              map.output.baseBits.constant += shift
              command.operation = .vector(map)
            case .contract(var tile):
              tile.accumulators.baseBits.constant += shift * 4
              command.operation = .contract(tile)
            default: break
            }
          default:
            if !command.signals.isEmpty { command.signals[choice % command.signals.count].point = .read(0) }
          }
          return .command(command)
        }
      }
    }
    program.queues[queue].body = change(program.queues[queue].body)
    return program
  }
}
