import Foundation
import PantileCLI

exit(CommandLineTool.run(Array(CommandLine.arguments.dropFirst())))
