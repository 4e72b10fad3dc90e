import Foundation
import PantileIR
import PantileSupport
import PantileText
import Testing

@Suite struct ModuleTests {
  let text = """
    module {
      func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>) {
        %a = t.relu %x : tensor<4xf32> loc("first")
        %b = t.relu %a {alpha = 1} : tensor<4xf32> loc("second")
        %0 = t.relu %b : tensor<4xf32> loc("third")
        func.return %0 : tensor<4xf32>
      }
    }

    """

  @Test func textRoundTripsInBothForms() throws {
    let module = try TestDialect.module(text)
    try module.verify(TestDialect.registry)
    #expect(try module.print(.init(form: .short), registry: TestDialect.registry) == text)
    let generic = try module.print()
    #expect(generic.contains("alpha = 0 : i64"))
    let again = try TestDialect.module(generic)
    #expect(try again.print() == generic)
    #expect(try again.print(.init(form: .short), registry: TestDialect.registry) == text)
  }

  @Test func readsOpsValuesAndUses() throws {
    let module = try TestDialect.module(text)
    let function = try module.mainFunction()
    let ops = module.ops(inBodyOf: function)
    #expect(ops.map { module.name(of: $0) } == ["t.relu", "t.relu", "t.relu", "func.return"])
    let first = module[ops[0]]
    #expect(try first.operandTensor(0) == TensorType([4], .f32))
    #expect(try first.integer("alpha") == 0)
    #expect(module.users(of: first.result) == [ops[1]])
    #expect(module.definingOp(of: module[ops[1]].operands[0]) == ops[0])
    #expect(first.location == .named("first"))
    #expect(module.name(of: first.result) == "a")
    #expect(module.symbol("main") == function)
  }

  @Test func rewriterReplacesErasesAndFusesLocations() throws {
    var rewrite = RewriteContext(try TestDialect.module(text), registry: TestDialect.registry)
    let ops = rewrite.module.ops(inBodyOf: try rewrite.module.mainFunction())
    let new = try rewrite.insert(
      "t.relu", operands: rewrite.module.operands(of: ops[0]), at: .before(ops[1]), location: .named("new"))
    rewrite.replace(ops[1], with: rewrite.module.results(of: new))
    rewrite.eraseIfUnused(ops[0])
    try rewrite.module.verify(TestDialect.registry)
    #expect(rewrite.module.isErased(ops[0]) && rewrite.module.isErased(ops[1]))
    #expect(rewrite.module[new].location.names == ["new", "second"])
    #expect(rewrite.module[new].resultType == .tensor([4], .f32))
    #expect(try rewrite.module[new].string("mode") == "a")
    #expect(rewrite.module.name(of: rewrite.module[new].result) == "b")
    #expect(rewrite.module.operands(of: ops[2]) == rewrite.module.results(of: new))
    #expect(rewrite.changeCount > 0)
  }

  @Test func moduleIsAValue() throws {
    let original = try TestDialect.module(text)
    var rewrite = RewriteContext(original, registry: TestDialect.registry)
    let ops = original.ops(inBodyOf: try original.mainFunction())
    rewrite.setAttribute(of: ops[0], "alpha", 9)
    rewrite.move(ops[0], to: .start(original.block(of: ops[0])!))
    #expect(try original[ops[0]].integer("alpha") == 0)
    #expect(try rewrite.module[ops[0]].integer("alpha") == 9)
  }

  @Test func movesAndChangesOperands() throws {
    var rewrite = RewriteContext(try TestDialect.module(text), registry: TestDialect.registry)
    let ops = rewrite.module.ops(inBodyOf: try rewrite.module.mainFunction())
    rewrite.move(ops[0], to: .after(ops[1]))
    #expect(throws: DiagnosticError.self) { try rewrite.module.verify(TestDialect.registry) }
    rewrite.setOperand(of: ops[1], 0, to: rewrite.module.operands(of: ops[0])[0])
    rewrite.setOperand(of: ops[2], 0, to: rewrite.module.results(of: ops[0])[0])
    rewrite.setOperand(of: ops[0], 0, to: rewrite.module.results(of: ops[1])[0])
    try rewrite.module.verify(TestDialect.registry)
    #expect(rewrite.module.ops(inBodyOf: try rewrite.module.mainFunction()).prefix(2) == [ops[1], ops[0]])
    let block = rewrite.module.block(of: ops[0])!
    let extra = rewrite.appendArgument(to: block, .f32, name: "odd name")
    _ = rewrite.appendArgument(to: block, .i8)
    #expect(rewrite.module.arguments(of: block).count == 3)
    #expect(rewrite.module.name(of: extra) == "odd_name")
  }

