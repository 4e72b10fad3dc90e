import PantileSupport
import PantileText

/// Makes the syntax tree of a module: chooses value names and block labels.
struct ModuleWriter {
  let module: Module
  /// Attributes that have their default value are left out for the ops of this registry.
  let registry: DialectRegistry?
  private var names: [ValueID: String] = [:]
  private var taken: Set<String> = []
  /// The next suffix to try for a name that is taken.
  private var suffixes: [String: Int] = [:]
  private var nextNumber = 0
  private var nextArgument = 0
  private var labels: [BlockID: String] = [:]

  init(module: Module, registry: DialectRegistry?) {
    self.module = module
    self.registry = registry
  }

  mutating func syntax(of op: OpID) -> OpSyntax {
    let view = module[op]
    var attributes = view.attributes
    if let definition = registry?.definition(of: view.name) { attributes = definition.droppingDefaults(attributes) }
    var tree = OpSyntax(
      view.name, attributes: attributes, operandTypes: view.operandTypes, resultTypes: view.resultTypes,
      location: view.location)
    tree.operands = view.operands.map { name(of: $0) }
    let results = view.results
    if results.count > 1, results.allSatisfy({ module.name(of: $0) == nil }) {
      let base = freshNumber()
      for (index, result) in results.enumerated() { names[result] = "\(base)#\(index)" }
    }
    tree.results = results.map { name(of: $0) }
    tree.successors = view.successors.map { label(of: $0) }
    tree.regions = view.regions.map { syntax(of: $0) }
    return tree
  }

  private mutating func syntax(of region: RegionID) -> RegionSyntax {
    let blocks = module.blocks(in: region)
    // The number of a block is its label, so that text that is read again keeps it.
    for (index, block) in blocks.enumerated() { labels[block] = "bb\(index)" }
    let savedLabels = labels
    defer { labels = savedLabels }
    var tree = RegionSyntax()
    for (index, block) in blocks.enumerated() {
      var syntaxBlock = BlockSyntax(label: index == 0 ? "" : "bb\(index)")
      for argument in module.arguments(of: block) {
        let name = module.name(of: argument) == nil ? freshArgument(argument) : self.name(of: argument)
        syntaxBlock.arguments.append(.init(name, module.type(of: argument)))
      }
      syntaxBlock.ops = module.ops(in: block).map { syntax(of: $0) }
      tree.blocks.append(syntaxBlock)
    }
    if tree.blocks.count == 1, tree.blocks[0].arguments.isEmpty, tree.blocks[0].ops.isEmpty,
      ["builtin.module", "func.func"].contains(module.name(of: module.op(of: region))) == false
    {
      tree.blocks[0].label = "bb0"
    }
    return tree
  }

  private func label(of block: BlockID) -> String { labels[block] ?? "bb0" }

  /// The value's name in the text; all names of a module differ, which every scope rule allows.
  private mutating func name(of value: ValueID) -> String {
    if let known = names[value] { return known }
    let name: String
    if let chosen = module.name(of: value) {
      name = unique(chosen)
    } else {
      name = freshNumber()
    }
    names[value] = name
    return name
  }

  private mutating func freshArgument(_ value: ValueID) -> String {
    if let known = names[value] { return known }
    let name = unique("arg\(nextArgument)")
    nextArgument += 1
    names[value] = name
    return name
  }

  private mutating func freshNumber() -> String {
    nextNumber += 1
    return "\(nextNumber - 1)"
  }

  private mutating func unique(_ base: String) -> String {
    var name = base
    while !taken.insert(name).inserted {
      let number = suffixes[base, default: 0]
      suffixes[base] = number + 1
      name = "\(base)_\(number)"
    }
    return name
  }
}
