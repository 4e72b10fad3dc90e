import ArgumentParser
import Pantile

/// `pantile workloads`: the networks that are written by code.
struct WorkloadsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workloads", abstract: "Lists the generated networks, or writes them as .mlir files.")

  @Option(help: ArgumentHelp("Write NAME/NAME.mlir for each into this folder.", valueName: "folder")) var write: String?

  func run() throws {
    var files = OutputFiles()
    var rows: [[String]] = []
    for workload in Workload.all {
      let module = try workload.make()
      let main = try module.mainFunction()
      rows.append([
        workload.name, Table.grouped(try module.macs(of: main)),
        Table.grouped(try module.weights(of: main).elements), workload.summary,
      ])
      if let write {
        try OutputFiles.makeFolder("\(write)/\(workload.name)")
        files.add(try workload.text(), to: "\(write)/\(workload.name)/\(workload.name).mlir")
      }
    }
    files.add(Table.text(["name", "MACs", "weights", "what"], rows), to: "-")
    try files.write()
  }
}
