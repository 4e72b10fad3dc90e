import Foundation
import PantileProgram
import PantileSupport
import PantileTestSupport
import PantileText
import Testing

@Suite struct ProgramTextTests {
  @Test func roundTripsEveryField() throws {
    let program = Samples.everything()
    let text = program.text
    let read = try ProgramText(parsing: text, path: "sample.mlir")
    #expect(try read.program(images: program.images.map(\.bytes)) == program)
    #expect(try read.program(images: program.images.map(\.bytes)).text == text)
  }

  @Test func isMLIRInGenericAndShortForm() throws {
    let program = Samples.everything()
    let file = try TextFile(parsing: program.text, path: "sample.mlir")
    #expect(file.description == program.text)
    let short = file.print(.init(form: .short))
    #expect(try ProgramText(parsing: short, path: "-").program(images: program.images.map(\.bytes)) == program)
    // A generic tool puts the only op into a module.
    let wrapped = "module {\n\(program.text)}\n"
    #expect(try ProgramText(parsing: wrapped, path: "-").program(images: program.images.map(\.bytes)) == program)
  }

  @Test func equalNamesGetSymbolsOfTheirOwn() throws {
    var program = Program(name: "twins")
    _ = program.add(memory: .init(name: "m", kind: .dram, bytes: 64))
    for name in ["c", "c", "", "c_1", ""] {
      _ = program.add(layer: .init(name: name, nodes: [], kind: "k", macs: 0))
    }
    _ = program.add(queue: .init(core: "core0", engine: "dma0"))
    _ = program.add(queue: .init(core: "core0", engine: "dma0"))
    for _ in 0..<3 {
      _ = program.add(
        channel: Channel(
          name: "full", role: .data, producer: QueueID(1), consumer: QueueID(0), initial: 0, capacity: 1))
    }
    #expect(try Program(parsing: program.text) == program)
  }

  @Test func imagesAreCheckedBySizeAndHash() throws {
    let program = Samples.everything()
    let read = try ProgramText(parsing: program.text, path: "-")
    #expect(read.imageReferences.map(\.byteCount) == program.images.map(\.bytes.count))
    #expect(codes { try read.program(images: []) } == ["image-count"])
    #expect(codes { try read.program(images: [[1, 2, 3]]) } == ["image-size"])
    var bytes = program.images[0].bytes
    bytes[0] ^= 1
    #expect(codes { try read.program(images: [bytes]) } == ["image-hash"])
  }

  @Test func errorsPointAtTheirColumn() throws {
    let text = """
      "program.module"() ({
        "program.memory"() {bytes = 64, kind = "dram", sym_name = "dram"} : () -> ()
        "program.layer"() {sym_name = "l"} : () -> ()
        "program.queue"() ({
          "dma.copy"() {layer = @l, src = #program.access<@dram[0] : i8, dims(4 by 1)>,
            dst = #program.access<@drum[0] : i8, dims(4 by 1)>} : () -> ()
        }) {core = "core0", engine = "dma0", sym_name = "core0.dma0"} : () -> ()
      }) {sym_name = "p"} : () -> ()
      """
    let error = try #require(diagnostics { try Program(parsing: text, path: "p.mlir") })
    #expect(error.codes == ["unknown-symbol"])
    #expect(error.diagnostics[0].location == .file(path: "p.mlir", line: 6, column: 29))
    #expect(error.rendered.contains("did you mean '@dram'"))
    #expect(error.rendered.split(separator: "\n").last == "                              ^")
  }

