import PantileSupport
import PantileText
import Testing

/// Text that must print back as itself (generic form), and text that must be refused with a code.
@Suite struct RoundTripTests {
  @Test(arguments: [
    #""d.op"() : () -> ()"#,
    #"%0 = "d.op"() {a = 5 : i64, b = 1.000000e+00 : f64, c = "x\22\C2\B5\\", flag} : () -> tensor<1x?x4xf32>"#,
    #"%a, %b:2 = "d.two"() : () -> (i8, si16, ui32)"#,
    #""d.op"() {v = 3.40282347E+38 : f32, w = 0x7FC00000 : f32, z = 0xFFF0000000000000 : f64} : () -> ()"#,
    #""d.op"() {a = [1, true, 2.500000e+00, 3 : i8, @f::@"g h"], d = {x = #d.enc<a -> (b), "<">}, t = !d.t<1 x 2>} : () -> ()"#,
    #""d.op"() {a = array<i64: 1, -2>, b = array<i1: true, false>, c = array<i8>, f = array<f32: 1.500000e+00>} : () -> ()"#,
    #""d.op"() {a = dense<[[1, 2], [3, -4]]> : tensor<2x2xi8>, b = dense<1> : tensor<4xi32>, c = dense<> : tensor<0xf32>} : () -> ()"#,
    #""d.op"() {a = dense_resource<w> : tensor<2xf32>, m = affine_map<(d0) -> (d0 + 1)>, s = dense<[true, false]> : tensor<2xi1>} : () -> ()"#,
    #""d.op"() {t = () -> (() -> ()), u = memref<4x4xi8, strided<[4, 1]>, "spad">, v = vector<4x[8]xf32>} : () -> ()"#,
    #""d.op"() {t = tensor<0x4xf32>, u = tensor<*xbf16>, v = tensor<64x64xi8, #dnn.nm<2:4>>, w = tuple<i1, complex<f32>>} : () -> ()"#,
    #""d.op"() {a = #d.typed<1> : i32, b = "s" : !d.t, h = 1.500000e+00 : f16, "odd key" = unit_like} : () -> ()"#
      .replacing("unit_like", with: "i8"),
    #""d.op"() {i = 18446744073709551615 : ui64, j = -128 : i8} : () -> () loc("Conv_0"("f.onnx":1:20))"#,
    #""d.op"() : () -> () loc(fused["a", "b"("f":1:2)])"#,
  ])
  func genericTextIsAFixpoint(_ text: String) throws {
    let op = try OpSyntax(parsing: text)
    #expect(op.description == text + "\n")
    #expect(try OpSyntax(parsing: op.description) == op || op.location.names.isEmpty)
  }

  @Test func regionsBlocksAndSuccessorsRoundTrip() throws {
    let text = """
      "d.outer"() ({
        %0 = "d.make"() : () -> i32
        "d.branch"(%0)[^next, ^last] : (i32) -> ()
      ^next:
        "d.branch"(%0)[^last] : (i32) -> ()
      ^last(%a: i32):
        "d.end"(%a) : (i32) -> ()
      }, {
      ^bb0(%x: f32, %y: f32):
        "d.end"() : () -> ()
      }) {n = 1 : i64} : () -> ()

      """
    let file = try TextFile(parsing: text, path: "t.mlir")
    #expect(file.description == text)
  }

  @Test func shortFormRoundTrips() throws {
    let text = """
      module @m {
        func.func @main(%x: tensor<4xf32> {dnn.name = "in"}, %y: tensor<4xf32>) -> (tensor<4xf32>) {
          %0 = d.add %x, %y {a = 1} : tensor<4xf32>
          %1 = d.cast %0 : (tensor<4xf32>) -> tensor<4xi8>
          d.effect
          %2 = func.call @f(%1) : (tensor<4xi8>) -> tensor<4xf32>
          func.return %2 : tensor<4xf32>
        }
        func.func private @f(tensor<4xi8>) -> (tensor<4xf32>)
      }

      """
    let file = try TextFile(parsing: text, path: "t.mlir")
    #expect(file.print(.init(form: .short)) == text)
    let generic = file.description
    #expect(try TextFile(parsing: generic, path: "g.mlir").print(.init(form: .short)) == text)
  }

  @Test func resourcesRoundTrip() throws {
    let text = """
      "d.op"() {v = dense_resource<w.0> : tensor<2xi8>} : () -> ()

      {-#
        dialect_resources: {
          builtin: {
            w.0: "0x04000000FF01"
          }
        }
      #-}

      """
    let file = try TextFile(parsing: text, path: "t.mlir")
    #expect(file.resources == [.init(key: "w.0", bytes: [255, 1])])
    #expect(file.description == text)
  }

  @Test func aliasesAreInlinedAndLocationAliasesMayComeLater() throws {
    let text = """
      #map = affine_map<(d0) -> (d0)>
      !t = tensor<4xf32>
      %0 = "d.op"() {m = #map} : () -> !t loc(#loc1)
      #loc1 = loc("x"(#loc2))
      #loc2 = loc("f":3:4)
      """
    let op = try OpSyntax(parsing: text)
    #expect(op.resultTypes == [.tensor([4], .f32)])
    #expect(op.location == .name("x", .file(path: "f", line: 3, column: 4)))
  }

