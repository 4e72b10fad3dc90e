import PantileEngines
import PantileProgram
import PantileSupport
import Testing

@Suite struct ProgramBinaryTests {
  static func samples() throws -> [Program] {
    let array = SystolicOptions(rows: 4, columns: 4)
    var programs = try ProgramFile.names.filter { !$0.hasPrefix("bad-") }.map { try ProgramFile($0).program }
    for seed in 0..<20 { programs.append(try CoreTwinSample(seed: seed, array: array).program) }
    var named = programs[0]
    named.chipHash = "0123456789abcdef"
    named.modelHash = "ü"
    named.images = [
      .init(region: RegionID(0), bytes: Array(0..<named.regions[0].bytes).map { UInt8(truncatingIfNeeded: $0) })
    ]
    return programs + [named]
  }

  @Test func comesBackAsItWas() throws {
    for program in try Self.samples() {
      let words = ProgramBinary.words(of: program)
      #expect(try Program(binary: words, path: "p") == program, "\(program.name)")
      #expect(ProgramBinary.bytes(of: words).count == 8 * words.count)
    }
  }

  @Test func refusesDamage() throws {
    let words = ProgramBinary.words(of: try Self.samples()[0])
    func code(_ words: [Int]) -> String? {
      do {
        _ = try Program(binary: words, path: "p")
        return nil
      } catch {
        return error.diagnostics.first?.code
      }
    }
    #expect(code([]) == "not-a-program")
    #expect(code([words[0]]) == "binary-truncated")
    #expect(code(Array(words.dropLast())) == "binary-truncated")
    #expect(code(words + [0]) == "binary-truncated")
    for index in words.indices.dropFirst(3) {
      var changed = words
      changed[index] ^= 1 << (index % 60)
      #expect(code(changed) == "binary-corrupt")
    }
    var version = words
    version[1] = 99
    #expect(code(version) == "binary-version")
  }

  /// Damage whose hash was made right: refused, or another sound Program that is written exactly so; never a crash.
  @Test func judgesWordsAndNotOnlyTheirHash() throws {
    for program in try Self.samples().prefix(6) {
      let words = ProgramBinary.words(of: program)
      var refused = 0
      for index in words.indices.dropFirst(4) {
        for value in [words[index] &+ 1, words[index] &- 1, -1, Int.max, Int.min, 1 << 40] {
          var changed = words
          changed[index] = value
          changed[ProgramBinary.hashWord] = ProgramBinary.hash(changed)
          do {
            #expect(ProgramBinary.words(of: try Program(binary: changed, path: "p")) == changed)
          } catch {
            refused += 1
          }
        }
      }
      #expect(refused > words.count)
    }
  }
}
