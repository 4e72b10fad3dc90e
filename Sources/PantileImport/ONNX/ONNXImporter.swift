import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// Every ONNX operator that is understood, and the walk over a graph.
enum ONNXImporter {
  /// One entry an operator; coverage tables and the unsupported-operator message follow from it.
  static let all: [ONNXOp] =
    ONNXOp.constants + ONNXOp.shapes + ONNXOp.convolutions + ONNXOp.pooling + ONNXOp.products + ONNXOp.elementwise
    + ONNXOp.normalization + ONNXOp.reductions + ONNXOp.quantization + ONNXOp.gathering
    + ONNXOp.resampling + ONNXOp.attention

  private static let definitions: [String: ONNXOp] = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }

  /// Turns a graph into a module with one function, `@main`.
  /// - Throws: all independent errors of the graph.
  static func module(
    of file: ONNXFile, options: ImportOptions
  ) throws(DiagnosticError) -> (module: Module, warnings: [Diagnostic]) {
    let opset = try file.opset()
    let graph = file.model.graph
    let nodes = graph.node.enumerated().map { ONNXNodeView($0.element, index: $0.offset, opset: opset) }
    let needed = try reachable(graph, nodes)
    try checkOperators(nodes, needed, file)
    var warnings: [Diagnostic] = []
    if opset > 23 {
      warnings.append(
        Diagnostic(
          "onnx-opset",
          "operator set \(opset) is newer than 23, the newest known; operators are read by their known meaning",
          severity: .warning))
    }

    let decoder = TensorDecoder(modelPath: file.path)
    let inputs = inputs(of: graph)
    let binding = try ShapeBinding(inputs: inputs, options: options)
    var rewrite = RewriteContext(Module(name: nil), registry: Dialects.registry)
    guard let body = rewrite.module.body(of: rewrite.module.root) else { preconditionFailure("a module has a body") }
    let function = try rewrite.insert(
      "func.func", attributes: ["sym_name": .string("main")], resultTypes: [], regionCount: 1, at: .end(body),
      location: .named(graph.name.isEmpty ? "main" : graph.name))
    let block = rewrite.appendBlock(to: rewrite.module.regions(of: function)[0])
    var environment: [String: ImportedValue] = [:]
    var errors: [Diagnostic] = []

    var arguments: [(ValueID, [Int], ElementType, String)] = []
    for (input, shape) in zip(inputs, binding.shapes) {
      let number = Int(input.type.tensorType.elemType)
      guard input.type.hasTensorType, let type = ONNXElementType.elementType(number) else {
        errors.append(
          Diagnostic("tensor-type", "input '\(input.name)' has elements of type \(ONNXElementType.name(number))"))
        continue
      }
      if let constant = options.constants[input.name] {
        if constant.elementType != type {
          errors.append(
            Diagnostic("tensor-type", "input '\(input.name)' is of \(type) but its constant of \(constant.elementType)")
          )
        }
        continue
      }
      let id = rewrite.appendArgument(to: block, .tensor(shape, type.syntax), name: input.name)
      arguments.append((id, shape, type, input.name))
    }
    let builder = GraphBuilder(rewrite, block: block)
    for (id, shape, type, name) in arguments {
      environment[name] = builder.argument(id, shape: shape, elementType: type, name: name)
    }
    for (name, tensor) in options.constants.sorted(by: { $0.key < $1.key }) {
      environment[name] = builder.constant(ImportedConstant(tensor), name: name)
    }
    let used = usedNames(graph, nodes, needed)
    for tensor in graph.initializer where used.contains(tensor.name) {
      do {
        environment[tensor.name] = builder.constant(try decoder.decode(tensor, name: tensor.name), name: tensor.name)
      } catch {
        errors += error.diagnostics
      }
    }
    if !graph.sparseInitializer.isEmpty {
      errors.append(Diagnostic("tensor-type", "the model has sparse weights, which are not supported"))
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }

    // Names whose node failed: what reads them is left out silently, the cause is reported once.
    var failed: Set<String> = []
    for (index, node) in nodes.enumerated() where needed[index] {
      let names = node.node.input
      if names.contains(where: { failed.contains($0) }) {
        failed.formUnion(node.node.output)
        continue
      }
      do {
        try build(node, environment: &environment, builder: builder, decoder: decoder, used: used)
      } catch {
        errors += error.diagnostics
        failed.formUnion(node.node.output)
      }
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }

    var results: [ImportedValue] = []
    for output in graph.output {
      guard let value = environment[output.name] else {
        throw DiagnosticError("onnx-graph", "nothing makes the output '\(output.name)'")
      }
      builder.setName(value, output.name)
      results.append(value)
    }
    let module = try builder.finish(
      results, function: function, inputNames: arguments.map(\.3), outputNames: graph.output.map(\.name))
    try appendMissing(decoder, options, &warnings)
    return (module, warnings)
  }

  /// The graph inputs that are no weights.
  static func inputs(of graph: ONNXGraph) -> [ONNXValueInfo] {
    let initializers = Set(graph.initializer.map(\.name))
    return graph.input.filter { !initializers.contains($0.name) }
  }

  /// One warning, or an error for those who need values, for weights that are nowhere.
  private static func appendMissing(
    _ decoder: TensorDecoder, _ options: ImportOptions, _ warnings: inout [Diagnostic]
  ) throws(DiagnosticError) {
    guard !decoder.missingFiles.isEmpty else { return }
    let tensors = decoder.missingFiles.reduce(0) { $0 + $1.tensors }
    let names = decoder.missingFiles.prefix(3).map { "'\($0.location)'" }.joined(separator: ", ")
    let more = decoder.missingFiles.count > 3 ? " and \(decoder.missingFiles.count - 3) more" : ""
    let diagnostic = Diagnostic(
      "weights-absent", "the values of \(tensors) weight tensors are absent: no file \(names)\(more)",
      severity: options.requiresWeights ? .error : .warning,
      hint: "put the file beside the model; without it only sizes and times can be computed")
    if options.requiresWeights { throw DiagnosticError(diagnostic) }
    warnings.append(diagnostic)
  }

  private static func build(
    _ node: ONNXNodeView, environment: inout [String: ImportedValue], builder: GraphBuilder, decoder: TensorDecoder,
    used: Set<String>
  ) throws(DiagnosticError) {
    guard let definition = definitions[node.node.opType] else {
      preconditionFailure("operator \(node.kind) passed the check")
    }
    var inputs: [ImportedValue?] = []
    for name in node.node.input {
      if name.isEmpty {
        inputs.append(nil)
      } else if let value = environment[name] {
        inputs.append(value)
      } else {
        throw node.error("onnx-graph", "input '\(name)' is made by nothing before this node")
      }
    }
    builder.location = node.location
    let isOutputUsed = node.node.output.map { used.contains($0) }
    let results = try definition.build(
      NodeImport(node: node, inputs: inputs, builder: builder, decoder: decoder, isOutputUsed: isOutputUsed))
    for (name, value) in zip(node.node.output, results) where !name.isEmpty {
      environment[name] = value
      builder.setName(value, name)
    }
    for (index, name) in node.node.output.enumerated() where index >= results.count && used.contains(name) {
      throw node.unsupported("its output \(index) ('\(name)') is not computed")
    }
  }

  /// Which nodes the outputs need.
  /// - Throws: `onnx-graph` when a value is made twice.
  private static func reachable(_ graph: ONNXGraph, _ nodes: [ONNXNodeView]) throws(DiagnosticError) -> [Bool] {
    var makers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for name in node.node.output where !name.isEmpty {
        if makers[name] != nil { throw node.error("onnx-graph", "the value '\(name)' is made twice") }
        makers[name] = index
      }
    }
    var needed = [Bool](repeating: false, count: nodes.count)
    var queue = graph.output.compactMap { makers[$0.name] }
    while let next = queue.popLast() {
      if needed[next] { continue }
      needed[next] = true
      queue += nodes[next].node.input.compactMap { makers[$0] }
    }
    return needed
  }

  private static func usedNames(_ graph: ONNXGraph, _ nodes: [ONNXNodeView], _ needed: [Bool]) -> Set<String> {
    var result = Set(graph.output.map(\.name))
    for (index, node) in nodes.enumerated() where needed[index] { result.formUnion(node.node.input) }
    result.remove("")
    return result
  }

  /// - Throws: `unsupported-op`, one for each kind of operator with all its nodes.
  private static func checkOperators(
    _ nodes: [ONNXNodeView], _ needed: [Bool], _ file: ONNXFile
  ) throws(DiagnosticError) {
    var kinds: [String] = []
    var members: [String: [String]] = [:]
    for (index, node) in nodes.enumerated() where needed[index] {
      let isStandard = node.kind == node.node.opType
      if isStandard, definitions[node.node.opType] != nil { continue }
      if members[node.kind] == nil { kinds.append(node.kind) }
      members[node.kind, default: []].append(node.name)
    }
    if kinds.isEmpty { return }
    throw DiagnosticError(
      kinds.map { kind in
        let names = members[kind] ?? []
        let isLocal = file.model.functions.contains { "\($0.domain).\($0.name)" == kind }
        return Diagnostic(
          "unsupported-op", "the operator \(kind) is not supported (\(names.count) node\(names.count == 1 ? "" : "s"))",
          at: .named(names[0]), notes: names.dropFirst().map { .init("also here", at: .named($0)) },
          hint: isLocal ? "it is a function of the model: inline it with onnx.inliner" : nil)
      })
  }
}