  @Test(arguments: [
    ("kind = \"dram\"", "kind = \"drom\"", "attribute-choice"),
    ("bytes = 64", "bytes = -1", "attribute-range"),
    ("bytes = 64", "bites = 64", "unknown-attribute"),
    ("bytes = 64, ", "", "missing-attribute"),
    ("layer = @l", "layer = @k", "unknown-symbol"),
    ("layer = @l", "layer = \"l\"", "attribute-kind"),
    ("\"dma.copy\"", "\"dma.kopy\"", "unknown-operation"),
    ("\"program.layer\"", "\"program.layers\"", "unknown-operation"),
    ("dims(4 by 1)", "dims(4 at 1)", "program-syntax"),
    ("dims(4 by 1)", "dims(4 by 1), dims(4 by 1)", "program-syntax"),
    ("dims(4 by 1)", "dims(4 by 99999999999999999999)", "number-range"),
    ("dims(4 by 1)", "dims(4 by 99999999999999999)", "number-range"),
    ("dims(4 by 1)", "dims(4 by 1), bounds(d1 below 3)", "program-syntax"),
    ("[0]", "[0 + ]", "program-syntax"),
    ("[0]", "[9223372036854775807*i0 + 9223372036854775807*i0]", "number-range"),
    ("[0]", "[d0]", "program-syntax"),
    ("#program.access<@dram[0] : i8, dims(4 by 1)>,", "7,", "attribute-kind"),
    (": i8", ": u8", "program-syntax"),
    ("sym_name = \"p\"", "sym_name = \"p\", version = 2", "program-version"),
    ("\"program.module\"", "\"program.modul\"", "program-syntax"),
    ("engine = \"dma0\"", "engine = \"dma0", "syntax"),
    ("signal<@c at written>", "signal<@c at writen>", "program-syntax"),
    ("signal<@c at written>", "signal<@c at read(x)>", "program-syntax"),
    ("wait<@c>", "wait<@c when firstly(i0)>", "program-syntax"),
    ("addI32(r0, r1)", "addI33(r0, r1)", "program-syntax"),
    ("addI32(r0, r1)", "addI32(r0)", "program-syntax"),
    ("addI32(r0, r1)", "addI32(r0, r1, r2)", "program-syntax"),
    ("sym_name = \"l\"", "sym_name = \"c\"} : () -> ()\n\"program.layer\"() {sym_name = \"c\"", "duplicate-symbol"),
  ])
  func rejects(_ from: String, _ to: String, _ code: String) throws {
    let good = """
      "program.module"() ({
        "program.memory"() {bytes = 64, kind = "dram", sym_name = "dram"} : () -> ()
        "program.layer"() {sym_name = "l"} : () -> ()
        "program.kernel"() {inputs = ["r0: i8 point"], prologue = ["r0 = addI32(r0, r1)"], output = "r0: i8",
          sym_name = "k"} : () -> ()
        "program.channel"() {capacity = 1, consumer = @core0.dma0, producer = @core0.dma0, role = "data",
          sym_name = "c"} : () -> ()
        "program.queue"() ({
          "dma.copy"() {layer = @l, src = #program.access<@dram[0] : i8, dims(4 by 1)>,
            dst = #program.access<@dram[8] : i8, dims(4 by 1)>, signals = [#program.signal<@c at written>]} : () -> ()
          "program.sync"() {layer = @l, waits = [#program.wait<@c>]} : () -> ()
        }) {core = "core0", engine = "dma0", sym_name = "core0.dma0"} : () -> ()
      }) {sym_name = "p"} : () -> ()
      """
    _ = try Program(parsing: good)
    let position = try #require(good.firstRange(of: from))
    let bad = good.replacingCharacters(in: position, with: to)
    let found = try #require(diagnostics { try Program(parsing: bad) })
    #expect(found.codes.contains(code), "\(found.rendered)")
    #expect(found.diagnostics.allSatisfy { $0.location.filePosition != nil })
  }

  @Test func allProblemsAreReportedAtOnce() throws {
    let text = """
      "program.module"() ({
        "program.memory"() {bytes = 64, kind = "drum", sym_name = "dram"} : () -> ()
        "program.layer"() {sym_nam = "l"} : () -> ()
        "program.queue"() ({
          "program.sync"() {layer = @m} : () -> ()
          "program.repeat"() ({
            "program.sync"() {layer = @n} : () -> ()
          }) {count = 2} : () -> ()
        }) {core = "core0", engine = "dma0", sym_name = "core0.dma0"} : () -> ()
      }) {sym_name = "p"} : () -> ()
      """
    let found = try #require(diagnostics { try Program(parsing: text) })
    #expect(found.diagnostics.count >= 4)
  }

  /// Bytes changed at random must give a Program or diagnostics, never a trap.
  @Test func survivesDamagedText() {
    let text = Array(Samples.everything().text.utf8)
    var random = SplitMix64(seed: 11)
    for _ in 0..<2000 {
      var damaged = text
      for _ in 0..<1 + random.next(below: 3) {
        let at = random.next(below: damaged.count)
        switch random.next(below: 4) {
        case 0: damaged.remove(at: at)
        case 1: damaged[at] = UInt8(32 + random.next(below: 95))
        case 2: damaged.insert(UInt8(48 + random.next(below: 10)), at: at)
        default: damaged.removeSubrange(at..<min(damaged.count, at + random.next(below: 200)))
        }
      }
      guard let read = try? ProgramText(parsing: String(decoding: damaged, as: UTF8.self), path: "-") else { continue }
      _ = try? read.skeleton.verify()
    }
  }
}

/// The diagnostics that `body` throws; nil when it throws none.
func diagnostics<T>(_ body: () throws -> T) -> DiagnosticError? {
  do {
    _ = try body()
    return nil
  } catch {
    return error as? DiagnosticError
  }
}

func codes<T>(_ body: () throws -> T) -> [String]? { diagnostics(body)?.codes }
