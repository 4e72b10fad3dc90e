import PantileDialects
import PantileIR
import PantileSupport
import PantileText
import Testing

/// Damaged text must give a diagnostic or a module, never a crash or a hang. A failure prints the seed.
@Suite struct FuzzTests {
  @Test(arguments: 0..<8)
  func damagedTextNeverCrashes(_ seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let examples = Dialects.all.flatMap(\.ops).map(\.example)
    var sources = examples
    for example in examples.prefix(40) {
      sources.append(try Module(parsing: example, path: "e", registry: Dialects.registry).print())
    }
    let pieces = [
      "tensor<", ">", "<", "(", ")", "{", "}", "[", "]", "-9223372036854775808", "9223372036854775807", "%", "^bb", "#",
      "!",
      "loc(", "dense<", "array<i64:", ": i1", "0x", "\"", "\\", "->", "//", "-", "?x", "*x", "affine_map<", "unit",
      "i0",
      "i99999999", "f8E4M3", "1.0e999", "dense_resource<", "{-#", "#-}", "\u{0}", "é", "tensor<0x4xf32>", "-1",
    ]
    for _ in 0..<400 {
      var bytes = Array(sources[random.next(below: sources.count)].utf8)
      for _ in 0...random.next(below: 4) where !bytes.isEmpty {
        let place = random.next(below: bytes.count)
        switch random.next(below: 5) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 2: bytes.insert(contentsOf: pieces[random.next(below: pieces.count)].utf8, at: place)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + random.next(below: 20)))
        default:
          let other = Array(sources[random.next(below: sources.count)].utf8)
          let start = random.next(below: other.count)
          bytes.insert(contentsOf: other[start..<min(other.count, start + 30)], at: place)
        }
      }
      do throws(DiagnosticError) {
        let file = try TextFile(parsing: SourceText(bytes: bytes, path: "fuzz.mlir"))
        let module = try Module(file, registry: Dialects.registry)
        let printed = try module.print()
        // What was accepted prints as text that is accepted and prints the same.
        let again = try Module(parsing: printed, path: "again.mlir", registry: Dialects.registry)
        #expect(try again.print() == printed, "seed \(seed)")
        let short = try module.print(.init(form: .short), registry: Dialects.registry)
        let third = try Module(parsing: short, path: "short.mlir", registry: Dialects.registry)
        #expect(try third.print() == printed, "seed \(seed)\n\(String(decoding: bytes, as: UTF8.self))\n\(short)")
        try module.verify(Dialects.registry)
        let main = try module.mainFunction()
        _ = try module.macs(of: main)
        for op in module.ops(inBodyOf: main) { _ = module[op].users }
      } catch {
        #expect(!error.diagnostics.isEmpty && !error.rendered.isEmpty)
        let unexpected = error.diagnostics.filter { $0.location.filePosition?.path.hasSuffix(".mlir") == true }
          .filter { ["again.mlir", "short.mlir"].contains($0.location.filePosition?.path ?? "") }
        #expect(unexpected.isEmpty, "seed \(seed): \(error.rendered)\n\(String(decoding: bytes, as: UTF8.self))")
      }
    }
  }
}
