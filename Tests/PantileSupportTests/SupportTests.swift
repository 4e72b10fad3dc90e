import Foundation
import PantileSupport
import Testing

@Suite struct SupportTests {
  @Test func stableHashIsFNV1a() {
    // Published test vectors of the 64-bit variant.
    #expect(StableHash.fnv1a("") == 0xcbf2_9ce4_8422_2325)
    #expect(StableHash.fnv1a("a") == 0xaf63_dc4c_8601_ec8c)
    #expect(StableHash.fnv1a("foobar") == 0x8594_4171_f739_67e8)
    var bytes = StableHash()
    bytes.combine(bytes: Array("foobar".utf8))
    var buffer = StableHash()
    Array("foobar".utf8).withUnsafeBytes { buffer.combine(buffer: $0) }
    #expect(bytes.value == buffer.value)
    #expect(bytes.hexadecimal == "85944171f73967e8")
    var first = StableHash()
    first.combine("ab")
    first.combine("c")
    var second = StableHash()
    second.combine("a")
    second.combine("bc")
    #expect(first.value != second.value)
  }

  @Test func randomNumbersAreThoseOfSplitMix64() {
    // The first outputs for seed 1234567, from the reference implementation.
    var random = SplitMix64(seed: 1_234_567)
    #expect(
      (0..<3).map { _ in random.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      ])
    for _ in 0..<1000 {
      let unit = random.nextUnit24()
      #expect((0..<1).contains(unit))
      #expect((0..<7).contains(random.next(below: 7)))
    }
  }

  @Test func quantitiesCompareAndPrint() {
    #expect(Cycles(3) + Cycles(4) == Cycles(7))
    #expect(Bytes(10) < Bytes(11))
    #expect(Bytes(512).description == "512 B")
    #expect(Bytes(1536).description == "1.5 KiB")
    #expect(Bytes(256 << 10).description == "256 KiB")
    #expect(Bytes(3 << 30).description == "3 GiB")
    #expect(Picojoules(1) + Picojoules(2) == Picojoules(3))
  }

  @Test func locationsFuseWithoutRepeats() {
    let a = SourceLocation.named("a")
    let b = SourceLocation.name("b", .file(path: "f", line: 3, column: 4))
    #expect(a.fused(with: .unknown) == a)
    #expect(a.fused(with: a) == a)
    let both = a.fused(with: b)
    #expect(both.names == ["a", "b"])
    #expect(both.fused(with: a) == both)
    #expect(both.filePosition?.line == 3)
    #expect(b.description == "'b' (f:3:4)")
  }

  @Test func diagnosticsShowTheCaret() {
    let diagnostic = Diagnostic(
      "code", "a is 1 but b is 2", at: .file(path: "f.yaml", line: 2, column: 4), notes: [.init("see b")],
      hint: "change a",
      sourceLine: "\ta: 1")
    #expect(
      diagnostic.rendered
        == "f.yaml:2:4: error: a is 1 but b is 2 [code]\n  \ta: 1\n  \t  ^\n  note: see b\n  hint: change a")
    #expect(DiagnosticError([diagnostic, diagnostic]).codes == ["code", "code"])
  }

  @Test func nearestNames() {
    #expect(nearestName(to: "bandwith", among: ["banks", "bandwidth", "burst"]) == "bandwidth")
    #expect(nearestName(to: "zzz", among: ["banks", "bandwidth"]) == nil)
    #expect(nearestName(to: "ab", among: []) == nil)
  }

  @Test func filesAreWrittenWhole() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "pantile-support-\(UInt64.random(in: 0...UInt64.max))"
    ).path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/a.txt"
    try AtomicFile.write("one", to: path)
    try AtomicFile.write("two", to: path)
    #expect(try AtomicFile.readText(path) == "two")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.txt"])
    #expect(throws: DiagnosticError.self) { try AtomicFile.write("x", to: folder + "/none/a.txt") }
    #expect(throws: DiagnosticError.self) { try AtomicFile.read(folder + "/none") }
    try AtomicFile.write(Data([0xFF, 0xFE]), to: path)
    let error = #expect(throws: DiagnosticError.self) { try AtomicFile.readText(path) }
    #expect(error?.codes == ["not-utf8"])
  }
}
