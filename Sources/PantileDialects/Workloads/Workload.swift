import PantileIR
import PantileSupport
import PantileText

/// A network that ships as text: shapes of a published model with weights made by rule.
public struct Workload: Sendable {
  /// The folder and file name: `resnet18`.
  public let name: String
  /// One line for lists.
  public let summary: String
  /// Where the network was published.
  public let source: String
  /// Builds the float network.
  public let make: @Sendable () throws(DiagnosticError) -> Module

  public init(
    _ name: String, summary: String, source: String, make: @escaping @Sendable () throws(DiagnosticError) -> Module
  ) {
    self.name = name
    self.summary = summary
    self.source = source
    self.make = make
  }

  /// All shipped networks, small ones first.
  public static let all: [Workload] = [
    .lenet5, .dscnn, .resnet8, .nasDARTS, .mobilenetV2, .resnet18, .resnet50,
  ]

  /// The network of that name.
  /// - Throws: `unknown-workload` with the nearest name.
  public static func named(_ name: String) throws(DiagnosticError) -> Workload {
    if let found = all.first(where: { $0.name == name }) { return found }
    let names = all.map(\.name)
    throw DiagnosticError(
      "unknown-workload", "there is no workload '\(name)'",
      hint: nearestName(to: name, among: names).map { "did you mean '\($0)'?" }
        ?? "there are \(names.joined(separator: ", "))")
  }

  /// The file, relative to the repository: `Workloads/models/resnet18/resnet18.mlir`.
  public var path: String { "Workloads/models/\(name)/\(name).mlir" }

  /// The text of the file: a comment with the source and the size, then the module in generic form.
  /// - Throws: only when the builder itself is wrong.
  public func text() throws(DiagnosticError) -> String {
    let module = try make()
    try module.verify(Dialects.registry)
    let main = try module.mainFunction()
    let macs = try module.macs(of: main)
    let weights = try module.weights(of: main)
    var header = "// \(summary)\n// Source: \(source)\n"
    header += "// \(macs) multiply-accumulates, \(weights.elements) weights; batch normalisation is folded.\n"
    header += "// Weights follow from their names (see dnn.constant). Written by `pantile import --workload \(name)`.\n"
    return header + (try module.print())
  }
}
