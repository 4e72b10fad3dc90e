import ArgumentParser
import Foundation
import Pantile

/// `pantile list`: what there is.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists what there is of a kind.")

  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case chips, memories, workloads, graphs, ops, passes, methods, engines, formats, energy, datapaths
    case timingModels = "timing-models"
  }

  @Argument(help: "What to list; everything when left out.") var kind: Kind?
  @OptionGroup var root: RootOptions

  func run() throws {
    var text = ""
    for item in kind.map({ [$0] }) ?? Kind.allCases {
      if kind == nil { text += (text.isEmpty ? "" : "\n") + "\(item.rawValue):\n" }
      text += try ListCommand.table(item, root: root.folder)
    }
    Terminal.write(text)
  }

  static func table(_ kind: Kind, root: String?) throws(DiagnosticError) -> String {
    switch kind {
    case .chips:
      var rows: [[String]] = []
      for name in Chip.shippedNames(root: root) {
        rows.append([name, try Chip.load(name, schemas: Machine.schemas(), root: root).summary])
      }
      return Table.text(["chip", "what"], rows)
    case .memories:
      var rows: [[String]] = []
      for name in DRAMDevice.shippedNames(root: root) {
        rows.append([name, try DRAMDevice.load(name, root: root).summary])
      }
      return Table.text(["memory", "what"], rows)
    case .workloads:
      let rows = WorkloadFolder.files(root: root).map { [$0.name, $0.path] }
      return Table.text(["workload", "file"], rows)
    case .graphs:
      let rows = WorkloadFolder.graphs(root: root).map { [$0.name, $0.path] }
      return Table.text(["graph", "file"], rows)
    case .ops: return Table.text(["op", "what"], DNN.ops.map { [$0.name, $0.definition.summary] })
    case .passes: return Table.text(["pass", "what"], PassRegistry.all.map { [$0.name, $0.summary] })
    case .methods:
      let schedules = ScheduleProblem.methods.map { ["schedule", $0.name, $0.summary] }
      let packings = PackingProblem.methods.map { ["packing", $0.name, $0.summary] }
      let auto = ["packing", "auto", "the portfolio, then the exact search if nothing in it fits"]
      let steps = HierarchyProblem.methods.map { ["memories", $0.name, $0.summary] }
      return Table.text(["problem", "method", "how"], schedules + [auto] + packings + steps)
    case .engines: return Table.text(["family", "what"], engineSchemas.map { [$0.family, $0.summary] })
    case .timingModels: return Table.text(["timing model", "what"], TimingModel.all.map { [$0.name, $0.summary] })
    case .formats:
      return Table.text(
        ["format", "bits", "beside", "what"],
        NumberFormat.all.map { [$0.name, "\($0.code.bits)", $0.scheme.description, $0.summary] })
    case .datapaths:
      var rows: [[String]] = []
      for name in Datapath.shippedNames(root: root) {
        let datapath = try Datapath.load(name, root: root)
        rows.append([name, datapath.kind.rawValue, "\(datapath.mutants.count)", datapath.summary])
      }
      return Table.text(["datapath", "kind", "mutants", "what"], rows)
    case .energy: return Table.text(["table"], energyNames(root: root).map { [$0] })
    }
  }

  /// All engine families, arrays first, then by name.
  static var engineSchemas: [EngineSchema] {
    let arrays = ArrayFamily.all.map(\.schema)
    let others = Machine.schemas().values.filter { schema in !arrays.contains { $0.family == schema.family } }
    return arrays + others.sorted { $0.family < $1.family }
  }

  /// The energy tables in `Targets/energy`, sorted.
  static func energyNames(root: String?) -> [String] {
    guard let root else { return [] }
    let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/Targets/energy")) ?? []
    return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  }
}