  @Test(arguments: [
    (#""d.op"("#, "syntax"), (#""d.op"() : () -> tensor<4xq>"#, "syntax"), (#""d.op"(%a) : () -> ()"#, "operand-count"),
    (#"%a, %b = "d.op"() : () -> i8"#, "result-count"), (#""d.op"() {a = 1, a = 2} : () -> ()"#, "duplicate-attribute"),
    (#""d.op"() {a = 256 : i8} : () -> ()"#, "number-range"), (#""d.op"() {a = 1 : f32} : () -> ()"#, "number-type"),
    (#""d.op"() {a = #undefined} : () -> ()"#, "unknown-alias"), (#""d.op"() {a = 1e5} : () -> ()"#, "syntax"),
    (#""d.op"() {a = dense<[1, 2]> : tensor<3xi8>} : () -> ()"#, "dense-size"), (#""\q"() : () -> ()"#, "syntax"),
    (#""d.op"() {a = dense<[[1], [2, 3]]> : tensor<2x2xi8>} : () -> ()"#, "dense-size"),
    (#""d.op"() {a = dense<"0x00"> : tensor<3xi8>} : () -> () "#, "ok"),
    (#""d.op"() {a = dense<"0x0000"> : tensor<3xi8>} : () -> () "#, "dense-size"),
    ("\"d.op\"() {a = \"\\FF\"} : () -> ()", "not-utf8"), (#""d.op"() {a = #d.x<(>} : () -> ()"#, "syntax"),
    (#""d.op"() {a = 99999999999999999999} : () -> ()"#, "number-range"),
    (#""d.op"() : () -> () loc(#x)"#, "unknown-alias"),
    (#""d.op"() {a = tensor<99999999999999999999xf32>} : () -> ()"#, "number-range"),
    (#""d.op"() {a = dense<1> : tensor<9999999999x9999999999xi8>} : () -> ()"#, "number-range"),
    (#""d.op"() ({^a: "d.x"() : () -> () ^a: "d.x"() : () -> ()}) : () -> ()"#, "duplicate-block"),
    (#"#a = 1 #a = 2"#, "duplicate-alias"),
    (#"{-# dialect_resources: {builtin: {k: "0x03000000"}} #-}"#, "resource-alignment"),
  ])
  func malformedTextIsRefusedWithAPlace(_ text: String, _ code: String) {
    do {
      _ = try TextFile(parsing: text, path: "bad.mlir")
      #expect(code == "ok")
    } catch {
      #expect(error.codes == [code])
      #expect(error.diagnostics[0].location.filePosition?.path == "bad.mlir")
      #expect(error.diagnostics[0].sourceLine != nil)
    }
  }

  @Test(arguments: ["(", "[", "{a=", "tensor<4x", "tuple<", "loc(\"a\"(", "({\"d.op\"() ", "fused[", "() -> "])
  func deepNestingIsRefused(_ piece: String) {
    for prefix in ["", "\"d.op\"() {a = ", "\"d.op\"() ", "\"d.op\"() : () -> () loc("] {
      let text = prefix + String(repeating: piece, count: 100_000)
      #expect(throws: DiagnosticError.self) { try TextFile(parsing: text, path: "deep.mlir") }
    }
  }

  @Test func aliasBombIsRefused() {
    var text = "#a0 = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    for level in 1...12 {
      text += "#a\(level) = [\(Array(repeating: "#a\(level - 1)", count: 10).joined(separator: ", "))]\n"
    }
    text += "\"d.op\"() {a = #a12} : () -> ()"
    do {
      _ = try TextFile(parsing: text, path: "bomb.mlir")
      Issue.record("the bomb was accepted")
    } catch { #expect(error.codes == ["alias-expansion"]) }
  }

  @Test func typedGettersNameOpAndAttribute() throws {
    let op = try OpSyntax(parsing: #""d.op"() {rows = 4, names = ["a", "b"], f = 0.5} : () -> ()"#, path: "p.mlir")
    #expect(try op.integer("rows") == 4)
    #expect(try op.strings("names") == ["a", "b"])
    #expect(try op.number("f") == 0.5)
    #expect(try op.integer("columns", default: 7) == 7)
    #expect(throws: DiagnosticError.self) { try op.integer("columns") }
    do { _ = try op.integer("names") } catch {
      #expect(error.codes == ["attribute-kind"])
      #expect(error.rendered.contains("p.mlir:1:1"))
      #expect(error.rendered.contains("'names' of 'd.op'"))
    }
  }

  @Test func handBuiltTreePrintsAndParses() throws {
    var op = OpSyntax("program.repeat", attributes: ["count": 4])
    op.body = [OpSyntax("program.sync", attributes: ["wait": .symbol("b_full")])]
    #expect(try OpSyntax(parsing: op.description).body.first?.symbol("wait") == "b_full")
    #expect(
      Printer.print(op, .init(form: .short))
        == "program.repeat ({\n  program.sync {wait = @b_full}\n}) {count = 4}\n")
    #expect(try OpSyntax(parsing: Printer.print(op, .init(form: .short))).integer("count") == 4)
  }
}