  @Test(arguments: [
    ("%a = t.relu %q : tensor<4xf32>", "undefined-value"),
    ("%a = t.relu %x : tensor<5xf32>", "type-mismatch"),
    ("%x = t.relu %x : tensor<4xf32>", "redefined-value"),
    ("%a = t.relu %b : tensor<4xf32> %b = t.relu %x : tensor<4xf32>", "dominance"),
    ("%a = t.rely %x : tensor<4xf32>", "unknown-op"),
    ("%a = t.relu %x {alpho = 1} : tensor<4xf32>", "unknown-attribute"),
    ("%a = t.relu %x {mode = \"c\"} : tensor<4xf32>", "attribute-kind"),
    ("%a = t.relu %x : (tensor<4xf32>) -> tensor<5xf32>", "result-type"),
    ("%a = t.relu %x, %x : tensor<4xf32>", "operand-count"),
    ("t.relu %x : (tensor<4xf32>) -> ()", "result-count"),
    ("%a = t.relu %x ({}) : tensor<4xf32>", "region-count"),
    ("%a = \"o.x\"() : () -> f32 %b = t.relu %a : (f32) -> tensor<4xf32>", "operand-type"),
    ("func.return func.return", "not-last"),
    ("\"o.x\"()[^nowhere] : () -> ()", "unknown-block"),
    ("func.func @g() { %c = t.relu %x : tensor<4xf32> }", "undefined-value"),
    ("%a = t.relu %x : (tensor<4xf32>) -> tensor<?xf32>", "result-type"),
  ])
  func mistakesHaveTheirCode(_ body: String, _ code: String) {
    do {
      let module = try TestDialect.module("func.func @main(%x: tensor<4xf32>) {\n\(body)\n}")
      try module.verify(TestDialect.registry)
      Issue.record("accepted")
    } catch let error as DiagnosticError {
      #expect(error.codes == [code], "\(error.rendered)")
      #expect(error.diagnostics[0].location.filePosition?.line == 2)
    } catch { Issue.record("wrong error \(error)") }
  }

  @Test func blocksDominate() throws {
    let text = { (use: String) in
      """
      "o.region"() ({
        %c = "o.c"() : () -> i1
        "o.branch"()[^left, ^right] : () -> ()
      ^left:
        %l = "o.c"() : () -> i1
        "o.branch"()[^join] : () -> ()
      ^right:
        "o.branch"()[^join] : () -> ()
      ^join:
        "o.use"(%\(use)) : (i1) -> ()
      }) : () -> ()
      """
    }
    try TestDialect.module(text("c")).verify(TestDialect.registry)
    #expect(throws: DiagnosticError.self) { try TestDialect.module(text("l")).verify(TestDialect.registry) }
    let printed = try TestDialect.module(text("c")).print()
    #expect(try TestDialect.module(printed).print() == printed)
  }

  @Test func allMistakesAreReportedAtOnce() {
    let text = "func.func @main(%x: f32) { t.relu %x : (f32) -> ()\n t.rely\n t.relu }"
    do {
      try TestDialect.module(text).verify(TestDialect.registry)
      Issue.record("accepted")
    } catch let error as DiagnosticError { #expect(error.diagnostics.count >= 3) } catch { Issue.record("\(error)") }
  }

  @Test func resourcesAreKeptWhenUsed() throws {
    var rewrite = RewriteContext(
      try TestDialect.module(#""o.c"() {v = [dense_resource<w> : tensor<2xi8>]} : () -> ()"#),
      registry: TestDialect.registry)
    rewrite.setResource("w", Resource(.bytes(Data([1, 2]))))
    rewrite.setResource("unused", Resource(.bytes(Data([1, 2]))))
    let printed = try rewrite.module.print()
    #expect(printed.contains("w: \"0x040000000102\"") && !printed.contains("unused"))
    let again = try TestDialect.module(printed)
    #expect(try again.resources["w"]?.data() == Data([1, 2]))
    #expect(Resource(.absent).isAbsent)
    #expect(throws: DiagnosticError.self) {
      try Resource(.file(path: "/nonexistent/file", offset: 0, length: 1)).data()
    }
  }
}
