import ArgumentParser
import Pantile

/// `pantile`: the root of all commands.
struct PantileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pantile",
    abstract: "Compiles a neural network for a described chip and runs it cycle by cycle.",
    discussion: """
      MODEL is an .onnx file, an .mlir file of the dnn dialect, or the name of a shipped workload ('pantile list
      workloads'). A chip is a YAML file or the name of a shipped one ('pantile list chips').
      Exit codes: 0 done, 1 the answer is no, 2 wrong usage or input, 70 internal fault.
      """,
    version: pantileVersion,
    subcommands: [
      ImportCommand.self, OptCommand.self, CompileCommand.self, RunCommand.self, PlanCommand.self, GemmCommand.self,
      SweepCommand.self, CheckCommand.self, ExplainCommand.self, DRAMTraceCommand.self, RTLCommand.self,
      ProveCommand.self, PruneCommand.self, TrainCommand.self, TrainMemoryCommand.self, QuantizeCommand.self,
      ConvertCommand.self,
      AssignWidthsCommand.self, AWQCommand.self, ReproduceCommand.self, ListCommand.self, DocCommand.self,
      DemoCommand.self,
      WorkloadsCommand.self, LLMCommand.self, DecoderCommand.self,
    ])
}
