import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileText
import Synchronization
import Testing

@Suite struct PassManagerTests {
  static let text = """
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %a = dnn.relu %x : tensor<4xf32>
      %b = dnn.relu %a : tensor<4xf32>
      func.return %b : tensor<4xf32>
    }
    """

  @Test(arguments: [
    ("canonicalize", "builtin.module(func.func(canonicalize))"),
    ("cse,dce", "builtin.module(func.func(cse,dce))"),
    ("", "builtin.module()"),
    (
      " builtin.module( func.func( cse , dce ), quantize{ weight-bits=4 skip=a,b } ) ",
      "builtin.module(func.func(cse,dce),quantize{weight-bits=4 skip=a,b})"
    ),
    ("any(cse),any(func.func(dce))", "builtin.module(func.func(cse,dce))"),
    ("fold-constants{dequantize}", "builtin.module(func.func(fold-constants{dequantize=\"\"}))"),
    ("quantize{skip=\"a b\"}", "builtin.module(quantize{skip=\"a b\"})"),
  ])
  func pipelineTextRoundTrips(_ text: String, _ canonical: String) throws {
    let pipeline = try PassPipeline(parsing: text)
    #expect(pipeline.description == canonical)
    #expect(try PassPipeline(parsing: canonical).description == canonical)
  }

  @Test(arguments: [
    ("canonicalise", "unknown-pass"), ("cse,", "pipeline-syntax"), ("cse dce", "pipeline-syntax"),
    ("func.func(cse", "pipeline-syntax"), ("func.func(quantize)", "pass-scope"),
    ("quantize{weight-bit=4}", "unknown-option"), ("quantize{weight-bits=many}", "option-value"),
    ("quantize{method=best}", "option-value"), ("cse{x=1}", "unknown-option"), ("cse{", "pipeline-syntax"),
    ("cse(dce)", "pipeline-syntax"), ("quantize{skip=\"a}", "pipeline-syntax"), ("lower-qdq,quantize", "pass-order"),
    ("quantize,prune-nm", "pass-order"), ("fold-batch-norm,fold-constants", "pass-order"),
    ("func.func(builtin.module(cse))", "pipeline-syntax"), (")", "pipeline-syntax"),
  ])
  func pipelineMistakesHaveTheirCode(_ text: String, _ code: String) {
    #expect { try PassPipeline(parsing: text) } throws: { error in
      (error as? DiagnosticError)?.codes == [code] && (error as? DiagnosticError)?.diagnostics[0].sourceLine == text
    }
  }

  @Test func nearestNamesAreSuggested() {
    #expect { try PassPipeline(parsing: "canonicalise,quantise{weight-bits=4}") } throws: { error in
      (error as? DiagnosticError)?.diagnostics.map(\.hint)
        == ["did you mean 'canonicalize'?", "did you mean 'quantize'?"]
    }
  }

  @Test func orderErrorsGiveTheReason() {
    #expect { try PassPipeline(parsing: "quantize,prune-nm") } throws: { error in
      "\(error)".contains("weights must be dropped before the rest is rounded")
    }
    // A second run cleans up and is not bound.
    #expect(throws: Never.self) { try PassPipeline(parsing: "fold-constants,fold-batch-norm,fold-constants") }
  }

  @Test func typedOptionsBecomeText() throws {
    var options = QuantizeOptions()
    options.weightBits = 4
    options.layerBits = [.init(node: "conv:1", bits: 8)]
    let pipeline = PassPipeline([.init(.quantize, options)])
    #expect(pipeline.description == "builtin.module(quantize{weight-bits=4 layer-bits=conv:1:8})")
    #expect(try PassPipeline(parsing: pipeline.description).description == pipeline.description)
  }

  @Test func hooksSeeEveryStep() throws {
    let module = try Module(verifying: Self.text, path: "t.mlir")
    let seen = Mutex<[String]>([])
    var manager = PassManager(try PassPipeline(parsing: "cse,canonicalize,dce"), registry: Dialects.registry)
    manager.options.printAfter = ["canonicalize"]
    manager.willRun = { name in seen.withLock { $0.append("run \(name)") } }
    manager.didRun = { record in seen.withLock { $0.append("\(record.pass) \(record.changeCount > 0)") } }
    manager.didPrint = { name, _ in seen.withLock { $0.append("print \(name)") } }
    let outcome = try manager.run(module)
    #expect(
      seen.withLock { $0 } == [
        "run cse", "cse false", "run canonicalize", "canonicalize true", "print canonicalize", "run dce", "dce false",
      ])
    #expect(outcome.records.count == 3 && outcome.records[1].duration > .zero)
  }

  @Test func bisectionLeavesOutOptionalPasses() throws {
    let module = try Module(verifying: Self.text, path: "t.mlir")
    for (limit, expected) in [(0, 2), (1, 2), (2, 1)] {
      var manager = PassManager(try PassPipeline(parsing: "cse,canonicalize,lower-qdq"), registry: Dialects.registry)
      manager.options.bisectLimit = limit
      let outcome = try manager.run(module)
      let count = outcome.module.ops(inBodyOf: try outcome.module.mainFunction()).count - 1
      #expect(count == expected)
      #expect(!outcome.records[2].isSkipped)
    }
  }

  @Test func aWrongModuleIsBlamedOnThePass() throws {
    let breaking = Pass("break", summary: "writes an op with a wrong type") { run throws(DiagnosticError) in
      let op = run.module.ops(inBodyOf: run.functions[0])[0]
      run.rewrite.setAttribute(of: op, "nonsense", 1)
    }
    let module = try Module(verifying: Self.text, path: "t.mlir")
    let manager = PassManager(PassPipeline([.init(breaking)]), registry: Dialects.registry)
    #expect { try manager.run(module) } throws: { error in
      (error as? DiagnosticError)?.codes == ["unknown-attribute"] && "\(error)".contains("after pass 'break'")
    }
    var unchecked = manager
    unchecked.options.verifiesEach = false
    #expect(throws: Never.self) { try unchecked.run(module) }
  }

  @Test func printAfterChecksNames() throws {
    var manager = PassManager(try PassPipeline(parsing: "cse"), registry: Dialects.registry)
    manager.options.printAfter = ["cs"]
    #expect(throws: DiagnosticError.self) { try manager.run(Module(verifying: Self.text, path: "t.mlir")) }
  }

  @Test func passesAreDocumented() {
    let names = PassRegistry.all.map(\.name)
    #expect(Set(names).count == names.count)
    for pass in PassRegistry.all {
      #expect(!pass.summary.isEmpty && !pass.documentation.isEmpty, "\(pass.name)")
      #expect(pass.name.allSatisfy { $0.isLowercase || $0 == "-" || $0.isNumber })
      for rule in pass.after + pass.before { #expect(names.contains(rule.pass), "\(pass.name)") }
    }
  }
}
