import Foundation
import PantileSupport
import PantileTarget
import Testing

/// Damaged chip files and overrides end in diagnostics, never in a crash; what loads is sound.
struct ChipFuzzTests {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func damagedChipsGiveDiagnosticsOrSoundChips(_ seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let base = Array(smallChip.utf8)
    let pieces = [
      "9223372036854775807", "-1", "0", "1e999", "0.000001", "99999999 TiB", "KiB", " B/cycle", "GB/s", "ns", "{", "}",
      "[",
      "]", ":", ",", "\n", "  ", "#", "'", "\"", "kind: dram", "extends: systolic-16x16\n", "null", "~", "é", "\t",
      "2:4",
    ]
    for _ in 0..<120 {
      var bytes = base
      for _ in 0...generator.next(below: 3) {
        let position = generator.next(below: bytes.count)
        switch generator.next(below: 3) {
        case 0: bytes.remove(at: position)
        case 1: bytes.insert(contentsOf: pieces[generator.next(below: pieces.count)].utf8, at: position)
        default:
          let end = min(bytes.count, position + generator.next(below: 12))
          bytes.replaceSubrange(position..<end, with: pieces[generator.next(below: pieces.count)].utf8)
        }
      }
      do throws(DiagnosticError) {
        let loaded = try chip(String(decoding: bytes, as: UTF8.self))
        for memory in loaded.memories {
          #expect(memory.size.count > 0 && memory.size.count % memory.banks == 0)
          #expect(memory.bandwidth.cycles(for: 1 << 40) >= 0)
        }
        #expect(try chip(loaded.resolvedText).hash == loaded.hash, "seed \(seed)")
      } catch {
        #expect(!error.rendered.isEmpty)
      }
    }
  }

  @Test func damagedOverridesGiveDiagnostics() throws {
    var generator = SplitMix64(seed: 4)
    let keys = [
      "clock", "memories", "memories.spad", "memories.spad.size", "engines.array0.rows", "energy", "x", "",
      "a.b.c.d.e.f.g.h.i",
    ]
    let values = [
      "", "1", "-1", "1 GHz", "{a: 1}", "[1]", "{", "*x", "&x 1", "99999999999999999999", "0 B", "1 TiB", "null", "'",
      "#",
      "../../x", "a\nb: 2", "1 GHz # c",
    ]
    for _ in 0..<200 {
      let text = keys[generator.next(below: keys.count)] + "=" + values[generator.next(below: values.count)]
      do throws(DiagnosticError) {
        _ = try chip(overrides: [text])
      } catch {
        #expect(!error.rendered.isEmpty)
      }
    }
  }
}
