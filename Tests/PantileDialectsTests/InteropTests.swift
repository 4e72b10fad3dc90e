import Foundation
import PantileDialects
import PantileIR
import PantileSupport
import PantileText
import Testing

/// Generic text through `mlir-opt` and back: accepted, and structurally the same.
@Suite struct InteropTests {
  static let tools = ["mlir-opt-16", "mlir-opt-19"].compactMap { name in
    ["/usr/bin", "/usr/local/bin"].map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  @Test(arguments: tools.isEmpty ? ["(skipped: neither mlir-opt-16 nor mlir-opt-19 is installed)"] : tools)
  func upstreamReadsAndReturnsWhatWePrint(_ tool: String) throws {
    guard tool.hasPrefix("/") else {
      print("InteropTests: upstreamReadsAndReturnsWhatWePrint \(tool)")
      return
    }
    let sources =
      try Dialects.all.flatMap(\.ops).map { try Module(verifying: $0.example, path: $0.name) }
      + Workload.all.map { try $0.make() } + Self.attributes.map { try Module(verifying: $0, path: "attributes") }
    let sent = try sources.map { try Self.withoutNames($0).print() }
    let received = try Self.run(tool, sent.joined(separator: "\n// -----\n")).components(separatedBy: "// -----")
    #expect(received.count == sent.count)
    for (ours, theirs) in zip(sent, received) {
      let again = try Module(verifying: theirs, path: "theirs.mlir")
      #expect(try Self.withoutNames(again).print() == ours)
    }
  }

  /// Attributes and types of every kind on an op of an unknown dialect.
  static let attributes = [
    #""x.op"() {a = [1, true, 2.5, "s\22\0A\C2\B5", @f::@"g h", i8, unit], "odd key" = #x.e<a -> (b), "<">, t = !x.t<1 x 2>} : () -> ()"#,
    #""x.op"() {a = array<i64: 1, -2>, b = array<i1: true, false>, c = array<i8>, f = array<f32: 1.5>, g = 0x7FC00000 : f32} : () -> ()"#,
    #""x.op"() {a = dense<[[1, 2], [3, -4]]> : tensor<2x2xi8>, b = dense<1> : tensor<4xi32>, c = dense<> : tensor<0xf32>} : () -> ()"#,
    #""x.op"() {a = dense<[1.0e-5, 3.40282347E+38, 0.1]> : tensor<3xf32>, h = dense<[1.0, 65504.0]> : tensor<2xf16>} : () -> ()"#,
    #""x.op"() {a = 1.0e-5 : f32, b = 0.1, c = -0.0 : f32, d = 1.0e300, e = 16777217.0 : f32, h = 0.333 : bf16} : () -> ()"#,
    #""x.op"() {t = tensor<0x4xf32>, u = tensor<*xbf16>, v = tensor<64x64xi8, #dnn.nm<2:4>>, w = tuple<i1, complex<f32>>, x = vector<4x[8]xf32>, y = memref<4x4xi8, strided<[4, 1], offset: 2>, "spad">, z = () -> (() -> ())} : () -> ()"#,
    #""x.op"() ({^bb0(%a: i32): "x.br"(%a)[^bb1] : (i32) -> () ^bb1: "x.end"() : () -> ()}, {}) {i = 255 : ui8, j = -128 : si8} : () -> () loc(fused["p", "q"("f.onnx":3:4)])"#,
    "\"x.op\"() {a = dense<[\((0..<200).map(String.init).joined(separator: ", "))]> : tensor<200xi32>} : () -> ()",
    #"%0:2 = "x.two"() : () -> (i8, i16) "x.use"(%0#1, %0#0) : (i16, i8) -> ()"#,
  ]

  private static func withoutNames(_ module: Module) -> Module {
    var rewrite = RewriteContext(module, registry: Dialects.registry)
    for op in module.walk(module.root) {
      for value in module.results(of: op) { rewrite.setName(of: value, nil) }
      for region in module.regions(of: op) {
        for block in module.blocks(in: region) {
          for value in module.arguments(of: block) { rewrite.setName(of: value, nil) }
        }
      }
    }
    return rewrite.module
  }

  private static func run(_ tool: String, _ text: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = [
      "--allow-unregistered-dialect", "--mlir-print-op-generic", "--mlir-print-debuginfo", "--split-input-file", "-",
    ]
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("pantile-interop-\(UUID()).mlir")
    let output = file.appendingPathExtension("out")
    try Data(text.utf8).write(to: file)
    defer {
      try? FileManager.default.removeItem(at: file)
      try? FileManager.default.removeItem(at: output)
    }
    process.arguments?[4] = file.path
    process.arguments? += ["-o", output.path]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return try String(contentsOf: output, encoding: .utf8)
  }
}
