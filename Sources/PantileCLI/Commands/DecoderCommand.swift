import ArgumentParser
import Pantile

/// `pantile decoder`: one step of a decoder as a model.
struct DecoderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decoder", abstract: "Writes one step of a decoder-only language model as a model.",
    discussion: """
      One token goes through all blocks, behind the keys and values of the tokens before it. The sizes are those of GPT-2 medium unless \
      others are given. 'pantile run FILE --chip CHIP --times 128' times 128 tokens, one after the other. See Docs/llm.md.
      """)

  @Option(help: "Blocks.") var blocks = 24
  @Option(help: "Width of a token between the blocks.") var width = 1024
  @Option(help: "Heads of attention; a divisor of the width.") var heads = 16
  @Option(help: "Width between the two dense layers of a block; else four times the width.") var hidden: Int?
  @Option(help: "Tokens whose keys and values come in.") var context = 256
  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write.", valueName: "file|-")) var output: String = "-"

  func run() throws {
    try OutputFiles.check(output)
    let step = try DecoderStep(blocks: blocks, width: width, heads: heads, hidden: hidden, context: context)
    var files = OutputFiles()
    files.add(step.text(), to: output)
    try files.write()
  }
}
