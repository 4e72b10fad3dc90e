import Foundation
import PantileProgram
import PantileReport
import PantileSupport
import PantileTensor

/// A compiled network with what reports say about its plan: what `pantile compile` writes and `pantile run` reads.
public struct CompiledModel: Sendable {
  /// The model's name.
  public var model: String
  public var program: Program
  public var plan: RunReport.Plan
  /// The highest scratchpad address in use, in bytes.
  public var peakScratchpadBytes: Int
  /// One line a layer: tiles, loop order, slots, what is kept on chip.
  public var schedules: [String]

  public init(
    model: String, program: Program, plan: RunReport.Plan, peakScratchpadBytes: Int, schedules: [String]
  ) {
    self.model = model
    self.program = program
    self.plan = plan
    self.peakScratchpadBytes = peakScratchpadBytes
    self.schedules = schedules
  }

  public init(_ compilation: Compiler.Compilation, model: String) {
    self.init(
      model: model, program: compilation.program, plan: .init(compilation),
      peakScratchpadBytes: compilation.plan.peakScratchpadBytes, schedules: compilation.schedules)
  }

  // MARK: The file

  /// What stands beside the Program in the file.
  private struct Metadata: Codable {
    var schema = "pantile.compiled/1"
    var version: String
    var model: String
    var plan: RunReport.Plan
    var peakScratchpadBytes: Int
    var schedules: [String]

    enum CodingKeys: String, CodingKey {
      case schema, version, model, plan
      case peakScratchpadBytes = "peak_scratchpad_bytes"
      case schedules
    }
  }

  /// The bytes of the file.
  public var data: Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let metadata = Metadata(
      version: pantileVersion, model: model, plan: plan, peakScratchpadBytes: peakScratchpadBytes,
      schedules: schedules)
    // Gaps are finite or absent, so nothing here has no JSON.
    guard let json = try? encoder.encode(metadata) else { preconditionFailure("metadata that is no JSON: \(metadata)") }
    return Data(ProgramContainer(program: program, metadata: String(decoding: json, as: UTF8.self)).bytes)
  }

  /// Reads a file.
  /// - Throws: `cannot-read`, the codes of `ProgramContainer`, `container-metadata`.
  public init(contentsOf path: String) throws(DiagnosticError) {
    let container = try ProgramContainer(bytes: [UInt8](AtomicFile.read(path)), path: path)
    guard let metadata = try? JSONDecoder().decode(Metadata.self, from: Data(container.metadata.utf8)),
      metadata.schema
        == Metadata(version: "", model: "", plan: metadata.plan, peakScratchpadBytes: 0, schedules: []).schema
    else {
      throw DiagnosticError(
        "container-metadata", "'\(path)' holds a program but not what reports need", hint: "compile the model again")
    }
    self.init(
      model: metadata.model, program: container.program, plan: metadata.plan,
      peakScratchpadBytes: metadata.peakScratchpadBytes, schedules: metadata.schedules)
  }

  // MARK: Ports

  /// What the Program takes, in order.
  /// - Throws: `element-type` for a Program file that names an unknown one.
  public var inputs: [Model.Port] {
    get throws(DiagnosticError) { try ports(.input) }
  }

  /// What the Program gives, in graph-output order.
  /// - Throws: as `inputs`.
  public var outputs: [Model.Port] {
    get throws(DiagnosticError) { try ports(.output) }
  }

  private func ports(_ kind: Program.Region.Kind) throws(DiagnosticError) -> [Model.Port] {
    var ports: [Model.Port] = []
    for region in program.regions where region.kind == kind {
      guard let type = ElementType(rawValue: region.element) else {
        throw DiagnosticError("element-type", "region '\(region.name)' has the unknown type '\(region.element)'")
      }
      ports.append(Model.Port(name: region.name, shape: region.shape, elementType: type))
    }
    return ports
  }
}
