import ArgumentParser
import Pantile

/// `pantile doc`: the reference page of one thing.
struct DocCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doc",
    abstract:
      "Shows the documentation of an op, pass, engine family, number format, timing model, chip, datapath or workload.")

  @Argument(help: "As 'pantile list' shows it.") var name: String
  @OptionGroup var root: RootOptions

  func run() throws {
    let folder = root.folder
    if let op = DNN.ops.first(where: { $0.name == name || $0.name == "dnn.\(name)" }) {
      Terminal.write(DocCommand.page(op.definition))
    } else if let pass = PassRegistry.all.first(where: { $0.name == name }) {
      Terminal.write(DocCommand.page(pass))
    } else if let schema = ListCommand.engineSchemas.first(where: { $0.family == name }) {
      Terminal.write(DocCommand.page(schema))
    } else if let model = TimingModel.all.first(where: { $0.name == name }) {
      Terminal.write(DocCommand.page(model))
    } else if let format = try DocCommand.format(name) {
      Terminal.write(DocCommand.page(format))
    } else if let workload = Workload.all.first(where: { $0.name == name }) {
      let module = try workload.make()
      let main = try module.mainFunction()
      Terminal.write(
        "# \(workload.name)\n\n\(workload.summary)\n\nMACs: \(Table.grouped(try module.macs(of: main)))\n"
          + "weights: \(Table.grouped(try module.weights(of: main).elements))\nsource: \(workload.source)\n")
    } else if Chip.shippedNames(root: folder).contains(name) {
      Terminal.write(try Chip.load(name, schemas: Machine.schemas(), root: folder).resolvedText)
    } else if Datapath.shippedNames(root: folder).contains(name) {
      Terminal.write(DocCommand.page(try Datapath.load(name, root: folder)))
    } else {
      let names =
        DNN.ops.map(\.name) + PassRegistry.all.map(\.name) + ListCommand.engineSchemas.map(\.family)
        + NumberFormat.all.map(\.name) + TimingModel.all.map(\.name) + Workload.all.map(\.name)
        + Chip.shippedNames(root: folder) + Datapath.shippedNames(root: folder)
      throw DiagnosticError(
        "unknown-name",
        "there is no op, pass, engine family, number format, timing model, workload, chip or datapath '\(name)'",
        hint: nearestName(to: name, among: names).map { "did you mean '\($0)'?" } ?? "see 'pantile list'")
    }
  }

  private static func page(_ datapath: Datapath) -> String {
    var text = "# datapath \(datapath.name)\n\n\(datapath.summary)\n\nkind: \(datapath.kind.rawValue)\n"
    if !datapath.source.isEmpty { text += "source: \(datapath.source)\n" }
    text += "\nparameters:\n"
    for parameter in datapath.parameters {
      let sweep = parameter.sweep.map { "\($0)" }.joined(separator: ", ")
      text += "  \(parameter.name): \(parameter.value)" + (sweep.isEmpty ? "\n" : ", swept over \(sweep)\n")
    }
    text += "\nclaims: \(datapath.claimNames.joined(separator: ", "))\n\nmutants:\n"
    for mutant in datapath.mutants {
      text +=
        "  \(mutant.name): \(mutant.summary)\n    \(mutant.settings.map { "--set '\($0)'" }.joined(separator: " "))\n"
    }
    return text
  }

  private static func page(_ op: OpDefinition) -> String {
    var text = "# \(op.name)\n\n\(op.summary)\n"
    if !op.documentation.isEmpty { text += "\n\(op.documentation)\n" }
    if !op.attributes.isEmpty {
      text += "\nattributes:\n"
      for attribute in op.attributes { text += "  \(attribute.name): \(attribute.summary)\n" }
    }
    return text + "\nexample:\n\n\(op.example)\n"
  }

  private static func page(_ pass: Pass) -> String {
    var text = "# \(pass.name)\n\n\(pass.summary)\n"
    if !pass.documentation.isEmpty { text += "\n\(pass.documentation)\n" }
    if !pass.options.isEmpty {
      text += "\noptions:\n"
      for option in pass.options {
        text += "  \(option.name) (\(option.kind), default '\(option.defaultText)'): \(option.summary)\n"
      }
    }
    return text
  }

  private static func page(_ schema: EngineSchema) -> String {
    var text = "# family \(schema.family)\n\n\(schema.summary)\n\nkeys of a chip file:\n"
    for field in schema.fields {
      let standard = field.defaultValue.map { "default \($0)" } ?? "required"
      text += "  \(field.key) (\(standard)): \(field.summary)\n"
    }
    return text
  }

  private static func page(_ model: TimingModel) -> String {
    var text = "# timing model \(model.name)\n\n\(model.summary)\n\n"
    text += "source: \(model.source)\nevidence: \(model.evidence)\n"
    if !model.differences.isEmpty {
      text += "\nwhere it differs from a register-transfer model:\n"
      for difference in model.differences { text += "- \(difference)\n" }
      text += "\nmore in Docs/compatibility.md\n"
    }
    return text
  }
}
